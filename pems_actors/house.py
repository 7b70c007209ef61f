"""The house as one supervision tree: read this first.

`HouseTree` puts every actor in its place; `surroundings.py` is what they are given, `appliance.py`
runs them.

    root        one_for_one; only safety and devices escalate through it to the guardian
    ├─ safety           first to start, last to stop
    ├─ rooms            one actor a room, each with its own rules and lease
    ├─ devices          control is live from here on
    ├─ loads            car and boiler, where there are any: each serves itself when left alone
    ├─ infrastructure   may be away: the house goes on
    ├─ forecasting      may be away: the planner uses what it last heard
    └─ planning         may be away: rooms and battery follow the path, then their rules
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pems_actors.actors.base import MEMORY, load_address, room_address
from pems_actors.actors.battery import BatteryActor
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.control import ControlActor, SocketRequest
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.estimator import EstimatorActor
from pems_actors.actors.flexible_load import FlexibleLoadActor
from pems_actors.actors.gateway import GatewayActor
from pems_actors.actors.guard import GuardActor
from pems_actors.actors.history import HistoryActor
from pems_actors.actors.inspector import InspectorActor
from pems_actors.actors.inverter import InverterActor
from pems_actors.actors.learner import LearnerActor
from pems_actors.actors.load import LoadActor
from pems_actors.actors.meter import MeterActor
from pems_actors.actors.metrics import MetricsActor
from pems_actors.actors.mqtt import Link, MqttActor
from pems_actors.actors.outbox import OutboxActor
from pems_actors.actors.plan_keeper import PlanKeeperActor
from pems_actors.actors.planner import PlannerActor
from pems_actors.actors.power_budget import PowerBudgetActor
from pems_actors.actors.prices import PricesActor
from pems_actors.actors.pv import PvActor
from pems_actors.actors.room import RoomActor
from pems_actors.actors.room_learner import RoomLearnerActor
from pems_actors.actors.thermal import ThermalActor
from pems_actors.actors.weather import WeatherActor
from pems_actors.control.duty import loss_kw_k
from pems_actors.control.floor import floors_of
from pems_actors.control.room import RoomFacts
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
from pems_actors.domain.findings import ClockJumped, ToInspect
from pems_actors.domain.flexible_load import FlexibleLoad, LoadPlan, LoadShed
from pems_actors.domain.forecasts import LearnedForecast, PriceCurve, WeatherForecast
from pems_actors.domain.house import Emitter, House, Room, RoomModel
from pems_actors.domain.learned_rooms import LearnedRooms
from pems_actors.domain.readings import HouseReading
from pems_actors.durable.memory import Memory
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.open_orders import OpenOrders
from pems_actors.gateways.topics import Topics
from pems_actors.surroundings import Pace, Surroundings
from supervision import (
    ChildSpec,
    Context,
    MailboxSpec,
    Park,
    Policy,
    Strategy,
    SupervisedActor,
    SupervisorSpec,
)

LEASES_END_OVER_S = 300.0
PARK = Park(retry_s=300.0)

NEWEST_COUNTS = (
    HouseReading, ToInspect, RoomPlan, EnergyPlan, PlanAdopted, StateEstimated,
    PriceCurve, WeatherForecast, LearnedForecast, LearnedRooms, AlarmChanged, TreeChanged, LoadPlan,
)  # fmt: skip
NEVER_DROPPED = (RelayShed, ChargeShed, LoadShed, GuardOrder, ModeChanged, ClockJumped, Outcome)
MAILBOX = MailboxSpec(
    bound=1000,
    policies={
        **dict.fromkeys(NEWEST_COUNTS, Policy.LATEST),
        **dict.fromkeys(NEVER_DROPPED, Policy.SAFETY),
        **dict.fromkeys((Request, SocketRequest), Policy.REJECT),
    },
)


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
        floors=floors_of(house, relay) if relay is not None and relay.name == room.name else (),
        capacity_kwh_k=_slow_kwh_k(model),
    )


def _slow_kwh_k(model: RoomModel) -> float:
    """What has to become warm before the air does: all masses of a floor, nothing of a panel's."""
    if model.emitter is Emitter.PANEL:
        return 0.0
    return model.c_screed_kwh_k + model.c_air_kwh_k + model.c_structure_kwh_k


def actor_paths(house: House, *, planning: bool = True, learning: bool = False) -> frozenset[str]:
    """Addresses of all actors of a house, with or without the planning branch and learners."""
    fixed: dict[str, tuple[str, ...]] = {
        "safety": ("guard", "power_budget"),
        "devices": ("gateway", "inspector", "battery", "inverter", "meter"),
        "infrastructure": ("history", "outbox", "mqtt", "control", "metrics"),
        "forecasting": ("weather", "prices", "pv", "load", "thermal"),
        "planning": ("estimator", "planner", "plan_keeper"),
    }
    if not planning:
        del fixed["planning"]
    if learning:
        fixed["forecasting"] += ("learner", "rooms")
    paths = {f"{branch}/{name}" for branch, names in fixed.items() for name in names}
    paths |= {load_address(load.name) for load in house.loads}
    return frozenset(paths | {room_address(room.name) for room in house.rooms})


