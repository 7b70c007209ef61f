"""The PV forecaster of the core: it scales the physics of the worker by what the roof really gives.

Rungs, each told in `source`: `physics` (a fresh answer of the worker by fresh weather), `last_good`
(an older answer, or one by older weather), `climatology` (the last days, by quarter hour of the UTC
day, since the sun knows no summer time; or physics by a mean day's weather), `prior` (a cautious
share of the clear sky). Bands are wider from `last_good` on. Night is zero on every rung. Nothing
is learned from curtailed, missing or absurd samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite

from pems_actors.domain.forecasts import Forecast, WeatherForecast, resample
from pems_actors.domain.house import Roof, Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.forecasting.pv_scale import PvScale
from pems_actors.forecasting.quarters import (
    QUARTERS_PER_DAY,
    QuarterMean,
    number,
    onto,
    quarter_of,
    quarters_over,
)
from pems_actors.forecasting.weather import FRESH_S as WEATHER_FRESH_S
from pems_actors.physics.sun import clear_sky_ghi_w_m2

FRESH_S = 3.0 * HOUR_S
KEPT_S = 2.0 * DAY_S
_CLIMATE_RATE = 0.2  # about five days of memory
_CLOUDY_FRAC = 0.35  # share of the clear sky that an unknown day is given
_MOST_FRAC = 1.3  # of the peak: bright clouds beside the sun can give this for minutes
_LADDER = ("night", "physics", "last_good", "climatology", "prior")


def news_of(weather: WeatherForecast, now_s: float) -> str:
    """Say what physics by some weather is worth: `physics`, `last_good` or `climatology`."""
    if weather.source.startswith("climatology"):
        return "climatology"
    old = weather.source == "last_good" or now_s - weather.issued_at_s > WEATHER_FRESH_S
    return "last_good" if old else "physics"


@dataclass(frozen=True, slots=True)
class PvPhysics:
    """The worker's last answer: kW per quarter hour, before any learning."""

    issued_at_s: float
    first: int  # quarter of the first value
    values_kw: tuple[float, ...]

    def at(self, quarter: int) -> float | None:
        """Power expected in a quarter hour [kW], None beyond the answer."""
        k = quarter - self.first
        return self.values_kw[k] if 0 <= k < len(self.values_kw) else None


