"""The rooms in the drawing of `pems plan`."""

from datetime import UTC, timedelta

from pems_actors.cli import plan_view as view
from pems_actors.cli.plan_rooms import room_lines
from pems_actors.cli.words import instant
from tests.cli import told
from tests.cli.conftest import CannedHouse, Pems, drawn


def slots(*temps: dict[str, float]) -> list[dict[str, object]]:
    start = instant(told.AT)
    return [
        {"start": (start + k * timedelta(hours=1)).isoformat(), "duration_s": 3600.0, "temps_c": t}
        for k, t in enumerate(temps)
    ]


def lines(*temps: dict[str, float]) -> dict[str, tuple[str, str]]:
    hours = [instant(told.AT) + k * timedelta(hours=1) for k in range(len(temps))]
    return {line.name: (line.cells, line.note) for line in room_lines(slots(*temps), hours)}


def test_a_room_that_warms_up_climbs_and_tells_its_range() -> None:
    cells, note = lines({"bath": 19.0}, {"bath": 20.0}, {"bath": 21.0})["bath"]
    assert list(cells) == sorted(cells)
    assert len(set(cells)) == 3
    assert note == "19.0 to 21.0 °C"


def test_all_rooms_share_one_scale() -> None:
    found = lines({"bath": 23.0, "cellar": 16.0})
    assert found["bath"][0] > found["cellar"][0]


def test_rooms_that_hardly_differ_look_alike() -> None:
    found = lines({"a": 20.00, "b": 20.05})
    assert found["a"][0] == found["b"][0]


def test_without_temperatures_there_is_no_such_part() -> None:
    assert room_lines(slots({}, {}), [instant(told.AT)]) == []
    plan = told.a_plan()
    for slot in plan["slots"]:
        del slot["temps_c"]
    assert "rooms" not in drawn(view.drawing(plan, UTC)).splitlines()


def test_the_drawing_shows_the_rooms(house: CannedHouse, pems: Pems) -> None:
    house.results["plan"] = told.a_plan()
    said = pems("plan", "--state", house.state)
    assert "rooms" in said.out.splitlines()
    assert "21.0 to 21.0 °C" in said.out


def test_the_cost_comfort_curve_is_a_point_on_a_line(house: CannedHouse, pems: Pems) -> None:
    points = [{"point": p, "cost": 60.0 + 20.0 * p, "cold_kh": 3.0 - 3.0 * p, "mean_c": 20.0 + p}
              for p in (0.0, 1.0)]  # fmt: skip
    house.results["curve"] = {"currency": "CZK", "points": points}
    said = pems("plan", "--curve", "--state", house.state)
    assert said.code == 0
    lines = said.out.splitlines()
    assert len(lines) == 5
    assert " ".join(lines[1].split()) == "0.00 60.0 CZK 3.0 Kh too cold 20.0 °C on average"
    assert lines[-1] == "pems tell planning/planner point 0.75"
    assert house.heard[0]["path"] == "planning/planner"


def test_relays_keep_their_names_on_a_narrow_terminal() -> None:
    plan = told.a_plan()
    for slot in plan["slots"]:
        slot["reasons"] = {"obyvak": "on: heat is worth 3.38, power at 3.00 (the lowest of a day)"}
    lines = drawn(view.drawing(plan, UTC), width=80).splitlines()
    assert any(line.startswith("obyvak ██") for line in lines)
    assert max(map(len, lines)) <= 80
