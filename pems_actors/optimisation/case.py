"""One problem with all that is derived from it before anything is decided.

Rooms in modes, the weather's push on them, end prices, relay powers and shares: every part behind
reads the same numbers from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.plan import PlanningProblem
from pems_actors.optimisation.flexible import Wants, wants_of
from pems_actors.optimisation.grid import Array, Stages
from pems_actors.optimisation.neighbours import Heating, Neighbours, neighbours_of
from pems_actors.optimisation.program import Shape
from pems_actors.optimisation.thermal import (
    REFERENCE_C,
    Echo,
    Rooms,
    Weather,
    echo_of,
    emission,
    rooms_of,
    weather_of,
)
from pems_actors.optimisation.worth import EndWorth, end_worth
from pems_actors.physics.house_model import SURFACE_FRAC

_EVEN = 1e-6
_NEAR_K = 3.0  # mean need under the limit; days are colder than their mean, and blocks wait


@dataclass(frozen=True)
class Case:
    """One problem with all that is derived from it before anything is decided.

    `wirings` are the ways in which relays hang on the phases, (wirings, 3), and `wiring` tells
    which of them a relay has, (relays,).
    """

    problem: PlanningProblem
    stages: Stages
    rooms: Rooms
    weather: Weather
    echo: Echo
    worth: EndWorth
    power_kw: Array  # (relays,)
    share: Array  # (relays, rooms)
    phases: Array  # (relays, 3)
    wirings: Array
    wiring: NDArray[np.intp]
    first_kwh: float
    wants: Wants
    loads_kw: Array  # flexible loads as decided, (stages, L); in the stages' base load as well
    exact: bool = False  # every mode a state of the program, every room with its own neighbours

    def with_loads(self, loads_kw: Array) -> Case:
        """Decide the flexible loads: from now on they are a part of the base load."""
        stages = self.stages.with_loads(loads_kw, self.wants.uneven)
        return replace(self, stages=stages, loads_kw=loads_kw)

    @cached_property
    def neighbours(self) -> Neighbours:
        """What rooms feel of each other: for the program alone, so worked out when asked for."""
        heating = Heating(self.power_kw @ self.share, _most_heat_kw(self.problem, self.stages))
        return neighbours_of(self.rooms, self.weather, self.stages, heating, exact=self.exact)

    @property
    def by_phase(self) -> bool:
        """Whether phases fill differently, so that each needs its own limit."""
        shares = (np.ptp(self.phases, axis=1), np.ptp(self.wants.phases, axis=1))
        skews = np.abs(self.stages.skew_kw).max(initial=0.0)
        uneven = bool(max(skews, *(each.max(initial=0.0) for each in shares)) > _EVEN)
        return uneven and self.problem.limits.phases == 3

    def grid_limit_kw(self, duty: Array) -> Array:
        """Give the import that contract and fullest phase bear beside the heating, (K,) [kW]."""
        limits = self.problem.limits
        most = np.full(len(duty), limits.grid_kw)
        if limits.phases != 3:
            return most
        bearable = 3.0 * (limits.phase_kw - self.uneven_kw(duty))
        return np.asarray(np.minimum(most, bearable))

    def uneven_kw(self, duty: Array) -> Array:
        """Give what the fullest phase carries over an even third beside the heating, (K,) [kW]."""
        skew = (duty * self.power_kw) @ (self.phases - 1.0 / 3.0) + self.stages.skew_kw
        return np.asarray(skew.max(axis=1, initial=0.0))

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
    relays, wants = problem.relays, wants_of(problem, stages)
    phases = np.array([relay.phases for relay in relays]).reshape(len(relays), 3)
    wirings, wiring = np.unique(phases.round(6), axis=0, return_inverse=True)
    return Case(
        problem=problem,
        stages=stages,
        rooms=rooms,
        weather=weather,
        echo=echo_of(rooms, weather),
        worth=worth,
        power_kw=np.array([relay.power_kw for relay in relays]),
        share=emission(relays, rooms.names),
        phases=phases,
        wirings=wirings,
        wiring=wiring.reshape(-1),
        first_kwh=min(max(state.soc_frac, 0.0), 1.0) * problem.battery.capacity_kwh,
        wants=wants,
        loads_kw=np.zeros_like(wants.most_kw),
        exact=exact,
    )


def _most_heat_kw(problem: PlanningProblem, stages: Stages) -> Array:
    """Give what contract and heating cap leave for heating without sun and battery, (K,) [kW]."""
    left = np.minimum(problem.limits.heating_kw, problem.limits.grid_kw - stages.base_kw)
    return np.where(stages.blocked, 0.0, np.maximum(left, 0.0))


def shape_of(case: Case, watched: NDArray[np.bool_] | None = None) -> Shape:
    """Find which rows and columns a case needs.

    Args:
        watched: rooms whose floor's limit may bind; None: those that `likely_hot` tells.
    """
    hot = likely_hot(case) if watched is None else watched
    return Shape(
        stages=len(case.stages),
        kept=tuple(map(tuple, case.rooms.kept.tolist())),
        relays=len(case.power_kw),
        wirings=len(case.wirings),
        spells=int(case.neighbours.spell[-1]) + 1,
        views=len(case.neighbours.look),
        phase_rows=case.by_phase,
        heating_row=bool(case.power_kw.sum() > case.problem.limits.heating_kw + 1e-6),
        peak=case.problem.weights.peak_per_kw > 0.0,
        watched=tuple(hot.tolist()),
        loads=len(case.wants),
    )


def likely_hot(case: Case) -> NDArray[np.bool_]:
    """Guess which floors come near their limit: those that must be warm to hold the band at all."""
    low = np.average(case.stages.low_c, axis=0, weights=case.stages.hours)
    needed = low + SURFACE_FRAC * (case.worth.wanted_k[0] + REFERENCE_C - low)
    return np.asarray(needed > floor_limits_c(case) - _NEAR_K)


def floor_limits_c(case: Case) -> Array:
    """Most that each floor's surface may reach, (rooms,); infinite for panels [°C]."""
    told, usual = case.problem.floor_limits_c, case.problem.limits.floor_surface_c
    limits = np.array([told.get(name, usual) for name in case.rooms.names])
    return np.where(case.rooms.floor, limits, np.inf)
