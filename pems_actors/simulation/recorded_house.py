"""A house out of its own history: pictures rebuilt from the stored series, minute by minute.

What was measured stays as it was measured; what it is ordered changes only its contacts and, by
the relays' powers, its meter. So a replay shows what would be decided on what was seen, not what
the rooms would have done.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pems_actors.domain.commands import DeviceCommand, SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    RoomReading,
)
from pems_actors.domain.units import DAY_S, iso
from pems_actors.simulation.device_faults import DeviceFault

FRESH_S = 180.0
FAR_S = 1e11  # later than any record
HOUSE_SERIES = ("outdoor_c", "grid_kw", "load_kw", "pv_kw", "soc_frac", "battery_kw")


class Stored(Protocol):
    """The reading half of a `History`."""

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None, /
    ) -> list[tuple[float, float]]:
        """Read `(at_s, value)` of `[start_s, end_s)`, or means per step."""

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read the records of one kind in `[start_s, end_s)`."""


@dataclass(frozen=True)
class Series:
    """Rows of one series in order of time."""

    at_s: Sequence[float]
    values: Sequence[float]

    @classmethod
    def read(cls, history: Stored, name: str, start_s: float, end_s: float) -> Series:
        """Read a span of a history, and a little before it."""
        rows = history.range(name, start_s - FRESH_S, end_s, None)
        return cls([at_s for at_s, _ in rows], [value for _, value in rows])

    def at(self, at_s: float) -> float | None:
        """Give the newest value that is not older than three minutes, or None."""
        k = bisect_right(self.at_s, at_s) - 1
        return self.values[k] if k >= 0 and at_s - self.at_s[k] <= FRESH_S else None


class RecordedHouse:
    """One recorded span of a house, to be stepped like a twin."""

    def __init__(self, house: House, history: Stored, start_s: float, end_s: float) -> None:
        """Read what was stored.

        Raises: ValueError if no room's temperature was stored in the span.
        """
        self.house, self.at_s = house, start_s

        def read(name: str) -> Series:
            return Series.read(history, name, start_s, end_s)

        self._house = {name: read(name) for name in HOUSE_SERIES}
        self._temps = {room.name: read(f"temp_c.{room.name}") for room in house.rooms}
        self._contacts = {relay.name: read(f"relay.{relay.name}") for relay in house.relays}
        if not any(series.at_s for series in self._temps.values()):
            raise ValueError(f"nothing was recorded in this span; {_known(house, history)}")
        self.ordered: dict[str, bool] = {}  # relay -> as the replay would have it
        self.mode: BatteryMode | None = None
        self._export_allowed: bool | None = None

    def step_to(self, at_s: float) -> None:
        """Go on to an instant of the record."""
        self.at_s = at_s

    def apply(self, command: DeviceCommand) -> None:
        """Note an order."""
        match command:
            case SetHeating(relay=relay, on=on):
                self.ordered[relay] = on
            case SetBatteryMode(mode=mode):
                self.mode = mode
            case SetExport(allowed=allowed):
                self._export_allowed = allowed

    def fault(self, device: str, fault: DeviceFault | None) -> None:
        """Refuse to be broken. Raises: ValueError."""
        del fault
        raise ValueError(
            f"{device} of a recorded house cannot be broken; break actors, links and feeds"
        )

    def reading(self) -> HouseReading:
        """Rebuild the picture of this instant; what was not stored is unknown."""
        at_s, known = (
            self.at_s,
            {name: series.at(self.at_s) for name, series in self._house.items()},
        )
        contacts = self.contacts()
        grid_kw, soc = known["grid_kw"], known["soc_frac"]
        extra_kw = self._extra_kw(contacts)
        load_kw = known["load_kw"]
        return HouseReading(
            at_s=at_s,
            rooms=tuple(
                RoomReading(room.name, at_s, self._raw_c(room.name), contacts.get(room.name))
                for room in self.house.rooms
            ),
            battery=None
            if soc is None
            else BatteryReading(at_s, soc, known["battery_kw"], self.mode),
            inverter=None
            if known["pv_kw"] is None
            else InverterReading(at_s, known["pv_kw"], self._export_allowed),
            meter=None
            if grid_kw is None
            else MeterReading(
                at_s, grid_kw + extra_kw, None if load_kw is None else load_kw + extra_kw
            ),
            outdoor=OutdoorReading(at_s, known["outdoor_c"]),
        )

    @property
    def seen(self) -> bool:
        """Whether anything of the rooms is known at this instant."""
        return any(series.at(self.at_s) is not None for series in self._temps.values())

    def recorded(self, relay: str) -> bool | None:
        """Whether a relay was on in the record; None where that was not stored."""
        value = self._contacts[relay].at(self.at_s)
        return None if value is None else value > 0.5

    def contacts(self) -> Mapping[str, bool | None]:
        """Give the contacts as they are in the replay: as ordered, else as recorded."""
        names = (relay.name for relay in self.house.relays)
        return {name: self.ordered.get(name, self.recorded(name)) for name in names}

    def _raw_c(self, room: str) -> float | None:
        """Take the known offset off again: it was added before the value was stored."""
        value = self._temps[room].at(self.at_s)
        offset_k = next(r.sensor_offset_k for r in self.house.rooms if r.name == room)
        return None if value is None else value - offset_k

    def _extra_kw(self, contacts: Mapping[str, bool | None]) -> float:
        """How much more the replay's relays draw than those of the record."""
        return sum(
            relay.power_kw * (bool(contacts[relay.name]) - bool(self.recorded(relay.name)))
            for relay in self.house.relays
        )


def _known(house: House, history: Stored) -> str:
    """Say which days a history has something of."""
    names = (f"temp_c.{room.name}" for room in house.rooms)
    days = [at_s for name in names for at_s, _ in history.range(name, 0.0, FAR_S, DAY_S)]
    if not days:
        return "this history knows no room of this house, is it the right --state and --config"
    first, last = iso(min(days))[:10], iso(max(days) + DAY_S)[:10]
    return f"the history has something from {first} to {last}"
