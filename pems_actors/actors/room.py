"""A room: hears its sensor, wants heat, and switches its relay if it owns one.

One relay has one owner. A member without a relay of its own (the kitchen of the reference house)
senses and tells its need to the owner, who serves the neediest. What is decided is in
`control/room.py` and `control/order.py`; here it is only carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
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
from pems_actors.control.reconcile import (
    Finding,
    Look,
    could_be_alone,
    found_relay,
    relay_text,
    reviewed,
)
from pems_actors.control.room import (
    LEAD_H,
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
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.house import Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import HOUR_S, iso
from pems_actors.durable.kept import RoomKept
from pems_actors.economics.local_hours import local_day
from pems_actors.estimation.freshness import ROOM_C, FreshValue
from supervision import Context, Health

LEASE_S = 900.0
WISH_S = 2 * HOUR_S
RENEW_S = 300.0
NEED_LIFE_S = 300.0
REPUBLISH_S = 900.0
SILENCE_S = 180.0
HELD_S = 900.0  # heat is corrected against a temperature no older than this
BOOST_K = 1.5
REMEMBER_S = 900.0
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


class RoomMind(NamedTuple):
    """All that a room's successor must know."""

    sensor: FreshValue
    tick: RoomTick | None = None  # the last one: what the room saw
    plan: RoomPlan | None = None
    override: Override | None = None
    mode: HouseMode = HouseMode.NORMAL
    mode_until_s: float | None = None
    ladder: Ladder = Ladder()
    trim: float = 0.0
    needs: Mapping[str, Need] = MappingProxyType({})
    guard: GuardOrder | None = None
    relay: RelayMemory | None = None
    account: DutyAccount = DutyAccount()
    wanted: Decision | None = None
    written: Written = Written()
    look: Look = Look()  # how the relay compares with our command
    kept: RelayMemory | None = None  # its history from before the restart, until it is found

    def shifted(self, by_s: float) -> RoomMind:
        """Move along with a clock that was set; the lease is renewed by the new time at once."""
        tick, guard, stepped_s = self.tick, self.guard, self.account.stepped_s
        return self._replace(
            sensor=self.sensor.shifted(by_s),
            tick=tick and tick._replace(at_s=tick.at_s + by_s),
            needs={name: n._replace(at_s=n.at_s + by_s) for name, n in self.needs.items()},
            guard=guard and replace(guard, until_s=guard.until_s + by_s),
            relay=self.relay and self.relay.shifted(by_s),
            account=self.account._replace(
                stepped_s=None if stepped_s is None else stepped_s + by_s
            ),
            written=Written(self.written.until_s + by_s),
            look=self.look.shifted(by_s),
        )


