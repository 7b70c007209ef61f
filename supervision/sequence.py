"""In which order children start and stop.

Pure: looks at a table of children and says who is next; the supervisor does it and looks again when
a child has reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from supervision.child_spec import Strategy


class Phase(Enum):
    """Where a child is in its life, as its supervisor sees it."""

    DOWN = "down"
    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"


class Row(Protocol):
    """One child in start order: where it is and where it should be.

    Settled is one that is parked, or is retried in the background.
    """

    @property
    def name(self) -> str:
        """Name of the child."""

    @property
    def phase(self) -> Phase:
        """Where it is."""

    @property
    def wanted(self) -> bool:
        """Whether it should run."""

    @property
    def must_stop(self) -> bool:
        """Whether it has to stop first."""

    @property
    def waiting(self) -> bool:
        """Whether a delay must pass before its start."""

    @property
    def settled(self) -> bool:
        """Whether it holds up nobody while it is down."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do now; the rest follows when children report."""

    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()


class Order(Enum):
    """How starts depend on each other. Stops go in reverse, one at a time, or all at once."""

    NONE = "none"  # each child on its own; stops all at once
    ALONE = "alone"  # each child on its own; stops one at a time
    IN_TURN = "in turn"  # each start after the stops, and ready before the next
    AS_ONE = "as one"  # in turn, and none before the delay of every one is over


def order_of(strategy: Strategy, *, settled: bool) -> Order:
    """Order of a strategy; while it boots or stops, one-for-one keeps its children's order too."""
    if strategy is Strategy.DYNAMIC:
        return Order.NONE
    if strategy is Strategy.ONE_FOR_ONE and settled:
        return Order.ALONE
    return Order.AS_ONE if strategy is Strategy.ONE_FOR_ALL else Order.IN_TURN


def next_steps(rows: Sequence[Row], order: Order) -> Steps:
    """Choose the children to stop and to start now."""
    stop = _stops(rows, stop_together=order is Order.NONE)
    if order in {Order.NONE, Order.ALONE}:
        return Steps(stop, tuple(row.name for row in rows if _startable(row)))
    if any(row.must_stop and row.phase is not Phase.DOWN for row in rows):
        return Steps(stop)
    if order is Order.AS_ONE and any(row.waiting and not row.settled for row in rows):
        return Steps()
    return Steps(start=_next_in_turn(rows))


def _stops(rows: Sequence[Row], *, stop_together: bool) -> tuple[str, ...]:
    due = [row for row in rows if row.must_stop and row.phase in {Phase.STARTING, Phase.UP}]
    if stop_together:
        return tuple(row.name for row in due)
    stopping = any(row.phase is Phase.STOPPING for row in rows)
    return () if stopping or not due else (due[-1].name,)


def _next_in_turn(rows: Sequence[Row]) -> tuple[str, ...]:
    for row in rows:
        if _startable(row):
            return (row.name,)
        if row.wanted and row.phase is not Phase.UP and not row.settled:
            return ()
    return ()


def _startable(row: Row) -> bool:
    return row.phase is Phase.DOWN and row.wanted and not row.waiting and not row.must_stop
