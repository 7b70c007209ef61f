"""What the roof gave lately against what was expected: ratios over windows that end at an issue.

Every figure depends only on rows that had ended at its `cut`, the instant up to which something
was known; so the same code serves training (a cut for each past row) and forecasting (one cut).
Ratios of energies, not means of ratios, so that dawn counts little and noon counts much; each is
drawn towards a usual value while little was measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.learning.features.roofs import HOURLY_D, WINDOWS_D
from pems_actors.learning.pv.scene import Array

Longs = npt.NDArray[np.int64]

PRIOR_H = 0.5  # weight of the usual ratio in a window [h at peak]
HOURLY_PRIOR_H = 0.08  # the same for one time of day, per day of the window
LONG_PRIOR_H = 10.0
MEMORY_D = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Sums of measured and expected energy before each row; gaps count in neither."""

    starts_s: Array
    step_s: float
    measured: Array  # cumulated, shape (rows + 1,)
    expected: Array
    by_time: tuple[Array, Array]  # cumulated over days for each time of day: (days + 1, slots)
    first_slot: int
    peak: float
    usual: float

    @classmethod
    def of(
        cls,
        starts_s: Array,
        step_s: float,
        measured: Array,
        expected: Array,
        peak: float,
        usual: float = 1.0,
    ) -> Recent:
        """Sum up rows in order of time; NaN in `measured` is a gap.

        `usual` is the ratio believed in before anything was measured.
        """
        known = np.isfinite(measured) & (expected > 0.0)
        got = np.where(known, measured, 0.0)
        hoped = np.where(known, expected, 0.0)
        first = int(starts_s[0] // step_s)
        return cls(
            starts_s,
            step_s,
            np.concatenate([[0.0], np.cumsum(got)]),
            np.concatenate([[0.0], np.cumsum(hoped)]),
            (_by_time(got, first, step_s), _by_time(hoped, first, step_s)),
            first,
            peak,
            usual,
        )

    def known_rows(self, cut_s: Array) -> Longs:
        """Count the rows that had ended at each cut."""
        return np.searchsorted(self.starts_s, cut_s - self.step_s + 1e-6, side="right")

    def ratio(self, since_s: Array, cut_s: Array, level: Array | float) -> Array:
        """Energy measured over energy expected between two instants each, drawn to a level."""
        return self._ratio(since_s, cut_s, level, PRIOR_H)

    def _ratio(self, since_s: Array, cut_s: Array, level: Array | float, prior_h: float) -> Array:
        a, b = self.known_rows(since_s), self.known_rows(cut_s)
        weight = prior_h * HOUR_S / self.step_s * self.peak
        got, hoped = self.measured[b] - self.measured[a], self.expected[b] - self.expected[a]
        return np.asarray((got + level * weight) / (hoped + weight))

    def hourly(self, rows_s: Array, cut_s: Array, days: int, level: Array) -> Array:
        """Compute the ratio at the same time of day over the last days known at the cut."""
        slots = self.by_time[0].shape[1]
        slot = (rows_s // self.step_s).astype(np.int64) - self.first_slot
        last = (cut_s // self.step_s).astype(np.int64) - self.first_slot - 1
        back = np.maximum(-(-(slot - last) // slots), 0)
        high = len(self.by_time[0]) - 1
        end = np.clip((slot - back * slots) // slots + 1, 0, high)
        begin = np.clip(end - days, 0, high)
        weight = days * HOURLY_PRIOR_H * self.peak
        got, hoped = (sums[end, slot % slots] - sums[begin, slot % slots] for sums in self.by_time)
        return np.asarray((got + level * weight) / (hoped + weight))

    def features(self, rows_s: Array, cut_s: Array, midnight_s: Array) -> dict[str, Array]:
        """Tell all ratios for some rows, by the names of `features.roofs`.

        Args:
            rows_s: starts of the rows.    cut_s: what ended by then was known.
            midnight_s: local midnight of the day of the cut.
        """
        long_s = cut_s - MEMORY_D * DAY_S
        usual = self._ratio(long_s, cut_s, self.usual, LONG_PRIOR_H)
        told = {f"last_{d}d": self.ratio(cut_s - d * DAY_S, cut_s, usual) for d in WINDOWS_D}
        told["cut_day"] = self.ratio(midnight_s, cut_s, usual)
        told["day_before"] = self.ratio(midnight_s - DAY_S, midnight_s, usual)
        for days in HOURLY_D:
            level = told["last_7d" if days == HOURLY_D[0] else "last_30d"]
            told[f"hour_{days}d"] = self.hourly(rows_s, cut_s, days, level)
        single = np.stack(
            [self.ratio(cut_s - (k + 1) * DAY_S, cut_s - k * DAY_S, usual) for k in range(10)]
        )
        told["restless"] = single.std(axis=0)
        return told


def _by_time(values: Array, first: int, step_s: float) -> Array:
    slots = max(1, round(DAY_S / step_s))
    days = -(-len(values) // slots)
    padded = np.zeros(days * slots)
    padded[: len(values)] = values
    del first
    return np.concatenate([np.zeros((1, slots)), np.cumsum(padded.reshape(days, slots), axis=0)])


def cuts(
    index: pd.DatetimeIndex, timezone: str, lead_days: int, hour: int = 12
) -> tuple[Array, Array]:
    """Say what was known when each row was forecast: noon of the local day before, or earlier.

    Returns: cut and local midnight of the cut's day for each row, UTC seconds, shape (rows,).
    """
    local = index.tz_convert(timezone).tz_localize(None).normalize()
    days, which = np.unique(local.to_numpy(), return_inverse=True)
    eves = pd.DatetimeIndex(days) - pd.Timedelta(days=lead_days)
    midnights = _seconds(eves, timezone)
    noons = _seconds(eves + pd.Timedelta(hours=hour), timezone)
    return noons[which], midnights[which]


def _seconds(naive: pd.DatetimeIndex, timezone: str) -> Array:
    aware = naive.tz_localize(timezone, nonexistent="shift_forward", ambiguous="NaT")
    if aware.hasnans:  # a midnight that came twice
        twice = naive.tz_localize(
            timezone, nonexistent="shift_forward", ambiguous=np.ones(len(naive), bool)
        )
        aware = aware.where(aware.notna(), twice)
    return starts_of(pd.DatetimeIndex(aware))


def starts_of(index: pd.DatetimeIndex) -> Array:
    """Give the starts as UTC seconds."""
    return index.tz_convert("UTC").as_unit("s").asi8.astype(float)
