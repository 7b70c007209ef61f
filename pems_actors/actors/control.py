"""The post of people: takes orders from the local socket and MQTT, and answers each exactly once.

Orders for one device go to its actor; `house mode` goes to all; `restart` and `snapshot` work on
any actor; drills only where they were allowed at the start. An emergency is left by mode normal
only; it outlives this actor and the process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from pems_actors.actors.arming import Arming, SaveArmed
from pems_actors.actors.base import (
    BATTERY,
    INVERTER,
    METRICS,
    MQTT,
    PLANNER,
    HouseActor,
    load_address,
    room_address,
)
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.worker_drill import KILL_LOOK_S, KilledWorker, kill_worker, look_again
from pems_actors.control.modes import mode_problem
from pems_actors.control.presence import Presence
from pems_actors.domain.events import HouseMode, ModeChanged, Outcome, Republish, Request
from pems_actors.domain.house import House
from pems_actors.domain.units import iso
from pems_actors.durable.kept import ModeKept
from pems_actors.gateways.orders import check_order
from pems_actors.gateways.payloads import outcome_json
from pems_actors.gateways.wire import Rejected
from supervision import Context, Fault, GetSnapshot, Snapshot, SupervisionError

ANSWER_WITHIN_S = 5.0
ACCEPTED_AFTER_S = 0.5
KEPT_COMMANDS = 100
MODE_TIMER, PRESENCE_TIMER = "mode", "presence"
PARTY_ZONE = "living"
READING_VERBS = frozenset(
    {"status", "plan", "explain", "shadow", "commands", "prices", "events", "workers"}
)

Reply = Callable[[Mapping[str, Any]], bool]


class Server(Protocol):
    """The local control socket."""

    def start(self, on_request: Callable[[dict[str, Any], Reply], None]) -> None:
        """Take the state directory, listen, hand over each request with its reply function."""

    def close(self) -> None:
        """Stop listening."""


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A raw request from the local socket."""

    body: Mapping[str, Any]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Overdue:
    """An order has had its time."""

    id: str


@dataclass(frozen=True, slots=True)
class TakesTime:
    """An order has not been answered at once."""

    id: str


@dataclass(frozen=True, slots=True)
class ModeOver:
    """The house mode has had its time."""


@dataclass(frozen=True, slots=True)
class LooksEmpty:
    """Nobody has been home for long enough that it counts."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that is with its actor, and how to answer the one who gave it."""

    request: Request
    reply: Reply | None


@dataclass(frozen=True, slots=True)
class ControlMind:
    """The house mode with its end; open orders by id; the last commands."""

    mode: ModeKept = field(default_factory=ModeKept)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    commands: tuple[Mapping[str, Any], ...] = ()
    presence: Presence = field(default_factory=Presence)


