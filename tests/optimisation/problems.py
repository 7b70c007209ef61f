"""Houses and problems for the planner's tests: the reference house, small ones, and absurd ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pems_actors.bench.planning_instances import START_S, instance, rooms_only
from pems_actors.domain.house import HouseModel, Relay
from pems_actors.domain.plan import (
    HouseState,
    Plan,
    PlanningProblem,
    RelayHistory,
    RoomThermalState,
)
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.solver import solve

THREE_ROOMS = ("hosti", "loznice", "pracovna")


@cache
def quick_problem(hours: float = 12.0, start_s: float = START_S) -> PlanningProblem:
    """Three rooms in winter, plain prices, nothing blocked: a problem of a few milliseconds."""
    problem = instance("winter", 0, start_s=start_s, horizon_s=hours * HOUR_S)
    small = rooms_only(problem, THREE_ROOMS)
    slots = len(problem.grid)
    return replace(small, heating_blocked=(False,) * slots)


def constant(problem: PlanningProblem, **series: float) -> PlanningProblem:
    """Give some series one value in every slot."""
    rows: dict[str, Any] = {name: (value,) * len(problem.grid) for name, value in series.items()}
    return replace(problem, **rows)


def band(problem: PlanningProblem, low_c: float, high_c: float) -> PlanningProblem:
    """Wish the same band in every room and slot."""
    slots = len(problem.grid)
    names = [room.name for room in problem.model.rooms]
    return replace(
        problem,
        comfort_low_c=dict.fromkeys(names, (low_c,) * slots),
        comfort_high_c=dict.fromkeys(names, (high_c,) * slots),
    )


def at_temperature(problem: PlanningProblem, temp_c: float) -> PlanningProblem:
    """Bring all masses of all rooms to one temperature."""
    rooms = {name: RoomThermalState(temp_c, temp_c, temp_c) for name in problem.state.rooms}
    return with_state(problem, rooms=rooms)


def with_state(problem: PlanningProblem, **changes: Any) -> PlanningProblem:
    return replace(problem, state=replace(problem.state, **changes))


def renamed(problem: PlanningProblem, names: Mapping[str, str]) -> PlanningProblem:
    """Give every room, and the relay that it owns, another name."""

    def by_new(told: Mapping[str, Any]) -> dict[str, Any]:
        return {names[name]: value for name, value in told.items()}

    model, state = problem.model, problem.state
    return replace(
        problem,
        model=HouseModel(
            tuple(replace(room, name=names[room.name]) for room in model.rooms),
            tuple((names[a], names[b], g) for a, b, g in model.links),
        ),
        relays=tuple(
            replace(r, name=names[r.name], members=tuple((names[m], s) for m, s in r.members))
            for r in problem.relays
        ),
        state=replace(
            state,
            rooms=by_new(state.rooms),
            relays=by_new(state.relays),
            disturbance_kw=by_new(state.disturbance_kw),
        ),
        floor_limits_c=by_new(problem.floor_limits_c),
        comfort_low_c=by_new(problem.comfort_low_c),
        comfort_high_c=by_new(problem.comfort_high_c),
    )


def never_switched(problem: PlanningProblem) -> PlanningProblem:
    """Forget the relays' past: all have been off for long."""
    return with_state(problem, relays={})


def with_relays(problem: PlanningProblem, **changes: Any) -> PlanningProblem:
    relays: tuple[Relay, ...] = tuple(replace(relay, **changes) for relay in problem.relays)
    return replace(problem, relays=relays)


def plan_for(problem: PlanningProblem) -> Plan:
    """Solve a problem that must have a plan."""
    answer = solve(problem)
    assert isinstance(answer, Plan), answer
    return answer


def heat_kwh(plan: Plan, name: str | None = None) -> list[float]:
    """Heat per slot, of one relay or of all [kWh]."""
    return [
        (sum(slot.heat_kw.values()) if name is None else slot.heat_kw[name])
        * slot.duration_s
        / HOUR_S
        for slot in plan.slots
    ]


@st.composite
def small_problems(draw: st.DrawFn) -> PlanningProblem:
    """Two rooms, six to eight hours, with weather, prices, past and limits of every kind."""
    start_s = START_S + draw(st.sampled_from([0.0, 120.0, 700.0, 5.5 * HOUR_S, 9.3 * HOUR_S]))
    kind = draw(st.sampled_from(["winter", "cold", "shoulder"]))
    hours = draw(st.integers(3, 8))
    grid = TimeGrid.planning(start_s, hours * HOUR_S)
    whole = instance(kind, draw(st.integers(0, 50)), start_s=start_s, grid=grid)
    problem = rooms_only(whole, ("hosti", "loznice"))
    slots = len(grid)
    relays = draw(st.lists(_histories(start_s), min_size=2, max_size=2))
    blocked = draw(st.lists(st.booleans(), min_size=slots, max_size=slots))
    blocked = blocked if draw(st.booleans()) else [False] * slots
    offset = draw(st.sampled_from([0.0, -5.0, 3.0]))
    return replace(
        problem,
        heating_blocked=tuple(blocked),
        import_per_kwh=tuple(price + offset for price in problem.import_per_kwh),
        export_per_kwh=tuple(price + offset for price in problem.export_per_kwh),
        limits=draw(_limits(problem)),
        relays=draw(_wiring(problem)),
        state=replace(
            problem.state,
            relays=dict(zip(("hosti", "loznice"), relays, strict=True)),
            soc_frac=draw(st.sampled_from([0.0, 0.1, 0.42, 0.9, 1.0])),
        ),
    )


@st.composite
def _histories(draw: st.DrawFn, now_s: float) -> RelayHistory:
    ago = draw(st.sampled_from([0.0, 120.0, 500.0, 1500.0, 8000.0]))
    starts = draw(st.lists(st.floats(1.0, 3500.0), max_size=4))
    return RelayHistory(draw(st.booleans()), now_s - ago, tuple(now_s - s for s in sorted(starts)))


@st.composite
def _limits(draw: st.DrawFn, problem: PlanningProblem) -> Any:
    return replace(
        problem.limits,
        breaker_a=draw(st.sampled_from([25.0, 6.0, 3.0])),
        phases=draw(st.sampled_from([3, 1])),
        heating_kw=draw(st.sampled_from([18.12, 2.0, 1.2])),
    )


@st.composite
def _wiring(draw: st.DrawFn, problem: PlanningProblem) -> Any:
    one_phase = draw(st.booleans())
    phases = ((1.0, 0.0, 0.0), (1.0, 0.0, 0.0)) if one_phase else ((1 / 3,) * 3,) * 2
    return tuple(
        replace(
            relay,
            phases=wires,
            min_on_s=draw(st.sampled_from([300.0, 600.0, 2400.0])),
            min_off_s=draw(st.sampled_from([300.0, 600.0, 1800.0])),
            max_starts_per_h=draw(st.sampled_from([1, 2, 4])),
        )
        for relay, wires in zip(problem.relays, phases, strict=True)
    )


def bare_state(problem: PlanningProblem) -> HouseState:
    """A state that knows only temperatures and charge."""
    return HouseState(problem.state.at_s, problem.state.rooms, {}, problem.state.soc_frac)
