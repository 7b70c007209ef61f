"""What rooms, battery and export say of themselves at the end of a step.

Orders are written when something changes, and to renew a lease; what an actor last decided, and
why, is in its mind. Who is away says nothing.
"""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import BATTERY, INSPECTOR, INVERTER, room_address
from pems_actors.actors.room_mind import RoomMind
from pems_actors.cosimulation.answer import Said
from pems_actors.domain.findings import Finding
from pems_actors.domain.house import House
from supervision import ActorSystem, AskTimeout, GetSnapshot, NobodyThere


def told_by(system: ActorSystem, house: House) -> dict[str, Said]:
    """Ask everybody who decides about something.

    Returns: by room, `battery` and `export`.
    """
    rooms = {room.name: _mind(system, room_address(room.name)) for room in house.rooms}
    said = {name: _of_room(mind) for name, mind in rooms.items() if mind is not None}
    for name, address in (("battery", BATTERY), ("export", INVERTER)):
        mind = _mind(system, address)
        if mind is not None and mind.choice is not None:
            said[name] = Said(mind.choice.level, mind.choice.reason)
    return said


def found_by(system: ActorSystem) -> tuple[Finding, ...]:
    """Ask the inspector what is wrong with sensors and relays; nobody there finds nothing."""
    inspection = _mind(system, INSPECTOR)
    return () if inspection is None else tuple(sorted(inspection.findings))


def waits(system: ActorSystem, house: House) -> bool:
    """Tell if some relay should be on and has found no power."""
    minds = (_mind(system, room_address(relay.name)) for relay in house.relays)
    return any(mind is not None and mind.owned is not None and mind.owned.starved for mind in minds)


def _of_room(mind: RoomMind) -> Said:
    """A relay's owner tells what was decided of the relay; another room, what it goes by."""
    ladder, owned = mind.ladder, mind.owned
    if owned is None or owned.wanted is None or owned.memory is None:
        return Said(ladder.level, ladder.reason)
    wanted = owned.wanted
    if owned.starved:
        return Said(wanted.level, "budget: waits for power")
    return Said(wanted.level, f"{wanted.rule}: {wanted.reason}")


def _mind(system: ActorSystem, address: str) -> Any:
    try:
        return system.ask(address, GetSnapshot()).state
    except (AskTimeout, NobodyThere):
        return None
