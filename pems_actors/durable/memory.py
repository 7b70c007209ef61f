"""The memory of the house: what actors want to be remembered, in their hands and on disk.

`keep` returns at once: the value counts from then on for `recall`, and goes to the disk soon, at
most every few seconds for each name, by whoever `run` hands it to (a thread, or nobody else on
virtual time). A disk that refuses is told once, counted, and tried again; nobody waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from pems_actors.durable.background import Background
from pems_actors.durable.kept import back_by_s, kind_of
from pems_actors.durable.order_journal import NAME as JOURNAL
from pems_actors.durable.order_journal import OrderJournal
from supervision.snapshots import SnapshotStore

FOLDER = "snapshots"
SCHEMA = 1
SAVE_GAP_S = 3.0
TRY_AGAIN_S = 60.0
GIVEN_AT_MOST = 2  # a memory with which an actor cannot live is not given to it for ever

Job = Callable[[], None]
Later = Callable[[float, Job], object]


class Phase(StrEnum):
    """Whether a problem is a single fact, or begins or ends now."""

    ONCE = "once"
    BEGINS = "begins"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class StateProblem:
    """Something is wrong with what was remembered under a name."""

    name: str
    reason: str
    phase: Phase = Phase.ONCE


@dataclass(slots=True)
class _Held:
    value: Any
    at_s: float
    given: int = 0


def _never(_delay_s: float, _job: Job) -> None:
    """Without a disk nothing is due later."""


class Memory:
    """Values by the address of the actor that keeps them.

    store: where they are saved; None keeps them only while the process lives.
    journal: the last order to each device.
    background: the thread that writes; None writes at once, as on virtual time.
    """

    def __init__(
        self,
        store: SnapshotStore | None = None,
        journal: OrderJournal | None = None,
        background: Background | None = None,
        problems: Iterable[StateProblem] = (),
    ) -> None:
        self.journal = journal or OrderJournal()
        self.saved = self.failures = 0
        self._store, self._background = store, background
        self._held: dict[str, _Held] = {}
        self._due: set[str] = set()  # to be handed over for saving
        self._queued: set[str] = set()  # handed over, and not yet begun
        self._last_s: dict[str, float] = {}
        self._failing: set[str] = set()
        self._orders_due: Job | None = None  # orders are noted in hand only, and this may help
        self._lock = threading.Lock()
        self._early = list(problems)
        self._tell: Callable[[StateProblem], None] = self._early.append
        self._later: Later = _never
        self._process_s: Callable[[], float] = float

    @classmethod
    def on_disk(
        cls, state: Path, devices: Iterable[str], background: Background | None = None
    ) -> Memory:
        """Open the memory of a state directory; without a disk it lasts as long as the process."""
        problems: list[StateProblem] = []
        store, journal = None, OrderJournal.read(state)
        try:
            store = SnapshotStore(state / FOLDER, SCHEMA)
        except OSError as problem:
            said = f"the state cannot be kept ({problem.strerror}); control goes on"
            problems.append(StateProblem(FOLDER, said, Phase.BEGINS))
        if journal.problem:
            problems.append(StateProblem(JOURNAL, journal.problem))
        memory = cls(store, journal, background, problems)
        memory._note_orders_in(state, tuple(devices))
        return memory

    def _note_orders_in(self, state: Path, devices: tuple[str, ...]) -> None:
        """Have orders noted on disk; where that is full, try again now and then."""
        try:
            self.journal.go_on_in(state, devices)
        except OSError as problem:
            if self._orders_due is None:
                said = f"orders cannot be noted ({problem.strerror}); control goes on"
                self._tell(StateProblem(JOURNAL, said, Phase.BEGINS))
            self._orders_due = partial(self._note_orders_in, state, devices)
            self._later(TRY_AGAIN_S, self._try_orders)
            return
        if self._orders_due is not None:
            self._orders_due = None
            self._tell(StateProblem(JOURNAL, "orders are noted again", Phase.OVER))

    def _try_orders(self) -> None:
        if self._orders_due is not None:
            self._run(self._orders_due)

    def _run(self, job: Job) -> None:
        """Do what may wait for the disk: in the thread for that, if there is one."""
        if self._background is None:
            job()
        else:
            self._background.run(job)

    def attach(self, later: Later, process_s: Callable[[], float]) -> None:
        """Take a living system's timers and clock; before that, nothing is spread over time."""
        self._later, self._process_s = later, process_s
        if self._orders_due is not None:
            later(TRY_AGAIN_S, self._try_orders)
        for held in self._held.values():
            held.given = 0

    def listen(self, tell: Callable[[StateProblem], None]) -> None:
        """Tell problems to somebody, those so far at once."""
        early, self._early, self._tell = self._early, [], tell
        for problem in early:
            tell(problem)

    def tell(self, problem: StateProblem) -> None:
        """Tell a problem with something else that outlives the process."""
        self._tell(problem)

    @property
    def newest_s(self) -> float:
        """When anything was last kept, in this process or an earlier one; -inf if never."""
        return max((held.at_s for held in self._held.values()), default=float("-inf"))

    # --- in and out

    def load(self, names: Iterable[str], now_s: float) -> None:
        """Read what these actors kept in an earlier process; whatever is wrong is told."""
        for name in sorted(names):
            kind = kind_of(name)
            if self._store is None or kind is None:
                continue
            found = self._store.load(name, kind.codec.read)
            if found.reason:
                self._tell(StateProblem(name, found.told))
            if found.generation is None or found.at_s is None:
                continue
            self._held[name] = _Held(found.data, found.at_s)
            ahead_s = back_by_s(found.at_s, now_s)
            if ahead_s:
                said = f"it is from the future by {ahead_s:.0f} s: its times are not believed"
                self._tell(StateProblem(name, said))

    def recall(self, name: str, now_s: float) -> Any:
        """Give what was kept under a name, as far as it is true now; None if there is nothing."""
        held, kind = self._held.get(name), kind_of(name)
        if held is None or kind is None:
            return None
        held.given += 1
        if held.given > GIVEN_AT_MOST:
            self._tell(StateProblem(name, "its actor does not live with it; it begins anew"))
            del self._held[name]
            return None
        return kind.judged(held.value, held.at_s, now_s)

    def newest(self, name: str) -> Any:
        """Give what was last kept under a name, as it was kept; None if there is nothing."""
        held = self._held.get(name)
        return None if held is None else held.value

    def keep(self, name: str, value: object, now_s: float) -> None:
        """Remember a value in the place of the one before."""
        with self._lock:
            self._held[name] = _Held(value, now_s)
            if self._store is None or name in self._due:
                return
            self._due.add(name)
            since_s = self._process_s() - self._last_s.get(name, float("-inf"))
        if since_s >= SAVE_GAP_S:
            self._hand_over(name)
        else:
            self._later(SAVE_GAP_S - since_s, partial(self._hand_over, name))

    def close(self, within_s: float = 2.0) -> None:
        """Save whatever waits, and let go of the files; a slow disk is not waited for."""
        for name in sorted(self._due):
            self._hand_over(name)
        if self._background is None or self._background.close(within_s):
            self.journal.close()

    # --- saving

    def _hand_over(self, name: str) -> None:
        with self._lock:
            waits = name in self._queued or name not in self._due
            self._due.discard(name)
            if waits:
                return  # the job that waits will save the newest
            self._queued.add(name)
            self._last_s[name] = self._process_s()
        self._run(partial(self._save, name))

    def _save(self, name: str) -> None:
        with self._lock:
            self._queued.discard(name)
            held = self._held.get(name)
        kind = kind_of(name)
        if held is None or kind is None or self._store is None:
            return
        try:
            self._store.save(name, kind.codec.write(held.value), held.at_s)
        except Exception as problem:  # a full disk, or a value that cannot be written
            self._failed(name, problem)
        else:
            self.saved += 1
            self._mended(name)

    def _failed(self, name: str, problem: Exception) -> None:
        self.failures += 1
        first = not self._failing
        self._failing.add(name)
        if first:
            said = getattr(problem, "strerror", None) or f"{type(problem).__name__}: {problem}"
            said = f"the state is not saved ({said}); control goes on"
            self._tell(StateProblem(FOLDER, said, Phase.BEGINS))
        with self._lock:
            self._due.add(name)
        self._later(TRY_AGAIN_S, partial(self._hand_over, name))

    def _mended(self, name: str) -> None:
        if name in self._failing:
            self._failing.discard(name)
            if not self._failing:
                self._tell(StateProblem(FOLDER, "the state is saved again", Phase.OVER))
