"""A holiday with a time to be back: a slow house is warm then, and heats many hours before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.domain.plan import Plan, PlanningProblem, RoomThermalState
from pems_actors.domain.units import HOUR_S
from tests.optimisation.problems import plan_for

BACK_H = 26.0
AWAY_LOW_C = 16.5
COLD = RoomThermalState(19.0, 17.0, 16.8)


@pytest.fixture(scope="module")
def problem() -> PlanningProblem:
    """The reference house in winter, cooled down to 17 °C, with people back after 26 hours."""
    usual = instance("winter", 1)
    away = [end_s - usual.grid.start_s <= BACK_H * HOUR_S for end_s in usual.grid.edges_s[1:]]
    low = {
        room: tuple(AWAY_LOW_C if gone else c for gone, c in zip(away, row, strict=True))
        for room, row in usual.comfort_low_c.items()
    }
    cold = replace(usual.state, rooms=dict.fromkeys(usual.state.rooms, COLD))
    return replace(usual, comfort_low_c=low, state=cold)


@pytest.fixture(scope="module")
def plan(problem: PlanningProblem) -> Plan:
    return plan_for(problem)


def heat_kwh(plan: Plan, from_h: float, until_h: float) -> float:
    start_s = plan.slots[0].start_s
    return sum(
        sum(slot.heat_kw.values()) * slot.duration_s / HOUR_S
        for slot in plan.slots
        if from_h <= (slot.start_s - start_s) / HOUR_S < until_h
    )


@pytest.mark.slow
def test_every_room_is_warm_when_people_come_back(problem, plan) -> None:
    back = plan.slot_at(problem.grid.start_s + BACK_H * HOUR_S)
    k = plan.slots.index(back)
    short_k = {room: problem.comfort_low_c[room][k] - c for room, c in back.temps_c.items()}
    assert max(short_k.values()) < 0.3


@pytest.mark.slow
def test_a_slow_house_begins_more_than_ten_hours_before(plan) -> None:
    assert heat_kwh(plan, BACK_H - 20.0, BACK_H - 10.0) > 25.0
    assert heat_kwh(plan, BACK_H - 10.0, BACK_H) > 60.0
