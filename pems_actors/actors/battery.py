"""The battery: keeps to the plan's mode, and to self-use when there is none.

What it may do is decided in `control/battery.py`; `battery_reconcile.py` compares with what the
inverter shows, `battery_state.py` is what the world is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

from pems_actors.actors.base import CONTROL, PLAN_KEEPER, POWER_BUDGET, HouseActor
from pems_actors.actors.battery_mind import BatteryMind, as_found, order_of
from pems_actors.actors.battery_reconcile import RENEW_S, BatteryReconciler
from pems_actors.actors.battery_state import battery_state
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.incidents import begin_with, still_open
from pems_actors.control.battery import (
    BatteryChoice,
    BatteryView,
    UserBattery,
    beside_car,
    choose,
    unless_unsafe,
    within,
)
from pems_actors.control.battery_leave import lets, rise_kw, waiting
from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.events import (
    Armed,
    BatteryGrant,
    BatteryRequest,
    ChargeShed,
    EnergyPlan,
    EnergyTick,
    HouseMode,
    ModeChanged,
    Outcome,
    Republish,
    Request,
)
from pems_actors.domain.findings import ClockJumped, FindingKind
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.domain.units import DAY_S
from pems_actors.durable.kept import BatteryKept
from pems_actors.optimisation.price_modes import BatteryNow, modes_by_prices
from supervision import Context, Health

LEASE_S = 900.0
METER_LOST_S = 180.0
REPUBLISH_S = 300.0
CHOICE_S = 3600.0
CAR_KW = 0.3  # from here on a car is charged
CAR_PAUSE_S = 900.0


class BatteryActor(HouseActor):
    """Decides once per tick and renews its lease by writing."""

    state: BatteryMind

    def __init__(self, context: Context, house: House, writer: DeviceWriter) -> None:
        super().__init__(context)
        self.house, self.writer = house, writer
        rests = house.battery.capacity_kwh > 0.0
        self.cars = frozenset(each.name for each in house.loads if rests and each.rests_battery)
        self.reconciler = BatteryReconciler(self, writer)

    def on_start(self) -> None:
        """Begin without a plan and ask for the one in force."""
        begins = self.state is None
        super().on_start()
        if begins:
            ignored = self.state.ignored
            begin_with(self, (FindingKind.IGNORES,), () if ignored is None else (ignored,))
        for address in (PLAN_KEEPER, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> BatteryMind:
        """Begin with what outlived the restart: the changes of the day, a person's choice.

        The incident of an inverter that did not obey goes on until that is seen no more.
        """
        ignored = still_open(self, "battery", FindingKind.IGNORES)
        mind = BatteryMind(ignored=ignored, ignored_s=self.now_s())
        kept: BatteryKept | None = self.recall()
        if kept is None:
            return mind
        return mind._replace(
            user=kept.user, since_s=kept.since_s, changes_s=kept.changes_s, kept=kept
        )

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case EnergyTick():
                self._on_tick(message)
            case EnergyPlan():
                self.state = self.state.planned(message)
            case PriceCurve():
                self._on_prices(message)
            case BatteryGrant():
                self._on_leave(message)
            case ChargeShed():
                self.state = self.state._replace(shed_until_s=message.at_s + message.hold_s)
                self._decide(message.at_s)
            case ModeChanged():
                self._on_mode(message.mode)
            case ClockJumped() | Armed():
                self._on_upheaval(message)
            case Republish():
                self.reconciler.tell_obeys(self.state.path, self.now_s())
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _on_upheaval(self, news: ClockJumped | Armed) -> None:
        """Let nothing rest on what held until now: by another clock, or behind a closed door."""
        mind = self.state
        self.state = mind.shifted(news.by_s) if isinstance(news, ClockJumped) else mind.anew()

    def _on_prices(self, prices: PriceCurve) -> None:
        """Choose the modes of an old plan anew: each hour, and when prices are published."""
        mind, now_s = self.state, self.now_s()
        plan, reading, before = mind.plan, mind.reading, mind.choice
        if plan is None or now_s < plan.valid_until_s or before is None or reading is None:
            return
        if reading.soc_frac is None or now_s - reading.at_s > METER_LOST_S:
            return
        now = BatteryNow(now_s, reading.soc_frac, before.mode, mind.since_s, mind.changes_s)
        repriced = modes_by_prices(plan, prices, self.house, now)
        self.state = mind._replace(repriced=repriced or mind.repriced)

    def _on_leave(self, leave: BatteryGrant) -> None:
        """Do at once what has waited for this leave."""
        self.state = self.state._replace(leave=leave)
        if self.state.choice is not None:
            self._decide(self.now_s())

    def _on_mode(self, mode: HouseMode) -> None:
        """Take a new mode; an emergency does not wait for the next tick."""
        before, self.state = self.state, self.state._replace(mode=mode)
        if mode is not before.mode and before.choice is not None:
            self._decide(self.now_s())

    def _on_tick(self, tick: EnergyTick) -> None:
        known = tick.meter is not None and tick.meter.grid_kw is not None
        mind, now_s = self.state, tick.at_s
        silent = mind.reading is not None and now_s - mind.reading.at_s > METER_LOST_S
        back = silent and tick.battery is not None
        mind = mind._replace(
            reading=tick.battery or mind.reading,
            meter_s=now_s if known else mind.meter_s,
            renew_at_s=-inf if back else mind.renew_at_s,  # tell it anew what holds
            clock_trusted=tick.clock_trusted,
            car_until_s=self._car_until_s(tick),
        )
        shown = tick.battery.mode if tick.battery is not None else None
        if mind.kept is not None:
            self.state = self.reconciler.found(mind, mind.kept, shown, now_s)
        else:
            self.state = self.reconciler.looked(mind, shown, now_s)
        self._decide(now_s)

    def _car_until_s(self, tick: EnergyTick) -> float:
        """Until when a car counts as being charged: short pauses do not change the mode."""
        charged = any((r.power_kw or 0.0) > CAR_KW for r in tick.loads if r.load in self.cars)
        return tick.at_s + CAR_PAUSE_S if charged else self.state.car_until_s

    # --- deciding

    def _decide(self, now_s: float) -> None:
        mind = self.state
        choice, before = self._by_leave(mind, self._choice(mind, now_s), now_s), mind.choice
        if before is None or order_of(choice) != order_of(before) or _renews(mind, choice, now_s):
            mind = self._written(mind, choice, now_s)
        begins = not isfinite(mind.level_since_s)  # also where a choice outlived a restart
        climbed = begins or before is None or before.level is not choice.level
        if climbed or choice != before:
            level_since_s = now_s if climbed else mind.level_since_s
            mind = mind._replace(choice=choice, level_since_s=level_since_s)
        self.state = self._told(self._remembered(mind, choice), choice, now_s)

    def _choice(self, mind: BatteryMind, now_s: float) -> BatteryChoice:
        fresh = mind.reading is not None and now_s - mind.reading.at_s <= METER_LOST_S
        view = BatteryView(
            now_s=now_s,
            soc_frac=mind.reading.soc_frac if mind.reading is not None and fresh else None,
            meter_known=now_s - mind.meter_s <= METER_LOST_S,
            plan=mind.repriced or mind.plan,
            user=mind.user,
            shed_until_s=mind.shed_until_s,
            mode=mind.mode,
            clock_trusted=mind.clock_trusted,
            car_until_s=mind.car_until_s,
        )
        chosen = beside_car(choose(view), view)
        choice = self._steady(mind, within(chosen, self.house.battery), now_s)
        return unless_unsafe(choice, view)  # no least time in a mode is above that

    def _by_leave(self, mind: BatteryMind, choice: BatteryChoice, now_s: float) -> BatteryChoice:
        """Let a choice by which the house draws more wait for the power budget's leave.

        Rest beside a car needs none: the car's own start has counted with that.
        """
        before = mind.choice or as_found(BatteryMode.SELF_USE)
        more_kw = rise_kw(choice, mind.reading, self.house.battery)
        beside = choice.mode is BatteryMode.HOLD and now_s < mind.car_until_s
        if beside or order_of(choice) == order_of(before) or lets(mind.leave, more_kw, now_s):
            return choice
        charge = choice.mode is BatteryMode.CHARGE_GRID
        self.tell(POWER_BUDGET, BatteryRequest(now_s, more_kw, charge))
        return waiting(choice, before)

    def _steady(self, mind: BatteryMind, choice: BatteryChoice, now_s: float) -> BatteryChoice:
        """Keep to the least time in a mode and to the changes of a day; safety may always leave."""
        before, inverter, home = mind.choice, self.house.inverter, BatteryMode.SELF_USE
        if before is None or choice.mode is before.mode or choice.mode is home:
            return choice
        if now_s - mind.since_s < inverter.min_mode_s and before.mode is not home:
            return before._replace(reason=f"{before.mode} for at least 30 min", level=choice.level)
        today = sum(1 for s in mind.changes_s if s > now_s - DAY_S)
        if today >= inverter.max_mode_changes_per_day - 1:  # the last one leads home
            why = f"{today} mode changes within a day: self-use"
            return choice._replace(mode=home, rate_kw=None, stop_soc_frac=None, reason=why)
        return choice

    def _written(self, mind: BatteryMind, choice: BatteryChoice, now_s: float) -> BatteryMind:
        """Write an order with its lease, if the gate lets it pass."""
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
            return mind
        changed = mind.choice is None or choice.mode is not mind.choice.mode
        recent = tuple(s for s in mind.changes_s if s > now_s - DAY_S)
        held, look = self.writer.is_armed("battery"), mind.look
        return mind._replace(
            renew_at_s=now_s + RENEW_S,
            lease_until_s=command.lease_until_s if held else -inf,
            look=look.ordered(now_s, moves=True) if changed else look.repeated(now_s),
            since_s=now_s if changed else mind.since_s,
            ordered_s=now_s if changed else mind.ordered_s,
            changes_s=(*recent, now_s) if changed else recent,
        )

    # --- remembering and telling

    def _remembered(self, mind: BatteryMind, choice: BatteryChoice) -> BatteryMind:
        """Keep for a restart what has changed."""
        mode, rate_kw, stop_soc_frac = order_of(choice)
        kept = BatteryKept(mode, mind.since_s, mind.changes_s, rate_kw, stop_soc_frac, mind.user)
        if kept == mind.remembered:
            return mind
        self.remember(kept)
        return mind._replace(remembered=kept)

    def _told(self, mind: BatteryMind, choice: BatteryChoice, now_s: float) -> BatteryMind:
        """Publish the battery when something about it has changed, or now and then."""
        doubt = _doubt(mind)
        summary = (choice.level, choice.mode, choice.reason, doubt)
        if summary == mind.told and now_s - mind.told_s < REPUBLISH_S:
            return mind
        if summary != mind.told:
            state = Health.RUNNING if choice.level <= Level.LATE else Health.FALLBACK
            degraded = mind.ignored is not None
            self.health(
                Health.DEGRADED if degraded else state, choice.reason + doubt, int(choice.level)
            )
        self.publish(battery_state(self.path, mind, choice, now_s))
        return mind._replace(told=summary, told_s=now_s)

    # --- people

    def _on_request(self, request: Request) -> Outcome:
        outcome, reason = self._obey(request)
        return Outcome(request.id, self.path, request.verb, outcome, reason, self.now_s())

    def _obey(self, request: Request) -> tuple[str, str]:
        now_s = self.now_s()
        if request.verb == "release":
            self.state = self.state._replace(user=None)
            self._decide(now_s)
            return "done", "the battery follows the plan again"
        if request.verb != "mode":
            return "rejected", f"the battery knows no {request.verb!r}; try mode or release"
        args: Mapping[str, Any] = request.args
        mode, until_s = BatteryMode(args["mode"]), now_s + args.get("for_s", CHOICE_S)
        reason = request.reason or "a person's choice"
        user = UserBattery(mode, until_s, args.get("rate_kw"), args.get("stop_soc_frac"), reason)
        self.state = self.state._replace(user=user)
        self._decide(now_s)
        now = self.state.choice
        if now is not None and now.mode is not mode:
            return "done", f"{mode.value} is noted; just now {now.mode.value}: {now.reason}"
        return "done", f"battery in {mode.value}"


def _doubt(mind: BatteryMind) -> str:
    """Say after the reason of a choice that the inverter does not obey, or did not lately."""
    if mind.ignored is not None:
        return f"; {mind.ignored.reason}"
    return "" if mind.path.obeys else "; the inverter did not obey, and nothing has proved it since"


def _renews(mind: BatteryMind, choice: BatteryChoice, now_s: float) -> bool:
    """Tell if the same order is to be written again: for its lease, or once if it got lost."""
    user = mind.user
    if user is not None and user.by_hand and user.mode is choice.mode and now_s < user.until_s:
        return False  # it is theirs
    if mind.look.suspects(now_s, mind.lease_until_s):
        return False  # one more look: a write now would cover up what a person did
    lost = mind.look.disobeyed() and mind.look.tries == 0
    return now_s >= mind.renew_at_s or lost
