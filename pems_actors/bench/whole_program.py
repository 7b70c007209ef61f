"""A planner's program with what it does not say: relays that are whole, a battery under orders.

The relaxed program knows no rests of floors, and gives the battery another power in every slot.
Here rows and whole columns are added for both. HiGHS is asked, and its points are checked with all
rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pems_actors.bench.highs import Numbers, Options, minimised
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.formulation import RESIDUAL_LIMIT, residual
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import decision_slots
from pems_actors.optimisation.program import Index, Mask, Program
from pems_actors.optimisation.switching import SwitchRules

_PER_ORDER = 3  # columns that tell what an order means in two slots
_DARK_KW = 1e-3  # of sun
_WHOLE = 1e-4


class _Row(NamedTuple):
    """One more row: sum of share x column is at most so much."""

    columns: Index
    share: Array
    most: float


@dataclass(frozen=True, slots=True)
class Sought:
    """What a program does not say of relays and orders: whole columns, more of them, more rows."""

    whole: Mask
    more: int
    rows: tuple[_Row, ...]


def sought(program: Program, case: Case, rules: Sequence[SwitchRules]) -> Sought:
    """Seek whole relays by their rules, and a battery that is given orders."""
    width, near = program.layout.width, case.stages.binary
    pairs = [] if case.problem.inverter.takes_powers else _under_one_order(case)
    whole = np.ones(width + _PER_ORDER * len(pairs), dtype=bool)
    whole[:width] = False
    whole[program.layout.columns["u"][:near]] = bool(rules)
    orders = [
        row
        for n, k in enumerate(pairs)
        for row in _one_order(case, program, k, width + _PER_ORDER * n)
    ]
    return Sought(whole, _PER_ORDER * len(pairs), (*_rests(program, rules), *orders))


def _under_one_order(case: Case) -> list[int]:
    """List the near slots without sun that are followed by another under the same order."""
    held = ~decision_slots(case)[1 : case.stages.binary]
    dark = case.stages.pv_kw[: case.stages.binary] < _DARK_KW
    return np.nonzero(held & dark[:-1] & dark[1:])[0].tolist()


def _one_order(case: Case, program: Program, k: int, first: int) -> Iterator[_Row]:
    """Let slots k and k + 1 have what one order can mean.

    Either it charges or it gives (column `first`), as much in one as in the other; or it follows
    the house: in the slot in which it gives less, nothing is imported (the next two columns).
    """
    layout, battery = program.layout, case.problem.battery
    charge, give = layout.charge[k : k + 2], layout.discharge[k : k + 2]
    most_in, most_out = battery.max_charge_kw, battery.max_discharge_kw
    most_kw = case.problem.limits.grid_kw
    for at in (0, 1):
        here, there, follows = at, 1 - at, first + 1 + at
        yield _Row(np.array([charge[at], first]), np.array([1.0, most_in]), most_in)
        yield _Row(np.array([give[at], first]), np.array([1.0, -most_out]), 0.0)
        yield _Row(charge[[here, there]], np.array([1.0, -1.0]), 0.0)
        more = np.array([give[there], give[here], follows])
        yield _Row(more, np.array([1.0, -1.0, -most_out]), 0.0)
        drawn = np.array([layout.grid_in[k + at], follows])
        yield _Row(drawn, np.array([1.0, most_kw]), most_kw)


def _rests(program: Program, rules: Sequence[SwitchRules]) -> Iterator[_Row]:
    """Let no floor be heated for longer than it bears: so many slots of each run may be on."""
    columns = program.layout.columns["u"]
    for m, rule in enumerate(rules):
        slots = len(rule.start_s)
        runs = [(k, most) for k, most in enumerate(rule.longest)]
        if rule.on_before:
            runs.append((0, rule.goes_on))
        for k, most in runs:
            if k + most < slots:
                yield _Row(columns[k : k + most + 1, m], np.ones(most + 1), float(most))


def solved(
    program: Program, extra: Sought, options: Options, start: Array | None = None
) -> Array | None:
    """Solve a program with what is sought; None without a sound point of whole numbers."""
    seen, share = program.reduced(), program.shares_of_decided()
    free = np.append(seen.free, np.ones(extra.more, dtype=bool))
    decided = np.append(program.decided, np.full(extra.more, np.nan))
    number = np.cumsum(free) - 1
    rows = [(np.cumsum(seen.binding) - 1)[program.rows[seen.entries]]]
    cols, values = [number[program.cols[seen.entries]]], [program.values[seen.entries]]
    high = (program.row_high - share)[seen.binding].tolist()
    low = (program.row_low - share)[seen.binding].tolist() + [-np.inf] * len(extra.rows)
    for row in extra.rows:
        left = free[row.columns]
        rows.append(np.full(int(left.sum()), len(high)))
        cols.append(number[row.columns[left]])
        values.append(row.share[left])
        high.append(row.most - float(row.share[~left] @ decided[row.columns[~left]]))
    none, one = np.zeros(extra.more), np.ones(extra.more)
    numbers = Numbers(
        cost=np.append(program.cost, none)[free],
        low=np.append(program.low, none)[free],
        high=np.append(program.high, one)[free],
        rows=np.concatenate(rows),
        cols=np.concatenate(cols),
        values=np.concatenate(values),
        row_low=np.array(low),
        row_high=np.array(high),
        whole=extra.whole[free],
    )
    for presolve in ({}, {"presolve": "off"}):  # it leaves some of these programs without a point
        x = decided.copy()
        x[free] = minimised(
            numbers, {**options, **presolve}, None if start is None else start[free]
        )
        if _sound(program, extra, x):
            return x
    return None


def _sound(program: Program, extra: Sought, x: Array) -> bool:
    """Whether a point keeps all rows and bounds, and is whole where it has to be."""
    whole = x[extra.whole]
    over = [float(row.share @ x[row.columns]) - row.most for row in extra.rows]
    broken = max([residual(program, x[: program.layout.width]), *over])
    return bool(
        broken <= RESIDUAL_LIMIT and np.abs(whole - whole.round()).max(initial=0.0) < _WHOLE
    )