@dataclass(frozen=True)
class HouseTree:
    """Everything that the actors of one house are made of; `spec` puts them in their places."""

    house: House
    tariff: Tariff
    surroundings: Surroundings
    pace: Pace
    writer: DeviceWriter
    link: Link
    orders: OpenOrders
    topics: Topics
    chronicle: Chronicle
    edge_counters: Callable[[], dict[str, int]]

    def spec(self) -> SupervisorSpec:
        """Put every actor in its place, with the house's memory."""
        parkable = (self._infrastructure(), self._forecasting())
        planning = (self._planning(),) if self.pace.planning else ()
        root = SupervisorSpec(
            "root",
            Strategy.ONE_FOR_ONE,
            intensity=10,
            period_s=60.0,
            children=(
                self._safety(),
                self._rooms(),
                self._devices(),
                *self._loads(),
                *parkable,
                *planning,
            ),
        )
        return remembering(root, self.surroundings.memory)

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
                        c,
                        house,
                        self.tariff,
                        pace.control_tick_s,
                        self._known_s(),
                        planning=pace.planning,
                    ),
                ),
            ),
        )

    def _loads(self) -> tuple[SupervisorSpec, ...]:
        """Flexible loads, if there are any; one that fails serves itself when its lease ends."""
        children = tuple(self._load(load) for load in self.house.loads)
        return (_parked("loads", children),) if children else ()

    def _load(self, load: FlexibleLoad) -> ChildSpec:
        zone, writer = self.house.site.timezone, self.writer
        return _child(load.name, lambda c: FlexibleLoadActor(c, load, zone, writer))

    def _known_s(self) -> tuple[float, float]:
        """Instants that house time cannot precede, and should not: what is on record."""
        floor_s = self.surroundings.clock_floor_s
        newest_s = self.surroundings.memory.newest_s
        return floor_s, newest_s if floor_s > float("-inf") else floor_s

    def _infrastructure(self) -> SupervisorSpec:
        outside, pace = self.surroundings, self.pace
        paths = actor_paths(self.house, learning=pace.learning is not None)
        children = (
            _child("history", lambda c: HistoryActor(c, outside.store), deadline_s=5.0),
            _child("outbox", lambda c: OutboxActor(c, outside.exporter), deadline_s=60.0),
            _child(
                "metrics",
                lambda c: MetricsActor(
                    c,
                    self.writer,
                    demo=pace.demo,
                    relays=self.house.relays,
                    edge=self.edge_counters,
                ),
            ),
            _child(
                "mqtt",
                lambda c: MqttActor(
                    c,
                    self.link,
                    self.orders,
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
        return _parked("forecasting", (*children, *self._learner()))

    def _learner(self) -> tuple[ChildSpec, ...]:
        """Who has models trained: last of the branch, and nobody needs them to go on."""
        house, store, learning = self.house, self.surroundings.store, self.pace.learning
        if learning is None:
            return ()
        return (
            _child("learner", lambda c: LearnerActor(c, house, store, learning), deadline_s=60.0),
            _child("rooms", lambda c: RoomLearnerActor(c, house, store, learning), deadline_s=60.0),
        )

    def _planning(self) -> SupervisorSpec:
        house, pace = self.house, self.pace
        children = (
            _child("estimator", lambda c: EstimatorActor(c, house, pace.plan_every_s)),
            _child("planner", lambda c: PlannerActor(c, house, pace.solver, pace.horizon_s)),
            _child("plan_keeper", lambda c: PlanKeeperActor(c, house)),
        )
        return replace(_parked("planning", children), strategy=Strategy.REST_FOR_ONE)


def remembering(spec: SupervisorSpec, memory: Memory) -> SupervisorSpec:
    """Give every actor of a tree the memory of the house."""
    children = tuple(
        remembering(child, memory)
        if isinstance(child, SupervisorSpec)
        else replace(child, args={MEMORY: memory})
        for child in spec.children
    )
    return replace(spec, children=children)


def _child(
    name: str, factory: Callable[[Context], SupervisedActor], deadline_s: float = 2.0
) -> ChildSpec:
    return ChildSpec(name, factory, mailbox=MAILBOX, deadline_s=deadline_s)


def _parked(name: str, children: tuple[ChildSpec, ...]) -> SupervisorSpec:
    """A branch whose children, and itself, rest when restarting does not help."""
    resting = tuple(replace(child, when_exhausted=PARK) for child in children)
    return SupervisorSpec(name, children=resting, when_exhausted=PARK)
