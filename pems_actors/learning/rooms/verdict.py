"""What was found of each room, told: values with intervals, what could be seen, and the trust.

An interval holds the truth in about 95 of 100 cases: it is that of the readings widened by half,
for days are not independent, and by what cannot be seen between two readings. A parameter is
`measured` where the readings say far more than the belief, `partly` where they say something, else
`believed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from typing import Any, Literal

import numpy as np

from pems_actors.domain.house import Emitter
from pems_actors.learning.life.trust import Tier
from pems_actors.learning.rooms.balance import losses_kw_k
from pems_actors.learning.rooms.identify import RoomsFound
from pems_actors.learning.rooms.network import HEAT_GAIN, KINDS, ROOM_KINDS, Array

WIDER = 1.5
_Z95 = 1.96
_UNSEEN = {Emitter.FLOOR: 0.05, Emitter.PANEL: 0.12}
_UNSEEN_SHARE = 0.1  # of the internal gain's unit, the room's usual loss at 10 K
_MEASURED, _PARTLY = 0.35, 0.8

Seen = Literal["measured", "partly", "believed"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in its own unit, between `low` and `high`; `seen` says where it comes from."""

    name: str
    value: float
    low: float
    high: float
    seen: Seen

    def plain(self) -> dict[str, Any]:
        """Give plain data."""
        return {"value": self.value, "low": self.low, "high": self.high, "seen": self.seen}


@dataclass(frozen=True, slots=True)
class RoomVerdict:
    """One room: its parameters and its loss, its errors on unseen days, its tier and what lacks."""

    room: str
    emitter: Emitter
    parameters: tuple[Parameter, ...]
    loss: Parameter
    error_k: float | None
    floor_k: float | None
    tier: Tier
    missing: str
    left_out_h: float

    def plain(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "emitter": self.emitter.value,
            "tier": self.tier.value,
            "missing": self.missing,
            "error_k": self.error_k,
            "floor_k": self.floor_k,
            "left_out_h": self.left_out_h,
            "ua_kw_k": self.loss.plain(),
            "parameters": {each.name: each.plain() for each in self.parameters},
            "identifiability": self.statement,
        }

    @property
    def statement(self) -> str:
        """Say in a sentence what the readings told and what is still believed."""
        by: dict[str, list[str]] = {"measured": [], "partly": [], "believed": []}
        for each in self.parameters:
            by[each.seen].append(each.name)
        parts = [f"{seen}: {', '.join(names)}" for seen, names in by.items() if names]
        return "; ".join(parts)


def verdicts(found: RoomsFound) -> tuple[RoomVerdict, ...]:
    """Judge every room."""
    return tuple(_verdict(found, k) for k in range(len(found.names)))


def _verdict(found: RoomsFound, k: int) -> RoomVerdict:
    error, floor = _tested(found, k)
    loss = loss_of(found, k)
    tier, missing = tier_of(found, k, loss)
    return RoomVerdict(
        room=found.names[k],
        emitter=found.rooms[k].emitter,
        parameters=tuple(
            _parameter(found, k, kind) for kind in range(KINDS) if _told(found, k, kind)
        ),
        loss=loss,
        error_k=error,
        floor_k=floor,
        tier=tier,
        missing=missing,
        left_out_h=float(found.strange_h[k]),
    )


def _told(found: RoomsFound, k: int, kind: int) -> bool:
    return kind != HEAT_GAIN or bool(found.believed_sd[KINDS * k + kind] > 0.1)


def deviations(found: RoomsFound) -> Array:
    """Deviations of all parameters as told, (count,): logarithms, or kW of internal gain."""
    sd = WIDER * found.sd
    unseen = np.full(len(sd), 0.1)
    loss = losses_kw_k(found.layout, found.theta[None])[0]
    for k, room in enumerate(found.rooms):
        own = slice(KINDS * k, KINDS * (k + 1))
        unseen[own] = _UNSEEN[room.emitter]
        unseen[KINDS * k + ROOM_KINDS.index("internal_kw")] = _UNSEEN_SHARE * 10.0 * loss[k]
    return np.asarray(np.sqrt(sd**2 + unseen**2))


def _parameter(found: RoomsFound, k: int, kind: int) -> Parameter:
    index, name = KINDS * k + kind, ROOM_KINDS[kind]
    value, sd = float(found.theta[index]), float(deviations(found)[index])
    share = float(found.sd[index] / found.believed_sd[index])
    seen: Seen = "measured" if share < _MEASURED else "partly" if share < _PARTLY else "believed"
    if name == "internal_kw":
        return Parameter(name, value, value - _Z95 * sd, value + _Z95 * sd, seen)
    return Parameter(name, exp(value), exp(value - _Z95 * sd), exp(value + _Z95 * sd), seen)


def loss_of(found: RoomsFound, k: int) -> Parameter:
    """Tell the steady loss of a room to the outdoors with its interval."""
    layout, theta = found.layout, found.theta[None]
    here = float(losses_kw_k(layout, theta)[0, k])
    slope = np.zeros(layout.count)
    for kind in (4, 5, 6):
        beside = theta.copy()
        beside[0, KINDS * k + kind] += 1e-4
        slope[KINDS * k + kind] = (np.log(losses_kw_k(layout, beside)[0, k]) - np.log(here)) / 1e-4
    own = WIDER * sqrt(max(float(slope @ found.covariance @ slope), 0.0))
    sd = sqrt(own**2 + _UNSEEN[found.rooms[k].emitter] ** 2)
    before = sqrt(float(slope @ found.believed_covariance @ slope))
    share = own / WIDER / before
    seen: Seen = "measured" if share < _MEASURED else "partly" if share < _PARTLY else "believed"
    return Parameter("ua_kw_k", here, here * exp(-_Z95 * sd), here * exp(_Z95 * sd), seen)


# --- trust -----------------------------------------------------------------------------------

ADVISE_DAYS, CONTROL_DAYS = 2, 4
ADVISE_GAIN, CONTROL_GAIN = 0.05, 0.15
CONTROL_K = 0.6


def tier_of(found: RoomsFound, k: int, loss: Parameter) -> tuple[Tier, str]:
    """Decide what a room's model may do, and say what is missing for the next tier."""
    tested = found.tested
    error, floor = _tested(found, k)
    if tested is None or error is None or floor is None:
        return Tier.OBSERVE, "days held back to test it on: six days of history or more"
    gain = 1.0 - error / max(floor, 1e-9)
    if tested.days < ADVISE_DAYS:
        return Tier.OBSERVE, f"{ADVISE_DAYS - tested.days} more tested days"
    if gain < ADVISE_GAIN:
        told = f"its error of {error:.2f} K is no better than {floor:.2f} K of the last value"
        return Tier.OBSERVE, f"{told} or yesterday's curve"
    lacking = []
    if tested.days < CONTROL_DAYS:
        lacking.append(f"{CONTROL_DAYS - tested.days} more tested days")
    if gain < CONTROL_GAIN:
        lacking.append(f"a gain of {CONTROL_GAIN:.0%} on the floor, not {gain:.0%}")
    if error > CONTROL_K:
        lacking.append(f"an error under {CONTROL_K} K, not {error:.2f} K")
    if loss.seen == "believed":
        lacking.append("a loss that was seen: weather or heat that vary more")
    if lacking:
        return Tier.ADVISE, "; ".join(lacking)
    return Tier.CONTROL, ""


def _tested(found: RoomsFound, k: int) -> tuple[float | None, float | None]:
    if found.tested is None or not np.isfinite(found.tested.ours_k[k]):
        return None, None
    return float(found.tested.ours_k[k]), float(found.tested.floor_k[k])
