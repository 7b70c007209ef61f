"""What is wrong with the world around the appliance just now: doors look here before they open.

Troubles are between the house and its brain (link, meter, feeds, store, solver); what breaks in a
device itself is in `device_faults.py`. Knows only names and how long: who begins a trouble ends it.
"""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """How a door misbehaves."""

    SENSOR_NAN = "sensor-nan"  # a room's value is no number
    SENSOR_ABSURD = "sensor-absurd"  # 85 °C, as a broken thermometer says
    METER_NAN = "meter-nan"
    SOC_LOST = "soc-lost"  # the battery answers without its state of charge
    INVERTER_SILENT = "inverter-silent"  # neither readings nor obedience
    HDO_LOST = "hdo-lost"  # nobody says whether heating is blocked
    HOUSE_SILENT = "house-silent"  # no picture of the house comes in
    HOUSE_DEAF = "house-deaf"  # no order goes out
    BROKER_DOWN = "broker-down"
    STORE_REFUSES = "store-refuses"  # disk full, database locked
    PRICES_DOWN = "prices-down"
    PRICES_MISSING = "prices-missing"
    PRICES_NAN = "prices-nan"
    PRICES_ABSURD = "prices-absurd"  # a hundred times too dear
    PRICES_STALE = "prices-stale"  # nothing new is published
    WEATHER_DOWN = "weather-down"
    WEATHER_MISSING = "weather-missing"
    WEATHER_NAN = "weather-nan"
    WEATHER_ABSURD = "weather-absurd"  # eighty kelvins too warm
    WEATHER_STALE = "weather-stale"  # the forecast of long ago
    SOLVER_SLOW = "solver-slow"  # answers, late
    SOLVER_LATE = "solver-late"  # misses its deadline
    SOLVER_LOST = "solver-lost"  # never answers at all
    SOLVER_CRASH = "solver-crash"
    SOLVER_REFUSES = "solver-refuses"
    SOLVER_NAN = "solver-nan"  # a plan full of no numbers
    SOLVER_ABSURD = "solver-absurd"  # a plan that asks for more than there is


class Troubles:
    """The troubles in force; the same one may be begun twice and ends with the last of them."""

    def __init__(self) -> None:
        self._on: dict[tuple[Trouble, str], int] = {}

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._on)

    def begin(self, trouble: Trouble, target: str) -> None:
        """Let a trouble begin at a target."""
        key = (trouble, target)
        self._on[key] = self._on.get(key, 0) + 1

    def end(self, trouble: Trouble, target: str) -> None:
        """Let one such trouble end; more of the same may be left."""
        key = (trouble, target)
        left = self._on.pop(key, 0) - 1
        if left > 0:
            self._on[key] = left

    def on(self, trouble: Trouble, target: str | None = None) -> bool:
        """Tell if a trouble is in force, at this target or (None) anywhere."""
        if not self._on:
            return False
        return any(t is trouble and target in {None, place} for t, place in self._on)