@dataclass(frozen=True, slots=True)
class PvScaler:
    """State of the forecaster. `climate_kw` is None where a quarter of the day was never seen."""

    site: Site
    peak_kw: float
    limit_kw: float
    scale: PvScale = field(default_factory=PvScale)
    physics: PvPhysics | None = None
    climate_kw: tuple[float | None, ...] = (None,) * QUARTERS_PER_DAY
    filling: QuarterMean = field(default_factory=QuarterMean)
    spoiled: int = -1  # a quarter hour with a curtailed sample in it

    @classmethod
    def of(cls, site: Site, roofs: tuple[Roof, ...], limit_kw: float | None = None) -> PvScaler:
        """Start for some roofs; `limit_kw` is the most that the inverter takes in from them."""
        peak_kw = sum(roof.power_kwp for roof in roofs)
        return cls(site, peak_kw, peak_kw if limit_kw is None else min(limit_kw, peak_kw))

    def with_physics(self, answer: Forecast) -> PvScaler:
        """Adopt the worker's answer; one with NaN or impossible powers is left aside."""
        most_kw = _MOST_FRAC * self.peak_kw + 0.1
        if len(answer.p50) != len(answer.grid) or not all(
            isfinite(value) and -0.01 <= value <= most_kw for value in answer.p50
        ):
            return self
        quarters = quarters_over(answer.grid)
        first = quarter_of(quarters.start_s)
        values = tuple(
            max(0.0, value) if self._clear_kw(first + k) > 0.0 else 0.0
            for k, value in enumerate(resample(answer.grid, answer.p50, quarters))
        )
        return replace(self, physics=PvPhysics(answer.issued_at_s, first, values))

    def observe(self, at_s: float, pv_kw: float | None, *, curtailed: bool = False) -> PvScaler:
        """Learn from one sample; a curtailed one spoils its whole quarter hour."""
        power_kw = number(pv_kw)
        if power_kw is None or not -0.2 <= power_kw <= _MOST_FRAC * self.peak_kw + 0.1:
            return self
        filling = self.filling.add(at_s, max(0.0, power_kw))
        spoiled = filling.quarter if curtailed else self.spoiled
        full = self.filling
        closed = full.samples > 0 and filling.quarter != full.quarter
        learned = self._learn(full) if closed and self.spoiled != full.quarter else self
        return PvScaler(
            self.site,
            self.peak_kw,
            self.limit_kw,
            learned.scale,
            self.physics,
            learned.climate_kw,
            filling,
            spoiled,
        )

    def _learn(self, full: QuarterMean) -> PvScaler:
        at = full.quarter % QUARTERS_PER_DAY
        known = self.climate_kw[at]
        climate = full.mean if known is None else known + _CLIMATE_RATE * (full.mean - known)
        expected_kw = self.physics.at(full.quarter) if self.physics else None
        scale = self.scale
        if expected_kw is not None:
            scale = scale.learn(full.quarter * QUARTER_S, full.mean, expected_kw, self.peak_kw)
        climates = (*self.climate_kw[:at], climate, *self.climate_kw[at + 1 :])
        return replace(self, scale=scale, climate_kw=climates)

    def forecast(
        self, grid: TimeGrid, now_s: float, weather: WeatherForecast | None = None
    ) -> Forecast:
        """Tell the PV power over the slots of `grid` [kW], by the best rung for each slot.

        `source` is the worst rung of the coming day; what lies beyond is planned anew before then.
        The physics is as good as the `weather` it was asked about; not told, that was fresh.
        """
        sky = _LADDER.index(news_of(weather, now_s)) if weather is not None else 1
        quarters = quarters_over(grid)
        p10, p50, p90 = [], [], []
        worst = 0
        for start_s in quarters.starts_s:
            rung, low, mean, high = self._quarter(quarter_of(start_s), now_s, sky)
            worst = max(worst, rung) if start_s < now_s + DAY_S else worst
            p10.append(min(low, self.limit_kw))
            p50.append(min(mean, self.limit_kw))
            p90.append(min(high, self.limit_kw))
        return Forecast(
            name="pv_kw",
            issued_at_s=now_s,
            grid=grid,
            p50=onto(quarters, tuple(p50), grid),
            p10=onto(quarters, tuple(p10), grid),
            p90=onto(quarters, tuple(p90), grid),
            source=_LADDER[worst],
        )

    def _quarter(self, quarter: int, now_s: float, sky: int) -> tuple[int, float, float, float]:
        """Choose rung, P10, mean and P90 [kW] of a quarter hour."""
        physics = self._physics_at(quarter, now_s)
        clear_kw = self._clear_kw(quarter) if physics is None else physics
        if clear_kw <= 0.0:
            return 0, 0.0, 0.0, 0.0
        if physics is not None:
            rung = 1 if self.physics and now_s - self.physics.issued_at_s <= FRESH_S else 2
            rung = max(rung, sky)
            mean = physics * self.scale.at(quarter * QUARTER_S, now_s)
            low, high = self.scale.band(wide=rung > 1)
            return rung, mean * low, mean, mean * high
        seen = self.climate_kw[quarter % QUARTERS_PER_DAY]
        rung, mean = (4, _CLOUDY_FRAC * clear_kw) if seen is None else (3, seen)
        return rung, 0.2 * mean, mean, max(2.0 * mean, 0.5 * clear_kw)

    def _clear_kw(self, quarter: int) -> float:
        """What a flat roof of this size would give under a clear sky [kW]; 0 means night."""
        middle_s = (quarter + 0.5) * QUARTER_S
        return clear_sky_ghi_w_m2(self.site, middle_s) / 1000.0 * self.peak_kw

    def _physics_at(self, quarter: int, now_s: float) -> float | None:
        if self.physics is None or abs(now_s - self.physics.issued_at_s) > KEPT_S:
            return None
        return self.physics.at(quarter)
