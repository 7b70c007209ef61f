"""`pems train`, `models`, `forecast`, `features`: from a file or a history to trusted figures."""

import json
from datetime import UTC
from math import pi, sin
from pathlib import Path

import pytest

from pems_actors.cli import forecast_view
from pems_actors.domain.units import HOUR_S, QUARTER_S, iso
from pems_actors.gateways.sqlite_store import SqliteStore
from pems_actors.learning.life import recipes
from pems_actors.learning.life.card import ModelCard, Source
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.contest import Score
from pems_actors.learning.life.store import ROOMS_LEDGER, ModelStore
from pems_actors.learning.life.trust import Standing, Tier
from pems_actors.learning.series.floor import SeasonalMean
from tests.cli.conftest import Pems
from tests.cli.told import NOON_S

DAY_S = 24 * HOUR_S
START_S = NOON_S - NOON_S % DAY_S - 20 * DAY_S


@pytest.fixture(autouse=True)
def only_a_quick_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"seasonal": lambda _: SeasonalMean()}
    monkeypatch.setattr(recipes, "RECIPES", dict.fromkeys(("load", "pv", "price"), quick))
    monkeypatch.setattr("pems_actors.learning.life.training.RECIPES", recipes.RECIPES)


def load_kw(at_s: float) -> float:
    return 1.0 + 0.5 * sin(2 * pi * at_s / DAY_S)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    hours = [START_S + k * HOUR_S for k in range(20 * 24)]
    lines = [f"{iso(at_s)},{load_kw(at_s):.3f}" for at_s in hours]
    file = tmp_path / "house.csv"
    file.write_text("\n".join(["time_utc,usage", *lines]))
    return file


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A house that has run for twenty days."""
    folder = tmp_path / "state"
    folder.mkdir()
    store = SqliteStore(folder / "history.sqlite")
    rows = [START_S + k * QUARTER_S for k in range(20 * 96)]
    store.commit([("learn.load_kw", at_s, load_kw(at_s)) for at_s in rows], [])
    issue = {
        "issued_at_s": START_S + 19.5 * DAY_S, "source": "weekly profile",
        "start_s": START_S + 19.5 * DAY_S, "step_s": QUARTER_S,
        "p50": [1.0] * 192, "p10": [0.5] * 192, "p90": [1.5] * 192,
    }  # fmt: skip
    store.commit([], [("issued.load", issue["issued_at_s"], json.dumps(issue))])
    store.close()
    return folder


def test_a_csv_trains_a_model_that_is_listed(csv: Path, tmp_path: Path, pems: Pems) -> None:
    said = pems("train", "load", "--from", csv, "--column", "usage", "--state", tmp_path)
    assert said.code == 0
    assert "load: seasonal.1 learned from 480 rows, error" in said.out
    listed = json.loads(pems("models", "--json", "--state", tmp_path).out)
    (model,) = listed["models"]
    assert (model["series"], model["version"], model["tier"]) == ("load", "seasonal.1", None)
    assert model["source"]["rows"] == 480
    assert {error["horizon"] for error in model["errors"]} >= {"0-24 h", "24-48 h"}


def test_the_own_history_trains_and_json_is_one_object(state: Path, pems: Pems) -> None:
    said = pems("train", "load", "--json", "--state", state)
    told = json.loads(said.out)
    assert told["models"][0]["version"] == "seasonal.1"
    assert told["models"][0]["source"]["rows"] == 20 * 96


def test_all_that_can_be_trained_is_and_the_rest_is_said(state: Path, pems: Pems) -> None:
    said = pems("train", "--state", state)
    assert said.code == 0
    assert "load: seasonal.1 learned" in said.out
    assert "price: the history has nothing to learn from yet" in said.out


def test_without_a_history_nothing_is_trained(tmp_path: Path, pems: Pems) -> None:
    said = pems("train", "load", "--state", tmp_path)
    assert (said.code, "there is no history at" in said.err) == (1, True)


def test_a_file_or_column_that_is_not_there_is_a_sentence(
    csv: Path, tmp_path: Path, pems: Pems
) -> None:
    missing = pems("train", "load", "--from", "nowhere.csv", "--state", tmp_path)
    assert (missing.code, "there is no file nowhere.csv" in missing.err) == (2, True)
    unnamed = pems("train", "load", "--from", csv, "--state", tmp_path)
    assert unnamed.code == 1
    assert "load_kw" in unnamed.out
    assert pems("train", "--from", csv, "--state", tmp_path).code == 2


def test_three_days_are_needed(tmp_path: Path, pems: Pems) -> None:
    file = tmp_path / "short.csv"
    rows = [f"{iso(START_S + k * HOUR_S)},1.{k}" for k in range(30)]
    file.write_text("\n".join(["time_utc,load_kw", *rows]))
    said = pems("train", "load", "--from", file, "--state", tmp_path)
    assert said.code == 1
    assert "days are known, 3 are needed; the floor serves until then" in said.out


def test_no_models_are_said_with_a_way_out(tmp_path: Path, pems: Pems) -> None:
    said = pems("models", "--state", tmp_path)
    assert (said.code, "`pems train` makes some" in said.out) == (0, True)


def test_the_list_tells_who_serves_and_by_which_numbers(state: Path, pems: Pems) -> None:
    pems("train", "load", "--state", state)
    scores = tuple(
        Score(at_s, at_s, 96, {"seasonal": 0.8, "house": 1.0}, {"seasonal": 0.8})
        for at_s in (START_S + k * 6 * HOUR_S for k in range(40))
    )
    standing = Standing("seasonal", "seasonal.1", Tier.CONTROL, START_S, START_S)
    ledger = Ledger("load", scores, {"seasonal": standing}, "seasonal")
    ModelStore(state / "models").keep_ledger({"load": ledger.plain()})
    said = pems("models", "--state", state)
    assert "control" in said.out
    assert "serves" in said.out
    assert "+20 %" in said.out
    model = json.loads(pems("models", "--json", "--state", state).out)["models"][0]
    assert model["serves"]
    assert model["live"]["gain_frac"] == pytest.approx(0.2)


def test_a_broken_card_is_told_beside_the_others(state: Path, pems: Pems) -> None:
    pems("train", "load", "--state", state)
    (state / "models" / "load" / "seasonal.1" / "card.json").write_bytes(b"torn")
    pems("train", "load", "--state", state)
    told = json.loads(pems("models", "--json", "--state", state).out)
    assert [model["version"] for model in told["models"]] == ["seasonal.2"]
    assert "refused" in told["problems"][0]


def test_a_forecast_is_shown_as_issued_beside_what_came_true(state: Path, pems: Pems) -> None:
    told = json.loads(pems("forecast", "load", "--json", "--state", state).out)
    assert told["source"] == "weekly profile"
    assert told["truth"][0] == pytest.approx(load_kw(START_S + 19.5 * DAY_S))
    assert told["truth"][-1] is None
    words = pems("forecast", "load", "--state", state).out
    assert "by: weekly profile" in words
    assert "came true" in words


def test_a_forecast_is_drawn(state: Path, pems: Pems) -> None:
    said = pems("forecast", "load", "--plot", "--state", state)
    assert said.code == 0
    for mark in (forecast_view.BAND, forecast_view.MIDDLE, forecast_view.TRUTH, "[kW]"):
        assert mark in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 90


def test_a_forecast_that_was_never_made_is_a_sentence(state: Path, pems: Pems) -> None:
    said = pems("forecast", "pv", "--state", state)
    assert (said.code, "no forecast of pv is kept yet" in said.err) == (1, True)


def test_the_drawing_keeps_flat_negative_and_unknown_values() -> None:
    told = {"start_s": START_S, "step_s": HOUR_S, "p50": [-5.0, 0.0, 5.0], "p10": None, "p90": None}
    lines = forecast_view.plot(told, [None, -5.0, None], UTC, "EUR/MWh")
    assert lines[0].lstrip().startswith("5")
    assert lines[forecast_view.HEIGHT - 1].lstrip().startswith("-5")
    flat = forecast_view.plot({**told, "p50": [0.0] * 3}, [None] * 3, UTC, "kW")
    assert forecast_view.MIDDLE * 3 in "\n".join(flat)


def test_a_hundred_features_are_listed_with_the_time_they_are_known(pems: Pems) -> None:
    told = json.loads(pems("features", "--json").out)
    assert told["count"] >= 100
    assert all(each["about"] and each["known"] for each in told["features"])
    family = told["features"][0]["family"]
    some = pems("features", family)
    assert some.out.startswith(family)
    unknown = pems("features", "astrology")
    assert (unknown.code, "there is no family 'astrology'" in unknown.err) == (2, True)


def test_a_csv_may_be_from_elsewhere_and_have_its_own_names(tmp_path: Path, pems: Pems) -> None:
    file = tmp_path / "roof.csv"
    hours = [START_S + k * HOUR_S for k in range(6 * 24)]
    rows = [
        f"{iso(at_s)},{max(0.0, load_kw(at_s) - 1.0):.3f},{k % 24}" for k, at_s in enumerate(hours)
    ]
    file.write_text("\n".join(["time_utc,power,T_out", *rows]))
    told = pems(
        "train", "pv", "--from", file, "--column", "power", "--map", "temp_c=T_out",
        "--site", "52.0,5.3", "--roof", "5,30,170", "--timezone", "Europe/Amsterdam",
        "--state", tmp_path,
    )  # fmt: skip
    assert (told.code, "pv: seasonal.1 learned from 144 rows" in told.out) == (0, True)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--map", "temp_c", "--map 'temp_c' is no pair"),
        ("--site", "here", "is not 2 numbers; give --site"),
        ("--roof", "0,30,180", "has no power"),
    ],
)
def test_an_option_that_cannot_be_understood_is_a_sentence(
    csv: Path, tmp_path: Path, pems: Pems, option: str, value: str, sentence: str
) -> None:
    said = pems("train", "pv", "--from", csv, option, value, "--state", tmp_path)
    assert (said.code, sentence in said.err) == (2, True)


def test_options_of_a_file_are_refused_for_the_own_history(state: Path, pems: Pems) -> None:
    said = pems("train", "load", "--column", "usage", "--state", state)
    assert (said.code, "give --from FILE" in said.err) == (2, True)


def test_only_rooms_are_written_to_a_file(state: Path, pems: Pems) -> None:
    said = pems("train", "load", "--state", state, "--out", state / "load.json")
    assert said.code == 2
    assert "pems train rooms --out FILE" in said.err


def test_rooms_without_readings_are_said(state: Path, pems: Pems) -> None:
    said = pems("train", "rooms", "--state", state)
    assert (said.code, "no temperature of any room" in said.out) == (1, True)


@pytest.mark.slow
def test_rooms_of_the_own_history_are_identified(state: Path, pems: Pems) -> None:
    store = SqliteStore(state / "history.sqlite")
    rows: list[tuple[str, float, float]] = []
    for k in range(5 * 96):
        at_s = START_S + k * QUARTER_S
        rows += [
            ("outdoor_c", at_s, 2.0 + 4.0 * sin(2 * pi * k / 96)),
            ("temp_c.obyvak", at_s, 21.0),
        ]
        rows += [("temp_c.obyvak", at_s, 21.0 + 0.4 * sin(2 * pi * (k - 12) / 96))]
        rows += [("relay.obyvak", at_s, float(k % 8 < 3))]
    store.commit(rows, [])
    store.close()
    out = state / "rooms.json"
    said = pems("train", "rooms", "--state", state, "--out", out)
    assert said.code == 0, said.out + said.err
    assert "without obyvak, which are not trusted yet" in said.out
    assert json.loads(out.read_text()) == {"rooms": {}, "links": []}
    assert "rooms: identified.1 learned from 480 rows" in said.out
    assert "obyvak: observe" in said.out


def test_models_tell_each_room_its_tier_its_errors_and_what_it_lacks(
    tmp_path: Path, pems: Pems
) -> None:
    scores = tuple(
        Score(START_S + k * 6 * HOUR_S, START_S + k * 6 * HOUR_S, 96,
              {"identified": 0.12, "house": 0.4}, {"identified": 0.8, "house": 0.0})
        for k in range(14)
    )  # fmt: skip
    trusted, watched = (
        Ledger(
            f"rooms/{room}",
            scores,
            {"identified": Standing("identified", "identified.2", tier)},
            "identified" if tier is Tier.CONTROL else "",
        )
        for room, tier in (("den", Tier.CONTROL), ("bath", Tier.ADVISE))
    )
    store = ModelStore(tmp_path / "models")
    card = ModelCard("rooms", "identified", 0, START_S, Source(960, START_S - 9e5, START_S, 900.0))
    for _ in range(2):
        store.save(card, {})
    store.keep_ledger({each.series: each.plain() for each in (trusted, watched)}, ROOMS_LEDGER)
    told = json.loads(pems("models", "--json", "--state", tmp_path).out)
    by_room = {room["room"]: room for room in told["rooms"]}
    assert by_room["den"]["serves"]
    assert by_room["den"]["error"] == pytest.approx(0.12)
    assert by_room["bath"]["as_configured"] == pytest.approx(0.4)
    assert "more scored days" in by_room["bath"]["lacks"]
    said = pems("models", "--state", tmp_path).out
    assert "1 rooms go by it, 1 watch it" in said
    assert "control · steers" in said
