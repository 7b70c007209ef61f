"""The base load forecaster: the weekly profile, corrected by what the house takes today.

It is fed with the house load without heating and battery; a missing or absurd value teaches it
nothing. A sample costs about 2 µs, because the profile only learns when a quarter hour is full.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp

from pems_actors.domain.forecasts import Forecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.forecasting.load_profile import LoadProfile
from pems_actors.forecasting.quarters import (
    QUARTERS_PER_DAY,
    QUARTERS_PER_WEEK,
    QuarterMean,
    number,
    onto,
    quarter_of,
    quarters_over,
)

MOST_KW = 50.0
LEAST_KW = -0.5  # meters differ by a little; what is below that is a mistake of sign
_TODAY_RATE = 0.25
_TODAY_FADES_S = 2.0 * HOUR_S


@dataclass(frozen=True, slots=True)
class Today:
    """How far the house is off its usual load just now: the intraday correction."""

    error_kw: float = 0.0
    quarter: int = 0

    def after(self, quarter: int, error_kw: float) -> Today:
        """Take the error of a finished quarter hour in."""
        kept = self.at(quarter * QUARTER_S)
        return Today(kept + _TODAY_RATE * (error_kw - kept), quarter)

    def at(self, at_s: float) -> float:
        """Correction at an instant [kW]: it fades with the time since it was learned."""
        return self.error_kw * exp(-abs(at_s - self.quarter * QUARTER_S) / _TODAY_FADES_S)


@dataclass(frozen=True, slots=True)
class BaseLoad:
    """State of the forecaster: the profile, today's correction and the quarter hour that fills."""

    profile: LoadProfile
    today: Today = field(default_factory=Today)
    filling: QuarterMean = field(default_factory=QuarterMean)

    @classmethod
    def prior(cls, timezone: str, mean_kw: float = 0.47) -> BaseLoad:
        """Start from a common household with a daily mean [kW]."""
        return cls(LoadProfile.prior(timezone, mean_kw))

    def observe(self, at_s: float, base_load_kw: float | None) -> BaseLoad:
        """Learn from one sample; None, NaN and what no house takes teach nothing."""
        load_kw = number(base_load_kw)
        if load_kw is None or not LEAST_KW <= load_kw <= MOST_KW:
            return self
        filling = self.filling.add(at_s, max(0.0, load_kw))
        if filling.quarter == self.filling.quarter or not self.filling.samples:
            return BaseLoad(self.profile, self.today, filling)
        full, mean_kw = self.filling.quarter, self.filling.mean
        error_kw = mean_kw - self.profile.expected_kw(full)
        return BaseLoad(
            self.profile.learn(full, mean_kw), self.today.after(full, error_kw), filling
        )

    def forecast(self, grid: TimeGrid, now_s: float) -> Forecast:
        """Tell the base load over the slots of `grid` [kW]; whole and finite from the start."""
        quarters = quarters_over(grid)
        p10, p50, p90 = [], [], []
        for start_s in quarters.starts_s:
            quarter = quarter_of(start_s)
            below_kw, above_kw = self.profile.band_kw(quarter)
            mean_kw = max(0.0, self.profile.expected_kw(quarter) + self.today.at(start_s))
            p50.append(mean_kw)
            p10.append(max(0.0, mean_kw - below_kw))
            p90.append(mean_kw + above_kw)
        return Forecast(
            name="base_load_kw",
            issued_at_s=now_s,
            grid=grid,
            p50=onto(quarters, tuple(p50), grid),
            p10=onto(quarters, tuple(p10), grid),
            p90=onto(quarters, tuple(p90), grid),
            source=self._source(),
        )

    def _source(self) -> str:
        if self.profile.learned < QUARTERS_PER_DAY:
            return "prior"
        return "daily profile" if self.profile.learned < QUARTERS_PER_WEEK else "weekly profile"
