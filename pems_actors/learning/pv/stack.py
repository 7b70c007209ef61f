"""One look's ensemble: members, their weights, and bands, all from errors that were truly made.

The record holds what the members said of rows they had not been fitted on: first by forward
chaining through the history, later by each new week before it is learned from. Weights and bands
come from the record alone, so a member that fails in a new season loses its say within weeks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from pems_actors.domain.units import DAY_S
from pems_actors.learning.pv.median import Median
from pems_actors.learning.pv.members import (
    USUAL,
    Members,
    Rows,
    blend_weights,
    fit_members,
)
from pems_actors.learning.pv.recent import Longs, Recent, cuts, starts_of
from pems_actors.learning.pv.scene import Array, Mask
from pems_actors.learning.pv.view import Look, View, recent_of, rows_of
from pems_actors.learning.series.live import LOOK_BACK_DAYS, reach, widths
from pems_actors.learning.series.quantiles import Bands, Ints

FEWEST_DAYS = 10.0
_FEWEST_ROWS = 200
_PIECES = 5
_RECORD_DAYS = 400
_HALF_LIFE_DAYS = 90.0
_LOW_DEG = 15.0
_JUDGED_DEG = 3.0
_FEW_DAYS = {"weather": (5.0, 0.05), "sky": (20.0, 0.11)}
_LEADS = {"weather": (1,), "sky": (1, 2)}


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A fitted ensemble of one look. `record` is indexed by row start, a column per member."""

    look: Look
    members: Members
    weights: Array
    bands: Bands
    median: Median
    record: pd.DataFrame
    until: pd.Timestamp
    errors: pd.Series[float] | None = None  # what came true minus the median, unseen
    width: float = 1.0  # what the days up to then said of the bands

    def tell(self, seen: View, recent: Recent, at: Longs, cut_s: Array, midnight_s: Array) -> Told:
        """Forecast some rows from what was known at one cut each."""
        lead = _lead(seen, at, midnight_s)
        rows = rows_of(self.look, seen, recent, at, cut_s, midnight_s, lead)
        middle = np.maximum(self.members.tell(rows) @ self.weights, 0.0)
        scale = rows.scale
        shape = band_features(self.look, seen, rows, middle, at)
        low, _, high = self.bands.around(
            shape,
            middle / scale,
            _groups(seen, at),
            self.width * _stretch(self.look, self.record),
        )
        median = np.clip(middle / scale + self.median.tell(shape), low, high)
        return Told(low * scale, median * scale, high * scale, middle)

    def caught_up(self, seen: View, recent: Recent, measured: Array, until_s: float) -> Stack:
        """Follow how the bands held on the days since they were learned, up to an instant.

        Args:
            measured: power, NaN where it is unknown or says nothing of this look.
        """
        starts, from_s = seen.starts_s, self.until.timestamp()
        newest_s = min(until_s, float(starts[-1]) + seen.step_s)
        fresh = (starts >= max(from_s, newest_s - LOOK_BACK_DAYS * DAY_S)) & (starts < until_s)
        high = seen.seen.elevation_deg > _JUDGED_DEG
        at = np.flatnonzero(fresh & high & np.isfinite(measured))
        if not len(at):
            return self
        plain = replace(self, width=1.0)
        told = plain.tell(seen, recent, at, *cuts(seen.index[at], seen.timezone, 1))
        held = reach(measured[at], told.p10, told.mean, told.p90)
        by_day = np.split(held, np.flatnonzero(np.diff(seen.days[at])) + 1)
        return replace(self, width=float(widths(self.width, by_day, behind=2)[-1]))


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """P10, P50, P90 and mean of some rows."""

    p10: Array
    p50: Array
    p90: Array
    mean: Array


def fit_stack(
    look: Look, seen: View, measured: Array, good: Mask, old: Stack | None
) -> Stack | None:
    """Learn one look from all good rows; None where there is too little for it.

    Args:
        measured: cleaned power, NaN where unknown or spoiled.    good: rows this look may use.
        old: the ensemble as it was; its record goes on when it was fitted on older rows.
    """
    usable = good & seen.seen.lit & np.isfinite(measured)
    days = len(np.unique(seen.days[usable]))
    if days < FEWEST_DAYS or usable.sum() < _FEWEST_ROWS:
        return None
    recent = recent_of(look, seen, measured)
    table = _training(look, seen, recent, measured, usable)
    record = _record(look, table, old)
    fitted = _settled(look, table, record, seen)
    if old is None:
        return fitted
    held = np.where(usable, measured, np.nan)
    return replace(fitted, width=old.caught_up(seen, recent, held, np.inf).width)


@dataclass(frozen=True, slots=True, eq=False)
class _Training:
    rows: Rows
    truth: Array
    day: Array
    lead: Array
    place: Longs  # numbers of the rows in the view
    index: pd.DatetimeIndex