def believed(tick: RoomTick, sensor: FreshValue) -> tuple[float | None, Quality]:
    """Give a room's temperature as it can best be believed: as measured, else as estimated.

    The model stands in for a sensor that was believed within the last two hours, never for one
    that was never heard.
    """
    quality = sensor.quality(tick.at_s)
    if tick.estimate_c is None or sensor.value is None or quality not in USABLE:
        return sensor.value, quality
    return tick.estimate_c, Quality.ESTIMATED


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
        self.remembered: tuple[object, ...] = ()
        self.remembered_s = float("-inf")

    def on_start(self) -> None:
        """Begin without a reading: the sensor's clock of trust runs from now on."""
        super().on_start()
        self.after(SILENCE_S, Silence())
        for address in (PLAN_KEEPER, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> RoomMind:
        """Begin with what outlived the restart: a person's wish, the relay's history."""
        now_s, kept = self.now_s(), self.recall() or RoomKept()
        return RoomMind(
            sensor=FreshValue(ROOM_C, now_s),
            ladder=Ladder(since_s=now_s),
            override=kept.override,
            trim=kept.trim,
            kept=kept.relay,
        )

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case RoomTick():
                self._on_tick(message)
            case Need() | RoomPlan() | GuardOrder() | ModeChanged():
                self._note(message)
            case RelayGrant():
                self._on_grant(message)
            case RelayShed():
                self._on_shed(message)
            case Silence():
                self._on_silence()
            case ClockJumped(by_s=by_s):
                self.state = self.state.shifted(by_s)
            case Republish():
                self._on_republish()
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _note(self, news: Need | RoomPlan | GuardOrder | ModeChanged) -> None:
        """Keep what the next tick will be decided by."""
        match news:
            case Need():
                self.state = self.state._replace(needs={**self.state.needs, news.room: news})
            case RoomPlan():
                self.state = self.state._replace(plan=news)
            case GuardOrder():
                self.state = self.state._replace(guard=news)
            case ModeChanged():
                self.state = self.state._replace(mode=news.mode, mode_until_s=news.until_s)

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
        held_back = starved or tick.blocked or tick.estimate_c is not None
        trim = next_trim(view, need, mind.trim, dt_s, held_back=held_back)
        if self.relay is None:
            self.state = mind._replace(sensor=sensor, tick=tick, ladder=ladder, trim=trim)
            if self.owner is not None:
                self.tell(room_address(self.owner), need)
        else:
            seen = mind._replace(
                sensor=sensor, tick=tick, ladder=ladder, trim=trim, override=view.override
            )
            take = self._found if mind.relay is None else self._watched
            self._settle(self.relay, need, tick, take(self.relay, tick, seen))
        self._tell_state(need, tick.at_s)
        self._remember(tick.at_s)

    def _view(self, tick: RoomTick, sensor: FreshValue) -> RoomView:
        mind, reading = self.state, tick.reading
        temp_c, quality = believed(tick, sensor)
        wish = mind.override
        return RoomView(
            now_s=tick.at_s,
            temp_c=temp_c if quality in USABLE else None,
            floor_c=reading.floor_c if reading else None,
            outdoor=tick.outdoor,
            available_frac=tick.available_frac,
            window_open=bool(reading and reading.window_open),
            plan=mind.plan,
            override=wish if wish is not None and tick.at_s < wish.until_s else None,
            mode=self._mode(tick.at_s),
            trim=mind.trim,
            measured=sensor.age_s(tick.at_s) <= HELD_S or tick.estimate_c is not None,
            clock_trusted=tick.clock_trusted,
        )

    def _mode(self, now_s: float) -> HouseMode:
        """The mode that counts: an absence ends early enough to be warm again at its end."""
        mind, lead_s = self.state, LEAD_H[self.facts.emitter] * HOUR_S
        ending = mind.mode_until_s is not None and now_s >= mind.mode_until_s - lead_s
        return HouseMode.NORMAL if ending else mind.mode

    def _day(self, now_s: float) -> int:
        return local_day(now_s, self.facts.timezone)

    def _settle(self, relay: Relay, need: Need, tick: RoomTick, mind: RoomMind) -> None:
        memory, account = mind.relay, mind.account
        assert memory is not None, "a relay is found before it is decided about"
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

    def _found(self, relay: Relay, tick: RoomTick, mind: RoomMind) -> RoomMind:
        """Take the relay over at the first tick: by the journal, then by what it shows."""
        actual = tick.reading.relay_on if tick.reading and not tick.blocked else None
        last = self.last_order(f"relay/{relay.name}")
        found = found_relay(relay, mind.kept, last, actual, tick.at_s)
        memory = found.memory
        if memory.on:
            self.tell(POWER_BUDGET, RelaySwitched(relay.name, on=True, at_s=tick.at_s))
        if found.finding is not None:
            self.keep("reconciled", {"relay": relay.name, "on": memory.on, "how": found.finding})
        if found.finding is Finding.PERSON:
            self.claim(f"relay/{relay.name}")
        as_ordered = found.finding is Finding.ADOPT
        return mind._replace(
            relay=memory,
            kept=None,
            account=self._staggered(relay, memory),
            written=Written(found.lease_until_s, found.written_s + RENEW_S),
            look=Look(tick.at_s) if as_ordered else Look(),
        )

    def _watched(self, relay: Relay, tick: RoomTick, mind: RoomMind) -> RoomMind:
        """Compare the relay with our command; what a person changed at the device is respected."""
        memory, device = mind.relay, f"relay/{relay.name}"
        assert memory is not None, "a relay is watched only after it was found"
        look = mind.look.after(self._as_ordered(relay, tick, mind), tick.at_s)
        if not look.differs and look.news() == mind.look.news() and memory.by_hand is None:
            return self._unless_gone(relay, tick, mind._replace(look=look))
        link = self.watched(device, relay_text(memory.on), mind.look, look)
        mind = mind._replace(relay=reviewed(memory, link), look=look)
        on, temp_c = not memory.on, mind.sensor.good(tick.at_s)
        sure = not could_be_alone(relay.native, on, temp_c, self.facts.comfort)
        person = look.by_person(tick.at_s, mind.written.until_s)
        if not person or (link.loses(tick.at_s) and not sure):
            return self._unless_gone(relay, tick, mind)
        self.tell(POWER_BUDGET, RelaySwitched(relay.name, on=on, at_s=tick.at_s))
        self.keep("by_hand", {"relay": relay.name, "on": on, "sure": sure})
        if not sure:
            self.claim(device)
        theirs = memory.by_person(on, tick.at_s, sure=sure)
        theirs = theirs.counted(self._day(tick.at_s)) if on else theirs
        fresh = look._replace(seen_s=-inf, differs=0, tries=0)
        return mind._replace(relay=theirs, look=fresh, written=Written())

    def _unless_gone(self, relay: Relay, tick: RoomTick, mind: RoomMind) -> RoomMind:
        """Take a relay for off that went off by itself: to have it on again it must ask anew.

        It did so if it is seen off, or if our lease has run out and nobody sees it on.
        """
        memory, look, actual = mind.relay, mind.look, tick.reading and tick.reading.relay_on
        assert memory is not None, "a relay is watched only after it was found"
        if not memory.on or not self.writer.is_armed(f"relay/{relay.name}"):
            return mind
        unleased = -inf < mind.written.until_s <= tick.at_s and not actual
        if not unleased and not look.disobeyed():
            return mind
        self.tell(POWER_BUDGET, RelaySwitched(relay.name, on=False, at_s=tick.at_s))
        since_s = tick.at_s if look.confirmed else -inf  # what never closed has rested all along
        gone = replace(memory, on=False, since_s=since_s)
        return mind._replace(relay=gone, look=look._replace(differs=0), written=Written())

    def _as_ordered(self, relay: Relay, tick: RoomTick, mind: RoomMind) -> bool | None:
        """Whether the relay is as we ordered; None where a difference would mean nothing."""
        actual = tick.reading.relay_on if tick.reading else None
        if actual is None or tick.blocked or mind.relay is None:
            return None
        if actual == mind.relay.on:
            return True
        guard = mind.guard
        guarded = guard is not None and tick.at_s < guard.until_s and guard.on == actual
        return None if guarded or not self.writer.is_armed(f"relay/{relay.name}") else False

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
        memory = memory.counted(self._day(now_s)) if on else memory
        tick = self.state.tick
        shown = tick.reading.relay_on if tick is not None and tick.reading else None
        look = self.state.look.ordered(now_s, moves=shown is not on)
        self.state = self.state._replace(relay=memory, look=look)
        self._remember(now_s)

    def _renew(self, relay: Relay, decision: Decision, tick: RoomTick) -> bool:
        """Renew the lease by writing, and write again what the relay did not take."""
        mind, now_s = self.state, tick.at_s
        assert mind.relay is not None, "a relay is renewed only after it was found"
        if mind.look.suspects(now_s, mind.written.until_s):
            return False  # one more look: a write now would cover up what a person did
        if now_s < mind.written.again_s and not mind.look.disobeyed():
            return False
        return self._write(relay, decision, now_s, on=mind.relay.on)

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
        device = f"relay/{relay.name}"
        passed = self.effect(lambda: self.writer.apply(command), resource=device)
        if passed:
            held = self.writer.is_armed(device)
            written = Written(command.lease_until_s if held else -inf, now_s + RENEW_S)
            look = self.state.look.repeated(now_s)
            self.state = self.state._replace(written=written, look=look)
        return passed

    def _tell_budget(self, relay: Relay, on: bool, decision: Decision) -> None:
        """Say what the relay is; said at each renewal too, so that a fresh budget learns of it."""
        told = RelaySwitched(relay.name, on, self.now_s(), decision.slack_k)
        self.tell(POWER_BUDGET, told)

    def _on_republish(self) -> None:
        """Tell those who have just started what this relay is, and what a person wants."""
        mind = self.state
        if self.relay is not None and mind.relay is not None and mind.wanted is not None:
            self._tell_budget(self.relay, mind.relay.on, mind.wanted)
        if mind.override is not None:
            self._tell_wish(mind.override)

    def _on_silence(self) -> None:
        """Nobody ticks: go on by the room's own timer, with nothing read."""
        self.after(SILENCE_S, Silence())
        now_s, last = self.now_s(), self.state.tick
        if last is not None and now_s - last.at_s >= SILENCE_S:
            blocked = any(start_s <= now_s < end_s for start_s, end_s in last.blocks)
            self._on_tick(RoomTick(now_s, None, last.outdoor, blocked, blocks=last.blocks))

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
        """Take a new wish, or none; a person's word now undoes what was done at the device."""
        mind, self.told_s = self.state, float("-inf")
        relay = replace(mind.relay, by_hand=None) if mind.relay is not None else None
        self.state = mind._replace(override=wish, relay=relay)
        self._tell_wish(wish or Override(self.facts.comfort.day_c, now_s, "user", "released"))
        temp_c, until_s = (wish.temp_c, wish.until_s) if wish else (None, now_s)
        self.keep("wish", {"room": self.facts.name, "temp_c": temp_c, "until_s": until_s})
        self._remember(now_s)

    def _tell_wish(self, wish: Override) -> None:
        temp_c = wish.temp_c if wish.until_s > self.now_s() else None
        news = ComfortWish(self.facts.name, temp_c, wish.until_s, wish.owner, wish.reason)
        self.tell(PLANNER, news)

    def _remember(self, now_s: float) -> None:
        """Keep for a restart what has changed; the slow trim only now and then."""
        mind = self.state
        relay = mind.relay or mind.kept
        known = (mind.override, relay)
        if known == self.remembered and now_s - self.remembered_s < REMEMBER_S:
            return
        self.remembered, self.remembered_s = known, now_s
        self.remember(RoomKept(mind.trim, mind.override, relay))

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
        temp_c, quality = believed(tick, sensor) if tick else (None, sensor.quality(now_s))
        values: list[tuple[str, Value]] = [
            ("temp_c", Value(temp_c, "°C", quality, sensor.age_s(now_s))),
            ("target_c", Value(need.target_c, "°C")),
            ("slack_k", Value(need.slack_k if quality in USABLE else None, "K", quality)),
            ("duty", Value(need.duty, "")),
        ]
        if mind.relay is not None:
            values.append(("relay_on", Value(mind.relay.on, "")))
            values.append(("dwell_breaks", Value(mind.relay.dwell_breaks, "")))
            starts_today = mind.relay.starts_on(self._day(now_s))
            values.append(("starts_today", Value(starts_today, "")))
        values += self._owner(now_s)
        if tick is not None and tick.doubt:
            values.append(("sensor", Value(tick.doubt, "")))
        if tick is not None:
            values.append(("outdoor_c", Value(tick.outdoor.temp_c, "°C", tick.outdoor.quality)))
        reason = f"{decision.rule}: {decision.reason}" if decision else need.reason
        ladder = mind.ladder
        return DeviceState(self.path, now_s, ladder.level, reason, tuple(values), ladder.since_s)

    def _owner(self, now_s: float) -> list[tuple[str, Value]]:
        """Tell who decides in the place of the comfort table, and until when."""
        mind = self.state
        hand = mind.relay.person(now_s) if mind.relay is not None else None
        wish = mind.override if mind.override and now_s < mind.override.until_s else None
        if hand is not None:
            owner, until_s = "person", hand.until_s
        elif wish is not None:
            owner, until_s = wish.owner, wish.until_s
        else:
            return []
        return [("owner", Value(owner, "")), ("owner_until", Value(iso(until_s), ""))]
