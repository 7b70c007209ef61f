"""A room: hears its sensor, decides what heat it needs, and tells the owner of its relay.

One relay has one owner. A member without a relay of its own (the kitchen of the reference house)
senses and tells its need to the owner, who serves the neediest. What is decided is in
`control/room.py`; `room_relay.py` switches, `room_orders.py` reads what people want,
`room_state.py` is what the world is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any

from pems_actors.actors.base import (
    CONTROL,
    PLAN_KEEPER,
    PLANNER,
    HouseActor,
    room_address,
)
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.room_mind import USABLE, RelayMind, RoomMind, believed, surely_c
from pems_actors.actors.room_orders import answered
from pems_actors.actors.room_relay import RoomRelay
from pems_actors.actors.room_state import room_state
from pems_actors.control.floor import FloorHeat
from pems_actors.control.ladder import Ladder
from pems_actors.control.rest import Rest, plan_holds_until_s, rest_after
from pems_actors.control.room import (
    NO_BLOCK,
    RoomFacts,
    RoomView,
    available_level,
    lead_h,
    next_trim,
    room_need,
)
from pems_actors.control.wishes import Override
from pems_actors.domain.events import (
    Armed,
    ComfortWish,
    GuardOrder,
    HouseMode,
    ModeChanged,
    Need,
    Outcome,
    RelayGrant,
    RelayShed,
    Republish,
    Request,
    RoomPlan,
    RoomTick,
)
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.house import Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.units import HOUR_S
from pems_actors.durable.kept import RoomKept
from pems_actors.estimation.freshness import ROOM_C, FreshValue
from supervision import Context, Health

REPUBLISH_S = 900.0
SILENCE_S = 180.0
TELL_AGAIN_S = 180.0  # the owner of a relay forgets a member's need after five minutes
HELD_S = 900.0  # heat is corrected against a temperature no older than this
REMEMBER_S = 900.0


@dataclass(frozen=True, slots=True)
class Silence:
    """The room's own timer: time to look whether anybody ticks."""


