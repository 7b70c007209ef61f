"""Made histories to learn from: a household with habits, a market with a shape, all seeded."""

import numpy as np
import pandas as pd

from pems_actors.learning.tables.table import Table

ZONE = "Europe/Prague"


def hours(days, start="2024-01-01"):
    first = pd.Timestamp(start, tz=ZONE).tz_convert("UTC")
    return pd.date_range(first, periods=int(days * 24), freq="h")


def habits(days, start="2024-01-01", noise=0.1, seed=3):
    """A load with a morning and an evening, more at weekends, and noise."""
    index = hours(days, start)
    local = index.tz_convert(ZONE)
    rng = np.random.default_rng(seed)
    hour, free = np.asarray(local.hour), np.asarray(local.day_of_week) >= 5
    shape = 0.3 + 0.5 * (hour == 7) + 0.9 * ((hour >= 17) & (hour < 22)) + 0.4 * free * (hour > 9)
    return pd.Series(shape * (1.0 + noise * rng.standard_normal(len(index))), index, name="kw")


def market(days, start="2024-01-01", seed=5):
    """Prices with two crests a day and a level that wanders."""
    index = hours(days, start)
    rng = np.random.default_rng(seed)
    hour = np.asarray(index.tz_convert(ZONE).hour)
    level = 80.0 + np.repeat(np.cumsum(4.0 * rng.standard_normal(len(index) // 24 + 1)), 24)
    shape = 25.0 * np.sin(2 * np.pi * (hour - 3) / 12)
    values = level[: len(index)] + shape + 5.0 * rng.standard_normal(len(index))
    return pd.Series(values, index, name="eur")


def table(series, **columns):
    frame = pd.DataFrame({series.name: series, **columns})
    return Table(frame, str(series.name), ZONE)


def midnight(day):
    return pd.Timestamp(day, tz=ZONE).tz_convert("UTC")
