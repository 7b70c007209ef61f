"""Broken messages without end, from a seed: valid ones of every kind, bent in every way.

A mutant is a topic, bytes and the retain flag. Half of them keep the grammar (a value, a key or a
topic's part is swapped for a nasty one), the other half break it (bits, cuts, splices, noise).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

NOON = "2026-01-15T11:00:00Z"

CONTROL: tuple[tuple[str, Any], ...] = (
    ("rooms/obyvak", {"id": "a", "verb": "override", "args": {"temp_c": 22.5, "for": "2h"},
                      "reason": "guests", "expires_at": "2026-01-15T12:00:00Z", "reply_to": "me"}),
    ("rooms/loznice", {"id": "b", "verb": "away", "args": {"until": "2026-01-20T10:00:00Z"}}),
    ("rooms/kuchyne", {"id": "c", "verb": "boost", "args": {"for": 90}}),
    ("devices/battery", {"id": "d", "verb": "mode", "args": {"mode": "charge_grid", "rate_kw": 2.0,
                                                            "stop_soc_frac": 0.8, "for": "1h"}}),
    ("devices/inverter", {"id": "e", "verb": "export", "args": {"allowed": False}}),
    ("planning/planner", {"id": "f", "verb": "strategy", "args": {"name": "comfort"}}),
    ("house", {"id": "g", "verb": "mode", "args": {"mode": "away"}}),
    ("obyvak/override", {"temperature": 22.0, "duration": 60}),
    ("obyvak/heating", {"enabled": True, "duration": 30}),
    ("mode", "AWAY"),
    ("battery/mode", "CHARGE"),
    ("battery/power", {"power_kw": -2.5, "duration": 15}),
    ("reoptimize", ""),
    ("emergency_stop", ""),
)  # fmt: skip

HOUSE: tuple[tuple[str, Any], ...] = (
    ("loxone/status", {
        "timestamp": NOON,
        "temperature": {"temperature_obyvak": {"value": 21.4, "room": "obyvak"},
                        "temperature_outside": {"value": -3.2, "room": "outside"}},
        "floor_temperature": {"floor_temperature_obyvak": {"value": 26.0, "room": "obyvak"}},
        "relay": {"obyvak": {"value": 1, "room": "obyvak", "tag1": "heating"}},
        "window": {"window_obyvak": {"value": 0.0, "room": "obyvak"}},
        "hdo": {"hdo_contact": {"value": 1.0, "room": "_"}},
        "power": {f"grid_power_l{k}": {"value": 0.4, "room": "_"} for k in (1, 2, 3)},
        "current_weather": {"absolute_solar_irradiance": {"value": 120.0, "room": "outside"}},
        "_metadata": {"final": True}}),
    ("loxone/heating/obyvak/status", {"state": "on", "power": 4.6, "temperature": 21.0,
                                      "timestamp": NOON}),
    ("teplomer/TC", -3.25),
    ("energy/solar", {"SOC": 56.0, "InputPower": 3200.0, "ACPowerToUser": 0.0,
                      "ACPowerToGrid": 700.0, "INVPowerToLocalLoad": 4000.0, "ChargePower": 0.0,
                      "DischargePower": 1500.0, "BatteryTemperature": 18.0}),
    ("energy/solar/result", {"command": "batteryfirst/get", "success": True, "message": "ok",
                             "value": {"start": "10:00", "stop": "12:00", "enabled": True,
                                       "slot": 1, "stopsoc": 80, "powerrate": 50,
                                       "acchargeenabled": 1}}),
    ("energy/solar/result", {"command": "datetime/get", "success": True, "message": "",
                             "value": "2026-01-15 12:00:00"}),
)  # fmt: skip

DEVICE: tuple[tuple[str, Any], ...] = (
    ("pems/heating/obyvak/set", {"room": "obyvak", "state": "on", "duration": 15,
                                 "target_temp_c": 21.5, "reason": "cold", "level": 0,
                                 "lease_until": "2026-01-15T11:15:00Z", "timestamp": NOON}),
    ("energy/solar/command/batteryfirst/set/timeslot",
     {"start": "10:00", "stop": "12:00", "enabled": True, "slot": 1}),
    ("energy/solar/command/gridfirst/set/powerrate", {"value": 50}),
    ("energy/solar/command/batteryfirst/set/acchargeenabled", {"value": 1}),
    ("energy/solar/command/export/enable", {"value": True}),
    ("energy/solar/command/datetime/set", {"value": "2026-01-15 12:00:00"}),
    ("energy/solar/command/batteryfirst/get", {}),
    ("energy/solar/command/datetime/get", {}),
    ("energy/solar/command/register/get", {}),
)  # fmt: skip

NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, -(10**40), 1e308, -1e308, 5e-324, -0.0, 0.5, 99.999,
    float("nan"), float("inf"), "", " ", "on", "off", "x" * 200, "²", "١٢", "1e999", "nan", "\x00",
    "\ud800", "🔥", "../..", "a/b/c", "#", "+", "$SYS", "0001-01-01T00:00:00", "25:61", "-1:-1",
    "9999-12-31T23:59:59.999999+23:59", "2026-01-15T11:00:00", NOON, [], {}, [[]], {"a": {"b": 1}},
    [0] * 20, {"value": None}, "rooms/obyvak", "normal", "emergency",
)  # fmt: skip
PARTS = ("", "x", "#", "+", "$SYS", "control", "set", "status", "rooms", "obyvak", "²", "a" * 300)


class Mutant(NamedTuple):
    topic: str
    payload: bytes
    retained: bool


class Mutants:
    """An endless seeded stream; the same seed gives the same bytes."""

    def __init__(self, seed: int, seeds: tuple[tuple[str, Any], ...] | None = None) -> None:
        self.rng = random.Random(f"mutants {seed}")
        control = tuple((f"pems/control/{tail}", body) for tail, body in CONTROL)
        self.seeds = seeds if seeds is not None else (*control, *HOUSE, *DEVICE)
        self.texts = [_bytes(body) for _, body in self.seeds]
        self.plain = [json.dumps(body) for _, body in self.seeds]

    def __iter__(self) -> Iterator[Mutant]:
        while True:
            yield self.one()

    def take(self, count: int) -> Iterator[Mutant]:
        return (self.one() for _ in range(count))

    def one(self) -> Mutant:
        rng = self.rng
        k = rng.randrange(len(self.seeds))
        topic = self.seeds[k][0] if rng.random() < 0.8 else self._bent(self.seeds[k][0])
        payload = self._swapped(k) if rng.random() < 0.5 else self._broken(self.texts[k])
        return Mutant(topic, payload, rng.random() < 0.05)

    def _bent(self, topic: str) -> str:
        parts = topic.split("/")
        at = self.rng.randrange(len(parts))
        match self.rng.randrange(3):
            case 0:
                parts[at] = self.rng.choice(PARTS)
            case 1:
                del parts[at]
            case _:
                parts.insert(at, self.rng.choice(PARTS))
        return "/".join(parts)

    def _swapped(self, k: int) -> bytes:
        """Swap, add or remove one value somewhere in a valid body."""
        rng, body = self.rng, json.loads(self.plain[k])
        if not isinstance(body, dict) or not body:
            return _bytes(rng.choice(NASTY))
        inner = body
        while True:
            key = rng.choice(list(inner))
            if isinstance(inner[key], dict) and inner[key] and rng.random() < 0.8:
                inner = inner[key]
                continue
            break
        match rng.randrange(6):
            case 0:
                del inner[key]
            case 1:
                inner[rng.choice(("x", "²", "", "value", key * 3))] = inner.pop(key)
            case _:
                inner[key] = rng.choice(NASTY)
        return _bytes(body)

    def _broken(self, text: bytes) -> bytes:
        rng, bent = self.rng, bytearray(text)
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(len(bent) + 1)
            match rng.randrange(7):
                case 0 if bent:
                    bent[at % len(bent)] ^= 1 << rng.randrange(8)
                case 1:
                    bent[at:at] = rng.randbytes(rng.randrange(1, 9))
                case 2:
                    del bent[at : at + rng.randrange(1, 20)]
                case 3:
                    del bent[at:]
                case 4:
                    other = self.texts[rng.randrange(len(self.texts))]
                    bent[at:] = other[rng.randrange(len(other) + 1) :]
                case 5:
                    bent[at:at] = rng.choice((b"[", b"{", b'"', b"\\", b"\\ud800", b"\x00")) * 3
                case _:
                    bent[at:at] = rng.choice((b"NaN", b"1e999", b"9" * 40, b"null", b"-", b"{}"))
        if rng.random() < 0.001:
            return bytes(bent) + rng.choice((b"[", b"9", b" ", b"\xff")) * 10 ** rng.choice((4, 5))
        return bytes(bent)


def _bytes(body: Any) -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    return text.encode("utf-8", "surrogatepass")
