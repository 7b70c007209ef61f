"""The parts of the closed loop: prices, names, rules, churn, results on disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pems_actors.bench.closed_loop.churn import Churn, news_between
from pems_actors.bench.closed_loop.journal import Journal, Key
from pems_actors.bench.closed_loop.market import KnownMarket, QuarterMarket
from pems_actors.bench.closed_loop.spans import FORTNIGHTS, Span
from pems_actors.bench.closed_loop.thermostat_run import day_prices
from pems_actors.bench.closed_loop.thermostats import (
    Hysteresis,
    OriginalV1,
    PriceShift,
    cheap_hours,
)
from pems_actors.bench.closed_loop.variants import (
    ABLATIONS,
    KNOWN,
    MAIN,
    SWEEP_K,
    believed,
    variant_of,
    with_sweeps,
)
from pems_actors.bench.closed_loop.world import World, warmer
from pems_actors.bench.planning_instances import instance
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan
from pems_actors.domain.readings import HouseReading, InverterReading, RoomReading
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, seconds
from pems_actors.optimisation.solver import solve
from pems_actors.simulation.market import traded_eur_mwh

ZONE = "Europe/Prague"
START_S = FORTNIGHTS[0].start_s
SHORT = Span("short", "winter", "2023-01-16", days=1, run_in_days=0.0)


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(SHORT, 0)


# --- prices


def test_quarters_of_an_hour_average_to_the_recorded_hour() -> None:
    hours = TimeGrid.uniform(START_S, 48, HOUR_S)
    ours = QuarterMarket(3, ZONE).traded_eur_mwh(hours)
    assert ours == pytest.approx(traded_eur_mwh(hours), abs=1e-4)


def test_quarters_of_an_hour_differ_and_follow_the_neighbours() -> None:
    quarters = np.array(QuarterMarket(3, ZONE).traded_eur_mwh(TimeGrid.uniform(START_S, 96)))
    assert len(set(quarters.tolist())) == 96


def test_tomorrow_is_not_known_before_it_is_published_but_by_hindsight() -> None:
    grid = TimeGrid.uniform(START_S, 2 * 96)
    market = QuarterMarket(0, ZONE)
    assert market.spot_eur_mwh(grid, START_S)[-1] is None
    assert None not in KnownMarket(market).spot_eur_mwh(grid, START_S)


@pytest.mark.parametrize(("day", "quarters"), [("2023-03-26", 92), ("2023-10-29", 100)])
def test_a_day_of_the_clock_change_has_its_own_number_of_prices(day: str, quarters: int) -> None:
    noon_s = seconds(f"{day}T12:00:00Z")
    assert len(day_prices(World.of(SHORT, 0), noon_s).spot_per_kwh) == quarters


# --- names


def test_every_controller_can_be_named_with_and_without_an_offset() -> None:
    for name in (*MAIN, *ABLATIONS):
        assert variant_of(name) == KNOWN[name]
        moved = variant_of(f"{name}-0.3")
        assert (moved.name, moved.offset_k, moved.label) == (name, -0.3, f"{name}-0.3")


def test_an_unknown_controller_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="give some of hysteresis, price_shift"):
        variant_of("magic")


def test_a_baseline_comes_at_several_set_points() -> None:
    chosen = with_sweeps(("hysteresis", "ours"))
    assert [v.offset_k for v in chosen] == [*SWEEP_K["hysteresis"], 0.0]


def test_turning_up_moves_every_set_point_and_nothing_else(world: World) -> None:
    after = warmer(world.house, 0.5)
    assert all(
        new.comfort == replace(old.comfort, day_c=old.comfort.day_c + 0.5,
                               night_c=old.comfort.night_c + 0.5)
        for new, old in zip(after.rooms, world.house.rooms, strict=True)
    )  # fmt: skip
    assert warmer(world.house, 0.0) is world.house


def test_ablations_change_what_is_believed_and_not_the_true_house(world: World) -> None:
    assert believed(world.house, KNOWN["ours"]) == world.house
    phases = {relay.phases for relay in believed(world.house, KNOWN["no_phases"]).relays}
    assert phases == {(1 / 3, 1 / 3, 1 / 3)}
    one_mass = believed(world.house, KNOWN["one_mass"]).model.rooms[0]
    assert one_mass.g_screed_air_kw_k > 10.0 * world.house.model.rooms[0].g_screed_air_kw_k
    assert {relay.phases for relay in world.house.relays} != phases


# --- thermostats


def _reading(world: World, at_s: float, temp_c: float, pv_kw: float = 0.0) -> HouseReading:
    rooms = tuple(RoomReading(room.name, at_s, temp_c) for room in world.house.rooms)
    return HouseReading(at_s, rooms=rooms, inverter=InverterReading(at_s, pv_kw, True))


def test_a_cold_house_wants_all_relays_and_a_hot_one_none(world: World) -> None:
    prices, controller = day_prices(world, START_S), Hysteresis(world.house)
    cold = controller.wishes(_reading(world, START_S, 15.0), prices)
    hot = controller.wishes(_reading(world, START_S, 25.0), prices)
    assert all(wish.on and wish.slack_k < 0.0 for wish in cold.values())
    assert not any(wish.on for wish in hot.values())


def test_within_its_band_a_thermostat_stays_as_it_is(world: World) -> None:
    prices, controller = day_prices(world, START_S), Hysteresis(world.house)
    at_s = START_S + 12 * HOUR_S
    wish = world.house.rooms[2].comfort.day_c  # a room with a relay of its own
    name = world.house.rooms[2].name
    controller.wishes(_reading(world, at_s, wish - 1.0), prices)
    assert controller.wishes(_reading(world, at_s, wish), prices)[name].on
    controller.wishes(_reading(world, at_s, wish + 1.0), prices)
    assert not controller.wishes(_reading(world, at_s, wish), prices)[name].on


def test_a_price_shift_heats_in_cheap_hours_what_it_saves_in_dear_ones(world: World) -> None:
    prices = day_prices(world, START_S + HOUR_S)
    ranked = sorted(range(96), key=lambda k: prices.import_per_kwh[k])
    controller = PriceShift(world.house)
    cheap, dear = (
        controller._shift_k(_reading(world, prices.start_s + k * 900.0, 20.0), prices)
        for k in (ranked[0], ranked[-1])
    )
    assert cheap > 0.0 > dear


def test_the_cheap_hours_of_v1_are_the_six_the_lowest_quarter_and_the_best_two_in_a_row() -> None:
    hours = [10.0] * 24
    hours[3:9] = [5.0, 5.1, 5.2, 5.3, 5.4, 5.5]
    hours[20] = 0.0  # one dip: the cheapest hour, alone in the lowest quarter
    cheap = cheap_hours(hours)
    assert {20, 3, 4, 5, 6, 7} <= cheap
    assert len(cheap) == 7  # and an hour beside the dip, for the best two in a row
    assert cheap & {19, 21}


def test_v1_charges_in_the_best_two_hours_and_lets_the_sun_in_first_in_cheap_ones(
    world: World,
) -> None:
    prices = day_prices(world, START_S + HOUR_S)
    controller = OriginalV1(world.house)
    orders = [
        controller.storage(_reading(world, prices.start_s + h * HOUR_S, 20.0, 2.0), prices)
        for h in range(24)
    ]
    charging = [o for o in orders if o.mode is BatteryMode.CHARGE_GRID and o.rate_kw is None]
    first = [o for o in orders if o.mode is BatteryMode.CHARGE_GRID and o.rate_kw == 2.0]
    assert len(charging) == 2
    assert first
    assert any(order.mode is BatteryMode.SELF_USE for order in orders)


# --- churn


def test_a_plan_that_follows_another_without_a_change_has_no_churn() -> None:
    plan = _plan()
    churn = Churn.of([plan, replace(plan, issued_at_s=plan.issued_at_s + 900.0)], ZONE)
    assert churn.slots == 8 * len(plan.slots[0].relays)
    assert churn.all_frac == 0.0


def test_every_flipped_slot_of_the_next_two_hours_counts() -> None:
    plan = _plan()
    slots = tuple(replace(s, relays={n: not on for n, on in s.relays.items()}) for s in plan.slots)
    turned = replace(plan, slots=slots, issued_at_s=plan.issued_at_s + 900.0)
    assert Churn.of([plan, turned], ZONE).all_frac == 1.0


def test_without_two_plans_there_is_no_churn_to_tell() -> None:
    assert Churn.of([], ZONE).all_frac is None


def test_a_weather_issue_and_tomorrow_s_prices_are_news_and_a_quarter_hour_is_not() -> None:
    assert news_between(START_S - 30.0, START_S + 870.0, ZONE)
    one_pm_s = START_S + 12 * HOUR_S  # 13:00 in Prague; the weather comes at noon UTC too
    assert news_between(one_pm_s - 30.0, one_pm_s + 30.0, ZONE)
    assert not news_between(START_S + 870.0, START_S + 1770.0, ZONE)


def _plan() -> Plan:
    plan = solve(instance("winter", 0, horizon_s=DAY_S / 4))
    assert isinstance(plan, Plan)
    return plan


# --- results


def test_results_outlive_the_run_and_a_line_cut_off_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "results.jsonl")
    line = {"span": "short", "days": 1, "seed": 0, "controller": "ours", "cost": 1.0}
    journal.add(line)
    journal.add({**line, "cost": 2.0})
    with (tmp_path / "deep" / "results.jsonl").open("a") as file:
        file.write('{"span": "sho')
    assert journal.results() == {Key("short", 1, 0, "ours"): {**line, "cost": 2.0}}


def test_without_a_file_nothing_is_kept() -> None:
    Journal().add({"span": "short"})
    assert Journal().results() == {}
