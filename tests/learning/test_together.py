"""Joint paths: what went wrong together goes wrong together again, whatever the series."""

import numpy as np
import pandas as pd
import pytest

from pems_actors.learning.series.together import Outlook, PastErrors, paths_together

ZONE = "Europe/Prague"
DAYS = pd.date_range("2024-01-01", periods=150, freq="D")
QUARTER, HOUR = pd.Timedelta(minutes=15), pd.Timedelta(hours=1)


def shared_errors(seed=1):
    """A weather of its own for each day, felt by all."""
    return np.random.default_rng(seed).standard_normal((len(DAYS), 1))


def errors(each, slots):
    return PastErrors.sorted(DAYS, np.repeat(each, slots, axis=1))


def band(start="2024-06-01 08:00", step=HOUR, hours=48, middle=5.0, width=1.0):
    index = pd.date_range(pd.Timestamp(start, tz=ZONE).tz_convert("UTC"), freq=step,
                          periods=int(pd.Timedelta(hours=hours) / step))  # fmt: skip
    return pd.DataFrame({"p10": middle - width, "p50": middle, "p90": middle + width}, index=index)


def drawn(count=20, **outlooks):
    return paths_together(outlooks, ZONE, count, seed=3)


def test_series_with_slots_of_their_own_go_wrong_together_and_against_each_other():
    felt = shared_errors()
    paths = drawn(
        100,
        pv=Outlook(band(step=QUARTER), errors(felt, 96)),
        price=Outlook(band("2024-06-02 00:00", hours=24), errors(-felt, 24)),
    )
    assert paths["pv"].shape == (100, 192)
    assert paths["price"].shape == (100, 24)
    tomorrow = paths["pv"][:, 64 + 40]  # 10 o'clock of the second day
    assert np.corrcoef(tomorrow, paths["price"][:, 10])[0, 1] < -0.9
    assert abs(np.corrcoef(paths["pv"][:, 0], paths["price"][:, 10])[0, 1]) < 0.5


def test_a_path_hangs_together_within_a_day():
    paths = drawn(100, load=Outlook(band("2024-06-01 00:00"), errors(shared_errors(), 24)))["load"]
    assert np.corrcoef(paths[:, 3], paths[:, 20])[0, 1] > 0.9
    assert abs(np.corrcoef(paths[:, 3], paths[:, 40])[0, 1]) < 0.5


def test_paths_lie_in_the_band_as_often_as_it_says():
    noise = np.random.default_rng(2).standard_normal((len(DAYS), 24))
    paths = drawn(140, load=Outlook(band(), PastErrors.sorted(DAYS, noise)))["load"]
    assert 0.75 <= ((paths > 4.0) & (paths < 6.0)).mean() <= 0.85


def test_no_power_of_a_path_is_negative():
    look = Outlook(band(middle=0.5), errors(shared_errors(), 24), least=0.0)
    assert drawn(load=look)["load"].min() == 0.0


def test_models_without_a_past_get_paths_all_the_same():
    few = PastErrors.sorted(DAYS[:3], np.zeros((3, 24)))
    paths = drawn(pv=Outlook(band(), None), load=Outlook(band(), few))
    assert all(np.isfinite(each).all() and np.ptp(each[:, 0]) > 0.5 for each in paths.values())


def test_the_same_seed_draws_the_same_paths():
    look = Outlook(band(), errors(shared_errors(), 24))
    np.testing.assert_array_equal(drawn(a=look)["a"], drawn(a=look)["a"])


def test_errors_by_slot_start_are_laid_out_by_local_day():
    index = pd.date_range("2024-07-01 22:00", periods=48, freq="h", tz="UTC")  # midnight in Prague
    laid = PastErrors.of(pd.Series(np.arange(48.0), index).drop(index[30:40]), HOUR, ZONE)
    assert list(laid.days) == [pd.Timestamp("2024-07-02"), pd.Timestamp("2024-07-03")]
    assert laid.sheet[1, 0] == 24.0
    assert np.isnan(laid.sheet[1, 10])


@pytest.mark.parametrize("missing", ["a", "b"])
def test_only_days_that_all_models_know_are_drawn_from(missing):
    felt, holed = shared_errors(), shared_errors()
    holed[20:] = np.nan
    both = {"a": errors(felt, 24), "b": errors(felt, 24)} | {missing: errors(holed, 24)}
    paths = drawn(40, **{name: Outlook(band(), each) for name, each in both.items()})
    assert np.corrcoef(paths["a"][:, 0], paths["b"][:, 0])[0, 1] > 0.9
