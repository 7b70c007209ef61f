"""The relaxed plan solved: a sparse linear program in CasADi, its point checked, its duals read.

The only file that loads the solver library; nothing in the core process may import it. A solver
sees only what is left to decide (setting it up takes 2 ms). What it says of itself is not
believed: the point is multiplied out again with all rows, and where it does not hold another
algorithm tries on the same grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import casadi
import numpy as np

from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.assembly import Decided, assemble
from pems_actors.optimisation.case import Case, floor_limits_c, likely_hot, shape_of
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.program import Index, Layout, Mask, Program, Reduced
from pems_actors.optimisation.relaxed import Relaxed, read_point

FIRST = "piqp"
RESIDUAL_LIMIT = 1e-3  # kW, K or kWh: less than anything measures, and all is simulated again
_HOT_TOLERANCE_K = 0.3  # estimated surfaces are kept 2 K under their limit anyway
_STILL_HOT_K = 0.5  # under its limit
_STAYS_HOT_S = 2 * HOUR_S
_AT_ONCE_KW = 0.1  # within the duality gap a point does a little of both
_CHEAP_BESIDE_COLD = 0.005
_ALGORITHM = {"nlpsol": "ipopt"}

Plugins = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SolverLimits:
    """How long a solver may try, how sure it must be. Wall time is off: equal input, equal plan.

    A duality gap of 1e-4 is a crown a month, and saves a tenth of the time.
    """

    interior_point_iterations: int = 150
    duality_gap: float = 1e-2  # closer takes a sixth longer and saves nothing (2026-11, measured)
    fallback_iterations: int = 400
    fallback_wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What a solver returned, and how far it is from being a solution.

    `row_price` is the rise of the cost per unit of a row's right side.
    """

    x: Array
    row_price: Array
    residual: float
    iterations: int
    solved: bool
    status: str
    solver: str

    @property
    def sound(self) -> bool:
        """Whether the point satisfies rows and bounds, whatever the solver said."""
        finite = bool(np.isfinite(self.x).all() and np.isfinite(self.row_price).all())
        return finite and self.residual <= RESIDUAL_LIMIT and self.solved


def _plugins(limits: SolverLimits) -> Plugins:
    """Solvers in the order in which they are asked, with their options.

    Columns without bounds live by the regularisation alone: below 1e-7 their pivots drown in
    rounding, and some problems take three times the iterations.
    """
    piqp = {
        "max_iter": limits.interior_point_iterations,
        "eps_abs": 1e-6,
        "eps_rel": 1e-6,
        "eps_duality_gap_rel": limits.duality_gap,
        "eps_duality_gap_abs": limits.duality_gap,
        "reg_lower_limit": 1e-7,
    }
    ipopt: dict[str, Any] = {
        "max_iter": limits.fallback_iterations,
        "print_level": 0,
        "sb": "yes",
        "mehrotra_algorithm": "yes",
        "tol": 1e-7,
    }
    if limits.fallback_wall_s is not None:
        ipopt["max_wall_time"] = limits.fallback_wall_s
    quiet = {"print_time": False, "error_on_fail": False, "ipopt": ipopt}
    return {
        FIRST: {"piqp": piqp, "error_on_fail": False},
        "nlpsol": {"nlpsol": "ipopt", "nlpsol_options": quiet, "error_on_fail": False},
    }


class ConicSolvers:
    """The solvers that may be asked, in their order."""

    def __init__(self, plugins: Plugins) -> None:
        """Remember them with their options."""
        self._plugins = plugins

    def names(self) -> tuple[str, ...]:
        """Solvers in the order in which to ask them."""
        return tuple(self._plugins)

    def solve(self, plugin: str, program: Program, scale: float) -> Point:
        """Solve one program with one solver; prices divided by `scale` on the way in."""
        seen = program.reduced()
        columns, rows = _last_first(seen.free), _last_first(seen.binding)
        share = program.shares_of_decided()[rows]
        seat, order = _seat(plugin, self._plugins[plugin], program, seen)
        stats = seat.run(
            a=program.values[seen.entries][order],
            g=program.cost[columns] / scale,
            lba=program.row_low[rows] - share,
            uba=program.row_high[rows] - share,
            lbx=program.low[columns],
            ubx=program.high[columns],
        )
        x, row_price = program.decided.copy(), np.zeros(program.layout.height)
        x[columns] = seat.results["x"]
        row_price[rows] = -seat.results["lam_a"] * scale
        return Point(
            x=x,
            row_price=row_price,
            residual=residual(program, x),
            iterations=int(stats.get("solver_stats", stats).get("iter_count", -1)),
            solved=bool(stats["success"]),
            status="solved" if stats["success"] else str(stats["unified_return_status"]),
            solver=_ALGORITHM.get(plugin, plugin),
        )


def _seat(
    plugin: str, options: dict[str, Any], program: Program, seen: Reduced
) -> tuple[_Seat, Index]:
    """Set a solver up for what is left of a program, and sort its entries into the columns."""
    width, height = int(seen.free.sum()), int(seen.binding.sum())
    cols = (width - np.cumsum(seen.free))[program.cols[seen.entries]]
    rows = (height - np.cumsum(seen.binding))[program.rows[seen.entries]]
    order = np.argsort(cols * height + rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(cols, minlength=width))])
    a = casadi.Sparsity(height, width, starts.tolist(), rows[order].tolist())
    structure = {"h": casadi.Sparsity(width, width), "a": a}
    return _Seat(casadi.conic("plan", plugin, structure, options)), order


