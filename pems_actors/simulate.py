"""A whole appliance against the twin on virtual time: the same actors, one thread, seeded.

The twin is stepped from outside like any plant: up to the next tick the appliance lives, then the
house moves on and says what it sees. Equal seeds give equal logs, byte for byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pems_actors.domain.house import House
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S
from pems_actors.economics.costs import CostTerms, settle
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.house import Appliance, Pace, Surroundings, actor_paths
from pems_actors.simulation.energy_ledger import metered_rows
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin
from pems_actors.simulation.twin_house import TwinHouse
from supervision import Event, Fault, NobodyThere, VirtualRuntime
from supervision.events import HealthChanged

VIRTUAL_HEARTBEAT_S = 900.0
FAULTS_PER_DAY = {"none": 0.0, "light": 4.0, "heavy": 48.0}
RANDOM_FAULTS = ("crash", "crash-base", "hang", "slow")


@dataclass(frozen=True)
class Story:
    """What to simulate. `planner_dies_s`, after the start, stops planning for good."""

    house: House
    tariff: Tariff
    start_s: float
    days: float
    seed: int = 0
    weather_shift_k: float = 0.0
    faults: str = "none"
    pace: Pace = field(default_factory=lambda: Pace(heartbeat_s=VIRTUAL_HEARTBEAT_S, demo=True))
    armed: frozenset[str] | None = None


@dataclass
class Result:
    """What came of it: figures for machines, the log's hash, and the log if it was kept."""

    figures: dict[str, float | int | str]
    lines: list[str]


Observer = Callable[["Simulation"], None]


class Simulation:
    """One story being told. `run` tells it to the end; `run_until` as far as asked."""

    def __init__(self, story: Story, *, keep_log: bool = False) -> None:
        self.story = story
        self.runtime = VirtualRuntime(seed=story.seed, start_s=story.start_s)
        self.scenario = Scenario.reference(
            story.house,
            story.start_s,
            story.days,
            weather_shift_k=story.weather_shift_k,
            seed=story.seed,
        )
        self.twin = Twin(
            story.house,
            true_model(story.house.model, story.seed),
            self.scenario,
            story.tariff.blocked,
            story.start_s,
            story.seed,
        )
        self.port = TwinHouse(self.twin)
        self.mqtt = MemoryMqtt()
        self.lines: list[str] = []
        self._digest = hashlib.sha256()
        self._keep_log = keep_log
        self.levels: dict[str, int] = {}
        self.level_s = [0.0] * 5
        self.appliance = Appliance(
            story.house,
            story.tariff,
            self._surroundings(),
            story.pace,
            self.runtime,
            log=self._log,
            watch=self._watch,
            drills=True,
        )
        self._faults = _fault_times(story)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            port=self.port,
            prices=self.scenario,
            weather=self.scenario,
            store=MemoryHistory(),
            connect=self.mqtt.connect,
            armed=self.story.armed,
        )

    def start(self) -> None:
        """Start the appliance and let the house say what it sees."""
        self.appliance.start()
        self.port.advance_to(self.story.start_s)

    def run_until(self, at_s: float, observe: Observer | None = None) -> None:
        """Go on to an instant, tick by tick; `observe` looks after each one."""
        tick_s = self.story.pace.control_tick_s
        while self.runtime.now_s() < at_s:
            now_s = min(self.runtime.now_s() + tick_s, at_s)
            self.runtime.run_until(now_s)
            self._inject(now_s)
            self.port.advance_to(now_s)
            self._count_levels(tick_s)
            if observe is not None:
                observe(self)
        self.runtime.run_until(at_s)

    def run(self, observe: Observer | None = None) -> Result:
        """Tell the whole story and stop in order."""
        began = time.process_time()
        self.start()
        self.run_until(self.story.start_s + self.story.days * DAY_S, observe)
        self.appliance.stop()
        return self.result(time.process_time() - began)

    def result(self, cpu_s: float) -> Result:
        """Collect the figures of `pems simulate --json`."""
        figures: dict[str, float | int | str] = {
            "cost": round(self._cost().total, 4),
            "currency": self.story.tariff.currency,
            "energy_kwh": round(self.twin.figures()["import_kwh"], 3),
            **{name: round(value, 4) for name, value in self.twin.figures().items()},
            "wall_s": round(cpu_s, 3),
            "plans": self.mqtt.count("pems/plan"),
            **{f"level_h_{n}": round(s / 3600.0, 2) for n, s in enumerate(self.level_s)},
            "restarts": self.appliance.system.counters().get("restarts", 0),
            "log_sha256": self._digest.hexdigest(),
        }
        return Result(figures, self.lines)

    def _cost(self) -> CostTerms:
        """Settle what the twin's meters counted."""
        story, ledger = self.story, self.twin.ledger
        ledger.close()
        edges = [row.start_s for row in ledger.rows]
        grid = TimeGrid((*edges, edges[-1] + ledger.rows[-1].duration_s))
        rows = metered_rows(ledger.rows, self.scenario.traded_eur_mwh(grid), story.tariff.netting)
        starts = sum(
            self.twin.starts[relay.name] * relay.start_cost for relay in story.house.relays
        )
        return settle(rows, story.tariff, story.house.battery.wear_per_kwh, starts)

    def _count_levels(self, tick_s: float) -> None:
        """Hours of the house at each level: the mean over rooms and battery."""
        for level in self.levels.values():
            self.level_s[level] += tick_s / len(self.levels)

    def _watch(self, event: Event) -> None:
        """Keep the level of each room and of the battery, as they say it."""
        if not isinstance(event, HealthChanged) or event.level is None:
            return
        if event.path.startswith(("rooms/", "devices/battery")):
            self.levels[event.path] = event.level

    def _log(self, line: str) -> None:
        self._digest.update(line.encode())
        self._digest.update(b"\n")
        if self._keep_log:
            self.lines.append(line)

    def _inject(self, now_s: float) -> None:
        while self._faults and self._faults[0][0] <= now_s:
            _, path, fault = self._faults.pop(0)
            with contextlib.suppress(NobodyThere):  # it is down already
                self.appliance.system.inject(path, fault)


def _fault_times(story: Story) -> list[tuple[float, str, Fault]]:
    """Draw the seeded faults of a story, or read `NAME@PATH` pairs (first hour, one an hour)."""
    paths = sorted(actor_paths(story.house, planning=story.pace.planning))
    if story.faults in FAULTS_PER_DAY:
        rng = random.Random(f"faults {story.seed}")
        count = round(FAULTS_PER_DAY[story.faults] * story.days)
        times = sorted(rng.uniform(0.0, story.days * DAY_S) for _ in range(count))
        return [
            (story.start_s + t, rng.choice(paths), Fault.named(rng.choice(RANDOM_FAULTS)))
            for t in times
        ]
    drawn: list[tuple[float, str, Fault]] = []
    for hour, text in enumerate(story.faults.split(","), start=1):
        name, _, path = text.partition("@")
        target = path or "planning/planner"
        if target not in paths:
            raise ValueError(f"fault {text!r}: there is no {target!r}; see pems status")
        drawn.append((story.start_s + hour * 3600.0, target, Fault.named(name)))
    return drawn


def without_planner(story: Story) -> Story:
    """The same story with rules only."""
    return replace(story, pace=replace(story.pace, planning=False))
