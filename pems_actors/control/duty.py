"""Heating without a plan: how much, and when within the hour.

`steady_duty` is the share of time that holds a temperature against the outdoors; `corrected_duty`
leans on it by the room's error; a `Modulator` turns the share into on and off.
"""

from __future__ import annotations

from typing import NamedTuple

from pems_actors.domain.house import HouseModel, RoomModel

OWED_LIMIT_S = 1800.0


def loss_kw_k(room: RoomModel) -> float:
    """Heat that a room loses to the outdoors per kelvin in steady state [kW/K]."""
    through = room.g_air_structure_kw_k * room.g_structure_outdoor_kw_k
    series = room.g_air_structure_kw_k + room.g_structure_outdoor_kw_k
    return room.g_air_outdoor_kw_k + (through / series if series > 0.0 else 0.0)


def share(duty: float) -> float:
    """Bound a duty to 0..1; what is no number asks for nothing."""
    return duty if 0.0 < duty < 1.0 else float(duty >= 1.0)


def steady_duty(
    loss_kw_per_k: float, target_c: float, outdoor_c: float, free_kw: float, power_kw: float
) -> float:
    """Share of time that holds `target_c`: losses minus free heat, over the relay's power.

    Args:
        loss_kw_per_k: UA of the room [kW/K].    free_kw: internal and solar gain [kW].
        power_kw: the room's share of its relay [kW]; 0 gives 0.
    Returns: 0..1.
    """
    if power_kw <= 0.0:
        return 0.0
    return share((loss_kw_per_k * (target_c - outdoor_c) - free_kw) / power_kw)


def corrected_duty(duty: float, error_k: float, gain_per_k: float) -> float:
    """Lean a duty by the temperature error (target minus measured), within 0..1."""
    return share(duty + gain_per_k * error_k)


def unknown_duty(duty: float, outdoor_c: float) -> float:
    """Duty of a room whose temperature nobody knows: bounded, and never 0 below 10 °C outdoors."""
    bounded = min(duty, 0.7)
    return max(bounded, 0.1) if outdoor_c < 10.0 else bounded


def before_blocks(duty: float, available_frac: float) -> float:
    """Heat more while one may, so that the coming blocked hours are already paid for."""
    return share(duty / max(available_frac, 0.25))


def warm_up_h(
    capacity_kwh_k: float, rise_k: float, power_kw: float, drawn_kw: float, longest_h: float = 24.0
) -> float:
    """Reckon how long a room takes to climb with all its masses.

    Args:
        capacity_kwh_k: of all that has to become warm.    rise_k: how far.
        power_kw: what can be counted on beside blocked hours and others' turns.
        drawn_kw: losses meanwhile, less free heat.
    Returns: hours, at most `longest_h`, which also stands for a room that hardly climbs at all.
    """
    left_kw = power_kw - max(drawn_kw, 0.0)
    if rise_k <= 0.0 or capacity_kwh_k <= 0.0:
        return 0.0
    return min(capacity_kwh_k * rise_k / left_kw, longest_h) if left_kw > 0.0 else longest_h


class Modulator(NamedTuple):
    """Turns a duty into on and off: it switches when it owes, or has overpaid, `half_s` seconds.

    With `half_s` of 300 s every on and every off lasts at least 10 minutes, and a duty of one
    half gives a cycle of 40 minutes. `owed_s` starts at a different place in each room, so that
    rooms do not switch together.
    """

    owed_s: float = 0.0
    on: bool = False
    half_s: float = 300.0

    def step(self, duty: float, dt_s: float, was_on: bool) -> Modulator:
        """Account for the time since the last step and say what should be now.

        Args:
            duty: wanted share of time, 0..1.    dt_s: time since the last step [s].
            was_on: what the relay really did in that time (blocks and budget may have refused).
        """
        owed_s = self.owed_s + (duty - (1.0 if was_on else 0.0)) * dt_s
        owed_s = min(OWED_LIMIT_S, max(-OWED_LIMIT_S, owed_s))
        if duty <= 0.02:
            return Modulator(min(owed_s, 0.0), False, self.half_s)
        if duty >= 0.98:
            return Modulator(max(owed_s, 0.0), True, self.half_s)
        on = owed_s > -self.half_s if self.on else owed_s >= self.half_s
        return Modulator(owed_s, on, self.half_s)


def losses(model: HouseModel) -> dict[str, float]:
    """UA towards the outdoors of every room [kW/K]."""
    return {room.name: loss_kw_k(room) for room in model.rooms}
