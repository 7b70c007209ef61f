"""All faults by name, in one table: drill, simulate and soak break the house by these words.

A row says what it strikes, what it does, where it can be done (`live` on a running house with
drills, `virtual` in a simulation, `process` by killing and stopping real processes) and how it is
done on virtual time. Who carries it out is elsewhere (`simulate.py`, `actors/control.py`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pems_actors.domain.house import House
from pems_actors.simulation.device_faults import DeviceFault
from pems_actors.simulation.device_faults import FaultKind as DeviceKind
from pems_actors.simulation.troubles import Trouble
from supervision.faults import Fault
from supervision.faults import FaultKind as ActorKind

HOUR_S = 3600.0


class Target(StrEnum):
    """What kind of thing a fault strikes."""

    ACTOR = "an actor, such as rooms/obyvak"
    BRANCH = "a branch of the tree, such as planning"
    ROOM = "a room's sensor, rooms/<room>"
    RELAY = "relay/<name>"
    LOAD = "load/<name>, in a house that has one"
    OUTDOOR = "outdoor"
    METER = "meter"
    INVERTER = "inverter"
    HOUSE = "house"
    BROKER = "broker"
    STORE = "store"
    PRICES = "prices"
    WEATHER = "weather"
    SOLVER = "planning/solver"
    CLOCK = "clock"
    CORE = "core"
    PROCESS = "guardian or a worker"


class Runs(StrEnum):
    """Where a fault can be done."""

    LIVE = "live"
    VIRTUAL = "virtual"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The core's clock jumps by `seconds`, and back at the end."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Suspend:
    """The process stands still while the house lives on, for as long as the fault lasts."""


@dataclass(frozen=True, slots=True)
class KillCore:
    """The core is gone without a farewell, and back with its memory at the end of the fault."""


How = Fault | DeviceFault | Trouble | ClockStep | Suspend | KillCore


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault.

    how: on virtual time; None where it takes real processes.    lasts_s: shortest and longest in
    a drawn story; zeros for what passes by itself.    watcher: address of the actor that should
    notice, empty if it is the target itself.    incident: beginning of the path at which it is told
    as an incident, `@` for the target; empty if it is not.
    matrix: rows of the fault matrix that it covers.
    """

    name: str
    target: Target
    does: str
    how: How | None
    lasts_s: tuple[float, float] = (0.0, 0.0)
    watcher: str = ""
    incident: str = ""
    live: bool = False
    matrix: tuple[int, ...] = ()

    @property
    def runs(self) -> frozenset[Runs]:
        """Where it can be done."""
        done = set[Runs]()
        if self.how is not None:
            done.add(Runs.VIRTUAL)
        if self.target in {Target.CORE, Target.PROCESS}:
            done.add(Runs.PROCESS)
        if self.live:
            done.add(Runs.LIVE)
        return frozenset(done)


def _actor(
    kind: ActorKind,
    does: str,
    matrix: tuple[int, ...],
    at_message: int | None = None,
    seconds: float = 30.0,
    count: int = 1,
) -> FaultRow:
    fault = Fault(kind, at_message, seconds, count)
    return FaultRow(kind.value, Target.ACTOR, does, fault, live=True, matrix=matrix)


_SHORT = (600.0, HOUR_S)
_LONG = (1800.0, 4 * HOUR_S)
_GATEWAY, _METER, _BATTERY = "devices/gateway", "devices/meter", "devices/battery"
_MQTT, _PRICES, _WEATHER = "infrastructure/mqtt", "forecasting/prices", "forecasting/weather"
_PLANNER, _HISTORY = "planning/planner", "infrastructure/history"
_SOLVER, _ROOM = Target.SOLVER, Target.ROOM

