"""The grid meter: publishes what it reads and counts, and says when it is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pems_actors.actors.base import HouseActor
from pems_actors.control.energy_count import EnergyCount
from pems_actors.domain.events import EnergyTick
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import MeterReading, Quality
from pems_actors.domain.states import DeviceState, Value
from supervision import Context, Health

LOST_S = 180.0
KEEP_S = 300.0


@dataclass(frozen=True, slots=True)
class MeterMind:
    """The last good reading, and what was counted in all lives."""

    reading: MeterReading | None = None
    count: EnergyCount = field(default_factory=EnergyCount)


class MeterActor(HouseActor):
    """Its count outlives the process."""

    state: MeterMind

    def __init__(self, context: Context, publish_s: float) -> None:
        super().__init__(context)
        self.publish_s = publish_s
        self.published_s = self.kept_s = float("-inf")
        self.lost = False
        self.booted_s = self.since_s = 0.0

    def on_start(self) -> None:
        """The clock of a lost meter runs from boot on, not from the first reading."""
        super().on_start()
        self.booted_s = self.since_s = self.now_s()

    def first_state(self) -> MeterMind:
        """Go on with the count of an earlier process."""
        count = self.recall()
        return MeterMind(count=count) if isinstance(count, EnergyCount) else MeterMind()

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case EnergyTick():
                self._on_tick(message)
            case ClockJumped(by_s=by_s):
                self.booted_s += by_s
                reading = self.state.reading
                if reading is not None:
                    moved = reading._replace(at_s=reading.at_s + by_s)
                    self.state = replace(self.state, reading=moved)
            case _:
                return super().on_receive(message)
        return None

    def _on_tick(self, tick: EnergyTick) -> None:
        if tick.meter is not None and tick.meter.grid_kw is not None:
            self._count(tick.meter, tick.at_s)
        reading = self.state.reading
        heard_s = reading.at_s if reading is not None else self.booted_s
        lost = tick.at_s - heard_s > LOST_S
        if lost != self.lost:
            self.lost, self.since_s = lost, tick.at_s
            said = "meter lost: P95 base load assumed" if lost else "meter reads again"
            self.health(Health.DEGRADED if lost else Health.RUNNING, said)
            self.published_s = float("-inf")
        if tick.at_s - self.published_s >= self.publish_s:
            self.published_s = tick.at_s
            self._publish(tick.at_s)

    def _count(self, reading: MeterReading, now_s: float) -> None:
        before = self.state
        self.state = MeterMind(reading, before.count.between(before.reading, reading))
        if now_s - self.kept_s >= KEEP_S:
            self.kept_s = now_s
            self.remember(self.state.count)

    def _publish(self, now_s: float) -> None:
        reading = self.state.reading
        quality = Quality.MISSING if reading is None else Quality.GOOD
        quality = Quality.STALE if reading is not None and self.lost else quality
        age_s = now_s - reading.at_s if reading is not None else 0.0
        phases = (reading.phase_kw if reading else None) or (None, None, None)
        values = (
            ("grid_kw", Value(reading.grid_kw if reading else None, "kW", quality, age_s)),
            ("load_kw", Value(reading.load_kw if reading else None, "kW", quality, age_s)),
            *((f"l{k + 1}_kw", Value(kw, "kW", quality, age_s)) for k, kw in enumerate(phases)),
            *self._counted(),
        )
        reason = "no reading for three minutes" if self.lost else "as read"
        self.publish(DeviceState(self.path, now_s, Level.PLAN, reason, values, self.since_s))

    def _counted(self) -> tuple[tuple[str, Value], ...]:
        """Give the energies counted so far, unknown before the first reading."""
        count = self.state.count
        quality = Quality.MISSING if count.since_s is None else Quality.GOOD
        counts = {
            "import_kwh": count.import_kwh,
            "export_kwh": count.export_kwh,
            "load_kwh": count.load_kwh,
        }
        return tuple(
            (name, Value(None if count.since_s is None else round(kwh, 3), "kWh", quality))
            for name, kwh in counts.items()
        )
