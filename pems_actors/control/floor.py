"""How warm a floor may be where nobody measures it: reckoned from the hours of its relay.

A screed heated without end stands `rise_k` above the air at its surface, and gets there with
its time constant; a relay that is on part of the time gets it there in part. The rise
follows from the mat's power per square metre and the film above the floor, both known well, so
the margin to the limit covers the power's tolerance and the thermometer. Two kelvins of it would
cost the reference house's living room 1.5 K of warmth in hard frost.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from pems_actors.domain.events import Need
from pems_actors.domain.house import Emitter, House, Relay
from pems_actors.domain.units import HOUR_S
from pems_actors.physics.house_model import SURFACE_FRAC

MARGIN_K = 0.5
COOLER_K = 0.3  # a floor that was too warm is heated again when it is so much cooler


class Floor(NamedTuple):
    """One heated floor: its warmth after endless heating, how fast, and how warm it may be."""

    room: str
    rise_k: float
    tau_s: float
    limit_c: float


class FloorHeat(NamedTuple):
    """What share of endless heating's warmth each floor of a relay holds, 0..1.

    Empty until it is first reckoned.
    """

    shares: tuple[float, ...] = ()
    stepped_s: float | None = None

    def after(self, floors: Sequence[Floor], now_s: float, *, was_on: bool) -> FloorHeat:
        """Reckon the time since then."""
        dt_s = max(0.0, now_s - self.stepped_s) if self.stepped_s is not None else 0.0
        goal = 1.0 if was_on else 0.0
        return FloorHeat(
            tuple(
                [goal + (x - goal) * exp(-dt_s / floor.tau_s)
                 for x, floor in zip(self.shares, floors, strict=True)]
            ),
            now_s,
        )  # fmt: skip

    def shifted(self, by_s: float) -> FloorHeat:
        """Move along with a clock that was set."""
        stepped_s = self.stepped_s
        return self._replace(stepped_s=None if stepped_s is None else stepped_s + by_s)


def too_warm(
    floors: Sequence[Floor],
    heat: FloorHeat,
    needs: Sequence[Need],
    *,
    on: bool,
    measured: str | None,
) -> str:
    """Find a floor that is estimated too warm to be heated, and say so; empty if there is none.

    Args:
        floors, heat: the floors of one relay, and their warmth.    needs: of its members; where
            one's temperature is unknown, its target stands in.
        on: whether the relay is on; one that is off starts at a somewhat cooler floor only.
        measured: the room whose floor has a sensor and is judged by that instead.
    """  # fmt: skip
    for floor, share in zip(floors, heat.shares, strict=True):
        need = next((n for n in needs if n.room == floor.room), None)
        if need is None or floor.room == measured:
            continue
        air_c = need.target_c if need.temp_c is None else need.temp_c
        surface_c = air_c + share * floor.rise_k
        most_c = floor.limit_c - MARGIN_K
        if surface_c > (most_c if on else most_c - COOLER_K):
            return f"floor of {floor.room} estimated {surface_c:.1f} °C, {most_c:g} without sensor"
    return ""


def floors_of(house: House, relay: Relay) -> tuple[Floor, ...]:
    """Collect the floors that a relay heats."""
    models = {model.name: model for model in house.model.rooms}
    limits, baths = house.limits, {room.name for room in house.rooms if room.bath}
    return tuple(
        Floor(
            name,
            SURFACE_FRAC * share * relay.power_kw / models[name].g_screed_air_kw_k,
            models[name].c_screed_kwh_k / models[name].g_screed_air_kw_k * HOUR_S,
            limits.bath_surface_c if name in baths else limits.floor_surface_c,
        )
        for name, share in relay.members
        if models[name].emitter is Emitter.FLOOR
    )
