"""The relaxed plan as one sparse linear program, in arrays: columns, rows, costs, bounds.

Rows and columns are laid out once per shape of the problem (`Layout`); a problem fills in numbers
(`fill`). A relay or power that is decided beforehand (tariff block, dwell, rounding) leaves the
program by an emptied column, because interior-point methods dislike bounds that leave no room.
Knows nothing of the solver. Units: kW, kWh, K above the reference, currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.grid import Array

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Shape:
    """What decides rows and columns: equal shapes share one layout and one solver."""

    stages: int
    echoes: tuple[tuple[int, int], ...]
    kept: tuple[tuple[bool, ...], ...]
    members: tuple[tuple[bool, ...], ...]
    links: tuple[tuple[int, int], ...]
    phase_rows: bool
    heating_row: bool
    peak: bool
    ceilings: bool


class Layout:
    """Column and row numbers of one shape, stage by stage.

    Columns per stage: `z` modes at its end, `u` relay duties, `charge discharge grid_in grid_out
    pv stored excess` (kW, `stored` in kWh at its end), `below above` comfort slacks and, where
    asked for, `hot` floor slacks. At the end: `short` of heat per room in screed, then in
    structure, and `peak`. Rows per stage: `dynamics comfort floor storage balance ac heating
    phase peak`; at the end `remains`.
    """

    def __init__(self, shape: Shape) -> None:
        """Number all columns and rows."""
        self.shape = shape
        k, r, m = shape.stages, len(shape.kept), len(shape.members)
        self.kept = np.array(shape.kept, dtype=bool)
        self.states = int(self.kept.sum())
        hot = r if shape.ceilings else 0
        widths = {"z": self.states, "u": m, "power": 7, "below": r, "above": r, "hot": hot}
        self.columns, column = _blocks(k, widths)
        self.short = column + np.arange(2 * r)
        self.peak = column + 2 * r
        self.width = column + 2 * r + int(shape.peak)
        heights = {
            "dynamics": self.states,
            "comfort": r,
            "floor": hot,
            "storage": 1,
            "balance": 1,
            "ac": 1,
            "heating": int(shape.heating_row),
            "phase": 3 if shape.phase_rows else 0,
            "peak": int(shape.peak),
        }
        self.rows, row = _blocks(k, heights)
        self.remains = row + np.arange(2 * r)
        self.height = row + 2 * r
        power = self.columns["power"]
        self.charge, self.discharge, self.grid_in, self.grid_out = power.T[:4]
        self.pv, self.stored, self.excess = power.T[4:]


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
        """Give all entries as three flat arrays."""
        return (
            np.concatenate(self.rows),
            np.concatenate(self.cols),
            np.concatenate(self.values),
        )


@dataclass(slots=True)
class Program:
    """Numbers of one linear program: min cost'x, row_low <= A x <= row_high, low <= x <= high."""

    layout: Layout
    rows: Index
    cols: Index
    values: Array
    cost: Array
    low: Array
    high: Array
    row_low: Array
    row_high: Array
    fixed: dict[int, float] = field(default_factory=dict)

    def fix(self, columns: Index, to: Array) -> None:
        """Decide some columns beforehand: their share moves to the right side."""
        if columns.size == 0:
            return
        decided = np.zeros(self.layout.width)
        emptied = np.zeros(self.layout.width, dtype=bool)
        decided[columns] = to
        emptied[columns] = True
        entries = emptied[self.cols]
        share = np.bincount(
            self.rows[entries],
            self.values[entries] * decided[self.cols[entries]],
            minlength=self.layout.height,
        )
        self.row_low = self.row_low - share
        self.row_high = self.row_high - share
        self.values = np.where(entries, 0.0, self.values)
        self.cost = np.where(emptied, 0.0, self.cost)
        self.low = np.where(emptied, -1.0, self.low)
        self.high = np.where(emptied, 1.0, self.high)
        self.fixed.update(zip(columns.tolist(), np.asarray(to).tolist(), strict=True))

    def times(self, x: Array) -> Array:
        """Multiply the matrix with a vector."""
        products = self.values * x[self.cols]
        return np.asarray(np.bincount(self.rows, products, self.layout.height), dtype=float)
