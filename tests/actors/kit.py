"""One actor on its stage: it plays its own part, probes stand at its neighbours' addresses.

`Stage` runs on virtual time inside a real supervision tree, so restarts, leases and late effects
are the real ones. Each probe only writes down what it hears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from pems_actors.actors.base import MEMORY
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.domain.commands import DeviceCommand
from pems_actors.domain.events import EnergyTick, Outdoor, Request, RoomTick
from pems_actors.domain.house import (
    BatteryModel,
    Comfort,
    Emitter,
    House,
    HouseModel,
    Relay,
    Roof,
    Room,
    Site,
)
from pems_actors.domain.ports import OnReading
from pems_actors.domain.readings import (
    BatteryReading,
    InverterReading,
    MeterReading,
    Quality,
    RoomReading,
)
from pems_actors.domain.units import seconds
from pems_actors.durable.memory import Memory
from pems_actors.house import MAILBOX, PARK, actor_paths
from pems_actors.physics.priors import room_model
from supervision import (
    ActorSystem,
    ChildSpec,
    Context,
    Event,
    Fault,
    SupervisedActor,
    SupervisorSpec,
    VirtualRuntime,
)

NOON = seconds("2026-01-15T12:00:00+01:00")
TICK_S = 60.0
M = TypeVar("M")

COMFORT = Comfort(day_c=22.0, night_c=20.0, band_k=0.5)
_LIVING = (("living", 0.6), ("kitchen", 0.4))
HOUSE = House(
    name="three rooms",
    site=Site(latitude_deg=49.5, longitude_deg=17.4),
    rooms=(
        Room("living", "living", COMFORT),
        Room("kitchen", "living", COMFORT),
        Room("bath", "bath", COMFORT, bath=True),
    ),
    relays=(
        Relay("living", 3.0, 3.1, _LIVING, (1.0, 0.0, 0.0)),
        Relay("bath", 1.0, 1.1, (("bath", 1.0),), (0.0, 1.0, 0.0)),
    ),
    model=HouseModel((
        room_model("living", Emitter.FLOOR, 1.8, 60.0),
        room_model("kitchen", Emitter.FLOOR, 1.2, 40.0),
        room_model("bath", Emitter.FLOOR, 1.0, 20.0),
    )),
    battery=BatteryModel(),
    roofs=(Roof("south", 5.0, 35.0, 180.0),),
)  # fmt: skip


class Probe(SupervisedActor):
    """Stands at a neighbour's address and writes down what it hears."""

    def __init__(self, context: Context, heard: list[tuple[float, Any]]) -> None:
        super().__init__(context)
        self.heard = heard

    def on_receive(self, message: Any) -> None:
        self.heard.append((self.now_s(), message))


class Doors:
    """A house port that takes every command and keeps it."""

    def __init__(self) -> None:
        self.commands: list[DeviceCommand] = []

    def subscribe(self, on_reading: OnReading) -> None:
        """Nothing is ever read here: the test tells the readings itself."""

    def apply(self, command: DeviceCommand) -> None:
        self.commands.append(command)

    def close(self) -> None:
        """Nothing to let go of."""


