"""What waits to be written to the history, bounded in memory. No threads, no clock, no disk.

Measurements give way to newer ones when it is full, records only to very many newer records; both
are counted. Each hand-over has a number, so that a caller can wait until its own is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pems_actors.gateways.sqlite_store import Record, Sample

GROUP_ROWS = 200
LARGEST_GROUP = 20_000


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call handed over, with its number."""

    number: int
    samples: tuple[Sample, ...] = ()
    record: Record | None = None


@dataclass(slots=True)
class HistoryQueue:
    """The batches in order of arrival. `rows` and `records` count those under way as well."""

    most_rows: int = 200_000
    most_records: int = 10_000
    rows: int = 0
    records: int = 0
    handed: int = 0
    done: int = 0
    dropped_rows: int = 0
    dropped_records: int = 0
    _batches: deque[Batch] = field(default_factory=deque)
    _under_way: int = 0

    def __bool__(self) -> bool:
        return bool(self._batches)

    def put(self, samples: Sequence[Sample], record: Record | None) -> None:
        """Take what one call hands over, and let the oldest go if there is too much."""
        self.handed += 1
        self._batches.append(Batch(self.handed, tuple(samples), record))
        self.rows += len(samples)
        self.records += record is not None
        if self.rows > self.most_rows:
            self._drop_samples()
        if self.records > self.most_records:
            self._drop_record()

    def is_due(self) -> bool:
        """Tell if there is enough for a group: many rows, or any record."""
        return self.records > 0 or self.rows >= GROUP_ROWS

    def take(self) -> list[Batch]:
        """Take the oldest batches, up to the largest group.

        What is under way cannot give way to what is newer, so it is about half of all at most.
        """
        group: list[Batch] = []
        rows = records = 0
        most_rows = min(LARGEST_GROUP, max(1, self.most_rows // 2))
        most_records = max(1, self.most_records // 2)
        while self._batches and rows < most_rows and records < most_records:
            group.append(self._batches.popleft())
            rows += max(1, len(group[-1].samples))
            records += group[-1].record is not None
        self._under_way = len(group)
        return group

    def committed(self, group: Sequence[Batch]) -> int:
        """Count a group as done; gives its rows."""
        rows = sum(len(batch.samples) for batch in group)
        self.rows -= rows
        self.records -= sum(batch.record is not None for batch in group)
        self._under_way = 0
        self.done = max(self.done, group[-1].number)
        self.settle()
        return rows

    def put_back(self, group: Sequence[Batch]) -> None:
        """Take a group back that could not be written, before all others."""
        self._batches.extendleft(reversed(group))
        self._under_way = 0
        if self.rows > self.most_rows:
            self._drop_samples()

    def settle(self) -> bool:
        """Count all as done if nothing waits (what was dropped, too); tells if so."""
        idle = not self._batches and not self._under_way
        if idle:
            self.done = self.handed
        return idle

    def give_up(self) -> None:
        """Drop everything."""
        self.dropped_rows += self.rows
        self.dropped_records += self.records
        self.rows = self.records = 0
        self._batches.clear()

    def _drop_samples(self) -> None:
        kept: deque[Batch] = deque()
        for batch in self._batches:
            if batch.samples and self.rows > self.most_rows:
                self.rows -= len(batch.samples)
                self.dropped_rows += len(batch.samples)
            else:
                kept.append(batch)
        self._batches = kept

    def _drop_record(self) -> None:
        oldest = next((batch for batch in self._batches if batch.record is not None), None)
        if oldest is not None:
            self._batches.remove(oldest)
            self.records -= 1
            self.dropped_records += 1
