"""A room: hears its sensor, wants heat, and switches its relay if it owns one.

One relay has one owner. A member without a relay of its own (the kitchen of the reference house)
senses and tells its need to the owner, who serves the neediest. What is decided is in
`control/room.py` and `control/order.py`; here it is only carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from pems_actors.actors.base import (
    CONTROL,
    PLAN_KEEPER,
    PLANNER,
    POWER_BUDGET,
    HouseActor,
    room_address,
)
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.control.comfort import AWAY_C
from pems_actors.control.duty import Modulator
from pems_actors.control.ladder import Ladder
from pems_actors.control.order import Decision, DutyAccount, RelayMemory, settle
from pems_actors.control.room import (
    RoomFacts,
    RoomView,
    available_level,
    next_trim,
    room_need,
)
from pems_actors.control.wishes import Override, override_problem
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.events import (
    ComfortWish,
    GuardOrder,
    HouseMode,
    ModeChanged,
    Need,
    Outcome,
    RelayGrant,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    Republish,
    Request,
    RoomPlan,
    RoomTick,
)
from pems_actors.domain.house import Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import HOUR_S
from pems_actors.estimation.freshness import ROOM_C, FreshValue
from supervision import Context, Health

LEASE_S = 900.0
WISH_S = 2 * HOUR_S
RENEW_S = 300.0
NEED_LIFE_S = 300.0
REPUBLISH_S = 900.0
SILENCE_S = 180.0
BOOST_K = 1.5
DISAGREEMENTS_TO_REWRITE = 2
URGENT = frozenset({"frost", "guard"})
USABLE = frozenset({Quality.GOOD, Quality.ESTIMATED})


@dataclass(frozen=True, slots=True)
class Silence:
    """The room's own timer: no tick came for too long."""


@dataclass(frozen=True, slots=True)
class Written:
    """The last command that went out: until when it holds, when to write it again."""

    until_s: float = float("-inf")
    again_s: float = float("-inf")
    disagreements: int = 0


class RoomMind(NamedTuple):
    """All that a room's successor must know."""

    sensor: FreshValue
    tick: RoomTick | None = None  # the last one: what the room saw
    plan: RoomPlan | None = None
    override: Override | None = None
    mode: HouseMode = HouseMode.NORMAL
    ladder: Ladder = Ladder()
    trim: float = 0.0
    needs: Mapping[str, Need] = MappingProxyType({})
    guard: GuardOrder | None = None
    relay: RelayMemory | None = None
    account: DutyAccount = DutyAccount()
    wanted: Decision | None = None
    written: Written = Written()


