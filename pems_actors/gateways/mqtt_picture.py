"""The newest of everything that a house said over MQTT, and the picture of it. Pure.

Messages in, `HouseReading` out; house time is an argument. Each value keeps the time at which it
was measured: a retained message of yesterday is yesterday's value, and a message with no time of
its own that was retained tells nothing about now. What never came is None. Names that the house
does not have are not kept, so that no stranger can fill the memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pems_actors.domain.flexible_load import LoadReading
from pems_actors.domain.house import House
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    RoomReading,
)
from pems_actors.gateways import flexible_topics, loxone
from pems_actors.gateways import growatt_registers as registers
from pems_actors.gateways.growatt import Growatt, effective
from pems_actors.gateways.growatt_registers import Registers
from pems_actors.gateways.wire import Rejected, number, read_object

FUTURE_S = 120.0  # a sender's clock may run ahead by this much
CONTACT_S = 900.0  # a contact that was last told longer ago is unknown
PHASE_S = 180.0  # the breaker is judged on these: old ones are worse than none

LOADS = flexible_topics.status_topic("+").partition("+")[0]
TOPICS = (
    loxone.STATUS,
    loxone.OUTDOOR,
    loxone.heating_status_topic("+"),
    registers.TELEMETRY,
    registers.RESULTS,
)


def topics_of(house: House) -> tuple[str, ...]:
    """List the topics on which a house speaks."""
    loads = (flexible_topics.status_topic("+"),) if house.loads else ()
    return (*TOPICS, *loads)


@dataclass(frozen=True, slots=True)
class Aged:
    """A value and when it was measured (house time)."""

    value: float | None
    at_s: float


@dataclass(slots=True)
class MqttPicture:
    """What is known of one house. `counters` tells what was refused."""

    house: House
    device: Growatt = field(default_factory=Growatt)
    counters: Counter[str] = field(default_factory=Counter)
    last_refusal: str = ""
    status_at_s: float | None = None  # when the newest status of the Miniserver was measured
    _temps: dict[str, Aged] = field(default_factory=dict)
    _floors: dict[str, Aged] = field(default_factory=dict)
    _relays: dict[str, Aged] = field(default_factory=dict)
    _windows: dict[str, Aged] = field(default_factory=dict)
    _outdoor: dict[str, Aged] = field(default_factory=dict)
    _phases: tuple[tuple[float, float, float], float] | None = None
    _heating_allowed: Aged | None = None
    _solar: dict[str, float | None] = field(default_factory=dict)
    _solar_at_s: float | None = None
    _names: frozenset[str] = frozenset()
    _loads: dict[str, LoadReading] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Learn the names of rooms and relays."""
        house = self.house
        rooms, relays = (r.name for r in house.rooms), (r.name for r in house.relays)
        self._names = frozenset((*rooms, *relays))

    # -- hearing -------------------------------------------------------------------------------

    def hear(self, topic: str, payload: bytes, *, retained: bool, now_s: float) -> bool:
        """Take one message; False if it told nothing (refused, and counted)."""
        if topic == loxone.STATUS:
            refused = self._hear_status(payload, retained=retained, now_s=now_s)
        elif topic == registers.TELEMETRY:
            refused = self._hear_solar(payload, retained=retained, now_s=now_s)
        elif topic.startswith(LOADS):
            refused = self._hear_load(topic, payload, retained=retained, now_s=now_s)
        elif topic == loxone.OUTDOOR:
            refused = self._hear_outdoor(payload, retained=retained, now_s=now_s)
        else:
            refused = self._hear_relay(topic, payload, retained=retained, now_s=now_s)
        if refused is None:
            return True
        self.counters["refused"] += 1
        self.last_refusal = f"{topic[:80]}: {refused.reason}"
        return False

    def _measured_s(self, at_s: float | None, *, retained: bool, now_s: float) -> float | None:
        """Choose the time of a value: the sender's if it is sane, else now if it just came."""
        if at_s is not None and at_s <= now_s + FUTURE_S:
            return min(at_s, now_s)
        return None if retained else now_s

    def _hear_status(self, payload: bytes, *, retained: bool, now_s: float) -> Rejected | None:
        status = loxone.read_status(payload, ZoneInfo(self.house.site.timezone))
        if isinstance(status, Rejected):
            return status
        at_s = self._measured_s(status.at_s, retained=retained, now_s=now_s)
        if at_s is None:
            return Rejected("the status is retained and has no time of its own")
        self.status_at_s = max(at_s, self.status_at_s or at_s)
        _update(self._temps, self._known(status.temps_c), at_s)
        _update(self._floors, self._known(status.floors_c), at_s)
        _update(self._relays, self._known(status.relays), at_s)
        _update(self._windows, self._known(status.windows), at_s)
        weather = {"loxone": status.outdoor_c, "ghi": status.ghi_w_m2}
        _update(self._outdoor, {k: v for k, v in weather.items() if v is not None}, at_s)
        if status.heating_allowed is not None:
            self._heating_allowed = Aged(float(status.heating_allowed), at_s)
        if status.phase_kw is not None:
            self._phases = status.phase_kw, at_s
        return None

    def _known(self, values: Mapping[str, float | None]) -> dict[str, float | None]:
        """Take what is told of our own rooms and relays; a contact counts as 0 or 1."""
        named = {name: values[name] for name in self._names if name in values}
        return {name: None if each is None else float(each) for name, each in named.items()}

    def _hear_solar(self, payload: bytes, *, retained: bool, now_s: float) -> Rejected | None:
        body = read_object(payload)
        if isinstance(body, Rejected):
            return body
        if retained:
            return Rejected("the telemetry is retained and has no time of its own")
        self._solar = {key: number(value) for key, value in body.items()}
        self._solar_at_s = now_s
        return None

    def _hear_outdoor(self, payload: bytes, *, retained: bool, now_s: float) -> Rejected | None:
        temp_c = loxone.read_float(payload)
        if isinstance(temp_c, Rejected):
            return temp_c
        if retained:
            return Rejected("the outdoor temperature is retained and has no time of its own")
        _update(self._outdoor, {"teplomer": temp_c}, now_s)
        return None

    def _hear_load(
        self, topic: str, payload: bytes, *, retained: bool, now_s: float
    ) -> Rejected | None:
        zone = ZoneInfo(self.house.site.timezone)
        said = flexible_topics.read_status(
            topic, payload, retained=retained, now_s=now_s, zone=zone
        )
        if isinstance(said, Rejected):
            return said
        if said.load not in {load.name for load in self.house.loads}:
            return Rejected(f"there is no load {said.load[:40]!r}")
        before = self._loads.get(said.load)
        if before is None or before.at_s <= said.at_s:
            self._loads[said.load] = said
        return None

    def _hear_relay(
        self, topic: str, payload: bytes, *, retained: bool, now_s: float
    ) -> Rejected | None:
        status = loxone.read_relay_status(topic, payload, ZoneInfo(self.house.site.timezone))
        if isinstance(status, Rejected):
            return status
        at_s = self._measured_s(status.at_s, retained=retained, now_s=now_s)
        if at_s is None:
            return Rejected("the relay status is retained and has no time of its own")
        if status.relay not in self._names:
            return Rejected(f"there is no relay {status.relay[:40]!r}")
        _update(self._relays, {status.relay: float(status.on)}, at_s)
        return None

    # -- telling -------------------------------------------------------------------------------

    @property
    def soc_frac(self) -> float | None:
        """The newest state of charge."""
        soc = self._solar.get("SOC")
        return soc / 100.0 if soc is not None and 0.0 <= soc <= 100.0 else None

    def reading(self, now_s: float, known: Registers, *, settling: bool = False) -> HouseReading:
        """Give the picture of the house.

        Args:
            known: the inverter's confirmed registers.    settling: they are being written just now,
                so that the battery's mode is unknown.
        """
        allowed = _fresh(self._heating_allowed, now_s)
        rooms = (self._room(room.name, room.relay, now_s) for room in self.house.rooms)
        return HouseReading(
            at_s=now_s,
            rooms=tuple(room for room in rooms if room is not None),
            battery=self._battery(now_s, known, settling),
            inverter=self._inverter(known),
            meter=self._meter(now_s),
            outdoor=self._outside(now_s),
            heating_blocked=None if allowed is None else not allowed,
            loads=tuple(r for r in self._loads.values() if now_s - r.at_s <= PHASE_S),
        )

    def _room(self, room: str, relay: str | None, now_s: float) -> RoomReading | None:
        temp, floor = self._temps.get(room), self._floors.get(room)
        switch = _newer(self._relays.get(room), self._relays.get(relay or room))
        known = [aged for aged in (temp, floor, switch) if aged is not None]
        if not known:
            return None
        relay_on, window = _fresh(switch, now_s), _fresh(self._windows.get(room), now_s)
        return RoomReading(
            room=room,
            at_s=known[0].at_s,
            temp_c=None if temp is None else temp.value,
            relay_on=None if relay_on is None else bool(relay_on),
            floor_c=_fresh(floor, now_s),
            window_open=None if window is None else bool(window),
        )

    def _battery(self, now_s: float, known: Registers, settling: bool) -> BatteryReading | None:
        if self._solar_at_s is None:
            return None
        mode = None if settling else effective(known, now_s, self.soc_frac, self.device)
        return BatteryReading(
            at_s=self._solar_at_s,
            soc_frac=self.soc_frac,
            power_kw=self._difference_kw("DischargePower", "ChargePower"),
            mode=None if mode is None else mode.mode,
            temp_c=self._solar.get("BatteryTemperature"),
        )

    def _inverter(self, known: Registers) -> InverterReading | None:
        if self._solar_at_s is None:
            return None
        return InverterReading(self._solar_at_s, self._kw("InputPower"), known.export)

    def _meter(self, now_s: float) -> MeterReading | None:
        if self._solar_at_s is None:
            return None
        grid_kw = self._difference_kw("ACPowerToUser", "ACPowerToGrid")
        phases = None
        if self._phases is not None and now_s - self._phases[1] <= PHASE_S:
            phases = self._phases[0]
        return MeterReading(self._solar_at_s, grid_kw, self._kw("INVPowerToLocalLoad"), phases)

    def _outside(self, now_s: float) -> OutdoorReading | None:
        sensors = [self._outdoor[name] for name in ("teplomer", "loxone") if name in self._outdoor]
        if not sensors:
            return None
        newest = max(sensors, key=lambda aged: aged.at_s)
        return OutdoorReading(newest.at_s, newest.value, _fresh(self._outdoor.get("ghi"), now_s))

    def _kw(self, key: str) -> float | None:
        power_w = self._solar.get(key)
        return None if power_w is None else power_w / 1000.0

    def _difference_kw(self, plus: str, minus: str) -> float | None:
        one, other = self._kw(plus), self._kw(minus)
        return None if one is None or other is None else one - other


def _fresh(aged: Aged | None, now_s: float) -> float | None:
    """Give a value that has no age of its own in a reading, as long as it is young."""
    return None if aged is None or now_s - aged.at_s > CONTACT_S else aged.value


def _newer(one: Aged | None, other: Aged | None) -> Aged | None:
    if one is None or other is None:
        return one or other
    return one if one.at_s >= other.at_s else other


def _update(kept: dict[str, Aged], values: Mapping[str, float | None], at_s: float) -> None:
    """Take newer values over older ones; a late message never overtakes a newer one."""
    for name, value in values.items():
        before = kept.get(name)
        if before is None or before.at_s <= at_s:
            kept[name] = Aged(value, at_s)
