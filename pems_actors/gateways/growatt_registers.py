"""The registers of a Growatt SPH inverter and the MQTT commands that read and write them. Pure.

One register, one command, one answer: this file turns values into the payloads of the inverter's
gateway and back, and knows nothing of battery modes (those are in `growatt.py`). Both sides use
it: the driver that writes, and the simulated inverter that is written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from pems_actors.gateways.wire import Rejected, json_text, number, read_object

COMMANDS = "energy/solar/command"
TELEMETRY = "energy/solar"
RESULTS = "energy/solar/result"
DAY_MIN = 24 * 60
READS = ("batteryfirst/get", "gridfirst/get")
CLOCK = "datetime/get"


@dataclass(frozen=True, slots=True)
class Slot:
    """A daily window in minutes of the inverter's local day; off is 00:00 to 00:00."""

    start_min: int = 0
    stop_min: int = 0
    enabled: bool = False

    def covers(self, minute: int) -> bool:
        """Tell if the window is in force at a minute of the day."""
        return self.enabled and self.start_min <= minute < self.stop_min


OFF = Slot()


@dataclass(frozen=True, slots=True)
class Registers:
    """What the inverter is known to hold. None is unknown: it was never read nor confirmed."""

    battery_slot: Slot | None = None
    battery_stop_pct: int | None = None
    battery_rate_pct: int | None = None
    ac_charge: bool | None = None
    grid_slot: Slot | None = None
    grid_stop_pct: int | None = None
    grid_rate_pct: int | None = None
    export: bool | None = None


Value = Slot | int | bool
Change = tuple[str, Value]  # field of Registers, wanted value


def with_values(held: Registers, values: Iterable[Change]) -> Registers:
    """Give registers with some values changed; each value must be of its register's type."""
    changes: dict[str, Any] = dict(values)
    return replace(held, **changes)


@dataclass(frozen=True, slots=True)
class Write:
    """One command to the inverter: the register it changes, its topic and its JSON."""

    register: str
    value: Value
    topic: str
    payload: str

    @property
    def command(self) -> str:
        """The command's name, as the answer on `energy/solar/result` repeats it."""
        return self.topic.removeprefix(f"{COMMANDS}/")


# -- the codec of one register -----------------------------------------------------------------

_COMMAND_OF: Mapping[str, str] = {
    "battery_slot": "batteryfirst/set/timeslot",
    "battery_stop_pct": "batteryfirst/set/stopsoc",
    "battery_rate_pct": "batteryfirst/set/powerrate",
    "ac_charge": "batteryfirst/set/acchargeenabled",
    "grid_slot": "gridfirst/set/timeslot",
    "grid_stop_pct": "gridfirst/set/stopsoc",
    "grid_rate_pct": "gridfirst/set/powerrate",
}
_REGISTER_OF = {command: register for register, command in _COMMAND_OF.items()}
assert {*_COMMAND_OF, "export"} == {field.name for field in fields(Registers)}


def writes(changes: Iterable[Change]) -> tuple[Write, ...]:
    """Turn wanted values into commands, in the same order."""
    return tuple(_write(register, value) for register, value in changes)


def _write(register: str, value: Value) -> Write:
    if register == "export":
        topic = f"{COMMANDS}/export/{'enable' if value else 'disable'}"
        return Write(register, value, topic, json_text({"value": True}))
    topic = f"{COMMANDS}/{_COMMAND_OF[register]}"
    body = slot_body(value) if isinstance(value, Slot) else {"value": int(value)}
    return Write(register, value, topic, json_text(body))


def slot_body(slot: Slot) -> dict[str, Any]:
    """Write a slot as {start, stop, enabled, slot}."""
    start, stop = _clock(slot.start_min), _clock(slot.stop_min)
    return {"start": start, "stop": stop, "enabled": slot.enabled, "slot": 1}


def read_write(topic: str, payload: bytes) -> Change | Rejected:
    """Read a set command back into the register it changes: the inverter's side of `writes`."""
    command = topic.removeprefix(f"{COMMANDS}/")
    body = read_object(payload)
    if isinstance(body, Rejected):
        return body
    if command in {"export/enable", "export/disable"}:
        return "export", command == "export/enable"  # edge-triggered: the value does not matter
    register = _REGISTER_OF.get(command)
    if register is None:
        return Rejected(f"the inverter knows no {command[:60]!r}")
    value = _value_of(register, body)
    return value if isinstance(value, Rejected) else (register, value)


def _value_of(register: str, body: Mapping[str, Any]) -> Value | Rejected:
    if register.endswith("_slot"):
        slot = read_slot(body)
        return slot if slot is not None else Rejected("a slot needs start, stop, enabled, slot 1")
    if register == "ac_charge":
        flag = body.get("value")
        known = isinstance(flag, bool | int) and flag in {0, 1}
        return bool(flag) if known else Rejected("value must be 0 or 1")
    percent = number(body.get("value"))
    if percent is None or percent != int(percent) or not 0 <= percent <= 100:
        return Rejected("value must be a whole percentage from 0 to 100")
    return int(percent)


def read_slot(body: Mapping[str, Any]) -> Slot | None:
    """Read {start, stop, enabled, slot}; None if it is no slot 1."""
    start, stop = _minutes(body.get("start")), _minutes(body.get("stop"))
    enabled = body.get("enabled")
    if start is None or stop is None or not isinstance(enabled, bool) or body.get("slot", 1) != 1:
        return None
    return Slot(start, stop, enabled) if enabled else OFF


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _minutes(text: object) -> int | None:
    if not isinstance(text, str) or len(text) > 5:
        return None
    hours, _, minutes = text.partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        return None
    at = int(hours) * 60 + int(minutes)
    return at if int(minutes) < 60 and at <= DAY_MIN else None


# -- answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What the inverter's gateway answered to one command."""

    command: str
    success: bool
    message: str
    value: Any = None


def read_answer(payload: bytes) -> Answer | Rejected:
    """Read one answer of `energy/solar/result`: {command, success, message, value?}."""
    body = read_object(payload)
    if isinstance(body, Rejected):
        return body
    command, success = body.get("command"), body.get("success")
    if not isinstance(command, str) or not isinstance(success, bool):
        return Rejected("an answer needs command and success")
    return Answer(
        command.removeprefix(f"{COMMANDS}/"),
        success,
        str(body.get("message", ""))[:200],
        body.get("value"),
    )


def learned(known: Registers, answer: Answer) -> Registers:
    """Add what an answer to a read tells; what it leaves out stays as it was."""
    if not answer.success or answer.command not in READS or not isinstance(answer.value, dict):
        return known
    side = "battery" if answer.command == "batteryfirst/get" else "grid"
    named = {f"{side}_stop_pct": "stopsoc", f"{side}_rate_pct": "powerrate"}
    if side == "battery":
        named["ac_charge"] = "acchargeenabled"
    found: dict[str, Value] = {}
    slot = read_slot(answer.value)
    if slot is not None:
        found[f"{side}_slot"] = slot
    for register, name in named.items():
        value = _value_of(register, {"value": answer.value.get(name)})
        if not isinstance(value, Rejected):
            found[register] = value
    return with_values(known, found.items())


def read_clock(answer: Answer) -> datetime | None:
    """Read the inverter's local clock from its answer; the firmware may drop the century."""
    if not answer.success or answer.command != CLOCK or not isinstance(answer.value, str):
        return None
    text = answer.value if len(answer.value) > 17 else f"20{answer.value}"
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
