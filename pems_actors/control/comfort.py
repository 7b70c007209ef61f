"""The comfort band of a room over the day, and the set-point that the rules aim at.

The band's floor rises linearly over the three hours before an upward step, because a floor
heating needs them, and falls at once. Its ceiling rises with the floor and falls linearly over six
hours, because no slow house cools faster and nobody should pay for trying.
"""

from __future__ import annotations

from dataclasses import replace

from pems_actors.domain.events import HouseMode
from pems_actors.domain.house import Comfort
from pems_actors.economics.local_hours import local_hour

RAMP_H = 3.0
FALL_H = 6.0
DEEPEST_SETBACK_K = 0.8
AWAY_C = 17.0

_MODE_SHIFT_K = {HouseMode.ECONOMY: -1.0, HouseMode.COMFORT: 0.5}


def in_mode(comfort: Comfort, mode: HouseMode) -> Comfort:
    """Shift a room's comfort by the house mode; away keeps every room at 17 °C or its own less."""
    if mode is HouseMode.AWAY:
        return replace(
            comfort, day_c=min(AWAY_C, comfort.day_c), night_c=min(AWAY_C, comfort.night_c)
        )
    shift = _MODE_SHIFT_K.get(mode, 0.0)
    if not shift:
        return comfort
    return replace(comfort, day_c=comfort.day_c + shift, night_c=comfort.night_c + shift)


def is_day(comfort: Comfort, hour: float) -> bool:
    """Tell if the day set-point holds at a local hour (the day may span midnight)."""
    if comfort.day_from_h <= comfort.day_until_h:
        return comfort.day_from_h <= hour < comfort.day_until_h
    return hour >= comfort.day_from_h or hour < comfort.day_until_h


def ramped_setpoint_c(comfort: Comfort, hour: float) -> float:
    """Set-point at a local hour, rising linearly over the 3 h before the day begins."""
    if is_day(comfort, hour):
        return comfort.day_c
    to_day_h = (comfort.day_from_h - hour) % 24.0
    rise_k = comfort.day_c - comfort.night_c
    if to_day_h >= RAMP_H or rise_k <= 0.0:
        return comfort.night_c
    return comfort.night_c + rise_k * (1.0 - to_day_h / RAMP_H)


def band_c(comfort: Comfort, at_s: float, timezone: str) -> tuple[float, float]:
    """Lowest and highest wanted air temperature at an instant [°C].

    Returns: floor (rising before a step up) and ceiling (falling slowly after a step down).
    """
    hour = local_hour(at_s, timezone)
    setpoint = ramped_setpoint_c(comfort, hour)
    ceiling = max(setpoint, _cooling_c(comfort, hour))
    return setpoint - comfort.band_k, ceiling + comfort.band_k


def _cooling_c(comfort: Comfort, hour: float) -> float:
    """Follow a set-point that falls linearly over the 6 h after the day ends."""
    if is_day(comfort, hour):
        return comfort.day_c
    since_day_h = (hour - comfort.day_until_h) % 24.0
    left = max(0.0, 1.0 - since_day_h / FALL_H)
    return comfort.night_c + (comfort.day_c - comfort.night_c) * left


def rule_target_c(comfort: Comfort, hour: float, lead_h: float) -> float:
    """What the rules aim at, at a local hour: the set-point that will hold when the heat arrives.

    At night never more than 0.8 K under the day's, so that a slow floor can climb in time.
    """
    if is_day(comfort, hour):
        return comfort.day_c
    target = max(ramped_setpoint_c(comfort, hour), ramped_setpoint_c(comfort, (hour + lead_h) % 24))
    return max(target, comfort.day_c - DEEPEST_SETBACK_K)
