"""What an outside plant says at one step, read from plain data. Pure; knows no actor and no clock.

What is absent, null or no number at all (NaN) is unknown, never zero. What makes no sense is
refused with one sentence, and a misspelt key too; what a plant says beyond that is ignored, and
told to be. Numbers and series of numpy and pandas are as good as Python's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from math import isfinite, isnan
from typing import Any, NamedTuple, TypeGuard

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, MINUTE_S, QUARTER_S, seconds

SHORTEST_S, LONGEST_S = MINUTE_S, DAY_S  # of one step of a forecast
MOST_VALUES = 20_000
ROUNDED_FRAC = 0.02  # a battery that a plant has filled so far beyond its ends is at its end
NUMBERS = ("outdoor_c", "ghi_w_m2", "pv_kw", "base_load_kw", "grid_kw", "soc_frac")
KEYS = ("seq", "time", "rooms", *NUMBERS, "hdo_blocked", "phase_kw", "weather_forecast", "prices")
SUN = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
Known = float | None


class ObservationError(ValueError):
    """An observation that cannot be taken; its text is one sentence with a way out."""


class RoomSeen(NamedTuple):
    """A room's thermometer and its relay's contact; None is unknown."""

    temp_c: Known = None
    relay_on: bool | None = None


@dataclass(frozen=True, slots=True)
class PricesSeen:
    """All-in prices per slot, in the house's currency per kWh; None where not published yet."""

    grid: TimeGrid
    import_per_kwh: tuple[Known, ...]
    export_per_kwh: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """One step of the plant. Import and discharge are positive."""

    seq: int
    at_s: float
    rooms: Mapping[str, RoomSeen] = field(default_factory=dict)
    outdoor_c: Known = None
    ghi_w_m2: Known = None
    pv_kw: Known = None
    base_load_kw: Known = None
    grid_kw: Known = None
    soc_frac: Known = None
    hdo_blocked: bool | None = None
    phase_kw: tuple[float, float, float] | None = None
    weather: WeatherForecast | None = None
    prices: PricesSeen | None = None
    ignored: tuple[str, ...] = ()  # what nobody here knows


def read_observation(body: Mapping[str, Any], rooms: Collection[str]) -> Observation:
    """Read one observation.

    Args:
        body: as the plant gave it.    rooms: the rooms that the house has.
    Raises: ObservationError with one sentence.
    """
    _mapping(body, "the observation")
    ignored = _strangers(body, KEYS, "the observation")
    at_s = _instant(body, "time", "time")
    known = {name: _number(body, name, name) for name in NUMBERS}
    known["soc_frac"] = _share(known["soc_frac"])
    return Observation(
        seq=_seq(body),
        at_s=at_s,
        rooms=_rooms(body, rooms),
        **known,
        hdo_blocked=_flag(body, "hdo_blocked", "hdo_blocked"),
        phase_kw=_phases(body),
        weather=_weather(body, at_s),
        prices=_prices(body),
        ignored=tuple(ignored),
    )


def _seq(body: Mapping[str, Any]) -> int:
    seq = _plain(body.get("seq"))
    if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
        raise ObservationError(f"seq is {_shown(seq)}; give a whole number that rises with time")
    return seq


def _rooms(body: Mapping[str, Any], rooms: Collection[str]) -> dict[str, RoomSeen]:
    given = body.get("rooms")
    if given is None:
        return {}
    _mapping(given, "rooms")
    for name in _strangers(given, rooms, "the house"):
        known = ", ".join(sorted(rooms))
        raise ObservationError(f"the house has no {_shown(name)}; known are {known}")
    return {name: _room(seen, f"rooms.{name}") for name, seen in given.items()}


def _room(seen: Any, where: str) -> RoomSeen:
    if seen is None:
        return RoomSeen()
    _mapping(seen, where)
    _strangers(seen, RoomSeen._fields, where)
    return RoomSeen(
        _number(seen, "temp_c", f"{where}.temp_c"), _flag(seen, "relay_on", f"{where}.relay_on")
    )


