"""A writer that is to be killed: rows, records, a snapshot and a note of an order, round by round.

`python -m pems_actors.bench.writer_victim FOLDER` writes with the appliance's own store,
as fast as it can, and prints the number of each round once it is safe. All that a round writes
carries its number, so that whoever looks afterwards can tell what is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pems_actors.domain.commands import SetHeating
from pems_actors.domain.levels import Level
from pems_actors.durable.order_journal import OrderJournal
from pems_actors.gateways.sqlite_history import SqliteHistory
from supervision.snapshots import SnapshotStore

HISTORY = "history.sqlite"
SNAPSHOTS, SNAPSHOT = "snapshots", "rooms/victim"
SERIES = tuple(f"series_{k}" for k in range(20))
RECORD = "round"
RELAY = "victim"
LEASE_S = 900.0


def main(argv: list[str]) -> int:
    """Write rounds until somebody ends it."""
    folder = Path(argv[0])
    history = SqliteHistory(folder / HISTORY, outbox=True)
    snapshots = SnapshotStore(folder / SNAPSHOTS)
    journal = OrderJournal.open(folder, (f"relay/{RELAY}",))
    done = history.last(SERIES[0])
    number = 1 if done is None else int(done[0]) + 1
    while True:
        write_round(number, history, snapshots, journal)
        if not history.flush():
            print(history.problem(), file=sys.stderr)
            return 1
        print(number, flush=True)
        number += 1


def write_round(
    number: int, history: SqliteHistory, snapshots: SnapshotStore, journal: OrderJournal
) -> None:
    """Write everything of one round."""
    at_s = float(number)
    journal.note(SetHeating(RELAY, number % 2 == 0, "round", Level.RULES, at_s, at_s + LEASE_S))
    history.append([(series, at_s, at_s) for series in SERIES])
    history.record(RECORD, at_s, str(number))
    snapshots.save(SNAPSHOT, {"round": number, "filler": "x" * (number % 5000)}, at_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
