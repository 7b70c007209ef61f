"""The day-ahead ensemble behind load and price: members, their record of true errors, their bands.

A recipe until it is fitted, then frozen. `fit` on a fitted one goes on from its record. Days
further ahead are forecast with the nearer ones in the place of what is not measured yet. With too
little history the usual day serves, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.learning.days.grid import DAY, Array, DayGrid, Ints, Places
from pems_actors.learning.days.regime import regime_of
from pems_actors.learning.days.scale import least_width
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.series.blend import Blend
from pems_actors.learning.series.day_ahead import Issue
from pems_actors.learning.series.live import LOOK_BACK_DAYS, WITHIN, reach, widths
from pems_actors.learning.series.members import Seasonal
from pems_actors.learning.series.quantiles import Bands, weighted_quantile
from pems_actors.learning.series.record import (
    Members,
    Record,
    View,
    back_in_time,
    said,
    since,
    taught,
)
from pems_actors.learning.series.together import PastErrors
from pems_actors.learning.tables.table import Table

FLOOR_DAYS = 21
_TAIL_DAYS = 480  # how far back a forecast looks
_HOURS_TO_FORGET = 4.0  # how long today's surprise is believed to go on
_TODAY_TRUST = 0.5
_BAND_HALF_LIFE_DAYS = 90.0  # bands follow the times faster than weights do
_NET_FRAC = 0.01
_SECOND_DAY = 1.3  # how much wider the day after tomorrow is, before it is measured

Sheets = tuple[Array, Array, Array, Array]  # P10, P50, P90, mean; shape (issues, slots) each


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known at some issues: the sheet, the row of each issue's day, its known slots.

    `later_too`: whatever stands in the sheet after the issue was known then (it was masked before).
    """

    view: View
    today: Ints
    slots: npt.NDArray[np.bool_]
    later_too: bool

    def fact(self, ahead: int) -> Array:
        """Show what was known of the day of the issue, or of a day after it."""
        values = self.view.truth[np.minimum(self.today + ahead, len(self.view.truth) - 1)]
        if ahead and not self.later_too:
            return np.full(values.shape, np.nan)
        return values if ahead else np.where(self.slots, values, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class DayAhead:
    """An ensemble: name, members, and what is known at an issue; the rest is learned."""

    name: str
    members: Members
    published: bool = False  # the whole day of the issue is known at noon, as with prices
    never_below: float | None = None
    guess: float = 0.0  # what is told before anything is known
    half_life_days: float = 180.0
    notes: tuple[str, ...] = ()
    record: Record | None = None
    blend: Blend | None = None
    bands: Bands = field(default_factory=Bands)
    second_day: float = _SECOND_DAY
    width: float = 1.0  # what the days up to then said of the bands
    learned_until: pd.Timestamp | None = None  # local date, without a zone
    usual: float | None = None
    least: float = 0.0  # narrowest spread that is believed

    # --- learning ----------------------------------------------------------------------------

    def fit(self, history: Table) -> DayAhead:
        """Learn from all rows of `history`; with little of it the floor serves, and says so."""
        if not history.rows:
            note = f"no {self.name} history at all: a guess of {self.guess:g} serves"
            return replace(self, notes=(note,))
        known = replace(history, frame=history.frame.loc[: history.series.last_valid_index()])
        view = View(DayGrid.of(known, extra_days=2), known.target, self.published)
        usual = float(history.series.median())
        if self.never_below is not None and _often_below(history, self.never_below):
            return replace(self, never_below=None).fit(history)
        if history.days < FLOOR_DAYS:
            return self._floor(view, history.days, usual)
        record, until = self._record(view), int(view.known_rows[-1])
        fitted = replace(
            self,
            members=taught(self.members, view, view.known_rows),
            record=record,
            width=1.0 if self.record is None else self._widths(view, until + 1)[-1],
            learned_until=view.grid.days[until],
            usual=usual,
            least=least_width(record.truth),
            notes=(
                f"{history.days:.0f} days learned, {len(record.days)} of them told unseen first",
            ),
        )
        return _calibrated(fitted, view, record)

    def _record(self, view: View) -> Record:
        if self.record is None or self.learned_until is None:
            return back_in_time(self.members, view)
        return since(self.record, self.members, view, self.learned_until)

    def past_errors(self, timezone: str) -> PastErrors | None:  # noqa: ARG002 - days are local ones
        """Give the errors of the median on days that were told unseen."""
        if self.record is None or self.blend is None:
            return None
        _, median = self.blend.of(self.record.told)
        return PastErrors.sorted(self.record.days, self.record.truth - median)

    def _widths(self, view: View, until: int) -> Array:
        """Follow how the bands held on the days since they were learned, up to a row (exclusive).

        Returns: the width before these days and after each of them.
        """
        if self.learned_until is None:
            return np.array([self.width])
        first = max(view.grid.row_of(self.learned_until) + 1, until - LOOK_BACK_DAYS, 0)
        rows = np.arange(first, until, dtype=np.intp)
        if not len(rows):
            return np.array([self.width])
        low, middle, high, _ = self.plain(view.scene(rows))
        behind = 1 if self.published else 2
        return widths(self.width, list(reach(view.truth[rows], low, middle, high)), behind)

    def _floor(self, view: View, days: float, usual: float) -> DayAhead:
        """Serve the seasonal mean with the bands of its own errors."""
        told = Seasonal().predict(view.scene(np.arange(len(view.truth))))
        told = np.where(np.isfinite(told), told, usual)
        bands = Bands.fit(np.zeros((told.size, 1)), told.ravel(), view.truth.ravel())
        note = (
            f"only {days:.1f} days of {self.name} history, {FLOOR_DAYS} are needed: "
            "the usual day serves"
        )
        until = int(view.known_rows[-1])
        return replace(
            self,
            bands=bands,
            width=self._widths(view, until + 1)[-1],
            learned_until=view.grid.days[until],
            usual=usual,
            notes=(note,),
            record=None,
            blend=None,
        )

    # --- forecasting -------------------------------------------------------------------------

    def forecast(
        self, known: Table, issued_at: pd.Timestamp, hours: pd.DatetimeIndex
    ) -> pd.DataFrame:
        """Tell P10, P50, P90 and the mean of the slots that start at `hours`."""
        tail = known.frame.loc[known.frame.index >= issued_at - _TAIL_DAYS * DAY]
        if not np.isfinite(tail[known.target].to_numpy(float)).any():
            return self._blind(hours)
        short = replace(known, frame=tail)
        places = Places.of(hours, known.step, known.timezone)
        ends = Places.of(
            pd.DatetimeIndex([issued_at, tail.index[-1]]), known.step, known.timezone
        ).dates
        missing = (max(places.dates[-1], ends[0]) - ends[1]) // DAY
        grid = DayGrid.of(short, extra_days=max(0, int(missing)))
        at = Known(
            View(grid, known.target, self.published),
            np.array([grid.row_of(ends[0])]),
            np.ones((1, grid.slots), bool),
            later_too=True,
        )
        ahead = np.asarray((places.dates - ends[0]) // DAY, np.intp)
        over = int(at.today[0]) + self.published  # whole days, the auction's among them
        days = self._days(at, int(ahead.max()) + 1, self._widths(at.view, over)[-1:, None])
        told = np.stack([np.concatenate(sheets) for sheets in zip(*days, strict=True)])
        return _frame(hours, *told[:, np.maximum(ahead, 0), places.slots])

    def _blind(self, hours: pd.DatetimeIndex) -> pd.DataFrame:
        """Tell the usual where nothing was measured lately, with a band as wide as errors were."""
        middle = self._whole(np.full(len(hours), np.nan))
        errors = 0.0 if self.record is None else float(np.nanstd(self.record.truth))
        spread = 1.28 * errors or 0.5 * abs(float(self.guess))
        return _frame(hours, self._whole(middle - spread), middle, middle + spread, middle)

    def forecast_each(self, table: Table, todo: Sequence[Issue]) -> list[pd.DataFrame]:
        """Make several noon forecasts at once; the same as one by one, only faster.

        The table may hold more than was known at the issues; it is not looked at.
        """
        grid = DayGrid.of(table, extra_days=3)
        first = Places.of(
            pd.DatetimeIndex([issue.at for issue in todo]), table.step, table.timezone
        ).dates
        today = np.array([grid.row_of(date) for date in first], np.intp)
        view = View(grid, table.target, self.published)
        slots = np.broadcast_to(np.arange(grid.slots) < view.seen, (len(todo), grid.slots))
        over = today + self.published
        after = self._widths(view, int(over.max()))
        width = after[np.clip(len(after) - 1 - (over.max() - over), 0, None)]
        days = self._days(Known(view, today, slots, later_too=False), 3, width[:, None])
        frames = []
        for k, issue in enumerate(todo):
            places = Places.of(issue.hours, table.step, table.timezone)
            ahead = np.asarray((places.dates - first[k]) // DAY, np.intp)
            told = np.stack([[sheet[k] for sheet in sheets] for sheets in zip(*days, strict=True)])
            frames.append(_frame(issue.hours, *told[:, ahead, places.slots]))
        return frames

    def _days(self, at: Known, count: int, width: Array) -> list[Sheets]:
        """Forecast day after day from the days of the issues on, bands as wide as told, (n, 1)."""
        sheets: list[Sheets] = []
        for ahead in range(count):
            guessed = {}
            for back in range(1, ahead + 1):
                fact = at.fact(ahead - back)
                guessed[back] = np.where(np.isfinite(fact), fact, sheets[-back][1])
            if 1 in guessed:
                guessed[1] = at.view.until_noon(guessed[1])
            told = self._day(at.view.scene(at.today + ahead, guessed), ahead, width)
            if ahead == 0:
                step = _surprise(at.fact(0), told[1])
                told = _four(part + step for part in told)
            if self.published:  # what the market has told is no forecast
                fact = at.fact(ahead)
                told = _four(np.where(np.isfinite(fact), fact, part) for part in told)
            sheets.append(_four(self._whole(part) for part in told))
        return sheets

    def _day(self, scene: Scene, ahead: int, width: Array) -> Sheets:
        """Forecast the target days of a scene, bands as wide as the times ask for."""
        low, median, high, mean = self.plain(scene)
        stretch = width * self.second_day ** max(0, ahead - 1)
        return median - stretch * (median - low), median, median + stretch * (high - median), mean

    def plain(self, scene: Scene) -> Sheets:
        """Forecast target days with bands as they were learned."""
        if self.blend is None:
            middle = self._whole(Seasonal().predict(scene))
            flat = self.bands.around(np.zeros((middle.size, 1)), middle.ravel())
            low, median, high = (part.reshape(middle.shape) for part in flat)
            return low, median, high, median
        told = said(self.members, scene)
        mean, median = (self._whole(part) for part in self.blend.of(told))
        regime = regime_of(scene, told, mean, median, self.least)
        low, _, high = self.bands.around(regime.features, regime.scaled(median), regime.parts)
        return regime.back(low), median, regime.back(high), mean

    def _whole(self, values: Array) -> Array:
        """Leave nothing unknown and nothing below what is possible."""
        usual = self.guess if self.usual is None else self.usual
        whole = np.where(np.isfinite(values), values, usual)
        return whole if self.never_below is None else np.maximum(whole, self.never_below)


def _often_below(history: Table, least: float) -> bool:
    """Whether a power is below its least so often that it is net of another."""
    return float((history.series.dropna() < least).mean()) > _NET_FRAC


def _calibrated(model: DayAhead, view: View, record: Record) -> DayAhead:
    """Learn blend and bands from the record."""
    slots, members = record.told.shape[1:]
    age = np.repeat(record.age_days, slots)
    weights = 0.5 ** (age / model.half_life_days)
    blend = Blend.fit(record.told.reshape(-1, members), record.truth.ravel(), weights)
    rows = np.array([view.grid.row_of(day) for day in record.days], np.intp)
    mean, median = blend.of(record.told)
    regime = regime_of(view.scene(rows), record.told, mean, median, model.least)
    bands = Bands.fit(
        regime.features,
        regime.scaled(median),
        regime.scaled(record.truth),
        regime.parts,
        age,
        _BAND_HALF_LIFE_DAYS,
    )
    fitted = replace(model, blend=blend, bands=bands)
    return replace(fitted, second_day=_second_day(fitted, view, rows[-90:], median[-90:]))


def _second_day(model: DayAhead, view: View, rows: Ints, day_1: Array) -> float:
    """Find how much wider the second day is: its errors in bands beside those of the first day.

    Args:
        rows: the newest days of the record.    day_1: what was said of them a day ahead.
    """
    third = np.flatnonzero((np.diff(rows[1:]) == 1) & (np.diff(rows[:-1]) == 1)) + 2
    if len(third) < 14:
        return _SECOND_DAY
    guessed = {1: view.until_noon(day_1[third - 1])}
    if not view.published:
        older = view.scene(rows[third]).lag(2).copy()
        older[:, view.seen :] = np.nan  # the afternoon of the issue was a forecast, too
        guessed[2] = np.where(np.isfinite(older), older, day_1[third - 2])
    truth = view.truth[rows[third]]
    far, near = (
        reach(truth, *model.plain(view.scene(rows[third], told))[:3]).ravel()
        for told in (guessed, {})
    )
    known = np.isfinite(far) & np.isfinite(near)
    if not known.any():
        return _SECOND_DAY
    ones = np.ones(int(known.sum()))
    wide, narrow = (weighted_quantile(part[known], ones, WITHIN) for part in (far, near))
    return float(np.clip(wide / max(narrow, 1e-12), 0.8, 2.5))


def _surprise(fact: Array, told: Array) -> Array:
    """Carry on what today is above or below its forecast, less and less; shape (n, slots)."""
    steps = np.zeros(told.shape)
    per_hour = max(1, told.shape[1] // 24)
    for row, (measured, expected) in enumerate(zip(fact, told, strict=True)):
        known = np.flatnonzero(np.isfinite(measured))
        if len(known):
            newest = known[-3 * per_hour :]
            error = float((measured[newest] - expected[newest]).mean())
            ahead_h = np.maximum(0.0, (np.arange(len(measured)) - known[-1]) / per_hour)
            steps[row] = _TODAY_TRUST * error * np.exp(-ahead_h / _HOURS_TO_FORGET)
    return steps


def _four(parts: Iterable[Array]) -> Sheets:
    low, median, high, mean = parts
    return low, median, high, mean


def _frame(
    hours: pd.DatetimeIndex, low: Array, median: Array, high: Array, mean: Array
) -> pd.DataFrame:
    columns = {"p10": np.minimum(low, median), "p50": median, "p90": np.maximum(high, median)}
    return pd.DataFrame({**columns, "mean": mean}, index=hours)
