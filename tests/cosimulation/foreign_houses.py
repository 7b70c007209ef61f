"""Four houses that share nothing with the twin and little with what is believed of them.

Each is configured by its sizes and powers alone, so its thermal model is a guess; what it really is
stands beside it, and is far from that. People come and go, wind finds the gaps, and a window is
opened now and then. The equations are those of the foreign flat, with floors that lag twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import pi, sin
from typing import Any, NamedTuple

from pems_actors.domain.units import DAY_S, HOUR_S, iso
from tests.cosimulation.foreign_flat import (
    BLOCKED_H,
    START_S,
    STEP_S,
    base_kw,
    flat,
    forecast,
    ghi_w_m2,
    outdoor_c,
    prices,
    wind_m_s,
)

EULER_S = 20.0


class Guess(NamedTuple):
    """What somebody writes into a configuration of a room that nobody measured."""

    emitter: str
    power_kw: float
    volume_m3: float


class Truth(NamedTuple):
    """What the room is: kWh/K, kW/K, m² of sun, kW of people, and how slowly its heat comes."""

    power_kw: float
    c_air: float
    c_mass: float
    to_mass: float
    loss: float
    sun_m2: float
    people_kw: float
    lag_s: float
    draught: float = 0.03  # of the loss for each m/s of wind


class Kind(NamedTuple):
    """One foreign house: rooms as believed and as they are, its climate and its thermometers."""

    rooms: Mapping[str, tuple[Guess, Truth]]
    shift_k: float = 0.0
    step_k: float = 0.1
    airs_h: float | None = None  # local hour at which the first room is aired for ten minutes
    blocked_h: tuple[int, ...] = ()


KINDS = {
    # screed under tiles, well insulated, oversized, half the power that is believed reaches the air
    "floor house": Kind({
        "hall": (Guess("floor", 2.4, 80.0), Truth(2.1, 0.9, 9.0, 0.60, 0.031, 2.2, 0.25, 9000.0)),
        "study": (Guess("floor", 1.2, 40.0), Truth(1.3, 0.5, 2.6, 0.25, 0.020, 1.4, 0.12, 6500.0)),
        "sleeping": (Guess("floor", 1.0, 45.0), Truth(0.9, 0.4, 6.0, 0.4, 0.014, 0.3, 0.1, 8000.0)),
        "wc": (Guess("floor", 0.3, 6.0), Truth(0.35, 0.08, 0.5, 0.06, 0.006, 0.0, 0.02, 4000.0)),
    }),
    # light panels in concrete: the air moves by kelvins, the walls by tenths
    "panel flat": Kind({
        "front": (Guess("panel", 1.8, 60.0), Truth(2.0, 0.16, 4.5, 0.21, 0.030, 1.1, 0.20, 420.0)),
        "back": (Guess("panel", 1.0, 40.0), Truth(0.9, 0.10, 2.0, 0.13, 0.022, 0.2, 0.08, 900.0)),
    }, airs_h=7.5, blocked_h=BLOCKED_H),
    # one room of boards under a stove's worth of heaters, and the wind in it
    "leaky cabin": Kind({
        "cabin": (Guess("panel", 3.0, 50.0), Truth(2.6, 0.35, 0.8, 0.25, 0.085, 0.9, 0.1, 300.0,
                                                   0.10)),
    }, shift_k=4.0, step_k=0.2),
    # stone, and panels that raise the air by two kelvins an hour
    "heavy house": Kind({
        "parlour": (Guess("panel", 2.5, 90.0),
                    Truth(2.4, 0.55, 16.0, 0.50, 0.052, 0.8, 0.25, 1500.0)),
        "kitchen": (Guess("panel", 1.5, 45.0),
                    Truth(1.6, 0.30, 9.0, 0.34, 0.033, 0.4, 0.15, 1200.0)),
        "attic": (Guess("panel", 1.2, 40.0),
                  Truth(1.3, 0.20, 1.2, 0.16, 0.027, 1.3, 0.0, 900.0, 0.06)),
    }, step_k=0.5),
}  # fmt: skip
WISHES_C = {"day": 21.0, "night": 19.0}


def configuration(kind: Kind) -> dict[str, Any]:
    """Configure such a house by its sizes and powers, and no word on what it is."""
    names, raw = tuple(kind.rooms), flat()
    raw["rooms"], raw["relays"] = {}, {}
    for name, (guess, _) in kind.rooms.items():
        raw["rooms"][name] = {
            "title": name, "relay": name, "emitter": guess.emitter, "zone": "all", "storey": 1,
            "volume_m3": guess.volume_m3, "windows": True, "outer_wall": True, "bath": False,
            "neighbours": {other: "wall" for other in names if other != name},
            "sensor": {"resolution_k": kind.step_k},
        }  # fmt: skip
        raw["relays"][name] = {"power": {"effective_kw": guess.power_kw}, "phase": "L123"}
    raw["thermal_settings"] = {"comfort_band_celsius": 0.5, "room_setpoints": {"default": WISHES_C}}
    raw["tariff"] = {**raw["tariff"], "heating_blocked_in": ["VT"] if kind.blocked_h else []}
    raw["grid"] = {**raw["grid"], "phases": 3, "import_kw": 15.0}
    raw["limits"] = {"heating_kw": 9.0, "base_load_p95_kw": 1.2}
    return raw


@dataclass
class Body:
    """One room as it is: heat that lags twice, air, and one heavy mass."""

    true: Truth
    air_c: float = 20.3
    mass_c: float = 19.8
    slab_kw: float = 0.0
    given_kw: float = 0.0

    def live(self, on: bool, outside_c: float, wind: float, sun: float, gain_kw: float) -> None:
        true, dt_h = self.true, EULER_S / HOUR_S
        share = EULER_S / (0.5 * true.lag_s)
        self.slab_kw += (true.power_kw * on - self.slab_kw) * share
        self.given_kw += (self.slab_kw - self.given_kw) * share
        loss_kw = true.loss * (1.0 + true.draught * wind) * (self.air_c - outside_c)
        exchange_kw = true.to_mass * (self.air_c - self.mass_c)
        sun_kw = true.sun_m2 * sun / 1000.0
        air_kw = self.given_kw + gain_kw + 0.4 * sun_kw - loss_kw - exchange_kw
        self.air_c += air_kw * dt_h / true.c_air
        self.mass_c += (exchange_kw + 0.6 * sun_kw) * dt_h / true.c_mass


@dataclass
class ForeignHouse:
    """Such a house in its weather. `broken` relays are so, whatever they say and are told."""

    kind: Kind
    at_s: float = START_S
    bodies: dict[str, Body] = field(init=False)
    relays: dict[str, bool] = field(init=False)
    broken: dict[str, bool] = field(default_factory=dict)
    cold_kh: float = 0.0
    heat_kwh: float = 0.0
    warmest_c: float = 0.0

    def __post_init__(self) -> None:
        self.bodies = {name: Body(true) for name, (_, true) in self.kind.rooms.items()}
        self.relays = dict.fromkeys(self.bodies, False)

    @property
    def blocked(self) -> bool:
        return int((self.at_s + HOUR_S) % DAY_S // HOUR_S) in self.kind.blocked_h

    def live(self, commands: Mapping[str, Any], step_s: float = STEP_S) -> None:
        """Carry commands out for one step."""
        self.relays = dict(commands["relays"])
        for _ in range(round(step_s / EULER_S)):
            self._live()
            self.at_s += EULER_S

    def _live(self) -> None:
        at_s, hour = self.at_s, ((self.at_s + HOUR_S) % DAY_S) / HOUR_S
        airs_h = self.kind.airs_h
        for k, (name, body) in enumerate(self.bodies.items()):
            on = self.broken.get(name, self.relays[name]) and not self.blocked
            aired = k == 0 and airs_h is not None and 0.0 <= hour - airs_h < 1.0 / 6.0
            gain_kw = body.true.people_kw * self._people(hour, k)
            wind = 60.0 if aired else wind_m_s(at_s)
            body.live(on, outdoor_c(at_s) + self.kind.shift_k, wind, ghi_w_m2(at_s), gain_kw)
            self.heat_kwh += body.true.power_kw * on * EULER_S / HOUR_S
            below_k = WISHES_C["day" if 6.0 <= hour < 22.0 else "night"] - 0.5 - body.air_c
            self.cold_kh += max(0.0, below_k) * EULER_S / HOUR_S
            self.warmest_c = max(self.warmest_c, body.air_c)

    def _people(self, hour: float, room: int) -> float:
        """How many are there and cook: in the evening, and on some days at noon."""
        day = (self.at_s - START_S) / DAY_S
        evening = 1.6 if 17.5 <= hour < 22.0 else 0.3
        noon = 1.5 if 11.0 <= hour < 13.5 and sin(5.0 * (day // 1.0) + room) > 0.2 else 0.0
        return max(0.0, evening + noon + 0.3 * sin(2 * pi * day * 3.7 + room))

    def observation(self, seq: int) -> dict[str, Any]:
        """Say what can be seen, by thermometers of a coarse step."""
        at_s, step_k = self.at_s, self.kind.step_k
        heating_kw = sum(b.true.power_kw * self.relays[n] for n, b in self.bodies.items())
        seen: dict[str, Any] = {
            "seq": seq,
            "time": iso(at_s),
            "rooms": {
                name: {"temp_c": round(step_k * round(body.air_c / step_k), 2),
                       "relay_on": self.relays[name]}
                for name, body in self.bodies.items()
            },
            "outdoor_c": round(outdoor_c(at_s) + self.kind.shift_k, 1),
            "ghi_w_m2": round(ghi_w_m2(at_s)),
            "base_load_kw": round(base_kw(at_s), 3),
            "grid_kw": round(base_kw(at_s) + heating_kw, 3),
            "soc_frac": 0.5,
            "hdo_blocked": self.blocked,
        }  # fmt: skip
        if at_s % HOUR_S == 0.0:
            seen["weather_forecast"] = forecast(at_s)
            seen["prices"] = prices(at_s)
        return seen
