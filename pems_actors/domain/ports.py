"""The doors of the house, as protocols. Every door has one contract suite in `tests/contracts`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pems_actors.domain.commands import DeviceCommand
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.time_grid import TimeGrid

OnReading = Callable[[HouseReading], None]


class House(Protocol):
    """A house that can be read and commanded: the twin, or the real one over MQTT."""

    def subscribe(self, on_reading: OnReading) -> None:
        """Call `on_reading` with each new picture of the house, from any thread."""

    def apply(self, command: DeviceCommand) -> None:
        """Hand a command to the device. Never blocks; only the write gate calls it."""

    def close(self) -> None:
        """Stop reading and let go of connections."""


class Sample(Protocol):
    """One value of a series."""

    series: str
    at_s: float
    value: float


class History(Protocol):
    """What was: measurements and records, with the same answers from every store."""

    def append(self, samples: Sequence[tuple[str, float, float]]) -> None:
        """Store `(series, at_s, value)` rows; the same series and time again replaces."""

    def record(self, kind: str, at_s: float, body: str) -> None:
        """Store one command, decision, plan or incident as JSON text, durably."""

    def range(
        self, series: str, start_s: float, end_s: float, step_s: float | None = None
    ) -> list[tuple[float, float]]:
        """Read `(at_s, value)` of `[start_s, end_s)`; means per step, stamped at step starts."""

    def last(self, series: str) -> tuple[float, float] | None:
        """Read the newest row of a series."""

    def records(self, kind: str, start_s: float, end_s: float) -> list[tuple[float, str]]:
        """Read the records of one kind in `[start_s, end_s)`."""

    def problem(self) -> str:
        """Say in a sentence what keeps the store from writing; empty if nothing does."""

    def close(self) -> None:
        """Commit what is open and let go of the store."""


class PriceSource(Protocol):
    """Day-ahead spot prices."""

    def spot_eur_mwh(self, grid: TimeGrid, now_s: float) -> tuple[float | None, ...]:
        """Read the published price per slot; None where not (yet) published at `now_s`."""


class WeatherSource(Protocol):
    """Weather forecasts as a provider would issue them."""

    def forecast(self, grid: TimeGrid, now_s: float) -> WeatherForecast | None:
        """Read the forecast issued at `now_s`, or None if the source has none."""
