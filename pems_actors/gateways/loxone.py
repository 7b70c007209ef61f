"""What the Loxone Miniserver says and hears over MQTT, in the house's own words. Pure codec.

`loxone/status` is one retained JSON object: `timestamp`, `_metadata`, and one object per
measurement that maps a name to {value, room, tag1?, tag2?}. Names are those of the house's
database, and four more in their spirit:

| measurement | name | value |
|---|---|---|
| temperature | `temperature_<room>`, `temperature_outside` | °C |
| floor_temperature | `floor_temperature_<room>` | °C, where a floor sensor is |
| relay, tag1 `heating` | bare room name | 0 or 1 |
| window | `window_<room>` | 1 is open |
| current_weather | `absolute_solar_irradiance` | W/m² |
| hdo | `hdo_contact` | 1 is the low tariff: electric heating is allowed |
| power | `grid_power_l1`, `_l2`, `_l3` | kW per phase, import positive |

A value of null is a sensor that is there and says nothing: unknown, not zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from pems_actors.domain.commands import SetHeating
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading, RoomReading
from pems_actors.domain.units import iso
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message, Rejected, json_text, number, read_object, read_text

STATUS = "loxone/status"
OUTDOOR = "teplomer/TC"
LONGEST_LEASE_S = 86400.0
TOPICS = Topics()


def heating_status_topic(relay: str) -> str:
    """Where the Miniserver confirms a relay; `+` as relay hears all."""
    return f"loxone/heating/{relay}/status"


@dataclass(frozen=True, slots=True)
class LoxoneStatus:
    """One status message, read. Keys are room names; a None value is a silent sensor."""

    at_s: float | None  # by the Miniserver's clock; None if it told no usable time
    temps_c: Mapping[str, float | None] = field(default_factory=dict)
    floors_c: Mapping[str, float | None] = field(default_factory=dict)
    relays: Mapping[str, bool] = field(default_factory=dict)
    windows: Mapping[str, bool] = field(default_factory=dict)
    outdoor_c: float | None = None
    ghi_w_m2: float | None = None
    heating_allowed: bool | None = None
    phase_kw: tuple[float, float, float] | None = None


def read_status(payload: bytes, zone: tzinfo = UTC) -> LoxoneStatus | Rejected:
    """Read `loxone/status`; a time without an offset is the house's local time in `zone`."""
    body = read_object(payload)
    if isinstance(body, Rejected):
        return body
    temps = _named(body, "temperature", "temperature_")
    weather = _named(body, "current_weather", "")
    return LoxoneStatus(
        at_s=read_time(body.get("timestamp"), zone),
        temps_c={room: temp for room, temp in temps.items() if room != "outside"},
        floors_c=_named(body, "floor_temperature", "floor_temperature_"),
        relays=_flags(_named(body, "relay", "", tag1="heating")),
        windows=_flags(_named(body, "window", "window_")),
        outdoor_c=temps.get("outside"),
        ghi_w_m2=weather.get("absolute_solar_irradiance"),
        heating_allowed=_flags(_named(body, "hdo", "")).get("hdo_contact"),
        phase_kw=_phases(_named(body, "power", "grid_power_l")),
    )


def _named(
    body: Mapping[str, Any], measurement: str, head: str, tag1: str | None = None
) -> dict[str, float | None]:
    """Read the values of one measurement by name, without the names' common head."""
    group = body.get(measurement)
    if not isinstance(group, dict):
        return {}
    return {
        name.removeprefix(head): number(entry.get("value"))
        for name, entry in group.items()
        if isinstance(entry, dict)
        and name.startswith(head)
        and (tag1 is None or entry.get("tag1", tag1) == tag1)
    }


def _flags(values: Mapping[str, float | None]) -> dict[str, bool]:
    return {name: value > 0.5 for name, value in values.items() if value is not None}


def _phases(powers: Mapping[str, float | None]) -> tuple[float, float, float] | None:
    one, two, three = (powers.get(phase) for phase in "123")
    if one is None or two is None or three is None:
        return None
    return one, two, three


