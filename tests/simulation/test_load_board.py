"""The flexible loads of the simulated house."""

import pytest

from pems_actors.domain.commands import SetLoad
from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind
from pems_actors.domain.levels import Level
from pems_actors.simulation.load_board import LoadBoard

CAR = FlexibleLoad("car", LoadKind.CAR, 11.0, every_day_kwh=20.0)
BOILER = FlexibleLoad(
    "boiler", LoadKind.BOILER, 2.0, (1.0, 0.0, 0.0), tariff_blocked=True, every_day_kwh=4.0
)


def held(load: str, until_s: float, *, on: bool = False) -> SetLoad:
    return SetLoad(load, on, "test", Level.RULES, 0.0, until_s)


def day(board: LoadBoard, hours: float, start_h: float, *, blocked: bool = False) -> None:
    for minute in range(int(hours * 60)):
        board.update(60.0 * minute, (start_h + minute / 60.0) % 24.0, blocked)
        board.pass_time(60.0)


def test_a_car_that_nobody_holds_back_charges_when_it_comes_home_until_it_is_full():
    board = LoadBoard((CAR,), seed=1)
    board.update(0.0, 16.9, blocked=False)
    assert board.total_kw == 0.0
    board.update(60.0, 17.0, blocked=False)
    assert board.total_kw == 11.0
    day(board, 5.0, 17.0)
    assert board.total_kw == 0.0
    assert 20.0 < board.figures()["car_kwh"] < 33.0


def test_an_order_holds_a_car_back_as_long_as_its_lease_and_no_longer():
    board = LoadBoard((CAR,), seed=1)
    board.apply(held("car", 900.0))
    board.update(0.0, 18.0, blocked=False)
    assert board.total_kw == 0.0
    board.update(900.0, 18.3, blocked=False)
    assert board.total_kw == 11.0


def test_a_load_that_ignores_orders_draws_on_until_it_is_repaired():
    board = LoadBoard((CAR, BOILER), seed=1)
    board.apply(held("car", 1e9))
    board.ignore("car", True)
    board.update(0.0, 18.0, blocked=True)
    assert board.total_kw == 11.0
    board.ignore("car", False)
    board.update(60.0, 18.0, blocked=True)
    assert board.total_kw == 0.0


def test_the_contactor_stands_above_every_order():
    board = LoadBoard((BOILER,), seed=1)
    board.apply(held("boiler", 1e9, on=True))
    board.update(0.0, 12.0, blocked=True)
    assert board.total_kw == 0.0
    board.update(60.0, 12.0, blocked=False)
    assert board.total_kw == 2.0
    assert board.on_top_of((0.0, 1.0, 2.0)) == (2.0, 1.0, 2.0)


def test_a_boiler_stops_by_its_own_thermostat_and_cools_when_it_is_used():
    board = LoadBoard((BOILER,), seed=1)
    day(board, 6.0, 0.0)
    hot = board.readings(0.0)[0].temp_c
    assert hot == pytest.approx(62.0, abs=6.5)
    board.apply(held("boiler", 1e9))
    day(board, 2.0, 6.0)
    assert board.readings(0.0)[0].temp_c < hot - 5.0


def test_a_board_goes_on_from_what_was_kept():
    board = LoadBoard((CAR, BOILER), seed=1)
    day(board, 1.0, 17.0)
    again = LoadBoard((CAR, BOILER), seed=1)
    again.load_plain(board.to_plain())
    assert again.to_plain() == board.to_plain()


def test_a_load_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="sauna"):
        LoadBoard((CAR,), seed=1).apply(held("sauna", 1.0))
