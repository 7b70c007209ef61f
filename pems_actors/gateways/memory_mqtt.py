"""A broker's client without a broker: keeps what was published, for simulation and tests.

Like the real client it remembers the newest of every retained topic while the broker is away, and
tells all of them when it is back; other messages wait in a bounded queue, or are dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from pems_actors.gateways.mqtt_queues import Incoming, Outbox
from pems_actors.gateways.wire import Message

OUTBOX = 1000


class MemoryMqtt:
    """The newest message per topic at the broker, and a count of each.

    `up` tells if the broker is there and may be turned by hand; `say` speaks as a stranger would.
    """

    def __init__(self) -> None:
        self.newest: dict[str, Message] = {}
        self.counts: Counter[str] = Counter()
        self.counters: Counter[str] = Counter()
        self.on_message: Callable[[Any], None] | None = None
        self._outbox = Outbox(OUTBOX)
        self._up = True

    @property
    def up(self) -> bool:
        """Whether the broker is there."""
        return self._up

    @up.setter
    def up(self, up: bool) -> None:
        came_back, self._up = up and not self._up, up
        if came_back:
            self._outbox.tell_all()
            self._send()
        elif not up:
            self.counters["dropped_out"] += self._outbox.drop_orders()

    def forget(self) -> None:
        """Let the broker lose its memory, as one that was restarted empty."""
        self.newest.clear()

    def connect(self, on_message: Callable[[Any], None]) -> MemoryMqtt:
        """Take the place of a real connection."""
        self.on_message = on_message
        return self

    def start(self) -> None:
        """Nothing to connect to."""

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Send a message, or keep it for the broker's return; False if it was dropped."""
        if not (self._up or keep or message.retain):
            self.counters["dropped_out"] += 1
            return False
        self.counters["dropped_out"] += self._outbox.put(message, keep=keep)
        if self._up:
            self._send()
        return True

    def _send(self) -> None:
        while self._outbox:
            message, _ = self._outbox.take()
            self.newest[message.topic] = message
            self.counts[message.topic] += 1

    def connected(self) -> bool:
        """Tell if the broker is there."""
        return self._up

    def close(self) -> None:
        """Nothing to let go of."""

    def count(self, topic: str) -> int:
        """How many messages a topic got."""
        return self.counts[topic]

    def say(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Deliver a message to the owner of this connection."""
        if self.on_message is not None:
            self.on_message(Incoming(topic, payload, retained))
