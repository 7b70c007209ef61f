"""The house as one supervision tree: read this first.

`Surroundings` are the doors to the outside (a real house, the twin, fakes); `Pace` is how often
things happen. `tree` puts every actor in its place, `Appliance` runs them on a runtime.

    root        one_for_one; only safety and devices escalate through it to the guardian
    ├─ safety           first to start, last to stop
    ├─ rooms            one actor a room, each with its own rules and lease
    ├─ devices          control is live from here on
    ├─ infrastructure   may be away: the house goes on
    ├─ forecasting      may be away: the planner uses what it last heard
    └─ planning         may be away: rooms and battery follow the path, then their rules
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pems_actors.actors.base import (
    BATTERY,
    CONTROL,
    GATEWAY,
    HISTORY,
    INSPECTOR,
    INVERTER,
    MEMORY,
    METRICS,
    MQTT,
    Record,
    room_address,
)
from pems_actors.actors.battery import BatteryActor
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.control import ControlActor, Reply, Server, SocketRequest
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.estimator import EstimatorActor
from pems_actors.actors.gateway import GatewayActor
from pems_actors.actors.guard import GuardActor
from pems_actors.actors.history import HistoryActor
from pems_actors.actors.inspector import InspectorActor
from pems_actors.actors.inverter import InverterActor
from pems_actors.actors.load import LoadActor
from pems_actors.actors.meter import MeterActor
from pems_actors.actors.metrics import MetricsActor, Withheld
from pems_actors.actors.mqtt import Connect, MqttActor
from pems_actors.actors.outbox import Exporter, OutboxActor
from pems_actors.actors.plan_keeper import PlanKeeperActor
from pems_actors.actors.planner import PlannerActor
from pems_actors.actors.power_budget import PowerBudgetActor
from pems_actors.actors.prices import PricesActor
from pems_actors.actors.pv import PvActor
from pems_actors.actors.room import RoomActor
from pems_actors.actors.thermal import ThermalActor
from pems_actors.actors.weather import WeatherActor
from pems_actors.control.duty import loss_kw_k
from pems_actors.control.room import RoomFacts
from pems_actors.domain.commands import (
    DeviceCommand,
    SetBatteryMode,
    SetExport,
    SetHeating,
    device_of,
)
from pems_actors.domain.events import (
    AlarmChanged,
    ChargeShed,
    EnergyPlan,
    GuardOrder,
    ModeChanged,
    Outcome,
    PlanAdopted,
    RelayShed,
    Request,
    RoomPlan,
    StateEstimated,
    TreeChanged,
)
from pems_actors.domain.findings import ToInspect
from pems_actors.domain.forecasts import PriceCurve, WeatherForecast
from pems_actors.domain.house import House, Room
from pems_actors.domain.ports import History, PriceSource, WeatherSource
from pems_actors.domain.ports import House as HousePort
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import HOUR_S, iso
from pems_actors.durable.memory import Memory, Phase, StateProblem
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.mqtt_queues import Incoming
from pems_actors.gateways.order_door import OrderDoor, busy
from pems_actors.gateways.payloads import refusal_message
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Rejected
from supervision import (
    ActorSystem,
    ChildSpec,
    Context,
    Event,
    MailboxSpec,
    Park,
    Policy,
    Strategy,
    SupervisedActor,
    SupervisorSpec,
)
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildParked,
    ChildRestarted,
    HealthChanged,
    IncidentClosed,
    IncidentOpened,
)
from supervision.runtimes import Runtime
from supervision.worker import WorkerSpec

LEASES_END_OVER_S = 300.0
PARK = Park(retry_s=300.0)

NEWEST_COUNTS = (
    HouseReading, ToInspect, RoomPlan, EnergyPlan, PlanAdopted, StateEstimated,
    PriceCurve, WeatherForecast, AlarmChanged, TreeChanged,
)  # fmt: skip
NEVER_DROPPED = (RelayShed, ChargeShed, GuardOrder, ModeChanged, Outcome)
MAILBOX = MailboxSpec(
    bound=1000,
    policies={
        **dict.fromkeys(NEWEST_COUNTS, Policy.LATEST),
        **dict.fromkeys(NEVER_DROPPED, Policy.SAFETY),
        **dict.fromkeys((Request, SocketRequest), Policy.REJECT),
    },
)

SOLVER = WorkerSpec(
    name="planning/solver",
    target="pems_actors.optimisation.solver:factory",
    deadline_s=20.0,
    spare=True,
    memory_limit_mb=1024.0,  # of address space; a plan needs 200
)
TRAINER = WorkerSpec(
    name="forecasting/trainer", target="pems_actors.forecasting.pv_worker:factory", deadline_s=30.0
)


def _nothing(_: object) -> None:
    """Listen to nobody."""


@dataclass(frozen=True)
class Surroundings:
    """The doors to the outside. `armed` None: all devices may be written to."""

    port: HousePort
    prices: PriceSource
    weather: WeatherSource
    store: History
    connect: Connect
    server: Server | None = None
    exporter: Exporter | None = None
    armed: frozenset[str] | None = None
    save_armed: Callable[[frozenset[str] | None], None] = field(default=_nothing)
    memory: Memory = field(default_factory=Memory)
    clock_floor_s: float = float("-inf")  # house time cannot be earlier; none for a twin's


@dataclass(frozen=True)
class Pace:
    """How often things happen [s], and how the planner's worker is run."""

    control_tick_s: float = 60.0
    plan_every_s: float = 900.0
    horizon_s: float = 48 * HOUR_S
    heartbeat_s: float = 5.0
    publish_s: float = 60.0  # the meter's figures, which change all the time
    planning: bool = True
    demo: bool = False
    solver: WorkerSpec = SOLVER
    trainer: WorkerSpec = TRAINER


