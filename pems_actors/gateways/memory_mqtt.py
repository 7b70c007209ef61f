"""A broker's client without a broker: keeps what was published, for simulation and tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pems_actors.gateways.mqtt_client import Incoming
from pems_actors.gateways.wire import Message


@dataclass
class MemoryMqtt:
    """The newest message per topic and a count of each; `say` speaks as a stranger would."""

    newest: dict[str, Message] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    on_message: Callable[[Any], None] | None = None
    up: bool = True

    def connect(self, on_message: Callable[[Any], None]) -> MemoryMqtt:
        """Take the place of a real connection."""
        self.on_message = on_message
        return self

    def start(self) -> None:
        """Nothing to connect to."""

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Keep the message; while the broker is away only retained ones are."""
        if not self.up and not (keep and message.retain):
            return False
        self.newest[message.topic] = message
        self.counts[message.topic] += 1
        return True

    def connected(self) -> bool:
        """Tell if the broker is there."""
        return self.up

    def close(self) -> None:
        """Nothing to let go of."""

    def count(self, topic: str) -> int:
        """How many messages a topic got."""
        return self.counts[topic]

    def say(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Deliver a message to the owner of this connection."""
        if self.on_message is not None:
            self.on_message(Incoming(topic, payload, retained))
