"""The control topics: every way in which a person's order may arrive over MQTT. Pure codec.

Bytes in, `Request` or `Rejected` out, never an exception and no I/O. The operator topics of the
first system are exact aliases and are matched before `pems/control/<path>`. What the house
publishes is in `payloads.py`; who may do what is in `orders.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from pems_actors.domain.events import Request
from pems_actors.gateways.orders import check_order, instant_s
from pems_actors.gateways.wire import (
    Rejected,
    number,
    read_json,
    read_object,
    read_text,
)

PREFIX = "pems"
LONGEST_NAME = 128
HOUSE_VOICES = frozenset({"loxone", "energy", "teplomer"})  # first words of the devices' topics


@dataclass(frozen=True, slots=True)
class Topics:
    """The house's own topic names under one prefix."""

    prefix: str = PREFIX

    @property
    def status(self) -> str:
        """Birth and last will."""
        return f"{self.prefix}/status"

    @property
    def control(self) -> str:
        """Filter that hears every order."""
        return f"{self.prefix}/control/#"

    def reply(self, path: str) -> str:
        """Where answers go if the order names no place."""
        return f"{self.prefix}/reply/{path}"

    def heating(self, relay: str) -> str:
        """Where a relay is commanded; `+` as relay hears all."""
        return f"{self.prefix}/heating/{relay}/set"

    def may_hear_answers(self, topic: str) -> bool:
        """Tell if answers may go to a topic: one without wildcards that no part of a house hears.

        An answer on a device's topic would be read as a command or as a reading.
        """
        if any(mark in topic for mark in "+#$"):
            return False
        parts = topic.split("/")
        if "control" in parts or parts[-1] == "set" or parts[0] in HOUSE_VOICES:
            return False
        ours = topic == self.prefix or topic.startswith(f"{self.prefix}/")
        return not ours or topic.startswith(f"{self.prefix}/reply/")

    def tail(self, topic: str) -> str | None:
        """Give what follows `<prefix>/control/`, or None for another topic."""
        head = f"{self.prefix}/control/"
        return topic[len(head) :] if topic.startswith(head) else None


def parse_control(
    topic: str,
    payload: bytes,
    *,
    retained: bool,
    now_s: float,
    paths: frozenset[str],
    topics: Topics = Topics(),
) -> Request | Rejected:
    """Read one order.

    `now_s` is house time, against expired orders; `paths` are the addresses of all actors, such
    as `rooms/obyvak`. The order comes out with normalised arguments, or it tells why it was not
    taken.
    """
    tail = topics.tail(topic)
    if not tail:
        return Rejected(f"{topic[:80]!r} is no control topic; use {topics.control}")
    if retained:
        return Rejected("the order is retained; publish orders without the retain flag")
    alias = _alias_of(tail, paths)
    if alias is not None:
        return _from_alias(alias, tail, payload, now_s, paths)
    return _from_contract(tail, payload, now_s, paths, topics)


def _from_contract(
    path: str, payload: bytes, now_s: float, paths: frozenset[str], topics: Topics
) -> Request | Rejected:
    body = read_object(payload)
    if isinstance(body, Rejected):
        return Rejected(body.reason, path=path)
    sender = _sender(body, path, topics)
    try:
        args, reason, expires_at_s = _content(body, sender, now_s)
    except ValueError as error:
        return _refuse(sender, str(error))
    return _checked(sender, args, reason, now_s, expires_at_s, paths)


def _content(
    body: Mapping[str, object], sender: Rejected, now_s: float
) -> tuple[dict[str, object], str, float | None]:
    """Read arguments, reason and expiry of an order; raises ValueError with a sentence."""
    if sender.id is None:
        raise ValueError("id must be a short text of your choice; the reply carries it")
    if sender.verb is None:
        raise ValueError("verb is missing; give one, such as boost")
    args = {} if body.get("args") is None else body["args"]
    reason = "" if body.get("reason") is None else body["reason"]
    if not isinstance(args, dict) or not isinstance(reason, str):
        raise ValueError("args must be an object and reason a text")  # noqa: TRY004  # all one kind
    return args, reason[:500], _expiry(body.get("expires_at"), now_s)


def _sender(body: Mapping[str, object], path: str, topics: Topics) -> Rejected:
    """Read who asks, as the skeleton of a refusal; unusable parts stay None."""
    place = _name(body.get("reply_to"))
    reply_to = place if place is not None and topics.may_hear_answers(place) else None
    return Rejected("", _name(body.get("id")), path, _name(body.get("verb")), reply_to)


def _refuse(sender: Rejected, reason: str) -> Rejected:
    return Rejected(reason, sender.id, sender.path, sender.verb, sender.reply_to)


def _checked(
    sender: Rejected,
    args: Mapping[str, object],
    reason: str,
    now_s: float,
    expires_at_s: float | None,
    paths: frozenset[str],
) -> Request | Rejected:
    path, verb = sender.path or "", sender.verb or ""
    checked = check_order(path, verb, args, paths)
    if isinstance(checked, Rejected):
        return _refuse(sender, checked.reason)
    return Request(
        sender.id or "", path, verb, checked, reason, now_s, "mqtt", sender.reply_to, expires_at_s
    )


