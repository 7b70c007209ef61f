"""What two lives of the core must not do to a relay between them. Pure.

A renewal says the same again and switches nothing, so it is never counted by itself. Counted are
orders of a dead life that arrive after the next one has begun to order, the same order twice in
quick succession across a death, and a switch back and forth across a death within the dwell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pems_actors.bench.live_traces import RelayOrder

DWELL_S = 600.0
SOON_S = 60.0  # a lease is renewed after five minutes; the same again so soon is a repetition
# Limits that any life may break a dwell for; a tariff's contact has cut the heat by itself.
MAY_BREAK_DWELL = ("breaker", "overheat", "floor", "frost", "guard", "tariff")


def double_actuations(
    orders: Sequence[RelayOrder], deaths_s: Sequence[float], dwell_s: float = DWELL_S
) -> list[RelayOrder]:
    """Find the orders with which two lives of the core contradict or repeat each other.

    Args:
        orders: as they arrived at the broker.    deaths_s: when a core was killed (house time).
    """
    found = _from_the_dead(orders, deaths_s)
    for relay in sorted({order.relay for order in orders}):
        own = [order for order in orders if order.relay == relay]
        found += _repeated(own, deaths_s)
        found += _flips(_switches(own), deaths_s, dwell_s)
    return found


def _from_the_dead(orders: Sequence[RelayOrder], deaths_s: Sequence[float]) -> list[RelayOrder]:
    found = []
    newest_s = float("-inf")
    for order in orders:
        if any(order.at_s < death_s < newest_s for death_s in deaths_s):
            found.append(order)
        newest_s = max(newest_s, order.at_s)
    return found


def _repeated(own: Sequence[RelayOrder], deaths_s: Sequence[float]) -> list[RelayOrder]:
    """Find switches that the next life gives again although the relay has them."""
    return [
        again
        for (before, switch), again in zip(pairwise(own), own[2:], strict=False)
        if before.on != switch.on == again.on
        and again.at_s - switch.at_s < SOON_S
        and _death_between(switch, again, deaths_s)
    ]


def _switches(own: Sequence[RelayOrder]) -> list[RelayOrder]:
    """Give each order that is another than the one before; the first heard tells only a state."""
    return [after for before, after in pairwise(own) if after.on != before.on]


def _flips(
    switches: Sequence[RelayOrder], deaths_s: Sequence[float], dwell_s: float
) -> list[RelayOrder]:
    return [
        back
        for switch, back in pairwise(switches)
        if back.at_s - switch.at_s < dwell_s
        and _death_between(switch, back, deaths_s)
        and not back.reason.startswith(MAY_BREAK_DWELL)
    ]


def _death_between(one: RelayOrder, other: RelayOrder, deaths_s: Sequence[float]) -> bool:
    return any(one.at_s <= death_s <= other.at_s for death_s in deaths_s)
