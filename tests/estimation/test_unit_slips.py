"""A value in a wrong unit is recognised and named; a true one is never taken for a slip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.estimation.unit_slips import slipped_unit


@pytest.mark.parametrize(
    ("said", "unit"),
    [
        (70.2, "°F"),
        (212.0, "tenths of a degree"),
        (2120.0, "hundredths of a degree"),
        (294.4, "kelvins"),
        (2.1, "tens of degrees"),
    ],
)
def test_a_slip_is_named_by_its_unit(said: float, unit: str) -> None:
    assert slipped_unit(said, 21.2) == unit


@pytest.mark.parametrize("said", [21.0, 17.3, 24.9, 30.0, 12.0, 85.0, -30.0])
def test_what_fits_no_unit_is_no_slip(said: float) -> None:
    assert slipped_unit(said, 21.2) is None


@given(st.floats(5.0, 30.0), st.floats(-4.0, 4.0))
def test_a_value_near_the_expected_one_is_never_a_slip(expected_c: float, off_k: float) -> None:
    assert slipped_unit(expected_c + off_k, expected_c) is None
