"""The relaxed plan solved: a sparse linear program in CasADi, its point checked, its duals read.

The only file that loads the solver library; nothing in the core process may import it. A solver
is set up once per shape and fed numbers. What a solver says of itself is not believed: the point
is multiplied out again, and where it does not hold another algorithm tries on the same grid.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import casadi
import numpy as np

from pems_actors.optimisation.assembly import assemble
from pems_actors.optimisation.case import Case, floor_limits_c, shape_of
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.program import Index, Layout, Program, Shape
from pems_actors.optimisation.relaxed import Relaxed, read_point

FIRST = "piqp"
RESIDUAL_LIMIT = 1e-4
_CACHED_SHAPES = 12
_HOT_TOLERANCE_K = 0.02
_AT_ONCE_KW = 0.01
_ALGORITHM = {"nlpsol": "ipopt"}

Plugins = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SolverLimits:
    """How long a solver may try. Wall time is off by default: equal input, equal plan."""

    interior_point_iterations: int = 150
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

    A duality gap of 1e-4 is a crown a month, and saves a tenth of the time.
    """
    piqp = {
        "max_iter": limits.interior_point_iterations,
        "eps_abs": 1e-6,
        "eps_rel": 1e-6,
        "eps_duality_gap_rel": 1e-4,
        "eps_duality_gap_abs": 1e-4,
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
    """The solvers of one shape, set up when first asked."""

    def __init__(self, layout: Layout, rows: Index, cols: Index, plugins: Plugins) -> None:
        """Remember the sparsity: `order` sorts a program's entries into the solver's columns."""
        self._order = np.lexsort((rows, cols))
        starts = np.concatenate([[0], np.cumsum(np.bincount(cols, minlength=layout.width))])
        self._a = casadi.Sparsity(
            layout.height, layout.width, starts.tolist(), rows[self._order].tolist()
        )
        self._h = casadi.Sparsity(layout.width, layout.width)
        self._plugins = plugins
        self._made: dict[str, _Seat] = {}

    def names(self) -> tuple[str, ...]:
        """Solvers in the order in which to ask them."""
        return tuple(self._plugins)

    def solve(self, plugin: str, program: Program, scale: float) -> Point:
        """Solve one program with one solver; prices divided by `scale` on the way in."""
        seat = self._made.get(plugin)
        if seat is None:
            structure = {"h": self._h, "a": self._a}
            seat = _Seat(casadi.conic("plan", plugin, structure, self._plugins[plugin]))
            self._made[plugin] = seat
        stats = seat.run(
            a=program.values[self._order],
            g=program.cost / scale,
            lba=program.row_low,
            uba=program.row_high,
            lbx=program.low,
            ubx=program.high,
        )
        x = seat.results["x"].copy()
        return Point(
            x=x,
            row_price=-seat.results["lam_a"] * scale,
            residual=residual(program, x),
            iterations=int(stats.get("solver_stats", stats).get("iter_count", -1)),
            solved=bool(stats["success"]),
            status="solved" if stats["success"] else str(stats["unified_return_status"]),
            solver=_ALGORITHM.get(plugin, plugin),
        )


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
    """Solves cases; remembers layouts and solvers of the shapes it has seen."""

    def __init__(self, limits: SolverLimits | None = None) -> None:
        """Start with an empty memory."""
        self._plugins = _plugins(limits or SolverLimits())
        self._known: OrderedDict[Shape, tuple[Layout, ConicSolvers | None]] = OrderedDict()

    def solve(self, case: Case, decided: tuple[Array, Array] | None = None) -> Relaxed | None:
        """Solve the relaxation of a case.

        Args:
            case: the problem and what is derived from it.
            decided: a mask and duties, each (stages, relays), of what is no longer free.
        Returns: the relaxed plan, or None if no solver found a sound point.
        """
        relaxed = self._solve(case, decided, ceilings=False)
        if relaxed is not None and _too_hot(case, relaxed):
            relaxed = self._solve(case, decided, ceilings=True) or relaxed
        return relaxed

    def best_known(self, case: Case, slots: int, within_s: float) -> float | None:
        """Search the same program with whole relays in the near slots by branch and bound.

        Slow, and bounded by wall time: an oracle for measurements, never for the house.

        Returns: the objective of the best point found, or None.
        """
        program = assemble(case, Layout(shape_of(case)))
        layout = program.layout
        whole = np.zeros(layout.width, dtype=bool)
        whole[layout.columns["u"][:slots]] = True
        highs = {"time_limit": within_s, "mip_rel_gap": 1e-4, "output_flag": False, "threads": 1}
        options = {"highs": highs, "discrete": whole.tolist(), "error_on_fail": False}
        oracle = ConicSolvers(layout, program.rows, program.cols, {"highs": options})
        point = oracle.solve("highs", program, 1.0)
        return float(program.cost @ point.x) if point.residual <= RESIDUAL_LIMIT else None

    def _solve(
        self, case: Case, decided: tuple[Array, Array] | None, *, ceilings: bool
    ) -> Relaxed | None:
        shape = shape_of(case, ceilings=ceilings)
        layout, solvers = self._known.get(shape) or (Layout(shape), None)
        program = assemble(case, layout)
        if solvers is None:
            solvers = ConicSolvers(layout, program.rows, program.cols, self._plugins)
            self._remember(shape, layout, solvers)
        if decided is not None:
            _decide(program, *decided)
        point = self._sound_point(solvers, program)
        if point is None:
            return None
        if _both_ways(program, point):
            point = self._sound_point(solvers, program) or point
        return read_point(case, program, point.x, point.row_price, record=point)

    def _remember(self, shape: Shape, layout: Layout, solvers: ConicSolvers) -> None:
        self._known[shape] = (layout, solvers)
        if len(self._known) > _CACHED_SHAPES:
            self._known.popitem(last=False)

    @staticmethod
    def _sound_point(solvers: ConicSolvers, program: Program) -> Point | None:
        scale = max(float(np.abs(program.cost[program.layout.grid_in]).mean()), 1e-3)
        for name in solvers.names():
            point = solvers.solve(name, program, scale)
            if point.sound:
                return point
        return None


def _decide(program: Program, mask: Array, duty: Array) -> None:
    chosen = mask.astype(bool)
    columns = program.layout.columns["u"][chosen]
    program.fix(columns, duty[chosen])


def _too_hot(case: Case, relaxed: Relaxed) -> bool:
    over = relaxed.surface_c - floor_limits_c(case)
    return bool(over.max() > _HOT_TOLERANCE_K)


def _both_ways(program: Program, point: Point) -> bool:
    """Forbid the lesser direction where a point charges and discharges at once.

    It pays to burn energy where prices are negative; a battery cannot. Returns whether anything
    was forbidden.
    """
    layout = program.layout
    charge, discharge = point.x[layout.charge], point.x[layout.discharge]
    both = np.minimum(charge, discharge) > _AT_ONCE_KW
    free = [column not in program.fixed for column in layout.charge.tolist()]
    both &= np.array(free)
    mostly_charge = both & (charge >= discharge)
    mostly_discharge = both & ~mostly_charge
    program.fix(layout.discharge[mostly_charge], np.zeros(int(mostly_charge.sum())))
    program.fix(layout.charge[mostly_discharge], np.zeros(int(mostly_discharge.sum())))
    return bool(both.any())