def _phases(body: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Read the phases; one of three that is unknown leaves the breaker to the sum."""
    given = _plain(body.get("phase_kw"))
    if given is None:
        return None
    if not _is_list(given) or len(given) not in {1, 3}:
        raise ObservationError("phase_kw must list the power of each phase, one or three [kW]")
    known = [_value(each, f"phase_kw[{k}]") for k, each in enumerate(given)]
    powers = [kw for kw in known if kw is not None]
    if len(powers) < len(known):
        return None
    return (powers[0], powers[1], powers[2]) if len(powers) == 3 else (powers[0], 0.0, 0.0)


# --- forecasts and prices


def _weather(body: Mapping[str, Any], at_s: float) -> WeatherForecast | None:
    """Read a forecast up to its first value that is missing; nothing usable is none at all."""
    given = body.get("weather_forecast")
    if given is None:
        return None
    where = "weather_forecast"
    _mapping(given, where)
    _strangers(given, ("start", "step_s", "outdoor_c", *SUN), where)
    outdoor, ghi = (_series(given, name, where) for name in ("outdoor_c", "ghi_w_m2"))
    beam = [_series(given, name, where) for name in SUN[1:] if given.get(name) is not None]
    columns = [outdoor, ghi, *(beam if len(beam) == 2 else ())]
    _same_length([outdoor, ghi, *beam], where)
    rows = _whole_rows(columns)
    if not rows:
        return None
    grid = TimeGrid.uniform(_instant(given, "start", f"{where}.start"), len(rows), _step(given))
    temps, sun, *split = zip(*rows, strict=True)
    dark = (0.0,) * len(rows)  # whoever needs beam and diffuse light splits the global one
    dni, dhi = split or (dark, dark)
    return WeatherForecast(at_s, grid, temps, sun, dni, dhi, source="plant")


def _whole_rows(columns: Sequence[tuple[Known, ...]]) -> list[tuple[float, ...]]:
    rows: list[tuple[float, ...]] = []
    for row in zip(*columns, strict=True):
        known = tuple(value for value in row if value is not None)
        if len(known) < len(row):
            break
        rows.append(known)
    return rows


def _prices(body: Mapping[str, Any]) -> PricesSeen | None:
    given = body.get("prices")
    if given is None:
        return None
    where = "prices"
    _mapping(given, where)
    _strangers(given, ("start", "step_s", "import_per_kwh", "export_per_kwh"), where)
    imports, exports = (_series(given, f"{way}_per_kwh", where) for way in ("import", "export"))
    _same_length([imports, exports], where)
    start_s, step_s = _instant(given, "start", f"{where}.start"), _step(given, where)
    if start_s % QUARTER_S or step_s % QUARTER_S:
        raise ObservationError(
            f"{where} begin at {_shown(given['start'])} in steps of {step_s:g} s; "
            "give steps of 900 s or a multiple, from a full quarter hour"
        )
    return PricesSeen(TimeGrid.uniform(start_s, len(imports), step_s), imports, exports)


def _step(given: Mapping[str, Any], where: str = "weather_forecast") -> float:
    step_s = _number(given, "step_s", f"{where}.step_s")
    if step_s is None or not SHORTEST_S <= step_s <= LONGEST_S:
        told = _shown(given.get("step_s"))
        raise ObservationError(f"{where}.step_s is {told}; give 60 to 86400 seconds")
    return step_s


def _series(given: Mapping[str, Any], name: str, where: str) -> tuple[Known, ...]:
    values = _plain(given.get(name))
    if not _is_list(values) or not 0 < len(values) <= MOST_VALUES:
        raise ObservationError(f"{where}.{name} must be a list of numbers, one for each step")
    return tuple(_value(each, f"{where}.{name}[{k}]") for k, each in enumerate(values))


def _same_length(columns: Sequence[Sequence[Known]], where: str) -> None:
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        told = " and ".join(map(str, sorted(lengths)))
        raise ObservationError(f"the lists of {where} have {told} values; give them one length")


# --- single values


def _mapping(value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        raise ObservationError(f"{where} is {_shown(value)}; give an object with named values")


def _strangers(given: Mapping[Any, Any], names: Collection[str], where: str) -> list[str]:
    """List the keys that nobody knows. Raises: ObservationError for one that looks misspelt."""
    strange = [str(key) for key in given if key not in names]
    for key in strange:
        near = get_close_matches(key, list(names), 1, 0.8)
        if near:
            raise ObservationError(f"{where} has no {_shown(key)}; did you mean {near[0]!r}")
    return strange


def _instant(given: Mapping[str, Any], name: str, where: str) -> float:
    value = given.get(name)
    try:
        return seconds(value.isoformat() if isinstance(value, datetime) else str(value))
    except (ValueError, OverflowError):
        told = _shown(value)
        raise ObservationError(
            f"{where} is {told}; write an instant in UTC, like 2023-01-16T05:00:00Z"
        ) from None


def _number(given: Mapping[str, Any], name: str, where: str) -> Known:
    return _value(given.get(name), where)


def _share(soc_frac: Known) -> Known:
    """Take a state of charge; one that rounding took beyond its end is at its end."""
    if soc_frac is None or 0.0 <= soc_frac <= 1.0:
        return soc_frac
    if not -ROUNDED_FRAC <= soc_frac <= 1.0 + ROUNDED_FRAC:
        raise ObservationError(f"soc_frac is {soc_frac:g}; give a share of the battery, 0 to 1")
    return min(max(soc_frac, 0.0), 1.0)


def _value(value: Any, where: str) -> Known:
    """Take a number; a simulator's NaN is unknown, as null is."""
    value = _plain(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ObservationError(f"{where} is {_shown(value)}; give a number, or null if unknown")
    number = float(value) if abs(value) < 1e12 or isinstance(value, float) else float("inf")
    if isnan(number):
        return None
    if not isfinite(number):
        raise ObservationError(f"{where} is without bounds; give a number, or null if unknown")
    return number


def _flag(given: Mapping[str, Any], name: str, where: str) -> bool | None:
    value = _plain(given.get(name))
    if value is not None and not isinstance(value, bool):
        raise ObservationError(f"{where} is {_shown(value)}; give true, false, or null if unknown")
    return value


def _plain(value: Any) -> Any:
    """Take a scalar or an array of numpy or pandas for what is in it."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _shown(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 40 else f"{told[:37]}..."