class ControlActor(HouseActor):
    """Routes orders and keeps the last hundred of them with their outcome."""

    state: ControlMind

    def __init__(
        self,
        context: Context,
        house: House,
        paths: frozenset[str],
        writer: DeviceWriter,
        save_armed: SaveArmed,
        chronicle: Chronicle,
    ) -> None:
        super().__init__(context)
        self.house, self.paths, self.chronicle = house, paths, chronicle
        self.arming = Arming(self, house, writer, save_armed)
        self.serial = 0

    def on_start(self) -> None:
        """Tell everybody the mode that stands; give the predecessor's open orders their time."""
        super().on_start()
        self._tell_mode()
        if self.state.mode != ModeKept():
            self.remember(self.state.mode)  # anew: however often this actor fails, it is latched
        self._end_mode_in_time()
        self._look_again_for_people()
        for order_id in self.state.waiting:
            self._give_time(order_id)

    def first_state(self) -> ControlMind:
        """Begin with the house mode that stood before a restart."""
        return ControlMind(self.recall() or ModeKept())

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case SocketRequest(body=body, reply=reply):
                self._on_socket(body, reply)
            case Request():
                self._route(message, None)
            case Outcome():
                self._on_outcome(message)
            case Snapshot(token=str(token)):
                self._on_snapshot(token, message)
            case KilledWorker():
                self._on_killed(message)
            case Overdue(id=order_id):
                self._on_overdue(order_id)
            case TakesTime(id=order_id):
                self._on_delay(order_id)
            case ModeOver() | LooksEmpty():
                self._on_time(message)
            case Republish():
                self._tell_mode()
            case _:
                return super().on_receive(message)
        return None

    # --- in

    def _on_socket(self, body: Mapping[str, Any], reply: Reply) -> None:
        self.serial += 1
        path, verb = str(body.get("path", "")), str(body.get("verb", ""))
        order_id = str(body.get("id") or f"socket-{self.serial}")
        args = body.get("args") or {}
        if not isinstance(args, dict):
            args, verb = {}, ""
        request = Request(order_id, path, verb, args, str(body.get("reason", "")), self.now_s())
        if verb in READING_VERBS or path == "":
            self._own(request, reply)
            return
        checked = check_order(path, verb, args, self.paths)
        if isinstance(checked, Rejected):
            self._finish(request, reply, "rejected", checked.reason)
        else:
            self._route(replace(request, args=checked), reply)

    def _own(self, request: Request, reply: Reply) -> None:
        """Serve what concerns the appliance itself."""
        match request.verb:
            case "arm" | "disarm":
                asked = str(request.args.get("device", "all"))
                self._finish(request, reply, *self.arming.obey(request.verb, asked))
            case "drill":
                self._drill(request, reply)
            case "commands":
                self._finish(request, reply, "done", "", {"commands": list(self.state.commands)})
            case "events":
                self._finish(request, reply, "done", "", {"events": self.chronicle.listed()})
            case "workers":
                workers = {name: asdict(s) for name, s in self.context.system.workers().items()}
                self._finish(request, reply, "done", "", {"workers": workers})
            case verb if verb in READING_VERBS:
                if self._wait(request, reply):
                    self.tell(METRICS, request)
            case _:
                self._finish(request, reply, "rejected", f"no such order: {request.verb!r}")

    def _route(self, request: Request, reply: Reply | None) -> None:
        if request.expires_at_s is not None and self.now_s() > request.expires_at_s:
            self._finish(request, reply, "rejected", "the order has expired")
            return
        if request.path == "house":
            self._finish(request, reply, *self._on_house(request))
        elif request.verb == "restart":
            if self.context.system.restart(request.path):
                self._finish(request, reply, "done", f"{request.path} is starting anew")
            else:
                self._finish(request, reply, "failed", f"nobody is at {request.path} just now")
        elif self._wait(request, reply):
            question = GetSnapshot(reply_to=self.path, token=request.id)
            heard = self.tell(request.path, question if request.verb == "snapshot" else request)
            if not heard:
                self._end(request.id, "failed", f"nobody is at {request.path} just now")

    def _on_house(self, request: Request) -> tuple[str, str]:
        """Do what concerns all rooms, or say why not."""
        match request.verb:
            case "party":
                return self._on_party(request)
            case "presence":
                return self._on_presence(bool(request.args["home"]))
            case _:
                self.state = replace(self.state, presence=replace(self.state.presence, ours=False))
                return self._on_mode(request.args)

    def _on_party(self, request: Request) -> tuple[str, str]:
        """Let the day go on in the rooms where people stay up."""
        rooms = [room.name for room in self.house.rooms if room.zone == PARTY_ZONE]
        for name in rooms:
            order = replace(request, id=f"{request.id}/{name}", path=room_address(name))
            self.tell(order.path, order)
        if not rooms:
            return "rejected", f"the house has no room of zone {PARTY_ZONE!r}"
        return "done", f"the day goes on in {', '.join(rooms)} until {iso(request.args['until_s'])}"

    def _on_presence(self, home: bool) -> tuple[str, str]:
        """Note that somebody is home, or that nobody is; the mode follows."""
        presence = self.state.presence.heard(home, self.now_s())
        self.state = replace(self.state, presence=presence)
        self._look_again_for_people()
        self._follow_presence()
        return "done", "somebody is home" if home else "nobody is home; that counts in half an hour"

    def _look_again_for_people(self) -> None:
        self.cancel(PRESENCE_TIMER)
        left_s = self.state.presence.left_s()
        if left_s is not None:
            self.after(max(0.0, left_s - self.now_s()), LooksEmpty(), key=PRESENCE_TIMER)

    def _on_time(self, over: ModeOver | LooksEmpty) -> None:
        """End a mode that has had its time, or begin the one of an empty house."""
        if isinstance(over, LooksEmpty):
            self._follow_presence()
            return
        self.keep("mode", {"mode": "normal", "over": self.state.mode.mode.value})
        self._enter(ModeKept())

    def _follow_presence(self) -> None:
        """Enter the mode that presence asks for, if any."""
        presence = self.state.presence
        mode = presence.wants(self.state.mode.mode, self.now_s())
        if mode is not None:
            ours = mode is not HouseMode.NORMAL
            self.state = replace(self.state, presence=replace(presence, ours=ours))
            self.keep("mode", {"mode": mode.value, "presence": presence.home})
            self._enter(ModeKept(mode))

    def _on_mode(self, args: Mapping[str, Any]) -> tuple[str, str]:
        """Take a house mode, or say why not."""
        mode, until_s = HouseMode(args["mode"]), args.get("until_s")
        problem = mode_problem(self.state.mode.mode, mode, until_s, self.now_s())
        if problem is not None:
            return "rejected", problem
        self._enter(ModeKept(mode, until_s))
        return "done", f"house mode {mode}" + ("" if until_s is None else f" until {iso(until_s)}")

    def _enter(self, mode: ModeKept) -> None:
        self.state = replace(self.state, mode=mode)
        self.remember(mode)
        self._tell_mode()
        self._end_mode_in_time()

    def _end_mode_in_time(self) -> None:
        self.cancel(MODE_TIMER)
        until_s = self.state.mode.until_s
        if until_s is not None:
            self.after(max(0.0, until_s - self.now_s()), ModeOver(), key=MODE_TIMER)

    def _tell_mode(self) -> None:
        mode = self.state.mode
        news = ModeChanged(mode.mode, self.now_s(), mode.until_s)
        for room in self.house.rooms:
            self.tell(room_address(room.name), news)
        for load in self.house.loads:
            self.tell(load_address(load.name), news)
        for address in (BATTERY, INVERTER, PLANNER, METRICS, MQTT):
            self.tell(address, news)

    def _drill(self, request: Request, reply: Reply) -> None:
        target, kind = str(request.args.get("target", "")), str(request.args.get("fault", ""))
        began_s = self.process_s()
        if kind == "kill":
            self._kill(target, request, reply)
            return
        try:
            self.context.system.inject(target, Fault.named(kind))
        except (ValueError, OSError, SupervisionError) as problem:
            self._finish(request, reply, "rejected", str(problem))
        else:
            sent = {"injected_process_s": began_s}
            self._finish(request, reply, "done", f"{kind} sent to {target}", sent)

    def _kill(self, target: str, request: Request, reply: Reply) -> None:
        began_s, killed = self.process_s(), kill_worker(self.context.system, target)
        if isinstance(killed, str):
            self._finish(request, reply, "rejected", killed)
            return
        self.tell(self.path, killed)
        sent = {"injected_process_s": began_s}
        self._finish(request, reply, "done", f"killed the worker {target}", sent)

    def _on_killed(self, killed: KilledWorker) -> None:
        left = look_again(killed, self.context.system, self.chronicle, self.process_s())
        if left is not None:
            self.after(KILL_LOOK_S, left, key=f"killed {left.name}", process=True)

    # --- out

    def _wait(self, request: Request, reply: Reply | None) -> bool:
        """Note an order as open; False if its id is taken, which is told."""
        waiting = self.state.waiting
        if request.id in waiting:
            said = f"an order {request.id[:40]!r} still waits for its answer; choose another id"
            self._finish(request, reply, "rejected", said)
            return False
        self.state = replace(self.state, waiting={**waiting, request.id: Waiting(request, reply)})
        self._give_time(request.id)
        if reply is None:
            slow = TakesTime(request.id)
            self.after(ACCEPTED_AFTER_S, slow, key=f"slow {request.id}", process=True)
        return True

    def _give_time(self, order_id: str) -> None:
        self.after(ANSWER_WITHIN_S, Overdue(order_id), key=f"due {order_id}", process=True)

    def _on_delay(self, order_id: str) -> None:
        """Tell one who ordered over MQTT that the order was taken and takes a while."""
        if order_id in self.state.waiting:
            asked = self.state.waiting[order_id].request
            taken = Outcome(order_id, asked.path, asked.verb, "accepted", "", self.now_s())
            self.tell(MQTT, replace(taken, reply_to=asked.reply_to))

    def _on_outcome(self, outcome: Outcome) -> None:
        open_orders = dict(self.state.waiting)
        order = open_orders.pop(outcome.id, None)
        if order is not None:
            self.state = replace(self.state, waiting=open_orders)
            self.cancel(f"due {outcome.id}")
            self.cancel(f"slow {outcome.id}")
            self._answer(order.request, order.reply, outcome)

    def _on_snapshot(self, order_id: str, snapshot: Snapshot) -> None:
        shown = {"epoch": snapshot.epoch, "state": repr(snapshot.state)}
        self._end(order_id, "done", "", shown)

    def _on_overdue(self, order_id: str) -> None:
        self._end(order_id, "timeout", f"no answer within {ANSWER_WITHIN_S:g} s")

    def _end(
        self, order_id: str, outcome: str, reason: str, result: Mapping[str, object] | None = None
    ) -> None:
        if order_id in self.state.waiting:
            request, now_s = self.state.waiting[order_id].request, self.now_s()
            self._on_outcome(
                Outcome(order_id, request.path, request.verb, outcome, reason, now_s, result or {})
            )

    def _finish(
        self,
        request: Request,
        reply: Reply | None,
        outcome: str,
        reason: str,
        result: Mapping[str, object] | None = None,
    ) -> None:
        now_s = self.now_s()
        final = Outcome(
            request.id, request.path, request.verb, outcome, reason, now_s, result or {}
        )
        self._answer(request, reply, final)

    def _answer(self, request: Request, reply: Reply | None, outcome: Outcome) -> None:
        if request.verb not in READING_VERBS:
            told = outcome_json(replace(outcome, result={}))
            shown = {**told, "args": dict(request.args), "origin": request.origin}
            kept = (*self.state.commands, shown)[-KEPT_COMMANDS:]
            self.state = replace(self.state, commands=kept)
            self.keep("command", told)
        if reply is not None:
            reply(outcome_json(outcome))
        elif request.origin == "mqtt":
            self.tell(MQTT, replace(outcome, reply_to=request.reply_to))
