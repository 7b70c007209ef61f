"""One problem with all that is derived from it before anything is decided.

Rooms in modes, the weather's push on them, end prices, relay powers and shares: every part behind
reads the same numbers from here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pems_actors.domain.plan import PlanningProblem
from pems_actors.optimisation.grid import Array, Stages
from pems_actors.optimisation.program import Shape
from pems_actors.optimisation.thermal import (
    Echo,
    Rooms,
    Weather,
    echo_of,
    emission,
    rooms_of,
    weather_of,
)
from pems_actors.optimisation.worth import EndWorth, end_worth


@dataclass(frozen=True, slots=True)
class Case:
    """One problem with all that is derived from it before anything is decided."""

    problem: PlanningProblem
    stages: Stages
    rooms: Rooms
    weather: Weather
    echo: Echo
    worth: EndWorth
    power_kw: Array  # (relays,)
    share: Array  # (relays, rooms)
    phases: Array  # (relays, 3)
    first_kwh: float

    @property
    def soc_window_kwh(self) -> tuple[float, float]:
        """Energy window of the battery, widened to hold what is in it now."""
        battery = self.problem.battery
        low = max(battery.min_soc_frac, min(battery.reserve_soc_frac, battery.max_soc_frac))
        return (
            min(low * battery.capacity_kwh, self.first_kwh),
            max(battery.max_soc_frac * battery.capacity_kwh, self.first_kwh),
        )


def case_of(problem: PlanningProblem, stages: Stages, *, exact: bool = False) -> Case:
    """Derive rooms, weather and end prices from a checked problem.

    Args:
        exact: every thermal mode a state of the program, instead of the slow ones.
    """
    rooms = rooms_of(problem.model, exact=exact)
    state = problem.state
    disturbance = np.array([state.disturbance_kw.get(name, 0.0) for name in rooms.names])
    weather = weather_of(rooms, stages, rooms.modes_of(state.rooms), disturbance)
    worth = end_worth(rooms, stages, problem.battery, problem.weights, disturbance)
    relays = problem.relays
    return Case(
        problem=problem,
        stages=stages,
        rooms=rooms,
        weather=weather,
        echo=echo_of(rooms, weather),
        worth=worth,
        power_kw=np.array([relay.power_kw for relay in relays]),
        share=emission(relays, rooms.names),
        phases=np.array([relay.phases for relay in relays]).reshape(len(relays), 3),
        first_kwh=min(max(state.soc_frac, 0.0), 1.0) * problem.battery.capacity_kwh,
    )


def shape_of(case: Case, *, ceilings: bool = False) -> Shape:
    """Find which rows and columns a case needs."""
    one, other = np.nonzero(case.rooms.links)
    limits = case.problem.limits
    skewed = bool(np.ptp(case.phases, axis=1).max(initial=0.0) > 1e-6)
    return Shape(
        stages=len(case.stages),
        echoes=tuple(zip(case.echo.stage.tolist(), case.echo.source.tolist(), strict=True)),
        kept=tuple(map(tuple, case.rooms.kept.tolist())),
        members=tuple(map(tuple, (case.share > 0.0).tolist())),
        links=tuple(zip(one.tolist(), other.tolist(), strict=True)),
        phase_rows=skewed and limits.phases == 3,
        heating_row=bool(case.power_kw.sum() > limits.heating_kw + 1e-6),
        peak=case.problem.weights.peak_per_kw > 0.0,
        ceilings=ceilings,
    )


def floor_limits_c(case: Case) -> Array:
    """Most that each floor's surface may reach, (rooms,); infinite for panels [°C]."""
    return np.where(case.rooms.floor, case.problem.limits.floor_surface_c, np.inf)
