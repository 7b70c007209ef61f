"""The witness of a story: turns what passes through the doors into facts for the judge.

It overhears the gate (who writes), the house link (what reached the devices and what was shown),
the events of the tree, the broker, and looks at the true house once a tick. It changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from pems_actors.actors.base import room_address
from pems_actors.actors.room_mind import RoomMind
from pems_actors.appliance import Appliance
from pems_actors.domain.commands import DeviceCommand
from pems_actors.domain.house import Emitter
from pems_actors.domain.readings import HouseReading
from pems_actors.fault_table import Strike
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.wire import Message
from pems_actors.simulate import KILL, Result, Simulation
from pems_actors.simulation.device_faults import FaultKind
from pems_actors.simulation.invariants import (
    Asked,
    Beat,
    Broke,
    Counted,
    Fact,
    InvariantChecker,
    Kept,
    Life,
    Outage,
    Seen,
    Told,
    Truth,
    Turn,
    Violation,
    Wrote,
)
from pems_actors.simulation.troubles import Trouble
from pems_actors.simulation.twin import Twin
from pems_actors.soak.recent_history import RecentHistory
from pems_actors.soak.stopwatch import Stopwatch
from pems_actors.soak.stories import Order, Plot
from supervision import Event
from supervision.events import (
    ChildEnded,
    ChildFailed,
    ChildHung,
    ChildParked,
    ChildReady,
    ChildRestarted,
    IncidentClosed,
    IncidentOpened,
)

STUCK = frozenset({FaultKind.RELAY_STUCK_ON, FaultKind.RELAY_STUCK_OFF})
ANSWER_TIME_S = 60.0
GONE = frozenset({Trouble.BROKER_DOWN.value, KILL})
HEARTBEAT = "pems/supervisor"
_ALL_TIME = (0.0, 1e11)


class OverheardMqtt(MemoryMqtt):
    """A broker in memory that tells each message that it really took."""

    on_publish: Callable[[Message], None] | None = None

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Take a message as ever, and tell it if the broker is up."""
        taken = super().publish(message, keep=keep)
        if taken and self.up and self.on_publish is not None:
            self.on_publish(message)
        return taken


