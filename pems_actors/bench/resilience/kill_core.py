"""The core is killed at random moments while people keep the house busy.

Twin and broker outlive each killed core, as a real house does. Measured from SIGKILL until every
room has decided again, until a plan is in force, and until a new one is made. Afterwards: no row
that was committed is lost, no file is torn, and no relay was ordered about by two lives.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pems_actors.bench.live_house import LiveHouse
from pems_actors.bench.live_traces import (
    OrderTap,
    RelayOrder,
    Rows,
    committed_rows,
    cpu_s,
    history_is_whole,
    lost_rows,
    torn_files,
)
from pems_actors.bench.report import Target
from pems_actors.bench.resilience.extent import Extent
from pems_actors.bench.resilience.two_lives import double_actuations
from pems_actors.bench.supervision import quantile
from pems_actors.gateways.broker import free_port

LONGEST_PAUSE_S = 3.0
EARLY_FRAC, EARLY_S = 0.2, 1.5  # one kill in five strikes a core that is just starting
SETTLED_S = 2.5  # a drilled guardian restarts at once what was well for two seconds
ORDER_EVERY_S = 0.1
SHOWN_ORDERS = 4
TARGETS = {
    "rules_live_s_p99": Target("<=", 2.0),
    "plan_s_p99": Target("<=", 10.0),
    "new_plan_s_p99": Target("<=", 10.0),
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
    new_plan_s: list[float] = field(default_factory=list)
    deaths_s: list[float] = field(default_factory=list)  # house time
    rows_lost: int = 0
    torn: list[str] = field(default_factory=list)


class Household:
    """People who never leave the house alone: orders and questions, ten in a second."""

    def __init__(self, house: LiveHouse, seed: str = "household") -> None:
        self.answered = 0
        self._house, self._rng = house, random.Random(seed)
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._live, name="household", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        rooms = self._house.rooms()
        while not self._gone.wait(ORDER_EVERY_S):
            self.answered += self._one_wish(f"rooms/{self._rng.choice(rooms)}") is not None

    def _one_wish(self, room: str) -> object:
        match self._rng.randrange(5):
            case 0:
                return self._house.ask("boost", {"for": "30m"}, room)
            case 1:
                return self._house.ask("override", {"temp_c": 23, "for": "1h"}, room)
            case 2:
                return self._house.ask("release", path=room)
            case 3:
                return self._house.ask("replan", path="planning/planner")
            case _:
                return self._house.ask("status")

    def leave(self) -> None:
        """Ask nothing any more."""
        self._gone.set()
        self._thread.join()


def run(folder: Path, extent: Extent) -> dict[str, Any]:
    """Start a house of its own and kill its core."""
    house = LiveHouse(folder, ("--drills", "--port", str(free_port())))
    try:
        return figures(house, extent.kills)
    finally:
        house.stop()


def figures(house: LiveHouse, kills: int) -> dict[str, Any]:
    """Start watching, kill, and count.

    Raises: TimeoutError if the house does not come back within a minute.
    """
    house.until("first plan in force", 120.0)
    tap, people = OrderTap(house.run_file["broker_port"]), Household(house)
    tally, rng = Tally(), random.Random("resilience")
    try:
        while len(tally.deaths_s) < kills:
            kill_once(house, tally, rng)
    finally:
        people.leave()
        tap.close()
    whole = history_is_whole(house.state)
    doubled = double_actuations(tap.orders, tally.deaths_s)
    return {
        "kills": len(tally.deaths_s),
        **_times("rules_live_s", tally.rules_live_s),
        **_times("rules_live_cpu_s", tally.rules_live_cpu_s),
        **_times("plan_s", tally.plan_s),
        **_times("new_plan_s", tally.new_plan_s),
        "rows_lost": tally.rows_lost if whole else max(1, tally.rows_lost),
        "double_actuations": len(doubled),
        "double_actuations_were": [_told(order, tap.orders, tally.deaths_s) for order in doubled],
        "torn_snapshots": len(tally.torn),
        "relay_orders": len(tap.orders),
        "orders_answered": people.answered,
        "history_whole": whole,
    }


def _told(
    order: RelayOrder, orders: Sequence[RelayOrder], deaths_s: Sequence[float]
) -> dict[str, Any]:
    """Show an order among those to its relay and the deaths around it; times before it [s]."""
    own = [each for each in orders if each.relay == order.relay and each.at_s <= order.at_s]
    return {
        "relay": order.relay,
        "orders": [
            [round(each.at_s - order.at_s, 1), each.on, each.reason] for each in own[-SHOWN_ORDERS:]
        ],
        "deaths": [round(at_s - order.at_s, 1) for at_s in deaths_s if at_s <= order.at_s][-2:],
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
    tally.rules_live_s.append(live_s - killed_s)
    tally.plan_s.append(house.plan_in_force() - killed_s)
    tally.new_plan_s.append(house.new_plan(killed_s) - killed_s)
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
