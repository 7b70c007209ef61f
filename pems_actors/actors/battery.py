"""The battery: keeps to the plan's mode, and to self-use when there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pems_actors.actors.base import CONTROL, PLAN_KEEPER, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.control.battery import BatteryChoice, BatteryView, UserBattery, choose
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
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading, Quality
from pems_actors.domain.states import DeviceState, Value
from supervision import Context, Health

LEASE_S = 900.0
RENEW_S = 300.0
METER_LOST_S = 180.0
REPUBLISH_S = 300.0
CHOICE_S = 3600.0


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
        """Begin with nothing known."""
        return BatteryMind()

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
                self.state = replace(self.state, mode=message.mode)
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _on_tick(self, tick: EnergyTick) -> None:
        known = tick.meter is not None and tick.meter.grid_kw is not None
        self.state = replace(
            self.state,
            reading=tick.battery or self.state.reading,
            meter_s=tick.at_s if known else self.state.meter_s,
        )
        self._decide(tick.at_s)

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
        )
        choice = self._steady(choose(view), now_s)
        if _order(choice) != _order(mind.choice) or now_s >= mind.renew_at_s:
            self._write(choice, now_s)
        climbed = mind.choice is None or mind.choice.level is not choice.level
        level_since_s = now_s if climbed else mind.level_since_s
        self.state = replace(self.state, choice=choice, level_since_s=level_since_s)
        self._tell_state(choice, now_s)

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
        if today >= inverter.max_mode_changes_per_day:
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
        self.state = replace(
            self.state,
            renew_at_s=now_s + RENEW_S,
            since_s=now_s if changed else self.state.since_s,
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
        summary = (choice.level, choice.mode, choice.reason)
        if summary == mind.told and now_s - mind.told_s < REPUBLISH_S:
            return
        if summary != mind.told:
            state = Health.RUNNING if choice.level <= Level.LATE else Health.FALLBACK
            self.health(state, choice.reason, int(choice.level))
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
        )
        self.publish(
            DeviceState(self.path, now_s, choice.level, choice.reason, values, mind.level_since_s)
        )


def _order(choice: BatteryChoice | None) -> tuple[object, ...]:
    return () if choice is None else (choice.mode, choice.rate_kw, choice.stop_soc_frac)
