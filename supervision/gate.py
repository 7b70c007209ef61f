"""The one door for every effect: an epoch per path and a lease per resource, under one lock.

An effect (device write, publish, row, plan adoption) runs here or not at all, and only if its
author is still the living one. Fencing an actor takes the same lock, so nothing slips through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from supervision.clock import ReadClock
from supervision.errors import Superseded

NOBODY = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one path to act on one resource, for a time or until taken away."""

    path: str
    until_s: float | None = None


OnRefused = Callable[[str, int, str | None, str], None]


class Gate:
    """Epochs and leases; `submit` checks both and acts under the lock that changes them."""

    def __init__(self, now_s: ReadClock, on_refused: OnRefused, first_epoch: int = 1) -> None:
        self._now_s = now_s
        self._on_refused = on_refused
        self._floor = first_epoch - 1
        self._lock = threading.RLock()
        self._last: dict[str, int] = {}
        self._current: dict[str, int] = {}
        self._leases: dict[str, Lease] = {}

    # Epochs.

    def admit(self, path: str, author: tuple[str, int] | None = None) -> int:
        """Begin a new life at `path` and return its epoch, one above the last.

        Raises: Superseded if `author` (path and epoch of the supervisor) is not current itself.
        """
        with self._lock:
            if author is not None and self._current.get(author[0]) != author[1]:
                raise Superseded(f"{author[0]} (epoch {author[1]}) was replaced; it may not start")
            epoch = self._last.get(path, self._floor) + 1
            self._last[path] = self._current[path] = epoch
            return epoch

    def fence(self, path: str, epoch: int | None = None) -> None:
        """From now on nobody at `path` may act (only if it still has `epoch`, where given)."""
        with self._lock:
            if epoch is None or self._current.get(path) == epoch:
                self._current[path] = NOBODY

    def is_current(self, path: str, epoch: int) -> bool:
        """Whether this life is the living one."""
        return self._current.get(path) == epoch

    def forget(self, paths: Iterable[str]) -> None:
        """Drop the epochs of children whose specs are gone.

        Their names may come again, so the next first epoch lies above all that was forgotten.
        """
        with self._lock:
            for path in paths:
                self._current.pop(path, None)
                self._floor = max(self._floor, self._last.pop(path, self._floor))

    # Leases.

    def grant(self, resource: str, path: str, until_s: float | None = None) -> None:
        """Give `path` the right to act on `resource` (until house time `until_s`)."""
        with self._lock:
            self._leases[resource] = Lease(path, until_s)

    def revoke(self, resource: str) -> None:
        """Take the right away; then nobody may act on `resource`."""
        with self._lock:
            self._leases.pop(resource, None)

    def holder(self, resource: str) -> str | None:
        """Path that may act on `resource` now, None if nobody may."""
        with self._lock:
            return self._holder(resource)

    def _holder(self, resource: str) -> str | None:
        lease = self._leases.get(resource)
        if lease is None or (lease.until_s is not None and self._now_s() >= lease.until_s):
            return None
        return lease.path

    # Effects.

    def submit(
        self, path: str, epoch: int, action: Callable[[], None], resource: str | None = None
    ) -> bool:
        """Run `action`, a non-blocking enqueue, if its author lives and holds `resource`."""
        with self._lock:
            refusal = self._refusal(path, epoch, resource)
            if refusal is None:
                action()
                return True
        self._on_refused(path, epoch, resource, refusal)
        return False

    def _refusal(self, path: str, epoch: int, resource: str | None) -> str | None:
        if self._current.get(path) != epoch:
            return "old epoch"
        if resource is not None and self._holder(resource) != path:
            return "no lease"
        return None
