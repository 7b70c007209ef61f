"""The whole appliance on virtual time, stepped by an outside plant: no broker, no clock, no thread.

One step: the newest prices and forecasts first; then the house is read a moment before the step's
time, so that a plan made of it is there when the step begins, as in a real house; at the step's
time everybody decides by it. A step is over when nobody has anything left to say.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from config import LoadedConfig, SystemConfig
from pems_actors.actors.base import ESTIMATOR, PLAN_KEEPER, PRICES, WEATHER
from pems_actors.actors.control import Server
from pems_actors.actors.mqtt import Connect
from pems_actors.appliance import Appliance
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.cosimulation.answer import answer
from pems_actors.cosimulation.feeds import GivenTariff, GivenWeather
from pems_actors.cosimulation.given_house import system_of
from pems_actors.cosimulation.nothing_kept import NothingKept
from pems_actors.cosimulation.observation import Observation, ObservationError, read_observation
from pems_actors.cosimulation.plant import PlantPort
from pems_actors.cosimulation.said import found_by, told_by, waits
from pems_actors.cosimulation.trusting_house import TrustingTree
from pems_actors.domain.events import PlanAdopted, Tick
from pems_actors.domain.findings import Finding
from pems_actors.domain.plan import Plan
from pems_actors.domain.ports import History
from pems_actors.domain.units import DAY_S, MINUTE_S, iso
from pems_actors.estimation.striking import sound_reading
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.topics import Topics
from pems_actors.surroundings import Pace, Surroundings
from supervision import Event, GetSnapshot, VirtualRuntime
from supervision.events import HealthChanged

SHORTEST_STEP_S, LONGEST_STEP_S = MINUTE_S, 15 * MINUTE_S
AGAIN_S = 1.0
READ_AHEAD_S = 3.0  # a plan that is asked for in this time is there when the step begins
BORN_AHEAD_S, FIRST_LOOK_S = 30.0, 25.0
NOTED = ("forecasting/weather", "forecasting/prices", "planning/planner")
SOUND = "running"


@dataclass(frozen=True)
class Doors:
    """Who may look on and give orders meanwhile; by default nobody."""

    connect: Connect = field(default_factory=lambda: MemoryMqtt().connect)
    server: Server | None = None
    history: History = field(default_factory=NothingKept)
    heartbeat_s: float = DAY_S


class CoSimulation:
    """One house controlled in step with a plant from outside.

    Args:
        config: a file or a preset's name, plain data as in such a file, or loaded settings; None
            is the configured house.
        seed: of the order in which actors that have something to do come to do it.
        planning: False leaves the house to its rules.
        inspected: let the house doubt sensors and relays that do not fit its thermal model, as
            far as that usually fits; False believes whatever the plant says.
        doors: connections for people who look on.
    Raises: ConfigError with every problem of the configuration.
    """

    def __init__(
        self,
        config: str | Path | Mapping[str, Any] | SystemConfig | LoadedConfig | None = None,
        *,
        seed: int = 0,
        planning: bool = True,
        inspected: bool = True,
        doors: Doors | None = None,
    ) -> None:
        system = system_of(config)
        house = house_from(system)
        # relays of one step switch together, so that pauses between them are the plant's business
        limits = replace(house.limits, start_gap_s=0.0)
        self.house = replace(house, limits=limits, loads=())  # nobody can tell of a load
        self.topics = Topics(system.topics.prefix)
        self.rooms = frozenset(room.name for room in house.rooms)
        self._tariff = GivenTariff.over(tariff_from(system))
        self._weather = GivenWeather()
        self._port = PlantPort(self.house)
        self._doors = doors or Doors()
        self._seed, self._inspected = seed, inspected
        self._pace = _pace(system, planning=planning, heartbeat_s=self._doors.heartbeat_s)
        self._notes = _without(load.name for load in house.loads)
        self._running: _Running | None = None
        self._last: tuple[Observation, dict[str, Any]] | None = None

    def step(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        """Take in what the plant sees and give what it is to do until its next step.

        Args:
            observation: `seq`, `time` (UTC) and what is known of `rooms` {name: {temp_c,
                relay_on}}, `outdoor_c`, `ghi_w_m2`, `pv_kw`, `base_load_kw`, `grid_kw`,
                `soc_frac`, `hdo_blocked`, `phase_kw`, `weather_forecast`, `prices` (all-in).
        Returns: see `answer.answer`. The same `seq` again gives the same answer.
        Raises: ObservationError with one sentence; nothing has changed then, and the next good
            observation goes on.
        """
        seen = read_observation(observation, self.rooms)
        if self._last is not None and seen.seq == self._last[0].seq:
            return copy.deepcopy(self._last[1])
        self._check_order(seen)
        running = self._running
        self._take_feeds(seen, running)
        if running is None:
            running = self._running = self._begin(seen)
        else:
            running.runtime.stand_still(seen.at_s - READ_AHEAD_S - running.runtime.now_s())
        self._live_through(running, seen)
        verdict = running.appliance.system.verdict
        if verdict is not None:
            raise RuntimeError(f"the appliance gave up: {verdict}; begin a new co-simulation")
        said, passed_s = told_by(running.appliance.system, self.house), self._passed_s(seen)
        notes = {**self._notes, **{found.path: found.reason for found in self.findings}}
        if seen.ignored:
            notes["observation"] = f"not known and ignored: {', '.join(seen.ignored)}"
        told = answer(self.house, self._port, said, notes, seen.at_s, passed_s)
        self._last = seen, told
        return copy.deepcopy(told)

    def between(self, action: Callable[[], object]) -> None:
        """Let somebody from outside do something between two steps, and those asked react."""
        action()
        if self._running is not None:
            self._running.settle()

    @property
    def begun(self) -> bool:
        """Whether the plant has spoken yet; before there is no time at which to live."""
        return self._running is not None

    @property
    def plan(self) -> Plan | None:
        """The plan in force, None where there is none."""
        if self._running is None or not self._pace.planning:
            return None
        held: PlanAdopted | None = self._running.appliance.system.ask(
            PLAN_KEEPER, GetSnapshot()
        ).state.adopted
        return None if held is None else held.plan

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with sensors and relays, as far as the house can tell."""
        return () if self._running is None else found_by(self._running.appliance.system)

    def close(self) -> None:
        """Stop the appliance; a next step, of any time, begins anew."""
        if self._running is not None:
            self._running.appliance.stop()
            self._running, self._last = None, None
            self._port = PlantPort(self.house)

    # --- one step

    def _check_order(self, seen: Observation) -> None:
        """Refuse what does not follow the step before. Raises: ObservationError."""
        if self._last is None:
            return
        before = self._last[0]
        if seen.seq < before.seq:
            raise ObservationError(f"seq is {seen.seq} after {before.seq}; it must rise")
        passed_s = seen.at_s - before.at_s
        if passed_s <= 0.0:
            raise ObservationError(
                f"time is {iso(seen.at_s)} after {iso(before.at_s)}; it must rise with seq"
            )
        if not SHORTEST_STEP_S <= passed_s <= LONGEST_STEP_S:
            raise ObservationError(
                f"{passed_s:g} s have passed since the last step; make steps of 1 to 15 min, "
                "or begin a new co-simulation"
            )

    def _passed_s(self, seen: Observation) -> float:
        """How long the last step was, as the next is likely to be."""
        return LONGEST_STEP_S if self._last is None else seen.at_s - self._last[0].at_s

    def _take_feeds(self, seen: Observation, running: _Running | None) -> None:
        """Hand on what is new of prices and weather, so that this step's plan counts with it."""
        new_prices = self._tariff.book.take(seen.prices, seen.at_s)
        new_weather = self._weather.take(seen.weather)
        if running is None:
            return
        if new_prices:
            running.appliance.system.tell(PRICES, Tick())
        if new_weather:
            running.appliance.system.tell(WEATHER, Tick())
        running.settle()

    def _begin(self, seen: Observation) -> _Running:
        """Start the appliance a little before the first step, and have it plan for that."""
        runtime = VirtualRuntime(self._seed, seen.at_s - BORN_AHEAD_S)
        appliance = Appliance(
            self.house, self._tariff, self._surroundings(), self._pace, runtime,
            topics=self.topics, watch=self._watch,
        )  # fmt: skip
        if not self._inspected:
            appliance.tree = TrustingTree.of(appliance.tree)
        appliance.start()
        runtime.run_until(seen.at_s - FIRST_LOOK_S)
        self._port.see(seen, runtime.now_s())
        first, _ = sound_reading(self._port.reading(runtime.now_s()))
        appliance.system.tell(ESTIMATOR, first)  # nobody else yet: rules would act without a plan
        runtime.run_until(seen.at_s - READ_AHEAD_S)
        return _Running(runtime, appliance)

    def _live_through(self, running: _Running, seen: Observation) -> None:
        """Read the house, plan, decide; then remember what the relays do from now on.

        Whoever found no power because others were still on is asked once more.
        """
        runtime, port = running.runtime, self._port
        port.see(seen, runtime.now_s())
        port.tell(runtime.now_s())
        runtime.run_until(seen.at_s)
        port.tell(seen.at_s)
        runtime.run_until(seen.at_s)
        if waits(running.appliance.system, self.house):
            again_s = seen.at_s + AGAIN_S
            runtime.run_until(again_s)
            port.tell(again_s)
            runtime.run_until(again_s)
        running.appliance.system.tell(ESTIMATOR, port.contacts(runtime.now_s()))
        running.settle()

    def _surroundings(self) -> Surroundings:
        doors = self._doors
        return Surroundings(
            port=self._port,
            prices=self._tariff.book,
            weather=self._weather,
            store=doors.history,
            connect=doors.connect,
            server=doors.server,
        )

    def _watch(self, event: Event) -> None:
        """Keep what forecasts and planner complain about."""
        if isinstance(event, HealthChanged) and event.path in NOTED:
            name = event.path.rpartition("/")[2]
            self._notes.pop(name, None)
            if event.state != SOUND:
                self._notes[name] = event.reason


@dataclass(frozen=True)
class _Running:
    """The appliance since the first step, and its time."""

    runtime: VirtualRuntime
    appliance: Appliance

    def settle(self) -> None:
        """Let everybody say what he has to say, at the same instant."""
        self.runtime.run_until_quiet()


def _without(loads: Iterable[str]) -> dict[str, str]:
    """Say which flexible loads of a house are not in its plans here."""
    names = ", ".join(loads)
    said = f"{names}: not planned, because a plant cannot tell of them; count them as base load"
    return {"loads": said} if names else {}


def _pace(system: SystemConfig, *, planning: bool, heartbeat_s: float) -> Pace:
    """Live at the plant's pace: its longest step is no silence, and native code answers at once."""
    usual = Pace()
    return Pace(
        control_tick_s=LONGEST_STEP_S,
        plan_every_s=float(system.system.optimization_interval_seconds),
        horizon_s=system.optimization.horizon_hours * 3600.0,
        heartbeat_s=heartbeat_s,
        publish_s=LONGEST_STEP_S,
        planning=planning,
        demo=True,
        solver=replace(usual.solver, virtual_latency_s=(0.0, 0.0)),
        trainer=replace(usual.trainer, virtual_latency_s=(0.0, 0.0)),
    )
