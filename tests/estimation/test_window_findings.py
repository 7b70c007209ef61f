"""Open windows: by contact or by a fall of the air that the model cannot explain."""

from __future__ import annotations

import pytest

from tests.estimation.house_days import Days, only, settled


def windows(days: Days) -> dict[str, bool]:
    inspected = days.speaker.inspected(days.seen, days.at_s)
    return {} if inspected is None else dict(inspected.windows)


def test_a_window_without_a_contact_shows_by_the_fall_of_the_air() -> None:
    days = settled()
    days.draught_kw_k["bath"] = 0.1
    began = days.minute
    days.rest(15)
    assert windows(days) == {"bath": True}
    assert days.told["rooms/bath/window-open"] - began <= 15


def test_a_wide_open_window_shows_within_minutes() -> None:
    days = settled()
    days.draught_kw_k["hall"] = 0.3
    began = days.minute
    days.rest(8)
    assert days.told["rooms/hall/window-open"] - began <= 5


def test_ordinary_airing_is_no_open_window() -> None:
    days = settled()
    for hour in range(24):
        days.draught_kw_k["living"] = 0.012 * (hour % 2)
        days.rest(60)
    assert days.told == {}


def test_heating_that_stops_is_no_open_window() -> None:
    days = settled()
    days.order("hall", on=True)
    days.run(60)
    days.order("hall", on=False)
    days.run(90)
    assert "rooms/hall/window-open" not in days.told


@pytest.mark.parametrize("minutes", [12, 25, 90])
def test_a_heated_room_that_nobody_looked_at_for_a_while_has_no_open_window(minutes: int) -> None:
    """The computer slept: what the model expects of that time is no fall of the air."""
    days = settled()
    days.order("hall", on=True)
    days.run(10)
    look, days.look = days.look, lambda _on: None
    days.run(minutes)
    days.look = look
    days.run(1)
    days.order("hall", on=False)
    days.run(20)
    assert "rooms/hall/window-open" not in days.told


def test_the_pause_ends_after_half_an_hour() -> None:
    days = settled()
    days.draught_kw_k["bath"] = 0.1
    while not windows(days):
        days.rest(1)
    opened = days.minute
    while windows(days):
        days.rest(1)
    assert 20 <= days.minute - opened <= 30


@pytest.mark.parametrize("room", ["bath", "hall"])
def test_a_window_that_is_closed_again_ends_the_pause_as_soon_as_the_air_climbs(room: str) -> None:
    days = settled()
    days.draught_kw_k[room] = 0.2
    while not windows(days):
        days.rest(1)
    opened = days.minute
    days.rest(3)
    days.draught_kw_k[room] = 0.0
    while windows(days):
        days.order(room, on=False)
        days.run(1)
    assert days.minute - opened < 29


def test_a_contact_pauses_for_as_long_as_it_says_open() -> None:
    days = settled()
    days.bend = only("bath", lambda _, room: room._replace(window_open=True))
    days.rest(100)
    assert windows(days) == {"bath": True}
    days.bend = only("bath", lambda _, room: room._replace(window_open=False))
    days.rest(1)
    assert windows(days) == {}


@pytest.mark.parametrize("open_min", range(4, 28, 4))
@pytest.mark.parametrize("draught_kw_k", [0.05, 0.2])
@pytest.mark.parametrize("then", [False, None], ids=["closed", "silent"])
def test_what_the_air_lost_while_the_contact_said_open_is_no_window_afterwards(
    open_min: int, draught_kw_k: float, then: bool | None
) -> None:
    days = settled()
    days.draught_kw_k["bath"] = draught_kw_k
    days.bend = only("bath", lambda _, room: room._replace(window_open=True))
    days.rest(open_min)
    days.draught_kw_k["bath"] = 0.0
    days.bend = only("bath", lambda _, room: room._replace(window_open=then))
    for _ in range(30):
        days.rest(1)
        assert windows(days) == {}


def test_a_contact_that_says_open_for_two_hours_is_not_believed_any_more() -> None:
    days = settled()
    days.bend = only("bath", lambda _, room: room._replace(window_open=True))
    days.rest(125)
    assert windows(days) == {"bath": False}
    assert "rooms/bath/contact-lies" in days.paths


def test_a_contact_that_falls_silent_holds_nothing() -> None:
    days = settled()
    days.bend = only("bath", lambda _, room: room._replace(window_open=True))
    days.rest(5)
    days.bend = lambda _, room: room
    days.rest(1)
    assert windows(days) == {}


@pytest.mark.parametrize("room", ["bath", "living"])
def test_an_open_window_teaches_the_model_no_losses(room: str) -> None:
    days = settled()
    row = {"living": 0, "bath": 1}[room]
    before_kw = days.seen.beliefs[9 + row, 0]
    days.draught_kw_k[room] = 0.08
    days.bend = only(room, lambda _, r: r._replace(window_open=True))
    days.rest(60)
    assert days.seen.beliefs[9 + row, 0] == pytest.approx(before_kw, abs=0.01)


def test_one_wild_reading_is_no_open_window() -> None:
    days = settled()
    at = days.minute + 1
    days.bend = only("bath", lambda m, r: r._replace(temp_c=r.temp_c - 1.3) if m == at else r)
    days.rest(20)
    assert windows(days) == {}


def test_a_sensor_that_was_stuck_and_leaps_to_the_truth_is_no_open_window() -> None:
    days = settled()
    stuck_c = round(days.true_c("bath"), 1)
    days.bend = only("bath", lambda _, room: room._replace(temp_c=stuck_c))
    days.draught_kw_k["bath"] = 0.008
    while days.true_c("bath") > stuck_c - 0.8:
        days.rest(1)
    assert "rooms/bath/sensor-stuck" not in days.told  # it was not found out
    days.bend = lambda _, room: room
    days.rest(30)
    assert days.told == {}


def test_a_window_that_is_opened_wide_in_a_room_that_stood_still_is_still_found() -> None:
    days = settled()
    days.bend = only("hall", lambda _, room: room._replace(temp_c=round(days.true_c("hall"), 1)))
    days.rest(60)
    days.draught_kw_k["hall"] = 0.3
    began = days.minute
    days.rest(10)
    assert days.told["rooms/hall/window-open"] - began <= 8
