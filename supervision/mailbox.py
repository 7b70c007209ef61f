"""A mailbox: two lanes (control before data), a bound, and a policy per message type.

`offer` never blocks. The plain `Mailbox` is for one thread (virtual runtime); `ThreadMailbox` adds
a lock and a waiting `get`. Both take the place of pykka's queue (`put`, `get`, `empty`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from enum import Enum
from typing import Any

from pykka._envelope import Envelope

from supervision.child_spec import MailboxSpec, Policy
from supervision.errors import MailboxFull, NobodyThere
from supervision.future import Reply
from supervision.messages import ORDERS, InjectFault, StopActor

PURGED = (StopActor, InjectFault)  # orders to one life, not to its successor


class Outcome(Enum):
    """What became of an offered message."""

    ACCEPTED = "accepted"
    OVERFLOWED = "overflowed"  # accepted, but an older one was dropped for it
    REFUSED = "refused"
    CLOSED = "closed"


ACCEPTED = Outcome.ACCEPTED  # by a name of its own: it is asked for at every message


class Closed:
    """What a closed mailbox gives to its reader."""


CLOSED_MAILBOX = Closed()


class Newest:
    """A place in the data lane whose message may still be replaced by a newer one."""

    __slots__ = ("key", "message")

    def __init__(self, key: Hashable, message: object) -> None:
        self.key = key
        self.message = message


def lanes_for(spec: MailboxSpec, own: Iterable[type] = ()) -> Mapping[type, Policy]:
    """Policies of a mailbox with the built-in orders added; types not in it are FIFO."""
    safety = dict.fromkeys((*ORDERS, *own), Policy.SAFETY)
    users = {kind: policy for kind, policy in spec.policies.items() if policy is not Policy.FIFO}
    return {**users, **safety}


class Mailbox:
    """Messages waiting for one life, read by one thread, written by that same thread."""

    __slots__ = ("_newest", "bound", "closed", "control", "data", "lanes")

    def __init__(self, lanes: Mapping[type, Policy], bound: int) -> None:
        self.lanes = lanes
        self.bound = bound
        self.control: deque[object] = deque()
        self.data: deque[object] = deque()
        self._newest: dict[Hashable, Newest] = {}
        self.closed = False

    def __len__(self) -> int:
        return len(self.control) + len(self.data)

    # What a teller does.

    def offer(self, message: object, reply: Reply | None = None) -> Outcome:
        """Take a message by its policy, without ever waiting."""
        if self.closed:
            return Outcome.CLOSED
        if reply is None and message.__class__ not in self.lanes and len(self.data) < self.bound:
            self.data.append(message)
            return ACCEPTED
        return self._offer_by_policy(message, reply)

    def _offer_by_policy(self, message: object, reply: Reply | None) -> Outcome:
        policy = self.lanes.get(message.__class__, Policy.FIFO)
        item: object = message if reply is None else Envelope(message, reply)
        if policy is Policy.SAFETY:
            self.control.append(item)
            return Outcome.ACCEPTED
        if policy is Policy.LATEST and reply is None:
            key = (message.__class__, getattr(message, "key", None))
            waiting = self._newest.get(key)
            if waiting is not None:
                waiting.message = message
                return Outcome.ACCEPTED
            item = self._newest[key] = Newest(key, message)
        elif policy is Policy.REJECT and len(self.data) >= self.bound:
            return Outcome.REFUSED
        self.data.append(item)
        return self._keep_bound()

    def _keep_bound(self) -> Outcome:
        """Drop the oldest droppable message if there is one too many."""
        if len(self.data) <= self.bound:
            return Outcome.ACCEPTED
        oldest = self._oldest_droppable()
        refused = oldest == len(self.data) - 1  # nothing but promises is older
        self._drop(oldest)
        return Outcome.REFUSED if refused else Outcome.OVERFLOWED

    def _oldest_droppable(self) -> int:
        """Find the oldest message that was not accepted under REJECT; a promise is kept."""
        for index, item in enumerate(self.data):
            if self.lanes.get(_message_of(item).__class__) is not Policy.REJECT:
                return index
        return len(self.data) - 1

    def _drop(self, index: int) -> None:
        item = self.data[index]
        del self.data[index]
        if isinstance(item, Newest):
            self._forget(item)
        elif isinstance(item, Envelope) and item.reply_to is not None:
            _refuse(item.reply_to, MailboxFull("the mailbox overflowed; ask again later"))

    # What the reader does.

    def take(self) -> object:
        """Remove the next item: a message, or an Envelope with a reply.

        Raises: IndexError if it is empty.
        """
        if self.control:
            return self.control.popleft()
        item = self.data.popleft()
        if isinstance(item, Newest):
            self._forget(item)
            return item.message
        return item

    def opened(self, place: Newest) -> object:
        """Take the message out of a place of the data lane; nobody may replace it any more."""
        self._forget(place)
        return place.message

    def _forget(self, item: Newest) -> None:
        if self._newest.get(item.key) is item:
            del self._newest[item.key]

    # What a supervisor does.

    def hand_over_to(self, heir: Mailbox) -> int:
        """Close, and put what was not handled before everything that waits in `heir`.

        Returns how many messages had to be dropped because both together are too many.
        """
        return heir.inherit(*self._shut())

    def _shut(self) -> tuple[list[object], list[object]]:
        self.closed = True
        control = [item for item in self.control if _message_of(item).__class__ not in PURGED]
        data = list(self.data)
        for item in self.control:
            if _message_of(item).__class__ in PURGED and isinstance(item, Envelope):
                _refuse(item.reply_to, NobodyThere("the actor ended before it could do this"))
        self.control.clear()
        self.data.clear()
        self._newest.clear()
        return control, data

    def inherit(self, control: list[object], data: list[object]) -> int:
        """Take over a predecessor's unhandled messages as the older ones; how many are dropped."""
        self.control.extendleft(reversed(control))
        self.data.extendleft(reversed(data))
        for item in data:
            if isinstance(item, Newest):
                self._newest.setdefault(item.key, item)
        too_many = max(0, len(self.data) - self.bound)
        for _ in range(too_many):
            self._drop(self._oldest_droppable())
        return too_many

    def close(self, reason: str) -> int:
        """Close for good and refuse every waiting ask; returns how many messages were lost."""
        control, data = self._shut()
        for item in (*control, *data):
            if isinstance(item, Envelope):
                _refuse(item.reply_to, NobodyThere(reason))
        return len(data)

    # What pykka does.

    def put(self, envelope: Envelope[Any], /) -> None:
        """Take pykka's envelope: the hook behind `ActorRef.tell` and `ActorRef.ask`."""
        reply = envelope.reply_to
        outcome = self.offer(envelope.message, reply)  # type: ignore[arg-type]  # our futures only
        if reply is not None and outcome in {Outcome.REFUSED, Outcome.CLOSED}:
            _refuse(reply, MailboxFull("the mailbox is full or closed"))

    def get(self) -> Envelope[Any]:
        """Give the next message in pykka's envelope."""
        item = self.take()
        return item if isinstance(item, Envelope) else Envelope(item)

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self.control and not self.data


