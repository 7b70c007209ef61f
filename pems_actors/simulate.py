"""A whole appliance against the twin on virtual time: the same actors, one thread, seeded.

The twin is stepped from outside like any plant: up to the next tick the appliance lives, then the
house moves on and says what it sees. Equal seeds give equal logs, byte for byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf

from pems_actors.domain.house import House
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S
from pems_actors.durable.memory import Memory
from pems_actors.economics.costs import CostTerms, settle
from pems_actors.economics.tariff import Tariff
from pems_actors.fault_table import (
    ClockStep,
    KillCore,
    Places,
    Strike,
    Suspend,
    Target,
    draw_strikes,
    read_strikes,
    row_named,
)
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.house import Appliance, Pace, Surroundings, actor_paths
from pems_actors.simulation.device_faults import DeviceFault
from pems_actors.simulation.energy_ledger import metered_rows
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.troubled_doors import (
    TroubledHouse,
    TroubledMarket,
    TroubledStore,
    TroubledWeather,
)
from pems_actors.simulation.troubles import Trouble, Troubles
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin
from pems_actors.simulation.twin_house import TwinHouse
from pems_actors.story_stage import StoryRuntime
from supervision import Event, Fault, FaultKind, NobodyThere
from supervision.events import HealthChanged

VIRTUAL_HEARTBEAT_S = 3600.0
VIRTUAL_PUBLISH_S = 900.0
FAULTS_PER_DAY = {"none": 0.0, "light": 4.0, "heavy": 48.0}
KILL = "kill-core"
RESTARTED_AFTER_S = 2.0
EPOCHS_PER_LIFE = 1000


@dataclass(frozen=True)
class Story:
    """What to simulate. `faults`: none, light, heavy, or names as `fault_table` reads them."""

    house: House
    tariff: Tariff
    start_s: float
    days: float
    seed: int = 0
    weather_shift_k: float = 0.0
    faults: str = "none"
    pace: Pace = field(
        default_factory=lambda: Pace(
            heartbeat_s=VIRTUAL_HEARTBEAT_S, publish_s=VIRTUAL_PUBLISH_S, demo=True
        )
    )
    armed: frozenset[str] | None = None


@dataclass
class Result:
    """What came of it: figures for machines, the log's hash, and the log if it was kept."""

    figures: dict[str, float | int | str]
    lines: list[str]


Observer = Callable[["Simulation"], None]


