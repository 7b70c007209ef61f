"""An issue is kept as it was made and scored by what came true."""

from __future__ import annotations

import json

import pytest

from pems_actors.learning.life.contest import Band, Issue, issue_from, scored
from tests.learning.records import at

DAY = 24


def issue(**rivals: Band) -> Issue:
    return Issue("load", at(0), at(0), 3600.0, rivals)


def flat(p50: float, spread: float = 0.0) -> Band:
    return Band.of((p50,) * DAY, (p50 - spread,) * DAY, (p50 + spread,) * DAY)


def test_the_error_is_the_mean_distance_and_bands_are_counted():
    score = scored(issue(a=flat(1.0, 0.5), b=flat(2.0)), lambda _: 1.25)
    assert score is not None
    assert score.error == {"a": 0.25, "b": 0.75}
    assert score.inside == {"a": 1.0, "b": 0.0}


def test_what_is_not_known_is_not_counted():
    score = scored(issue(a=flat(1.0)), lambda at_s: None if at_s < at(0.4) else 2.0)
    assert score is not None
    assert score.rows == 14
    assert score.error["a"] == 1.0


def test_a_day_that_is_mostly_unknown_is_no_score():
    assert scored(issue(a=flat(1.0)), lambda at_s: None if at_s < at(0.6) else 2.0) is None


def test_a_rival_that_told_too_little_has_no_score():
    short = Band.of((1.0,) * 3)
    score = scored(issue(a=flat(1.0), b=short), lambda _: 1.0)
    assert score is not None
    assert set(score.error) == {"a"}


def test_dark_hours_say_nothing_about_a_band():
    night = Band.of((0.0,) * 12 + (2.0,) * 12, (0.0,) * 12 + (3.0,) * 12, (0.0,) * 12 + (4.0,) * 12)
    score = scored(issue(sun=night), lambda at_s: 0.0 if at_s < at(0.5) else 2.0)
    assert score is not None
    assert score.inside["sun"] == 0.0


def test_an_issue_survives_the_history():
    kept = issue(a=flat(1.0, 0.25))
    assert issue_from(json.loads(json.dumps(kept.plain()))) == kept
    with pytest.raises(ValueError, match="no issue"):
        issue_from({"series": "load"})


def test_what_crosses_or_is_no_number_is_not_sound():
    assert flat(1.0, 0.5).sound
    assert not flat(1.0, -0.5).sound
    assert not flat(float("nan")).sound


def test_a_stretched_band_keeps_its_middle_and_its_bottom():
    band = Band.of((1.0,), (0.5,), (2.0,)).stretched(3.0, 0.0)
    assert (band.p10, band.p50, band.p90) == ((0.0,), (1.0,), (4.0,))
    assert band.sound
    below = Band.of((-1.0,), (-1.5,), (0.0,)).stretched(2.0, 0.0)
    assert below.sound
