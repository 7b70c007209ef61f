"""The appliance on virtual time before a plant that is stepped from outside, with all that breaks.

Up to the next tick the appliance lives, then the plant moves on and says what it sees. A core can
die and be born again; faults begin and end at their instants of true time.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from math import inf
from typing import Any

from pems_actors.appliance import Appliance
from pems_actors.domain.ports import History, PriceSource, WeatherSource
from pems_actors.durable.memory import Memory
from pems_actors.fault_table import (
    ClockStep,
    KillCore,
    Strike,
    Suspend,
    Target,
    row_named,
)
from pems_actors.gateways.memory_history import MemoryHistory
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.simulate.story import Story, strikes_of
from pems_actors.simulation.device_faults import DeviceFault
from pems_actors.simulation.troubled_doors import (
    TroubledHouse,
    TroubledMarket,
    TroubledStore,
    TroubledWeather,
)
from pems_actors.simulation.troubles import Trouble, Troubles
from pems_actors.simulation.twin_house import Plant, TwinHouse
from pems_actors.story_stage import StoryRuntime
from pems_actors.surroundings import Surroundings
from supervision import Event, Fault, FaultKind, NobodyThere
from supervision.events import HealthChanged

KILL = "kill-core"
RESTARTED_AFTER_S = 2.0
EPOCHS_PER_LIFE = 1000


class Performance:
    """One story being told before a plant; `run_until` tells it as far as asked."""

    def __init__(
        self,
        story: Story,
        plant: Plant,
        prices: PriceSource,
        weather: WeatherSource,
        *,
        keep_log: bool = False,
        mqtt: MemoryMqtt | None = None,
        memory: Callable[[], Memory] | None = None,
        history: History | None = None,
    ) -> None:
        """Set the stage.

        memory: opens what outlives a restart of the core; None: one memory for the whole story.
        history: where rows are kept; None: all of them in memory.

        Raises: ValueError for a fault or a target that there is not.
        """
        self.story, self.plant, self._sources = story, plant, (prices, weather)
        self._memory, self._lives = memory or partial(_same, Memory()), 1
        self.troubles = Troubles()
        self.runtime = StoryRuntime(story.seed, story.start_s, self.troubles)
        self.port = TroubledHouse(TwinHouse(plant), self.troubles, lambda: self.runtime.ahead_s)
        self.mqtt = MemoryMqtt() if mqtt is None else mqtt
        self.store = TroubledStore(history or MemoryHistory(), self.troubles)
        self.lines: list[str] = []
        self._digest = hashlib.sha256()
        self._keep_log = keep_log
        self.levels: dict[str, int] = {}
        self._level_counts: Counter[int] = Counter()  # how many stand at each
        self.level_s = [0.0] * 5
        self.listen: Callable[[Event], None] = _hear_nothing
        self.on_strike: Callable[[Strike, float], None] = _see_nothing
        self.on_birth: Callable[[Appliance], None] = _greet_nobody
        self.given_up: list[str] = []  # why a core ended by itself
        self._counted: Counter[str] = Counter()  # by cores that are no more
        self.alive = True  # whether there is a core just now
        self.appliance = self._core()
        self.strikes = strikes_of(story)
        self._coming = [*self.strikes]
        self._ending: list[tuple[float, int, Strike]] = []
        self._numbers = count()

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
        prices, weather = self._sources
        return Surroundings(
            port=self.port,
            prices=TroubledMarket(prices, self.troubles),
            weather=TroubledWeather(weather, self.troubles),
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
        self._level_counts.clear()
        self.appliance.system.places.cut_off_all()
        self.runtime.close()

    def _be_born(self) -> None:
        """Start a new core now, with epochs above all before and what `memory` opens."""
        self._lives += 1
        before, seed = self.runtime, self.story.seed + 1_000_003 * self._lives
        self.runtime = StoryRuntime(seed, before.process_s(), self.troubles)
        self.runtime.ahead_s, self.runtime.slept_s = before.ahead_s, before.slept_s
        self.alive = True
        self._counted = self.counters()
        self.appliance = self._core()
        self.on_birth(self.appliance)
        self.appliance.start()

    def counters(self) -> Counter[str]:
        """Count what happened in the tree, over all lives of the core."""
        return self._counted + Counter(self.appliance.system.counters())

    def run_until(self, at_s: float, observe: Callable[[Any], object] | None = None) -> None:
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
        """Let the appliance live, with whatever breaks and heals on the way.

        What comes due while the computer sleeps begins when it wakes.
        """
        while (due_s := self._next_turn_s()) <= at_s:
            self._go_on(due_s)
            self._turn(max(due_s, self.runtime.process_s()))
        self._go_on(at_s)

    def _go_on(self, at_s: float) -> None:
        self.runtime.run_until(at_s)
        verdict = self.appliance.system.verdict
        if verdict is not None and self.alive:  # the guardian would start the process again
            self.given_up.append(verdict)
            self._begin(Strike(KILL, Target.CORE.value, 0.0, RESTARTED_AFTER_S), at_s)

    def _count_levels(self, tick_s: float) -> None:
        """Hours of the house at each level: the mean over rooms and battery."""
        for level, standing in self._level_counts.items():
            self.level_s[level] += tick_s * standing / len(self.levels)

    def _watch(self, event: Event) -> None:
        """Keep the level of each room and of the battery, as they say it."""
        if not self.alive:
            return
        self.listen(event)
        if not isinstance(event, HealthChanged) or event.level is None:
            return
        if event.path.startswith(("rooms/", "devices/battery")):
            self.levels[event.path] = event.level
            self._level_counts = Counter(self.levels.values())

    def _log(self, line: str) -> None:
        self._digest.update(f"{line}\n".encode())
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
                self.plant.fault(strike.target, replace(fault, until_s=until_s))
                return
            case Suspend():
                self.runtime.sleep(strike.lasts_s)
                self.plant.step_to(self.runtime.process_s())
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
        heapq.heappush(self._ending, (now_s + strike.lasts_s, next(self._numbers), strike))

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


def _same(memory: Memory) -> Memory:
    """Open the same memory in each life."""
    return memory


def _hear_nothing(_event: Event) -> None:
    """Listen to nobody."""


def _greet_nobody(_core: Appliance) -> None:
    """Greet nobody."""


def _see_nothing(_strike: Strike, _at_s: float) -> None:
    """Watch nothing."""
