"""The weather ladder: the provider's forecast, its last good issue, the climate of the place.

Every slot takes the best rung that covers it, by absolute time, so an old issue is worth what is
left of it. The live sensor corrects the coming hours. Issues with NaN, impossible figures, or a
climate that is not of this place are refused, and `refused` says why.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, isfinite, sqrt
from statistics import fmean

from pems_actors.domain.forecasts import Forecast, WeatherForecast, resample
from pems_actors.domain.house import Site
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.forecasting.climatology import Climate
from pems_actors.forecasting.quarters import number
from pems_actors.physics.sun import elevation_deg

FRESH_S = 8.0 * HOUR_S  # services issue every one to six hours
KEPT_S = 7.0 * DAY_S
COLDEST_C, HOTTEST_C = -50.0, 60.0
MOST_W_M2 = 1500.0
_BIAS_FADES_S = 6.0 * HOUR_S
_ANOMALY_FADES_S = 36.0 * HOUR_S  # against the climate, cold spells last longer than mistakes
_BIAS_RATE_S = 0.5 * HOUR_S
_MOST_BIAS_K = 12.0
_FROM_CLIMATE_K = 28.0
_P90_SIGMAS = 1.2816
_BRIGHT_W_M2, _NIGHT_DEG = 200.0, -6.0


@dataclass(frozen=True, slots=True)
class LiveBias:
    """What the sensor says minus what was expected [K], smoothed, and when it was heard."""

    bias_k: float = 0.0
    heard_s: float = -1e18

    def heard(self, error_k: float, at_s: float) -> LiveBias:
        """Take one difference in; the first after a silence counts at once."""
        kept = exp(-abs(at_s - self.heard_s) / _BIAS_RATE_S)
        bounded = max(-_MOST_BIAS_K, min(_MOST_BIAS_K, error_k))
        return LiveBias(kept * self.bias_k + (1.0 - kept) * bounded, at_s)

    def at(self, at_s: float, fades_s: float) -> float:
        """Correction for an instant [K], fading with the time since it was heard."""
        return self.bias_k * exp(-max(0.0, at_s - self.heard_s) / fades_s)


@dataclass(frozen=True, slots=True)
class WeatherLadder:
    """State: the climate, the last good issue, the sensor's bias against issue and climate."""

    climate: Climate
    issue: WeatherForecast | None = None
    bias: LiveBias = LiveBias()
    anomaly: LiveBias = LiveBias()
    refused: str | None = None

    @classmethod
    def of(cls, site: Site) -> WeatherLadder:
        """Start with the climate that a place of this latitude and altitude usually has."""
        return cls(Climate.of(site))

    def accept(self, issue: WeatherForecast | None, now_s: float) -> WeatherLadder:
        """Adopt a provider's issue if it can be believed; None or nonsense keeps the last good."""
        if issue is None:
            return replace(self, refused="the provider gave no forecast")
        why = _nonsense(issue, self.climate, now_s)
        if why:
            return replace(self, refused=why)
        known = self.issue is not None and self.issue.issued_at_s == issue.issued_at_s
        bias = self.bias if known else LiveBias()
        return replace(self, issue=issue, bias=bias, refused=None)

    def lacking(self, now_s: float) -> str:
        """Say what is wrong with what the provider gave last; empty if nothing is."""
        age_s = 0.0 if self.issue is None else now_s - self.issue.issued_at_s
        old = f"the last forecast is {age_s / HOUR_S:.0f} h old" if age_s > FRESH_S else ""
        return self.refused or old

    def observe(self, at_s: float, outdoor_c: float | None) -> WeatherLadder:
        """Learn from the live outdoor sensor; missing or absurd values teach nothing."""
        live_c = number(outdoor_c)
        if live_c is None or not COLDEST_C <= live_c <= HOTTEST_C:
            return self
        told_c = _value_at(self.issue, at_s) if self.issue else None
        bias = self.bias if told_c is None else self.bias.heard(live_c - told_c, at_s)
        anomaly = self.anomaly.heard(live_c - self.climate.outdoor_c(at_s), at_s)
        return WeatherLadder(self.climate, self.issue, bias, anomaly, self.refused)

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast:
        """Tell the weather over the slots of `grid`, whole and finite; see `source`."""
        issue = self.issue
        if issue is None or abs(now_s - issue.issued_at_s) > KEPT_S:
            return self._usual(grid, now_s)
        covered = [
            start_s >= issue.grid.start_s - HOUR_S and end_s <= issue.grid.end_s + HOUR_S
            for start_s, end_s in pairwise(grid.edges_s)
        ]
        if all(covered):
            return self._told(issue, grid, now_s)
        if not any(covered):
            return self._usual(grid, now_s)
        return _merged(covered, self._told(issue, grid, now_s), self._usual(grid, now_s))

    def outdoor(self, grid: TimeGrid, now_s: float) -> Forecast:
        """Tell the outdoor temperature with P10 and P90, wider with the lead time."""
        told = self.forecast(grid, now_s)
        start_k, grow_k, most_k = (
            (2.0, 0.6, 5.0)
            if "climatology" in told.source or "last" in told.source
            else (0.6, 0.3, 3.0)
        )
        half = [
            _P90_SIGMAS * min(most_k, start_k + grow_k * sqrt(max(0.0, start_s - now_s) / HOUR_S))
            for start_s in grid.starts_s
        ]
        return Forecast(
            name="outdoor_c",
            issued_at_s=now_s,
            grid=grid,
            p50=told.outdoor_c,
            p10=tuple(c - k for c, k in zip(told.outdoor_c, half, strict=True)),
            p90=tuple(c + k for c, k in zip(told.outdoor_c, half, strict=True)),
            source=told.source,
        )

    def _told(self, issue: WeatherForecast, grid: TimeGrid, now_s: float) -> WeatherForecast:
        """An issue over a grid, its temperature corrected by the live sensor."""
        outdoor = resample(issue.grid, issue.outdoor_c, grid)
        return WeatherForecast(
            issued_at_s=issue.issued_at_s,
            grid=grid,
            outdoor_c=tuple(
                told_c + self.bias.at(start_s, _BIAS_FADES_S)
                for told_c, start_s in zip(outdoor, grid.starts_s, strict=True)
            ),
            ghi_w_m2=resample(issue.grid, issue.ghi_w_m2, grid),
            dni_w_m2=resample(issue.grid, issue.dni_w_m2, grid),
            dhi_w_m2=resample(issue.grid, issue.dhi_w_m2, grid),
            source=issue.source if now_s - issue.issued_at_s <= FRESH_S else "last_good",
        )

    def _usual(self, grid: TimeGrid, now_s: float) -> WeatherForecast:
        """The climate over a grid, moved by the present cold or warm spell."""
        middles = [(a + b) / 2.0 for a, b in pairwise(grid.edges_s)]
        sun = [self.climate.irradiance_w_m2(at_s) for at_s in middles]
        return WeatherForecast(
            issued_at_s=now_s,
            grid=grid,
            outdoor_c=tuple(
                self.climate.outdoor_c(at_s) + self.anomaly.at(at_s, _ANOMALY_FADES_S)
                for at_s in middles
            ),
            ghi_w_m2=tuple(ghi for ghi, _, _ in sun),
            dni_w_m2=tuple(dni for _, dni, _ in sun),
            dhi_w_m2=tuple(dhi for _, _, dhi in sun),
            source="climatology",
        )


