"""What a witness of the house can swear to: orders that passed, pictures, the truth, the tree.

Times are true time, never the core's clock. The judge of `laws` hears these in the order in which
they happened and nothing else: no actor, no rule, no plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pems_actors.domain.commands import DeviceCommand
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.readings import HouseReading


class Violation(NamedTuple):
    """A law that was broken: when, which, and how."""

    at_s: float
    invariant: str
    detail: str


class Wrote(NamedTuple):
    """A command that left the appliance. `reached` is False where the link lost it."""

    at_s: float
    command: DeviceCommand
    author: str
    epoch: int
    reached: bool = True


class Seen(NamedTuple):
    """A picture of the house as the appliance was given it."""

    at_s: float
    reading: HouseReading


class Truth(NamedTuple):
    """The house as it really is. `closed` are contacts, `stuck` relays that cannot obey."""

    at_s: float
    air_c: Mapping[str, float]
    surface_c: Mapping[str, float]  # of heated floors only
    closed: Mapping[str, bool]
    stuck: frozenset[str]
    blocked: bool
    soc_frac: float
    mode: BatteryMode
    deaf: bool  # the inverter hears no order
    grid_kw: float
    phase_kw: tuple[float, float, float]
    battery_kw: float
    drawing: frozenset[str] = frozenset()  # flexible loads that draw
    unheld: frozenset[str] = frozenset()  # flexible loads that nobody can hold back


class Turn(StrEnum):
    """What happens to the actor of a path."""

    READY = "ready"
    FAILED = "failed"
    HUNG = "hung"
    ENDED = "ended"
    PARKED = "parked"


class Life(NamedTuple):
    """An actor's life began or ended, as its supervisor tells it."""

    at_s: float
    path: str
    epoch: int
    turn: Turn


class Outage(NamedTuple):
    """An incident was opened or closed. `start_s`, `end_s` are as the incident itself says."""

    at_s: float
    path: str
    id: str
    start_s: float
    end_s: float | None  # None: it begins


class Asked(NamedTuple):
    """A person's order went in; `heard` is False where it could not be heard or answered."""

    at_s: float
    id: str
    heard: bool = True


class Told(NamedTuple):
    """An answer came out; `outcome` is done, rejected, failed, timeout or accepted."""

    at_s: float
    id: str
    outcome: str


class Beat(NamedTuple):
    """A heartbeat of the whole tree with its sequence number."""

    at_s: float
    sequence: int


class Broke(NamedTuple):
    """Something was broken on purpose, until an instant."""

    at_s: float
    target: str
    name: str
    until_s: float


class Kept(NamedTuple):
    """At the end: how many records the store acknowledged, and how many of them it still has."""

    at_s: float
    acknowledged: int
    found: int


class Counted(NamedTuple):
    """At the end: how many breaks of its dwell the owner of a relay has counted itself."""

    at_s: float
    relay: str
    breaks: int


Fact = Wrote | Seen | Truth | Life | Outage | Asked | Told | Beat | Broke | Kept | Counted
