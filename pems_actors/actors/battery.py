"""The battery: keeps to the plan's mode, and to self-use when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from pems_actors.actors.base import CONTROL, PLAN_KEEPER, PLANNER, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.incidents import close_incident, open_incident
from pems_actors.control.battery import (
    BatteryChoice,
    BatteryView,
    UserBattery,
    choose,
    within,
)
from pems_actors.control.command_path import CommandPath
from pems_actors.control.order import BY_HAND_S
from pems_actors.control.reconcile import Finding, LastOrder, Look, found_at_start
from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.events import (
    ChargeShed,
    EnergyPlan,
    EnergyTick,
    HouseMode,
    ModeChanged,
    Outcome,
    Republish,
    Request,
)
from pems_actors.domain.findings import BatteryObeys, ClockJumped, FindingKind
from pems_actors.domain.findings import Finding as Found
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading, Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import iso
from pems_actors.durable.kept import BatteryKept
from supervision import Context, Health

LEASE_S = 900.0
RENEW_S = 300.0
METER_LOST_S = 180.0
REPUBLISH_S = 300.0
CHOICE_S = 3600.0
BY_PERSON = "changed at the inverter by a person"


@dataclass(frozen=True, slots=True)
class BatteryMind:
    """All that the battery actor remembers."""

    plan: EnergyPlan | None = None
    user: UserBattery | None = None
    mode: HouseMode = HouseMode.NORMAL
    shed_until_s: float = float("-inf")
    reading: BatteryReading | None = None
    meter_s: float = float("-inf")
    choice: BatteryChoice | None = None
    since_s: float = float("-inf")  # in this mode
    level_since_s: float = float("-inf")
    changes_s: tuple[float, ...] = ()
    renew_at_s: float = float("-inf")
    told: tuple[object, ...] = ()
    told_s: float = float("-inf")
    lease_until_s: float = float("-inf")
    look: Look = field(default_factory=Look)  # how the device compares with our order
    kept: BatteryKept | None = None  # from before the restart, until the device is found
    remembered: BatteryKept | None = None
    path: CommandPath = field(default_factory=CommandPath)
    ordered_s: float = float("-inf")  # when the order last changed
    clock_trusted: bool = True


class BatteryActor(HouseActor):
    """Decides once per tick and renews its lease by writing."""

    state: BatteryMind

    def __init__(self, context: Context, house: House, writer: DeviceWriter) -> None:
        super().__init__(context)
        self.house, self.writer = house, writer

    def on_start(self) -> None:
        """Begin without a plan and ask for the one in force."""
        super().on_start()
        for address in (PLAN_KEEPER, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> BatteryMind:
        """Begin with what outlived the restart: the changes of the day, a person's choice."""
        kept: BatteryKept | None = self.recall()
        if kept is None:
            return BatteryMind()
        return BatteryMind(
            user=kept.user, since_s=kept.since_s, changes_s=kept.changes_s, kept=kept
        )

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case EnergyTick():
                self._on_tick(message)
            case EnergyPlan():
                self.state = replace(self.state, plan=message)
            case ChargeShed():
                self.state = replace(self.state, shed_until_s=message.at_s + message.hold_s)
                self._decide(message.at_s)
            case ModeChanged():
                self._on_mode(message.mode)
            case ClockJumped(by_s=by_s):
                self._on_jump(by_s)
            case Republish():
                self._tell_obeys(self.now_s())
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _on_mode(self, mode: HouseMode) -> None:
        """Take a new mode; an emergency does not wait for the next tick."""
        before, self.state = self.state, replace(self.state, mode=mode)
        if mode is not before.mode and before.choice is not None:
            self._decide(self.now_s())

    def _on_tick(self, tick: EnergyTick) -> None:
        known = tick.meter is not None and tick.meter.grid_kw is not None
        mind = self.state
        silent = mind.reading is not None and tick.at_s - mind.reading.at_s > METER_LOST_S
        back = silent and tick.battery is not None
        self.state = replace(
            mind,
            reading=tick.battery or mind.reading,
            meter_s=tick.at_s if known else mind.meter_s,
            renew_at_s=float("-inf") if back else mind.renew_at_s,  # tell it anew what holds
            clock_trusted=tick.clock_trusted,
        )
        shown = tick.battery.mode if tick.battery is not None else None
        if self.state.kept is not None:
            self._found(self.state.kept, shown, tick.at_s)
        else:
            self._watch(shown, tick.at_s)
        self._decide(tick.at_s)

    # --- ours, or a person's

    def _found(self, kept: BatteryKept, shown: BatteryMode | None, now_s: float) -> None:
        """Take the battery over after a restart: by the journal, then by what it shows."""
        last = self.last_order("battery")
        self.state = replace(self.state, kept=None)
        if last is None:
            return
        if self._still_theirs(kept.user, shown, now_s):
            return
        ours = _ordered(kept, last)
        leased = last.at_s <= now_s < last.lease_until_s
        finding = None
        if shown is not None:
            alone = BatteryMode.SELF_USE.value
            finding = found_at_start(last, shown.value, now_s, alone)
            self.keep("reconciled", {"device": "battery", "mode": shown, "how": finding})
        if finding is Finding.PERSON and shown is not None:
            self._by_hand(shown, now_s)
        elif finding is Finding.CORRECT and shown is not None and shown is not ours.mode:
            self.state = replace(self.state, choice=_as_found(shown), since_s=float("-inf"))
        else:
            renew_at_s = last.at_s + RENEW_S if leased else float("-inf")
            self.state = replace(
                self.state, choice=ours, renew_at_s=renew_at_s, lease_until_s=last.lease_until_s
            )

    def _still_theirs(
        self, user: UserBattery | None, shown: BatteryMode | None, now_s: float
    ) -> bool:
        """Go on leaving the battery to a person who had taken it over before the restart."""
        if user is None or not user.by_hand or shown not in {None, user.mode}:
            return False
        self._leave(user, now_s)
        return True

    def _watch(self, shown: BatteryMode | None, now_s: float) -> None:
        """Compare the mode shown with our order; a person's change is respected for a while."""
        mind = self.state
        if mind.choice is None or shown is None or not self.writer.is_armed("battery"):
            return
        look = mind.look.after(shown is mind.choice.mode, now_s)
        link = self.watched("battery", mind.choice.mode.value, mind.look, look)
        self.state = replace(mind, look=look)
        lapsed = shown is BatteryMode.SELF_USE and not link.arrives(now_s)
        if look.by_person(now_s, mind.lease_until_s) and not lapsed:
            self._by_hand(shown, now_s)
        else:
            self._follow_path(mind.choice.mode, shown, now_s)

    def _follow_path(self, ordered: BatteryMode, shown: BatteryMode, now_s: float) -> None:
        """Note if the inverter answers and does not obey, and when it does again."""
        before = self.state.path
        path = before.after(ordered.value, self.state.ordered_s, shown.value, now_s)
        if path is before:
            return
        self.state = replace(self.state, path=path)
        if path.obeys is not before.obeys:
            since_s = now_s if before.obeys else before.since_s
            why = f"the inverter answers {path.stands or before.stands} and does not obey"
            finding = Found("battery", FindingKind.IGNORES, why, since_s)
            (close_incident if path.obeys else open_incident)(self, finding)
            self.keep("finding", {"device": "battery", "kind": finding.kind, "obeys": path.obeys})
        if path.usable is not before.usable or path.obeys is not before.obeys:
            self._tell_obeys(now_s)
            self.state = replace(self.state, told=())

    def _tell_obeys(self, now_s: float) -> None:
        path = self.state.path
        why = "obeys" if path.usable else f"stays in {path.stands} whatever is ordered"
        self.tell(PLANNER, BatteryObeys(now_s, path.usable, why))

    def _on_jump(self, by_s: float) -> None:
        """Move along with a clock that was set; the lease is renewed by the new time at once."""
        mind = self.state
        self.state = replace(
            mind,
            shed_until_s=mind.shed_until_s + by_s,
            meter_s=mind.meter_s + by_s,
            reading=mind.reading and mind.reading._replace(at_s=mind.reading.at_s + by_s),
            since_s=mind.since_s + by_s,
            changes_s=tuple(at_s + by_s for at_s in mind.changes_s),
            renew_at_s=mind.renew_at_s if _theirs(mind.user) else float("-inf"),
            path=mind.path.shifted(by_s),
            ordered_s=mind.ordered_s + by_s,
        )

    def _by_hand(self, mode: BatteryMode, now_s: float) -> None:
        """Leave the battery as a person has set it: nothing is written while that stands."""
        self.keep("by_hand", {"device": "battery", "mode": mode})
        self._leave(
            UserBattery(mode, now_s + BY_HAND_S, None, None, BY_PERSON, by_hand=True), now_s
        )

    def _leave(self, user: UserBattery, now_s: float) -> None:
        self.state = replace(
            self.state,
            user=user,
            choice=_as_found(user.mode),
            since_s=now_s,
            look=self.state.look._replace(seen_s=now_s, differs=0, tries=0),
            lease_until_s=user.until_s,
            renew_at_s=user.until_s,
        )

    # --- deciding

    def _decide(self, now_s: float) -> None:
        mind = self.state
        fresh = mind.reading is not None and now_s - mind.reading.at_s <= METER_LOST_S
        view = BatteryView(
            now_s=now_s,
            soc_frac=mind.reading.soc_frac if mind.reading is not None and fresh else None,
            meter_known=now_s - mind.meter_s <= METER_LOST_S,
            plan=mind.plan,
            user=mind.user,
            shed_until_s=mind.shed_until_s,
            mode=mind.mode,
            clock_trusted=mind.clock_trusted,
        )
        choice = self._steady(within(choose(view), self.house.battery), now_s)
        if _order(choice) != _order(mind.choice) or self._renews(choice, now_s):
            self._write(choice, now_s)
        begins = not isfinite(mind.level_since_s)  # also where a choice outlived a restart
        climbed = begins or mind.choice is None or mind.choice.level is not choice.level
        level_since_s = now_s if climbed else mind.level_since_s
        self.state = replace(self.state, choice=choice, level_since_s=level_since_s)
        self._remember()
        self._tell_state(choice, now_s)

    def _renews(self, choice: BatteryChoice, now_s: float) -> bool:
        """Tell if the same order is to be written again: for its lease, or once if it got lost."""
        mind, user = self.state, self.state.user
        if user is not None and user.by_hand and user.mode is choice.mode and now_s < user.until_s:
            return False  # it is theirs
        if mind.look.suspects(now_s, mind.lease_until_s):
            return False  # one more look: a write now would cover up what a person did
        lost = mind.look.disobeyed() and mind.look.tries == 0
        return now_s >= mind.renew_at_s or lost

    def _remember(self) -> None:
        """Keep for a restart what has changed."""
        mind = self.state
        if mind.choice is None:
            return
        order = mind.choice
        kept = BatteryKept(
            order.mode, mind.since_s, mind.changes_s, order.rate_kw, order.stop_soc_frac, mind.user
        )
        if kept != mind.remembered:
            self.state = replace(mind, remembered=kept)
            self.remember(kept)

    def _steady(self, choice: BatteryChoice, now_s: float) -> BatteryChoice:
        """Keep to the least time in a mode and to the changes of a day; safety may always leave."""
        before, inverter = self.state.choice, self.house.inverter
        if before is None or choice.mode is before.mode or choice.mode is BatteryMode.SELF_USE:
            return choice
        today = sum(1 for s in self.state.changes_s if s > now_s - 86400.0)
        if now_s - self.state.since_s < inverter.min_mode_s and before.mode is not (
            BatteryMode.SELF_USE
        ):
            return replace(before, reason=f"{before.mode} for at least 30 min", level=choice.level)
        if today >= inverter.max_mode_changes_per_day - 1:  # the last one leads home
            return replace(
                choice, mode=BatteryMode.SELF_USE, rate_kw=None, stop_soc_frac=None,
                reason=f"{today} mode changes within a day: self-use",
            )  # fmt: skip
        return choice

    def _write(self, choice: BatteryChoice, now_s: float) -> None:
        command = SetBatteryMode(
            mode=choice.mode,
            reason=choice.reason,
            level=choice.level,
            at_s=now_s,
            lease_until_s=now_s + LEASE_S,
            rate_kw=choice.rate_kw,
            stop_soc_frac=choice.stop_soc_frac,
        )
        if not self.effect(lambda: self.writer.apply(command), resource="battery"):
            return
        changed = self.state.choice is None or choice.mode is not self.state.choice.mode
        recent = tuple(s for s in self.state.changes_s if s > now_s - 86400.0)
        held, look = self.writer.is_armed("battery"), self.state.look
        self.state = replace(
            self.state,
            renew_at_s=now_s + RENEW_S,
            lease_until_s=command.lease_until_s if held else float("-inf"),
            look=look.ordered(now_s, moves=True) if changed else look.repeated(now_s),
            since_s=now_s if changed else self.state.since_s,
            ordered_s=now_s if changed else self.state.ordered_s,
            changes_s=(*recent, now_s) if changed else recent,
        )

    def _on_request(self, request: Request) -> Outcome:
        outcome, reason = self._obey(request)
        return Outcome(request.id, self.path, request.verb, outcome, reason, self.now_s())

    def _obey(self, request: Request) -> tuple[str, str]:
        now_s = self.now_s()
        if request.verb == "release":
            self.state = replace(self.state, user=None)
            self._decide(now_s)
            return "done", "the battery follows the plan again"
        if request.verb != "mode":
            return "rejected", f"the battery knows no {request.verb!r}; try mode or release"
        args: Mapping[str, Any] = request.args
        mode, until_s = BatteryMode(args["mode"]), now_s + args.get("for_s", CHOICE_S)
        reason = request.reason or "a person's choice"
        user = UserBattery(mode, until_s, args.get("rate_kw"), args.get("stop_soc_frac"), reason)
        self.state = replace(self.state, user=user)
        self._decide(now_s)
        now = self.state.choice
        if now is not None and now.mode is not mode:
            return "done", f"{mode.value} is noted; just now {now.mode.value}: {now.reason}"
        return "done", f"battery in {mode.value}"

    def _tell_state(self, choice: BatteryChoice, now_s: float) -> None:
        mind = self.state
        obeys = mind.path.obeys
        summary = (choice.level, choice.mode, choice.reason, obeys)
        if summary == mind.told and now_s - mind.told_s < REPUBLISH_S:
            return
        if summary != mind.told:
            state = Health.RUNNING if choice.level <= Level.LATE else Health.FALLBACK
            doubt = "" if obeys else f"; the inverter stays in {mind.path.stands}: it does not obey"
            self.health(
                state if obeys else Health.DEGRADED, choice.reason + doubt, int(choice.level)
            )
        self.state = replace(mind, told=summary, told_s=now_s)
        reading = mind.reading
        age_s = now_s - reading.at_s if reading else 0.0
        quality = Quality.MISSING if reading is None else Quality.GOOD
        soc = reading.soc_frac if reading else None
        power = reading.power_kw if reading else None
        values = (
            ("soc_frac", Value(soc, "", quality if soc is not None else Quality.MISSING, age_s)),
            ("battery_kw", Value(power, "kW", quality, age_s)),
            ("mode", Value(choice.mode.value, "")),
            ("mode_changes_today", Value(len(mind.changes_s), "")),
            ("command_path", Value("obeys" if obeys else "degraded", "")),
            *_owner(mind.user, now_s),
        )
        self.publish(
            DeviceState(self.path, now_s, choice.level, choice.reason, values, mind.level_since_s)
        )


