"""The doors of a house whose troubles are on: house link, market, weather service and store.

Each stands in front of a sound door, keeps its port's contract, and misbehaves only while the
`Troubles` say so. The house link also translates between the true time and a core whose clock is
wrong, and lets a listener overhear what really passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan
from typing import TypeVar

from pems_actors.domain.commands import DeviceCommand, SetBatteryMode, SetExport
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.ports import History, OnReading, PriceSource, WeatherSource
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    RoomReading,
)
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.simulation.troubles import Trouble, Troubles
from pems_actors.simulation.twin_house import TwinHouse

ABSURD_C = 85.0
ABSURD_FACTOR = 100.0
ABSURD_SHIFT_K = 80.0

Part = TypeVar("Part", BatteryReading, InverterReading, MeterReading, OutdoorReading)
OnCommand = Callable[[DeviceCommand, bool], None]


def _no_command(_command: DeviceCommand, _reached: bool) -> None:
    """Listen to nobody."""


def _no_reading(_reading: HouseReading) -> None:
    """Listen to nobody."""


class TroubledHouse:
    """A twin's door with a bad link. `ahead_s` tells how far the core's clock is ahead of true."""

    def __init__(
        self, house: TwinHouse, troubles: Troubles, ahead_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.house, self.troubles, self.ahead_s = house, troubles, ahead_s
        self.on_command: OnCommand = _no_command
        self.on_reading: OnReading = _no_reading
        self._tell: OnReading = _no_reading

    def subscribe(self, on_reading: OnReading) -> None:
        """Deliver what comes through to one listener."""
        self._tell = on_reading
        self.house.subscribe(self._deliver)

    def apply(self, command: DeviceCommand) -> None:
        """Hand a command on, if the link carries it."""
        ahead_s = self.ahead_s()
        if ahead_s:
            command = command._replace(
                at_s=command.at_s - ahead_s, lease_until_s=command.lease_until_s - ahead_s
            )
        reached = not self._loses(command)
        self.on_command(command, reached)
        if reached:
            self.house.apply(command)

    def advance_to(self, at_s: float) -> None:
        """Let the house live until `at_s` of true time, then deliver one reading of it."""
        self.house.advance_to(at_s)

    def close(self) -> None:
        """Let go of the listener."""
        self._tell = _no_reading
        self.house.close()

    def _loses(self, command: DeviceCommand) -> bool:
        troubles = self.troubles
        if troubles.on(Trouble.HOUSE_DEAF):
            return True
        for_inverter = isinstance(command, SetBatteryMode | SetExport)
        return for_inverter and troubles.on(Trouble.INVERTER_SILENT)

    def _deliver(self, reading: HouseReading) -> None:
        if self.troubles.on(Trouble.HOUSE_SILENT):
            return
        seen = bent(reading, self.troubles) if self.troubles else reading
        self.on_reading(seen)
        ahead_s = self.ahead_s()
        self._tell(shifted(seen, ahead_s) if ahead_s else seen)


def bent(reading: HouseReading, troubles: Troubles) -> HouseReading:
    """Let the troubles show in a picture of the house."""
    rooms = tuple(_bent_room(room, troubles) for room in reading.rooms)
    battery, inverter, meter = reading.battery, reading.inverter, reading.meter
    if meter is not None and troubles.on(Trouble.METER_NAN):
        meter = meter._replace(grid_kw=nan, load_kw=nan, phase_kw=(nan, nan, nan))
    if battery is not None and troubles.on(Trouble.SOC_LOST):
        battery = battery._replace(soc_frac=None)
    if troubles.on(Trouble.INVERTER_SILENT):
        battery = inverter = None
    blocked = None if troubles.on(Trouble.HDO_LOST) else reading.heating_blocked
    return replace(
        reading,
        rooms=rooms,
        battery=battery,
        inverter=inverter,
        meter=meter,
        heating_blocked=blocked,
    )


def _bent_room(room: RoomReading, troubles: Troubles) -> RoomReading:
    place = f"rooms/{room.room}"
    if troubles.on(Trouble.SENSOR_NAN, place):
        return room._replace(temp_c=nan)
    if troubles.on(Trouble.SENSOR_ABSURD, place):
        return room._replace(temp_c=ABSURD_C)
    return room


def shifted(reading: HouseReading, by_s: float) -> HouseReading:
    """Stamp a picture by a clock that is ahead by `by_s`: the core stamps what arrives."""
    return replace(
        reading,
        at_s=reading.at_s + by_s,
        rooms=tuple(room._replace(at_s=room.at_s + by_s) for room in reading.rooms),
        battery=_later(reading.battery, by_s),
        inverter=_later(reading.inverter, by_s),
        meter=_later(reading.meter, by_s),
        outdoor=_later(reading.outdoor, by_s),
    )


def _later(part: Part | None, by_s: float) -> Part | None:
    return None if part is None else part._replace(at_s=part.at_s + by_s)


class TroubledMarket:
    """A price source that can be down, empty, stale or wrong."""

    def __init__(self, source: PriceSource, troubles: Troubles) -> None:
        self.source, self.troubles = source, troubles
        self._asked_s = 0.0

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Read prices, as far as the troubles let them through. Raises: OSError when down."""
        on = self.troubles.on
        if on(Trouble.PRICES_DOWN):
            raise ConnectionError("the market does not answer")
        if on(Trouble.PRICES_MISSING):
            return (None,) * len(grid)
        if not on(Trouble.PRICES_STALE):
            self._asked_s = now_s
        prices = self.source.spot_eur_mwh(grid, min(now_s, self._asked_s))
        if on(Trouble.PRICES_NAN):
            return (nan,) * len(grid)
        if on(Trouble.PRICES_ABSURD):
            return tuple(None if p is None else p * ABSURD_FACTOR for p in prices)
        return prices


