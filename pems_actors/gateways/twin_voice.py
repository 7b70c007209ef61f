"""The simulated house as it sounds on MQTT: a plant, its Miniserver and its inverter gateway.

No I/O and no clock: messages and house time in, messages out. The plant obeys leases by itself;
the inverter's registers never expire, as real ones do not, so they are asked anew every minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from pems_actors.domain.commands import DeviceCommand
from pems_actors.domain.house import House
from pems_actors.domain.readings import HouseReading
from pems_actors.gateways import flexible_topics, loxone
from pems_actors.gateways import growatt_registers as registers
from pems_actors.gateways.growatt import Effective, Growatt
from pems_actors.gateways.growatt_registers import Answer, Registers, Slot
from pems_actors.gateways.growatt_twin import Counters, SimulatedGrowatt, telemetry
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message, Rejected, json_text

MINUTE_S = 60.0
TOPICS = Topics()


class Plant(Protocol):
    """A house of equations that is moved through time by hand; the twin is one."""

    def step_to(self, at_s: float) -> None:
        """Let time pass until an instant."""

    def apply(self, command: DeviceCommand) -> None:
        """Take a command; it ends with its lease."""

    def reading(self) -> HouseReading:
        """Give what the sensors say now."""


@dataclass(slots=True)
class TwinVoice:
    """One simulated house. `rejected` is why the last message was not taken."""

    house: House
    plant: Plant
    at_s: float
    inverter: SimulatedGrowatt
    counters: Counters = field(default_factory=Counters)
    topics: Topics = TOPICS
    rejected: str = ""
    _effective: tuple[Effective, bool | None] | None = None

    @classmethod
    def of(cls, house: House, plant: Plant, at_s: float, topics: Topics = TOPICS) -> TwinVoice:
        """Give a plant the voice of its house, with the inverter as it leaves the factory."""
        return cls(house, plant, at_s, SimulatedGrowatt(Growatt.of(house)), topics=topics)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Topics to hear."""
        usual = (self.topics.heating("+"), f"{registers.COMMANDS}/#")
        loads = (flexible_topics.order_topic("+", self.topics),) if self.house.loads else ()
        return (*usual, *loads)

    def advance(self, at_s: float) -> None:
        """Let house time pass, minute by minute, so that the inverter's slots begin and end."""
        while self.at_s < at_s:
            self._obey_registers()
            self.at_s = min(at_s, (self.at_s // MINUTE_S + 1.0) * MINUTE_S)
            self.plant.step_to(self.at_s)

    def _obey_registers(self) -> None:
        battery = self.plant.reading().battery
        soc_frac = None if battery is None else battery.soc_frac
        now = self.inverter.effective(self.at_s, soc_frac), self.inverter.held.export
        if now == self._effective:
            return
        for command in self.inverter.commands(self.at_s, soc_frac):
            self.plant.apply(command)
        self._effective = now

    def tell(self) -> tuple[Message, ...]:
        """Give what the house publishes every minute; the Miniserver's picture comes last."""
        reading = self.plant.reading()
        solar = telemetry(reading, self.counters, self.inverter.device)
        messages = [Message(registers.TELEMETRY, json_text(solar))]
        if reading.outdoor is not None and reading.outdoor.temp_c is not None:
            messages.append(Message(loxone.OUTDOOR, f"{reading.outdoor.temp_c:.2f}"))
        messages += [flexible_topics.status_message(load) for load in reading.loads]
        return (*messages, loxone.status_message(reading))

    def hear(
        self, topic: str, payload: bytes, *, retained: bool, at_s: float
    ) -> tuple[Message, ...]:
        """Carry out one command at house time `at_s`, and give the answers."""
        self.advance(at_s)
        if topic.startswith(f"{registers.COMMANDS}/"):
            if retained:
                self.rejected = f"{topic}: retained"
                return ()
            answer = self.inverter.apply(topic, payload, self.at_s)
            self._obey_registers()
            return (result_message(answer),)
        if self.house.loads and topic.endswith("/set") and "/load/" in topic:
            return self._hear_load(topic, payload, retained=retained)
        return self._hear_heating(topic, payload, retained=retained)

    def _hear_load(self, topic: str, payload: bytes, *, retained: bool) -> tuple[Message, ...]:
        order = flexible_topics.read_order(
            topic, payload, retained=retained, now_s=self.at_s, topics=self.topics
        )
        if isinstance(order, Rejected):
            self.rejected = f"{topic[:80]}: {order.reason}"
            return ()
        if order.load not in {load.name for load in self.house.loads}:
            self.rejected = f"{topic[:80]}: no such load"
            return ()
        self.plant.apply(order)
        said = [r for r in self.plant.reading().loads if r.load == order.load]
        return tuple(map(flexible_topics.status_message, said))

    def _hear_heating(self, topic: str, payload: bytes, *, retained: bool) -> tuple[Message, ...]:
        order = loxone.read_heating(
            topic, payload, retained=retained, now_s=self.at_s, topics=self.topics
        )
        known = {relay.name: relay for relay in self.house.relays}
        if isinstance(order, Rejected):
            self.rejected = f"{topic[:80]}: {order.reason}"
            return ()
        if order.relay not in known:
            self.rejected = f"{topic[:80]}: no such relay"
            return ()
        self.plant.apply(order)
        rooms = {room.room: room for room in self.plant.reading().rooms}
        room = rooms.get(order.relay)
        on = order.on if room is None or room.relay_on is None else room.relay_on
        power_kw = known[order.relay].power_kw if on else 0.0
        temp_c = None if room is None else room.temp_c
        status = loxone.RelayStatus(order.relay, on, self.at_s, power_kw, temp_c)
        return (loxone.relay_status_message(status, self.at_s),)

    # -- what survives a restart of the simulation ---------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Give the state of the gateways as plain data (the plant has its own)."""
        return {
            "at_s": self.at_s,
            "held": asdict(self.inverter.held),
            "drift_s": self.inverter.drift_s,
            "counters": asdict(self.counters),
        }

    def restore(self, body: Mapping[str, Any]) -> None:
        """Take up a snapshot.

        Raises: KeyError, TypeError or ValueError if it is none.
        """
        held = dict(body["held"])
        for slot in ("battery_slot", "grid_slot"):
            held[slot] = None if held[slot] is None else Slot(**held[slot])
        self.inverter.held = Registers(**held)
        self.inverter.drift_s = float(body["drift_s"])
        self.counters = Counters(**body["counters"])
        self.at_s = float(body["at_s"])
        self._effective = None


def result_message(answer: Answer) -> Message:
    """Make the answer of the inverter's gateway to one command."""
    body: dict[str, Any] = {
        "command": answer.command,
        "success": answer.success,
        "message": answer.message,
    }
    if answer.value is not None:
        body["value"] = answer.value
    return Message(registers.RESULTS, json_text(body))
