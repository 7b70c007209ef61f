"""What the members of an ensemble said about days they had not seen, and how that is found out.

At first by going back in time (learn before a cut, forecast up to the next), later by judging a
former fit on the days that came since. Weights and bands are learned from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd

from pems_actors.learning.days.grid import DAY, Array, DayGrid, Ints
from pems_actors.learning.days.scene import Scene
from pems_actors.learning.series.members import Member

CUTS = (0.40, 0.55, 0.70, 0.85)
_MOST_DAYS = 1100

Members = tuple[Member, ...]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A sheet to look at day-ahead; `published`: the whole day of the issue is known at noon."""

    grid: DayGrid
    target: str
    published: bool

    @property
    def truth(self) -> Array:
        """The sheet to forecast, shape (days, slots)."""
        return self.grid.sheets[self.target]

    @property
    def seen(self) -> int:
        """Slots of the day of the issue that are known at noon."""
        return self.grid.slots if self.published else self.grid.slots // 2

    def until_noon(self, days: Array) -> Array:
        """Leave of days before target days what members have learned from; the rest is NaN."""
        return np.where(np.arange(days.shape[1]) < self.seen, days, np.nan)

    @property
    def known_rows(self) -> Ints:
        """Rows of which anything is known."""
        return np.flatnonzero(np.isfinite(self.truth).any(axis=1))

    def scene(self, rows: Ints, guessed: Mapping[int, Array] | None = None) -> Scene:
        """Show target days, some lags replaced by forecasts."""
        return Scene(self.grid, self.target, rows, self.seen, guessed=dict(guessed or {}))


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """True forecasts: `days` are dates, `told` (days, slots, members), `truth` (days, slots)."""

    days: pd.DatetimeIndex
    told: Array
    truth: Array

    @property
    def age_days(self) -> Array:
        """How much older than the newest each day is, shape (days,)."""
        return np.asarray((self.days[-1] - self.days) // DAY, float)

    def joined(self, other: Record) -> Record:
        """Put newer days after the older ones; the newest say of a day counts."""
        old = ~self.days.isin(other.days)
        return Record(
            pd.DatetimeIndex(self.days[old].append(other.days)[-_MOST_DAYS:]),
            np.concatenate([self.told[old], other.told])[-_MOST_DAYS:],
            np.concatenate([self.truth[old], other.truth])[-_MOST_DAYS:],
        )


def said(members: Members, scene: Scene) -> Array:
    """Ask all members, shape (days, slots, members)."""
    return np.stack([member.predict(scene) for member in members], axis=-1)


def taught(members: Members, view: View, rows: Ints) -> Members:
    """Let all members learn from the same days."""
    scene = view.scene(rows)
    return tuple(member.fit(scene, view.truth[rows]) for member in members)


def judged(members: Members, view: View, rows: Ints) -> Record:
    """Write down what members say about days they have not learned from."""
    scene = view.scene(rows)
    return Record(scene.dates, said(members, scene), view.truth[rows])


def back_in_time(members: Members, view: View) -> Record:
    """Learn before each cut of the history, forecast up to the next."""
    rows = view.known_rows
    edges = [int(cut * len(rows)) for cut in (*CUTS, 1.0)]
    return reduce(
        Record.joined,
        [
            judged(taught(members, view, rows[:start]), view, rows[start:end])
            for start, end in pairwise(edges)
        ],
    )


def since(former: Record, members: Members, view: View, learned_until: pd.Timestamp) -> Record:
    """Go on with a record: judge fitted members on the whole days after what they learned from."""
    rows = view.known_rows
    fresh = rows[rows > view.grid.row_of(learned_until)]
    return former.joined(judged(members, view, fresh)) if len(fresh) else former
