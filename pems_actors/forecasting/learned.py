"""A trained model in the place of the house's own forecast: laid over it, never in its way.

The own forecast is always there underneath: it serves before the first issue, beyond the last slot
and when the issue grows old. Knows nothing of who trains or of who decides whom to trust.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from pems_actors.domain.forecasts import Forecast, LearnedForecast, resample
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.forecasting.base_load import Today

LIFE_S = 7.0 * HOUR_S  # an issue is every hour; after this many the house is on its own
SOURCE = "learned"


@dataclass(frozen=True, slots=True)
class Learned:
    """The last issue of a trusted model, and how far today is off it."""

    told: LearnedForecast | None = None
    today: Today = field(default_factory=Today)

    def heard(self, news: LearnedForecast) -> Learned:
        """Take a new issue, or the withdrawal of the last one; the next forecast is made of it.

        What is no whole forecast is left aside, and the issue before it stands.
        """
        forecast = news.forecast
        if forecast is None:
            return Learned()
        if not _is_whole(forecast):
            return self
        return Learned(news)  # an issue knows the day up to now: the correction begins anew

    def serving(self, now_s: float) -> Forecast | None:
        """Give the issue that serves just now; None if there is none, or only an old one."""
        forecast = self.told.forecast if self.told is not None else None
        if forecast is None or not 0.0 <= now_s - forecast.issued_at_s <= LIFE_S:
            return None
        return forecast

    def observe(self, quarter: int, mean: float) -> Learned:
        """Compare a finished quarter hour with what was said of it: the intraday correction."""
        forecast = self.told.forecast if self.told is not None else None
        start_s = quarter * QUARTER_S
        if forecast is None or not forecast.grid.start_s <= start_s < forecast.grid.end_s:
            return self
        said = resample(forecast.grid, forecast.p50, TimeGrid.uniform(start_s, 1))[0]
        return replace(self, today=self.today.after(quarter, mean - said))

    def over(
        self, own: Forecast, now_s: float, least: float = float("-inf"), wider: float = 1.0
    ) -> Forecast:
        """Lay the issue over the house's own forecast.

        Args:
            own: the slots wanted, and what serves where the issue says nothing.
            least: no value goes below this, such as 0 for a power.
            wider: how much wider its band is than the model itself knows, as by old weather.
        """
        forecast = self.serving(now_s)
        if forecast is None or self.told is None:
            return own
        grid = own.grid
        inside = [
            forecast.grid.start_s <= start_s and end_s <= forecast.grid.end_s
            for start_s, end_s in pairwise(grid.edges_s)
        ]
        shift = [self.today.at(start_s) for start_s in grid.starts_s]

        def laid(learned: tuple[float, ...], under: tuple[float, ...]) -> tuple[float, ...]:
            rows = zip(inside, resample(forecast.grid, learned, grid), shift, under, strict=True)
            return tuple(max(least, a + by) if good else b for good, a, by, b in rows)

        return Forecast(
            name=own.name,
            issued_at_s=now_s,
            grid=grid,
            p50=laid(forecast.p50, own.p50),
            p10=laid(_stretched(forecast, forecast.p10, wider), own.p10 or own.p50),
            p90=laid(_stretched(forecast, forecast.p90, wider), own.p90 or own.p50),
            source=f"{SOURCE} {self.told.model}" if any(inside) else own.source,
        )


def is_learned(forecast: Forecast) -> bool:
    """Tell whether a trained model has made it."""
    return forecast.source.startswith(f"{SOURCE} ")


def _stretched(
    forecast: Forecast, edge: tuple[float, ...] | None, wider: float
) -> tuple[float, ...]:
    """Move one edge of the band away from the median."""
    if edge is None or wider == 1.0:
        return edge or forecast.p50
    return tuple(mean + wider * (far - mean) for far, mean in zip(edge, forecast.p50, strict=True))


def _is_whole(forecast: Forecast) -> bool:
    slots = len(forecast.grid)
    low, high = forecast.p10 or forecast.p50, forecast.p90 or forecast.p50
    if not len(low) == len(forecast.p50) == len(high) == slots:
        return False
    bound = 1e6  # also refuses NaN, which is in no order
    rows = zip(low, forecast.p50, high, strict=True)
    return all(-bound < a <= b <= c < bound for a, b, c in rows)
