"""Training keeps what was learned with a card that tells how well; what fails touches nothing."""

from __future__ import annotations

from math import nan, pi, sin

import pytest

from pems_actors.domain.house import Site
from pems_actors.learning.life import recipes
from pems_actors.learning.life.house_jobs import HouseForecastJob
from pems_actors.learning.life.jobs import Columns, ForecastJob, Place, TrainJob
from pems_actors.learning.life.store import MODEL, ModelStore
from pems_actors.learning.life.worker import handle
from pems_actors.learning.series.floor import SeasonalMean
from tests.learning.records import BEGAN_S

HOUR = 3600.0
PLACE = Place(Site(latitude_deg=50.0, longitude_deg=14.4))
DAY = [1.0 + sin(2 * pi * k / 24) for k in range(24)]


def columns(days: int, level: float = 1.0, unknown: tuple[int, ...] = ()) -> Columns:
    values = [
        nan if k // 24 in unknown else level * DAY[k % 24] + 0.1 * ((k // 24) % 3)
        for k in range(days * 24)
    ]
    return Columns(BEGAN_S, HOUR, {"load_kw": tuple(values)})


def trained(tmp_path, history: Columns, names=("seasonal",), **present: str):
    return handle(
        TrainJob("load", str(tmp_path), PLACE, history, history.end_s, tuple(names), present)
    )


def asked(tmp_path, *versions: str, slots: int = 24):
    known = columns(14)
    ahead = Columns(known.start_s, HOUR, {"load_kw": known.series["load_kw"] + (nan,) * slots})
    job = ForecastJob(
        "load", str(tmp_path), PLACE, ahead, known.end_s, known.end_s, slots, versions
    )
    return handle(job)


def test_a_whole_house_is_told_at_once_with_paths_for_what_could_be_asked(tmp_path):
    version = trained(tmp_path, columns(20)).cards[0].version
    known = columns(14)
    ahead = {"load_kw": known.series["load_kw"] + (nan,) * 48}
    parts = tuple(
        ForecastJob(
            "load" if name == version else "pv", str(tmp_path), PLACE,
            Columns(known.start_s, HOUR, ahead if name == version else {"pv_kw": ahead["load_kw"]}),
            known.end_s, known.end_s, 48, (name,),
        )
        for name in (version, "ensemble-9")
    )  # fmt: skip
    whole = handle(HouseForecastJob(parts))
    assert set(whole.told) == {"load", "pv"}
    assert "ensemble-9" in whole.told["pv"].broken
    assert set(whole.paths) == {"load"}
    assert [len(path) for path in whole.paths["load"]] == [48] * 20
    assert min(min(path) for path in whole.paths["load"]) >= 0.0


def test_the_card_tells_rows_span_gaps_and_errors_by_horizon(tmp_path):
    (card,) = trained(tmp_path, columns(20, unknown=(4, 5, 9))).cards
    assert (card.source.rows, card.source.days, card.source.gaps) == (17 * 24, 20.0, 2)
    assert card.source.longest_gap_s == 48 * HOUR
    assert {error.horizon for error in card.errors} == {"0-24 h", "0-6 h", "6-24 h", "24-48 h"}
    first_day = card.error("0-24 h")
    assert first_day is not None
    assert first_day.mae < first_day.floor_mae
    assert card.error("never") is None
    assert ModelStore(tmp_path).cards("load")[0] == [card]


def test_too_little_history_is_said_and_nothing_is_kept(tmp_path):
    with pytest.raises(ValueError, match=r"load: 2\.0 days are known, 3 are needed; the floor"):
        trained(tmp_path, columns(2))
    assert ModelStore(tmp_path).series() == []


def test_a_recipe_that_fails_is_told_and_the_others_are_trained(tmp_path, monkeypatch):
    def broken(_: Place) -> SeasonalMean:
        raise RuntimeError("no such matrix")

    both = {"seasonal": lambda _: SeasonalMean(), "broken": broken}
    monkeypatch.setattr(recipes, "RECIPES", {"load": both})
    done = trained(tmp_path, columns(10), ("broken", "seasonal"))
    assert [card.recipe for card in done.cards] == ["seasonal"]
    assert done.said == ("broken could not be trained (RuntimeError: no such matrix)",)
    with pytest.raises(ValueError, match="nothing could be trained"):
        trained(tmp_path, columns(10), ("broken",))


def test_a_new_version_is_compared_with_the_one_in_use_on_days_new_to_both(tmp_path):
    first = trained(tmp_path, columns(8)).cards[0]
    second = trained(tmp_path, columns(16), seasonal=first.version).cards[0]
    told = second.error("0-24 h")
    assert told is not None
    assert told.present_mae is not None
    third = trained(tmp_path, columns(16), seasonal=second.version).cards[0]
    told = third.error("0-24 h")
    assert told is not None
    assert told.present_mae is None  # the one in use has learned from those very days


def test_versions_are_asked_side_by_side_with_persistence(tmp_path):
    version = trained(tmp_path, columns(14)).cards[0].version
    told = asked(tmp_path, version)
    assert set(told.rivals) == {"persistence", "seasonal.1"}
    band = told.rivals[version]
    assert band.sound
    assert band.p50[6] == pytest.approx(DAY[6], abs=0.25)
    assert told.broken == {}


def test_a_model_that_cannot_be_opened_is_named_and_the_others_answer(tmp_path):
    version = trained(tmp_path, columns(14)).cards[0].version
    (tmp_path / "load" / version / MODEL).write_bytes(b"torn")
    told = asked(tmp_path, version, "seasonal.9")
    assert set(told.rivals) == {"persistence"}
    assert "not as it was written" in told.broken[version]
    assert set(told.broken) == {version, "seasonal.9"}


def test_an_unknown_recipe_or_series_is_told():
    with pytest.raises(ValueError, match="no recipe 'best' for load; there are"):
        recipes.recipe("load", "best", PLACE)
    with pytest.raises(ValueError, match="no series 'gas'; there are"):
        recipes.recipe("gas", "best", PLACE)