def read_time(text: object, zone: tzinfo = UTC) -> float | None:
    """Read an ISO time as seconds since 1970, or None if it is none."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        when = datetime.fromisoformat(text)
        aware = when if when.tzinfo is not None else when.replace(tzinfo=zone)
        return aware.timestamp()
    except (ValueError, OverflowError):
        return None


def read_float(payload: bytes) -> float | Rejected:
    """Read a plain number, as the outdoor thermometer sends it."""
    text = read_text(payload, 64)
    if isinstance(text, Rejected):
        return text
    try:
        value = float(text)
    except ValueError:
        return Rejected(f"{text[:20]!r} is no number")
    return value if math.isfinite(value) else Rejected(f"{text[:20]!r} is no finite number")


# -- heating orders and their confirmation -----------------------------------------------------


def heating_message(command: SetHeating, topics: Topics = TOPICS) -> Message:
    """Make the order to one relay. `duration` is the lease in minutes, rounded up."""
    body = {
        "room": command.relay,
        "state": "on" if command.on else "off",
        "duration": max(0, math.ceil((command.lease_until_s - command.at_s) / 60.0)),
        "target_temp_c": command.target_temp_c,
        "reason": command.reason,
        "level": int(command.level),
        "lease_until": iso(command.lease_until_s),
        "timestamp": iso(command.at_s),
    }
    return Message(topics.heating(command.relay), json_text(body))


def read_heating(
    topic: str, payload: bytes, *, retained: bool, now_s: float, topics: Topics = TOPICS
) -> SetHeating | Rejected:
    """Read the order to one relay, as the Miniserver does: retained or late ones do not count."""
    head, tail = topics.heating("+").split("+")
    relay = topic.removeprefix(head).removesuffix(tail)
    if not (topic.startswith(head) and topic.endswith(tail)) or not relay or "/" in relay:
        return Rejected(f"{topic[:80]!r} is no heating topic")
    if retained:
        return Rejected("the heating order is retained; publish it without the retain flag")
    body = read_object(payload)
    if isinstance(body, Rejected):
        return body
    if body.get("room", relay) != relay or body.get("state") not in ("on", "off"):
        return Rejected('a heating order needs its own room and state "on" or "off"')
    lease_until_s = _lease(body, now_s)
    if lease_until_s is None or not now_s < lease_until_s <= now_s + LONGEST_LEASE_S:
        return Rejected("the heating order needs a lease that is running, of a day at most")
    return _heating(relay, body, now_s, lease_until_s)


def _heating(relay: str, body: Mapping[str, Any], now_s: float, lease_until_s: float) -> SetHeating:
    level = body.get("level")
    level = level if isinstance(level, int) and 0 <= level <= Level.NATIVE else Level.RULES
    return SetHeating(
        relay=relay,
        on=body["state"] == "on",
        reason=str(body.get("reason") or "")[:500],
        level=Level(level),
        at_s=now_s,
        lease_until_s=lease_until_s,
        target_temp_c=number(body.get("target_temp_c")),
    )


def _lease(body: Mapping[str, Any], now_s: float) -> float | None:
    """Take `lease_until`, else `duration` minutes from now; none of both is no lease."""
    until_s = read_time(body.get("lease_until"))
    if until_s is not None:
        return until_s
    minutes = number(body.get("duration"))
    return None if minutes is None else now_s + 60.0 * minutes


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """A relay as the Miniserver confirms it."""

    relay: str
    on: bool
    at_s: float | None
    power_kw: float | None = None
    temp_c: float | None = None


def relay_status_message(status: RelayStatus, at_s: float) -> Message:
    """Make the confirmation of a relay: {state, power (kW), temperature, timestamp}."""
    body = {
        "state": "on" if status.on else "off",
        "power": status.power_kw,
        "temperature": status.temp_c,
        "timestamp": iso(at_s),
    }
    return Message(heating_status_topic(status.relay), json_text(body))


def read_relay_status(topic: str, payload: bytes, zone: tzinfo = UTC) -> RelayStatus | Rejected:
    """Read the confirmation of a relay."""
    head, tail = heating_status_topic("+").split("+")
    relay = topic.removeprefix(head).removesuffix(tail)
    if not (topic.startswith(head) and topic.endswith(tail)) or not relay:
        return Rejected(f"{topic[:80]!r} is no relay status topic")
    body = read_object(payload)
    if isinstance(body, Rejected):
        return body
    if body.get("state") not in ("on", "off"):
        return Rejected('a relay status needs state "on" or "off"')
    return RelayStatus(
        relay,
        body["state"] == "on",
        read_time(body.get("timestamp"), zone),
        number(body.get("power")),
        number(body.get("temperature")),
    )


# -- the Miniserver's side, for the twin -------------------------------------------------------


def status_message(reading: HouseReading) -> Message:
    """Make the retained `loxone/status` of a reading, as the Miniserver publishes it."""
    body: dict[str, Any] = {"timestamp": iso(reading.at_s)}
    body["temperature"] = _by_room("temperature_", reading.rooms, lambda room: room.temp_c)
    if reading.outdoor is not None:
        body["temperature"]["temperature_outside"] = _entry(reading.outdoor.temp_c, "outside")
        weather = {"absolute_solar_irradiance": _entry(reading.outdoor.ghi_w_m2, "outside")}
        body["current_weather"] = weather
    known = [room for room in reading.rooms if room.relay_on is not None]
    body["relay"] = {
        room.room: {**_entry(float(bool(room.relay_on)), room.room), "tag1": "heating"}
        for room in known
    }
    floors = [room for room in reading.rooms if room.floor_c is not None]
    body["floor_temperature"] = _by_room("floor_temperature_", floors, lambda room: room.floor_c)
    windows = [room for room in reading.rooms if room.window_open is not None]
    body["window"] = _by_room("window_", windows, lambda room: float(bool(room.window_open)))
    if reading.heating_blocked is not None:
        body["hdo"] = {"hdo_contact": _entry(float(not reading.heating_blocked), "_")}
    if reading.meter is not None and reading.meter.phase_kw is not None:
        phases = enumerate(reading.meter.phase_kw, start=1)
        body["power"] = {f"grid_power_l{k}": _entry(power_kw, "_") for k, power_kw in phases}
    body["_metadata"] = {"final": True, "cache_size": len(reading.rooms)}
    return Message(STATUS, json_text(body), retain=True)


def _by_room(head: str, rooms: Iterable[RoomReading], value: Any) -> dict[str, Any]:
    return {f"{head}{room.room}": _entry(value(room), room.room) for room in rooms}


def _entry(value: float | None, room: str) -> dict[str, Any]:
    return {"value": value, "room": room}
