"""The history as the learner reads it: what is known, what came true, what was said and waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.ports import History
from pems_actors.domain.units import DAY_S, QUARTER_S
from pems_actors.learning.life.contest import Issue, Score, issue_from, scored
from pems_actors.learning.life.jobs import TARGETS, Columns
from pems_actors.learning.life.past import AHEAD_S, LONGEST_S, RECENT_S, gathered, kept_as

KIND = "contest."
WAITS_AT_MOST_S = 5 * DAY_S


class Readable(Protocol):
    """What can be read of a history, also by a command beside a running house."""

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None
    ) -> list[tuple[float, float]]:
        """Read `(at_s, value)` of `[start_s, end_s)`; means per step, stamped at step starts."""

    def last(self, series: str) -> tuple[float, float] | None:
        """Read the newest row of a series."""


@dataclass(frozen=True, slots=True)
class Past:
    """Reads, and never writes."""

    history: History

    def days(self, series: str, now_s: float) -> float:
        """Days from the oldest known row of a series on, two years at most; 0 if there is none."""
        name, start_s = kept_as(TARGETS[series]), now_s - LONGEST_S
        by_day = self.history.range(name, start_s, now_s, DAY_S)
        if not by_day:
            return 0.0
        first_s = self._range(name, by_day[0][0], by_day[0][0] + DAY_S)[0][0]
        return (now_s - first_s) / DAY_S

    def recent(self, series: str, start_s: float, weather: WeatherForecast | None) -> Columns:
        """What a model may know of a series when it is asked for the slots from `start_s` on."""
        return gathered(series, self._range, start_s - RECENT_S, start_s, AHEAD_S, weather)

    def whole(self, series: str, days: float, now_s: float) -> Columns:
        """All that can be learned from."""
        until_s = now_s - now_s % QUARTER_S
        start_s = until_s - int(days * DAY_S // QUARTER_S) * QUARTER_S
        return gathered(series, self._range, start_s, until_s)

    def score(self, issue: Issue, now_s: float) -> Score | None:
        """Compare an issue with what came true; None as long as its day is not over and known."""
        if issue.scored_from_s > now_s:
            return None
        rows = self._range(kept_as(TARGETS[issue.series]), issue.start_s, issue.scored_from_s)
        return scored(issue, _truth(rows, issue.start_s, issue.step_s))

    def waiting(self, series: str, scored_s: Iterable[float], now_s: float) -> list[Issue]:
        """Issues of the last days that no score has been made of; unreadable ones are left."""
        known, found = set(scored_s), []
        for _, body in self.history.records(f"{KIND}{series}", now_s - WAITS_AT_MOST_S, now_s):
            try:
                issue = issue_from(json.loads(body))
            except ValueError:
                continue
            if issue.issued_at_s not in known:
                found.append(issue)
        return found

    def _range(self, name: str, start_s: float, end_s: float) -> list[tuple[float, float]]:
        return self.history.range(name, start_s, end_s)


def _truth(
    rows: Iterable[tuple[float, float]], start_s: float, step_s: float
) -> Callable[[float], float | None]:
    """Means of rows by slot start."""
    slots: dict[float, list[float]] = {}
    for at_s, value in rows:
        slots.setdefault(start_s + (at_s - start_s) // step_s * step_s, []).append(value)
    return {at_s: sum(values) / len(values) for at_s, values in slots.items()}.get


def whole_of(store: Readable, series: str) -> Columns | None:
    """All that a history has to learn a series from, two years at most; None if it has nothing."""
    newest = store.last(kept_as(TARGETS[series]))
    if newest is None:
        return None
    until_s = newest[0] + QUARTER_S
    by_day = store.range(kept_as(TARGETS[series]), until_s - LONGEST_S, until_s, DAY_S)
    start_s = by_day[0][0] // QUARTER_S * QUARTER_S
    return gathered(series, lambda n, a, b: store.range(n, a, b, None), start_s, until_s)
