"""Energy from powers: what was seen is counted, what nobody saw is not invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.energy_count import GAP_S, EnergyCount
from pems_actors.domain.readings import MeterReading


def counted(*rows: tuple[float, float | None, float | None]) -> EnergyCount:
    count, before = EnergyCount(), None
    for row in rows:
        reading = MeterReading(*row)
        count, before = count.between(before, reading), reading
    return count


def test_an_hour_of_three_kilowatts_is_three_kilowatt_hours() -> None:
    count = counted(*((60.0 * k, 3.0, 4.0) for k in range(61)))
    assert (count.import_kwh, count.export_kwh, count.load_kwh) == pytest.approx((3.0, 0.0, 4.0))
    assert count.since_s == 0.0


def test_what_is_sold_is_counted_apart_from_what_is_bought() -> None:
    count = counted((0.0, 2.0, None), (60.0, -2.0, None), (120.0, -2.0, None))
    assert count.import_kwh == pytest.approx(1.0 / 60.0)
    assert count.export_kwh == pytest.approx(3.0 / 60.0)


def test_a_gap_is_not_filled_and_the_same_reading_counts_once() -> None:
    assert counted((0.0, 3.0, None), (GAP_S + 1.0, 3.0, None)).import_kwh == 0.0
    twice = counted((0.0, 3.0, None), (60.0, 3.0, None), (60.0, 3.0, None))
    assert twice.import_kwh == pytest.approx(3.0 / 60.0)
    assert counted((60.0, 3.0, None), (0.0, 3.0, None)).import_kwh == 0.0  # a clock set back


@given(st.lists(st.tuples(st.floats(0.1, 400.0), st.floats(-20.0, 20.0)), max_size=30))
def test_counts_never_fall_and_their_difference_is_the_net_energy(steps) -> None:
    at_s, rows = 0.0, []
    for step_s, grid_kw in steps:
        at_s += step_s
        rows.append((at_s, grid_kw, None))
    count, before, net = EnergyCount(), None, 0.0
    for row in rows:
        reading = MeterReading(*row)
        after = count.between(before, reading)
        assert after.import_kwh >= count.import_kwh
        assert after.export_kwh >= count.export_kwh
        if before is not None and reading.at_s - before.at_s <= GAP_S:
            mean_kw = (before.grid_kw + reading.grid_kw) / 2.0
            net += mean_kw * (reading.at_s - before.at_s) / 3600.0
        count, before = after, reading
    assert count.import_kwh - count.export_kwh == pytest.approx(net, abs=1e-6)
