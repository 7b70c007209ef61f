"""What waits on an MQTT connection, on its way in and on its way out. No threads, no clock.

Both are bounded, whatever strangers send and however slow the broker is. Of a retained topic only
the newest message waits, so that no flood and no outage can lose the last word on it; of all
others the oldest give way. Orders that must not be late do not outlive their connection.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pems_actors.gateways.wire import Message

INBOX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came: bytes of a stranger."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(slots=True)
class Inbox:
    """What came and was not handled yet. News of the link come first and are never dropped."""

    most: int
    most_bytes: int = INBOX_BYTES
    _links: deque[bool] = field(default_factory=deque)
    _messages: deque[Incoming] = field(default_factory=deque)
    _bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self._links or self._messages)

    def put(self, message: Incoming) -> int:
        """Take a message; returns how many older ones gave way."""
        self._messages.append(message)
        self._bytes += len(message.payload)
        dropped = 0
        while len(self._messages) > self.most or self._bytes > self.most_bytes:
            self._bytes -= len(self._messages.popleft().payload)
            dropped += 1
        return dropped

    def link(self, *, up: bool) -> None:
        """Take the news that the link is up or lost."""
        self._links.append(up)

    def take(self) -> Incoming | bool:
        """Give what is next. Raises: IndexError if nothing waits."""
        if self._links:
            return self._links.popleft()
        message = self._messages.popleft()
        self._bytes -= len(message.payload)
        return message


@dataclass(slots=True)
class Outbox:
    """What is to be sent, in its order, and the newest of every retained topic, sent or not."""

    most: int
    _serial: int = 0
    _retained: dict[str, Message] = field(default_factory=dict)
    _unsent: dict[str, tuple[int, Message]] = field(default_factory=dict)
    _others: deque[tuple[int, Message, bool]] = field(default_factory=deque)  # serial, ..., keep

    def __bool__(self) -> bool:
        return bool(self._unsent or self._others)

    def put(self, message: Message, *, keep: bool) -> int:
        """Take a message; returns how many older ones gave way."""
        self._serial += 1
        if message.retain:
            self._retained[message.topic] = message
            self._unsent.pop(message.topic, None)  # the newest waits in its own place
            self._unsent[message.topic] = (self._serial, message)
            return 0
        self._others.append((self._serial, message, keep))
        if len(self._others) <= self.most:
            return 0
        self._others.popleft()
        return 1

    def take(self) -> tuple[Message, bool]:
        """Give what was put first, and if it is to be kept without a link.

        Order matters: whoever hears a house's picture may rely on what was told before it.
        Raises: IndexError if nothing waits.
        """
        for topic, (serial, message) in self._unsent.items():
            if not self._others or serial < self._others[0][0]:
                del self._unsent[topic]
                return message, True
            break
        _, message, keep = self._others.popleft()
        return message, keep

    def tell_all(self) -> None:
        """Tell the newest of everything again: the broker may have lost its memory."""
        waiting = {topic: self._unsent.get(topic, (0, m)) for topic, m in self._retained.items()}
        self._unsent = dict(sorted(waiting.items(), key=lambda item: item[1][0]))

    def drop_orders(self) -> int:
        """Drop what must not be late; returns how many."""
        kept = deque(each for each in self._others if each[2])
        dropped = len(self._others) - len(kept)
        self._others = kept
        return dropped
