"""A flat that shares nothing with the twin: its own equations, parameters, weather and market.

Each room has a radiator that lags, air, and one heavy mass; wind drives its losses; steps are ten
seconds of Euler. It knows a simple thermostat of its own, to be compared with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import cos, exp, pi, sin
from typing import Any

from config import PRESETS
from pems_actors.domain.units import DAY_S, HOUR_S, iso, seconds

START_S = seconds("2024-01-08T00:00:00Z")  # a Monday; local time is an hour ahead
STEP_S = 900.0
EULER_S = 10.0
ROUND_TRIP = 0.88
CAPACITY_KWH, BATTERY_KW = 5.0, 2.5
PEAK_KWP = 3.0
DAY_C = {"living": 21.5, "bedroom": 19.0, "bath": 22.0}
NIGHT_C = {"living": 20.0, "bedroom": 18.0, "bath": 20.0}
BAND_K = 0.5
BLOCKED_H = (9, 12, 16, 19)  # local hours, as in the tariff of the configuration


def flat() -> dict[str, Any]:
    """Give the configuration: the preset, with a battery and a roof that it does not have."""
    raw = json.loads(PRESETS["flat3"].read_text(encoding="utf-8"))
    raw["battery"] = {"capacity_kwh": CAPACITY_KWH, "max_power_kw": BATTERY_KW}
    raw["pv"] = {
        "roofs": {"south": {"power_kwp": PEAK_KWP, "tilt_deg": 35.0, "azimuth_deg": 180.0}}
    }
    raw["grid"] = {**raw["grid"], "export_kw": 3.0}
    return dict(raw)


@dataclass
class RoomBody:
    """One room: temperatures, and parameters that are not those of the configuration."""

    relay_kw: float
    c_air: float  # kWh/K
    c_mass: float
    to_mass: float  # kW/K
    loss: float  # kW/K in still air
    sun_m2: float
    gain_kw: float
    lag_s: float
    air_c: float = 20.5
    mass_c: float = 20.0
    radiator_kw: float = 0.0

    def live(self, on: bool, outdoor_c: float, wind: float, ghi: float, dt_s: float) -> None:
        """Let ten seconds pass."""
        dt_h = dt_s / HOUR_S
        self.radiator_kw += (self.relay_kw * on - self.radiator_kw) * dt_s / self.lag_s
        loss_kw = self.loss * (1.0 + 0.04 * wind) * (self.air_c - outdoor_c)
        exchange_kw = self.to_mass * (self.air_c - self.mass_c)
        sun_kw = self.sun_m2 * ghi / 1000.0
        air_kw = self.radiator_kw + self.gain_kw + 0.3 * sun_kw - loss_kw - exchange_kw
        self.air_c += air_kw * dt_h / self.c_air
        self.mass_c += (exchange_kw + 0.7 * sun_kw) * dt_h / self.c_mass


def bodies() -> dict[str, RoomBody]:
    return {
        "living": RoomBody(1.42, 0.24, 1.9, 0.20, 0.0335, 0.85, 0.12, 500.0),
        "bedroom": RoomBody(0.83, 0.13, 1.0, 0.11, 0.0150, 0.50, 0.02, 450.0),
        "bath": RoomBody(0.47, 0.07, 0.7, 0.09, 0.0091, 0.0, 0.03, 4200.0),
    }


def outdoor_c(at_s: float) -> float:
    day = (at_s - START_S) / DAY_S
    spell = -2.0 + 4.0 * sin(2 * pi * day / 6.3) - 2.5 * sin(2 * pi * day / 2.7)
    return spell + 3.0 * cos(2 * pi * (day - 14.0 / 24.0))


def ghi_w_m2(at_s: float) -> float:
    day = (at_s - START_S) / DAY_S
    height = sin(2 * pi * (day % 1.0 - 0.25 - 0.02)) - 0.55
    clouds = 0.6 + 0.4 * sin(2 * pi * day / 3.1)
    return max(0.0, 620.0 * height * clouds)


def wind_m_s(at_s: float) -> float:
    return 3.0 + 2.5 * sin(2 * pi * (at_s - START_S) / DAY_S / 1.7)


def base_kw(at_s: float) -> float:
    hour = ((at_s + HOUR_S) % DAY_S) / HOUR_S
    return 0.2 + 0.5 * exp(-((hour - 7.5) ** 2)) + 0.9 * exp(-((hour - 19.0) ** 2) / 2.0)


def import_per_kwh(at_s: float) -> float:
    """All-in, per hour: dear in the morning and the evening, each day a little otherwise."""
    hour = int((at_s + HOUR_S) % DAY_S // HOUR_S)
    day = int((at_s + HOUR_S) // DAY_S)
    peaks = exp(-((hour - 8) ** 2) / 6.0) + 1.3 * exp(-((hour - 18.5) ** 2) / 5.0)
    return round(2.6 + 2.8 * peaks + 0.6 * sin(1.9 * day), 3)


def export_per_kwh(at_s: float) -> float:
    return round(0.45 * import_per_kwh(at_s) - 0.5, 3)


def blocked(at_s: float) -> bool:
    return int((at_s + HOUR_S) % DAY_S // HOUR_S) in BLOCKED_H


def wish_c(room: str, at_s: float) -> float:
    hour = ((at_s + HOUR_S) % DAY_S) / HOUR_S
    return (DAY_C if 6.0 <= hour < 22.0 else NIGHT_C)[room]


def identified() -> dict[str, Any]:
    """The thermal model that somebody would find who measured the flat: near, and never exact."""
    emitters = {"living": "panel", "bedroom": "panel", "bath": "floor"}
    rooms = {}
    for name, body in bodies().items():
        over_k = 60.0 if emitters[name] == "panel" else 12.0
        g_radiator = body.relay_kw / over_k
        rooms[name] = {
            "emitter": emitters[name],
            "c_screed_kwh_k": round(body.lag_s / HOUR_S * g_radiator, 4),
            "c_air_kwh_k": round(1.05 * body.c_air, 3),
            "c_structure_kwh_k": round(0.93 * body.c_mass, 2),
            "g_screed_air_kw_k": round(g_radiator, 4),
            "g_air_structure_kw_k": round(1.04 * body.to_mass, 3),
            "g_air_outdoor_kw_k": round(1.1 * body.loss, 4),
            "g_structure_outdoor_kw_k": 0.0,
            "solar_m2": body.sun_m2,
            "internal_kw": body.gain_kw,
        }
    return {"rooms": rooms}


@dataclass
class ForeignFlat:
    """The flat in its weather. `step` carries out commands and gives what came of it."""

    at_s: float = START_S
    rooms: dict[str, RoomBody] = field(default_factory=bodies)
    soc_kwh: float = 2.5
    relays: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(DAY_C, False))
    cost: float = 0.0
    cold_kh: float = 0.0
    heat_kwh: float = 0.0
    grid_kw: float = 0.0
    warmest_c: float = 0.0
    while_blocked: int = 0
    starts: int = 0

    def live(self, commands: dict[str, Any], step_s: float = STEP_S) -> None:
        """Carry commands out for one step."""
        wanted = commands["relays"]
        self.starts += sum(wanted[name] and not self.relays[name] for name in wanted)
        self.relays = dict(wanted)
        self.while_blocked += blocked(self.at_s) and any(wanted.values())
        for _ in range(round(step_s / EULER_S)):
            self._live(commands)

    def _live(self, commands: dict[str, Any]) -> None:
        at_s, dt_h = self.at_s, EULER_S / HOUR_S
        heating_kw = 0.0
        for name, room in self.rooms.items():
            on = self.relays[name] and not blocked(at_s)
            heating_kw += room.relay_kw * on
            room.live(on, outdoor_c(at_s), wind_m_s(at_s), ghi_w_m2(at_s), EULER_S)
            below_k = wish_c(name, at_s) - BAND_K - room.air_c
            self.cold_kh += max(0.0, below_k) * dt_h
            self.warmest_c = max(self.warmest_c, room.air_c)
        left_kw = base_kw(at_s) + heating_kw - self.pv_kw
        battery_kw = self._battery_kw(commands, left_kw)
        leg = ROUND_TRIP**0.5
        self.soc_kwh -= battery_kw * dt_h * (leg if battery_kw < 0.0 else 1.0 / leg)
        self.grid_kw = left_kw - battery_kw
        price = import_per_kwh(at_s) if self.grid_kw > 0.0 else export_per_kwh(at_s)
        self.cost += price * self.grid_kw * dt_h + max(battery_kw, 0.0) * dt_h  # wear: 1 per kWh
        self.heat_kwh += heating_kw * dt_h
        self.at_s += EULER_S

    def _battery_kw(self, commands: dict[str, Any], left_kw: float) -> float:
        """Follow the mode; charge and sell at the power that was named."""
        mode, named_kw = commands["battery_mode"], commands["battery_kw"]
        wish_kw = {"self_use": left_kw, "hold": 0.0}.get(mode, named_kw or 0.0)
        full, empty = 0.9 * CAPACITY_KWH, 0.1 * CAPACITY_KWH
        if (wish_kw > 0.0 and self.soc_kwh <= empty) or (wish_kw < 0.0 and self.soc_kwh >= full):
            return 0.0
        return min(BATTERY_KW, max(-BATTERY_KW, wish_kw))

    @property
    def pv_kw(self) -> float:
        return 0.8 * PEAK_KWP * ghi_w_m2(self.at_s) / 1000.0

    def settled_cost(self) -> float:
        """Cost with what is left in battery and walls taken back at a middling price."""
        heat_kwh = sum(
            r.c_air * (r.air_c - 20.5) + r.c_mass * (r.mass_c - 20.0) for r in self.rooms.values()
        )
        return self.cost - 3.0 * (self.soc_kwh - 2.5) - 3.0 * heat_kwh

    def observation(self, seq: int) -> dict[str, Any]:
        """Say what can be seen, and now and then what is forecast."""
        at_s = self.at_s
        seen: dict[str, Any] = {
            "seq": seq,
            "time": iso(at_s),
            "rooms": {
                name: {"temp_c": round(room.air_c, 2), "relay_on": self.relays[name]}
                for name, room in self.rooms.items()
            },
            "outdoor_c": round(outdoor_c(at_s), 2),
            "ghi_w_m2": round(ghi_w_m2(at_s), 1),
            "pv_kw": round(self.pv_kw, 3),
            "base_load_kw": round(base_kw(at_s), 3),
            "grid_kw": round(self.grid_kw, 3),
            "soc_frac": round(self.soc_kwh / CAPACITY_KWH, 4),
            "hdo_blocked": blocked(at_s),
        }
        if at_s % HOUR_S == 0.0:
            seen["weather_forecast"] = forecast(at_s)
            seen["prices"] = prices(at_s)
        return seen


def forecast(at_s: float) -> dict[str, Any]:
    """The weather to come as somebody would see it: too warm by half a kelvin, sun too bright."""
    middles = [at_s + HOUR_S * (k + 0.5) for k in range(50)]
    return {
        "start": iso(at_s),
        "step_s": 3600,
        "outdoor_c": [round(outdoor_c(t) + 0.5, 2) for t in middles],
        "ghi_w_m2": [round(1.15 * ghi_w_m2(t), 1) for t in middles],
    }


def prices(at_s: float) -> dict[str, Any]:
    """Hourly prices until the end of the last day that is published: tomorrow's from 14 h on."""
    local_s = at_s + HOUR_S
    days = 2 if local_s % DAY_S >= 14 * HOUR_S else 1
    end_s = local_s - local_s % DAY_S + days * DAY_S - HOUR_S
    hours = [at_s + HOUR_S * k for k in range(round((end_s - at_s) / HOUR_S))]
    return {
        "start": iso(at_s),
        "step_s": 3600,
        "import_per_kwh": [import_per_kwh(t) for t in hours],
        "export_per_kwh": [export_per_kwh(t) for t in hours],
    }


def thermostat(plant: ForeignFlat, shift_k: float = 0.0) -> dict[str, Any]:
    """What the flat would do by itself: hysteresis on each room's wish, battery in self-use."""
    relays = {}
    for name, room in plant.rooms.items():
        wish = wish_c(name, plant.at_s) + shift_k
        on = room.air_c < wish - 0.2 or (plant.relays[name] and room.air_c < wish + 0.2)
        relays[name] = on and not blocked(plant.at_s)
    return {"relays": relays, "battery_mode": "self_use", "battery_kw": None}