def _merged(covered: list[bool], told: WeatherForecast, usual: WeatherForecast) -> WeatherForecast:
    """Take the slots that are covered from the one forecast and the others from the other."""

    def choose(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(a if good else b for good, a, b in zip(covered, one, other, strict=True))

    return replace(
        told,
        outdoor_c=choose(told.outdoor_c, usual.outdoor_c),
        ghi_w_m2=choose(told.ghi_w_m2, usual.ghi_w_m2),
        dni_w_m2=choose(told.dni_w_m2, usual.dni_w_m2),
        dhi_w_m2=choose(told.dhi_w_m2, usual.dhi_w_m2),
        source=f"{told.source}+{usual.source}",
    )


def _value_at(issue: WeatherForecast, at_s: float) -> float | None:
    """Temperature that an issue told for an instant [°C], None outside of it."""
    if not issue.grid.start_s <= at_s < issue.grid.end_s:
        return None
    return issue.outdoor_c[bisect_right(issue.grid.edges_s, at_s) - 1]


def _nonsense(issue: WeatherForecast, climate: Climate, now_s: float) -> str | None:
    """Say in a sentence why an issue cannot be believed, or None."""
    return _impossible(issue, now_s) or _not_of_this_place(issue, climate)


def _impossible(issue: WeatherForecast, now_s: float) -> str | None:
    sun = (issue.ghi_w_m2, issue.dni_w_m2, issue.dhi_w_m2)
    if any(len(values) != len(issue.grid) for values in (issue.outdoor_c, *sun)):
        return "the series do not fit their grid"
    if not all(isfinite(c) and COLDEST_C <= c <= HOTTEST_C for c in issue.outdoor_c):
        return f"a temperature is no number within {COLDEST_C:.0f} to {HOTTEST_C:.0f} °C"
    if not all(isfinite(w) and 0.0 <= w <= MOST_W_M2 for values in sun for w in values):
        return f"an irradiance is no number within 0 to {MOST_W_M2:.0f} W/m²"
    if issue.grid.end_s <= now_s:
        return "it ends before now"
    return None


def _not_of_this_place(issue: WeatherForecast, climate: Climate) -> str | None:
    usual_c = fmean(climate.outdoor_c(at_s) for at_s in issue.grid.starts_s)
    told_c = fmean(issue.outdoor_c)
    if abs(told_c - usual_c) > _FROM_CLIMATE_K:
        return f"{told_c:.0f} °C on average is not of this place, {usual_c:.0f} °C is usual"
    middles = ((a + b) / 2.0 for a, b in pairwise(issue.grid.edges_s))
    for at_s, ghi in zip(middles, issue.ghi_w_m2, strict=True):
        if ghi > _BRIGHT_W_M2 and elevation_deg(climate.site, at_s) < _NIGHT_DEG:
            return "it has sunshine at night; is its clock in UTC?"
    return None
