"""Features of the calendar: known for ever, and the same for everybody in a country."""

from __future__ import annotations

from functools import partial

import numpy as np

from pems_actors.learning.days.grid import Array
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.features.feature import Family, Feature


def _day_frac(scene: Scene) -> Array:
    return (np.arange(scene.grid.slots) / scene.grid.slots)[None, :]


def _hour(scene: Scene) -> Array:
    return np.asarray(np.floor(24.0 * _day_frac(scene)))


def _year_frac(scene: Scene) -> Array:
    return scene.mark("year_day") / 365.25


def _week_frac(scene: Scene) -> Array:
    return np.asarray((scene.mark("weekday") + _day_frac(scene)) / 7.0)


_PHASES = {"day": _day_frac, "week": _week_frac, "year": _year_frac}


def _wave(scene: Scene, *, period: str, times: int, cosine: bool) -> Array:
    angle = 2.0 * np.pi * times * _PHASES[period](scene)
    return np.asarray(np.cos(angle) if cosine else np.sin(angle))


def _mark(scene: Scene, *, name: str, shift: int = 0) -> Array:
    return scene.mark(name, shift)


def _weekend(scene: Scene) -> Array:
    return (scene.mark("weekday") >= 5.0).astype(float)


def _bridge(scene: Scene) -> Array:
    return scene.mark("free", -1) * scene.mark("free", 1) * (1.0 - scene.mark("free"))


def _run_of_free(scene: Scene) -> Array:
    """Count the free days in a row around the target day, up to a week each way."""
    free = scene.mark("free")
    total = free.copy()
    for way in (-1, 1):
        going = free.copy()
        for k in range(1, 8):
            going = going * scene.mark("free", way * k)
            total += going
    return total


def _listed() -> tuple[Feature, ...]:
    family = Family("calendar", "always")
    add = family.add
    add("slot", "Slot of the local day, as a share of the day.", _day_frac)
    add("hour", "Local hour of the day.", _hour)
    add("weekday", "Day of the week, Monday is 0.", partial(_mark, name="weekday"))
    add("month", "Month of the year.", partial(_mark, name="month"))
    add("year_day", "Day of the year.", partial(_mark, name="year_day"))
    add("weekend", "Saturday or Sunday.", _weekend)
    add("bridge", "A workday between two free days.", _bridge)
    add("free_run", "Free days in a row around the day.", _run_of_free)
    add("summer_time", "Clocks show summer time.", partial(_mark, name="summer_time"))
    for name, about in (
        ("holiday", "a public holiday of the country"),
        ("free", "a weekend or a holiday"),
    ):
        for suffix, day, shift in (("", "day", 0), ("_yesterday", "day before", -1),
                                   ("_tomorrow", "day after", 1)):  # fmt: skip
            add(f"{name}{suffix}", f"The {day} is {about}.", partial(_mark, name=name, shift=shift))
    for period, times in (("day", 3), ("week", 2), ("year", 2)):
        for k in range(1, times + 1):
            for word in ("sin", "cos"):
                wave = partial(_wave, period=period, times=k, cosine=word == "cos")
                add(f"{period}_{word}_{k}", f"A wave with {k} crests per {period} ({word}).", wave)
    return tuple(family.features)


FEATURES = _listed()
