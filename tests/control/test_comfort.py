from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.comfort import band_c, in_mode, is_day, ramped_setpoint_c, rule_target_c
from pems_actors.domain.events import HouseMode
from pems_actors.domain.house import Comfort
from pems_actors.domain.units import seconds

ZONE = "Europe/Prague"
COMFORT = Comfort(day_c=22.0, night_c=19.0, band_k=0.5)


def test_the_floor_of_the_band_rises_linearly_over_three_hours_before_the_day():
    at_3 = seconds("2026-01-15T03:00:00+01:00")
    lows = [band_c(COMFORT, at_3 + 1800.0 * k, ZONE)[0] for k in range(7)]
    assert lows == [18.5, 19.0, 19.5, 20.0, 20.5, 21.0, 21.5]


def test_in_the_evening_the_floor_falls_at_once_and_the_ceiling_over_six_hours():
    evening = seconds("2026-01-15T22:00:00+01:00")
    assert band_c(COMFORT, evening - 1.0, ZONE) == (21.5, 22.5)
    assert band_c(COMFORT, evening, ZONE) == (18.5, 22.5)
    assert band_c(COMFORT, evening + 2 * 3600.0, ZONE) == (18.5, 21.5)
    assert band_c(COMFORT, evening + 4.5 * 3600.0, ZONE)[1] == 20.25
    assert band_c(COMFORT, evening + 6 * 3600.0, ZONE)[1] == 20.5  # the morning's rise has begun


def test_a_day_that_spans_midnight_is_understood():
    shift_worker = Comfort(day_from_h=20.0, day_until_h=4.0)
    assert is_day(shift_worker, 23.0)
    assert is_day(shift_worker, 2.0)
    assert not is_day(shift_worker, 12.0)


def test_the_band_follows_local_time_over_both_changes_of_the_clock():
    for day in ("2026-03-29", "2026-10-25"):
        offset = "+02:00" if day == "2026-03-29" else "+01:00"
        assert band_c(COMFORT, seconds(f"{day}T06:00:00{offset}"), ZONE)[0] == 21.5
        assert band_c(COMFORT, seconds(f"{day}T21:59:00{offset}"), ZONE)[0] == 21.5


def test_the_rules_never_lower_a_room_deeply():
    for hour in range(24):
        assert rule_target_c(COMFORT, float(hour), 3.0) >= 21.2


def test_the_rules_aim_at_what_will_hold_when_the_heat_arrives():
    assert rule_target_c(COMFORT, 4.0, 2.0) == 22.0
    assert rule_target_c(COMFORT, 3.0, 0.25) == 21.2
    assert rule_target_c(COMFORT, 12.0, 3.0) == 22.0


def test_modes_shift_the_comfort_and_away_keeps_seventeen_degrees():
    assert in_mode(COMFORT, HouseMode.NORMAL) is COMFORT
    assert in_mode(COMFORT, HouseMode.ECONOMY).day_c == 21.0
    assert in_mode(COMFORT, HouseMode.COMFORT).night_c == 19.5
    away = in_mode(COMFORT, HouseMode.AWAY)
    assert (away.day_c, away.night_c) == (17.0, 17.0)
    cool = in_mode(Comfort(day_c=16.0, night_c=15.0), HouseMode.AWAY)
    assert (cool.day_c, cool.night_c) == (16.0, 15.0)


@given(day=st.floats(15, 26), drop=st.floats(0, 5), hour=st.floats(0, 24, exclude_max=True))
def test_the_setpoint_is_always_between_night_and_day(day: float, drop: float, hour: float):
    comfort = Comfort(day_c=day, night_c=day - drop)
    assert day - drop - 1e-9 <= ramped_setpoint_c(comfort, hour) <= day + 1e-9
