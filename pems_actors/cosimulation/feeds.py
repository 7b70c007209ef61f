"""Prices and weather as the plant gives them, in the place of market and weather service.

Prices given by a plant are all-in: nothing of the tariff is added to them. Where none was ever
given, the house's own tariff stands on the price ladder's guess. The tariff's timetable of blocked
hours holds either way; the live contact is stronger.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

from pems_actors.cosimulation.observation import PricesSeen
from pems_actors.domain.forecasts import PriceCurve, WeatherForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.economics.tariff import Tariff
from pems_actors.forecasting.prices import PriceLadder

PER_MWH = 1000.0


@dataclass
class PriceBook:
    """A `PriceSource` of all import prices that the plant gave, and of the export prices to them.

    The market's unit is EUR/MWh: prices pass through it and come back as they were.
    """

    timezone: str
    eur_rate: float
    imports: PriceLadder = field(init=False)
    exports: PriceLadder = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing given."""
        self.imports = self.exports = PriceLadder(self.timezone)

    @property
    def given(self) -> bool:
        """Whether the plant ever gave a price."""
        return bool(self.imports.known)

    def take(self, prices: PricesSeen | None, now_s: float) -> bool:
        """Note what the plant gives; False if that is nothing new."""
        if prices is None:
            return False
        before = self.imports, self.exports
        to_market = PER_MWH / self.eur_rate
        self.imports = self.imports.observe(
            prices.grid, [_times(p, to_market) for p in prices.import_per_kwh], now_s
        )
        self.exports = self.exports.observe(
            prices.grid, [_times(p, to_market) for p in prices.export_per_kwh], now_s
        )
        return before != (self.imports, self.exports)

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Give the import price of each slot where the plant gave one."""
        told = self.imports.spot(grid, now_s)
        return tuple(
            price if source == "published" else None
            for price, source in zip(told.eur_mwh, told.sources, strict=True)
        )

    def export_per_kwh(self, grid: TimeGrid, now_s: float) -> tuple[float, ...]:
        """Give the export price of each slot; what was not given is filled as imports are."""
        told = self.exports.spot(grid, now_s).eur_mwh
        return tuple(price * self.eur_rate / PER_MWH for price in told)


@dataclass(frozen=True)
class GivenTariff(Tariff):
    """The house's tariff until the plant gives prices; from then on only its blocked hours."""

    book: PriceBook = field(kw_only=True, compare=False)

    @classmethod
    def over(cls, tariff: Tariff) -> GivenTariff:
        """Stand in for a tariff."""
        told = {f.name: getattr(tariff, f.name) for f in fields(Tariff) if f.init}
        return cls(**told, book=PriceBook(tariff.timezone, tariff.eur_rate))

    def price_curve(
        self,
        grid: TimeGrid,
        spot_eur_mwh: tuple[float, ...],  # type: ignore[override]  # the actor gives a tuple
        now_s: float,
        published_until_s: float,
        source: str = "published",
    ) -> PriceCurve:
        """Make the prices that planner and people see: the plant's, as they were given."""
        curve = super().price_curve(grid, spot_eur_mwh, now_s, published_until_s, source)
        if not self.book.given:
            return curve
        return replace(
            curve,
            import_per_kwh=tuple(price * self.eur_rate / PER_MWH for price in spot_eur_mwh),
            export_per_kwh=self.book.export_per_kwh(grid, now_s),
        )


class GivenWeather:
    """A `WeatherSource` with the plant's newest forecast, None until there is one."""

    def __init__(self) -> None:
        self.issue: WeatherForecast | None = None

    def take(self, issue: WeatherForecast | None) -> bool:
        """Note what the plant gives; False if that is nothing."""
        if issue is None:
            return False
        self.issue = issue
        return True

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        """Give the newest forecast, as long as it reaches beyond now."""
        del grid
        issue = self.issue
        return issue if issue is not None and issue.grid.end_s > now_s else None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