def room_facts(house: House, room: Room) -> RoomFacts:
    """Collect what does not change about a room."""
    model = next(m for m in house.model.rooms if m.name == room.name)
    relay = house.relay_of(room.name)
    share = dict(relay.members).get(room.name, 0.0) if relay is not None else 0.0
    limits = house.limits
    return RoomFacts(
        name=room.name,
        comfort=room.comfort,
        emitter=model.emitter,
        loss_kw_k=loss_kw_k(model),
        power_kw=share * relay.power_kw if relay is not None else 0.0,
        free_kw=model.internal_kw,
        timezone=house.site.timezone,
        limits=limits,
        surface_limit_c=limits.bath_surface_c if room.bath else limits.floor_surface_c,
    )


def actor_paths(house: House, *, planning: bool = True) -> frozenset[str]:
    """Addresses of all actors of a house, with or without the planning branch."""
    fixed = {
        "safety": ("guard", "power_budget"),
        "devices": ("gateway", "inspector", "battery", "inverter", "meter"),
        "infrastructure": ("history", "outbox", "mqtt", "control", "metrics"),
        "forecasting": ("weather", "prices", "pv", "load", "thermal"),
        "planning": ("estimator", "planner", "plan_keeper"),
    }
    if not planning:
        del fixed["planning"]
    paths = {f"{branch}/{name}" for branch, names in fixed.items() for name in names}
    return frozenset(paths | {room_address(room.name) for room in house.rooms})