class Simulation:
    """One story being told. `run` tells it to the end; `run_until` as far as asked."""

    def __init__(
        self,
        story: Story,
        *,
        keep_log: bool = False,
        mqtt: MemoryMqtt | None = None,
        memory: Callable[[], Memory] = Memory,
    ) -> None:
        """Set the stage; `memory` opens what outlives a restart of the core.

        Raises: ValueError for a fault or a target that there is not.
        """
        self.story, self._memory, self._lives = story, memory, 1
        self.troubles = Troubles()
        self.runtime = StoryRuntime(story.seed, story.start_s, self.troubles)
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
        self.port = TroubledHouse(TwinHouse(self.twin), self.troubles, lambda: self.runtime.ahead_s)
        self.mqtt = MemoryMqtt() if mqtt is None else mqtt
        self.store = TroubledStore(MemoryHistory(), self.troubles)
        self.lines: list[str] = []
        self._digest = hashlib.sha256()
        self._keep_log = keep_log
        self.levels: dict[str, int] = {}
        self.level_s = [0.0] * 5
        self.listen: Callable[[Event], None] = _hear_nothing
        self.on_strike: Callable[[Strike, float], None] = _see_nothing
        self.on_birth: Callable[[Appliance], None] = _greet_nobody
        self.given_up: list[str] = []  # why a core ended by itself
        self.alive = True  # whether there is a core just now
        self.appliance = self._core()
        self.strikes = strikes_of(story)
        self._coming = [*self.strikes]
        self._ending: list[tuple[float, int, Strike]] = []

    def _core(self) -> Appliance:
        story = self.story
        return Appliance(
            story.house,
            story.tariff,
            self._surroundings(),
            story.pace,
            self.runtime,
            log=self._log,
            watch=self._watch,
            drills=True,
            first_epoch=1 + EPOCHS_PER_LIFE * (self._lives - 1),
        )

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            port=self.port,
            prices=TroubledMarket(self.scenario, self.troubles),
            weather=TroubledWeather(self.scenario, self.troubles),
            store=self.store,
            connect=self.mqtt.connect,
            armed=self.story.armed,
            memory=self._memory(),
        )

    def start(self) -> None:
        """Start the appliance and let the house say what it sees."""
        self.appliance.start()
        self.port.advance_to(self.story.start_s)

    def restart_core(self, away_s: float = 2.0) -> None:
        """Let the core die where it stands, and a new one come up after a while: as SIGKILL does.

        The house lives on meanwhile, unread. What the new core knows is what `memory` opens.
        """
        self._log(f"{self.runtime.now_s():.3f} core Killed away_s={away_s:g}")
        back_s = self.runtime.process_s() + away_s
        self._die()
        self.port.advance_to(back_s)
        self.runtime.run_until(back_s)
        self._be_born()
        self.port.advance_to(back_s)

    def _die(self) -> None:
        """Let the core be gone in the middle of everything: no farewell, and nobody hears it."""
        self.alive = False
        self.port.close()
        self.levels.clear()
        self.appliance.system.places.cut_off_all()
        self.runtime.close()

    def _be_born(self) -> None:
        """Start a new core now, with epochs above all before and what `memory` opens."""
        self._lives += 1
        before, seed = self.runtime, self.story.seed + 1_000_003 * self._lives
        self.runtime = StoryRuntime(seed, before.process_s(), self.troubles)
        self.runtime.ahead_s, self.runtime.slept_s = before.ahead_s, before.slept_s
        self.alive = True
        self.appliance = self._core()
        self.on_birth(self.appliance)
        self.appliance.start()

    def run_until(self, at_s: float, observe: Observer | None = None) -> None:
        """Go on to an instant of true time, tick by tick; `observe` looks after each one."""
        tick_s = self.story.pace.control_tick_s
        while (now_s := self.runtime.process_s()) < at_s:
            next_s = min(now_s + tick_s - (now_s - self.story.start_s) % tick_s, at_s)
            self._play_until(next_s)
            self.port.advance_to(self.runtime.process_s())
            self._count_levels(tick_s)
            if observe is not None:
                observe(self)

    def _play_until(self, at_s: float) -> None:
        """Let the appliance live, with whatever breaks and heals on the way."""
        while (due_s := self._next_turn_s()) <= at_s:
            self._go_on(due_s)
            self._turn(due_s)
        self._go_on(at_s)

    def _go_on(self, at_s: float) -> None:
        self.runtime.run_until(at_s)
        verdict = self.appliance.system.verdict
        if verdict is not None and self.alive:  # the guardian would start the process again
            self.given_up.append(verdict)
            self._begin(Strike(KILL, Target.CORE.value, 0.0, RESTARTED_AFTER_S), at_s)

    def run(self, observe: Observer | None = None) -> Result:
        """Tell the whole story and stop in order."""
        began = time.process_time()
        self.start()
        self.run_until(self.story.start_s + self.story.days * DAY_S, observe)
        if self.alive:
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
        if not self.alive:
            return
        self.listen(event)
        if not isinstance(event, HealthChanged) or event.level is None:
            return
        if event.path.startswith(("rooms/", "devices/battery")):
            self.levels[event.path] = event.level

    def _log(self, line: str) -> None:
        self._digest.update(line.encode())
        self._digest.update(b"\n")
        if self._keep_log:
            self.lines.append(line)

    # --- what breaks

    def _next_turn_s(self) -> float:
        begins = self.story.start_s + self._coming[0].after_s if self._coming else inf
        return min(begins, self._ending[0][0] if self._ending else inf)

    def _turn(self, now_s: float) -> None:
        """End what is over, then begin what is due."""
        while self._ending and self._ending[0][0] <= now_s:
            self._lift(heapq.heappop(self._ending)[2])
        while self._coming and self.story.start_s + self._coming[0].after_s <= now_s:
            self._begin(self._coming.pop(0), now_s)

    def _begin(self, strike: Strike, now_s: float) -> None:
        self.on_strike(strike, now_s)
        self._log(f"{now_s:.3f} {strike.target} Strike {strike.name} for {strike.lasts_s:g} s")
        self._strike(strike, now_s)

    def _strike(self, strike: Strike, now_s: float) -> None:
        """Let a fault begin, and note when it ends."""
        match row_named(strike.name).how:
            case Fault() as fault:
                system = self.appliance.system
                with contextlib.suppress(NobodyThere):  # it is down already
                    system.inject(strike.target, fault)
                    if fault.kind is FaultKind.CRASH_START:  # it waits for a start
                        system.restart(strike.target)
                return
            case DeviceFault() as fault:
                until_s = now_s + strike.lasts_s
                self.twin.fault(strike.target, replace(fault, until_s=until_s))
                return
            case Suspend():
                self.runtime.sleep(strike.lasts_s)
                self.twin.step_to(self.runtime.process_s())
                return
            case Trouble() as trouble:
                self.troubles.begin(trouble, strike.target)
                self._join_broker()
            case ClockStep(seconds):
                self.runtime.ahead_s += seconds
            case KillCore():
                if not self.alive:
                    return
                self._die()
        heapq.heappush(self._ending, (now_s + strike.lasts_s, len(self._coming), strike))

    def _lift(self, strike: Strike) -> None:
        """Let a fault end that does not end by itself."""
        match row_named(strike.name).how:
            case Trouble() as trouble:
                self.troubles.end(trouble, strike.target)
                self._join_broker()
            case ClockStep(seconds):
                self.runtime.ahead_s -= seconds
            case KillCore():
                self._be_born()

    def _join_broker(self) -> None:
        self.mqtt.up = not self.troubles.on(Trouble.BROKER_DOWN)


def _hear_nothing(_event: Event) -> None:
    """Listen to nobody."""


def _greet_nobody(_core: Appliance) -> None:
    """Greet nobody."""


def _see_nothing(_strike: Strike, _at_s: float) -> None:
    """Watch nothing."""


def places_of(story: Story) -> Places:
    """List what can be struck in a story."""
    planning = story.pace.planning
    return Places.of(story.house, actor_paths(story.house, planning=planning), planning=planning)


def strikes_of(story: Story) -> tuple[Strike, ...]:
    """Draw the seeded faults of a story, or read those that it names.

    Raises: ValueError for a fault or a target that there is not.
    """
    places = places_of(story)
    if story.faults not in FAULTS_PER_DAY:
        read = read_strikes(story.faults, places)
        return tuple(sorted(read, key=lambda strike: strike.after_s))
    rng = random.Random(f"faults {story.seed}")
    count = round(FAULTS_PER_DAY[story.faults] * story.days)
    return draw_strikes(rng, count, story.days * DAY_S, places)


def without_planner(story: Story) -> Story:
    """The same story with rules only."""
    return replace(story, pace=replace(story.pace, planning=False))
