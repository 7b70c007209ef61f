"""A small house whose disk becomes full after a quarter of an hour, as a process of its own.

Run as `python -m tests.scenarios.full_disk_program FILE`: the commands go to stdout, what the
history says of itself to stderr. A limit on a file's size makes writes fail as a full disk does.
"""

import resource
import sys
from dataclasses import replace
from pathlib import Path

from pems_actors.appliance import Appliance
from pems_actors.gateways.sqlite_history import SqliteHistory
from pems_actors.simulate import Simulation
from tests.scenarios.stories import NOON, rules_only
from tests.scenarios.witness import commands

FULL_FROM_S, UNTIL_S = NOON + 900.0, NOON + 5400.0


def told(path: Path, *, full: bool) -> tuple[list[str], str]:
    """Tell the story: what was commanded, and what the history said at the end."""
    simulation = Simulation(rules_only(0.1, preset="flat3", seed=6), keep_log=True)
    store = SqliteHistory(path, retry_s=0.05, queue_rows=500)
    appliance = simulation.appliance = _keeping_in(store, simulation)
    simulation.start()
    simulation.run_until(FULL_FROM_S)
    assert store.flush()
    if full:
        fill(store, path)
    simulation.run_until(UNTIL_S)
    status = appliance.system.status("infrastructure/history")
    assert status is not None
    assert status.restarts == 0
    if full:
        mend(store)
    appliance.stop()
    return sorted(commands(simulation.lines)), f"{status.state} | {status.reason}"


def _keeping_in(store: SqliteHistory, simulation: Simulation) -> Appliance:
    """Build the appliance of a simulation anew, on a history of its own."""
    tale, before = simulation.story, simulation.appliance
    return Appliance(
        tale.house,
        tale.tariff,
        replace(before.surroundings, store=store),
        tale.pace,
        simulation.runtime,
        log=simulation._log,
        watch=simulation._watch,
    )


def fill(store: SqliteHistory, path: Path) -> None:
    """Leave not one block more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, resource.RLIM_INFINITY))
    store.record("filler", NOON, "x" * 200_000)
    assert not store.flush(5.0)


def mend(store: SqliteHistory) -> None:
    """Make room again: all records are there, and only the oldest measurements are lost."""
    kept = store.status()
    assert kept.dropped_records == 0
    assert kept.queued_rows <= 520
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while not store.flush(5.0):
        pass
    assert store.problem() == ""
    assert len(store.records("filler", 0.0, 1e11)) == 1
    assert len(store.records("decision", 0.0, 1e11)) > 5


if __name__ == "__main__":
    lines, said = told(Path(sys.argv[1]), full=True)
    print(*lines, sep="\n")
    print(said, file=sys.stderr)
