"""What a wish may be, and how it is refused: in a sentence with a way out."""

import pytest

from pems_actors.control.wishes import override_problem


@pytest.mark.parametrize(
    ("temp_c", "duration_s", "words"),
    [
        (22.0, -9.6e7, "the wish would be over before it begins; give a time to come"),
        (22.0, 0.0, "over before it begins"),
        (22.0, 30.0, "would last 30 s; give 1 minute to 30 days"),
        (22.0, 2.5e11, "would last 2893519 days; give 1 minute to 30 days"),
        (30.0, 3600.0, "temp_c is 30; give 10 to 26 °C"),
    ],
)
def test_what_is_no_wish_is_refused_in_a_sentence(temp_c, duration_s, words):
    assert words in (override_problem(temp_c, duration_s) or "")


@pytest.mark.parametrize("duration_s", [60.0, 7200.0, 30 * 86400.0])
def test_a_minute_to_a_month_is_a_wish(duration_s):
    assert override_problem(22.0, duration_s) is None
