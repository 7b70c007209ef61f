"""What the core asks of the worker that knows rooms, and what it answers: plain data.

Apart from the worker, so that the core can ask without touching anything that needs pandas. Every
room has a record of its own, `rooms/<room>`: one may be trusted while its neighbour is watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pems_actors.domain.house import HouseModel
from pems_actors.learning.life.card import ModelCard
from pems_actors.learning.life.jobs import Columns

FAMILY = "rooms"
OUTDOOR, GHI, AIR, HEAT, ASIDE = "outdoor_c", "ghi_w_m2", "temp_c_", "heat_kw_", "override_"


def record_of(room: str) -> str:
    """Name the record of a room."""
    return f"{FAMILY}/{room}"


@dataclass(frozen=True, slots=True)
class TrainRooms:
    """Identify all rooms of a history together and keep them in the registry at `folder`.

    `believed`: the rooms as configured. `present` names the version in use of each room: a new one
    is compared with it on days that it has not seen either.
    """

    folder: str
    believed: HouseModel
    history: Columns
    now_s: float
    present: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoomsTrained:
    """The card as kept, the same with each room's own errors, the model, and what was seen."""

    card: ModelCard
    rooms: Mapping[str, ModelCard]
    model: HouseModel
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeRooms:
    """Let versions run free through the day from `start_s` on, which none of them has seen.

    `history` has some days before it too, from which the hidden masses are known at its start.
    """

    folder: str
    believed: HouseModel
    history: Columns
    start_s: float
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoomErrors:
    """One room on the judged day, by version and of the house as configured [K]; `rows` known."""

    rows: int
    error: Mapping[str, float] = field(default_factory=dict)
    inside: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoomsJudged:
    """Errors by room, the models of all versions asked, and why others cannot be asked."""

    start_s: float
    rooms: Mapping[str, RoomErrors]
    models: Mapping[str, HouseModel]
    broken: Mapping[str, str] = field(default_factory=dict)
    said: str = ""


RoomJob = TrainRooms | JudgeRooms