ROWS: tuple[FaultRow, ...] = (
    _actor(ActorKind.CRASH, "raises an exception", (1,)),
    _actor(ActorKind.CRASH_BASE, "raises SystemExit", (2,)),
    _actor(ActorKind.CRASH_START, "fails in its next starts", (8,), count=2),
    _actor(ActorKind.HANG, "stands still for half a minute", (3,)),
    _actor(ActorKind.SPIN, "stands still burning the processor", (4,)),
    _actor(ActorKind.SLOW, "takes long for its messages", (6,), seconds=0.6, count=5),
    _actor(ActorKind.POISON, "gets a message that crashes it, three times", (7,), count=3),
    _actor(ActorKind.FLOOD, "gets more messages than its mailbox holds", (11,), count=3000),
    _actor(ActorKind.DROP, "loses messages", (12,), at_message=1, count=5),
    FaultRow(
        "crash-loop",
        Target.ACTOR,
        "crashes at every message until its restarts are used up",
        Fault(ActorKind.CRASH, 1, count=8),
        matrix=(9,),
    ),
    FaultRow(
        "branch-crash",
        Target.BRANCH,
        "a supervisor dies with all that is under it",
        Fault(ActorKind.CRASH),
        matrix=(10,),
    ),
    FaultRow("sensor-stale", _ROOM, "says the same old reading again",
             DeviceFault(DeviceKind.SENSOR_STALE), _LONG, incident="@/", matrix=(18,)),
    FaultRow("sensor-missing", _ROOM, "says nothing",
             DeviceFault(DeviceKind.SENSOR_MISSING), _LONG, incident="@/", matrix=(18, 19)),
    FaultRow("sensor-stuck", _ROOM, "says the same value as if it were new",
             DeviceFault(DeviceKind.SENSOR_STUCK), _LONG, incident="@/", matrix=(20,)),
    FaultRow("sensor-jump", _ROOM, "is wrong by three kelvins",
             DeviceFault(DeviceKind.SENSOR_JUMP, amount=-3.0), _LONG, incident="@/", matrix=(21,)),
    FaultRow("sensor-nan", _ROOM, "says what is no number", Trouble.SENSOR_NAN, _LONG,
             incident="@/", matrix=(21,)),
    FaultRow("sensor-absurd", _ROOM, "says 85 °C", Trouble.SENSOR_ABSURD, _LONG,
             incident="@/", matrix=(21,)),
    FaultRow("window-open", _ROOM, "loses heat through an open window",
             DeviceFault(DeviceKind.WINDOW_OPEN, amount=0.03), _SHORT, incident="@/"),
    FaultRow("outdoor-missing", Target.OUTDOOR, "says nothing",
             DeviceFault(DeviceKind.SENSOR_MISSING), _LONG, incident="outdoor/", matrix=(18,)),
    FaultRow("outdoor-jump", Target.OUTDOOR, "is wrong by ten kelvins",
             DeviceFault(DeviceKind.SENSOR_JUMP, amount=10.0), _LONG, matrix=(21,)),
    FaultRow("relay-stuck-on", Target.RELAY, "its contact is welded",
             DeviceFault(DeviceKind.RELAY_STUCK_ON), _LONG, incident="@/", matrix=(29,)),
    FaultRow("relay-stuck-off", Target.RELAY, "never closes",
             DeviceFault(DeviceKind.RELAY_STUCK_OFF), _LONG, incident="@/", matrix=(30,)),
    FaultRow("load-ignores", Target.LOAD, "draws although it is held back",
             DeviceFault(DeviceKind.LOAD_IGNORES), _LONG, matrix=(29,)),
    FaultRow("meter-lost", Target.METER, "says nothing", DeviceFault(DeviceKind.METER_LOST),
             _LONG, _METER, incident="meter/"),
    FaultRow("meter-nan", Target.METER, "says what is no number", Trouble.METER_NAN, _LONG, _METER,
             incident="meter/"),
    FaultRow("soc-lost", Target.INVERTER, "tells no state of charge", Trouble.SOC_LOST, _LONG,
             _BATTERY, incident="battery/charge"),
    FaultRow("inverter-ignores", Target.INVERTER, "answers and obeys nothing",
             DeviceFault(DeviceKind.INVERTER_IGNORES), _LONG, _BATTERY,
             incident="battery/", matrix=(32,)),
    FaultRow("inverter-silent", Target.INVERTER, "is gone", Trouble.INVERTER_SILENT, _LONG,
             _BATTERY, incident="inverter/", matrix=(31,)),
    FaultRow("hdo-lost", Target.HOUSE, "the contact of blocked hours says nothing",
             Trouble.HDO_LOST, _LONG, incident="tariff/"),
    FaultRow("house-silent", Target.HOUSE, "sends no pictures of itself", Trouble.HOUSE_SILENT,
             _SHORT, _GATEWAY),
    FaultRow("house-deaf", Target.HOUSE, "loses every order", Trouble.HOUSE_DEAF, _SHORT),
    FaultRow("broker-down", Target.BROKER, "is away", Trouble.BROKER_DOWN, (600.0, HOUR_S), _MQTT,
             matrix=(22,)),
    FaultRow("store-refuses", Target.STORE, "takes no rows", Trouble.STORE_REFUSES, _SHORT,
             _HISTORY, matrix=(24, 25)),
    FaultRow("prices-down", Target.PRICES, "do not answer", Trouble.PRICES_DOWN, _LONG, _PRICES,
             matrix=(28,)),
    FaultRow("prices-missing", Target.PRICES, "are empty", Trouble.PRICES_MISSING, _LONG, _PRICES,
             matrix=(28,)),
    FaultRow("prices-nan", Target.PRICES, "are no numbers", Trouble.PRICES_NAN, _LONG, _PRICES,
             matrix=(28,)),
    FaultRow("prices-absurd", Target.PRICES, "are a hundredfold", Trouble.PRICES_ABSURD, _LONG,
             _PRICES, matrix=(28,)),
    FaultRow("prices-stale", Target.PRICES, "bring no news", Trouble.PRICES_STALE, _LONG, _PRICES,
             matrix=(28,)),
    FaultRow("weather-down", Target.WEATHER, "does not answer", Trouble.WEATHER_DOWN, _LONG,
             _WEATHER, matrix=(17,)),
    FaultRow("weather-missing", Target.WEATHER, "has no forecast", Trouble.WEATHER_MISSING, _LONG,
             _WEATHER, matrix=(17,)),
    FaultRow("weather-nan", Target.WEATHER, "forecasts no numbers", Trouble.WEATHER_NAN, _LONG,
             _WEATHER, matrix=(17,)),
    FaultRow("weather-absurd", Target.WEATHER, "forecasts summer heat, and more",
             Trouble.WEATHER_ABSURD, _LONG, _WEATHER, matrix=(17,)),
    FaultRow("weather-stale", Target.WEATHER, "brings no news", Trouble.WEATHER_STALE, _LONG,
             _WEATHER, matrix=(17,)),
    FaultRow("solver-slow", _SOLVER, "answers late", Trouble.SOLVER_SLOW, _SHORT, _PLANNER,
             matrix=(14,)),
    FaultRow("solver-late", _SOLVER, "misses its deadline", Trouble.SOLVER_LATE, _SHORT, _PLANNER,
             matrix=(14,)),
    FaultRow("solver-lost", _SOLVER, "never answers", Trouble.SOLVER_LOST, _SHORT, _PLANNER,
             matrix=(12, 14)),
    FaultRow("solver-crash", _SOLVER, "dies at its work", Trouble.SOLVER_CRASH, _SHORT, _PLANNER,
             matrix=(13,)),
    FaultRow("solver-refuses", _SOLVER, "finds no plan", Trouble.SOLVER_REFUSES, _SHORT, _PLANNER,
             matrix=(15,)),
    FaultRow("solver-nan", _SOLVER, "plans no numbers", Trouble.SOLVER_NAN, _SHORT, _PLANNER,
             matrix=(16,)),
    FaultRow("solver-absurd", _SOLVER, "plans more than there is", Trouble.SOLVER_ABSURD, _SHORT,
             _PLANNER, matrix=(16,)),
    FaultRow("clock-forward", Target.CLOCK, "is an hour ahead", ClockStep(HOUR_S), _SHORT,
             incident="clock/", matrix=(26,)),
    FaultRow("clock-back", Target.CLOCK, "is an hour behind", ClockStep(-HOUR_S), _SHORT,
             incident="clock/", matrix=(26,)),
    FaultRow("suspend", Target.CLOCK, "stands still: the computer sleeps", Suspend(),
             (60.0, 1800.0), incident="clock/", matrix=(5, 26)),
    FaultRow("kill", Target.PROCESS, "a worker's process is killed", None, live=True,
             matrix=(13,)),
    FaultRow("kill-core", Target.CORE, "its process is killed, and started again", KillCore(),
             (1.0, 300.0), matrix=(33, 34)),
    FaultRow("stop-core", Target.CORE, "its process is frozen", None, matrix=(5,)),
    FaultRow("kill-guardian", Target.PROCESS, "the guardian's process is killed", None,
             matrix=(35,)),
)  # fmt: skip

