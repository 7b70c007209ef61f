"""What an actor tells the world about its device: published as `pems/state/<path>`."""

from __future__ import annotations

from typing import NamedTuple

from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality


class Value(NamedTuple):
    """One published figure with its unit, how good it is and how old."""

    value: float | str | bool | None
    unit: str
    quality: Quality = Quality.GOOD
    age_s: float = 0.0


class DeviceState(NamedTuple):
    """State of a room, the battery, the inverter, the meter: who decides, why, and its values."""

    path: str
    at_s: float
    level: Level
    reason: str
    values: tuple[tuple[str, Value], ...]
    since_s: float = 0.0
