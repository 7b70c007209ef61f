"""What flexible loads say and hear over MQTT. Pure codec.

| topic | retained | payload |
|---|---|---|
| `<prefix>/load/<name>/set` | never | `{load, state: "on" or "off", duration (min), reason, level, lease_until, timestamp}` |
| `loxone/load/<name>/status` | may be | `{power (kW), ready, temperature, timestamp}` |

`off` opens the contact that lets the load draw; when the lease has ended, it is closed again.
`ready` says that a car is plugged in; null, or not there, is unknown.
"""  # noqa: E501 - a table has no shorter lines

from __future__ import annotations

import math
from datetime import UTC, tzinfo

from pems_actors.domain.commands import SetLoad
from pems_actors.domain.flexible_load import LoadReading
from pems_actors.domain.levels import Level
from pems_actors.domain.units import iso
from pems_actors.gateways.loxone import LONGEST_LEASE_S, read_time
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message, Rejected, json_text, number, read_object

TOPICS = Topics()


def order_topic(load: str, topics: Topics = TOPICS) -> str:
    """Where a load is told; `+` hears all."""
    return f"{topics.prefix}/load/{load}/set"


def status_topic(load: str) -> str:
    """Where a load is read; `+` hears all."""
    return f"loxone/load/{load}/status"


def order_message(command: SetLoad, topics: Topics = TOPICS) -> Message:
    """Make the order to one load. `duration` is the lease in minutes, rounded up."""
    body = {
        "load": command.load,
        "state": "on" if command.on else "off",
        "duration": max(0, math.ceil((command.lease_until_s - command.at_s) / 60.0)),
        "reason": command.reason,
        "level": int(command.level),
        "lease_until": iso(command.lease_until_s),
        "timestamp": iso(command.at_s),
    }
    return Message(order_topic(command.load, topics), json_text(body))


def read_order(
    topic: str, payload: bytes, *, retained: bool, now_s: float, topics: Topics = TOPICS
) -> SetLoad | Rejected:
    """Read the order to one load, as its contact does: retained or late ones do not count."""
    load, body = _name(topic, order_topic("+", topics)), read_object(payload)
    if load is None:
        return Rejected(f"{topic[:80]!r} is no topic of a load")
    if retained:
        return Rejected("the order is retained; publish it without the retain flag")
    if isinstance(body, Rejected):
        return body
    until_s = read_time(body.get("lease_until"))
    if body.get("state") not in ("on", "off") or body.get("load", load) != load:
        return Rejected('an order needs its own load and state "on" or "off"')
    if until_s is None or not now_s < until_s <= now_s + LONGEST_LEASE_S:
        return Rejected("the order needs a lease that is running, of a day at most")
    reason = str(body.get("reason") or "")[:500]
    return SetLoad(load, body["state"] == "on", reason, Level.RULES, now_s, until_s)


def status_message(reading: LoadReading) -> Message:
    """Make the status of one load."""
    body = {
        "power": reading.power_kw,
        "ready": reading.ready,
        "temperature": reading.temp_c,
        "timestamp": iso(reading.at_s),
    }
    return Message(status_topic(reading.load), json_text(body))


def read_status(
    topic: str, payload: bytes, *, retained: bool, now_s: float, zone: tzinfo = UTC
) -> LoadReading | Rejected:
    """Read the status of one load; a retained one needs a time of its own."""
    load, body = _name(topic, status_topic("+")), read_object(payload)
    if load is None:
        return Rejected(f"{topic[:80]!r} is no status of a load")
    if isinstance(body, Rejected):
        return body
    said_s, ready = read_time(body.get("timestamp"), zone), body.get("ready")
    if said_s is None and retained:
        return Rejected("the status is retained and has no time of its own")
    at_s = now_s if said_s is None else min(said_s, now_s)
    known = ready if isinstance(ready, bool) else None
    return LoadReading(
        load, at_s, number(body.get("power")), known, number(body.get("temperature"))
    )


def _name(topic: str, pattern: str) -> str | None:
    """Find what stands in a topic's `+`; None for another topic."""
    head, tail = pattern.split("+")
    name = topic.removeprefix(head).removesuffix(tail)
    fits = topic == f"{head}{name}{tail}" and bool(name) and "/" not in name
    return name if fits else None
