"""What a wish costs: heat at the plan's prices, less what the house still holds of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.wish_price import PricedPath, price_of_wish
from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.physics.house_model import HouseDynamics
from pems_actors.physics.priors import room_model

HOUR_S = 3600.0
SLOTS = 160
FLOOR, PANEL = (
    HouseDynamics(HouseModel((room_model("room", emitter, 1.5, 45.0),)))
    for emitter in (Emitter.FLOOR, Emitter.PANEL)
)


def path(
    temp_c: float = 21.0,
    heat: float = 3.0,
    power: float = 3.0,
    heat_kw: float = 0.75,
    blocked: tuple[bool, ...] = (False,) * SLOTS,
) -> PricedPath:
    starts = tuple(900.0 * k for k in range(SLOTS))
    rows = ((value,) * SLOTS for value in (temp_c, heat, power, heat_kw))
    return PricedPath(starts, *rows, blocked)


def price(wish_c, hours, dynamics=FLOOR, led=None, power_kw=1.5):
    return price_of_wish(dynamics, "room", power_kw, led or path(), wish_c, 0.0, hours * HOUR_S)


def test_a_wish_for_what_is_planned_anyway_costs_nothing() -> None:
    told = price(21.0, 6)
    assert told.cost == pytest.approx(0.0, abs=1e-9)
    assert told.extra_kwh == pytest.approx(0.0, abs=1e-9)
    assert told.short_k is None


def test_warmer_costs_and_cooler_saves_just_as_much() -> None:
    warmer, cooler = price(22.0, 6), price(20.0, 6)
    assert warmer.cost > 0.05
    assert cooler.cost == pytest.approx(-warmer.cost)


def test_a_longer_and_a_warmer_wish_costs_more() -> None:
    assert price(22.0, 4).cost < price(22.0, 8).cost < price(22.5, 8).cost


def test_a_floor_is_late_and_a_panel_is_quick() -> None:
    floor, panel = price(22.0, 8), price(22.0, 8, PANEL)
    assert floor.reached_s > HOUR_S
    assert panel.reached_s <= HOUR_S


def test_a_wish_that_is_too_short_for_a_floor_says_by_how_much() -> None:
    told = price(24.0, 1)
    assert told.reached_s is None
    assert told.short_k > 1.0


def test_heat_that_is_worth_nothing_afterwards_makes_a_wish_dearer() -> None:
    worthless = price(22.0, 6, led=path(heat=0.0))
    assert worthless.cost == pytest.approx(3.0 * worthless.extra_kwh)
    assert worthless.cost > price(22.0, 6).cost


def test_a_wish_to_be_cooler_never_costs_and_one_to_be_warmer_never_pays() -> None:
    """Also where a room is short of heat, so that it prices heat far above all power."""
    short_of_heat = path(heat=9.3, power=3.0)
    for hours in (2, 5, 24, 96):
        assert price(18.0, hours, led=short_of_heat).cost < 0.0
        assert price(23.0, hours, led=short_of_heat).cost > 0.0


def test_heat_that_is_not_planned_cannot_be_spared() -> None:
    off = price(18.0, 6, led=path(heat_kw=0.0))
    assert (off.extra_kwh, off.cost) == (0.0, 0.0)


def test_in_blocked_hours_no_heat_is_added() -> None:
    at_night = price(23.0, 4, led=path(heat_kw=0.0, blocked=(True,) * SLOTS))
    assert at_night.extra_kwh == 0.0
    assert at_night.short_k is not None


def test_a_room_that_is_not_heated_afterwards_spares_nothing() -> None:
    summer = price(23.0, 4, led=path(heat_kw=0.0))
    assert summer.cost == pytest.approx(3.0 * summer.extra_kwh)


def test_beyond_the_plan_its_last_day_comes_again() -> None:
    led = path()
    assert led.at(900.0 * SLOTS - 1.0) == SLOTS - 1
    assert led.at(900.0 * SLOTS) == SLOTS - 96
    assert led.at(900.0 * SLOTS + 10 * 86400.0) == SLOTS - 96
    assert price(18.0, 96, led=led).cost < 3.0 * price(18.0, 24, led=led).cost < 0.0


def test_a_wish_over_dear_hours_costs_more_than_over_cheap_ones() -> None:
    assert price(22.0, 6, led=path(power=6.0)).cost > price(22.0, 6).cost


def test_a_room_that_nothing_heats_has_no_price() -> None:
    with pytest.raises(ValueError, match="nothing heats room"):
        price(22.0, 6, power_kw=0.0)


@given(st.floats(17.0, 25.0), st.floats(0.3, 30.0), st.sampled_from((FLOOR, PANEL)))
def test_no_more_heat_is_priced_than_the_relay_can_give(wish_c, hours, dynamics) -> None:
    told = price(wish_c, hours, dynamics)
    assert abs(told.extra_kwh) <= 0.75 * (hours + 0.25) + 1e-9
    assert abs(told.left_kwh) <= abs(told.extra_kwh) + 1e-9
    assert (told.reached_s is None) is (told.short_k is not None)