class TroubledWeather:
    """A weather service that can be down, empty, stale or wrong."""

    def __init__(self, source: WeatherSource, troubles: Troubles) -> None:
        self.source, self.troubles = source, troubles
        self._last: WeatherForecast | None = None

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        """Read a forecast, as far as the troubles let it through. Raises: OSError when down."""
        on = self.troubles.on
        if on(Trouble.WEATHER_DOWN):
            raise ConnectionError("the weather service does not answer")
        if on(Trouble.WEATHER_MISSING):
            return None
        if on(Trouble.WEATHER_STALE) and self._last is not None:
            return self._last
        issue = self._last = self.source.forecast(grid, now_s)
        if issue is None:
            return None
        if on(Trouble.WEATHER_NAN):
            return replace(issue, outdoor_c=(nan,) * len(grid), ghi_w_m2=(nan,) * len(grid))
        if on(Trouble.WEATHER_ABSURD):
            return replace(issue, outdoor_c=tuple(t + ABSURD_SHIFT_K for t in issue.outdoor_c))
        return issue


class TroubledStore:
    """A store that can refuse; it counts what it acknowledged."""

    def __init__(self, store: History, troubles: Troubles) -> None:
        self.store, self.troubles = store, troubles
        self.acknowledged: Counter[str] = Counter()  # records, by kind

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Store rows. Raises: OSError while the store refuses."""
        self._check()
        self.store.append(samples)

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Store one record. Raises: OSError while the store refuses."""
        self._check()
        self.store.record(kind, at_s, body)
        self.acknowledged[kind] += 1

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None = None
    ) -> list[tuple[float, float]]:
        """Read a series."""
        return self.store.range(series, start_s, end_s, step_s)

    def last(self, series: str) -> tuple[float, float] | None:
        """Read the newest row of a series."""
        return self.store.last(series)

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read the records of one kind."""
        return self.store.records(kind, start_s, end_s)

    def problem(self) -> str:
        """Say what keeps it from taking rows; empty if nothing does."""
        refuses = self.troubles.on(Trouble.STORE_REFUSES)
        return "no space left on device" if refuses else self.store.problem()

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _check(self) -> None:
        if self.troubles.on(Trouble.STORE_REFUSES):
            raise OSError("no space left on device")
