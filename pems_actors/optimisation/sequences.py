"""On/off sequences of a relay over the near slots, as rows of 0 and 1 and as whole numbers.

The first slot is the lowest bit, so that many sequences are compared with what is possible in one
operation. Knows no rules and no prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.grid import Array

Bools = NDArray[np.bool_]
Bits = NDArray[np.int64]
Counts = NDArray[np.int64]
Rows = Array  # sequences of 0 and 1

MOST_SLOTS = 24  # beyond, the list of sequences grows too long
_ALL_UP_TO = 8  # slots; beyond, only sequences of few runs are listed


@dataclass(frozen=True, slots=True)
class Table:
    """Sequences, (n, slots), and the same as whole numbers, (n,)."""

    rows: Rows
    bits: Bits


@lru_cache(maxsize=16)
def listed(slots: int) -> Table:
    """List what is looked at in any case: all sequences of few slots, else those of few runs."""
    rows = rows_of(np.arange(1 << slots), slots) if lists_all(slots) else patterns(slots)
    return Table(rows, bits_of(rows))


def lists_all(slots: int) -> bool:
    """Whether `listed` leaves nothing out."""
    return slots <= _ALL_UP_TO


@lru_cache(maxsize=16)
def patterns(slots: int, runs: int = 2) -> Rows:
    """List all on/off sequences with at most some runs of on, shape (patterns, slots)."""
    rows = [np.zeros(slots)]
    for count in range(1, runs + 1):
        for edges in combinations(range(slots + 1), 2 * count):
            row = np.zeros(slots)
            for begin, end in zip(edges[::2], edges[1::2], strict=True):
                row[begin:end] = 1.0
            rows.append(row)
    table = np.array(rows)
    table.setflags(write=False)
    return table


@lru_cache(maxsize=16)
def flips(slots: int) -> Table:
    """Mark no slot, each single slot and each pair of slots: what a small change turns round."""
    one, two = np.triu_indices(slots)
    bits = np.concatenate([[0], (1 << one) | (1 << two)])
    return Table(rows_of(bits, slots), bits)


def bits_of(states: Bools | Rows) -> Bits:
    """Write sequences (..., slots) as whole numbers, the first slot in the lowest bit."""
    return np.asarray(states.astype(np.int64) @ _bit_values(states.shape[-1]))


@lru_cache(maxsize=64)
def _bit_values(slots: int) -> Bits:
    return 1 << np.arange(slots)


def rows_of(bits: Bits, slots: int) -> Rows:
    """Read sequences back from whole numbers, (n, slots)."""
    return np.asarray(bits[:, None] >> np.arange(slots) & 1, dtype=float)


def starts_of(bits: Bits, *, on_before: bool) -> Counts:
    """Count the starts of sequences, (n,)."""
    return np.asarray(np.bitwise_count(bits & ~(bits << 1 | int(on_before))), dtype=np.int64)
