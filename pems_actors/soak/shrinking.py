"""From a failing list of faults to a minimal one: nothing can be left out of it and still fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(faults: Sequence[T], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Find a minimal failing part of a failing list, by leaving out ever smaller pieces.

    Args:
        faults: a list that fails.    fails: whether a part of it fails; asked many times.
    Returns: a part that fails, while every part with one element less does not.
    """
    left, pieces = tuple(faults), 2
    if fails(()):
        return ()
    while len(left) > 1:
        shorter = _without_a_piece(left, pieces, fails)
        if shorter is not None:
            left, pieces = shorter, max(2, pieces - 1)
        elif pieces >= len(left):
            break
        else:
            pieces = min(len(left), 2 * pieces)
    return left


def _without_a_piece(
    faults: tuple[T, ...], pieces: int, fails: Callable[[tuple[T, ...]], bool]
) -> tuple[T, ...] | None:
    size = -(-len(faults) // pieces)
    for start in range(0, len(faults), size):
        rest = faults[:start] + faults[start + size :]
        if rest and fails(rest):
            return rest
    return None
