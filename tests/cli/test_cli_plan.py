"""`pems plan` and `pems explain`: the drawing is a pure function of the plan."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, Group

from pems_actors.cli import hours as hours_of
from pems_actors.cli import plan_view as view
from pems_actors.cli.words import figure, instant, next_at
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems, drawn

PRAGUE = ZoneInfo("Europe/Prague")


def rows(hours: int = 6) -> dict[str, view.Row]:
    return {row.name: row for row in view.hour_rows(told.a_plan(hours), UTC)}


def test_json_is_exactly_what_the_house_says(house: CannedHouse, pems: Pems) -> None:
    house.results["plan"] = told.a_plan()
    said = pems("plan", "--json", "--state", house.state)
    assert (said.code, json.loads(said.out)) == (0, told.a_plan())


def test_the_drawing_has_all_its_rows(house: CannedHouse, pems: Pems) -> None:
    house.results["plan"] = told.a_plan()
    said = pems("plan", "--state", house.state)
    assert said.code == 0
    for word in (
        "price",
        "blocked",
        "PV",
        "heat",
        "charge",
        "battery",
        "relays for 4 h from 12:00, a block is 15 min",
    ):
        assert word in said.out
    assert "cost 61.2 CZK" in said.out
    assert "not quite kept: obyvak too cold at 13:00 by 0.31" in said.out


def test_without_a_plan_the_reason_is_told(house: CannedHouse, pems: Pems) -> None:
    house.reject("plan", "no plan in force: the first one is on its way")
    said = pems("plan", "--state", house.state)
    assert (said.code, said.out) == (1, "")
    assert "on its way" in said.err


def test_blocked_hours_are_marked_where_they_are() -> None:
    assert rows()["blocked"].cells == "  x   "


def test_heat_is_drawn_by_the_hour_with_its_peak_and_sum() -> None:
    heat = rows()["heat"]
    assert heat.cells == "█     "
    assert heat.note == "4.0 kW, 4 kWh"


def test_import_and_export_are_two_rows() -> None:
    assert rows()["import"].cells == "█     "
    assert rows()["export"].cells == " █████"


def test_the_battery_shows_its_modes_and_what_they_mean() -> None:
    battery = rows()["battery"]
    assert battery.cells == "──C───"
    assert battery.note == "─ self C charge"


def test_dear_hours_are_higher_than_cheap_ones() -> None:
    cells = rows()["price"].cells
    assert list(cells) == sorted(cells)
    assert cells[0] != cells[-1]


def test_what_a_plan_does_not_tell_has_no_row() -> None:
    plan = told.a_plan()
    plan["prices"] = None
    for slot in plan["slots"]:
        del slot["pv_kw"]
    names = {row.name for row in view.hour_rows(plan, UTC)}
    assert not names & {"price", "blocked", "PV"}


def test_relays_are_blocks_and_idle_ones_are_only_named() -> None:
    slots = told.a_plan()["slots"]
    near = view.near_slots(slots)
    assert len(near) == 16
    assert view.relay_blocks(near, "obyvak") == "██" * 4 + "··" * 12
    assert view.relay_scale(near, UTC) == "12      13      14      15      "
    assert [row.name for row in view.relay_rows(slots, UTC)] == ["", "obyvak", "off"]


@pytest.mark.parametrize("columns", [20, 42, 80])
def test_a_narrow_terminal_keeps_the_names_and_every_row_on_one_line(columns: int) -> None:
    wanted = view.hour_rows(told.a_plan(), UTC)
    console = Console(width=columns, file=StringIO())
    with console.capture() as got:
        console.print(Group(*view.lines(wanted)))
    shown = got.get().splitlines()
    assert len(shown) == len(wanted)
    assert all(line.startswith(row.name) for line, row in zip(shown, wanted, strict=True))


def test_what_is_nothing_but_rounding_has_no_sign() -> None:
    assert figure(-0.001, 2, "kW") == "0.00 kW"
    assert figure(-0.011, 2, "kW") == "-0.01 kW"


def test_the_scale_is_local_and_names_the_day_at_midnight() -> None:
    hours = hours_of.hour_starts(told.a_plan(24)["slots"])
    assert hours_of.scale(hours, UTC).startswith("12 15 18 21 Tue")
    assert hours_of.scale(hours, PRAGUE).startswith("  15 18 21 Tue")


def test_a_plan_that_begins_within_an_hour_still_has_that_hour() -> None:
    slots = told.a_plan()["slots"][1:]
    assert hours_of.hour_starts(slots)[0] == instant(told.AT)


def test_the_drawing_never_grows_beyond_two_days() -> None:
    assert len(hours_of.hour_starts(told.a_plan(60)["slots"])) == hours_of.COLUMNS


@given(
    st.lists(st.tuples(st.integers(1, 240), st.floats(0, 20)), min_size=1, max_size=40),
)
def test_hourly_means_keep_the_sum(parts: list[tuple[int, float]]) -> None:
    """Whatever the slots' lengths: means times covered hours is the energy of the slots."""
    start, spans = instant(told.AT), []
    for minutes, value in parts:
        spans.append(hours_of.Span(start, start + timedelta(minutes=minutes), value))
        start = spans[-1].end
    slots = [
        {"start": s.start.isoformat(), "duration_s": (s.end - s.start).total_seconds()}
        for s in spans
    ]
    hours = hours_of.hour_starts(slots, most=1000)
    means = hours_of.hourly_mean(hours, spans)
    covered_h = [sum(sec for sec, _ in hours_of._shares(hour, spans)) / 3600.0 for hour in hours]
    drawn = sum(mean * h for mean, h in zip(means, covered_h, strict=True) if mean is not None)
    energy = sum(minutes / 60.0 * value for minutes, value in parts)
    assert drawn == pytest.approx(energy)