class Appliance:
    """The running appliance: tree, write gate and record of everything that happened."""

    def __init__(
        self,
        house: House,
        tariff: Tariff,
        surroundings: Surroundings,
        pace: Pace,
        runtime: Runtime,
        *,
        topics: Topics | None = None,
        log: Callable[[str], None] | None = None,
        watch: Callable[[Event], None] | None = None,
        drills: bool = False,
        first_epoch: int = 1,
    ) -> None:
        self.house, self.tariff, self.pace = house, tariff, pace
        self.surroundings, self.topics = surroundings, topics or Topics()
        self.log = log or _nothing
        self.watch = watch or _nothing
        self.chronicle = Chronicle()
        self._decided: dict[str, tuple[object, ...]] = {}
        self._doing: dict[str, tuple[str, int | None]] = {}
        self._state_since: dict[str, tuple[float, str]] = {}
        self.writer = DeviceWriter(
            surroundings.port,
            self._witness,
            surroundings.armed,
            journal=surroundings.memory.journal,
        )
        self.system = ActorSystem(
            runtime, on_event=self._on_event, drills=drills, first_epoch=first_epoch
        )
        paths, runtime = actor_paths(house), self.system.runtime
        self.door = OrderDoor(self.topics, paths, runtime.now_s, runtime.process_s)
        self.link = surroundings.connect(self._on_arrival)

    def start(self) -> None:
        """Take the doors, give each device its one writer, start the tree, safety first.

        Raises: whatever the control socket raises, such as when the state directory is in use.
        """
        if self.surroundings.server is not None:
            self.surroundings.server.start(self._on_request)
        gate = self.system.gate
        for relay in self.house.relays:
            gate.grant(f"relay/{relay.name}", room_address(relay.name))
        gate.grant("battery", BATTERY)
        gate.grant("inverter", INVERTER)
        memory, runtime = self.surroundings.memory, self.system.runtime
        memory.attach(runtime.call_later, runtime.process_s)
        memory.load(actor_paths(self.house), runtime.now_s())
        self.system.start(remembering(self.tree(), memory))
        memory.listen(self._on_state_problem)
        self.link.start()
        self.surroundings.port.subscribe(self._on_reading)

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop the tree in reverse, then close the doors."""
        self.system.stop(timeout_s)
        self.surroundings.memory.close()
        if self.surroundings.server is not None:
            self.surroundings.server.close()
        self.link.close()
        self.surroundings.port.close()
        self.surroundings.store.close()

    def tree(self) -> SupervisorSpec:
        """Put every actor in its place."""
        parkable = (self._infrastructure(), self._forecasting())
        planning = (self._planning(),) if self.pace.planning else ()
        return SupervisorSpec(
            "root",
            Strategy.ONE_FOR_ONE,
            intensity=10,
            period_s=60.0,
            children=(self._safety(), self._rooms(), self._devices(), *parkable, *planning),
        )

    def _safety(self) -> SupervisorSpec:
        return SupervisorSpec(
            "safety",
            children=(
                _child("guard", lambda c: GuardActor(c, self.house, self.writer)),
                _child("power_budget", lambda c: PowerBudgetActor(c, self.house)),
            ),
        )

    def _rooms(self) -> SupervisorSpec:
        children = tuple(
            replace(self._room(index, room), when_exhausted=PARK)
            for index, room in enumerate(self.house.rooms)
        )
        return SupervisorSpec("rooms", children=children, when_exhausted=PARK)

    def _room(self, index: int, room: Room) -> ChildSpec:
        house, writer = self.house, self.writer
        facts, relay = room_facts(house, room), house.relay_of(room.name)
        owned = relay if relay is not None and relay.name == room.name else None
        owner = relay.name if relay is not None else None
        stagger_s = LEASES_END_OVER_S * index / max(1, len(house.rooms))
        return _child(room.name, lambda c: RoomActor(c, facts, owned, owner, writer, stagger_s))

    def _devices(self) -> SupervisorSpec:
        house, pace = self.house, self.pace
        return SupervisorSpec(
            "devices",
            children=(
                _child("battery", lambda c: BatteryActor(c, house, self.writer)),
                _child("inverter", lambda c: InverterActor(c, self.writer)),
                _child("meter", lambda c: MeterActor(c, pace.publish_s)),
                replace(
                    _child("inspector", lambda c: InspectorActor(c, house, pace.control_tick_s)),
                    when_exhausted=PARK,  # control goes on without it
                ),
                _child(
                    "gateway",
                    lambda c: GatewayActor(
                        c, house, self.tariff, pace.control_tick_s, self._known_s()
                    ),
                ),
            ),
        )

    def _known_s(self) -> tuple[float, float]:
        """Instants that house time cannot precede, and should not: what is on record."""
        floor_s = self.surroundings.clock_floor_s
        newest_s = self.surroundings.memory.newest_s
        return floor_s, newest_s if floor_s > float("-inf") else floor_s

    def _infrastructure(self) -> SupervisorSpec:
        outside, pace, paths = self.surroundings, self.pace, actor_paths(self.house)
        children = (
            _child("history", lambda c: HistoryActor(c, outside.store), deadline_s=5.0),
            _child("outbox", lambda c: OutboxActor(c, outside.exporter), deadline_s=60.0),
            _child(
                "metrics",
                lambda c: MetricsActor(c, self.writer, demo=pace.demo, edge=self.edge_counters),
            ),
            _child(
                "mqtt",
                lambda c: MqttActor(
                    c,
                    self.link,
                    self.topics,
                    pace.heartbeat_s,
                    simulation=pace.demo,
                    plan_every_s=pace.plan_every_s,
                    change_gap_s=pace.heartbeat_s / 5.0,
                ),
                deadline_s=5.0,
            ),
            _child(
                "control",
                lambda c: ControlActor(
                    c, self.house, paths, self.writer, outside.save_armed, self.chronicle
                ),
            ),
        )
        return _parked("infrastructure", children)

    def _forecasting(self) -> SupervisorSpec:
        house, outside = self.house, self.surroundings
        children = (
            _child("weather", lambda c: WeatherActor(c, house, outside.weather), deadline_s=30.0),
            _child(
                "prices", lambda c: PricesActor(c, outside.prices, self.tariff), deadline_s=30.0
            ),
            _child("pv", lambda c: PvActor(c, house, self.pace.trainer)),
            _child("load", lambda c: LoadActor(c, house.site.timezone)),
            _child("thermal", lambda c: ThermalActor(c, house)),
        )
        return _parked("forecasting", children)

    def _planning(self) -> SupervisorSpec:
        house, pace = self.house, self.pace
        children = (
            _child("estimator", lambda c: EstimatorActor(c, house, pace.plan_every_s)),
            _child("planner", lambda c: PlannerActor(c, house, pace.solver, pace.horizon_s)),
            _child("plan_keeper", lambda c: PlanKeeperActor(c, house)),
        )
        return replace(_parked("planning", children), strategy=Strategy.REST_FOR_ONE)

    def edge_counters(self) -> dict[str, int]:
        """Count what came from the broker and what became of it."""
        return {**self.link.counters, **self.door.counters}

    def _on_arrival(self, arrival: Incoming) -> None:
        """Read an order before it may wait anywhere; called from the connection's own thread."""
        order = self.door.judge(arrival)
        if order is None or self.system.tell(MQTT, order) or isinstance(order, Rejected):
            return
        now_s = self.system.runtime.now_s()
        self.link.publish(refusal_message(busy(order), now_s, self.topics))

    def _on_reading(self, reading: HouseReading) -> None:
        self.system.tell(GATEWAY, reading)

    def _on_request(self, body: dict[str, Any], reply: Reply) -> None:
        if not self.system.tell(CONTROL, SocketRequest(body, reply)):
            said = {"id": body.get("id"), "outcome": "failed"}
            reply({**said, "reason": "the house takes no orders just now; ask again in a moment"})

    def _witness(self, command: DeviceCommand, written: bool) -> None:
        """Record each command; called under the gate's lock, so it only hands over."""
        device = device_of(command)
        self.log(_line(command, device, written=written))
        if written and isinstance(command, SetHeating):
            self.system.tell(INSPECTOR, command)
        told = (written, command.level, _orders(command))
        if self._decided.get(device) == told:
            return  # a renewal of the lease: the same order again
        self._decided[device] = told
        body = {
            "device": device,
            "written": written,
            "level": int(command.level),
            "reason": command.reason,
            "lease_until": iso(command.lease_until_s),
            "command": repr(command),
        }
        self.system.tell(HISTORY, Record("decision", command.at_s, body))
        if not written:
            self.system.tell(METRICS, Withheld(command.at_s, device, repr(command)))

    def _on_state_problem(self, problem: StateProblem) -> None:
        """Tell what is wrong with the remembered state, as an incident and as a record."""
        now_s, where = self.system.runtime.now_s(), f"state/{problem.name}"
        said = {"name": problem.name, "reason": problem.reason, "phase": problem.phase.value}
        self.system.tell(HISTORY, Record("state_problem", now_s, said))
        start_s, cause = self._state_since.pop(where, (now_s, problem.reason))
        emit = self.system.journal.emit
        if problem.phase is not Phase.OVER:
            emit(IncidentOpened(now_s, where, f"{where}@{now_s:.0f}", cause, start_s, None))
        if problem.phase is Phase.BEGINS:
            self._state_since[where] = (start_s, cause)
        else:
            emit(
                IncidentClosed(now_s, where, f"{where}@{start_s:.0f}", cause, start_s, now_s, None)
            )

    def _on_event(self, event: Event) -> None:
        line = event.line()
        self.log(line)
        self.watch(event)
        self.chronicle.note(self.system.runtime.process_s(), event.path, type(event).__name__, line)
        if isinstance(event, IncidentOpened | IncidentClosed):
            self.system.tell(METRICS, event)
            self.system.tell(MQTT, event)
        elif self._changes_the_tree(event):
            self.system.tell(MQTT, TreeChanged())

    def _changes_the_tree(self, event: Event) -> bool:
        """Tell if somebody does better or worse than before; a new reason alone is no news."""
        if isinstance(event, HealthChanged):
            before, now = self._doing.get(event.path), (event.state, event.level)
            self._doing[event.path] = now
            return now != before and event.path != MQTT  # which has just told its own
        return isinstance(event, ChildFailed | ChildHung | ChildRestarted | ChildParked)