class Stage:
    """A system with one actor under test at `path` and probes everywhere else.

    factory: makes the actor from its context and the writer.    absent: addresses without a probe.
    leases: resources that the actor may write to.    memory: what outlived an earlier process.
    """

    def __init__(
        self,
        path: str,
        factory: Callable[[Context, DeviceWriter], SupervisedActor],
        *,
        house: House = HOUSE,
        leases: Iterable[str] = (),
        absent: Iterable[str] = (),
        armed: frozenset[str] | None = None,
        drills: bool = True,
        memory: Memory | None = None,
        start_s: float = NOON,
        seed: int = 1,
    ) -> None:
        self.path = path
        self.runtime = VirtualRuntime(seed=seed, start_s=start_s)
        self.events: list[Event] = []
        self.doors = Doors()
        self.witnessed: list[tuple[DeviceCommand, bool]] = []
        self.memory = memory or Memory()
        self.writer = DeviceWriter(
            self.doors,
            lambda c, w: self.witnessed.append((c, w)),
            armed,
            journal=self.memory.journal,
        )
        self.system = ActorSystem(self.runtime, on_event=self.events.append, drills=drills)
        self.heard: dict[str, list[tuple[float, Any]]] = {}
        for resource in leases:
            self.system.gate.grant(resource, path)
        self.system.start(self._tree(factory, actor_paths(house), frozenset(absent)))
        self.runtime.run_until_quiet()

    def _tree(
        self,
        factory: Callable[[Context, DeviceWriter], SupervisedActor],
        paths: frozenset[str],
        absent: frozenset[str],
    ) -> SupervisorSpec:
        branches: dict[str, list[ChildSpec]] = {}
        for path in sorted(paths - absent - {self.path}):
            branch, name = path.split("/")
            heard = self.heard.setdefault(path, [])
            probe = ChildSpec(name, lambda c, h=heard: Probe(c, h), mailbox=MAILBOX)
            branches.setdefault(branch, []).append(probe)
        branch, name = self.path.split("/")
        branches[branch] = branches.pop(branch, [])  # last, so that it finds everybody there
        subject = ChildSpec(
            name,
            lambda c: factory(c, self.writer),
            mailbox=MAILBOX,
            when_exhausted=PARK,
            args={MEMORY: self.memory},
        )
        branches[branch].append(subject)
        children = (SupervisorSpec(b, children=tuple(c)) for b, c in branches.items())
        return SupervisorSpec("root", children=tuple(children))

    # Time and messages.

    @property
    def now_s(self) -> float:
        return self.runtime.now_s()

    def tell(self, *messages: object) -> None:
        """Tell the actor under test and let everything happen that follows at once."""
        for message in messages:
            self.system.tell(self.path, message)
            self.runtime.run_until_quiet()

    def run(self, seconds_: float) -> None:
        self.runtime.run_for(seconds_)

    def crash(self, name: str = "crash") -> None:
        """Let the actor under test suffer a fault, and its successor start."""
        self.system.inject(self.path, Fault.named(name))
        self.runtime.run_until_quiet(within_s=0.0)

    def ask(self, message: object) -> Any:
        return self.system.ask(self.path, message)

    # What came of it.

    def all_heard(self, path: str, kind: type[M]) -> list[M]:
        """All messages of a kind that a neighbour heard, oldest first."""
        return [message for _, message in self.heard[path] if isinstance(message, kind)]

    def last(self, path: str, kind: type[M]) -> M:
        return self.all_heard(path, kind)[-1]

    def forget(self) -> None:
        """Forget what was heard and commanded so far."""
        for heard in self.heard.values():
            heard.clear()
        self.doors.commands.clear()
        self.witnessed.clear()
        self.events.clear()

    @property
    def commands(self) -> list[Any]:
        return self.doors.commands

    @property
    def state(self) -> Any:
        return self.system.state_of(self.path)

    @property
    def status(self) -> Any:
        return self.system.status(self.path)

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def outdoor(temp_c: float = 0.0) -> Outdoor:
    return Outdoor(temp_c, Quality.GOOD, "sensor")


def room_tick(
    at_s: float,
    room: str,
    temp_c: float | None = 22.0,
    *,
    on: bool | None = False,
    blocked: bool = False,
    outdoor_c: float = 0.0,
    **more: Any,
) -> RoomTick:
    """One tick of a room with a reading; `on` is its relay's contact."""
    reading = RoomReading(room, at_s, temp_c, on, **more)
    return RoomTick(at_s, reading, outdoor(outdoor_c), blocked)


def energy_tick(
    at_s: float,
    *,
    grid_kw: float | None = 1.0,
    phase_kw: tuple[float, float, float] | None = None,
    soc_frac: float | None = 0.5,
    battery: BatteryReading | None = None,
    battery_kw: float = 0.0,
    pv_kw: float | None = 0.0,
) -> EnergyTick:
    """One tick for battery, inverter, meter and budget; None leaves a device unread."""
    if battery is None and soc_frac is not None:
        battery = BatteryReading(at_s, soc_frac, battery_kw)
    inverter = None if pv_kw is None else InverterReading(at_s, pv_kw, True)
    meter = None if grid_kw is None else MeterReading(at_s, grid_kw, grid_kw, phase_kw)
    return EnergyTick(at_s, battery, inverter, meter)


def order(path: str, verb: str, *, id_: str = "1", **args: Any) -> Request:
    """A person's order as it comes out of the codec."""
    return Request(id_, path, verb, args, "", NOON)


def later(request: Request, **changes: Any) -> Request:
    return replace(request, **changes)
