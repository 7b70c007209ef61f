"""The real house: a `House` over MQTT, the Miniserver for heating and the inverter for the rest.

What is said and meant is decided in pure files beside this one (`mqtt_picture`, `growatt_sender`,
`loxone`); here are the connection and the one thread that gives a reading per control tick and
sends register writes a second apart. It has its own connection to the broker, so that it lives on
when the house's publishing is parked. House time may run faster than the clock on the wall;
pauses between writes are real ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from pems_actors.domain.commands import DeviceCommand, SetHeating, SetLoad
from pems_actors.domain.house import House
from pems_actors.domain.levels import Level
from pems_actors.domain.ports import OnReading
from pems_actors.domain.readings import HouseReading
from pems_actors.gateways import flexible_topics, loxone, mqtt_picture
from pems_actors.gateways import growatt_registers as registers
from pems_actors.gateways.growatt import Growatt
from pems_actors.gateways.growatt_registers import Write, read_answer
from pems_actors.gateways.growatt_sender import GrowattSender, Outgoing
from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.mqtt_picture import MqttPicture
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message, Rejected
from pems_actors.gateways.write_budget import WriteBudget

TOPICS = Topics()
LOOK_S = 0.25  # how often house time is looked at, real seconds


class Journal(Protocol):
    """Where the clean-up of register writes is noted before they go out."""

    def note(self, cleanup: tuple[Write, ...]) -> None:
        """Remember what must be undone, durably."""


class MqttHouse:
    """`domain.ports.House` over one broker.

    Args:
        house: which rooms and relays there are.    settings: the broker; each house connection
        needs its own client id and status topic.    now_s: house time.
        tick_s: how often a reading is told.
        journal: keeps the inverter's clean-up; without one nothing survives a crash.
        budget: counts register writes; without one those of this life only.
    """

    def __init__(
        self,
        house: House,
        settings: MqttSettings,
        now_s: Callable[[], float],
        *,
        tick_s: float = 60.0,
        journal: Journal | None = None,
        topics: Topics = TOPICS,
        device: Growatt | None = None,
        budget: WriteBudget | None = None,
    ) -> None:
        self._now_s, self._tick_s, self._topics, self._journal = now_s, tick_s, topics, journal
        device = device or Growatt.of(house)
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._picture = MqttPicture(house, device)
        self._budget = budget or WriteBudget(house.inverter.max_writes_per_day)
        self._sender = GrowattSender(device, budget=self._budget)
        self._listener: OnReading | None = None
        self._told_s = now_s()
        self._told_status_s: float | None = None
        self._closing = False
        self._problem = ""
        self._errors = 0
        self.client = MqttClient(settings, mqtt_picture.topics_of(house), self._hear, self._link)
        self._thread = threading.Thread(target=self._run, name="mqtt-house", daemon=True)

    # -- the port ------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect and to tell readings; returns at once."""
        self.client.start()
        self._thread.start()

    def subscribe(self, on_reading: OnReading) -> None:
        """Call `on_reading` with each new picture, from this house's own thread.

        There is one listener: a second one replaces the first, as a restarted actor its forerunner.
        """
        with self._lock:
            self._listener = on_reading
            self._wake.notify()

    def apply(self, command: DeviceCommand) -> None:
        """Hand a command to its device; never blocks.

        A heating order is dropped while the broker is away (it would come late, and its renewal
        comes soon), but not one that gives the relay back, the last of all; an inverter command
        waits for as long as its lease runs.
        """
        if isinstance(command, SetHeating):
            message, last = (
                loxone.heating_message(command, self._topics),
                command.level is Level.NATIVE,
            )
            self.client.publish(message, keep=last)
            return
        if isinstance(command, SetLoad):
            self.client.publish(flexible_topics.order_message(command, self._topics), keep=False)
            return
        with self._lock:
            self._sender.submit(command)
            self._wake.notify()

    def close(self) -> None:
        """Stop reading and let go of the connection."""
        with self._lock:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        self.client.close()

    # -- how it does ---------------------------------------------------------------------------

    def alive(self) -> bool:
        """Tell if all threads of this house get on with their work."""
        return self._thread.is_alive() and self.client.alive()

    def idle(self) -> bool:
        """Tell if every command to the inverter has been carried out or given up."""
        with self._lock:
            return self._sender.due_in_s(0.0) is None

    @property
    def problem(self) -> str:
        """Why the house does not follow, or empty."""
        if not self.client.connected():
            return "no connection to the MQTT broker; check host, port and that it runs"
        return self._problem or self._sender.problem

    def counters(self) -> dict[str, int]:
        """Count what came, what was refused and what was written."""
        own = {"refused": self._picture.counters["refused"], "writes": self._sender.writes_sent}
        failed = {"write_failures": self._sender.failures, "errors": self._errors}
        return {**self.client.counters, **own, **failed}

    # -- hearing (the client's handler thread) -------------------------------------------------

    def _hear(self, message: Incoming) -> None:
        now_s = self._now_s()
        with self._lock:
            if message.topic == registers.RESULTS:
                answer = read_answer(message.payload)
                if not isinstance(answer, Rejected) and not message.retained:
                    self._sender.answered(answer, time.monotonic(), now_s)
                    self._picture.device = self._sender.device
            elif self._picture.hear(
                message.topic, message.payload, retained=message.retained, now_s=now_s
            ):
                self._sender.soc_frac = self._picture.soc_frac
            self._wake.notify()

    def _link(self, connected: bool) -> None:
        """Doubt the inverter's registers after an absence: somebody may have changed them."""
        with self._lock:
            if not connected:
                self._sender.forget()
            self._wake.notify()

    # -- telling and writing (own thread) ------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            try:
                self._turn()
            except Exception as error:  # this thread must live as long as the house
                self._errors += 1
                self._problem = f"{type(error).__name__}: {error}"[:300]
                with self._lock:
                    self._wake.wait(LOOK_S)

    def _turn(self) -> None:
        """Do what is due now, or sleep until something may be."""
        with self._lock:
            reading, out = self._due_reading(), self._due_write()
            held, listener = self._sender.settled_cleanup(), self._listener
            if reading is None and out is None and not self._closing:
                self._wake.wait(self._pause_s())
        self._note(held)
        self._budget.save()
        if out is not None and self._note(out.cleanup):
            self.client.publish(Message(out.topic, out.payload), keep=False)
        if reading is not None and listener is not None:
            listener(reading)

    def _due_reading(self) -> HouseReading | None:
        """Give a reading once per tick, right after the Miniserver has spoken.

        If it stays silent for half a tick longer, the picture is told without it: the rest may be
        news, and what is old shows its age. Before somebody listens nothing is due: the first
        picture after a start must not be told to nobody.
        """
        if self._listener is None:
            return None
        now_s, said_s = self._now_s(), self._picture.status_at_s
        silent_s = now_s - self._told_s
        late = not 0.0 <= silent_s < 1.5 * self._tick_s
        if not late and not _is_next(said_s, self._told_status_s, self._tick_s):
            return None
        self._told_s, self._told_status_s = now_s, said_s
        settling = self._sender.settling
        return self._picture.reading(now_s, self._sender.known, settling=settling)

    def _due_write(self) -> Outgoing | None:
        if not self.client.connected():
            return None
        return self._sender.step(time.monotonic(), self._now_s())

    def _pause_s(self) -> float:
        """Sleep until the next write, or until house time is to be looked at."""
        due_s = self._sender.due_in_s(time.monotonic())
        return LOOK_S if due_s is None else min(LOOK_S, max(0.005, due_s))

    def _note(self, cleanup: tuple[Write, ...] | None) -> bool:
        """Journal a clean-up; False if the disk did not take it (then nothing is written)."""
        if self._journal is None or cleanup is None:
            return True
        try:
            self._journal.note(cleanup)
        except OSError as error:
            self._problem = f"the inverter's clean-up cannot be noted: {error}"
            return False
        self._problem = ""
        return True


def _is_next(said_s: float | None, told_s: float | None, tick_s: float) -> bool:
    """Tell if the Miniserver's newest status belongs to another tick than the last told one."""
    if said_s is None or told_s is None:
        return said_s is not None
    return not 0.0 <= said_s - told_s < 0.75 * tick_s
