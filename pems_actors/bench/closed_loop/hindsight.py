"""What could have been won: the same span by one who knows the house and the future exactly.

A linear program over the whole span on quarter hours: relays may be on in part, the battery takes
any power, starts cost nothing. So it is a bound, which no controller can pass at equal comfort.
The same program over two days prices the state in which anybody leaves the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pems_actors.bench.closed_loop.world import World
from pems_actors.domain.plan import PlanningProblem, RoomThermalState, Weights
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.economics.costs import CostTerms, slot_cost
from pems_actors.optimisation.case import case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import stages_of
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw

Array = npt.NDArray[np.float64]

AFTER_S = 2 * DAY_S
_NO_LIMIT_C = 90.0
LATER = Weights("later", cold_per_kh=40.0)
"""Prices of the two days after a span: dear cold, so that a house left cold is made warm again."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What hindsight would have paid, and what comfort it would have had, by room [K·h]."""

    money: CostTerms
    cold_kh: tuple[float, ...]
    warm_kh: tuple[float, ...]
    rooms: Mapping[str, RoomThermalState]
    soc_frac: float


def later_cost(
    world: World, at_s: float, rooms: Mapping[str, RoomThermalState], soc_frac: float
) -> float:
    """Price a state by what the two days after it will cost at least, with all known.

    Heat and charge are settled by this, for everybody alike.

    Raises: ArithmeticError if no solver finds a sound point.
    """
    hours = round(AFTER_S / HOUR_S)
    grid = TimeGrid.uniform(at_s, hours, HOUR_S)
    problem = world.known(grid, rooms, soc_frac, LATER)
    limits = replace(problem.limits, floor_surface_c=_NO_LIMIT_C)  # a hot summer is no cost
    return _solved(replace(problem, limits=limits)).objective


def hindsight(
    world: World,
    rooms: Mapping[str, RoomThermalState],
    soc_frac: float,
    cold_per_kh: float,
) -> Bound:
    """Find the least that the span could have cost, from a state at its beginning.

    Args:
        rooms, soc_frac: the true state when counting begins.
        cold_per_kh: price of cold; a dear one leaves none.
    Raises: ArithmeticError if no solver finds a sound point.
    """
    span = world.span
    quarters = round((span.end_s - span.start_s) / QUARTER_S)
    edges = [span.start_s + QUARTER_S * k for k in range(quarters + 1)]
    edges += [span.end_s + HOUR_S * (k + 1) for k in range(round(AFTER_S / HOUR_S))]
    weights = Weights("hindsight", cold_per_kh=cold_per_kh)
    problem = world.known(TimeGrid(tuple(edges)), rooms, soc_frac, weights)
    relaxed = _solved(problem)
    temps = _followed(world, problem, relaxed, quarters)
    r = len(problem.model.rooms)
    air = temps[1:, r : 2 * r]
    names = [room.name for room in problem.model.rooms]
    low = np.array([problem.comfort_low_c[name] for name in names]).T[:quarters]
    high = np.array([problem.comfort_high_c[name] for name in names]).T[:quarters]
    stored = float(relaxed.stored_kwh[quarters - 1])
    return Bound(
        money=_paid(problem, relaxed, quarters),
        cold_kh=tuple((np.maximum(low - air, 0.0).sum(axis=0) / 4.0).tolist()),
        warm_kh=tuple((np.maximum(air - high, 0.0).sum(axis=0) / 4.0).tolist()),
        rooms=HouseDynamics(world.truth).unpack(temps[-1]),
        soc_frac=stored / max(world.house.battery.capacity_kwh, 1e-9),
    )


def _solved(problem: PlanningProblem) -> Relaxed:
    case = case_of(problem, stages_of(problem, 0.0), exact=True)
    relaxed = Formulation().solve(case)
    if relaxed is None:
        raise ArithmeticError("no solver found a sound point for the hindsight program")
    return relaxed


def _followed(world: World, problem: PlanningProblem, relaxed: Relaxed, quarters: int) -> Array:
    """Step the true house through the program's heat, shape (quarters + 1, 3R) [°C]."""
    dynamics = HouseDynamics(world.truth)
    heat = relaxed.duty[:quarters] @ heat_shares_kw(world.truth, problem.relays).T
    temps = [dynamics.pack(problem.state.rooms)]
    for k in range(quarters):
        outdoor, ghi = problem.outdoor_c[k], problem.ghi_w_m2[k]
        temps.append(dynamics.step(temps[-1], heat[k], outdoor, ghi, QUARTER_S))
    return np.array(temps)


def _paid(problem: PlanningProblem, relaxed: Relaxed, quarters: int) -> CostTerms:
    slots = (
        slot_cost(
            float(relaxed.grid_kw[k]),
            float(relaxed.discharge_kw[k]),
            problem.import_per_kwh[k],
            problem.export_per_kwh[k],
            QUARTER_S,
            problem.battery.wear_per_kwh,
        )
        for k in range(quarters)
    )
    return sum(slots, CostTerms())