def _theirs(user: UserBattery | None) -> bool:
    """Tell if a person has set the battery at the inverter, so that nothing is written."""
    return user is not None and user.by_hand


def _order(choice: BatteryChoice | None) -> tuple[object, ...]:
    return () if choice is None else (choice.mode, choice.rate_kw, choice.stop_soc_frac)


def _owner(user: UserBattery | None, now_s: float) -> tuple[tuple[str, Value], ...]:
    """Tell who decides in the place of the plan, and until when."""
    if user is None or now_s >= user.until_s:
        return ()
    owner = "person" if user.by_hand else "user"
    return (("owner", Value(owner, "")), ("owner_until", Value(iso(user.until_s), "")))


def _as_found(mode: BatteryMode) -> BatteryChoice:
    """The choice that a device shows without our doing."""
    return BatteryChoice(mode, None, None, Level.RULES, "as found", None, "")


def _ordered(kept: BatteryKept, last: LastOrder) -> BatteryChoice:
    """The choice behind the last order; its rate is known if the memory of it was saved."""
    if kept.mode.value != last.order:
        return _as_found(BatteryMode(last.order))
    choice = _as_found(kept.mode)
    return replace(choice, rate_kw=kept.rate_kw, stop_soc_frac=kept.stop_soc_frac)
