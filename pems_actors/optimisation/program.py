"""The relaxed plan as one sparse linear program, in arrays: columns, rows, costs, bounds.

`Layout` numbers rows and columns; `assembly` fills in the numbers. What is decided beforehand
(tariff block, dwell, rounding) leaves the program, and so do rows that no choice within the bounds
can break: `reduced` gives what a solver should see. Interior-point methods dislike bounds that
leave no room, and pay for every row. Knows nothing of the solver. Units: kW, kWh, K above the
reference, currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.grid import Array

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
_NOTHING = 1e-9


@dataclass(frozen=True)
class Shape:
    """What decides rows and columns.

    `wirings` counts the ways in which relays hang on the phases, `spells` and `views` how often and
    in how many ways rooms see their neighbours; `watched` marks rooms whose floor's surface has a
    limit that may bind.
    """

    stages: int
    kept: tuple[tuple[bool, ...], ...]
    relays: int
    wirings: int
    spells: int
    views: int
    phase_rows: bool
    heating_row: bool
    peak: bool
    watched: tuple[bool, ...]
    loads: int = 0


class Layout:
    """Column and row numbers of one shape, stage by stage.

    Columns per stage: `z` modes at its end, `u` relay duties, `heat` of all relays of a wiring,
    `charge discharge grid_in grid_out pv stored excess` (kW, `stored` in kWh at its end), `below
    above` comfort slacks, of watched rooms `hot` floor slacks, and each flexible `load`. At the
    end: `short` of heat per room in screed, then in structure, `pull` of structures in each view
    and each spell but the first, `peak`, and the energy of loads that comes too `late`. Rows
    per stage: `dynamics comfort floor storage balance heat ac heating phase whole peak`; at the end
    `remains`, `pulls`, and the `tasks` of loads.
    """

    def __init__(self, shape: Shape) -> None:
        """Number all columns and rows."""
        self.shape = shape
        k, r = shape.stages, len(shape.kept)
        self.kept = np.array(shape.kept, dtype=bool)
        self.states = int(self.kept.sum())
        self.watched = np.nonzero(np.array(shape.watched, dtype=bool))[0]
        hot = len(self.watched)
        widths = {
            "z": self.states,
            "u": shape.relays,
            "heat": shape.wirings,
            "power": 7,
            "below": r,
            "above": r,
            "hot": hot,
            "load": shape.loads,
        }
        self.columns, column = _blocks(k, widths)
        self.short = column + np.arange(2 * r)
        self.pull = column + 2 * r + _table(shape.spells - 1, shape.views)
        self.peak = column + 2 * r + self.pull.size
        self.late = self.peak + int(shape.peak) + np.arange(shape.loads)
        self.width = self.peak + int(shape.peak) + shape.loads
        heights = {
            "dynamics": self.states,
            "comfort": r,
            "floor": hot,
            "storage": 1,
            "balance": 1,
            "heat": shape.wirings,
            "ac": 1,
            "heating": int(shape.heating_row),
            "phase": 3 if shape.phase_rows else 0,
            "whole": (3 if shape.phase_rows else 1) + int(shape.heating_row),
            "peak": int(shape.peak),
        }
        self.rows, self.later_rows = _blocks(k, heights)
        self.remains = self.later_rows + np.arange(2 * r)
        self.pulls = self.later_rows + 2 * r + _table(shape.spells - 1, shape.views)
        self.tasks = self.later_rows + 2 * r + self.pulls.size + np.arange(shape.loads)
        self.height = self.later_rows + 2 * r + self.pulls.size + shape.loads
        power = self.columns["power"]
        self.charge, self.discharge, self.grid_in, self.grid_out = power.T[:4]
        self.pv, self.stored, self.excess = power.T[4:]


def _table(rows: int, columns: int) -> Index:
    return np.arange(rows * columns).reshape(rows, columns)


def _blocks(stages: int, widths: dict[str, int]) -> tuple[dict[str, Index], int]:
    """Number consecutive blocks stage by stage; each block has shape (stages, width)."""
    per_stage = sum(widths.values())
    first = np.arange(stages)[:, None] * per_stage
    blocks, at = {}, 0
    for name, width in widths.items():
        blocks[name] = first + at + np.arange(width)
        at += width
    return blocks, stages * per_stage


@dataclass(slots=True)
class Triplets:
    """A sparse matrix while it grows: matching arrays of rows, columns and values."""

    rows: list[Index] = field(default_factory=list)
    cols: list[Index] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)

    def add(self, rows: Index, cols: Index, values: Array | float) -> None:
        """Add entries; the three are broadcast against each other."""
        r, c, v = np.broadcast_arrays(rows, cols, values)
        self.rows.append(r.ravel())
        self.cols.append(c.ravel())
        self.values.append(np.asarray(v, dtype=float).ravel())

    def joined(self) -> tuple[Index, Index, Array]:
        """Give all entries that are not zero as three flat arrays."""
        values = np.concatenate(self.values)
        there = values != 0.0
        return np.concatenate(self.rows)[there], np.concatenate(self.cols)[there], values[there]


@dataclass(frozen=True, slots=True)
class Reduced:
    """What of a program a solver sees: masks of its columns, rows and matrix entries."""

    free: Mask
    binding: Mask
    entries: Mask


@dataclass(slots=True)
class Program:
    """Numbers of one linear program: min cost'x, row_low <= A x <= row_high, low <= x <= high.

    `decided` has the value of every column that is no longer free, and NaN for the others.
    """

    layout: Layout
    rows: Index
    cols: Index
    values: Array
    cost: Array
    low: Array
    high: Array
    row_low: Array
    row_high: Array
    decided: Array = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing decided."""
        self.decided = np.full(self.layout.width, np.nan)

    @property
    def free(self) -> Mask:
        """Columns that are not decided."""
        return np.asarray(np.isnan(self.decided))

    def fix(self, columns: Index, to: Array | float = 0.0) -> None:
        """Decide some columns beforehand."""
        self.decided[columns] = to

    def reduced(self) -> Reduced:
        """Leave out what is decided, and rows that hold whatever the free columns do."""
        free = self.free
        low = np.where(free, self.low, self.decided)
        high = np.where(free, self.high, self.decided)
        least, most = low[self.cols], high[self.cols]
        rising = self.values > 0.0
        bottom = self._row_sums(np.where(rising, least, most))
        top = self._row_sums(np.where(rising, most, least))
        binding = (top > self.row_high + _NOTHING) | (bottom < self.row_low - _NOTHING)
        return Reduced(free, binding, free[self.cols] & binding[self.rows])

    def shares_of_decided(self) -> Array:
        """Give what the decided columns contribute to each row."""
        return self._row_sums(np.nan_to_num(self.decided)[self.cols])

    def times(self, x: Array) -> Array:
        """Multiply the matrix with a vector."""
        return self._row_sums(x[self.cols])

    def _row_sums(self, factors: Array) -> Array:
        return np.asarray(
            np.bincount(self.rows, self.values * factors, self.layout.height), dtype=float
        )
