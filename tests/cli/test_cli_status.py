"""`pems status`: one headline, rooms, energy, the tree, incidents."""

import json
from datetime import UTC
from types import SimpleNamespace

from pems_actors.cli import status_view
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems, drawn


def test_json_is_exactly_what_the_house_says(house: CannedHouse, pems: Pems) -> None:
    house.results["status"] = told.status()
    said = pems("status", "--json", "--state", house.state)
    assert (said.code, json.loads(said.out), said.err) == (0, told.status(), "")


def test_the_picture_shows_who_decides_and_what_the_house_does(
    house: CannedHouse, pems: Pems
) -> None:
    house.results["status"] = told.status()
    said = pems("status", "--state", house.state)
    assert said.code == 0
    for words in (
        "rules  level 3",
        "plan 2 min 10 s old",
        "DEMO",
        "PV 2.5 kW",
        "grid 3.2 kW",
        "battery 55 % -1.2 kW charge_grid",
        "outdoor -3.2 °C",
        "kuchyne↻2",
        "planning/planner fallback: parked after 5 crashes",
        "open since Mon 16 Jan 12:00: planning/planner, boom",
        "△ Mon 16 Jan 12:00 for 1 min 30 s: rooms/kuchyne, hung",
    ):
        assert words in said.out


def test_a_standing_alarm_and_the_end_of_an_absence_are_in_the_headline(
    house: CannedHouse, pems: Pems
) -> None:
    alarm = {"since": told.AT, "reason": "rooms/bath: no plan yet", "level": 3}
    until = "2023-01-20T17:00:00Z"
    house.results["status"] = told.status(alarm=alarm, mode="away", mode_until=until)
    said = pems("status", "--state", house.state)
    assert "ALARM since Mon 16 Jan 12:00: rooms/bath: no plan yet" in said.out
    assert "mode away until Fri 20 Jan 17:00" in said.out


def test_the_environment_names_the_state_directory(
    house: CannedHouse, pems: Pems, monkeypatch
) -> None:
    house.results["status"] = told.status()
    monkeypatch.setenv("PEMS_STATE_DIR", str(house.state))
    assert pems("status", "--json").code == 0


def test_dotenv_names_the_state_directory(house: CannedHouse, pems: Pems, tmp_path) -> None:
    house.results["status"] = told.status()
    (tmp_path / ".env").write_text(f"PEMS_STATE_DIR={house.state}\n")
    assert pems("status", "--json").code == 0


def test_where_nothing_runs_the_way_out_is_told_in_one_line(pems: Pems, tmp_path) -> None:
    said = pems("status", "--state", tmp_path / "nobody")
    assert said.code == 1
    assert said.err.startswith("pems: nothing runs with the state ")
    assert "pems run" in said.err
    assert said.err.count("\n") == 1


def test_a_house_that_is_still_busy_says_so(house: CannedHouse, pems: Pems) -> None:
    house.results["status"] = ("timeout", "no answer within 5 s")
    said = pems("status", "--state", house.state)
    assert (said.code, said.err) == (1, "pems: no answer within 5 s\n")


def test_watching_as_json_is_refused(pems: Pems) -> None:
    said = pems("status", "--watch", "--json")
    assert said.code == 2
    assert "give one of them" in said.err


def test_ctrl_c_ends_watching_well(house: CannedHouse, pems: Pems, monkeypatch) -> None:
    looks = []

    def interrupted(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt

    house.results["status"] = told.status()
    monkeypatch.setattr("pems_actors.cli.look.time", SimpleNamespace(sleep=interrupted))
    said = pems("status", "--watch", "--state", house.state)
    assert (said.code, said.err) == (0, "")
    assert len(house.heard) == 3


def test_watching_waits_for_a_house_that_is_away(house: CannedHouse, pems: Pems, monkeypatch):
    looks = []

    def next_look(_seconds: float) -> None:
        looks.append(1)
        house.results["status"] = ("failed", "nobody is at infrastructure/metrics just now")
        if len(looks) == 2:
            raise KeyboardInterrupt

    house.results["status"] = told.status()
    monkeypatch.setattr("pems_actors.cli.look.time", SimpleNamespace(sleep=next_look))
    said = pems("status", "--watch", "--state", house.state)
    assert said.code == 0
    assert "still looking" in said.out


def test_a_house_without_anything_yet_can_be_drawn() -> None:
    bare = {"time": told.AT, "level": 3, "since": told.AT, "tree": [], "devices": {}}
    text = drawn(status_view.drawing(bare, UTC, whole_tree=False))
    assert "no plan" in text
    assert "ADVISORY, nothing armed" in text
    assert "PV -" in text


def test_an_unknown_temperature_is_a_dash_and_a_room_without_relay_too() -> None:
    devices = {"rooms/chodba": told.device("rooms/chodba", temp_c=None, target_c=20.0)}
    row = drawn(status_view.rooms_table({"devices": devices})).splitlines()[1].split()
    assert row[:5] == ["chodba", "-", "20.0", "°C", "-"]


def test_the_whole_tree_has_a_line_for_every_actor() -> None:
    tree = told.status()["tree"]
    text = drawn(status_view.tree_table(tree, UTC))
    assert len(text.splitlines()) == 1 + len(tree)
    assert "    obyvak" in text


def test_a_stale_temperature_looks_different_from_a_good_one() -> None:
    sure = {"devices": {"rooms/a": told.device("rooms/a", temp_c=20.0)}}
    stale = {"devices": {"rooms/a": told.uncertain("rooms/a", 20.0)}}
    assert status_view.rooms_table(sure).columns[1]._cells[0].style == ""
    assert status_view.rooms_table(stale).columns[1]._cells[0].style == "yellow"


def test_incidents_show_the_newest_first_and_only_a_few() -> None:
    over = [
        {"path": f"rooms/r{k}", "cause": "x", "start": told.AT, "end": told.AT, "level": 3}
        for k in range(9)
    ]
    lines = [str(line) for line in status_view.incident_lines(over, UTC)]
    assert len(lines) == 1 + status_view.RECENT
    assert "rooms/r8" in lines[1]


def test_the_picture_fits_into_eighty_columns_without_losing_figures() -> None:
    text = drawn(status_view.drawing(told.status(), UTC, whole_tree=False), width=80)
    assert "kuchyne  20.0 °C  21.0 °C  -       rules  rules: cold" in text
    assert max(map(len, text.splitlines())) <= 80


def test_many_open_incidents_are_counted() -> None:
    still = [
        {"path": f"rooms/r{k}", "cause": "x", "start": told.AT, "end": None, "level": 3}
        for k in range(status_view.OPEN + 3)
    ]
    lines = [str(line) for line in status_view.incident_lines(still, UTC)]
    assert len(lines) == 1 + status_view.OPEN + 1
    assert lines[-1] == "▲ and 3 more are open"
