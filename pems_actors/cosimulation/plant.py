"""The plant as a `House`: what it said is read, what it is ordered is noted until it asks.

Relays are as they were seen; a plant that does not do as told is a device that does not obey. Its
battery and its export switch tell nothing of themselves, so they are taken to be as ordered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pems_actors.cosimulation.observation import Observation
from pems_actors.domain.commands import DeviceCommand, SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode, House, Relay
from pems_actors.domain.ports import OnReading
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    RoomReading,
)


@dataclass
class Orders:
    """The newest order to each device."""

    heating: dict[str, SetHeating] = field(default_factory=dict)
    battery: SetBatteryMode | None = None
    export: SetExport | None = None


def _nobody(_: HouseReading) -> None:
    """Tell nobody."""


class PlantPort:
    """`domain.ports.House` in front of an outside plant."""

    def __init__(self, house: House) -> None:
        self.house, self.orders = house, Orders()
        self.seen = Observation(0, 0.0)
        self.seen_s = 0.0
        self._fresh: dict[str, bool] = {}  # ordered since the plant was last seen
        self._tell: OnReading = _nobody

    def subscribe(self, on_reading: OnReading) -> None:
        """Deliver readings to one listener."""
        self._tell = on_reading

    def apply(self, command: DeviceCommand) -> None:
        """Note an order."""
        match command:
            case SetHeating(relay=relay, on=on):
                self.orders.heating[relay] = command
                self._fresh[relay] = on
            case SetBatteryMode():
                self.orders.battery = command
            case SetExport():
                self.orders.export = command

    def close(self) -> None:
        """Let go of the listener."""
        self._tell = _nobody

    def see(self, seen: Observation, at_s: float) -> None:
        """Take a new observation, as measured at an instant of the appliance's clock."""
        self.seen, self.seen_s = seen, at_s
        self._fresh.clear()

    def tell(self, at_s: float) -> None:
        """Tell the appliance how the house is; values keep the time at which they were measured."""
        self._tell(self.reading(at_s))

    def contact(self, relay: str) -> bool | None:
        """How a relay was seen."""
        room = self.seen.rooms.get(relay)
        return None if room is None else room.relay_on

    def contacts(self, at_s: float) -> HouseReading:
        """Picture the contacts alone, as they will be from now on if the plant does as told."""
        after = {relay.name: self.contact(relay.name) for relay in self.house.relays}
        rooms = (RoomReading(n, at_s, None, on) for n, on in {**after, **self._fresh}.items())
        return HouseReading(at_s, tuple(room for room in rooms if room.relay_on is not None))

    def reading(self, at_s: float) -> HouseReading:
        """Picture the house."""
        seen, said_s = self.seen, self.seen_s
        return HouseReading(
            at_s=at_s,
            rooms=tuple(
                RoomReading(name, said_s, room.temp_c, self.contact(name))
                for name, room in seen.rooms.items()
            ),
            battery=self._battery(),
            inverter=None
            if seen.pv_kw is None
            else InverterReading(said_s, seen.pv_kw, self._export_allowed()),
            meter=self._meter(at_s),
            outdoor=OutdoorReading(said_s, seen.outdoor_c, seen.ghi_w_m2),
            heating_blocked=seen.hdo_blocked,
        )

    def _battery(self) -> BatteryReading | None:
        """A battery tells its charge; of one that is none, it is known without being told."""
        there = self.house.battery.capacity_kwh > 0.0
        soc_frac = self.seen.soc_frac if there else self.house.battery.min_soc_frac
        if soc_frac is None:
            return None
        return BatteryReading(self.seen_s, soc_frac, self._battery_kw(), self._mode())

    def _meter(self, at_s: float) -> MeterReading | None:
        """The meter as it will be with what was ordered: what is off makes room at once."""
        seen, load_kw = self.seen, self._load_kw()
        if seen.grid_kw is None:
            return None if load_kw is None else MeterReading(self.seen_s, None, load_kw)
        more = [(r, r.power_kw * change) for r in self.house.relays if (change := self._turns(r))]
        phases = seen.phase_kw
        if phases is not None:
            one, two, three = (
                kw + sum(extra * relay.phases[k] for relay, extra in more)
                for k, kw in enumerate(phases)
            )
            phases = (one, two, three)
        grid_kw = seen.grid_kw + sum(extra for _, extra in more)
        return MeterReading(at_s if more else self.seen_s, grid_kw, load_kw, phases)

    def _turns(self, relay: Relay) -> int:
        """Whether a relay was switched since it was seen: on 1, off -1, else 0."""
        seen, fresh = self.contact(relay.name), self._fresh.get(relay.name)
        return 0 if seen is None or fresh is None else fresh - seen

    def _load_kw(self) -> float | None:
        """All consumption; unknown if one relay is, for then its heat is unknown too."""
        base_kw, heating_kw = self.seen.base_load_kw, self._heating_kw()
        return None if base_kw is None or heating_kw is None else base_kw + heating_kw

    def _heating_kw(self) -> float | None:
        total = 0.0
        for relay in self.house.relays:
            on = self.contact(relay.name)
            if on is None:
                return None
            total += relay.power_kw * on
        return total

    def _battery_kw(self) -> float | None:
        """What is left of the balance when all else is known."""
        seen, load_kw = self.seen, self._load_kw()
        if load_kw is None or seen.grid_kw is None or seen.pv_kw is None:
            return None
        return load_kw - seen.grid_kw - seen.pv_kw

    def _mode(self) -> BatteryMode | None:
        order = self.orders.battery
        return None if order is None else order.mode

    def _export_allowed(self) -> bool | None:
        order = self.orders.export
        return None if order is None else order.allowed


def ordered(orders: Mapping[str, SetHeating], relay: str, now_s: float) -> SetHeating | None:
    """The order that holds for a relay just now: none when its lease has run out."""
    order = orders.get(relay)
    return order if order is not None and now_s < order.lease_until_s else None
