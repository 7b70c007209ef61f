"""What the battery should do now: the plan's mode, the last plan's while prices are known.

Those are chosen anew as prices are published (`optimisation/price_modes.py`). After that, and
without any plan, it is in self-use. Every forced mode is under its lease.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from pems_actors.domain.events import BatteryStep, EnergyPlan, HouseMode
from pems_actors.domain.house import BatteryMode, BatteryModel
from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S

LAST_PLAN_S = 2 * HOUR_S


@dataclass(frozen=True, slots=True)
class UserBattery:
    """A person's choice of a battery mode until a time; `by_hand`: made at the inverter itself."""

    mode: BatteryMode
    until_s: float
    rate_kw: float | None
    stop_soc_frac: float | None
    reason: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class BatteryView:
    """What the battery sees at one tick."""

    now_s: float
    soc_frac: float | None
    meter_known: bool
    plan: EnergyPlan | None
    user: UserBattery | None
    shed_until_s: float
    mode: HouseMode
    clock_trusted: bool = True
    car_until_s: float = float("-inf")  # until when a car counts as being charged


class BatteryChoice(NamedTuple):
    """The mode to be in, and the export permission that goes with it."""

    mode: BatteryMode
    rate_kw: float | None
    stop_soc_frac: float | None
    level: Level
    reason: str
    export_allowed: bool | None  # None: the plan has no say
    export_reason: str


SELF_USE = BatteryMode.SELF_USE
FORCING = frozenset({BatteryMode.CHARGE_GRID, BatteryMode.SELL})


def choose(view: BatteryView) -> BatteryChoice:
    """Pick the battery mode by the ladder, then narrow it by the limits."""
    return unless_unsafe(_by_ladder(view), view)


def unless_unsafe(choice: BatteryChoice, view: BatteryView) -> BatteryChoice:
    """Charge from the grid only within its limits, whoever chose to, or to go on with it.

    A charge that is shed rests: in self-use the battery would be empty when its hour comes.
    """
    if choice.mode is not BatteryMode.CHARGE_GRID:
        return choice
    if view.now_s < view.shed_until_s:
        rest = _native(choice.level, "grid charge shed: too close to a limit")
        return rest._replace(mode=BatteryMode.HOLD)
    if not view.meter_known:
        return _native(choice.level, "no grid charge without a meter")
    return choice


def beside_car(choice: BatteryChoice, view: BatteryView) -> BatteryChoice:
    """Rest while a car is charged, so that the battery is not emptied into it.

    A person's own choice stands, and so does a charge from the grid: that gives nothing away.
    """
    drains = choice.mode in {BatteryMode.SELF_USE, BatteryMode.SELL}
    user = view.user is not None and view.now_s < view.user.until_s
    if view.now_s >= view.car_until_s or not drains or user or choice.level is Level.NATIVE:
        return choice
    why = f"a car is charged, the battery is not for it; {choice.reason}"
    return choice._replace(mode=BatteryMode.HOLD, rate_kw=None, stop_soc_frac=None, reason=why)


def within(choice: BatteryChoice, battery: BatteryModel) -> BatteryChoice:
    """Narrow a choice, whoever made it, to what the battery may do: its power and its window."""
    if choice.mode not in FORCING:
        if choice.rate_kw is None and choice.stop_soc_frac is None:
            return choice
        return choice._replace(rate_kw=None, stop_soc_frac=None)
    charges = choice.mode is BatteryMode.CHARGE_GRID
    most_kw = battery.max_charge_kw if charges else battery.max_discharge_kw
    if battery.capacity_kwh <= 0.0 or most_kw <= 0.0:
        return _native(choice.level, f"no battery that could {choice.mode}")
    rate_kw, stop = choice.rate_kw, choice.stop_soc_frac
    return choice._replace(
        rate_kw=None if rate_kw is None else min(rate_kw, most_kw),
        stop_soc_frac=None
        if stop is None
        else min(max(stop, battery.min_soc_frac), battery.max_soc_frac),
    )


def _by_ladder(view: BatteryView) -> BatteryChoice:
    if view.mode is HouseMode.EMERGENCY:
        return _native(Level.NATIVE, "emergency mode")
    level, why = offered(view.plan, view.now_s)
    if not view.clock_trusted:
        level, why = Level.RULES, "the clock is not trusted: self-use"
    user = view.user
    if user is not None and view.now_s < user.until_s:
        return BatteryChoice(
            user.mode, user.rate_kw, user.stop_soc_frac, level, user.reason, None, ""
        )
    if view.soc_frac is None:
        return _native(Level.RULES, "state of charge unknown")
    if view.plan is None or level is Level.RULES:
        return _native(Level.RULES, why)
    step = _step_at(view.plan, view.now_s)
    return BatteryChoice(
        step.mode, step.rate_kw, step.stop_soc_frac, level, f"{step.reason}; {why}",
        step.export_allowed, step.export_reason,
    )  # fmt: skip


def offered(plan: EnergyPlan | None, now_s: float) -> tuple[Level, str]:
    """Tell which level a plan still offers to battery and inverter, and why."""
    if plan is None:
        return Level.RULES, "no plan yet"
    if now_s < plan.valid_until_s:
        return plan.level, "plan in force"
    if now_s < min(modes_until_s(plan), plan.end_s):
        return Level.PATH, "planner away"
    return Level.RULES, "planner away, and the last plan's prices have ended"


def modes_until_s(plan: EnergyPlan) -> float:
    """Tell until when a plan's modes are followed: while prices are known, and for two hours.

    Each mode has its stop and its lease, charging yields to every limit, and the limits of changes
    a day hold as ever: an old plan can cost a little money, and nothing else.
    """
    return max(plan.known_until_s, plan.valid_until_s + LAST_PLAN_S)


def _step_at(plan: EnergyPlan, now_s: float) -> BatteryStep:
    k = bisect_right([step.start_s for step in plan.steps], now_s) - 1
    return plan.steps[max(k, 0)]


def _native(level: Level, reason: str) -> BatteryChoice:
    return BatteryChoice(SELF_USE, None, None, level, reason, None, reason)
