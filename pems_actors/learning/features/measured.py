"""Features of what was measured (or published) until the issue: lags, windows and levels."""

from __future__ import annotations

from functools import partial

import numpy as np

from pems_actors.learning.days.averages import (
    faded_mean,
    least_of,
    mean_of,
    median_of,
    most_of,
    share_below,
    smoothed,
    spread_of,
)
from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.feature import Family, Feature

LAG_DAYS = (1, 2, 3, 4, 5, 6, 7, 8, 14, 21, 28, 35, 42, 56, 364)
WINDOWS = (3, 7, 14, 28, 56)
_PARTS = (("night", 0, 6), ("morning", 6, 12), ("noon", 10, 15), ("evening", 17, 22))
_STATISTICS = {"median": median_of, "std": spread_of, "min": least_of, "max": most_of}


# --- the same slot, some days before -------------------------------------------------------------


def _lag(scene: Scene, *, days: int, hours_beside: int = 0) -> Array:
    beside = hours_beside * max(1, scene.grid.slots // 24)
    return np.roll(scene.lag(days), -beside, axis=1) if beside else scene.lag(days)


def _lags() -> tuple[Feature, ...]:
    family = Family("lag", "at issue")
    for days in LAG_DAYS:
        so_far = ", as far as it is known at the issue" if days == 1 else ""
        family.add(
            f"lag_{days}d", f"The slot {days} days before{so_far}.", partial(_lag, days=days)
        )
    for days in (2, 7):
        for hours in (-2, -1, 1, 2):
            word = f"{abs(hours)}h_{'before' if hours < 0 else 'after'}"
            about = f"{days} days before, {word.replace('_', ' ')} the slot."
            family.add(f"lag_{days}d_{word}", about, partial(_lag, days=days, hours_beside=hours))
    return tuple(family.features)


# --- the same slot, over many days ---------------------------------------------------------------


def _mean(scene: Scene, *, days: int, smooth: bool = False) -> Array:
    told = mean_of(scene.window(days))
    return smoothed(told) if smooth else told


def _statistic(scene: Scene, *, name: str, days: int) -> Array:
    return _STATISTICS[name](scene.window(days))


def _faded(scene: Scene, *, half_life: float) -> Array:
    return faded_mean(scene.window(56), half_life)


def _weekday(scene: Scene, *, weeks: int) -> Array:
    return mean_of(scene.lags(range(7, 7 * weeks + 1, 7)))


def _weekday_spread(scene: Scene) -> Array:
    return spread_of(scene.lags(range(7, 57, 7)))


def _same_kind(scene: Scene, *, days: int, smooth: bool = False) -> Array:
    """Mean of the slot over past days that are free, or not, like the target day."""
    kind = scene.mark("free")
    back = range(scene.first, days + 1)
    kinds = np.stack([scene.mark("free", -k) for k in back])
    told = mean_of(np.where(kinds == kind, scene.lags(back), np.nan))
    return smoothed(told) if smooth else told


def _trend(scene: Scene) -> Array:
    return mean_of(scene.window(7)) - mean_of(scene.window(28))


def _last_year(scene: Scene, *, reach: int) -> Array:
    return mean_of(scene.lags(range(364 - reach, 364 + reach + 1)))


def _negative(scene: Scene) -> Array:
    week = scene.window(7)
    return mean_of(np.where(np.isfinite(week), week < 0.0, np.nan))


def _windows() -> tuple[Feature, ...]:
    family = Family("window", "at issue")
    add = family.add
    for d in WINDOWS:
        add(f"mean_{d}d", f"Mean of the slot over {d} days.", partial(_mean, days=d))
        about = f"Mean of the slot and its neighbours over {d} days."
        add(f"smooth_{d}d", about, partial(_mean, days=d, smooth=True))
    for name in _STATISTICS:
        for d in (7, 28):
            compute = partial(_statistic, name=name, days=d)
            add(f"{name}_{d}d", f"The {name} of the slot over {d} days.", compute)
    for d in (2, 7, 21):
        about = f"Mean of the slot, counting half every {d} days back."
        add(f"faded_{d}d", about, partial(_faded, half_life=float(d)))
    for w in (2, 4, 8):
        about = f"Mean of the slot on this weekday over {w} weeks."
        add(f"weekday_mean_{w}w", about, partial(_weekday, weeks=w))
    add("weekday_std_8w", "Spread of the slot on this weekday over 8 weeks.", _weekday_spread)
    for d in (14, 28, 56):
        about = f"Mean of the slot over {d} days of the same kind (free or not)"
        add(f"kind_mean_{d}d", f"{about}.", partial(_same_kind, days=d))
        smooth = partial(_same_kind, days=d, smooth=True)
        add(f"kind_smooth_{d}d", f"{about}, with its neighbours.", smooth)
    add("trend_7d_28d", "Mean of the slot over a week against four weeks.", _trend)
    for d in (3, 7):
        about = f"Mean of the slot a year before, {d} days around."
        add(f"last_year_{d}d", about, partial(_last_year, reach=d))
    add("negative_7d", "Share of negative values of the slot over a week.", _negative)
    return tuple(family.features)


# --- whole days ----------------------------------------------------------------------------------


def _day_mean(scene: Scene, *, days: int) -> Array:
    return mean_of(scene.lag(days), 1, keepdims=True)


def _day_least(scene: Scene) -> Array:
    return least_of(scene.lag(scene.first), 1, keepdims=True)


def _day_most(scene: Scene) -> Array:
    return most_of(scene.lag(scene.first), 1, keepdims=True)


def _day_spread(scene: Scene) -> Array:
    return spread_of(scene.lag(scene.first), 1, keepdims=True)


def _peak(scene: Scene) -> Array:
    day = scene.lag(scene.first)
    highest = np.where(np.isfinite(day), day, -np.inf).argmax(axis=1)
    return np.asarray(highest[:, None] / scene.grid.slots)


def _part(scene: Scene, *, from_h: int, to_h: int) -> Array:
    per_hour = scene.grid.slots / 24.0
    part = scene.lag(scene.first)[:, round(from_h * per_hour) : round(to_h * per_hour)]
    return mean_of(part, 1, keepdims=True)


def _last_hours(scene: Scene, *, hours: int) -> Array:
    slots = max(1, round(hours * scene.grid.slots / 24.0))
    tail = np.concatenate([scene.lag(2), scene.lag(1)[:, : scene.seen]], axis=1)
    return mean_of(tail[:, -slots:], 1, keepdims=True)


def _today_against_usual(scene: Scene) -> Array:
    usual = mean_of(scene.lags(range(2, 16)))[:, : scene.seen]
    return mean_of(scene.lag(1)[:, : scene.seen] - usual, 1, keepdims=True)


def _daily(scene: Scene, days: int) -> Array:
    """Daily means of the youngest whole days, shape (n, days)."""
    lags = range(scene.first, scene.first + days)
    return np.concatenate([_day_mean(scene, days=k) for k in lags], axis=1)


def _level(scene: Scene, *, days: int) -> Array:
    return mean_of(_daily(scene, days), 1, keepdims=True)


def _level_spread(scene: Scene, *, days: int) -> Array:
    return spread_of(_daily(scene, days), 1, keepdims=True)


def _level_trend(scene: Scene) -> Array:
    return _level(scene, days=7) - _level(scene, days=28)


def _width(scene: Scene) -> Array:
    away = np.abs(scene.window(14) - _level(scene, days=7))
    return mean_of(mean_of(away), 1, keepdims=True)


def _standby(scene: Scene) -> Array:
    week = scene.window(7).transpose(1, 0, 2).reshape(len(scene.rows), -1)
    return share_below(week, 0.05)


def _levels() -> tuple[Feature, ...]:
    family = Family("level", "at issue")
    add = family.add
    for d in (1, 2, 3, 7):
        about = f"Mean of the day {d} before, of what is known of it."
        add(f"day_mean_{d}d", about, partial(_day_mean, days=d))
    add("day_min", "Least slot of the last whole day.", _day_least)
    add("day_max", "Highest slot of the last whole day.", _day_most)
    add("day_std", "Spread within the last whole day.", _day_spread)
    add("peak_slot", "When the last whole day was highest, as a share of the day.", _peak)
    for word, start, end in _PARTS:
        about = f"Mean of the last whole day from {start} to {end} o'clock."
        add(f"{word}_mean", about, partial(_part, from_h=start, to_h=end))
    for h in (1, 3, 6, 24):
        add(
            f"last_{h}h", f"Mean of the last {h} h before the issue.", partial(_last_hours, hours=h)
        )
    add("today_against_usual", "Today's known slots against two weeks.", _today_against_usual)
    for d in (7, 28):
        add(f"level_{d}d", f"Mean of all slots over {d} days.", partial(_level, days=d))
        about = f"Spread of daily means over {d} days."
        add(f"level_std_{d}d", about, partial(_level_spread, days=d))
    add("level_trend", "Level of a week against that of four weeks.", _level_trend)
    add("width_14d", "Mean distance of two weeks' slots from the level of a week.", _width)
    add("standby", "What the last week was above for 95 % of the time.", _standby)
    return tuple(family.features)


FEATURES = (*_lags(), *_windows(), *_levels())
