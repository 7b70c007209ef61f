"""What must hold between the rooms, the relays and the phases of a house, as findings.

Each check is a small function over valid models and says which sections it reads, so that one
broken section does not hide the problems of the others. `check_energy.py` has the other half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isclose

from config.check_energy import CHECKS as ENERGY_CHECKS
from config.problems import Finding, unknown
from config.system import PHASES, SystemConfig

Check = Callable[[SystemConfig], Iterable[Finding]]


def run(system: SystemConfig, sections: Iterable[str]) -> list[Finding]:
    """Run every check whose sections are all valid."""
    valid = frozenset(sections)
    return [
        finding
        for needs, check in (*CHECKS, *ENERGY_CHECKS)
        if valid.issuperset(needs)
        for finding in check(system)
    ]


def keys(system: SystemConfig) -> Iterator[Finding]:
    """Room keys differ in more than their case, and none is called default."""
    seen = Counter(key.casefold() for key in system.rooms)
    for key in system.rooms:
        if seen[key.casefold()] > 1:
            yield Finding(("rooms", key), "differs from another room only by case; rename one")
        if key.casefold() == "default":
            yield Finding(("rooms", key), "is the name of the default set-points; rename the room")


def members(system: SystemConfig) -> Iterator[Finding]:
    """A relay is named after a room it heats, its members exist and its shares sum to 1."""
    for key, relay in system.relays.items():
        path = ("relays", key, "members")
        for room in relay.members:
            if room not in system.rooms:
                says = unknown(room, tuple(system.rooms), one_of="rooms are")
                yield Finding((*path, room), says)
        total = sum(relay.members.values())
        if not isclose(total, 1, abs_tol=1e-6):
            yield Finding(path, f"have shares that sum to {total:g}; give shares that sum to 1")
        if key not in relay.members:
            says = f"do not name {key}; name the relay after one of the rooms it heats"
            yield Finding(path, says)


def heated_once(system: SystemConfig) -> Iterator[Finding]:
    """Each room is heated by exactly one relay, the one it names, or declared unheated."""
    for key, room in system.rooms.items():
        heats = [name for name, relay in system.relays.items() if key in relay.members]
        if room.actuator != "none":
            if says := _heating_fault(key, room.relay, heats, tuple(system.relays)):
                yield Finding(("rooms", key, "relay"), says)
        elif unwanted := next(iter(heats), room.relay):
            says = f'is "none" but relay {unwanted} heats it; drop one of both'
            yield Finding(("rooms", key, "actuator"), says)


def _heating_fault(
    room: str, named: str | None, heats: Sequence[str], relays: Sequence[str]
) -> str | None:
    """Say what is wrong between the relay a room names and the relays that name the room."""
    if named is None:
        return 'is missing; name the relay that heats it, or give "actuator": "none"'
    if named not in relays:
        return f'is "{named}", which {unknown(named, relays, one_of="relays are")}'
    if named not in heats:
        return f'is "{named}", whose members do not name it; add "{room}" to them'
    if len(heats) > 1:
        return f"is not the only one: {' and '.join(heats)} heat it; keep one"
    return None


def one_voice(system: SystemConfig) -> Iterator[Finding]:
    """Rooms on one relay are told in the same way: switched, or sent set-points."""
    for key, relay in system.relays.items():
        ways = {system.rooms[room].actuator for room in relay.members if room in system.rooms}
        if len(ways - {"none"}) > 1:
            says = "mix relay and climate rooms; give all members the same actuator"
            yield Finding(("relays", key, "members"), says)


def neighbours(system: SystemConfig) -> Iterator[Finding]:
    """Neighbours exist, are other rooms, and both sides agree on what is between."""
    for key, room in system.rooms.items():
        for other, between in room.neighbours.items():
            path = ("rooms", key, "neighbours", other)
            if other == key or other not in system.rooms:
                rooms = tuple(name for name in system.rooms if name != key)
                yield Finding(path, unknown(other, rooms, one_of="other rooms are"))
                continue
            back = system.rooms[other].neighbours.get(key, between)
            if back != between:
                says = f'is "{between}" but {other} says "{back}"; give both the same'
                yield Finding(path, says)


def ratings(system: SystemConfig) -> Iterator[Finding]:
    """Power ratings are of relays; a room on another's relay has its power inside that one."""
    for key in system.room_power_ratings_kw:
        if key in system.relays:
            continue
        path = ("room_power_ratings_kw", key)
        room = system.rooms.get(key)
        if room and room.relay:
            says = f"has no relay of its own; it is inside relay {room.relay}, give the sum there"
            yield Finding(path, says)
        else:
            yield Finding(path, unknown(key, tuple(system.relays), one_of="relays are"))


def nameplates(system: SystemConfig) -> Iterator[Finding]:
    """An effective power above the printed one is unlikely."""
    for key, relay in system.relays.items():
        power = relay.power
        if power.nameplate_kw and power.effective_kw > power.nameplate_kw * 1.05:
            says = (
                f"is {power.effective_kw:g}, above nameplate_kw {power.nameplate_kw:g}; check both"
            )
            yield Finding(("relays", key, "power", "effective_kw"), says, "warning")