def remembering(spec: SupervisorSpec, memory: Memory) -> SupervisorSpec:
    """Give every actor of a tree the memory of the house."""
    children = tuple(
        remembering(child, memory)
        if isinstance(child, SupervisorSpec)
        else replace(child, args={MEMORY: memory})
        for child in spec.children
    )
    return replace(spec, children=children)


def _line(command: DeviceCommand, device: str, *, written: bool) -> str:
    """Write a command as one line of the log: time, device, what was ordered, until when, why."""
    verb = "write" if written else "withhold"
    orders = " ".join(str(order) for order in _orders(command))
    return (
        f"{command.at_s:.3f} {device} {verb} {orders} level={int(command.level)} "
        f"until={command.lease_until_s:.0f} {command.reason}"
    )


def _orders(command: DeviceCommand) -> tuple[object, ...]:
    """What a command orders, without its reason and times."""
    match command:
        case SetHeating(on=on):
            return (on,)
        case SetBatteryMode(mode=mode, rate_kw=rate_kw, stop_soc_frac=stop_soc_frac):
            return (mode, rate_kw, stop_soc_frac)
        case SetExport(allowed=allowed):
            return (allowed,)


def _child(
    name: str, factory: Callable[[Context], SupervisedActor], deadline_s: float = 2.0
) -> ChildSpec:
    return ChildSpec(name, factory, mailbox=MAILBOX, deadline_s=deadline_s)


def _parked(name: str, children: tuple[ChildSpec, ...]) -> SupervisorSpec:
    """A branch whose children, and itself, rest when restarting does not help."""
    resting = tuple(replace(child, when_exhausted=PARK) for child in children)
    return SupervisorSpec(name, children=resting, when_exhausted=PARK)
