"""The PV forecast: physics for the roofs, blended with what physics misses, with honest bands.

A ladder by what is there: history and the weather's light (`learned`), history without it
(`clear_sky`: the share of clear sky is learned from the last days and the season), the light
without history (`physics`), neither (`prior`: a cautious share of clear sky). Each row takes the
best rung that holds for it, and `source` says which. Curtailed samples are never learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd

from pems_actors.domain.house import Roof, Site
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.learning.pv import curtailed
from pems_actors.learning.pv.ground import (
    CLOUDY_FRAC,
    PHYSICS_BAND,
    grounded,
    share_of,
    without_curtailed,
)
from pems_actors.learning.pv.physics import Plant, plant_of
from pems_actors.learning.pv.recent import Longs, starts_of
from pems_actors.learning.pv.scene import Array, Mask, Scene, scene
from pems_actors.learning.pv.site import find_site
from pems_actors.learning.pv.stack import Stack, Told, fit_stack
from pems_actors.learning.pv.view import LONG_DAYS, Look, View, extras_of, recent_of, view
from pems_actors.learning.series.together import PastErrors
from pems_actors.learning.tables.table import Table

RUNGS = ("night", "learned", "clear_sky", "physics", "prior")
_RECENT_DAYS = 62
SOMEWHERE = Site(48.0, 12.0)
_FEWEST_DAYS_FOR_SHIFT = 20.0
_CLEARLY_OFF_H = 0.75
_PRIOR_BAND = (0.2, 2.2)
_TODAY_MEMORY_S = 1.5 * HOUR_S
_TODAY_FADES_S = 4.0 * HOUR_S
_TODAY_PRIOR_H = 0.3


@dataclass(frozen=True)
class PvModel:
    """A PV model for the roofs of a site; roofs that were not told are found.

    `limit_kw` is the most that the inverter takes in, if known; else it is looked for.
    """

    site: Site | None = None
    roofs: tuple[Roof, ...] = ()
    limit_kw: float | None = None
    max_soc_frac: float = 0.9
    notes: tuple[str, ...] = ()
    found: Site | None = None
    plant: Plant | None = None
    step: pd.Timedelta | None = None
    shift_s: float = 0.0
    top: float | None = None
    share: float = CLOUDY_FRAC
    extras: dict[str, float] = field(default_factory=dict)
    stacks: dict[Look, Stack] = field(default_factory=dict)
    long: bool = False

    @property
    def name(self) -> str:
        """Name of the model."""
        return "pv"

    @property
    def start(self) -> Plant:
        """The plant as it was told."""
        return plant_of(self.place, self.roofs, self.limit_kw)

    @property
    def place(self) -> Site:
        """Where the plant stands: as told, as found, or somewhere usual."""
        return self.site or self.found or SOMEWHERE

    def fit(self, history: Table) -> Self:
        """Learn from all good rows; goes on from its record when it was fitted before."""
        cleaned, said = without_curtailed(history, self.max_soc_frac)
        if not cleaned.rows:
            return replace(self, plant=self.start, notes=(*said, "no history: physics serves"))
        found, shift_s, told = placed(self, cleaned)
        return replace(self, found=found, shift_s=shift_s).learned(cleaned, [*said, *told])

    def learned(self, history: Table, said: list[str]) -> Self:
        """Learn from a history without curtailed rows, now that the place is known."""
        frame, step = history.frame, history.step
        seen = scene(self.place, frame, step, self.shift_s)
        plant, measured, spoiled = grounded(self.start, seen, history)
        extras = extras_of(frame, history.target, curtailed.STATES)
        long = history.days >= LONG_DAYS
        look = view(frame, extras, step, history.timezone, seen, plant, long)
        same = (self.long, self.extras, self.step) == (long, extras, step)
        kept = self.stacks if same else {}
        found = {
            name: fit_stack(name, look, measured, good, kept.get(name))
            for name, good in _looks(seen)
        }
        stacks = {name: stack for name, stack in found.items() if stack is not None}
        if not stacks:
            said.append(f"{history.days:.1f} days of history: physics serves alone")
        return replace(
            self,
            notes=(*said, *spoiled),
            plant=plant,
            step=step,
            top=_top(measured),
            share=share_of(look, measured),
            extras=extras,
            stacks=stacks,
            long=long,
        )

    def past_errors(self, timezone: str) -> PastErrors | None:
        """Give the errors of the median by daylight, on days that were told unseen."""
        stack = self.stacks.get("weather") or self.stacks.get("sky")
        if stack is None or stack.errors is None or self.step is None:
            return None
        return PastErrors.of(stack.errors, self.step, timezone)

    def forecast(
        self, known: Table, issued_at: pd.Timestamp, hours: pd.DatetimeIndex
    ) -> pd.DataFrame:
        """Tell the power over `hours`: `p10 p50 p90 mean` and `source`, the rung of each row."""
        step = self.step or known.step
        known = known if known.step == step or not len(known.index) else at_step(known, step)
        grid = hours if _on_grid(hours, known.index, step) else _grid(hours, step)
        begin = issued_at.floor(step) - pd.Timedelta(days=_RECENT_DAYS)
        begin = max(begin, known.index[0]) if len(known.index) else issued_at.floor(step)
        begin = min(begin, grid[0])
        index = pd.date_range(_aligned(begin, grid[0], step), grid[-1], freq=step)
        frame = known.frame.reindex(index)
        told = self._told(replace(known, frame=frame), step, issued_at, grid)
        return told if grid is hours else _onto(told, hours)

    def _told(
        self, known: Table, step: pd.Timedelta, issued_at: pd.Timestamp, grid: pd.DatetimeIndex
    ) -> pd.DataFrame:
        index, frame, now_s = known.index, known.frame, issued_at.timestamp()
        past = starts_of(index) + step.total_seconds() <= now_s
        measured = _measured(frame, known.target, past)
        measured[curtailed.told_curtailed(frame, self.max_soc_frac)] = np.nan
        plant = self.plant or self.start
        measured[curtailed.at_limit(measured, plant.limit)] = np.nan
        for name in self.extras:
            if name not in frame:
                frame = frame.assign(**{name: np.nan})
        seen = scene(self.place, frame, step, self.shift_s)
        look = view(frame, self.extras, step, known.timezone, seen, plant, self.long)
        at = np.flatnonzero(index >= grid[0])
        midnight_s = issued_at.tz_convert(known.timezone).normalize().timestamp()
        lately = self._caught_up(look, measured, midnight_s)
        told, source = lately.rungs(look, measured, at, now_s, midnight_s)
        told = lately.today(look, measured, told, at, now_s, midnight_s)
        return _framed(told, source, seen.lit[at], grid, self._most(plant))

    def _caught_up(self, look: View, measured: Array, until_s: float) -> Self:
        """Let the bands follow how they held on the whole days since they were learned."""
        stacks = {
            name: self.stacks[name].caught_up(
                look, recent_of(name, look, measured), np.where(good, measured, np.nan), until_s
            )
            for name, good in _looks(look.seen)
            if name in self.stacks
        }
        return replace(self, stacks=stacks)

    def _most(self, plant: Plant) -> float:
        most = 1.25 * plant.peak if self.top is None else max(self.top, 1e-9)
        return most if plant.limit is None else min(most, plant.limit)

    def rungs(
        self, look: View, measured: Array, at: Longs, now_s: float, midnight_s: float
    ) -> tuple[Told, Array]:
        """Take the best rung for each row."""
        lit, light = look.seen.lit[at], look.seen.known[at]
        parts = {name: np.zeros(len(at)) for name in ("p10", "p50", "p90", "mean")}
        source = np.zeros(len(at), int)
        for rung, rows in self._ladder(lit, light):
            if not rows.any():
                continue
            told = self._rung(rung, look, measured, at[rows], now_s, midnight_s)
            for name, values in parts.items():
                values[rows] = getattr(told, name)
            source[rows] = RUNGS.index(rung)
        return Told(**parts), source

    def _ladder(self, lit: Mask, light: Mask) -> list[tuple[str, Mask]]:
        weather, sky = "weather" in self.stacks, "sky" in self.stacks
        by_light = lit & light
        dark = lit & ~light
        return [
            ("learned" if weather else "physics", by_light),
            ("clear_sky" if sky else "prior", dark),
        ]

    def _rung(
        self, rung: str, look: View, measured: Array, at: Longs, now_s: float, midnight_s: float
    ) -> Told:
        if rung in {"learned", "clear_sky"}:
            name: Look = "weather" if rung == "learned" else "sky"
            recent = recent_of(name, look, measured)
            cut, midnight = np.full(len(at), now_s), np.full(len(at), midnight_s)
            return self.stacks[name].tell(look, recent, at, cut, midnight)
        if rung == "physics":
            mean = look.expected[at]
            low, high = PHYSICS_BAND
            return Told(low * mean, mean, high * mean, mean)
        mean = self.share * look.clear[at]
        low, high = _PRIOR_BAND
        return Told(low * mean, mean, np.minimum(high * mean, 1.1 * look.clear[at]), mean)

    def today(
        self, look: View, measured: Array, told: Told, at: Longs, now_s: float, midnight_s: float
    ) -> Told:
        """Correct the coming hours by what today has shown; it fades with the lead."""
        starts = look.starts_s
        past = np.flatnonzero(
            (starts >= now_s - 3.0 * _TODAY_MEMORY_S)
            & (starts < now_s)
            & np.isfinite(measured)
            & look.seen.lit
        )
        if not len(past) or not len(at) or starts[at[0]] - now_s > 4.0 * _TODAY_FADES_S:
            return told
        before, _ = self.rungs(look, measured, past, now_s - DAY_S / 2.0, midnight_s)
        weight = np.exp(-(now_s - starts[past]) / _TODAY_MEMORY_S)
        usual = _TODAY_PRIOR_H * HOUR_S / look.step_s * look.plant.peak
        got = float((weight * measured[past]).sum()) + usual
        ratio = np.clip(got / (float((weight * before.mean).sum()) + usual), 0.2, 2.0)
        fade = np.exp(-np.maximum(starts[at] - now_s, 0.0) / _TODAY_FADES_S)
        factor = 1.0 + (ratio - 1.0) * fade
        return Told(told.p10 * factor, told.p50 * factor, told.p90 * factor, told.mean * factor)


def placed(model: PvModel, history: Table) -> tuple[Site | None, float, list[str]]:
    """Find the place where none was told, or by how much the stamps miss the sun of the place.

    Returns: the place found (None where one was told), the shift of the stamps [s], sentences.
    """
    if model.stacks:
        return model.found, model.shift_s, []
    found = find_site(history)
    if model.site is None:
        where = found or SOMEWHERE
        spot = f"{where.latitude_deg:.0f}, {where.longitude_deg:.0f}"
        return found, 0.0, [f"no site was told; by its light the plant stands near {spot}"]
    if found is None or history.days < _FEWEST_DAYS_FOR_SHIFT:
        return None, 0.0, []
    off_h = (found.longitude_deg - model.site.longitude_deg + 180.0) % 360.0 / 15.0 - 12.0
    if abs(off_h) < _CLEARLY_OFF_H:
        return None, 0.0, []
    shift_s = round(2.0 * off_h) * HOUR_S / 2.0
    told = f"times stand {-shift_s / HOUR_S:+.1f} h off the sun of the site; corrected"
    return None, shift_s, [told]


def _top(measured: Array) -> float | None:
    known = measured[np.isfinite(measured)]
    return float(np.quantile(known, 0.9995)) * 1.05 if len(known) > 500 else None


def _looks(seen: Scene) -> Sequence[tuple[Look, Mask]]:
    every = np.ones(len(seen), bool)
    return [("weather", seen.known), ("sky", every)]


def _measured(frame: pd.DataFrame, target: str, past: Mask) -> Array:
    told = frame[target].to_numpy(float) if target in frame else np.full(len(frame), np.nan)
    return np.where(past, np.maximum(told, 0.0), np.nan)


def _framed(
    told: Told, source: Array, lit: Mask, grid: pd.DatetimeIndex, most: float
) -> pd.DataFrame:
    parts = {
        name: np.where(lit, np.clip(getattr(told, name), 0.0, most), 0.0)
        for name in ("p10", "p50", "p90", "mean")
    }
    parts["p10"] = np.minimum(parts["p10"], parts["p50"])
    parts["p90"] = np.maximum(parts["p90"], parts["p50"])
    frame = pd.DataFrame(parts, index=grid)
    return frame.assign(source=[RUNGS[k] for k in source])


def _on_grid(hours: pd.DatetimeIndex, index: pd.DatetimeIndex, step: pd.Timedelta) -> bool:
    if len(hours) > 1 and hours[1] - hours[0] != step:
        return False
    return not len(index) or (hours[0] - index[0]) % step == pd.Timedelta(0)


def _aligned(begin: pd.Timestamp, first: pd.Timestamp, step: pd.Timedelta) -> pd.Timestamp:
    return first - int((first - begin) // step) * step


def at_step(table: Table, step: pd.Timedelta) -> Table:
    """Bring a table onto another step: means of shorter rows, longer ones as they are."""
    frame = table.frame
    if table.step < step:
        return replace(table, frame=frame.resample(step).mean())
    parts = -(-table.step // step)
    index = pd.date_range(frame.index[0], frame.index[-1] + table.step, freq=step, inclusive="left")
    return replace(table, frame=frame.reindex(index, method="ffill", limit=parts - 1))


def _grid(hours: pd.DatetimeIndex, step: pd.Timedelta) -> pd.DatetimeIndex:
    """Make rows of the table's own step that cover the wanted slots."""
    width = hours[1] - hours[0] if len(hours) > 1 else step
    return pd.date_range(hours[0].floor(step), hours[-1] + width, freq=step, inclusive="left")


def _onto(told: pd.DataFrame, hours: pd.DatetimeIndex) -> pd.DataFrame:
    """Bring rows of another step onto the wanted slots: means of shorter, parts of longer ones."""
    place = np.clip(hours.searchsorted(told.index, side="right") - 1, 0, len(hours) - 1)
    numbers = told.drop(columns="source")
    means = numbers.groupby(place).mean().reindex(range(len(hours)))
    before = np.clip(told.index.searchsorted(hours, side="right") - 1, 0, len(told) - 1)
    filled = means.fillna(numbers.iloc[before].reset_index(drop=True))
    filled.index = hours
    return filled.assign(source=told["source"].to_numpy()[before])
