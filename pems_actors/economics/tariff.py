"""What a kilowatt-hour costs and earns: spot price, distribution bands, tax, fee, blocked hours.

Bands and blocked hours are local wall-clock hours; everything else is UTC. A tariff knows the
timetable only: whether heating is blocked right now is told by the HDO contact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import QUARTER_S
from pems_actors.economics.local_hours import Spans, contains, local_hour

_CZK_PER_EUR = 25.0  # for which prices of comfort are written; not a rate of the day
_ROWS_PER_HOUR = 12
_LOOK_EVERY_S = 300.0  # ripple-control windows begin on five minutes


class Settlement(StrEnum):
    """How often the meter's energy meets the market's price."""

    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    PROFILE = "profile"  # no interval metering: shifting by spot price earns nothing


class Netting(StrEnum):
    """Whether import on one phase and export on another cancel out."""

    SUM = "sum"
    PER_PHASE = "per_phase"


@dataclass(frozen=True, slots=True)
class Band:
    """A distribution band: its price on import and the local hours `(from, until)` it holds."""

    name: str
    per_kwh: float
    hours: Spans = ()


D57D = (
    Band("VT", 0.919, ((10, 11), (12, 13), (14, 15), (17, 18))),
    Band("NT", 0.281, ((0, 10), (11, 12), (13, 14), (15, 17), (18, 24))),
)
"""The Czech tariff for electric heating, as the reference house has it."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices and rules of one supply contract, in `currency` per kWh.

    Hours that no band names fall to the dearest band: an error there costs money, not comfort or
    trust. `blocked_in` names bands in which heating is forbidden, `blocks` adds hours.
    """

    name: str = "D57d"
    currency: str = "CZK"
    eur_rate: float = 25.0
    bands: tuple[Band, ...] = D57D
    tax_per_kwh: float = 0.0
    export_fee_per_kwh: float = 0.35
    blocked_in: frozenset[str] = frozenset({"VT"})
    blocks: Spans = ()
    settlement: Settlement = Settlement.QUARTER_HOUR
    netting: Netting = Netting.SUM
    timezone: str = "Europe/Prague"
    _timetable: tuple[tuple[Band, bool], ...] = field(init=False, repr=False, compare=False)
    """Band and block of every five minutes of a day."""
    _quarters: tuple[tuple[float, bool], ...] = field(init=False, repr=False, compare=False)
    """Price of distribution and block of every quarter hour of a day."""

    @property
    def price_level(self) -> float:
        """How many units of the currency are what one is in CZK: prices of comfort scale by it."""
        return self.eur_rate / _CZK_PER_EUR

    def __post_init__(self) -> None:
        """Refuse a tariff without bands, or one that would never let the house be heated."""
        if not self.bands:
            raise ValueError("a tariff needs at least one band, like VT and NT")
        timetable = _timetable_of(self.bands, self.blocked_in, self.blocks)
        object.__setattr__(self, "_timetable", timetable)
        looks = zip(*[iter(timetable)] * (_ROWS_PER_HOUR // 4), strict=True)
        object.__setattr__(self, "_quarters", tuple(map(_mean_look, looks)))
        if all(blocked for _, blocked in timetable):
            raise ValueError(
                f"tariff {self.name!r} blocks heating all day; give the free band its hours "
                f"or take it out of heating_blocked_in"
            )

    def band_at(self, at_s: float) -> Band:
        """Find the distribution band in force."""
        return self._timetable[_row(at_s, self.timezone)][0]

    def blocked(self, at_s: float) -> bool:
        """Tell if the timetable forbids heating at an instant."""
        return self._timetable[_row(at_s, self.timezone)][1]

    def spot_per_kwh(self, spot_eur_mwh: float) -> float:
        """Turn a market price [EUR/MWh] into the house's currency per kWh."""
        return spot_eur_mwh / 1000.0 * self.eur_rate

    def import_per_kwh(self, spot_eur_mwh: float, at_s: float) -> float:
        """Price an imported kWh: spot, distribution of the hour, tax. May be negative."""
        return self.spot_per_kwh(spot_eur_mwh) + self.band_at(at_s).per_kwh + self.tax_per_kwh

    def export_per_kwh(self, spot_eur_mwh: float) -> float:
        """Price an exported kWh: spot less the trader's fee. Negative means that it costs."""
        return self.spot_per_kwh(spot_eur_mwh) - self.export_fee_per_kwh

    def price_curve(
        self,
        grid: TimeGrid,
        spot_eur_mwh: Sequence[float],
        now_s: float,
        published_until_s: float,
        source: str = "published",
    ) -> PriceCurve:
        """Make the prices that planner and people see.

        Under profile settlement the spot price is one flat mean, so only the bands remain.

        Args:
            grid: the slots.    spot_eur_mwh: a price per slot, published or forecast.
            now_s: when this is known.    published_until_s: where published prices end.
        Returns: import and export price per slot; a slot partly blocked counts as blocked.
        Raises: ValueError if the prices do not fit the grid or one is missing.
        """
        spot = self._shown_spot(grid, spot_eur_mwh)
        looks = [self._looked(start, start + width) for start, width in _slots(grid)]
        return PriceCurve(
            issued_at_s=now_s,
            grid=grid,
            import_per_kwh=tuple(
                self.spot_per_kwh(price) + part + self.tax_per_kwh
                for price, (part, _) in zip(spot, looks, strict=True)
            ),
            export_per_kwh=tuple(self.export_per_kwh(price) for price in spot),
            published_until_s=published_until_s,
            blocked=tuple([blocked for _, blocked in looks]),
            currency=self.currency,
            source=source,
            price_level=self.price_level,
        )

    def _shown_spot(self, grid: TimeGrid, spot_eur_mwh: Sequence[float]) -> list[float]:
        spot = [float(price) for price in spot_eur_mwh if price is not None]
        if len(spot) != len(grid) or len(spot_eur_mwh) != len(grid):
            raise ValueError(
                f"{len(spot)} spot prices for {len(grid)} slots; "
                f"forecast the ones that are not published before asking for a curve"
            )
        if self.settlement is not Settlement.PROFILE:
            return spot
        weighted = sum(p * w for p, (_, w) in zip(spot, _slots(grid), strict=True))
        return [weighted / (grid.end_s - grid.start_s)] * len(spot)

    def _looked(self, start_s: float, end_s: float) -> tuple[float, bool]:
        """Tell the mean price of distribution in a slot, and if heating is ever blocked in it."""
        if end_s - start_s == QUARTER_S and start_s % QUARTER_S == 0.0:  # the usual slot
            return self._quarters[int(local_hour(start_s, self.timezone) * 4)]
        count = max(1, round((end_s - start_s) / _LOOK_EVERY_S))
        step_s = (end_s - start_s) / count
        day = self._timetable
        return _mean_look(
            [day[_row(start_s + (k + 0.5) * step_s, self.timezone)] for k in range(count)]
        )