def _name(value: object) -> str | None:
    usable = isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()
    return str(value) if usable else None


def _expiry(value: object, now_s: float) -> float | None:
    if value is None:
        return None
    try:
        expires_at_s = instant_s(value)
    except ValueError as error:
        raise ValueError(f"expires_at {error}") from error
    if expires_at_s <= now_s:
        raise ValueError("the order has expired; send it again")
    return expires_at_s


# -- the operator topics of the first system -------------------------------------------------

Order = tuple[str, str, dict[str, Any]]  # path, verb, args
Alias = Callable[[bytes], "Order | Rejected"]


def _alias_of(tail: str, paths: frozenset[str]) -> Alias | None:
    """Find the operator topic that `tail` is, exactly: a house-wide one or a known room's."""
    if tail in _HOUSE_WIDE:
        return _HOUSE_WIDE[tail]
    room, _, what = tail.partition("/")
    if what in {"override", "heating"} and f"rooms/{room}" in paths:
        return lambda payload: _room_alias(f"rooms/{room}", payload)
    return None


def _from_alias(
    alias: Alias, tail: str, payload: bytes, now_s: float, paths: frozenset[str]
) -> Request | Rejected:
    order = alias(payload)
    if isinstance(order, Rejected):
        return _refuse(order, f"{tail}: {order.reason}")
    path, verb, args = order
    # Two different orders of one moment are two; the same bytes again in it are a repetition.
    sender = Rejected("", f"operator:{tail}@{now_s:.3f}-{crc32(payload):08x}", path, verb)
    return _checked(sender, args, f"operator topic {tail}", now_s, None, paths)


def _room_alias(path: str, payload: bytes) -> Order | Rejected:
    """Read {temperature | heating | enabled, duration = 60 min} of one room."""
    body = read_object(payload)
    if isinstance(body, Rejected):
        return Rejected(body.reason, path=path)
    length = {"for": body.get("duration", 60)}
    if "temperature" in body:
        return path, "override", {"temp_c": body["temperature"], **length}
    switch = body.get("heating", body.get("enabled"))
    if switch is True:
        return path, "boost", length
    if switch is False:  # the guard still keeps frost away at the lowest set-point
        return path, "override", {"temp_c": 10.0, **length}
    return Rejected("give temperature in °C, or heating as true or false", path=path)


def _mode_alias(payload: bytes) -> Order | Rejected:
    word = _word(payload, "mode")
    return word if isinstance(word, Rejected) else ("house", "mode", {"mode": word})


def _word(payload: bytes, key: str) -> str | Rejected:
    """Read one bare word, a JSON text, or {key: word}."""
    text = read_text(payload, 256)
    if isinstance(text, Rejected):
        return text
    value = read_json(payload, 256)
    if isinstance(value, dict):
        value = value.get(key)
    return (value if isinstance(value, str) else text).strip().lower()


_BATTERY_WORDS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "auto": ("release", {}),
    "charge": ("mode", {"mode": "charge_grid"}),
    "discharge": ("mode", {"mode": "sell"}),
    "idle": ("mode", {"mode": "hold"}),
}


def _battery_mode_alias(payload: bytes) -> Order | Rejected:
    word = _word(payload, "mode")
    if isinstance(word, Rejected):
        return word
    if word not in _BATTERY_WORDS:
        return Rejected("send AUTO, CHARGE, DISCHARGE or IDLE", path="devices/battery")
    verb, args = _BATTERY_WORDS[word]
    return "devices/battery", verb, dict(args)


def _battery_power_alias(payload: bytes) -> Order | Rejected:
    """Read {power_kw (positive charges), duration = 60 min}; at most 10 kW either way."""
    body = read_object(payload)
    if isinstance(body, Rejected):
        return Rejected(body.reason, path="devices/battery")
    power_kw = number(body.get("power_kw"))
    if power_kw is None or abs(power_kw) > 10.0:
        return Rejected("power_kw must be a number from -10 to 10", path="devices/battery")
    length = {"for": body.get("duration", 60)}
    if power_kw == 0.0:
        return "devices/battery", "mode", {"mode": "hold", **length}
    mode = "charge_grid" if power_kw > 0 else "sell"
    return "devices/battery", "mode", {"mode": mode, "rate_kw": abs(power_kw), **length}


_HOUSE_WIDE: Mapping[str, Alias] = {
    "mode": _mode_alias,
    "reoptimize": lambda _payload: ("planning/planner", "replan", {}),
    "battery/mode": _battery_mode_alias,
    "battery/power": _battery_power_alias,
    "emergency_stop": lambda _payload: ("house", "mode", {"mode": "emergency"}),
}


# -- one order, one outcome ------------------------------------------------------------------


@dataclass(slots=True)
class Dedupe:
    """Remembers the ids of the last orders: QoS 1 may deliver one twice, it must act once."""

    size: int = 1000
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def first(self, order_id: str) -> bool:
        """Tell if this id is new, and remember it."""
        if order_id in self._seen:
            self._seen.move_to_end(order_id)
            return False
        self._seen[order_id] = None
        if len(self._seen) > self.size:
            self._seen.popitem(last=False)
        return True
