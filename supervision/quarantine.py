"""Poison: a message that crashed its reader twice is put aside instead of being read a third time.

Messages are recognised by content, and only of types that already crashed, so that a healthy actor
pays nothing. A message without content (a tick) is never blamed: there the fault is the actor's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import blake2b
from typing import Any

CRASHES_TO_QUARANTINE = 2
REMEMBERED = 64
HOLD_S = 900.0  # then it is forgotten: perhaps the reader was mended


def fingerprint(message: object) -> str | None:
    """Recognise a message by type and content; None if it has no content to blame."""
    if is_dataclass(message) and not fields(message):
        return None
    digest = blake2b(digest_size=8)
    _feed(digest, message)
    return digest.hexdigest()


def _feed(digest: Any, value: object) -> None:
    digest.update(type(value).__qualname__.encode())
    if is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            _feed(digest, getattr(value, item.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _feed(digest, key)
            _feed(digest, item)
    elif isinstance(value, tuple | list):
        for item in value:
            _feed(digest, item)
    elif hasattr(value, "tobytes"):  # an array: its repr would leave the middle out
        digest.update(value.tobytes())
    else:
        digest.update(repr(value).encode())


@dataclass(slots=True)
class Quarantine:
    """What crashed the readers in one slot."""

    kinds: set[type] = field(default_factory=set)
    _crashes: dict[str, int] = field(default_factory=dict)
    _blamed_at_s: dict[str, float] = field(default_factory=dict)

    def blame(self, message: object, now_s: float) -> None:
        """Remember that this message crashed or hung its reader."""
        mark = fingerprint(message)
        if mark is None:
            return
        self.kinds.add(type(message))
        self._forgive(mark, now_s)
        self._crashes[mark] = self._crashes.pop(mark, 0) + 1
        self._blamed_at_s[mark] = now_s
        while len(self._crashes) > REMEMBERED:
            oldest = next(iter(self._crashes))
            del self._crashes[oldest], self._blamed_at_s[oldest]

    def holds(self, message: object, now_s: float) -> str | None:
        """Fingerprint of a message that must not be read again, None if it may be."""
        if type(message) not in self.kinds:
            return None
        mark = fingerprint(message) or ""
        self._forgive(mark, now_s)
        return mark if self._crashes.get(mark, 0) >= CRASHES_TO_QUARANTINE else None

    def _forgive(self, mark: str, now_s: float) -> None:
        if now_s - self._blamed_at_s.get(mark, now_s) > HOLD_S:
            del self._crashes[mark], self._blamed_at_s[mark]
