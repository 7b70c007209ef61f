"""Heat on the last plan's path: by plan, error and price; never out of the band."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.bench.planning_instances import instance
from pems_actors.control.path import (
    coming_short_k,
    path_duty,
    rise_k_per_h,
    short_duty,
    slot_at,
)
from pems_actors.control.plan_views import energy_plan, room_plan
from pems_actors.control.room import LEAD_H, available_level, room_need
from pems_actors.domain.events import Outdoor
from pems_actors.domain.house import Emitter
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan
from pems_actors.domain.readings import Quality
from pems_actors.optimisation.solver import solve
from tests.control.builders import FACTS, NOON, plan, view

FLOOR = Emitter.FLOOR
MIDNIGHT = NOON + 12 * 3600.0
AWAY = NOON + 1900.0  # the plan has expired, its third slot is under way
DEAR, CHEAP, EVEN = -0.4, 0.4, 0.0


def duty(temp_c: float, worth: float, **changes: object) -> float:
    followed = plan(worth_frac=(worth,) * 4, **changes)
    seen = view(plan=followed, now_s=AWAY, temp_c=temp_c)
    need = room_need(FACTS, seen, *available_level(seen))
    assert need.level is Level.PATH
    return need.duty


def test_a_room_on_its_path_gets_the_heat_that_was_planned():
    assert duty(22.2, EVEN) == pytest.approx(0.4)


def test_a_room_under_its_path_is_led_back_while_heat_is_worth_its_price():
    assert duty(22.0, EVEN) == pytest.approx(0.6)
    assert duty(22.0, CHEAP) == pytest.approx(1.0)


def test_a_room_under_its_path_waits_while_heat_is_dear_and_its_band_has_room():
    assert duty(22.0, DEAR, duty=(0.0,) * 4) == 0.0


def test_a_room_that_will_leave_its_band_is_heated_however_dear_heat_is():
    low = {"duty": (0.0,) * 4, "path_c": (21.7, 21.65, 21.6, 21.6)}
    assert duty(21.6, DEAR, **low) == 0.0
    assert duty(21.4, DEAR, **low) > 0.4
    assert duty(21.0, DEAR, **low) == 1.0


def test_a_small_shortfall_counts_for_less_than_its_share():
    at_k = {k: short_duty(plan(duty=(0.0,) * 4), 0, k, FLOOR) for k in (0.05, 0.1, 0.2, 0.4)}
    assert at_k[0.05] == pytest.approx(at_k[0.1] / 4.0)
    assert at_k[0.1] == pytest.approx(at_k[0.2] / 4.0)
    assert at_k[0.2] == pytest.approx(at_k[0.4] / 2.0)


def test_in_hard_frost_the_rules_keep_the_band_while_heat_is_dear():
    frost = Outdoor(-15.0, Quality.GOOD, "sensor")
    dear = plan(worth_frac=(DEAR,) * 4, duty=(0.0,) * 4)
    seen = view(plan=dear, now_s=AWAY, temp_c=22.1, outdoor=frost)
    need = room_need(FACTS, seen, *available_level(seen))
    assert need.level is Level.PATH
    assert need.duty > 0.4
    mild = seen._replace(temp_c=22.1, outdoor=replace(frost, temp_c=5.0))
    assert room_need(FACTS, mild, *available_level(mild)).duty == 0.0


@pytest.mark.parametrize("unseen", [{"temp_c": None}, {"measured": False}])
def test_a_room_that_nobody_sees_is_never_without_heat_in_the_cold(unseen: dict[str, object]):
    dear = plan(worth_frac=(DEAR,) * 4, duty=(0.0,) * 4)
    seen = view(plan=dear, now_s=AWAY, **unseen)
    assert room_need(FACTS, seen, *available_level(seen)).duty >= 0.1


def test_a_path_that_falls_soon_is_seen_hours_ahead():
    falls = plan(path_c=(22.0, 22.0, 22.0, 21.2))
    short_k = coming_short_k(falls, 0, 0.0, FACTS.comfort, LEAD_H[FLOOR], 0.2, FACTS.timezone)
    assert short_k == pytest.approx(21.5 + 0.05 - 21.2)
    assert coming_short_k(falls, 0, 0.0, FACTS.comfort, 0.5, 0.2, FACTS.timezone) <= 0.0


@pytest.mark.parametrize(("steady", "least_c"), [(0.2, 21.5 - 6 * 0.32), (0.9, 21.5 - 6 * 0.04)])
def test_where_the_path_ends_a_room_is_left_as_the_rules_can_have_it_warm_by_morning(
    steady: float, least_c: float
):
    ends = plan(start_s=(MIDNIGHT - 3600.0,), end_s=MIDNIGHT, path_until_s=MIDNIGHT, path_c=(20.0,))
    rise = rise_k_per_h(steady, FLOOR)
    short_k = coming_short_k(ends, 0, 0.0, FACTS.comfort, LEAD_H[FLOOR], rise, FACTS.timezone)
    assert short_k == pytest.approx(max(least_c, 19.8) - 20.0)


def test_in_summer_a_room_cooler_than_its_path_asks_for_nothing():
    warm = {"duty": (0.0,) * 4, "path_c": (25.0,) * 4}
    assert duty(24.4, -1.0, **warm) == 0.0


def test_without_prices_the_path_alone_leads():
    assert path_duty(plan(), 2, 0.2, FLOOR) == pytest.approx(0.6)


@given(
    worth=st.floats(-2.0, 2.0),
    error_k=st.floats(-0.7, 0.7),
    colder_k=st.floats(0.0, 0.5),
    planned=st.floats(0.0, 1.0),
)
def test_colder_never_asks_for_less_heat_and_dearer_never_for_more(
    worth: float, error_k: float, colder_k: float, planned: float
):
    followed = plan(worth_frac=(worth,) * 4, duty=(planned,) * 4)
    dearer = replace(followed, worth_frac=(worth - 0.3,) * 4)
    asked = path_duty(followed, 0, error_k, FLOOR)
    assert 0.0 <= asked <= path_duty(followed, 0, error_k + colder_k, FLOOR) <= 1.0
    assert path_duty(dearer, 0, error_k, FLOOR) <= asked
    assert short_duty(followed, 0, colder_k, FLOOR) >= planned


def test_the_ends_of_a_plan_hold():
    assert [slot_at(plan(), NOON + s) for s in (-9.0, 0.0, 900.0, 1e6)] == [0, 0, 1, 3]


# --- what a plan leaves behind


@pytest.fixture(scope="module")
def winter() -> Plan:
    made = solve(instance("winter", 1, horizon_s=12 * 3600.0))
    assert isinstance(made, Plan)
    return made


def test_a_plan_tells_each_room_by_how_much_heat_is_worth_more_than_it_costs(winter: Plan):
    problem = instance("winter", 1, horizon_s=12 * 3600.0)
    for relay in problem.relays:
        part = room_plan(winter, relay.members[0][0], relay)
        assert len(part.worth_frac) == len(part.start_s)
        assert all(-2.0 <= worth <= 2.0 for worth in part.worth_frac)
        full = [w for w, d, on in zip(part.worth_frac, part.duty, part.on, strict=True)
                if on is None and d > 0.99]  # fmt: skip
        none = [w for w, d, on in zip(part.worth_frac, part.duty, part.on, strict=True)
                if on is None and d < 0.01]  # fmt: skip
        blocked = sum(problem.heating_blocked)
        assert all(worth > -0.02 for worth in full)
        assert sum(worth > 0.02 for worth in none) <= blocked + len(none) // 4  # caps bind too


def test_rooms_keep_to_their_path_beyond_the_known_prices_and_the_battery_does_not(winter: Plan):
    relay = instance("winter", 1, horizon_s=12 * 3600.0).relays[0]
    guessed = replace(winter, known_until_s=winter.issued_at_s + 3 * 3600.0)
    assert room_plan(guessed, relay.members[0][0], relay).path_until_s == winter.path_until_s
    assert energy_plan(guessed).known_until_s == guessed.known_until_s < winter.path_until_s


def test_a_plan_tells_the_battery_how_long_its_prices_are_known(winter: Plan):
    assert energy_plan(winter).known_until_s == winter.known_until_s > winter.issued_at_s


def test_a_plan_tells_the_battery_what_it_expects_of_sun_and_loads(winter: Plan):
    outlook = energy_plan(winter).outlook
    assert outlook is not None
    assert outlook.grid.starts_s == tuple(slot.start_s for slot in winter.slots)
    for k, slot in enumerate(winter.slots):
        balance_kw = slot.grid_kw + slot.battery_kw + outlook.pv_kw[k]
        assert balance_kw == pytest.approx(outlook.load_kw[k], abs=1e-6)
        assert outlook.charge_price_per_kwh[k] == slot.charge_price_per_kwh
