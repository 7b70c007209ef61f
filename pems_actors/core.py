"""The core process: opens the doors of one house, runs its tree on threads, tells how it goes.

Started by the guardian; runs alone as well. Control is live before anything that may be slow:
broker, database, prices and weather are optional at the start. The main thread pings the guardian
only while the tree is sound. At an orderly end the devices are brought into their safe state; at
a restart (SIGUSR2) they keep their leases and the next core adopts them as it finds them.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import config
from config.loading import LoadedConfig
from pems_actors import safe_state
from pems_actors.actors.base import GATEWAY, PLAN_KEEPER
from pems_actors.actors.learner_school import Learning
from pems_actors.appliance import Appliance
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.doors import Doors
from pems_actors.durable.memory import Phase, StateProblem
from pems_actors.gateways.control_socket import AlreadyRunningError
from pems_actors.gateways.devices_lock import DevicesTakenError
from pems_actors.surroundings import SOLVER, Pace
from supervision import (
    AskTimeout,
    GetSnapshot,
    HouseClock,
    NobodyThere,
    ThreadRuntime,
)
from supervision.guardian_link import GuardianLink
from supervision.leak_watch import LeakWatch, MemoryLimits
from supervision.own_memory import rss_mb
from supervision.soundness import Soundness, Vital
from supervision.worker_spec import WorkerSpec

LOOK_EVERY_S = 0.25
SWITCH_INTERVAL_S = 0.001  # a busy thread must not keep a successor waiting for its turn
PING_EVERY_S = 2.0
SILENT_TICKS = 3.0  # the gateway beats by itself when the house says nothing for 2.5
SHORTEST_SILENCE_S = 10.0  # of process time, however fast house time runs
STOP_WITHIN_S = 5.0
DEAF_S = 40.0  # a main thread that stands still for this long ends the process, guardian or not
MEMORY = MemoryLimits()
MODELS_FOLDER = "models"


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line that the guardian gives."""
    parser = argparse.ArgumentParser(prog="python -m pems_actors.core", description=__doc__)
    parser.add_argument("--config")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--house", choices=("twin", "mqtt"), default="mqtt")
    parser.add_argument("--broker", default="127.0.0.1:1883", help="host:port")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--origin-wall", type=float, default=0.0, help="wall time of the origin")
    parser.add_argument("--origin-house", type=float, help="house time of the origin")
    parser.add_argument("--start", help="where the twin's scenario begins, ISO 8601")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weather-shift-k", type=float, default=0.0)
    parser.add_argument("--advisory", action="store_true")
    parser.add_argument("--drills", action="store_true")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, solver: WorkerSpec = SOLVER) -> int:
    """Run the core until it is told to stop.

    Returns: 0 after an order to stop, 1 when the tree gave up, 2 when it could not begin.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    link = GuardianLink.from_env(parent_death_signal=signal.SIGTERM)  # it still has to tidy up
    options = parse(sys.argv[1:] if argv is None else argv)
    began_s = time.monotonic()
    try:
        loaded, problems = config.load_or_last_good(options.config, options.state)
        core = Core(options, loaded, solver)
        core.hear_signals()  # before `ready`: an order to stop may follow at once
        core.appliance.start()
        core.settle_configuration(problems)
    except DevicesTakenError as problem:  # that ends; the guardian tries again
        print(problem, file=sys.stderr)
        return 1
    except (config.ConfigError, AlreadyRunningError, OSError) as problem:
        print(problem, file=sys.stderr)
        link.bye()
        return 2
    say(f"control live after {time.monotonic() - began_s:.1f} s")
    link.ready()
    return core.run(link, began_s)


def say(line: str) -> None:
    """Print a line at once; a closed terminal ends nobody."""
    with contextlib.suppress(OSError, ValueError):
        print(f"pems: {line}", flush=True)


class Core:
    """The appliance with real doors, and the main thread that looks after it."""

    def __init__(
        self, options: argparse.Namespace, loaded: LoadedConfig, solver: WorkerSpec = SOLVER
    ) -> None:
        self.options, self.loaded = options, loaded
        options.state.mkdir(parents=True, exist_ok=True)
        self.house = house_from(loaded.system)
        self.tariff = tariff_from(loaded.system)
        self.clock = _clock(options)
        self.first_plan = False
        self.stop = threading.Event()
        self.restart = False
        self.memory, self._leaking = LeakWatch(MEMORY, time.monotonic()), False
        self.doors = Doors(options, loaded, self.house, self.clock, say)
        system = loaded.system.system
        self.appliance = Appliance(
            self.house,
            self.tariff,
            self.doors.open(),
            Pace(
                control_tick_s=float(system.control_interval_seconds),
                plan_every_s=float(system.optimization_interval_seconds),
                horizon_s=loaded.system.optimization.horizon_hours * 3600.0,
                demo=options.house == "twin",
                solver=solver,
                learning=Learning(options.state / MODELS_FOLDER),
            ),
            ThreadRuntime(self.clock),
            topics=self.doors.topics,
            drills=options.drills,
            first_epoch=self.doors.begin_life(),
        )

    def run(self, link: GuardianLink, began_s: float) -> int:
        """Wait, ping the guardian while the tree is sound, and stop in order."""
        sound = Soundness(self.appliance.system, self._vital())
        looked_s, told = 0.0, None
        while not self.stop.wait(LOOK_EVERY_S) and not link.parent_is_gone():
            if self.appliance.system.verdict is not None:
                say(f"the tree gave up: {self.appliance.system.verdict}")
                return 1
            self._tell_first_plan(began_s)
            self._watch_memory(time.monotonic())
            if (now_s := time.monotonic()) - looked_s < PING_EVERY_S:
                continue
            looked_s = now_s
            faulthandler.dump_traceback_later(DEAF_S, exit=True)
            complaint = sound.complaint(now_s)
            if complaint is None:
                link.ping()
            elif told is None:
                say(f"not sound, no ping: {complaint}")
            told = complaint
        return self._end(link)

    def settle_configuration(self, problems: Sequence[config.Problem]) -> None:
        """Keep a good configuration for a worse day; where this is such a day, say so."""
        if not problems:
            with contextlib.suppress(OSError):  # a full disk is told by whoever must save
                config.keep(self.loaded, self.options.state)
            return
        said = f"the last good one is in force, the file is refused: {problems[0]}"
        say(f"configuration: {said}")
        self.appliance.record.state_problem(StateProblem("configuration", said, Phase.BEGINS))

    def hear_signals(self) -> None:
        """End on SIGTERM and SIGINT, restart on SIGUSR2, show all stacks on SIGUSR1."""

        def heard(number: int, _frame: object) -> None:
            self.restart = number == signal.SIGUSR2
            self.stop.set()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
            signal.signal(number, heard)
        faulthandler.register(signal.SIGUSR1)

    def _vital(self) -> Vital:
        """What must hold for a ping: the order to the guardian not to kill us."""
        tick_s = self.appliance.pace.control_tick_s / self.options.speed
        longest_s = max(SILENT_TICKS * tick_s, SHORTEST_SILENCE_S)
        return Vital(("root", "safety", "devices"), {GATEWAY: longest_s})

    def _end(self, link: GuardianLink) -> int:
        """Stop the tree; then hand the devices to themselves, or to the next core."""
        self.appliance.stop(STOP_WITHIN_S)
        self.doors.devices.release()
        if self.restart:
            say("restart: all devices keep their leases, the next core adopts them")
            return 0
        safe_state.bring(self.options.state, self.doors.mqtt("safe", ""), self.clock.now_s, say)
        link.bye()  # it has said what it could not do; the guardian could not do more
        return 0

    def _watch_memory(self, now_s: float) -> None:
        """Tell a leak as an incident; with too much memory start anew, all leases kept."""
        if not self.memory.is_due(now_s):
            return
        self.memory.look(now_s, rss_mb())
        if self.memory.leaks is not self._leaking:
            self._leaking = self.memory.leaks
            slope = self.memory.slope_mb_per_h
            said = f"the core's memory grows hour after hour, by {slope:.1f} MB"
            phase = Phase.BEGINS if self._leaking else Phase.OVER
            self.appliance.record.state_problem(StateProblem("memory", said, phase))
        if self.memory.is_too_much(now_s):
            say(f"memory: {self.memory.rss_mb:.0f} MB is too much")
            self.restart = True
            self.stop.set()

    def _tell_first_plan(self, began_s: float) -> None:
        """Look into the plan keeper until it has one; an edge may ask."""
        if self.first_plan:
            return
        try:
            held = self.appliance.system.ask(PLAN_KEEPER, GetSnapshot(), 1.0).state
        except (AskTimeout, NobodyThere):
            return
        if held is None or held.adopted is None:
            return
        self.first_plan, plan = True, held.adopted.plan
        cost = plan.totals.get("cost", 0.0)
        hours = sum(slot.duration_s for slot in plan.slots) / 3600.0
        say(
            f"first plan in force after {time.monotonic() - began_s:.1f} s: "
            f"{hours:.0f} h for {cost:.1f} {plan.currency}, solved in "
            f"{1000.0 * plan.solver.wall_s:.0f} ms"
        )


def _clock(options: argparse.Namespace) -> HouseClock:
    """House time: the wall's, or the twin's, which runs `speed` times as fast."""
    if options.origin_house is None:
        return HouseClock.wall()
    gone_s = time.time() - options.origin_wall
    return HouseClock(options.origin_house, time.monotonic() - gone_s, options.speed)


if __name__ == "__main__":
    sys.exit(main())
