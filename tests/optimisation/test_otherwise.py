"""What the other choice would cost, and what an explanation tells beside its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode, Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanSlot, RoomPath, SolverRecord
from pems_actors.domain.states import DeviceState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.otherwise import (
    LEG_FRAC,
    heat_price_at,
    otherwise,
    preheating_per_kwh,
)
from pems_actors.optimisation.why import explain
from tests.optimisation.problems import plan_for, quick_problem

NOW_S = 1_673_870_400.0
HOUR_S = 3600.0
BATH = Relay("bath", 2.0, 2.0, (("bath", 1.0),))
CELLAR = Relay("cellar", 1.0, 1.0, (("cellar", 1.0),))


def slot(k: int = 0, **changes) -> PlanSlot:
    """An hour: `bath` heats with 2 kW, the battery gives 1 kW, half a kW leaves the house."""
    told = {
        "start_s": NOW_S + k * HOUR_S, "duration_s": HOUR_S,
        "relays": {"bath": k == 0, "cellar": False},
        "heat_kw": {"bath": 2.0 if k == 0 else 0.0, "cellar": 0.0},
        "battery_mode": BatteryMode.SELF_USE, "battery_kw": 1.0, "grid_kw": -0.5, "pv_kw": 0.0,
        "base_load_kw": 0.5, "export_allowed": True, "temps_c": {"bath": 21.0, "hall": 19.5},
        "soc_frac": 0.5, "cost": 1.0,
        "reasons": {"bath": "on: cheap", "cellar": "off", "battery": "serves", "export": "allowed"},
        "power_price_per_kwh": 3.0, "charge_price_per_kwh": 2.0, **changes,
    }  # fmt: skip
    return PlanSlot(**told)


def a_plan(*slots: PlanSlot) -> Plan:
    slots = slots or (slot(0), slot(1))
    starts = tuple(s.start_s for s in slots)
    paths = {
        "bath": RoomPath(starts, (21.0,) * len(slots), (4.0,) * len(slots)),
        "hall": RoomPath(starts, (19.5,) * len(slots), (1.0,) * len(slots)),
    }
    record = SolverRecord("solved", "piqp", 9, 0.1, 0.1, 0.0, 1.0)
    return Plan(NOW_S, NOW_S + HOUR_S, Level.PLAN, slots, {}, (), paths, record)


PRICES = PriceCurve(
    NOW_S, TimeGrid.uniform(NOW_S, 2, HOUR_S), (3.0, 5.0), (1.5, 1.5), NOW_S, (False, False)
)


def test_a_relay_that_is_on_would_lose_the_worth_of_its_heat_and_save_its_price() -> None:
    plan = a_plan()
    other = otherwise(plan, plan.slots[0], BATH, PRICES)
    assert other == ("off", pytest.approx(2.0 * (4.0 - 3.0)))


def test_a_relay_that_is_off_would_cost_more_where_heat_is_worth_less_than_power() -> None:
    plan = a_plan(slot(0), slot(1, power_price_per_kwh=5.0))
    other = otherwise(plan, plan.slots[1], BATH, PRICES)
    assert other == ("on", pytest.approx(2.0 * (5.0 - 4.0)))


def test_a_relay_that_the_plan_never_uses_has_no_price() -> None:
    plan = a_plan()
    assert otherwise(plan, plan.slots[0], CELLAR, PRICES) is None


def test_discharge_is_worth_what_it_saves_less_what_it_takes_from_the_store() -> None:
    plan = a_plan()
    other = otherwise(plan, plan.slots[0], "battery", PRICES)
    assert other == ("hold", pytest.approx(3.0 - 2.0 / LEG_FRAC))


def test_charging_dear_power_for_little_worth_would_better_be_left() -> None:
    dear = slot(0, battery_mode=BatteryMode.CHARGE_GRID, battery_kw=-1.0, power_price_per_kwh=3.0)
    other = otherwise(a_plan(dear), dear, "battery", PRICES)
    assert other.cost == pytest.approx(2.0 * LEG_FRAC - 3.0)
    assert other.cost < 0.0


def test_a_battery_at_rest_and_a_plan_without_duals_have_nothing_to_compare() -> None:
    plan = a_plan()
    assert otherwise(plan, slot(0, battery_kw=0.0), "battery", PRICES) is None
    assert otherwise(plan, slot(0, charge_price_per_kwh=None), "battery", PRICES) is None
    assert otherwise(plan, slot(0, power_price_per_kwh=None), BATH, PRICES) is None


def test_export_that_is_forbidden_would_lose_what_it_earns() -> None:
    plan = a_plan()
    assert otherwise(plan, plan.slots[0], "export", PRICES) == ("forbidden", pytest.approx(0.75))
    assert otherwise(plan, plan.slots[0], "export", None) is None
    assert otherwise(plan, slot(0, export_allowed=False), "export", PRICES) is None


def test_preheating_gains_what_heat_will_be_worth_over_power_now() -> None:
    plan = a_plan()
    assert preheating_per_kwh(plan, plan.slots[0], BATH) == pytest.approx(1.0)
    assert preheating_per_kwh(plan, plan.slots[0], CELLAR) is None
    assert heat_price_at(plan, "bath", NOW_S - 1.0) is None


def test_an_explanation_tells_what_why_and_what_otherwise() -> None:
    state = DeviceState("rooms/bath", NOW_S, Level.PATH, "on the path", ())
    told = explain(a_plan(), PRICES, "bath", NOW_S + 60.0, state, BATH)
    assert (told["action"], told["reason"], told["level"]) == ("on", "on: cheap", 2)
    assert told["decided_by"] == "on the path"
    assert told["shadow_prices"] == {
        "heat_per_kwh": 4.0, "power_per_kwh": 3.0, "charge_per_kwh": None,
    }  # fmt: skip
    assert told["alternative_cost"] == {"instead": "off", "cost": pytest.approx(2.0)}
    assert told["preheating_per_kwh"] == pytest.approx(1.0)
    assert told["path"]["temp_c"] == (21.0, 21.0)
    assert told["path"]["power_per_kwh"] == [3.0, 3.0]


def test_a_relay_of_two_rooms_is_explained_by_what_heat_is_worth_in_both() -> None:
    shared = replace(BATH, members=(("bath", 0.5), ("hall", 0.5)))
    told = explain(a_plan(), PRICES, "bath", NOW_S, None, shared)
    assert told["shadow_prices"]["heat_per_kwh"] == pytest.approx(0.5 * 4.0 + 0.5 * 1.0)
    assert told["preheating_per_kwh"] == pytest.approx(-0.5)
    assert told["alternative_cost"] == {"instead": "off", "cost": pytest.approx(-1.0)}
    assert told["path"]["heat_per_kwh"] == (4.0, 4.0)


def test_the_battery_tells_the_worth_of_its_charge() -> None:
    told = explain(a_plan(), PRICES, "battery", NOW_S, None)
    assert told["shadow_prices"]["charge_per_kwh"] == 2.0
    assert told["path"] is None
    assert told["preheating_per_kwh"] is None


def test_a_room_without_a_relay_of_its_own_is_explained_too() -> None:
    told = explain(a_plan(), PRICES, "hall", NOW_S, None)
    assert told["action"] == "19.5 °C, no relay of its own"
    assert told["alternative_cost"] is None
    assert told["path"]["heat_per_kwh"] == (1.0, 1.0)


def test_a_stranger_is_told_whom_to_ask_for() -> None:
    with pytest.raises(LookupError, match="bath, battery, cellar, export, hall"):
        explain(a_plan(), PRICES, "kitchen", NOW_S, None)


def test_in_a_real_plan_what_was_chosen_is_seldom_much_dearer_than_the_other() -> None:
    """Rounding to whole relays may choose against the duals, but not for much money."""
    problem = replace(quick_problem(), battery_obeys=True)
    plan = plan_for(problem)
    binary = [s for s in plan.slots if s.binary]
    costs = [
        other.cost
        for s in binary
        for relay in problem.relays
        if (other := otherwise(plan, s, relay, None)) is not None
    ]
    assert costs
    assert sum(cost > -0.5 for cost in costs) >= 0.9 * len(costs)
