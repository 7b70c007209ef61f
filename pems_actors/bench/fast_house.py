"""A whole appliance on real threads that lives a day in half a minute, while things break.

Production's runtime, store and snapshots before a twin in the same process. What breaks is drawn
by a seed from the fault table: actors, devices, doors, and the solver's process. Left out is what
strikes the clock or the whole process, for the process is what is looked at here.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import config
from pems_actors.appliance import Appliance
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.house import House
from pems_actors.domain.units import DAY_S, seconds
from pems_actors.durable.background import Background
from pems_actors.durable.memory import Memory
from pems_actors.fault_table import Places, Strike, Target, possible_rows, row_named, strike_of
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.sqlite_history import SqliteHistory
from pems_actors.house import actor_paths
from pems_actors.simulation.device_faults import DeviceFault
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
from pems_actors.surroundings import Pace, Surroundings
from supervision import Fault, FaultKind, HouseClock, NobodyThere, ThreadRuntime

DAY_TAKES_S = 30.0
SPEED = DAY_S / DAY_TAKES_S
START_S = seconds("2023-01-16T05:00:00Z")
TICK_S = 60.0
STALL_S = 3.0  # process time: longer than any deadline of two seconds
PARKS = "crash-loop"  # an actor rests for five minutes of process time, which are ten days here
KILL_SOLVER = Strike("kill", Target.SOLVER.value, 0.0)
STALLS = frozenset({FaultKind.HANG, FaultKind.SPIN})


class FastHouse:
    """One house at `SPEED`. `step` does what is due; call it as often as there is a tick."""

    def __init__(self, folder: Path, days: float, faults_per_day: float, seed: int = 0) -> None:
        system = config.load(env={}).system
        house, tariff = house_from(system), tariff_from(system)
        scenario = Scenario.reference(house, START_S, days + 4.0, seed=seed)
        self._twin = Twin(
            house, true_model(house.model, seed), scenario, tariff.blocked, START_S, seed
        )
        self._troubles, self.mqtt = Troubles(), MemoryMqtt()
        self._port = TroubledHouse(TwinHouse(self._twin), self._troubles, float)
        self._coming = list(strikes(house, days, faults_per_day, seed))
        self._ending: list[tuple[float, str, Strike]] = []
        self.struck = 0
        self.clock = HouseClock.starting_at(START_S, SPEED)
        surroundings = Surroundings(
            port=self._port,
            prices=TroubledMarket(scenario, self._troubles),
            weather=TroubledWeather(scenario, self._troubles),
            store=TroubledStore(SqliteHistory(folder / "history.sqlite"), self._troubles),
            connect=self.mqtt.connect,
            memory=_memory(folder, house),
        )
        self.appliance = Appliance(
            house, tariff, surroundings, Pace(demo=True), ThreadRuntime(self.clock), drills=True
        )

    def start(self) -> None:
        """Start the appliance, and let the house say what it sees."""
        self.appliance.start()
        self._port.advance_to(self.clock.now_s())

    def day(self) -> float:
        """Tell how many days have passed."""
        return (self.clock.now_s() - START_S) / DAY_S

    def step(self) -> None:
        """Break and mend what is due, let the house live until now, and wait for the next tick."""
        now_s = self.clock.now_s()
        while self._ending and self._ending[0][0] <= now_s:
            self._lift(heapq.heappop(self._ending)[2])
        while self._coming and START_S + self._coming[0].after_s <= now_s:
            self._strike(self._coming.pop(0), now_s)
        self._port.advance_to(now_s)
        left_s = TICK_S - (self.clock.now_s() - START_S) % TICK_S
        time.sleep(self.clock.process_delay_s(left_s))

    def stop(self) -> None:
        """Stop the appliance in order."""
        self.appliance.stop()

    # --- what breaks

    def _strike(self, strike: Strike, now_s: float) -> None:
        self.struck += 1
        if strike == replace(KILL_SOLVER, after_s=strike.after_s):
            self._kill_solver()
            return
        match row_named(strike.name).how:
            case Fault() as fault:
                self._strike_actor(strike.target, fault)
            case DeviceFault() as fault:
                self._twin.fault(strike.target, replace(fault, until_s=now_s + strike.lasts_s))
            case Trouble() as trouble:
                self._troubles.begin(trouble, strike.target)
                self._join_broker()
                heapq.heappush(self._ending, (now_s + strike.lasts_s, str(strike), strike))

    def _strike_actor(self, path: str, fault: Fault) -> None:
        stalls = fault.kind in STALLS
        with contextlib.suppress(NobodyThere):  # it is down already
            self.appliance.system.inject(path, replace(fault, seconds=STALL_S) if stalls else fault)
            if fault.kind is FaultKind.CRASH_START:  # it waits for a start
                self.appliance.system.restart(path)

    def _kill_solver(self) -> None:
        solver = self.appliance.system.workers().get(Target.SOLVER.value)
        if solver is not None and solver.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(solver.pid, signal.SIGKILL)

    def _lift(self, strike: Strike) -> None:
        trouble = row_named(strike.name).how
        if isinstance(trouble, Trouble):
            self._troubles.end(trouble, strike.target)
            self._join_broker()

    def _join_broker(self) -> None:
        self.mqtt.up = not self._troubles.on(Trouble.BROKER_DOWN)


def strikes(house: House, days: float, faults_per_day: float, seed: int) -> Sequence[Strike]:
    """Draw what breaks, and when; one in twelve kills the solver's process."""
    rng = random.Random(f"soak live {seed}")
    places = Places.of(house, actor_paths(house), planning=True)
    rows = [
        row
        for row in possible_rows(places)
        if isinstance(row.how, Fault | DeviceFault | Trouble)
        and row.target is not Target.SOLVER
        and row.name != PARKS
    ]
    drawn = []
    for _ in range(round(days * faults_per_day)):
        after_s = rng.uniform(600.0, days * DAY_S)
        if rng.random() < 1.0 / 12.0:
            drawn.append(replace(KILL_SOLVER, after_s=after_s))
        else:
            drawn.append(strike_of(rng, rng.choice(rows), after_s, places))
    return sorted(drawn, key=lambda strike: strike.after_s)


def _memory(folder: Path, house: House) -> Memory:
    devices = (*(f"relay/{relay.name}" for relay in house.relays), "battery", "inverter")
    return Memory.on_disk(folder, devices, Background("snapshots"))