@given(st.lists(st.one_of(st.none(), st.floats(0, 30)), max_size=60), st.floats(0, 30))
def test_bars_have_one_character_per_hour(values: list[float | None], high: float) -> None:
    assert len(hours_of.bars(values, 0.0, high)) == len(values)


def test_small_misses_are_only_counted_and_the_worst_comes_first() -> None:
    missed = [{"limit": f"room {k}", "by": by} for k, by in enumerate((0.1, 0.3, 0.9, 0.05))]
    assert [str(line) for line in view.softened_lines({"softened": missed})] == [
        "not quite kept: room 2 by 0.90",
        "not quite kept: room 1 by 0.30",
        "and 2 wishes missed by less",
    ]


def test_two_days_fit_into_eighty_columns() -> None:
    lines = drawn(view.drawing(told.a_plan(48), UTC), width=80).splitlines()
    assert max(map(len, lines)) <= 80
    (blocked,) = (line for line in lines if line.startswith("blocked"))
    assert len(blocked.rstrip()) == 8 + 48 + 1 + len("no heating")


def test_an_explanation_is_told_in_words(house: CannedHouse, pems: Pems) -> None:
    house.results["explain"] = {
        "subject": "obyvak",
        "time": told.AT,
        "action": "on",
        "reason": "on: power at 1.20",
        "level": 0,
        "decided_by": "plan: the plan wants heat",
        "price_rank": {"per_kwh": 1.2, "cheaper_frac": 0.25},
        "shadow_prices": {"heat_per_kwh": 1.9},
        "forecast_ids": {"prices": "ote"},
        "alternative_cost": None,
    }
    said = pems("explain", "rooms/obyvak", "--at", told.AT, "--state", house.state)
    assert said.code == 0
    assert said.out.splitlines() == [
        "obyvak at Mon 16 Jan 12:00: on",
        "because    on: power at 1.20",
        "decided by plan (level 0)",
        "just now   plan: the plan wants heat",
        "price      1.20 per kWh, 25 % of the day around it is cheaper",
        "worth      heat per kwh 1.90",
        "forecasts  prices ote",
    ]
    assert house.heard[0]["args"] == {"subject": "obyvak", "at_s": told.NOON_S}


def test_what_is_no_time_is_not_asked_about(house: CannedHouse, pems: Pems) -> None:
    said = pems("explain", "obyvak", "--at", "tomorrow", "--state", house.state)
    assert said.code == 2
    assert "'tomorrow' is no time; write it like 18:00" in said.err
    assert not house.heard


@pytest.mark.parametrize(("text", "in_h"), [("12:00", 0.0), ("18:30", 6.5), ("6:15", 18.25)])
def test_a_time_of_day_is_the_next_one_of_the_house(
    house: CannedHouse, pems: Pems, text: str, in_h: float
) -> None:
    house.results["status"] = told.status()
    house.results["explain"] = {"subject": "obyvak", "time": told.AT, "action": "on"}
    assert pems("explain", "obyvak", text, "--state", house.state).code == 0
    assert house.heard[-1]["args"]["at_s"] == told.NOON_S + in_h * 3600.0


def test_a_time_of_day_goes_by_the_clock_on_the_wall_when_summer_time_begins() -> None:
    late = datetime(2023, 3, 25, 23, 0, tzinfo=PRAGUE)
    assert next_at("6:30", late).isoformat() == "2023-03-26T06:30:00+02:00"


def test_a_flexible_load_has_a_row_of_its_own_and_a_house_without_one_has_none() -> None:
    plan = told.a_plan(6)
    assert "car" not in rows()
    for k, slot in enumerate(plan["slots"]):
        slot["loads_kw"] = {"car": 11.0 if k < 4 else 0.0}
    row = {each.name: each for each in view.hour_rows(plan, UTC)}["car"]
    assert row.note.startswith("11.0 kW")
