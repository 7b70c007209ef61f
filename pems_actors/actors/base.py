"""What all actors of the house share: publishing a state, keeping a record, and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pems_actors.domain.events import Outcome
from pems_actors.domain.states import DeviceState
from supervision import SupervisedActor

GUARD = "safety/guard"
POWER_BUDGET = "safety/power_budget"
BATTERY = "devices/battery"
INVERTER = "devices/inverter"
METER = "devices/meter"
GATEWAY = "devices/gateway"
HISTORY = "infrastructure/history"
OUTBOX = "infrastructure/outbox"
MQTT = "infrastructure/mqtt"
CONTROL = "infrastructure/control"
METRICS = "infrastructure/metrics"
WEATHER = "forecasting/weather"
PRICES = "forecasting/prices"
PV = "forecasting/pv"
LOAD = "forecasting/load"
THERMAL = "forecasting/thermal"
ESTIMATOR = "planning/estimator"
PLANNER = "planning/planner"
PLAN_KEEPER = "planning/plan_keeper"


def room_address(room: str) -> str:
    """Address of a room's actor."""
    return f"rooms/{room}"


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows for the history: `(series, at_s, value)`."""

    rows: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A command, decision, plan or incident to be kept for good."""

    kind: str
    at_s: float
    body: Mapping[str, object]


class HouseActor(SupervisedActor):
    """A supervised actor that can publish its state and keep records."""

    def on_start(self) -> None:
        """Begin with the predecessor's state, or with a first one."""
        if self.state is None:
            self.state = self.first_state()

    def first_state(self) -> Any:
        """Make the state of an actor without a predecessor."""
        return None

    def publish(self, state: DeviceState) -> None:
        """Tell the world a device's state; the level goes into the heartbeat too."""
        self.tell(METRICS, state)
        self.tell(MQTT, state)

    def answer(self, outcome: Outcome) -> Outcome:
        """Send the one final answer to an order on its way back; also the reply of an ask."""
        self.tell(CONTROL, outcome)
        return outcome

    def keep(self, kind: str, body: Mapping[str, object]) -> None:
        """Keep a record in the history."""
        self.tell(HISTORY, Record(kind, self.now_s(), body))