class ThreadMailbox(Mailbox):
    """The same mailbox for many writers and one waiting reader."""

    __slots__ = ("_filled", "_lock")

    def __init__(self, lanes: Mapping[type, Policy], bound: int) -> None:
        super().__init__(lanes, bound)
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)

    def offer(self, message: object, reply: Reply | None = None) -> Outcome:
        """Take a message by its policy and wake the reader."""
        with self._lock:
            outcome = super().offer(message, reply)
            self._filled.notify()
            return outcome

    def wait_and_take(self) -> object:
        """Wait for the next item; `CLOSED_MAILBOX` once it is closed."""
        with self._lock:
            while not self.closed and not self.control and not self.data:
                self._filled.wait()
            return CLOSED_MAILBOX if self.closed else self.take()

    def _shut(self) -> tuple[list[object], list[object]]:
        with self._lock:
            self._filled.notify_all()
            return super()._shut()

    def inherit(self, control: list[object], data: list[object]) -> int:
        """Take over a predecessor's unhandled messages and wake the reader."""
        with self._lock:
            self._filled.notify()
            return super().inherit(control, data)


def _message_of(item: object) -> object:
    if isinstance(item, Envelope | Newest):
        return item.message
    return item


def _refuse(reply: Any, error: Exception) -> None:
    if isinstance(reply, Reply):
        reply.refuse(error)
    else:  # pykka's own future
        reply.set_exception((type(error), error, None))