class RoomActor(HouseActor):
    """Carries the post of one room; `relay` is None where another room owns its relay."""

    state: RoomMind

    def __init__(
        self,
        context: Context,
        facts: RoomFacts,
        relay: Relay | None,
        owner: str | None,
        writer: DeviceWriter,
        stagger_s: float,
    ) -> None:
        super().__init__(context)
        self.facts, self.relay, self.owner = facts, relay, owner
        self.writer, self.stagger_s = writer, stagger_s
        self.told: tuple[object, ...] = ()
        self.told_s = float("-inf")

    def on_start(self) -> None:
        """Begin without a reading: the sensor's clock of trust runs from now on."""
        super().on_start()
        self.after(SILENCE_S, Silence())
        for address in (PLAN_KEEPER, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> RoomMind:
        """Begin with nothing known."""
        return RoomMind(sensor=FreshValue(ROOM_C, self.now_s()))

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case RoomTick():
                self._on_tick(message)
            case Need():
                self.state = self.state._replace(needs={**self.state.needs, message.room: message})
            case RelayGrant():
                self._on_grant(message)
            case RelayShed():
                self._on_shed(message)
            case RoomPlan():
                self.state = self.state._replace(plan=message)
            case GuardOrder():
                self.state = self.state._replace(guard=message)
            case ModeChanged():
                self.state = self.state._replace(mode=message.mode)
            case Silence():
                self._on_silence()
            case Republish():
                self._on_republish()
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    # --- sensing and deciding

    def _on_tick(self, tick: RoomTick) -> None:
        mind, reading, before = self.state, tick.reading, self.state.tick
        sensor = mind.sensor
        if reading is not None:
            sensor = sensor.heard(reading.temp_c, reading.at_s, tick.at_s)
        view = self._view(tick, sensor)
        level, reason = available_level(view)
        plan_s = mind.plan.issued_at_s if mind.plan else None
        ladder = mind.ladder.offer(level, reason, tick.at_s, plan_s)
        dt_s = tick.at_s - before.at_s if before is not None else 0.0
        need = room_need(self.facts, view, ladder.level, ladder.reason)
        starved = (
            mind.relay is not None
            and mind.wanted is not None
            and (mind.wanted.on and not mind.relay.on)
        )
        trim = next_trim(view, need, mind.trim, dt_s, held_back=starved or tick.blocked)
        if self.relay is None:
            self.state = mind._replace(sensor=sensor, tick=tick, ladder=ladder, trim=trim)
            if self.owner is not None:
                self.tell(room_address(self.owner), need)
        else:
            seen = mind._replace(
                sensor=sensor, tick=tick, ladder=ladder, trim=trim, override=view.override
            )
            self._settle(self.relay, need, tick, seen)
        self._tell_state(need, tick.at_s)

    def _view(self, tick: RoomTick, sensor: FreshValue) -> RoomView:
        mind, reading = self.state, tick.reading
        quality = sensor.quality(tick.at_s)
        wish = mind.override
        return RoomView(
            now_s=tick.at_s,
            temp_c=sensor.value if quality in USABLE else None,
            floor_c=reading.floor_c if reading else None,
            outdoor=tick.outdoor,
            available_frac=tick.available_frac,
            window_open=bool(reading and reading.window_open),
            plan=mind.plan,
            override=wish if wish is not None and tick.at_s < wish.until_s else None,
            mode=mind.mode,
            trim=mind.trim,
        )

    def _settle(self, relay: Relay, need: Need, tick: RoomTick, mind: RoomMind) -> None:
        memory = mind.relay or self._found(relay, tick)
        account = mind.account if mind.relay is not None else self._staggered(relay, memory)
        others = [n for n in mind.needs.values() if tick.at_s - n.at_s <= NEED_LIFE_S]
        account, decision = settle(
            relay,
            memory,
            account,
            [need, *others],
            tick.at_s,
            blocked=tick.blocked,
            guard=mind.guard,
            floor_measured=tick.reading is not None and tick.reading.floor_c is not None,
        )
        self.state = mind._replace(relay=memory, account=account, wanted=decision)
        if decision.on and not memory.on:
            self._ask(relay, decision, tick)
        elif memory.on and not decision.on:
            self._switch(relay, decision, on=False)
        elif self._renew(relay, decision, tick):
            self._tell_budget(relay, memory.on, decision)

    def _ask(self, relay: Relay, decision: Decision, tick: RoomTick) -> None:
        """Ask for power, and hold the relay off meanwhile: its own thermostat must not start it."""
        if decision.rule == "guard" and tick.reading is not None and tick.reading.relay_on:
            self._switch(relay, decision, on=True)  # the guard has done it already: take it over
            return
        urgent = decision.rule in URGENT
        self.tell(POWER_BUDGET, RelayRequest(relay.name, tick.at_s, decision.slack_k, urgent))
        self._renew(relay, decision._replace(rule="budget", reason="waits for power"), tick)

    def _found(self, relay: Relay, tick: RoomTick) -> RelayMemory:
        """Adopt the relay as it is at the first tick; later, what was commanded counts."""
        if tick.reading is None or not tick.reading.relay_on:
            return RelayMemory()
        self.tell(POWER_BUDGET, RelaySwitched(relay.name, on=True, at_s=tick.at_s))
        return RelayMemory(on=True, since_s=tick.at_s)

    def _staggered(self, relay: Relay, memory: RelayMemory) -> DutyAccount:
        """Begin each room's account elsewhere, so that rooms do not switch together."""
        half_s = max(relay.min_on_s, relay.min_off_s) / 2
        owed_s = half_s - 2 * half_s * self.stagger_s / 300.0
        return DutyAccount(Modulator(owed_s, memory.on, half_s))

    # --- switching

    def _on_grant(self, grant: RelayGrant) -> None:
        relay, wanted, memory = self.relay, self.state.wanted, self.state.relay
        if relay is None or memory is None:
            return
        still = wanted is not None and wanted.on and self.now_s() <= grant.valid_until_s
        if wanted is not None and still and not memory.on:
            self._switch(relay, wanted, on=True)
        else:
            self.tell(POWER_BUDGET, RelaySwitched(relay.name, memory.on, self.now_s()))

    def _on_shed(self, shed: RelayShed) -> None:
        memory, wanted = self.state.relay, self.state.wanted
        if self.relay is None or memory is None or wanted is None:
            return
        until_s = shed.at_s + shed.hold_s
        memory = replace(memory, shed_until_s=until_s, shed_reason=shed.reason)
        self.state = self.state._replace(relay=memory)
        if memory.on:
            short = self.now_s() - memory.since_s < self.relay.min_on_s
            off = wanted._replace(rule="breaker", reason=shed.reason, breaks_dwell=short)
            self._switch(self.relay, off, on=False)

    def _switch(self, relay: Relay, decision: Decision, *, on: bool) -> None:
        now_s = self.now_s()
        if not self._write(relay, decision, now_s, on=on):
            return
        self._tell_budget(relay, on, decision)
        memory = self.state.relay or RelayMemory()
        memory = memory.switched(on, now_s, broke_dwell=decision.breaks_dwell)
        written = replace(self.state.written, disagreements=0)
        self.state = self.state._replace(relay=memory, written=written)

    def _renew(self, relay: Relay, decision: Decision, tick: RoomTick) -> bool:
        """Renew the lease by writing, and write again what the relay did not take."""
        memory, actual = self.state.relay, tick.reading.relay_on if tick.reading else None
        assert memory is not None, "a relay is renewed only after it was found"
        differs = actual is not None and actual != memory.on and not tick.blocked
        written = self.state.written
        disagreements = written.disagreements + 1 if differs else 0
        if disagreements != written.disagreements:
            written = replace(written, disagreements=disagreements)
            self.state = self.state._replace(written=written)
        if tick.at_s < written.again_s and disagreements < DISAGREEMENTS_TO_REWRITE:
            return False
        return self._write(relay, decision, tick.at_s, on=memory.on)

    def _write(self, relay: Relay, decision: Decision, now_s: float, *, on: bool) -> bool:
        command = SetHeating(
            relay=relay.name,
            on=on,
            reason=f"{decision.rule}: {decision.reason}",
            level=decision.level,
            at_s=now_s,
            lease_until_s=now_s + LEASE_S + self.stagger_s,
            target_temp_c=decision.target_c,
        )
        passed = self.effect(lambda: self.writer.apply(command), resource=f"relay/{relay.name}")
        if passed:
            written = Written(command.lease_until_s, now_s + RENEW_S)
            self.state = self.state._replace(written=written)
        return passed

    def _tell_budget(self, relay: Relay, on: bool, decision: Decision) -> None:
        """Say what the relay is; said at each renewal too, so that a fresh budget learns of it."""
        told = RelaySwitched(relay.name, on, self.now_s(), decision.slack_k)
        self.tell(POWER_BUDGET, told)

    def _on_republish(self) -> None:
        """Tell a power budget that knows nothing what this relay is."""
        mind = self.state
        if self.relay is not None and mind.relay is not None and mind.wanted is not None:
            self._tell_budget(self.relay, mind.relay.on, mind.wanted)

    def _on_silence(self) -> None:
        """Nobody ticks: go on by the room's own timer, with nothing read."""
        self.after(SILENCE_S, Silence())
        now_s, last = self.now_s(), self.state.tick
        if last is not None and now_s - last.at_s >= SILENCE_S:
            self._on_tick(RoomTick(now_s, None, last.outdoor, blocked=False))

    # --- people

    def _on_request(self, request: Request) -> Outcome:
        outcome, reason = self._obey(request)
        return Outcome(request.id, self.path, request.verb, outcome, reason, self.now_s())

    def _obey(self, request: Request) -> tuple[str, str]:
        args, now_s = request.args, self.now_s()
        match request.verb:
            case "override" | "boost" | "away":
                wish = self._wish(request, now_s)
                problem = override_problem(wish.temp_c, wish.until_s - now_s)
                if problem is not None:
                    return "rejected", problem
                self._take(wish, now_s)
                return "done", f"{self.facts.name} aims at {wish.temp_c:g} °C"
            case "release":
                self._take(None, now_s)
                return "done", f"{self.facts.name} follows its comfort table again"
            case _:
                return "rejected", (
                    f"a room knows no {request.verb!r} {dict(args) or ''}; "
                    "try override temp_c=22 for=2h, boost, away until=..., release"
                )

    def _wish(self, request: Request, now_s: float) -> Override:
        """Read a wish; the codec has checked and normalised the arguments."""
        args: Mapping[str, Any] = request.args
        reason, until_s = request.reason or request.verb, now_s + args.get("for_s", WISH_S)
        comfort = self.facts.comfort
        if request.verb == "override":
            return Override(args["temp_c"], until_s, "user", reason)
        if request.verb == "boost":
            return Override(comfort.day_c + BOOST_K, until_s, "user", reason)
        return Override(min(AWAY_C, comfort.night_c), args["until_s"], "user", reason)

    def _take(self, wish: Override | None, now_s: float) -> None:
        self.state, self.told_s = self.state._replace(override=wish), float("-inf")
        temp_c, until_s = (wish.temp_c, wish.until_s) if wish else (None, now_s)
        reason = wish.reason if wish else "released"
        self.tell(PLANNER, ComfortWish(self.facts.name, temp_c, until_s, "user", reason))
        self.keep("wish", {"room": self.facts.name, "temp_c": temp_c, "until_s": until_s})

    # --- telling

    def _tell_state(self, need: Need, now_s: float) -> None:
        mind, decision = self.state, self.state.wanted
        level, reason = mind.ladder.level, mind.ladder.reason
        on = mind.relay.on if mind.relay else None
        summary = (level, reason, on, decision.rule if decision else "need")
        if summary == self.told and now_s - self.told_s < REPUBLISH_S:
            return
        if summary[:2] != self.told[:2]:
            health = Health.RUNNING if level <= Level.LATE else Health.FALLBACK
            self.health(health, reason, int(level))
        self.told, self.told_s = summary, now_s
        self.publish(self._device_state(need, now_s))

    def _device_state(self, need: Need, now_s: float) -> DeviceState:
        mind, decision, tick = self.state, self.state.wanted, self.state.tick
        sensor = mind.sensor
        quality = sensor.quality(now_s)
        values = [
            ("temp_c", Value(sensor.value, "°C", quality, sensor.age_s(now_s))),
            ("target_c", Value(need.target_c, "°C")),
            ("slack_k", Value(need.slack_k if quality in USABLE else None, "K", quality)),
            ("duty", Value(need.duty, "")),
        ]
        if mind.relay is not None:
            values.append(("relay_on", Value(mind.relay.on, "")))
            values.append(("dwell_breaks", Value(mind.relay.dwell_breaks, "")))
        if tick is not None:
            values.append(("outdoor_c", Value(tick.outdoor.temp_c, "°C", tick.outdoor.quality)))
        reason = f"{decision.rule}: {decision.reason}" if decision else need.reason
        ladder = mind.ladder
        return DeviceState(self.path, now_s, ladder.level, reason, tuple(values), ladder.since_s)