TABLE: Mapping[str, FaultRow] = {row.name: row for row in ROWS}
VIRTUAL = tuple(row for row in ROWS if row.how is not None)
BRANCHES = ("rooms", "devices", "infrastructure", "forecasting", "planning")


def row_named(name: str) -> FaultRow:
    """Find a fault. Raises: ValueError with the names that there are."""
    row = TABLE.get(name)
    if row is None:
        raise ValueError(f"fault {name!r} is unknown; give one of: {', '.join(TABLE)}")
    return row


@dataclass(frozen=True, slots=True)
class Places:
    """What can be struck in one house, by kind of target."""

    actors: Collection[str]
    rooms: Collection[str]
    relays: Collection[str]
    planning: bool = True
    loads: Collection[str] = ()
    _fixed: Mapping[Target, str] = field(
        default_factory=lambda: {
            target: target.value
            for target in Target
            if target not in {Target.ACTOR, Target.BRANCH, Target.ROOM, Target.RELAY, Target.LOAD}
        }
    )

    @classmethod
    def of(cls, house: House, actors: Collection[str], *, planning: bool) -> Places:
        """List the places of a house; `actors` are the addresses of its tree."""
        return cls(
            sorted(actors),
            tuple(f"rooms/{room.name}" for room in house.rooms),
            tuple(f"relay/{relay.name}" for relay in house.relays),
            planning,
            tuple(f"load/{load.name}" for load in house.loads),
        )

    def of_kind(self, target: Target) -> Sequence[str]:
        """List the places of one kind; none where the house has no such thing."""
        named = {
            Target.ACTOR: self.actors,
            Target.BRANCH: BRANCHES if self.planning else BRANCHES[:-1],
            Target.ROOM: self.rooms,
            Target.RELAY: self.relays,
            Target.LOAD: self.loads,
            Target.SOLVER: (target.value,) if self.planning else (),
        }
        return tuple(named[target] if target in named else (self._fixed[target],))


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault in a story: `after_s` from its start, for `lasts_s`."""

    name: str
    target: str
    after_s: float
    lasts_s: float = 0.0

    def __str__(self) -> str:
        """Write it as it can be read again: `NAME@TARGET:AFTER/LASTS` in seconds."""
        return f"{self.name}@{self.target}:{self.after_s:.10g}/{self.lasts_s:.10g}"


_STRIKE = re.compile(
    r"(?P<name>[a-z-]+)(?:@(?P<target>[\w/-]+))?"
    r"(?::(?P<after>\d+(?:\.\d+)?)(?:/(?P<lasts>\d+(?:\.\d+)?))?)?"
)


def read_strikes(text: str, places: Places, every_s: float = HOUR_S) -> tuple[Strike, ...]:
    """Read `NAME[@TARGET][:AFTER[/LASTS]],…`; without a time they come one after `every_s`.

    Without a target the first possible one is struck (an actor's fault: the planner, or the
    battery where nobody plans); without a length it lasts as long as the table's shortest.
    Raises: ValueError in a sentence.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(_read(part, places, k * every_s) for k, part in enumerate(parts, start=1))