def _training(look: Look, seen: View, recent: Recent, measured: Array, usable: Mask) -> _Training:
    at = np.flatnonzero(usable)
    parts, leads = [], []
    for lead in _LEADS[look]:
        cut_s, midnight_s = cuts(seen.index[at], seen.timezone, lead)
        told = np.full(len(at), float(lead))
        parts.append(rows_of(look, seen, recent, at, cut_s, midnight_s, told))
        leads.append(told)
    rows = Rows(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("features", "terms", "plain", "scale")
        )
    )
    every = np.tile(at, len(parts))
    order = np.argsort(every, kind="stable")
    every = every[order]
    return _Training(
        rows.take(order),
        measured[every],
        seen.days[every],
        np.concatenate(leads)[order],
        every,
        seen.index[every],
    )


def _record(look: Look, table: _Training, old: Stack | None) -> pd.DataFrame:
    """Tell what members said of rows they did not know."""
    near = table.lead == 1.0
    if old is not None and old.look == look and old.until > table.index[0]:
        new = near & np.asarray(table.index >= old.until)
        parts = [old.record]
        if new.any():
            parts.append(_said(old.members, table, new))
    else:
        parts = _forward(table, near)
    record = pd.concat(parts) if parts else _said(Members(), table, near & False)
    oldest = table.index[-1] - pd.Timedelta(days=_RECORD_DAYS)
    return record[(record.index >= oldest) & ~record.index.duplicated(keep="last")]


def _forward(table: _Training, near: Mask) -> list[pd.DataFrame]:
    """Go forward through the history: fit on what was, tell of the next piece."""
    days = np.unique(table.day)
    first = max(int(FEWEST_DAYS * 0.7), int(0.35 * len(days)))
    edges = np.unique(np.linspace(first, len(days), _PIECES + 1).astype(int))
    parts = []
    for begin, end in pairwise(edges.tolist()):
        before = table.day < days[begin] - 0.5
        piece = near & (table.day >= days[begin]) & (table.day <= days[end - 1])
        if before.sum() < _FEWEST_ROWS // 2 or not piece.any():
            continue
        members = fit_members(table.rows.take(before), table.truth[before], rounds=150)
        parts.append(_said(members, table, piece))
    return parts


def _said(members: Members, table: _Training, rows: Mask) -> pd.DataFrame:
    told = members.tell(table.rows.take(rows))
    return pd.DataFrame(told, index=table.index[rows])


def _settled(look: Look, table: _Training, record: pd.DataFrame, seen: View) -> Stack:
    """Fit the members on everything, and weights and bands on the record."""
    members = fit_members(table.rows, table.truth)
    until = table.index[-1] + pd.Timedelta(seconds=seen.step_s)
    near = np.flatnonzero(table.lead == 1.0)
    place = pd.Series(near, index=table.index[near]).reindex(record.index)
    record = record[place.notna().to_numpy()]  # what was found spoiled since is forgotten
    which = place.dropna().to_numpy(int)
    if not len(which):
        return Stack(look, members, USUAL, Bands(), Median(), record, until)
    told, truth = record.to_numpy(float), table.truth[which]
    age = (until.timestamp() - starts_of(pd.DatetimeIndex(record.index))) / DAY_S
    rows_per_day = len(which) / max(1, len(np.unique(table.day[which])))
    weights = blend_weights(told, truth, 0.5 ** (age / _HALF_LIFE_DAYS), rows_per_day)
    middle = np.maximum(told @ weights, 0.0)
    rows, at = table.rows.take(which), table.place[which]
    shape, scale = band_features(look, seen, rows, middle, at), rows.scale
    bands = Bands.fit(
        shape,
        middle / scale,
        truth / scale,
        _groups(seen, at),
        age,
        half_life_days=_HALF_LIFE_DAYS,
    )
    median = Median.fit(shape, (truth - middle) / scale, 0.5 ** (age / _HALF_LIFE_DAYS))
    missed = truth - middle - scale * median.tell(shape)
    errors = pd.Series(missed, index=record.index).sort_index()
    return Stack(look, members, weights, bands, median, record, until, errors)


def band_features(look: Look, seen: View, rows: Rows, middle: Array, at: Longs) -> Array:
    """What the width of a band depends on, (rows, k); the sky's look does not see the light."""
    size, peak = rows.scale, max(seen.plant.peak, 1e-9)
    shape = [middle / size, rows.plain / size, size / peak, seen.seen.elevation_deg[at]]
    if look == "weather":
        bright = seen.seen.clearness
        hours = max(1, round(3600.0 / seen.step_s))
        spread = pd.Series(bright).rolling(2 * hours + 1, center=True, min_periods=2).std()
        shape += [bright[at], np.asarray(spread, np.float64)[at]]
    told: Array = np.stack(shape, axis=1)
    return told


def _stretch(look: Look, record: pd.DataFrame) -> float:
    """Widen a band that few days stand behind: errors of one day hang together."""
    days = len(pd.DatetimeIndex(record.index).normalize().unique())
    more, enough = _FEW_DAYS[look]
    return 1.0 + max(0.0, more / max(days, 10) - enough)


def _groups(seen: View, at: Longs) -> Ints:
    return np.asarray(seen.seen.elevation_deg[at] < _LOW_DEG, np.intp)


def _lead(seen: View, at: Longs, midnight_s: Array) -> Array:
    """Days between the day of the cut and the day of the row, 1 or 2."""
    ahead = (seen.starts_s[at] - midnight_s + 3600.0) // 86400.0
    return np.clip(ahead, 1.0, 2.0)
