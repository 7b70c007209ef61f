"""The weekly profile of the base load: what this house usually takes at this time of the week.

Two layers learn side by side: the time of day (workdays apart from weekends), which knows
something after one day, and the time of the week, which takes over as weeks go by. Spreads are
learned per hour of the day. Before the first day a common household's day stands in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pems_actors.forecasting.quarters import (
    QUARTERS_PER_DAY,
    QUARTERS_PER_WEEK,
    week_quarter,
)

# A common household without heating: about 11 kWh a day, peaks at breakfast and in the evening.
_PRIOR_BY_HOUR_KW = (
    *(0.28, 0.25, 0.24, 0.24, 0.25, 0.30, 0.45, 0.55, 0.50, 0.45, 0.45, 0.50),
    *(0.55, 0.50, 0.45, 0.45, 0.50, 0.65, 0.80, 0.85, 0.75, 0.60, 0.45, 0.35),
)
_WEEKEND = 5 * QUARTERS_PER_DAY
_DAY_RATE = 0.10  # slowest learning of the time of day: about ten days of memory
_WEEK_RATE = 0.25  # slowest learning of the time of the week: about four weeks
_WEEKS_TO_TRUST = 3.0
_SPREAD_RATE = 0.05
_STEP = 0.10  # quantiles move by this share of the usual error per quarter hour


def _set(values: tuple[float, ...], at: int, value: float) -> tuple[float, ...]:
    return (*values[:at], value, *values[at + 1 :])


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """Means [kW] by quarter of the day (workdays, then weekends) and of the week, with spreads.

    `below_kw` and `above_kw` are the distances of P10 and P90 from the mean, per local hour.
    """

    timezone: str
    day_kw: tuple[float, ...]
    day_seen: tuple[float, ...]
    week_kw: tuple[float, ...]
    week_seen: tuple[float, ...]
    error_kw: tuple[float, ...]
    below_kw: tuple[float, ...]
    above_kw: tuple[float, ...]
    learned: int = 0

    @classmethod
    def prior(cls, timezone: str, mean_kw: float = 0.47) -> LoadProfile:
        """Make the profile of a common household, scaled to a daily mean [kW]."""
        scale = mean_kw * 24.0 / sum(_PRIOR_BY_HOUR_KW)
        hours = tuple(scale * value for value in _PRIOR_BY_HOUR_KW)
        day = tuple(hours[k // 4] for k in range(QUARTERS_PER_DAY))
        return cls(
            timezone=timezone,
            day_kw=day * 2,
            day_seen=(0.0,) * (2 * QUARTERS_PER_DAY),
            week_kw=day * 7,
            week_seen=(0.0,) * QUARTERS_PER_WEEK,
            error_kw=tuple(0.5 * value for value in hours),
            below_kw=tuple(0.5 * value for value in hours),
            above_kw=tuple(0.8 * value for value in hours),
        )

    def expected_kw(self, quarter: int) -> float:
        """Mean load usually taken in a quarter hour [kW]."""
        week = week_quarter(quarter, self.timezone)
        trust = self.week_seen[week] / (self.week_seen[week] + _WEEKS_TO_TRUST)
        return trust * self.week_kw[week] + (1.0 - trust) * self.day_kw[_day_index(week)]

    def band_kw(self, quarter: int) -> tuple[float, float]:
        """Distances of P10 below and of P90 above the mean in a quarter hour [kW]."""
        hour = self._hour(quarter)
        return self.below_kw[hour], self.above_kw[hour]

    def learn(self, quarter: int, load_kw: float) -> LoadProfile:
        """Take the mean load of a finished quarter hour into both layers and into the spread."""
        week = week_quarter(quarter, self.timezone)
        day = _day_index(week)
        day_rate = max(_DAY_RATE, 1.0 / (self.day_seen[day] + 2.0))
        week_rate = max(_WEEK_RATE, 1.0 / (self.week_seen[week] + 1.0))
        spread = self._learn_spread(self._hour(quarter), load_kw - self.expected_kw(quarter))
        return replace(
            spread,
            day_kw=_set(
                self.day_kw, day, self.day_kw[day] + day_rate * (load_kw - self.day_kw[day])
            ),
            day_seen=_set(self.day_seen, day, self.day_seen[day] + 1.0),
            week_kw=_set(
                self.week_kw, week, self.week_kw[week] + week_rate * (load_kw - self.week_kw[week])
            ),
            week_seen=_set(self.week_seen, week, self.week_seen[week] + 1.0),
            learned=self.learned + 1,
        )

    def _learn_spread(self, hour: int, error_kw: float) -> LoadProfile:
        """Move P10 and P90 so that a tenth of the errors falls outside each (pinball descent)."""
        usual = self.error_kw[hour] + _SPREAD_RATE * (abs(error_kw) - self.error_kw[hour])
        step = _STEP * usual
        below, above = self.below_kw[hour], self.above_kw[hour]
        below += step * (0.9 if error_kw < -below else -0.1)
        above += step * (0.9 if error_kw > above else -0.1)
        return replace(
            self,
            error_kw=_set(self.error_kw, hour, usual),
            below_kw=_set(self.below_kw, hour, max(0.0, below)),
            above_kw=_set(self.above_kw, hour, max(0.0, above)),
        )

    def _hour(self, quarter: int) -> int:
        return week_quarter(quarter, self.timezone) % QUARTERS_PER_DAY // 4


def _day_index(week: int) -> int:
    """Index into the day layer: workdays first, weekends after them."""
    return week % QUARTERS_PER_DAY + (QUARTERS_PER_DAY if week >= _WEEKEND else 0)
