"""Plain controllers: a tuned hysteresis thermostat, the same by price, the original's v1 rule.

Pure decisions on a reading. The hysteresis is tuned as a good installer would: narrow, with the
set-point that will hold when the heat of a slow floor arrives, and no deep set-back (chosen on
spans that are not measured here). Its battery is in self-use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pems_actors.bench.closed_loop.switchboard import Wish
from pems_actors.control.comfort import ramped_setpoint_c, rule_target_c
from pems_actors.domain.house import BatteryMode, Comfort, House
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import QUARTER_S
from pems_actors.economics.local_hours import local_hour

HALF_BAND_K = 0.1
LEAD_H = 1.5
CHEAP_SHARE, DEAR_SHARE = 1 / 3, 1 / 3
UP_K, DOWN_K = 0.4, 0.2
V1_EXPORT_FROM = 1.0  # CZK/kWh
V1_SINGLE_HOURS = 6


class Order(NamedTuple):
    """A battery mode with its rate, and the export switch."""

    mode: BatteryMode = BatteryMode.SELF_USE
    rate_kw: float | None = None
    export_allowed: bool = True


class DayPrices(NamedTuple):
    """The local day's quarter hours: all-in prices, and the spot price, per kWh."""

    start_s: float
    import_per_kwh: tuple[float, ...]
    export_per_kwh: tuple[float, ...]
    spot_per_kwh: tuple[float, ...]

    @property
    def end_s(self) -> float:
        """When the local day ends."""
        return self.start_s + QUARTER_S * len(self.spot_per_kwh)

    def quarter(self, at_s: float) -> int:
        """Number the quarter hour of an instant."""
        return min(int((at_s - self.start_s) // QUARTER_S), len(self.spot_per_kwh) - 1)


class Controller(Protocol):
    """What the loop asks once a minute."""

    def wishes(self, reading: HouseReading, prices: DayPrices) -> Mapping[str, Wish]:
        """Tell what each relay should be."""

    def storage(self, reading: HouseReading, prices: DayPrices) -> Order:
        """Tell what the battery should do."""


@dataclass
class Hysteresis:
    """A thermostat in each room; a relay follows the neediest of its rooms."""

    house: House
    offset_k: float = 0.0

    def __post_init__(self) -> None:
        self._comfort = {room.name: room.comfort for room in self.house.rooms}
        self._on = {relay.name: False for relay in self.house.relays}

    def wishes(self, reading: HouseReading, prices: DayPrices) -> Mapping[str, Wish]:
        """Switch on below the set-point and off above it, each by half of the band."""
        hour = local_hour(reading.at_s, self.house.site.timezone)
        shift_k = self.offset_k + self._shift_k(reading, prices)
        temps = {room.room: room.temp_c for room in reading.rooms}
        return {relay.name: self._wish(relay.name, [m for m, _ in relay.members], temps, hour,
                                       shift_k) for relay in self.house.relays}  # fmt: skip

    def storage(self, reading: HouseReading, prices: DayPrices) -> Order:
        """Leave the battery to itself; what would be paid for being rid of is not fed in."""
        allowed = prices.export_per_kwh[prices.quarter(reading.at_s)] >= 0.0
        return Order(export_allowed=allowed)

    def _shift_k(self, reading: HouseReading, prices: DayPrices) -> float:
        del reading, prices
        return 0.0

    def _wish(
        self,
        relay: str,
        members: Sequence[str],
        temps: Mapping[str, float | None],
        hour: float,
        shift_k: float,
    ) -> Wish:
        """Let the room that is farthest under its set-point speak for the relay."""
        errors, slacks = [], []
        for name in members:
            temp_c, comfort = temps.get(name), self._comfort[name]
            if temp_c is None:
                continue
            errors.append(rule_target_c(comfort, hour, LEAD_H) + shift_k - temp_c)
            slacks.append(temp_c - _floor_c(comfort, hour))
        if not errors:
            return Wish(on=False, slack_k=0.0)
        error_k = max(errors)
        if error_k > HALF_BAND_K or error_k < -HALF_BAND_K:
            self._on[relay] = error_k > 0.0
        return Wish(self._on[relay], min(slacks))


def _floor_c(comfort: Comfort, hour: float) -> float:
    return ramped_setpoint_c(comfort, hour) - comfort.band_k


class PriceShift(Hysteresis):
    """Warmer in the cheapest third of the day, cooler in the dearest: what many automations do."""

    def _shift_k(self, reading: HouseReading, prices: DayPrices) -> float:
        ranked = sorted(prices.import_per_kwh)
        price = prices.import_per_kwh[prices.quarter(reading.at_s)]
        if price <= ranked[int(len(ranked) * CHEAP_SHARE)]:
            return UP_K
        return -DOWN_K if price >= ranked[int(len(ranked) * (1.0 - DEAR_SHARE))] else 0.0


class OriginalV1(Hysteresis):
    """The original's first rule for battery and export; it never touched the heating.

    Battery-first over the cheap hours (sun into the battery before the load), charging from the
    grid in the cheapest two hours in a row, export where the spot price is at least 1 CZK/kWh.
    Battery-first is one order there; here it is a charge at the rate of the sun, and so its count
    of writes says nothing.
    """

    def storage(self, reading: HouseReading, prices: DayPrices) -> Order:
        """Look the hour up in the day's cheap hours."""
        hours = _hours(prices.spot_per_kwh)
        hour = prices.quarter(reading.at_s) // 4
        export = hours[hour] >= V1_EXPORT_FROM
        if hour in _cheapest_two(hours):
            return Order(BatteryMode.CHARGE_GRID, None, export)
        if hour not in cheap_hours(hours):
            return Order(BatteryMode.SELF_USE, None, export)
        inverter = reading.inverter
        sun_kw = inverter.pv_kw if inverter is not None and inverter.pv_kw else 0.0
        if sun_kw < 0.1:
            return Order(BatteryMode.HOLD, None, export)
        return Order(BatteryMode.CHARGE_GRID, round(sun_kw, 1), export)


def _hours(quarters: Sequence[float]) -> list[float]:
    """Average whole hours of a day's quarter hours."""
    return [sum(quarters[k : k + 4]) / 4.0 for k in range(0, len(quarters) - 3, 4)]


def _cheapest_two(hours: Sequence[float]) -> tuple[int, int]:
    first = min(range(len(hours) - 1), key=lambda k: hours[k] + hours[k + 1])
    return first, first + 1


def cheap_hours(hours: Sequence[float]) -> frozenset[int]:
    """Find the hours that v1 calls cheap: the six cheapest, the lowest quarter, the best two.

    Args:
        hours: the spot price of each hour of the day.
    Returns: numbers of hours.
    """
    ranked = sorted(range(len(hours)), key=lambda k: hours[k])
    lowest = min(hours) + 0.25 * (max(hours) - min(hours))
    low = (k for k, price in enumerate(hours) if price <= lowest)
    return frozenset({*ranked[:V1_SINGLE_HOURS], *low, *_cheapest_two(hours)})
