"""Where a plant of unknown place stands: read off the first and the last light of its days.

Good to a degree or two over a year, to a few over a month; enough for a clear sky to compare with.
Longitude is sure from any season, latitude only from days that are not near an equinox, so it is
drawn to a usual one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from pems_actors.domain.house import Site
from pems_actors.learning.pv.recent import starts_of
from pems_actors.learning.pv.scene import Array, suns_at
from pems_actors.learning.tables.table import Table

USUAL = (48.0, 12.0)  # latitude and its prior width [°]
_LIGHT_FRAC = 0.01  # of the most ever measured
_FIRST_LIGHT_DEG = 3.0
_FEWEST_DAYS = 3
_WIDTH_DEG = 3.0
_NEIGHBOURS = 5


def find_site(history: Table) -> Site | None:
    """Find the place of a plant; None where fewer than three whole days were seen."""
    first, last = _edges(history)
    if len(first) < _FEWEST_DAYS:
        return None
    noon_s = float(np.median((0.5 * (first + last)) % 86400.0))
    longitude = (43200.0 - noon_s) / 240.0
    at_s = np.concatenate([first, last])

    def misses(x: Array) -> Array:
        place = Site(float(np.clip(x[0], -66.0, 66.0)), float(x[1]))
        height = 90.0 - suns_at(place, at_s).zenith_deg
        off = (height - _FIRST_LIGHT_DEG) / _WIDTH_DEG
        return np.append(off, ((abs(x[0]) - USUAL[0]) / USUAL[1], (x[1] - longitude) / _WIDTH_DEG))

    tries = [
        least_squares(misses, (start, longitude), loss="soft_l1", diff_step=1e-3)
        for start in (USUAL[0], -USUAL[0] + 10.0)
    ]
    latitude, longitude = min(tries, key=lambda found: float(found.cost)).x
    where = (float(np.clip(latitude, -66.0, 66.0)), float((longitude + 180.0) % 360.0 - 180.0))
    return Site(where[0], where[1], timezone=history.timezone)


def _edges(history: Table) -> tuple[Array, Array]:
    """Find first and last light of each day that was seen whole, by the brightest neighbours."""
    series = history.series
    known = series.dropna()
    if known.empty or float(known.max()) <= 0.0:
        return np.empty(0), np.empty(0)
    light = known[known > _LIGHT_FRAC * float(known.quantile(0.999))]
    night_h = _darkest_hour(light)
    index = pd.DatetimeIndex(light.index)
    days = index.shift(-night_h, freq="h").floor("D")
    middle_s = history.step.total_seconds() / 2.0
    starts = pd.Series(starts_of(index) + middle_s, index=index)
    edges = starts.groupby(days).agg(["min", "max", "size"])
    edges = edges[edges["size"] >= 0.5 * edges["size"].median()]
    day_s = starts_of(pd.DatetimeIndex(edges.index))
    rise = (edges["min"] - day_s).rolling(_NEIGHBOURS, center=True, min_periods=1).min()
    fall = (edges["max"] - day_s).rolling(_NEIGHBOURS, center=True, min_periods=1).max()
    return rise.to_numpy() + day_s, fall.to_numpy() + day_s


def _darkest_hour(light: pd.Series[float]) -> int:
    """Hour of the UTC day in the middle of the night, so that no day is cut in two."""
    by_hour = np.bincount(pd.DatetimeIndex(light.index).hour, light.to_numpy(float), minlength=24)
    around = sum(np.roll(by_hour, k) for k in range(-3, 4))
    return int(np.argmin(around))
