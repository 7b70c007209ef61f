"""The writer alone is killed, again and again; what it had called safe must be there.

The writer is the appliance's own store in a process of its own: history with outbox, snapshots and
the journal of orders. Each kill strikes at a random moment, while it opens its files or writes.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pems_actors.bench import writer_victim as victim
from pems_actors.bench.live_house import clean_environment
from pems_actors.bench.live_traces import history_is_whole
from pems_actors.bench.report import Target
from pems_actors.bench.resilience.extent import Extent
from pems_actors.durable.order_journal import OrderJournal
from supervision.snapshots import SnapshotStore

LONGEST_LIFE_S = 0.2  # after its first safe round, or after its start
EARLY_FRAC, LONGEST_START_S = 0.2, 0.4
TARGETS = {
    "writer_rows_lost": Target("<=", 0.0),
    "writer_torn": Target("<=", 0.0),
    "writer_orders_forgotten": Target("<=", 0.0),
}


@dataclass(slots=True)
class Tally:
    """What was called safe, and what was not there."""

    safe_round: int = 0
    rows_lost: int = 0
    torn: int = 0
    forgotten: int = 0


def run(folder: Path, extent: Extent) -> dict[str, Any]:
    """Kill the writer; some third of a second each."""
    tally, rng = Tally(), random.Random("writer")
    for _ in range(extent.writer_kills):
        before = tally.safe_round
        tally.safe_round = max(before, one_life(folder, rng))
        look(folder, before, tally)
    whole = history_is_whole(folder)
    tally.rows_lost += missing_rows(folder, 0, tally.safe_round)
    return {
        "writer_kills": extent.writer_kills,
        "writer_rows_safe": tally.safe_round * (len(victim.SERIES) + 1),
        "writer_rows_lost": tally.rows_lost if whole else max(1, tally.rows_lost),
        "writer_torn": tally.torn,
        "writer_orders_forgotten": tally.forgotten,
        "writer_history_whole": whole,
    }


def one_life(folder: Path, rng: random.Random) -> int:
    """Let a writer live for a moment; gives the last round that it called safe, 0 if none."""
    with subprocess.Popen(  # noqa: S603 - our own program
        (sys.executable, "-P", "-m", victim.__name__, str(folder)),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        early = rng.random() < EARLY_FRAC
        first = "" if early else writer.stdout.readline()
        time.sleep(rng.uniform(0.0, LONGEST_START_S if early else LONGEST_LIFE_S))
        writer.kill()
        said = [first, *writer.stdout.read().splitlines(keepends=True)]
    whole = [int(line) for line in said if line.endswith("\n")]
    return whole[-1] if whole else 0


def look(folder: Path, before: int, tally: Tally) -> None:
    """Compare what is there with what was called safe since `before`."""
    tally.rows_lost += missing_rows(folder, before, tally.safe_round)
    found = SnapshotStore(folder / victim.SNAPSHOTS).load(victim.SNAPSHOT)
    number = 0 if found.data is None else int(found.data["round"])
    tally.torn += bool(found.reason) or number < tally.safe_round
    order = OrderJournal.open(folder, ()).last(f"relay/{victim.RELAY}")
    tally.forgotten += tally.safe_round > 0 and (order is None or order.at_s < tally.safe_round)


def missing_rows(folder: Path, after: int, safe: int) -> int:
    """Count what is missing of the rounds after `after` up to `safe`: rows, records, lines."""
    if safe <= after:
        return 0
    span, rounds = (after * 1000, safe * 1000), safe - after
    with contextlib.closing(sqlite3.connect(folder / victim.HISTORY, timeout=5.0)) as database:
        (samples,) = database.execute(
            "SELECT count(*) FROM sample WHERE at_ms > ? AND at_ms <= ? AND at_ms = value * 1000",
            span,
        ).fetchone()
        (records,) = database.execute(
            "SELECT count(DISTINCT body) FROM record WHERE at_ms > ? AND at_ms <= ?", span
        ).fetchone()
        (lines,) = database.execute("SELECT count(*) FROM outbox").fetchone()
    wanted = rounds * len(victim.SERIES)
    unsent = max(0, safe * len(victim.SERIES) - lines)  # nobody sends them, so all are there
    return int(max(0, wanted - samples) + max(0, rounds - records) + unsent)
