"""What is believed of rooms before anything was measured, and how firmly.

From a room's area, emitter and age, or from a model that somebody wrote down; sizes of one room are
wrong together (a guessed area makes all its masses too large), losses are wrong together, and each
is wrong by itself a little more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from pems_actors.domain.house import Emitter, HouseModel, RoomModel
from pems_actors.learning.rooms.network import HEAT_GAIN, INTERNAL, KINDS, ROOM_KINDS, Array, Layout
from pems_actors.physics.priors import ROOM_HEIGHT_M, room_model

AREA_PER_KW_M2 = 12.5  # 80 W of installed heat per square metre
UNHEATED_M2 = 12.0
WET_TIME_H, WET_OUTLET = 0.6, 1.5
_UNKNOWN_UNIT_SD = 0.5
LEAST_SOLAR_M2, LEAST_LINK_KW_K = 0.02, 1e-4


class Age(StrEnum):
    """How old a building is, which tells what it loses."""

    OLD = "old"  # before 1980, not insulated
    MIDDLE = "middle"  # 1980 to 2005, or renewed
    NEW = "new"  # 2006 to 2019
    LOW_ENERGY = "low_energy"  # after 2020, or a passive house


UA_KW_K_M2 = {Age.OLD: 0.0032, Age.MIDDLE: 0.0021, Age.NEW: 0.0014, Age.LOW_ENERGY: 0.0008}


@dataclass(frozen=True, slots=True)
class Firmness:
    """Deviations of beliefs, as parts (0.3: usually wrong by 30 %); `internal_kw` in kW."""

    size: float  # of all masses and inner conductances of a room together
    masses: float  # of each by itself
    inner: float
    loss: float  # of both losses together
    losses: float
    solar: float
    internal_kw: float
    link: float
    panel: float  # of the time in which a panel answers


WRITTEN = Firmness(0.20, 0.20, 0.20, 0.20, 0.15, 0.30, 0.04, 0.30, 0.50)
GUESSED = Firmness(0.45, 0.35, 0.35, 0.50, 0.35, 0.80, 0.10, 1.00, 0.70)


def cold_room(
    name: str,
    emitter: Emitter,
    power_kw: float = 0.0,
    area_m2: float | None = None,
    age: Age | None = None,
) -> RoomModel:
    """Guess a room from what people know of it.

    Args:
        power_kw: heat installed, 0 if nothing heats it.
        area_m2: floor area; None: from the power.    age: of the building; None: from the power.
    """
    if area_m2 is None:
        area_m2 = AREA_PER_KW_M2 * power_kw if power_kw > 0.0 else UNHEATED_M2
    area_m2 = max(area_m2, 1.0)
    loss = None if age is None else UA_KW_K_M2[age] * area_m2
    return room_model(name, emitter, power_kw, area_m2 * ROOM_HEIGHT_M, ua_kw_k=loss)


def wet_panel(room: RoomModel) -> RoomModel:
    """Make of an electric panel one with water in it, which answers after half an hour."""
    outlet = room.g_screed_air_kw_k * WET_OUTLET
    return replace(room, g_screed_air_kw_k=outlet, c_screed_kwh_k=WET_TIME_H * outlet)


def parameters_of(rooms: Sequence[RoomModel], links: Sequence[float] = ()) -> Array:
    """Write rooms and links as parameters, shape (count,)."""
    rows = [[_parameter(room, kind) for kind in ROOM_KINDS] for room in rooms]
    joined = np.log(np.maximum(np.array(links, float), LEAST_LINK_KW_K))
    return np.concatenate([np.array(rows, float).ravel(), joined])


def _parameter(room: RoomModel, kind: str) -> float:
    if kind == "heat_gain":
        return 0.0
    value = float(getattr(room, kind))
    if kind == "internal_kw":
        return value
    return float(np.log(max(value, LEAST_SOLAR_M2 if kind == "solar_m2" else 1e-6)))


def house_model(
    names: Sequence[str],
    emitters: Sequence[Emitter],
    layout: Layout,
    theta: Array,
) -> HouseModel:
    """Write parameters, shape (count,), as a house."""
    values = layout.values(theta)
    rooms = []
    for k, (name, emitter) in enumerate(zip(names, emitters, strict=True)):
        own = values[KINDS * k : KINDS * k + HEAT_GAIN].tolist()
        rooms.append(RoomModel(name, emitter, *own))
    conductances = values[KINDS * layout.rooms :].tolist()
    links = zip(layout.links, conductances, strict=True)
    return HouseModel(tuple(rooms), tuple((names[a], names[b], g) for (a, b), g in links))


def covariance(room: RoomModel, firm: Firmness, gain_sd: float) -> Array:
    """Write how unsure a room's ten parameters are, shape (10, 10)."""
    size, loss = np.zeros(KINDS), np.zeros(KINDS)
    known_unit = gain_sd < _UNKNOWN_UNIT_SD  # else only ratios show: the size stays as believed
    size[:5] = firm.size if known_unit else 0.1
    loss[5:7] = firm.loss if known_unit else 0.2
    alone = np.array(
        [firm.masses] * 3
        + [firm.inner] * 2
        + [firm.losses] * 2
        + [firm.solar, firm.internal_kw + 0.3 * abs(room.internal_kw), gain_sd]
    )
    whole = np.outer(size, size) + np.outer(loss, loss) + np.diag(alone**2)
    if room.emitter is Emitter.PANEL:
        _panel(whole, firm)
    return np.asarray(whole)


def _panel(whole: Array, firm: Firmness) -> None:
    """Tie a panel's body to its conductance: it is the time between them that is unsure.

    Electric ones answer within minutes, wet ones within an hour; none is 300 K over the air.
    """
    body, outlet = ROOM_KINDS.index("c_screed_kwh_k"), ROOM_KINDS.index("g_screed_air_kw_k")
    whole[[body, outlet]] = 0.0
    whole[:, [body, outlet]] = 0.0
    whole[outlet, outlet] = whole[outlet, body] = whole[body, outlet] = firm.inner**2
    whole[body, body] = firm.inner**2 + firm.panel**2


def precision(
    rooms: Sequence[RoomModel],
    firm: Firmness | Mapping[str, Firmness],
    links: int,
    gain_sd: Sequence[float],
) -> Array:
    """Join the beliefs of all rooms and links, shape (count, count)."""
    count = KINDS * len(rooms) + links
    whole = np.zeros((count, count))
    for k, (room, sd) in enumerate(zip(rooms, gain_sd, strict=True)):
        own = slice(KINDS * k, KINDS * (k + 1))
        how = firm if isinstance(firm, Firmness) else firm[room.name]
        whole[own, own] = np.linalg.inv(covariance(room, how, sd))
    link_sd = firm.link if isinstance(firm, Firmness) else max(f.link for f in firm.values())
    joined = np.arange(KINDS * len(rooms), count)
    whole[joined, joined] = 1.0 / link_sd**2
    return whole


__all__ = [
    "GUESSED",
    "INTERNAL",
    "WRITTEN",
    "Age",
    "Firmness",
    "cold_room",
    "covariance",
    "house_model",
    "parameters_of",
    "precision",
    "wet_panel",
]