SILENCE = Silence()


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
        self.facts, self.owner = facts, owner
        self.relay: RoomRelay | None = None
        if relay is not None:
            self.relay = RoomRelay(self, facts, relay, writer, stagger_s)
        self.told: tuple[object, ...] = ()
        self.told_s = -inf
        self.remembered: RoomKept | None = None
        self.remembered_s = -inf
        self.ticked = False  # since the last look whether anybody ticks

    def on_start(self) -> None:
        """Begin without a reading: the sensor's clock of trust runs from now on."""
        super().on_start()
        self.after(SILENCE_S / 2, SILENCE)  # looks between two ticks, not just before one
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
            owned=self._owned(kept, now_s),
        )

    def _owned(self, kept: RoomKept, now_s: float) -> RelayMind | None:
        if self.relay is None:
            return None
        return RelayMind(kept=kept.relay, floors=FloorHeat(kept.floors, now_s))

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case RoomTick():
                self.ticked = True
                rest = self.state.rest
                if rest is not None and rest.holds(message):
                    self._stand(message)
                else:
                    self._on_tick(message)
            case RoomPlan():
                self.state = self.state._replace(plan=message, rest=None)
            case ModeChanged(mode=mode, until_s=until_s):
                self.state = self.state._replace(mode=mode, mode_until_s=until_s, rest=None)
            case Need() | GuardOrder() | RelayGrant() | RelayShed():
                self._on_relay_news(message)
            case Silence():
                self._on_silence()
            case ClockJumped() | Armed():
                self._on_upheaval(message)
            case Republish():
                self._on_republish()
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _on_upheaval(self, news: ClockJumped | Armed) -> None:
        """Let nothing rest on what held until now: by another clock, or behind a closed door."""
        mind = self.state
        if isinstance(news, ClockJumped):
            self.state = mind.shifted(news.by_s)
        else:
            self.state = mind._replace(owned=mind.owned and mind.owned.anew(), rest=None)

    def _on_need(self, need: Need) -> None:
        """Hear a member of the relay; one that says the same again lets the decision stand."""
        mind, owned, now_s = self.state, self.state.owned, self.now_s()
        if owned is None:
            return
        rest, after = mind.rest, owned.heard(need)
        stands = rest is not None and now_s <= rest.heard_until_s and owned.knows(need)
        rest = rest.heard(after.heard_until_s(now_s)) if rest and stands else None
        self.state = mind._replace(owned=after, rest=rest)

    def _on_relay_news(self, news: Need | GuardOrder | RelayGrant | RelayShed) -> None:
        """Keep what the next tick will be decided by; follow the power budget at once."""
        if isinstance(news, Need):
            self._on_need(news)
            return
        tick = self.state.tick
        if isinstance(news, RelayGrant | RelayShed) and tick and self._rested_until(tick):
            self._on_tick(tick)  # what the relay has done until now is reckoned first
        relay, mind = self.relay, self.state.owned
        if relay is None or mind is None:
            return
        match news:
            case GuardOrder():
                mind = mind._replace(guard=news)
            case RelayGrant():
                mind = relay.on_grant(mind, news, tick)
            case RelayShed():
                mind = relay.on_shed(mind, news, tick)
        self.state = self.state._replace(owned=mind, rest=None)
        self._remember(self.now_s())

    # --- sensing and deciding

    def _stand(self, tick: RoomTick) -> None:
        """Leave the decision as it is; all that there may be to do is to keep it up."""
        mind, relay = self.state, self.relay
        owned = mind.owned
        if relay is not None and owned is not None and owned.is_due(tick.at_s):
            self.state = mind.kept_up(tick, relay.kept_up(owned, tick.at_s))
        elif mind.said is not None and tick.at_s - mind.said.at_s >= TELL_AGAIN_S:
            said = self._tell_owner(mind.said._replace(at_s=tick.at_s))
            self.state = mind._replace(tick=tick, said=said)
        else:
            self.state = mind.saw(tick)

    def _on_tick(self, tick: RoomTick) -> None:
        self._end_mode_in_time(tick.at_s)
        mind, reading = self.state, tick.reading
        sensor, owned = self._caught_up()
        if reading is not None:
            sensor = sensor.heard(reading.temp_c, reading.at_s, tick.at_s)
        temp_c, quality = believed(tick, sensor)
        view = self._view(tick, sensor, temp_c, quality)
        level, reason = available_level(view)
        plan_s = mind.plan.issued_at_s if mind.plan else None
        ladder = mind.ladder.offer(level, reason, tick.at_s, plan_s)
        need = room_need(self.facts, view, ladder.level, ladder.reason)
        dt_s = tick.at_s - mind.decided_s if mind.decided_s is not None else 0.0
        starved = owned is not None and owned.starved
        held_back = starved or tick.blocked or tick.estimate_c is not None
        trim = next_trim(view, need, mind.trim, dt_s, held_back=held_back)
        if self.relay is not None and owned is not None:
            owned = self.relay.on_tick(owned, need, tick, sensor)
        self.state = RoomMind(
            sensor, tick, mind.plan, view.override, mind.mode, mind.mode_until_s,
            ladder, trim, owned, tick.at_s, self._rest(tick, need, owned), self._tell_owner(need),
        )  # fmt: skip
        self._tell_state(need, quality, tick.at_s)
        self._remember(tick.at_s)

    def _tell_owner(self, need: Need) -> Need | None:
        """Tell the owner of the relay what is wanted of it; None: that is nobody else."""
        if self.relay is not None or self.owner is None:
            return None
        self.tell(room_address(self.owner), need)
        return need

    def _rested_until(self, tick: RoomTick) -> bool:
        """Tell if a decision stood until this tick, which was not the one that it was made at."""
        mind = self.state
        stands = mind.rest is not None and mind.decided_s is not None
        return stands and tick.at_s != mind.decided_s

    def _caught_up(self) -> tuple[FreshValue, RelayMind | None]:
        """Take in what was last seen while a decision stood: the sensor spoke, the relay obeyed."""
        mind, tick, relay = self.state, self.state.tick, self.relay
        sensor, owned = mind.sensor, mind.owned
        rested = tick is not None and mind.decided_s is not None and tick.at_s > mind.decided_s
        if not rested or tick is None or tick.reading is None:
            return sensor, owned
        sensor = sensor.heard(tick.reading.temp_c, tick.reading.at_s, tick.at_s)
        if relay is not None and owned is not None:
            owned = relay.seen(owned, tick, sensor)
        return sensor, owned

    def _rest(self, tick: RoomTick, need: Need, owned: RelayMind | None) -> Rest | None:
        """Let the decision stand for a while, if it may."""
        mind = self.state
        until_s, mode_ends_s = plan_holds_until_s(mind.plan, tick.at_s), self._mode_ends_s()
        if tick.at_s < mode_ends_s:
            until_s = min(until_s, mode_ends_s)
        if self.relay is not None and owned is not None:
            until_s = min(until_s, self.relay.rests_until_s(owned, need, tick.at_s))
        rest = rest_after(tick, need, self.facts.limits, until_s, mind.override)
        if rest is None or owned is None or not owned.needs:
            return rest
        return rest.heard(owned.heard_until_s(tick.at_s))

    def _view(
        self, tick: RoomTick, sensor: FreshValue, temp_c: float | None, quality: Quality
    ) -> RoomView:
        mind, reading, wish = self.state, tick.reading, self.state.override
        usable_c = temp_c if quality in USABLE else None
        floor_c = reading.floor_c if reading else None
        window_open = bool(reading and reading.window_open)
        standing = wish if wish is not None and tick.at_s < wish.until_s else None
        measured = tick.estimate_c is not None or sensor.age_s(tick.at_s) <= HELD_S
        block = next((each for each in tick.blocks if each[0] > tick.at_s), NO_BLOCK)
        at_least_c = surely_c(tick, sensor) if usable_c is None else None
        return RoomView(
            tick.at_s, usable_c, floor_c, tick.outdoor, tick.available_frac, window_open,
            mind.plan, standing, self._mode(tick.at_s), mind.trim, measured, tick.clock_trusted,
            block, at_least_c, quality is Quality.ESTIMATED,
        )  # fmt: skip

    def _mode(self, now_s: float) -> HouseMode:
        """The mode that counts: an absence ends early enough to be warm again at its end."""
        return self.state.mode if now_s < self._mode_ends_s() else HouseMode.NORMAL

    def _mode_ends_s(self) -> float:
        mind, until_s = self.state, self.state.mode_until_s
        if until_s is None or mind.tick is None:
            return inf
        temp_c, outdoor_c = mind.sensor.value, mind.tick.outdoor.temp_c
        return until_s - HOUR_S * lead_h(self.facts, temp_c, outdoor_c, mind.ladder.level)

    def _end_mode_in_time(self, now_s: float) -> None:
        """End an absence for good: a room that gets warmer would otherwise seem to have time."""
        until_s = self.state.mode_until_s
        if until_s is not None and self._mode_ends_s() <= now_s < until_s:
            self.state = self.state._replace(mode_until_s=now_s)

    def _on_silence(self) -> None:
        """Nobody ticks: go on by the room's own timer, with nothing read.

        A clock that was set, or a machine that slept, is no silence.
        """
        self.after(SILENCE_S, SILENCE)
        ticked, self.ticked = self.ticked, False
        last = self.state.tick
        if last is not None and not ticked:
            now_s = self.now_s()
            blocked = any(start_s <= now_s < end_s for start_s, end_s in last.blocks)
            self._on_tick(RoomTick(now_s, None, last.outdoor, blocked, blocks=last.blocks))

    # --- people

    def _on_request(self, request: Request) -> Outcome:
        now_s = self.now_s()
        outcome, reason, wish = answered(request, self.facts, now_s)
        if outcome == "done":
            self._take(wish, now_s)
        return Outcome(request.id, self.path, request.verb, outcome, reason, now_s)

    def _take(self, wish: Override | None, now_s: float) -> None:
        """Take a new wish, or none; a person's word now undoes what was done at the device."""
        mind, owned, self.told_s = self.state, self.state.owned, -inf
        if owned is not None and owned.memory is not None:
            owned = owned._replace(memory=replace(owned.memory, by_hand=None))
        self.state = mind._replace(override=wish, owned=owned, rest=None)
        self._tell_wish(wish or Override(self.facts.comfort.day_c, now_s, "user", "released"))
        temp_c, until_s = (wish.temp_c, wish.until_s) if wish else (None, now_s)
        self.keep("wish", {"room": self.facts.name, "temp_c": temp_c, "until_s": until_s})
        self._remember(now_s)

    def _tell_wish(self, wish: Override) -> None:
        temp_c = wish.temp_c if wish.until_s > self.now_s() else None
        news = ComfortWish(self.facts.name, temp_c, wish.until_s, wish.owner, wish.reason)
        self.tell(PLANNER, news)

    # --- telling and remembering

    def _on_republish(self) -> None:
        """Tell those who have just started what this relay is, and what a person wants."""
        mind = self.state
        if self.relay is not None and mind.owned is not None:
            self.relay.tell_again(mind.owned)
        if mind.override is not None:
            self._tell_wish(mind.override)

    def _tell_state(self, need: Need, quality: Quality, now_s: float) -> None:
        """Publish the room when something about it has changed, or now and then."""
        mind, owned = self.state, self.state.owned
        level, reason = mind.ladder.level, mind.ladder.reason
        on = owned.memory.on if owned is not None and owned.memory is not None else None
        rule = owned.wanted.rule if owned is not None and owned.wanted is not None else "need"
        reading = mind.tick.reading if mind.tick is not None else None
        opened = bool(reading and reading.window_open)
        summary = (level, reason, on, rule, quality, opened)
        if summary == self.told and now_s // REPUBLISH_S == self.told_s // REPUBLISH_S:
            return
        if summary[:2] != self.told[:2]:
            health = Health.RUNNING if level <= Level.LATE else Health.FALLBACK
            self.health(health, reason, int(level))
        self.told, self.told_s = summary, now_s
        self.publish(room_state(self.path, self.facts, mind, need, now_s))

    def _remember(self, now_s: float) -> None:
        """Keep for a restart what has changed; the slow trim only now and then."""
        mind, owned, last = self.state, self.state.owned, self.remembered
        relay = None if owned is None else owned.memory or owned.kept
        same = last is not None and relay is last.relay and mind.override is last.override
        if same and now_s - self.remembered_s < REMEMBER_S:
            return
        floors = owned.floors.shares if owned is not None else ()
        self.remembered_s = now_s
        self.remembered = RoomKept(mind.trim, mind.override, relay, floors)
        self.remember(self.remembered)
