"""A flexible load's post: ticks, plan and wishes in; leave is asked for, orders are written.

What it may do is decided in `control/flexible_load.py`. It is held back by a leased order; when
the lease ends, as when this actor is gone, it serves itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, NamedTuple

from pems_actors.actors.base import CONTROL, PLAN_KEEPER, PLANNER, POWER_BUDGET, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.incidents import close_incident, open_incident, still_open
from pems_actors.control.flexible_load import (
    LoadChoice,
    LoadMind,
    LoadWish,
    after_reading,
    choose,
    is_late,
    remaining_kwh,
    standing_wish,
    steady,
    task_of,
)
from pems_actors.domain.commands import SetLoad
from pems_actors.domain.events import (
    Armed,
    HouseMode,
    ModeChanged,
    Outcome,
    Republish,
    Request,
)
from pems_actors.domain.findings import ClockJumped, Finding, FindingKind
from pems_actors.domain.flexible_load import (
    FlexibleLoad,
    LoadGrant,
    LoadPlan,
    LoadRequest,
    LoadShed,
    LoadSwitched,
    LoadTick,
    LoadWanted,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import HOUR_S, iso
from pems_actors.durable.kept import LoadKept
from supervision import Context, Health

LEASE_S = 900.0
RENEW_S = 300.0
REPUBLISH_S = 300.0
BOOST_S = 2 * HOUR_S
OBEYS_S = 60.0
DRAWS_ON_S = 900.0  # held back and told so every minute: no order got lost any more
DRAWS_KW = 0.1
KEEP_KWH = 0.25  # the count is kept as often as it has grown by this


class Post(NamedTuple):
    """What goes with the mind: the last tick, what was written, told and kept, and when."""

    mind: LoadMind
    tick: LoadTick | None = None
    choice: LoadChoice | None = None
    renew_s: float = -inf
    told: tuple[object, ...] = ()
    told_s: float = -inf
    wanted: tuple[object, ...] | None = None  # as the planner was told last
    kept: LoadKept | None = None
    level_since_s: float = 0.0
    draws_on: Finding | None = None


class FlexibleLoadActor(HouseActor):
    """Decides once per tick, and at once when it is shed or told something."""

    state: Post

    def __init__(
        self, context: Context, load: FlexibleLoad, timezone: str, writer: DeviceWriter
    ) -> None:
        super().__init__(context)
        self.load, self.timezone, self.writer = load, timezone, writer
        self.device = f"load/{load.name}"

    def on_start(self) -> None:
        """Ask for the plan in force and the house's mode."""
        super().on_start()
        if self.state.draws_on is not None:
            open_incident(self, self.state.draws_on)
        for address in (PLAN_KEEPER, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> Post:
        """Begin with the wish that stood, and what was drawn of it."""
        now_s, kept = self.now_s(), self.recall()
        draws_on = still_open(self, self.device, FindingKind.DRAWS_ON)
        if isinstance(kept, LoadKept) and kept.by_s > now_s:
            wish = LoadWish(kept.energy_kwh, kept.by_s, kept.asked)
            mind = LoadMind(wish, kept.got_kwh, kept.hot_s, began_s=now_s)
            return Post(mind, draws_on=draws_on)
        hot_s = kept.hot_s if isinstance(kept, LoadKept) else -inf
        wish = standing_wish(self.load, now_s, self.timezone)
        return Post(LoadMind(wish, hot_s=hot_s, began_s=now_s), draws_on=draws_on)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case LoadTick():
                self._on_tick(message)
            case LoadPlan():
                self._mind(plan=message)
            case LoadGrant():
                self._on_grant(message)
            case LoadShed(reason=why, at_s=at_s, hold_s=hold_s):
                self._mind(shed_until_s=at_s + hold_s, shed_why=why)
                self._decide()
            case ModeChanged(mode=mode):
                self._on_mode(mode)
            case ClockJumped() | Armed():
                self._on_upheaval(message)
            case Republish():
                self.state = self.state._replace(wanted=None, told=())
                self._tell_budget()
                self._tell_planner()
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _mind(self, **changes: Any) -> None:
        self.state = self.state._replace(mind=self.state.mind._replace(**changes))

    def _on_tick(self, tick: LoadTick) -> None:
        mind = after_reading(self.state.mind, self.load, tick.reading, tick.at_s, self.timezone)
        self.state = self.state._replace(mind=mind, tick=tick)
        self._decide()
        self._watch(self.now_s())
        self._tell_planner()
        self._keep()

    def _on_mode(self, mode: HouseMode) -> None:
        self._mind(mode=mode)
        self._decide()

    def _on_upheaval(self, news: ClockJumped | Armed) -> None:
        """Write anew. A wish keeps its hour; what was written and shed moves with the clock."""
        mind = self.state.mind
        if isinstance(news, ClockJumped):
            self._mind(
                plan=None,
                shed_until_s=mind.shed_until_s + news.by_s,
                since_s=mind.since_s + news.by_s,
                began_s=self.now_s(),
            )
        else:
            self._mind(on=None)  # what was decided while it was disarmed was never real
        self.state = self.state._replace(renew_s=-inf, tick=None)

    # --- deciding

    def _decide(self) -> None:
        tick, mind = self.state.tick, self.state.mind
        if tick is None:
            return
        tick = tick._replace(at_s=max(tick.at_s, self.now_s()))
        choice = steady(mind, self.load, choose(mind, self.load, tick), tick.at_s)
        if choice.on and mind.on is not True:
            late = is_late(mind, self.load, tick.at_s)
            self.tell(POWER_BUDGET, LoadRequest(self.load.name, tick.at_s, late))
            waits = choice._replace(
                on=False, reason=f"waits for room under the limits; {choice.reason}"
            )
            self._order(waits, tick.at_s)
        else:
            self._order(choice, tick.at_s)

    def _on_grant(self, grant: LoadGrant) -> None:
        """Use leave if it is still wanted; else give it back."""
        tick, mind = self.state.tick, self.state.mind
        now_s = self.now_s()
        if tick is not None and now_s <= grant.valid_until_s:
            choice = choose(mind, self.load, tick._replace(at_s=max(tick.at_s, now_s)))
            if choice.on:
                self._order(choice, now_s)
        self._tell_budget()

    def _order(self, choice: LoadChoice, now_s: float) -> None:
        """Write what is new, and renew the lease."""
        mind, post = self.state.mind, self.state
        changed = mind.on is not choice.on
        if changed or now_s >= post.renew_s or self._disobeys(now_s):
            until_s = now_s + LEASE_S
            command = SetLoad(
                self.load.name, choice.on, choice.reason, choice.level, now_s, until_s
            )
            if self.effect(lambda: self.writer.apply(command), resource=self.device):
                since_s = now_s if changed else mind.since_s
                mind = mind._replace(on=choice.on, since_s=since_s)
                self.state = post._replace(mind=mind, renew_s=now_s + RENEW_S)
            self._tell_budget()
        self._publish(choice, now_s)

    def _disobeys(self, now_s: float) -> bool:
        """Tell if it draws although it is held back: an order may have got lost, so say it anew."""
        mind, reading = self.state.mind, self.state.mind.reading
        if mind.on is not False or reading is None or reading.at_s < mind.since_s + OBEYS_S:
            return False
        return (reading.power_kw or 0.0) > DRAWS_KW and now_s - reading.at_s < OBEYS_S

    def _watch(self, now_s: float) -> None:
        """Tell of a load that draws on for long although it is held back, until that is over."""
        mind, found = self.state.mind, self.state.draws_on
        ours = self.writer.is_armed(self.device)
        if found is None and ours and self._disobeys(now_s) and now_s >= mind.since_s + DRAWS_ON_S:
            reason = "draws on although it is held back; look at its contactor"
            found = Finding(self.device, FindingKind.DRAWS_ON, reason, mind.since_s)
            self.state = self.state._replace(draws_on=found)
            open_incident(self, found)
        elif found is not None and (mind.on or _rests(mind)):
            self.state = self.state._replace(draws_on=None)
            close_incident(self, found)

    # --- telling

    def _tell_budget(self) -> None:
        on, armed = self.state.mind.on, self.writer.is_armed(self.device)
        held, ours = on is False and armed, on is not None and armed
        self.tell(POWER_BUDGET, LoadSwitched(self.load.name, not held, self.now_s(), ours))

    def _tell_planner(self) -> None:
        """Tell what is wanted when that has changed; the energy in steps, not every minute."""
        task = task_of(self.state.mind, self.load, self.now_s())
        wanted = () if task is None else (round(task.energy_kwh), task.by_s)
        if wanted != self.state.wanted:
            self.state = self.state._replace(wanted=wanted)
            self.tell(PLANNER, LoadWanted(self.load.name, self.now_s(), task))

    def _keep(self) -> None:
        mind, before = self.state.mind, self.state.kept
        kept = LoadKept(
            mind.wish.energy_kwh, mind.wish.by_s, mind.wish.asked, mind.got_kwh, mind.hot_s
        )
        grown = before is None or abs(kept.got_kwh - before.got_kwh) >= KEEP_KWH
        if grown or before is None or kept.by_s != before.by_s:
            self.remember(kept)
            self.state = self.state._replace(kept=kept)

    def _publish(self, choice: LoadChoice, now_s: float) -> None:
        post, mind = self.state, self.state.mind
        told = (choice.on, choice.level, choice.reason)
        if told == post.told and now_s - post.told_s < REPUBLISH_S:
            return
        if told != post.told:
            state = Health.RUNNING if choice.level <= Level.LATE else Health.FALLBACK
            self.health(state, choice.reason, int(choice.level))
        before = post.choice
        climbed = before is None or before.level is not choice.level
        since_s = now_s if climbed else post.level_since_s
        self.state = post._replace(told=told, told_s=now_s, choice=choice, level_since_s=since_s)
        reading = mind.reading
        kw = reading.power_kw if reading is not None else None
        quality = Quality.MISSING if kw is None else Quality.GOOD
        values = (
            ("power_kw", Value(kw, "kW", quality)),
            ("allowed", Value(choice.on, "")),
            ("remaining_kwh", Value(round(remaining_kwh(mind, self.load, now_s), 2), "kWh")),
            ("wanted_by", Value(iso(mind.wish.by_s), "")),
        )
        self.publish(DeviceState(self.path, now_s, choice.level, choice.reason, values, since_s))

    # --- people

    def _on_request(self, request: Request) -> Outcome:
        outcome, reason = self._obey(request)
        return Outcome(request.id, self.path, request.verb, outcome, reason, self.now_s())

    def _obey(self, request: Request) -> tuple[str, str]:
        now_s, args = self.now_s(), request.args
        match request.verb:
            case "departure":
                return self._on_departure(args, now_s)
            case "boost":
                until_s = now_s + float(str(args.get("for_s", BOOST_S)))
                self._mind(boost_until_s=until_s)
                said = "it may draw from now on, as far as the limits allow"
            case "release":
                wish = standing_wish(self.load, now_s, self.timezone)
                self._mind(boost_until_s=-inf, wish=wish, got_kwh=0.0)
                said = "it follows its usual day again"
            case verb:
                return "rejected", f"a load knows no {verb!r}; try departure, boost or release"
        self._after_order()
        return "done", said

    def _on_departure(self, args: Mapping[str, Any], now_s: float) -> tuple[str, str]:
        by_s, energy_kwh = float(args["at_s"]), float(args["energy_kwh"])
        if by_s <= now_s:
            return "rejected", "departure: at lies in the past; give a time to come"
        self._mind(wish=LoadWish(energy_kwh, by_s, asked=True), got_kwh=0.0)
        self._after_order()
        hours = energy_kwh / max(self.load.power_kw, 0.1)
        late = (
            "" if hours * HOUR_S <= by_s - now_s else "; that is more than it can draw until then"
        )
        return "done", f"{energy_kwh:g} kWh by {iso(by_s)}{late}"

    def _after_order(self) -> None:
        self._decide()
        self._tell_planner()
        self._keep()


def _rests(mind: LoadMind) -> bool:
    """Whether a load was seen to draw nothing."""
    kw = None if mind.reading is None else mind.reading.power_kw
    return kw is not None and kw <= DRAWS_KW
