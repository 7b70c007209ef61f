"""The grid meter: publishes what it reads and says when it is lost."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import HouseActor
from pems_actors.domain.events import EnergyTick
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import MeterReading, Quality
from pems_actors.domain.states import DeviceState, Value
from supervision import Context, Health

LOST_S = 180.0


class MeterActor(HouseActor):
    """Its state is the last good reading."""

    state: MeterReading | None

    def __init__(self, context: Context, publish_s: float) -> None:
        super().__init__(context)
        self.publish_s = publish_s
        self.published_s = float("-inf")
        self.lost = False
        self.booted_s = self.since_s = 0.0

    def on_start(self) -> None:
        """The clock of a lost meter runs from boot on, not from the first reading."""
        self.booted_s = self.since_s = self.now_s()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case EnergyTick():
                self._on_tick(message)
            case ClockJumped(by_s=by_s):
                self.booted_s += by_s
                if self.state is not None:
                    self.state = self.state._replace(at_s=self.state.at_s + by_s)
            case _:
                return super().on_receive(message)
        return None

    def _on_tick(self, tick: EnergyTick) -> None:
        if tick.meter is not None and tick.meter.grid_kw is not None:
            self.state = tick.meter
        heard_s = self.state.at_s if self.state is not None else self.booted_s
        lost = tick.at_s - heard_s > LOST_S
        if lost != self.lost:
            self.lost, self.since_s = lost, tick.at_s
            said = "meter lost: P95 base load assumed" if lost else "meter reads again"
            self.health(Health.DEGRADED if lost else Health.RUNNING, said)
            self.published_s = float("-inf")
        if tick.at_s - self.published_s >= self.publish_s:
            self.published_s = tick.at_s
            self._publish(tick.at_s)

    def _publish(self, now_s: float) -> None:
        reading = self.state
        quality = Quality.MISSING if reading is None else Quality.GOOD
        quality = Quality.STALE if reading is not None and self.lost else quality
        age_s = now_s - reading.at_s if reading is not None else 0.0
        phases = (reading.phase_kw if reading else None) or (None, None, None)
        values = (
            ("grid_kw", Value(reading.grid_kw if reading else None, "kW", quality, age_s)),
            ("load_kw", Value(reading.load_kw if reading else None, "kW", quality, age_s)),
            *((f"l{k + 1}_kw", Value(kw, "kW", quality, age_s)) for k, kw in enumerate(phases)),
        )
        reason = "no reading for three minutes" if self.lost else "as read"
        self.publish(DeviceState(self.path, now_s, Level.PLAN, reason, values, self.since_s))