def relay_under_breaker(system: SystemConfig) -> Iterator[Finding]:
    """No relay alone exceeds a phase, and each sits on a phase that the house has."""
    grid = system.grid
    for key, relay in system.relays.items():
        if grid.phases == 1 and relay.phase != "L1":
            says = f'is "{relay.phase}" in a house of one phase; give L1'
            yield Finding(("relays", key, "phase"), says)
            continue
        worst_kw = max(relay.kw_on(phase, nameplate=True) for phase in PHASES)
        if worst_kw > grid.phase_kw:
            says = (
                f"puts {worst_kw:g} kW on one phase of {grid.phase_kw:g} kW ({grid.breaker_a:g} A);"
                " give the phase it is really on, L123 if on all three"
            )
            yield Finding(("relays", key, "phase"), says)


def all_on(system: SystemConfig) -> Iterator[Finding]:
    """All relays on at once over the breaker is allowed, and worth knowing."""
    grid = system.grid
    amps = {
        phase: 1000 * kw / grid.voltage_v for phase, kw in system.phase_kw(nameplate=True).items()
    }
    over = [f"{phase} {amp:.1f} A" for phase, amp in amps.items() if amp > grid.breaker_a]
    if over:
        says = (
            f"all on at nameplate power would draw {', '.join(over)} of {grid.breaker_a:g} A;"
            " the power budget makes them take turns, check that each phase is the real one"
        )
        yield Finding(("relays",), says, "warning")


def heating_cap(system: SystemConfig) -> Iterator[Finding]:
    """Every relay fits under the heating cap and the import limit."""
    cap_kw = min(system.limits.heating_kw, system.grid.import_kw)
    for key, relay in system.relays.items():
        if relay.power.effective_kw > cap_kw:
            effective_kw = relay.power.effective_kw
            says = f"is {effective_kw:g}, above the limit of {cap_kw:g} kW; correct one of both"
            yield Finding(("relays", key, "power", "effective_kw"), says)


def left_cold(system: SystemConfig) -> Iterator[Finding]:
    """A relay that falls to off by itself leaves rooms cold when the appliance is away."""
    cold = [key for key, relay in system.relays.items() if relay.native == "off"]
    if cold:
        says = (
            f'have native "off" at {", ".join(cold)}: without this system those rooms cool down;'
            ' give "thermostat" where the device can do it'
        )
        yield Finding(("relays",), says, "warning")


def modelled(system: SystemConfig) -> Iterator[Finding]:
    """A thermal model is of rooms that there are, with the emitter that they have."""
    rooms, path = system.rooms, ("house_model", "rooms")
    for key, body in system.house_model.rooms.items():
        if key not in rooms:
            yield Finding((*path, key), unknown(key, tuple(rooms), one_of="rooms are"))
        elif body.emitter != rooms[key].emitter:
            says = (
                f'is "{body.emitter}" but the room has "{rooms[key].emitter}"; give both the same'
            )
            yield Finding((*path, key, "emitter"), says)
    for place, (one, other, _) in enumerate(system.house_model.links):
        for key in (one, other):
            if key not in rooms:
                says = f"names {key}, which {unknown(key, tuple(rooms), one_of='rooms are')}"
                yield Finding(("house_model", "links", place), says)


def loads(system: SystemConfig) -> Iterator[Finding]:
    """A flexible load has a name of its own, and fits alone under the breaker and the contract."""
    grid, taken = system.grid, {*system.rooms, *system.relays, "battery", "export", "inverter"}
    for key, load in system.loads.items():
        if key in taken:
            says = "has the name of a room or a device; give it another, like car or boiler"
            yield Finding(("loads", key), says)
        if grid.phases == 1 and load.phase != "L1":
            says = f'is "{load.phase}" in a house of one phase; give L1'
            yield Finding(("loads", key, "phase"), says)
            continue
        worst_kw = max(load.kw_on(phase) for phase in PHASES)
        if worst_kw > grid.phase_kw or load.power_kw > grid.import_kw:
            says = (
                f"is {load.power_kw:g}, more than a phase of {grid.phase_kw:g} kW or the import of"
                f" {grid.import_kw:g} kW carries; give the power that it is set to"
            )
            yield Finding(("loads", key, "power_kw"), says)


def worn(system: SystemConfig) -> Iterator[Finding]:
    """An inverter told another power each quarter hour must not keep it in a wearing register."""
    if system.inverter.capability == "power":
        says = (
            'is "power": orders may change every minute; give "modes" for an inverter that'
            " writes them to registers that wear, like a Growatt"
        )
        yield Finding(("inverter", "capability"), says, "warning")


CHECKS: tuple[tuple[tuple[str, ...], Check], ...] = (
    (("rooms",), keys),
    (("rooms", "relays"), members),
    (("rooms", "relays"), heated_once),
    (("rooms", "relays"), one_voice),
    (("rooms",), neighbours),
    (("rooms", "house_model"), modelled),
    (("rooms", "relays", "room_power_ratings_kw"), ratings),
    (("relays",), nameplates),
    (("relays", "grid"), relay_under_breaker),
    (("relays", "grid"), all_on),
    (("relays", "limits", "grid"), heating_cap),
    (("relays",), left_cold),
    (("loads", "rooms", "relays", "grid"), loads),
    (("inverter",), worn),
)
