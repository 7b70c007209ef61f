"""The raw file brought to its full form: old names renamed, twins filled in from each other.

Works on plain JSON data before it is validated, so it tolerates every shape and judges none. What
is missing is filled; what is written is only replaced by `room_power_ratings_kw`, whose purpose
that is.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from config.shape import Steps

Raw = dict[str, Any]

RENAMED: dict[Steps, str] = {
    ("battery", "efficiency"): "round_trip_frac",
    ("battery", "min_soc"): "min_soc_frac",
    ("battery", "max_soc"): "max_soc_frac",
}
_COMFORT = {"day_c": "day", "night_c": "night"}


def renamed(raw: Raw) -> Raw:
    """Give a full copy of a raw file with the original system's key names brought to ours."""
    full = deepcopy(raw)
    for (section, old), new in RENAMED.items():
        part = full.get(str(section))
        if isinstance(part, dict) and old in part and new not in part:
            part[new] = part.pop(old)
    return full


def completed(raw: Raw) -> Raw:
    """Give a full copy of a raw configuration, with each figure under all of its names."""
    full = deepcopy(raw)
    _complete_battery(full)
    _complete_relays(full)
    _complete_rooms(full)
    return full


def twin(path: Steps) -> Steps | None:
    """Name the other place that says the same as a path, if there is one."""
    match path:
        case ("rooms", room, "comfort", "day_c" | "night_c" as key):
            return ("thermal_settings", "room_setpoints", room, _COMFORT[str(key)])
        case ("thermal_settings", "room_setpoints", room, "day" | "night" as key):
            return ("rooms", room, "comfort", f"{key}_c")
        case ("room_power_ratings_kw", relay):
            return ("relays", relay, "power", "effective_kw")
        case ("relays", relay, "power", "effective_kw"):
            return ("room_power_ratings_kw", relay)
        case _:
            return None


def has(raw: object, path: Steps) -> bool:
    """Whether something is written at a path."""
    for step in path:
        if not isinstance(raw, dict) or step not in raw:
            return False
        raw = raw[step]
    return True


def written_at(raw: Raw, path: Steps) -> Steps:
    """Find where a completed value was really written: here, at its twin, or as the default."""
    first: Steps | None = path
    second = twin(path)
    if path[:1] == ("relays",):
        first, second = second, first  # a rating replaces what the relay says
    places = (first, second, _default_of(path))
    return next((place for place in places if place and has(raw, place)), path)


def _default_of(path: Steps) -> Steps | None:
    """Name the value that fills a path where nothing is written."""
    match path:
        case ("rooms", _, "comfort", "band_k"):
            return ("thermal_settings", "comfort_band_celsius")
        case ("rooms", _, "comfort", "day_c" | "night_c" as key):
            return ("thermal_settings", "room_setpoints", "default", _COMFORT[str(key)])
        case ("thermal_settings", "room_setpoints", _, "day" | "night" as key):
            return ("thermal_settings", "room_setpoints", "default", key)
        case _:
            return None


def _parts(raw: object, *keys: str) -> dict[str, Raw]:
    """Find the objects in a mapping deep inside, leaving out what is no object."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return {k: v for k, v in raw.items() if isinstance(v, dict)} if isinstance(raw, dict) else {}


def _complete_battery(raw: Raw) -> None:
    """Let the reserve follow the lowest SOC where nobody asked for more."""
    battery = raw.get("battery")
    if isinstance(battery, dict) and "min_soc_frac" in battery:
        battery.setdefault("reserve_soc_frac", battery["min_soc_frac"])


def _complete_relays(raw: Raw) -> None:
    relays = _parts(raw, "relays")
    ratings = raw.get("room_power_ratings_kw")
    for key, rated_kw in ratings.items() if isinstance(ratings, dict) else ():
        if isinstance(power := relays.get(key, {}).setdefault("power", {}), dict):
            power["effective_kw"] = rated_kw
    for key, relay in relays.items():
        relay.setdefault("members", {key: 1.0})
        power = relay.get("power")
        if (
            isinstance(power, dict)
            and power.get("nameplate_kw") is None
            and "effective_kw" in power
        ):
            power["nameplate_kw"] = power["effective_kw"]


def _complete_rooms(raw: Raw) -> None:
    relays = _parts(raw, "relays")
    settings = raw.get("thermal_settings")
    table = settings.get("room_setpoints") if isinstance(settings, dict) else None
    for key, room in _parts(raw, "rooms").items():
        if room.get("relay") is None and room.get("actuator") != "none" and key in relays:
            room["relay"] = key
        comfort = room.setdefault("comfort", {})
        if isinstance(comfort, dict) and isinstance(settings, dict):
            if comfort.get("band_k") is None and "comfort_band_celsius" in settings:
                comfort["band_k"] = settings["comfort_band_celsius"]
            if isinstance(table, dict):
                _share_setpoints(comfort, table, key)


def _share_setpoints(comfort: Raw, table: Raw, room: str) -> None:
    """Fill a room's comfort from the table, or the table from the room's comfort."""
    default = table.get("default")
    own = table.setdefault(room, {})
    if not isinstance(own, dict) or not isinstance(default, dict):
        return
    for name, short in _COMFORT.items():
        wish = next(
            (w for w in (comfort.get(name), own.get(short), default.get(short)) if w is not None),
            None,
        )
        if comfort.get(name) is None:
            comfort[name] = wish
        if own.get(short) is None:
            own[short] = wish