def _last_first(mask: Mask) -> Index:
    """Number what is marked from the end: so elimination leaves a fifth less to factorise."""
    return np.nonzero(mask)[0][::-1]


class _Seat:
    """One solver with its own memory for numbers: no copies into the library's matrices."""

    def __init__(self, solver: Any) -> None:
        names = solver.name_in()
        self._buffer, self._evaluate = solver.buffer()
        self._given = {name: np.zeros(solver.nnz_in(name)) for name in names}
        self.results = {name: np.zeros(solver.nnz_out(name)) for name in ("x", "lam_a")}
        for name in ("a", "g", "lba", "uba", "lbx", "ubx"):
            self._buffer.set_arg(names.index(name), self._given[name].data)
        for name, values in self.results.items():
            self._buffer.set_res(solver.name_out().index(name), values.data)

    def run(self, **numbers: Array) -> dict[str, Any]:
        """Solve with these numbers; answers are in `results`. Returns what the solver tells."""
        for name, values in numbers.items():
            self._given[name][:] = values
        self._evaluate()
        return dict(self._buffer.stats())


def residual(program: Program, x: Array) -> float:
    """Find the largest violation of rows and bounds at a point."""
    rows = program.times(x)
    over = np.maximum(program.row_low - rows, rows - program.row_high)
    out = np.maximum(program.low - x, x - program.high)
    worst = max(float(over.max()), float(out.max()), 0.0)
    return worst if np.isfinite(worst) else np.inf


class Formulation:
    """Solves cases. A solver is set up anew each time: what is decided leaves no trace in it.

    Floors that came to their limit in the last case have its rows from the start in one that soon
    follows it.
    """

    def __init__(self, limits: SolverLimits | None = None) -> None:
        """Choose the solvers."""
        self._solvers = ConicSolvers(_plugins(limits or SolverLimits()))
        self._hot: frozenset[str] = frozenset()
        self._hot_at_s = np.inf

    def solve(self, case: Case, decided: Decided | None = None) -> Relaxed | None:
        """Solve the relaxation of a case.

        Args:
            case: the problem and what is derived from it.
            decided: a mask and duties, each (stages, relays), of what is no longer free.
        Returns: the relaxed plan, or None if no solver found a sound point.
        """
        watched = likely_hot(case) | self._still_hot(case)
        relaxed = self._solve(case, decided, watched)
        if relaxed is None:
            return None
        unseen = _hot(case, relaxed, _HOT_TOLERANCE_K) & ~watched
        if unseen.any():
            relaxed = self._solve(case, decided, watched | unseen) or relaxed
        hot = np.nonzero(_hot(case, relaxed, -_STILL_HOT_K))[0].tolist()
        self._hot = frozenset(case.rooms.names[r] for r in hot)
        self._hot_at_s = float(case.stages.start_s[0])
        return relaxed

    def _still_hot(self, case: Case) -> Mask:
        """Mark the rooms whose floor came to its limit in a case shortly before this one."""
        follows = 0.0 < case.stages.start_s[0] - self._hot_at_s <= _STAYS_HOT_S
        return np.array([follows and name in self._hot for name in case.rooms.names])

    def _solve(self, case: Case, decided: Decided | None, watched: Mask) -> Relaxed | None:
        program = assemble(case, Layout(shape_of(case, watched)), decided)
        scale = _price_scale(case, program)
        point = self._sound_point(program, scale)
        if point is None:
            return None
        if _both_ways(program, point):
            point = self._sound_point(program, scale) or point
        return read_point(case, program, point.x, point.row_price, record=point)

    def _sound_point(self, program: Program, scale: float) -> Point | None:
        for name in self._solvers.names():
            point = self._solvers.solve(name, program, scale)
            if point.sound:
                return point
        return None


def _price_scale(case: Case, program: Program) -> float:
    """Give a usual price of power; where power costs nothing, a small one beside that of cold."""
    usual = float(np.abs(program.cost[program.layout.grid_in]).mean())
    return max(usual, _CHEAP_BESIDE_COLD * case.problem.weights.cold_per_kh, 1e-3)


def _hot(case: Case, relaxed: Relaxed, over_k: float) -> Mask:
    """Mark the rooms whose floor's surface passes its limit by so much, (rooms,)."""
    over = relaxed.surface_c - floor_limits_c(case)
    return np.asarray(over.max(axis=0) > over_k)


def _both_ways(program: Program, point: Point) -> bool:
    """Forbid the lesser direction where a point charges and discharges at once.

    It pays to burn energy where prices are negative; a battery cannot. Returns whether anything
    was forbidden.
    """
    layout = program.layout
    charge, discharge = point.x[layout.charge], point.x[layout.discharge]
    both = np.minimum(charge, discharge) > _AT_ONCE_KW
    both &= program.free[layout.charge]
    mostly_charge = both & (charge >= discharge)
    mostly_discharge = both & ~mostly_charge
    program.fix(layout.discharge[mostly_charge])
    program.fix(layout.charge[mostly_discharge])
    return bool(both.any())