def _mean_look(looks: Sequence[tuple[Band, bool]]) -> tuple[float, bool]:
    band, blocked = looks[0]
    if looks.count(looks[0]) == len(looks):  # in one band as a whole
        return band.per_kwh, blocked
    mean = sum(band.per_kwh for band, _ in looks) / len(looks)
    return mean, any(blocked for _, blocked in looks)


@lru_cache(maxsize=2048)
def _row(at_s: float, timezone: str) -> int:
    """Row of the timetable that an instant lies in."""
    return int(local_hour(at_s, timezone) * _ROWS_PER_HOUR)


def _timetable_of(
    bands: tuple[Band, ...], blocked_in: frozenset[str], blocks: Spans
) -> tuple[tuple[Band, bool], ...]:
    hours = [row / _ROWS_PER_HOUR for row in range(24 * _ROWS_PER_HOUR)]
    found = [_band_of(bands, hour) for hour in hours]
    return tuple(
        (band, contains(blocks, hour) or band.name in blocked_in)
        for band, hour in zip(found, hours, strict=True)
    )


def _band_of(bands: tuple[Band, ...], hour: float) -> Band:
    for band in bands:
        if contains(band.hours, hour):
            return band
    return max(bands, key=lambda band: band.per_kwh)


def _slots(grid: TimeGrid) -> list[tuple[float, float]]:
    return list(zip(grid.starts_s, grid.durations_s, strict=True))
