"""From rooms that are trusted to one house model: theirs as identified, the others as configured.

Pure and plain. A link is taken from the readings only where both its rooms are; and a model with
which nobody could reckon is refused, whoever trusts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from math import isfinite

from pems_actors.domain.house import HouseModel, RoomModel
from pems_actors.domain.learned_rooms import LearnedRooms
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.room_jobs import record_of

_MAY_BE_NONE = {"g_air_outdoor_kw_k", "g_structure_outdoor_kw_k", "solar_m2"}  # may be 0
_SIGNED = {"name", "emitter", "internal_kw"}
_FAR_TIMES = 20.0  # nothing of a room is so many times what its size lets believe
_LEAST = 0.05  # of a belief, in any of the units
_MOST_KW = 2.0


def served(ledgers: Mapping[str, Ledger], models: Mapping[str, HouseModel]) -> dict[str, str]:
    """Give the version of each room that is trusted with control and whose model is at hand."""
    found = {}
    for room, ledger in ledgers.items():
        standing = ledger.serving
        if standing is not None and standing.version in models:
            found[room] = standing.version
    return found


def house_of(
    believed: HouseModel, serving: Mapping[str, str], models: Mapping[str, HouseModel]
) -> LearnedRooms:
    """Join the trusted rooms with those that are as configured."""
    if not serving:
        return LearnedRooms(None, {}, "no room is trusted: all are as configured")
    rooms = tuple(
        _room(models[serving[room.name]], room.name) or room if room.name in serving else room
        for room in believed.rooms
    )
    links = tuple(_link(link, serving, models) for link in believed.links)
    said = f"{len(serving)} of {len(rooms)} rooms as identified"
    return LearnedRooms(HouseModel(rooms, links), dict(serving), said)


def _room(model: HouseModel, name: str) -> RoomModel | None:
    return next((room for room in model.rooms if room.name == name), None)


def _link(
    link: tuple[str, str, float], serving: Mapping[str, str], models: Mapping[str, HouseModel]
) -> tuple[str, str, float]:
    one, other, _ = link
    if one not in serving or other not in serving:
        return link
    newest = max(serving[one], serving[other], key=number_of)
    found = (each for each in models[newest].links if set(each[:2]) == {one, other})
    return next(found, link)


def number_of(version: str) -> int:
    """Give the number of a version: 3 of `identified.3`."""
    number = version.rpartition(".")[2]
    return int(number) if number.isdigit() else 0


def fault_of(model: HouseModel, believed: RoomModel) -> str:
    """Say why nobody could reckon with a room of an identified model; empty if one can."""
    found = _room(model, believed.name)
    if found is None:
        return f"it knows no {believed.name}"
    for each in fields(found):
        if each.name in _SIGNED:
            continue
        value, usual = getattr(found, each.name), getattr(believed, each.name)
        least = 0.0 if each.name in _MAY_BE_NONE else 1e-9
        if not isfinite(value) or value < least or value > _FAR_TIMES * max(usual, _LEAST):
            return f"{each.name} is {value:g}, believed to be {usual:g}"
    if not isfinite(found.internal_kw) or abs(found.internal_kw) > _MOST_KW:
        return f"internal_kw is {found.internal_kw:g}"
    if found.g_air_outdoor_kw_k + found.g_structure_outdoor_kw_k <= 0.0:
        return "it loses nothing to the outdoors"
    return ""


def records(rooms: tuple[RoomModel, ...], ledgers: Mapping[str, Ledger]) -> dict[str, Ledger]:
    """Give every room its record: as it is, or a new one."""
    return {
        room.name: ledgers.get(record_of(room.name), Ledger(record_of(room.name))) for room in rooms
    }
