"""`pems bench rooms` on twin history with planted parameters, and on a measured building."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pems_actors.data
from config.house_model import HouseModel
from pems_actors.bench.rooms import contested, midnights, renaming, run
from pems_actors.bench.twin_rooms import TwinHistory, twin_history
from pems_actors.cli.learn_rooms import write_model
from pems_actors.cli.main import main
from pems_actors.control.duty import loss_kw_k
from pems_actors.domain.units import seconds
from pems_actors.learning.life.card import ModelCard, Source
from pems_actors.learning.life.jobs import Trained
from pems_actors.learning.life.store import ModelStore
from pems_actors.learning.life.trust import Tier
from pems_actors.learning.rooms.house import Prior
from pems_actors.learning.rooms.identify import RoomsFound, identify
from pems_actors.learning.rooms.network import KINDS
from pems_actors.learning.rooms.records import RoomRecords, records_from
from pems_actors.learning.rooms.verdict import verdicts
from pems_actors.physics.house_model import HouseDynamics

ROOMS = ("obyvak", "kuchyne", "hosti", "pracovna")
MEASURED = Path(pems_actors.data.__file__).parent / "room_heating_uk_winter_2019.csv.gz"
LEARNT = 16 * 96


@cache
def world(*, panels: bool) -> tuple[TwinHistory, RoomRecords, RoomsFound]:
    start_s = seconds("2023-01-10T00:00:00Z")
    history = twin_history(start_s, 22.0, seed=3, panels=panels, rooms=ROOMS)
    records = records_from(history.frame)
    return history, records, identify(records.rows(slice(0, LEARNT)), Prior.of(history.believed))


@pytest.mark.slow
@pytest.mark.parametrize("panels", [False, pytest.param(True, marks=pytest.mark.long)])
def test_rooms_of_the_twin_are_told_a_day_ahead_better_than_by_an_arx(panels: bool) -> None:
    _, records, found = world(panels=panels)
    starts = midnights(records, records.index[LEARNT], None, "Europe/Prague")
    contest = contested(found, records, starts, LEARNT)
    assert contest.midnights >= 5
    assert contest.ours_k.mean() <= 0.30
    assert contest.ours_k.max() <= 0.60
    for rival in contest.rivals_k.values():
        assert contest.ours_k.mean() < rival.mean()


@pytest.mark.slow
@pytest.mark.parametrize("panels", [False, pytest.param(True, marks=pytest.mark.long)])
def test_planted_parameters_lie_inside_the_stated_intervals(panels: bool) -> None:
    history, _, found = world(panels=panels)
    truth = {room.name: room for room in history.truth.rooms}
    inside = [
        parameter.low <= getattr(truth[verdict.room], parameter.name) <= parameter.high
        for verdict in verdicts(found)
        for parameter in verdict.parameters
    ]
    assert len(inside) == len(ROOMS) * (KINDS - 1)
    assert np.mean(inside) >= 0.9


@pytest.mark.slow
def test_intervals_are_much_narrower_than_what_was_believed() -> None:
    _, _, found = world(panels=False)
    air = [found.layout.index(k, "c_air_kwh_k") for k in range(len(ROOMS))]
    assert (found.sd[air] < 0.5 * found.believed_sd[air]).all()
    for verdict in verdicts(found):
        assert "measured" in verdict.statement


@pytest.mark.slow
def test_losses_are_found_although_they_were_believed_wrong() -> None:
    history, _, found = world(panels=False)
    truth = {room.name: loss_kw_k(room) for room in history.truth.rooms}
    believed = {room.name: loss_kw_k(room) for room in history.believed.rooms}
    ours = {verdict.room: verdict.loss.value for verdict in verdicts(found)}
    wrong = [abs(np.log(ours[name] / truth[name])) for name in ROOMS]
    before = [abs(np.log(believed[name] / truth[name])) for name in ROOMS]
    assert np.mean(wrong) < np.mean(before)


@pytest.mark.slow
def test_what_was_found_is_one_house_for_planner_and_validator() -> None:
    _, _, found = world(panels=False)
    dynamics = HouseDynamics(found.model)
    assert dynamics.names == ROOMS
    warm = dynamics.steady_state(np.full(len(ROOMS), 1.0), 0.0)
    assert (warm > 5.0).all()
    assert found.heat_gain["obyvak"] == pytest.approx(1.0, abs=0.01)


@pytest.mark.slow
def test_rooms_that_were_tested_are_trusted_and_others_are_told_what_is_missing() -> None:
    _, records, found = world(panels=False)
    assert {verdict.tier for verdict in verdicts(found)} <= {Tier.CONTROL, Tier.ADVISE}
    young = identify(records.rows(slice(0, 96)))
    for verdict in verdicts(young):
        assert verdict.tier is Tier.OBSERVE
        assert "six days" in verdict.missing
    assert "too few" in young.notes[-1]
    assert not young.serves.any()
    short = identify(records.rows(slice(0, 4 * 96)))
    assert short.tested is None
    assert np.isfinite(short.theta).all()


def measured_run(**more: object) -> dict[str, object]:
    words = ("temp_c_room=room_c", "heat_room=heating_output_raw")
    until = {"train_until": "2020-01-10", **more}
    told = run(csv=str(MEASURED), rename=words, timezone="Europe/London", **until)  # type: ignore[arg-type]
    return dict(told["figures"])


def test_a_measured_room_is_told_better_than_by_an_arx() -> None:
    figures = measured_run()
    assert figures["of_arx12"] < 1.0  # type: ignore[operator]
    assert figures["days_tested"] == 14
    room = figures["rooms"]["room"]  # type: ignore[index]
    assert room["parameters"]["heat_gain"]["value"] < 0.1  # the unit of heat was found, not kW
    assert figures["worst_room"] == "room"


def test_tested_days_end_where_they_are_told_to() -> None:
    assert measured_run(test_until="2020-01-13")["days_tested"] == 3


def test_names_may_be_mapped_either_way_round(tmp_path: Path) -> None:
    file = tmp_path / "rooms.csv"
    pd.DataFrame({"time_utc": ["2024-01-01"], "T1": [20.0]}).to_csv(file, index=False)
    assert renaming(file, ["temp_c_den=T1"]) == {"temp_c_den": "T1"}
    assert renaming(file, ["T1=temp_c_den"]) == {"temp_c_den": "T1"}
    with pytest.raises(ValueError, match="new=old"):
        renaming(file, ["T1"])


def test_what_is_missing_is_told_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="--csv"):
        run()
    with pytest.raises(ValueError, match="--train-until"):
        run(csv=str(MEASURED))
    with pytest.raises(ValueError, match="is no date"):
        measured_run(train_until="soon")
    with pytest.raises(ValueError, match="is no time zone"):
        run(csv=str(MEASURED), train_until="2020-01-10", timezone="Mars/Olympus")
    with pytest.raises(ValueError, match="before 2020-01-02"):
        measured_run(test_until="2020-01-02")
    with pytest.raises(ValueError, match="earlier --train-until"):
        measured_run(train_until="2020-01-24")


def altered(tmp_path: Path, **columns: object) -> Path:
    frame = pd.read_csv(MEASURED).rename(columns={"heating_output_raw": "heat_room"})
    file = tmp_path / "rooms.csv"
    frame.assign(**columns).rename(columns={"room_c": "temp_c_room"}).to_csv(file, index=False)
    return file


def test_rooms_in_kelvin_are_told_as_in_degrees(tmp_path: Path) -> None:
    known = pd.read_csv(MEASURED)
    kelvin = {name: known[name] + 273.15 for name in ("room_c", "outdoor_c")}
    file = altered(tmp_path, **kelvin)
    told = run(csv=str(file), train_until="10.01.2020", timezone="Europe/London")["figures"]
    assert told["rmse_mean_k"] == pytest.approx(measured_run()["rmse_mean_k"], rel=0.02)
    assert any("kelvin" in note for note in told["notes"])


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"room_c": 20.0}, "temp_c_room: the same value throughout"),
        ({"room_c": 900.0}, "no values"),
        ({"room_c": "warm"}, "no room with temperatures"),
        ({"outdoor_c": float("nan")}, "no outdoor temperature"),
    ],
)
def test_rooms_without_anything_to_learn_are_refused_in_a_sentence(
    tmp_path: Path, columns: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        run(csv=str(altered(tmp_path, **columns)), train_until="2020-01-10")


def test_a_room_that_falls_silent_before_the_test_is_told_in_a_sentence(tmp_path: Path) -> None:
    known = pd.read_csv(MEASURED)
    silent = known["room_c"].where(known["time_utc"] < "2020-01-10")
    with pytest.raises(ValueError, match="no room says anything after"):
        run(csv=str(altered(tmp_path, room_c=silent)), train_until="2020-01-10")


@pytest.mark.parametrize("body", [b"", b"\x89PNG\0\0", "time_utc,x\n".encode("utf-16")])
def test_what_is_no_csv_is_refused_with_a_sentence_and_exit_code_2(
    tmp_path: Path, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rooms.csv"
    file.write_bytes(body)
    words = ["--csv", str(file), "--train-until", "2020-01-10", "--map", "temp_c_den=x"]
    assert main(["bench", "rooms", *words]) == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.slow
def test_trusted_rooms_are_written_as_the_house_model_of_a_configuration(tmp_path: Path) -> None:
    found, store = world(panels=False)[2], ModelStore(tmp_path / "models")
    source = Source(rows=1, start_s=0.0, end_s=900.0, step_s=900.0, gaps=0)
    card = ModelCard("rooms", "identified", 0, 0.0, source)
    said = write_model(store, Trained("rooms", (store.save(card, found),)), tmp_path / "rooms.json")
    written = HouseModel.model_validate_json((tmp_path / "rooms.json").read_text())
    good = {each.room for each in verdicts(found) if each.tier is not Tier.OBSERVE}
    assert good
    assert written.rooms.keys() == good
    for room in found.model.rooms:
        if room.name in good:
            assert written.rooms[room.name].g_screed_air_kw_k == room.g_screed_air_kw_k
        else:
            assert room.name in said