def _read(text: str, places: Places, after_s: float) -> Strike:
    found = _STRIKE.fullmatch(text)
    if found is None:
        raise ValueError(f"fault {text!r} cannot be read; write NAME@TARGET:AFTER_S/LASTS_S")
    row = row_named(found["name"])
    if row.how is None:
        raise ValueError(f"fault {row.name!r} needs real processes; it cannot be simulated")
    target = found["target"] or _usual(row, places)
    if target not in places.of_kind(row.target):
        raise ValueError(f"fault {text!r}: there is no {target!r} here; it strikes {row.target}")
    lasts_s = row.lasts_s[0] if found["lasts"] is None else float(found["lasts"])
    return Strike(row.name, target, float(found["after"] or after_s), lasts_s)


def _usual(row: FaultRow, places: Places) -> str:
    possible = places.of_kind(row.target)
    if row.target is Target.ACTOR:
        return "planning/planner" if places.planning else "devices/battery"
    if not possible:
        raise ValueError(f"fault {row.name!r} strikes {row.target}, and this house has none")
    return possible[0]


def possible_rows(places: Places) -> tuple[FaultRow, ...]:
    """List the virtual faults that can strike something in this house."""
    return tuple(row for row in VIRTUAL if places.of_kind(row.target))


def draw_strikes(
    rng: random.Random, count: int, span_s: float, places: Places
) -> tuple[Strike, ...]:
    """Draw seeded faults over a span: half of them in actors, the rest anywhere else."""
    rows = possible_rows(places)
    actors = [row for row in rows if row.target in {Target.ACTOR, Target.BRANCH}]
    others = [row for row in rows if row not in actors]
    drawn = (_drawn(rng, rng.choice((actors, others)), span_s, places) for _ in range(count))
    return tuple(sorted(drawn, key=lambda strike: strike.after_s))


def _drawn(rng: random.Random, rows: Sequence[FaultRow], span_s: float, places: Places) -> Strike:
    row = rng.choice(rows)
    return strike_of(rng, row, round(rng.uniform(60.0, span_s), 1), places)


def strike_of(rng: random.Random, row: FaultRow, after_s: float, places: Places) -> Strike:
    """Draw where a fault strikes and how long it lasts."""
    target = rng.choice(places.of_kind(row.target))
    return Strike(row.name, target, after_s, round(rng.uniform(*row.lasts_s), 1))
