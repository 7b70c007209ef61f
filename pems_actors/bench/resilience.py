"""`pems bench resilience`: kill the core at random moments, and see what the house notices.

A demo house runs in processes of its own; its twin and broker outlive each killed core, as a real
house does. Measured from SIGKILL until every room has decided again, and until a plan is in force.
Afterwards: no row that was committed is lost, no file is torn, and no relay was ordered about by
two lives of the core.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from pems_actors.bench.live_house import (
    LiveHouse,
    OrderTap,
    RelayOrder,
    Rows,
    committed_rows,
    cpu_s,
    history_is_whole,
    lost_rows,
    torn_files,
)
from pems_actors.bench.report import Target, report
from pems_actors.bench.supervision import quantile
from pems_actors.gateways.broker import free_port

KILLS, QUICK_KILLS = 20, 5
LONGEST_PAUSE_S = 3.0
EARLY_FRAC, EARLY_S = 0.2, 1.5  # one kill in five strikes a core that is just starting
SETTLED_S = 2.5  # a drilled guardian restarts at once what was well for two seconds
DWELL_S = 600.0
MAY_BREAK_DWELL = ("breaker", "overheat", "floor", "frost", "guard")
TARGETS = {
    "rules_live_s_p99": Target("<=", 2.0),
    "plan_s_p99": Target("<=", 10.0),
    "rows_lost": Target("<=", 0.0),
    "double_actuations": Target("<=", 0.0),
    "torn_snapshots": Target("<=", 0.0),
}


@dataclass(slots=True)
class Tally:
    """What was seen over all kills; times in seconds from the kill."""

    rules_live_s: list[float] = field(default_factory=list)
    rules_live_cpu_s: list[float] = field(default_factory=list)
    plan_s: list[float] = field(default_factory=list)
    deaths_s: list[float] = field(default_factory=list)  # house time
    rows_lost: int = 0
    torn: list[str] = field(default_factory=list)


def run(*, quick: bool = False, kills: int | None = None) -> dict[str, Any]:
    """Kill the core `kills` times; some seven seconds each.

    Returns: the report of architecture; p50, p99 and the longest of each time.
    Raises: TimeoutError if the house does not come back within a minute.
    """
    wanted = kills or (QUICK_KILLS if quick else KILLS)
    with tempfile.TemporaryDirectory(prefix="pems-bench-") as folder:
        house = LiveHouse(Path(folder), ("--drills", "--port", str(free_port())))
        try:
            return report("resilience", figures(house, wanted), TARGETS)
        finally:
            house.stop()


def figures(house: LiveHouse, kills: int) -> dict[str, Any]:
    """Start watching, kill, and count."""
    house.until("first plan in force", 120.0)
    tap = OrderTap(house.run_file["broker_port"])
    tally, rng = Tally(), random.Random("resilience")
    try:
        while len(tally.deaths_s) < kills:
            kill_once(house, tally, rng)
    finally:
        tap.close()
    contradicting = double_actuations(tap.orders, tally.deaths_s)
    whole = history_is_whole(house.state)
    return {
        "kills": len(tally.deaths_s),
        **_times("rules_live_s", tally.rules_live_s),
        **_times("rules_live_cpu_s", tally.rules_live_cpu_s),
        **_times("plan_s", tally.plan_s),
        "rows_lost": tally.rows_lost if whole else max(1, tally.rows_lost),
        "double_actuations": len(contradicting),
        "torn_snapshots": len(tally.torn),
        "relay_orders": len(tap.orders),
        "history_whole": whole,
    }


def _times(name: str, times: Sequence[float]) -> dict[str, float | None]:
    if not times:
        return {f"{name}_p50": None, f"{name}_p99": None, f"{name}_max": None}
    return {
        f"{name}_p50": quantile(times, 0.5),
        f"{name}_p99": quantile(times, 0.99),
        f"{name}_max": max(times),
    }


def kill_once(house: LiveHouse, tally: Tally, rng: random.Random) -> None:
    """Kill the core at a random moment, sometimes its successor too, and measure the return."""
    time.sleep(SETTLED_S + rng.uniform(0.0, LONGEST_PAUSE_S))  # the moment is what is drawn
    before = committed_rows(house.state)
    killed_s = _kill_core(house, tally)
    if rng.random() < EARLY_FRAC:
        time.sleep(rng.uniform(0.1, EARLY_S))
        before = _newer(before, committed_rows(house.state))
        killed_s = _kill_core(house, tally)
    live_s = house.rules_live()
    used_s = cpu_s(house.pid_of("core"))
    plan_s = house.plan_in_force()
    tally.rules_live_s.append(live_s - killed_s)
    tally.plan_s.append(plan_s - killed_s)
    if used_s is not None:
        tally.rules_live_cpu_s.append(used_s)
    tally.rows_lost += lost_rows(house.state, before)
    tally.torn += torn_files(house.state)


def _newer(one: Rows, other: Rows) -> Rows:
    return max(one, other, key=lambda rows: (rows.records, rows.samples))


def _kill_core(house: LiveHouse, tally: Tally) -> float:
    """Kill the core and wait until its successor's process is known; gives when it was killed."""
    since = len(house.lines)
    tally.deaths_s.append(house.house_s())
    killed_s = time.monotonic()
    os.kill(house.pid_of("core"), signal.SIGKILL)
    house.until(r"core: started \(pid", 60.0, since)
    return killed_s


def double_actuations(
    orders: Sequence[RelayOrder], deaths_s: Sequence[float], dwell_s: float = DWELL_S
) -> list[RelayOrder]:
    """Find the orders that two lives of the core contradict each other with.

    Args:
        orders: as they arrived at the broker.    deaths_s: when a core was killed (house time).
    Returns: orders of a dead life that came after the first one of the next life, and changes of a
        relay across a death that come sooner than its dwell allows without a limit that may.
    """
    found = []
    newest_s = float("-inf")
    for order in orders:
        if any(order.at_s < death_s < newest_s for death_s in deaths_s):
            found.append(order)
        newest_s = max(newest_s, order.at_s)
    for relay in {order.relay for order in orders}:
        found += _flips(_changes([o for o in orders if o.relay == relay]), deaths_s, dwell_s)
    return found


def _changes(orders: Sequence[RelayOrder]) -> list[RelayOrder]:
    """Give the first order to a relay and each that is another than the one before."""
    return [*orders[:1], *(after for before, after in pairwise(orders) if after.on != before.on)]


def _flips(
    changes: Sequence[RelayOrder], deaths_s: Sequence[float], dwell_s: float
) -> list[RelayOrder]:
    return [
        after
        for before, after in pairwise(changes)
        if after.at_s - before.at_s < dwell_s
        and any(before.at_s <= death_s <= after.at_s for death_s in deaths_s)
        and not after.reason.startswith(MAY_BREAK_DWELL)
    ]
