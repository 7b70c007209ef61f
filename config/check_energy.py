"""What must hold of pace, comfort, battery, tariff, limits and planning, as findings.

The other half of `checks.py`, in the same form: a function over valid models, with the sections it
reads. Hours are local hours of a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from config.energy import Tariff
from config.problems import Finding, shown, unknown
from config.shape import Steps
from config.system import SystemConfig

RISING = (
    "frost_c",
    "frost_predicted_c",
    "building_floor_c",
    "alarm_c",
    "ceiling_c",
    "floor_surface_c",
    "bath_surface_c",
)


def pace(system: SystemConfig) -> Iterator[Finding]:
    """Control runs at least as often as optimisation."""
    part = system.system
    if part.control_interval_seconds > part.optimization_interval_seconds:
        says = (
            f"is {part.control_interval_seconds}, above optimization_interval_seconds"
            f" {part.optimization_interval_seconds}; give 60 up to that"
        )
        yield Finding(("system", "control_interval_seconds"), says)


def timezone(system: SystemConfig) -> Iterator[Finding]:
    """The time zone is known to this machine."""
    name = system.system.site.timezone
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        says = unknown(name, sorted(available_timezones()), one_of="zones are")
        yield Finding(("system", "site", "timezone"), f"is {shown(name)}, which {says}")


def default_setpoint(system: SystemConfig) -> Iterator[Finding]:
    """There is a whole default pair, and the table names only rooms."""
    table = system.thermal_settings.room_setpoints
    path = ("thermal_settings", "room_setpoints")
    default = table.get("default")
    if default is None or default.day is None or default.night is None:
        yield Finding((*path, "default"), 'is missing; give {"day": 21.0, "night": 19.0}')
    for key in table:
        if key != "default" and key not in system.rooms:
            yield Finding((*path, key), unknown(key, tuple(system.rooms), one_of="rooms are"))


def comfort(system: SystemConfig) -> Iterator[Finding]:
    """Days are not colder than nights, wishes lie inside the limits, and hours make a day."""
    limits = system.limits
    for key, room in system.rooms.items():
        wish, path = room.comfort, ("rooms", key, "comfort")
        if wish.day_c is None or wish.night_c is None:
            continue
        if wish.night_c > wish.day_c:
            says = (
                f"is {wish.night_c:g}, above the day's {wish.day_c:g}; give a night up to the day"
            )
            yield Finding((*path, "night_c"), says)
        if wish.day_c > limits.ceiling_c:
            says = f"is {wish.day_c:g}, above ceiling_c {limits.ceiling_c:g}; give less"
            yield Finding((*path, "day_c"), says)
        if wish.night_c < limits.building_floor_c:
            floor_c = limits.building_floor_c
            says = f"is {wish.night_c:g}, below building_floor_c {floor_c:g}; give more"
            yield Finding((*path, "night_c"), says)
        if wish.day_from_h >= wish.day_until_h:
            says = f"is {wish.day_from_h:g}, not before day_until_h {wish.day_until_h:g}; give less"
            yield Finding((*path, "day_from_h"), says)


def said_twice(system: SystemConfig) -> Iterator[Finding]:
    """A set-point that is written in both of its places is the same in both."""
    table = system.thermal_settings.room_setpoints
    for key, room in system.rooms.items():
        pair = table[key]
        both = (
            ("day_c", room.comfort.day_c, pair.day),
            ("night_c", room.comfort.night_c, pair.night),
        )
        for name, here, there in both:
            if here != there:
                says = (
                    f"is {shown(here)} but thermal_settings.room_setpoints.{key} says"
                    f" {shown(there)}; write it in one place"
                )
                yield Finding(("rooms", key, "comfort", name), says)


def battery(system: SystemConfig) -> Iterator[Finding]:
    """The SOC window is open, the reserve in it, and the power at most 5 C."""
    part = system.battery
    if part.min_soc_frac >= part.max_soc_frac:
        says = f"is {part.min_soc_frac:g}, not below max_soc_frac {part.max_soc_frac:g}; give less"
        yield Finding(("battery", "min_soc_frac"), f"{says}, usually 0.1")
    elif not part.min_soc_frac <= part.reserve_soc_frac <= part.max_soc_frac:
        window = f"{part.min_soc_frac:g} to {part.max_soc_frac:g}"
        says = f"is {part.reserve_soc_frac:g}, outside the SOC window; give {window}"
        yield Finding(("battery", "reserve_soc_frac"), says)
    most_kw = 5 * part.capacity_kwh
    for name in ("max_power_kw", "max_charge_kw", "max_discharge_kw"):
        power_kw = getattr(part, name)
        if part.installed and power_kw is not None and power_kw > most_kw:
            says = f"is {power_kw:g}, above 5 C of {part.capacity_kwh:g} kWh"
            yield Finding(("battery", name), f"{says}; give up to {most_kw:g}, usually 0.5 C")


def spans(system: SystemConfig) -> Iterator[Finding]:
    """Every span of hours ends after it starts."""
    bands = system.tariff.bands.items()
    lists: list[tuple[Steps, tuple[tuple[float, float], ...]]] = [
        (("tariff", "bands", name, "hours"), band.hours) for name, band in bands
    ]
    for path, hours in [*lists, (("tariff", "blocks"), system.tariff.blocks)]:
        for start, end in hours:
            if start >= end:
                says = f"hold [{start:g}, {end:g}]; give the earlier hour first, like [10, 11]"
                yield Finding(path, f"{says}, and split a span at midnight")


def whole_day(system: SystemConfig) -> Iterator[Finding]:
    """The bands cover the day without a hole and without two prices for one hour."""
    path = ("tariff", "bands")
    names = " or ".join(system.tariff.bands)
    for start, end, first, second in _seams(system.tariff):
        if start < end:
            says = f"leave {start:g} to {end:g} h without a price; add these hours to {names}"
            yield Finding(path, says)
        elif start > end:
            says = f"{first} and {second} both hold {end:g} to {start:g} h; take it from one"
            yield Finding(path, says)


def _seams(tariff: Tariff) -> Iterator[tuple[float, float, str, str]]:
    """List where one span ends and the next starts, with their bands."""
    held = sorted((a, b, name) for name, band in tariff.bands.items() for a, b in band.hours)
    day = [(0.0, 0.0, ""), *((a, b, name) for a, b, name in held if a < b), (24.0, 24.0, "")]
    for (_, end, first), (start, _, second) in pairwise(day):
        yield end, start, first, second


def blocked_bands(system: SystemConfig) -> Iterator[Finding]:
    """Heating is blocked in bands that exist, and not all day."""
    tariff = system.tariff
    path = ("tariff", "heating_blocked_in")
    for name in tariff.heating_blocked_in:
        if name not in tariff.bands:
            says = unknown(name, tuple(tariff.bands), one_of="bands are")
            yield Finding(path, f"names {name}, which {says}")
    if set(tariff.heating_blocked_in) >= set(tariff.bands):
        yield Finding(path, "names every band, so nothing could ever heat; leave one free")


def limits(system: SystemConfig) -> Iterator[Finding]:
    """The temperatures of the guards rise from frost to the floor of a bath."""
    for lower, upper in pairwise(RISING):
        low_c, high_c = getattr(system.limits, lower), getattr(system.limits, upper)
        if low_c > high_c:
            says = f"is {low_c:g}, above {upper} {high_c:g}; give at most that"
            yield Finding(("limits", lower), says)


def planning(system: SystemConfig) -> Iterator[Finding]:
    """Control hours that somebody gave lie within the horizon, and some weight is above 0."""
    part = system.optimization
    given = "control_hours" in part.model_fields_set
    if given and part.control_hours > part.horizon_hours:
        says = f"is {part.control_hours}, above horizon_hours {part.horizon_hours}; give up to that"
        yield Finding(("optimization", "control_hours"), says)
    if not any(part.weights.model_dump().values()):
        yield Finding(("optimization", "weights"), "are all 0; give one above 0, usually cost 1.0")


def quantiles(system: SystemConfig) -> Iterator[Finding]:
    """Confidence levels rise."""
    levels = system.models.pv.confidence_levels
    if any(b <= a for a, b in pairwise(levels)):
        says = f"is {shown(levels)}; give rising levels, like [0.1, 0.5, 0.9]"
        yield Finding(("models", "pv", "confidence_levels"), says)


CHECKS: tuple[tuple[tuple[str, ...], Callable[[SystemConfig], Iterable[Finding]]], ...] = (
    (("system",), pace),
    (("system",), timezone),
    (("rooms", "thermal_settings"), default_setpoint),
    (("rooms", "limits"), comfort),
    (("rooms", "thermal_settings"), said_twice),
    (("battery",), battery),
    (("tariff",), spans),
    (("tariff",), whole_day),
    (("tariff",), blocked_bands),
    (("limits",), limits),
    (("optimization",), planning),
    (("models",), quantiles),
)