class Witness:
    """Stands beside one simulation and swears to what it sees."""

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        story = plot.story
        self.mqtt = OverheardMqtt()
        self.history = RecentHistory()
        self.simulation = Simulation(story, mqtt=self.mqtt, history=self.history)
        self.checker = InvariantChecker(
            story.house, armed=story.armed, heartbeat_s=story.pace.heartbeat_s
        )
        self.stopwatch = Stopwatch()
        self.incidents = 0
        self._floors = {
            room.name for room in story.house.model.rooms if room.emitter is Emitter.FLOOR
        }
        self._author = ("nobody", 0)
        self._orders = list(plot.orders)
        self._listen()
        self._overhear(self.simulation.appliance)

    def _listen(self) -> None:
        simulation = self.simulation
        simulation.port.on_command = self._on_command
        simulation.port.on_reading = self._on_reading
        simulation.listen = self._on_event
        simulation.on_strike = self._on_strike
        simulation.on_birth = self._overhear
        self.mqtt.on_publish = self._on_publish

    def tell(self) -> Result:
        """Tell the story to its end and close the case."""
        result = self.simulation.run(self._on_tick)
        acknowledged = self.simulation.store.acknowledged
        found = sum(len(self.history.records(kind, *_ALL_TIME)) for kind in acknowledged)
        found += self.history.let_go
        self._hear(Kept(self._now_s(), acknowledged.total(), found))
        self._hear_counts()
        self.checker.close(self._now_s())
        return result

    def _hear_counts(self) -> None:
        """Look at what the owners of the relays remember, after their last message."""
        directory = self.simulation.appliance.system.directory
        for relay in self.plot.story.house.relays:
            slot = directory.find(room_address(relay.name))
            mind = None if slot is None else slot.snapshot
            if isinstance(mind, RoomMind) and mind.relay is not None:
                self._hear(Counted(self._now_s(), relay.name, mind.relay.dwell_breaks))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the judge found."""
        return self.checker.violations

    def _now_s(self) -> float:
        return self.simulation.runtime.process_s()

    def _hear(self, fact: Fact) -> None:
        self.checker.hear(fact)

    # --- what passes

    def _overhear(self, core: Appliance) -> None:
        """Stand in the gate's door and remember who is acting."""
        gate = core.system.gate
        submit = gate.submit

        def overheard(
            path: str, epoch: int, action: Callable[[], None], resource: str | None = None
        ) -> bool:
            def act() -> None:
                self._author = (path, epoch)
                action()

            return submit(path, epoch, act, resource)

        gate.submit = overheard  # type: ignore[method-assign]  # the gate has no ears of its own

    def _on_command(self, command: DeviceCommand, reached: bool) -> None:
        path, epoch = self._author
        self._hear(Wrote(self._now_s(), command, path, epoch, reached))

    def _on_reading(self, reading: HouseReading) -> None:
        self._hear(Seen(self._now_s(), reading))

    def _on_strike(self, strike: Strike, at_s: float) -> None:
        self.stopwatch.struck(strike, at_s)
        self._hear(Broke(at_s, strike.target, strike.name, at_s + strike.lasts_s))

    def _on_publish(self, message: Message) -> None:
        topic = message.topic
        if topic == HEARTBEAT:
            self._hear(Beat(self._now_s(), int(json.loads(message.payload)["sequence"])))
        elif topic.startswith("pems/reply/"):
            told = json.loads(message.payload)
            self._hear(Told(self._now_s(), str(told["id"]), str(told["outcome"])))

    def _on_event(self, event: Event) -> None:
        now_s = self._now_s()
        self.stopwatch.heard(event, now_s)
        turn = _turn_of(event)
        if turn is not None:
            self._hear(Life(now_s, event.path, getattr(event, "epoch", 0), turn))
        elif isinstance(event, IncidentOpened):
            self.incidents += 1
            self._hear(Outage(now_s, event.path, event.id, event.start_s, None))
        elif isinstance(event, IncidentClosed):
            self._hear(Outage(now_s, event.path, event.id, event.start_s, event.end_s))

    # --- once a tick

    def _on_tick(self, simulation: Simulation) -> None:
        now_s = self._now_s()
        self._hear(true_picture(simulation.twin, self._floors, self._deaf()))
        after_s = now_s - self.plot.story.start_s
        while self._orders and self._orders[0].after_s <= after_s:
            self._ask(self._orders.pop(0), now_s)

    def _deaf(self) -> bool:
        troubles = self.simulation.troubles
        return troubles.on(Trouble.INVERTER_SILENT) or troubles.on(Trouble.HOUSE_DEAF)

    def _ask(self, order: Order, now_s: float) -> None:
        if not self.mqtt.up or not self.simulation.alive:
            return
        self._hear(Asked(now_s, order.id, heard=self._is_answerable(now_s)))
        for _ in range(1 + order.twice):
            self.mqtt.say(f"pems/control/{order.path}", order.payload)

    def _is_answerable(self, now_s: float) -> bool:
        """Whether broker and core stay long enough for the answer."""
        after_s = now_s - self.plot.story.start_s
        return not any(
            strike.name in GONE and 0.0 <= strike.after_s - after_s <= ANSWER_TIME_S
            for strike in self.simulation.strikes
        )


def _turn_of(event: Event) -> Turn | None:
    match event:
        case ChildReady() | ChildRestarted():
            return Turn.READY
        case ChildFailed():
            return Turn.FAILED
        case ChildHung():
            return Turn.HUNG
        case ChildEnded():
            return Turn.ENDED
        case ChildParked():
            return Turn.PARKED
        case _:
            return None


def true_picture(twin: Twin, floors: set[str], deaf: bool) -> Truth:
    """Look at the twin as it really is; `floors` are the rooms with a heated floor."""
    reading, state = twin.reading(), twin.true_state()
    air_c = {name: room.air_c for name, room in state.items()}
    fracs = dict(zip(twin.comfort.names, twin.comfort.surface_frac.tolist(), strict=True))
    surface_c = {
        name: state[name].air_c + fracs[name] * (state[name].screed_c - state[name].air_c)
        for name in floors
    }
    stuck = {
        device.removeprefix("relay/")
        for device, fault in twin.faults.items()
        if fault.kind in STUCK
    }
    flow = twin.flow
    return Truth(
        at_s=twin.at_s,
        air_c=air_c,
        surface_c=surface_c,
        closed=dict(zip(twin.relays.names, twin.relays.closed, strict=True)),
        stuck=frozenset(stuck),
        blocked=bool(reading.heating_blocked),
        soc_frac=twin.inverter.soc_frac,
        mode=twin.inverter.mode,
        deaf=deaf or twin.inverter.ignores,
        grid_kw=flow.grid_kw,
        phase_kw=twin.phase_kw,
        battery_kw=flow.battery_kw,
        drawing=frozenset(each.load.name for each in twin.loads.loads if each.draws),
        unheld=frozenset(each.load.name for each in twin.loads.loads if each.ignores),
    )
