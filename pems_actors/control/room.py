"""What one room wants now: the plan if there is a fresh one, its path, else the rules.

`room_need` is the whole decision of a room as a pure function of what it sees (`RoomView`) and
of its standing facts (`RoomFacts`). It knows no relay state: order.py settles that.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from pems_actors.control.comfort import in_mode, ramped_setpoint_c, rule_target_c
from pems_actors.control.duty import before_blocks, corrected_duty, steady_duty, unknown_duty
from pems_actors.control.floor import Floor
from pems_actors.control.wishes import Override
from pems_actors.domain.events import HouseMode, Need, Outdoor, RoomPlan, Why
from pems_actors.domain.house import Comfort, Emitter, Limits
from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S
from pems_actors.economics.local_hours import local_hour

PATH_TOLERANCE_K = 0.7
RULE_AIM_K = 0.15  # the rules aim a little over the set-point: their ripple must not undercut
GAIN_PER_K = {Emitter.FLOOR: 0.6, Emitter.PANEL: 1.5}
TRIM_PER_KH = 0.03
TRIM_LIMIT = 0.2
LEAD_H = {Emitter.FLOOR: 3.0, Emitter.PANEL: 0.25}


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What does not change about a room while the configuration stands."""

    name: str
    comfort: Comfort
    emitter: Emitter
    loss_kw_k: float
    power_kw: float
    free_kw: float
    timezone: str
    limits: Limits
    surface_limit_c: float
    floors: tuple[Floor, ...] = ()  # of the relay that it owns


class RoomView(NamedTuple):
    """What a room sees at one tick.

    `available_frac` is the share of the next 3 h not blocked, `trim` the slow correction of its
    duty that the rules have learned (`next_trim`). A temperature that is not `measured` is the last
    one heard: good enough to judge by, but nothing is corrected against a value that stands still.
    """

    now_s: float
    temp_c: float | None
    floor_c: float | None
    outdoor: Outdoor
    available_frac: float
    window_open: bool
    plan: RoomPlan | None
    override: Override | None
    mode: HouseMode
    trim: float = 0.0
    measured: bool = True
    clock_trusted: bool = True


def room_need(facts: RoomFacts, view: RoomView, level: Level, reason: str) -> Need:
    """Decide what a room wants: duty, level and reason, with frost and overheat flags.

    Args:
        facts: what stands.    view: what is seen now.
        level: the level that the ladder allows (at best `available_level`), and its `reason`.
    """
    comfort = in_mode(facts.comfort, view.mode)
    hour = local_hour(view.now_s, facts.timezone)
    low_c = ramped_setpoint_c(comfort, hour) - comfort.band_k
    if view.override is not None and view.override.until_s > view.now_s:
        return _by_override(facts, view, view.override, level)
    if level <= Level.LATE and view.plan is not None:
        return _by_plan(facts, view, view.plan, low_c)
    if level is Level.PATH and view.plan is not None:
        floor_c = rule_target_c(comfort, hour, LEAD_H[facts.emitter]) - comfort.band_k
        return _by_path(facts, view, view.plan, low_c, floor_c + RULE_AIM_K)
    target_c = rule_target_c(comfort, hour, LEAD_H[facts.emitter])
    duty, why = _rule_duty(facts, view, target_c + RULE_AIM_K, reason)
    return _need(facts, view, duty, Level.RULES, why, low_c, target_c)


def available_level(view: RoomView) -> tuple[Level, str]:
    """Tell the best level that this view allows, and why it is not better."""
    plan = view.plan
    if view.mode is HouseMode.EMERGENCY or not view.clock_trusted:
        trusted = view.clock_trusted
        return Level.RULES, "emergency mode" if trusted else "the clock is not trusted"
    if plan is None:
        return Level.RULES, "no plan yet"
    if view.now_s < plan.valid_until_s:
        by_rules = plan.level is Level.RULES
        return plan.level, "its relay is out of service" if by_rules else "plan in force"
    if view.now_s >= min(plan.path_until_s, plan.end_s):
        return Level.RULES, "the last plan's path has ended"
    path_c = plan.path_c[_index(plan, view.now_s)]
    if view.temp_c is not None and abs(view.temp_c - path_c) > PATH_TOLERANCE_K:
        return Level.RULES, f"{view.temp_c:.1f} °C is off the path of {path_c:.1f} °C"
    return Level.PATH, "planner away, on the last plan's path"


def _index(plan: RoomPlan, now_s: float) -> int:
    return min(max(bisect_right(plan.start_s, now_s) - 1, 0), len(plan.start_s) - 1)


def _need(
    facts: RoomFacts, view: RoomView, duty: float, level: Level, why: str | Why, low_c: float,
    target_c: float, *, exact: bool = False, user: bool = False,
) -> Need:  # fmt: skip
    temp_c, floor_c, limits = view.temp_c, view.floor_c, facts.limits
    slack_k = 0.0 if temp_c is None else temp_c - low_c
    frost = temp_c is not None and temp_c < limits.building_floor_c
    too_warm = temp_c is not None and temp_c > limits.ceiling_c
    overheat = too_warm or (floor_c is not None and floor_c > facts.surface_limit_c)
    if view.window_open and not frost:
        duty, exact, why = 0.0, False, "window open"
    return Need(
        facts.name, view.now_s, duty, exact, level, why, slack_k, target_c,
        frost, overheat, user, temp_c,
    )  # fmt: skip


def _by_plan(facts: RoomFacts, view: RoomView, plan: RoomPlan, low_c: float) -> Need:
    k = _index(plan, view.now_s)
    on, duty, path_c = plan.on[k], plan.duty[k], plan.path_c[k]
    if on is not None:
        share = 1.0 if on else 0.0
        reason = plan.reasons[k]
        return _need(facts, view, share, plan.level, reason, low_c, path_c, exact=True)
    return _need(facts, view, duty, plan.level, plan.reasons[k], low_c, path_c)


def _by_path(
    facts: RoomFacts, view: RoomView, plan: RoomPlan, low_c: float, least_c: float
) -> Need:
    """Follow the last plan's path within the band; `least_c` leads up to a coming step in time."""
    k = _index(plan, view.now_s)
    path_c = plan.path_c[k]
    error_k = 0.0 if view.temp_c is None or not view.measured else path_c - view.temp_c
    duty = corrected_duty(plan.duty[k], error_k, GAIN_PER_K[facts.emitter])
    worth = Why("path {:.1f} °C, heat worth {:.2f}/kWh", (path_c, plan.heat_price_per_kwh[k]))
    floor_duty, why = _rule_duty(facts, view, least_c, "above the path")
    if floor_duty > duty:
        return _need(facts, view, floor_duty, Level.PATH, why, low_c, path_c)
    return _need(facts, view, duty, Level.PATH, worth, low_c, path_c)


def _rule_duty(
    facts: RoomFacts, view: RoomView, target_c: float, because: str
) -> tuple[float, Why]:
    """Share of time by outdoor temperature and error, and why; `because` ends the sentence."""
    temp_c, outdoor_c = view.temp_c, view.outdoor.temp_c
    steady = steady_duty(facts.loss_kw_k, target_c, outdoor_c, facts.free_kw, facts.power_kw)
    if temp_c is None:
        why = Why("temperature unknown, {:.0f} °C outdoors; {}", (outdoor_c, because))
        return unknown_duty(steady, outdoor_c), why
    if not view.measured:
        why = Why("last heard {:.1f} °C, {:.0f} °C outdoors; {}", (temp_c, outdoor_c, because))
        return unknown_duty(steady + view.trim, outdoor_c), why
    duty = corrected_duty(steady + view.trim, target_c - temp_c, GAIN_PER_K[facts.emitter])
    if view.available_frac < 1.0 and target_c - temp_c > -1.0:
        why = Why("{:.1f} of {:.1f} °C, ahead of blocked hours; {}", (temp_c, target_c, because))
        return before_blocks(duty, view.available_frac), why
    parts = (temp_c, target_c, outdoor_c, because)
    return duty, Why("{:.1f} of {:.1f} °C at {:.0f} °C outdoors; {}", parts)


def next_trim(view: RoomView, need: Need, trim: float, dt_s: float, *, held_back: bool) -> float:
    """Learn slowly what the losses on paper miss: the integral part of the rules.

    It rests while the rules do not decide, the temperature is unknown, heat is held back (by a
    block or the power budget), a window is open or the room is on its way between set-points: an
    error of a kelvin says little about its losses. What was learned too much is unlearned three
    times as fast.
    """
    if view.temp_c is None or not view.measured:
        return trim
    if held_back or view.window_open or need.user:
        return trim
    error_k = need.target_c + RULE_AIM_K - view.temp_c
    if need.level is not Level.RULES or abs(error_k) > 1.0:
        return trim
    per_kh = TRIM_PER_KH if error_k * trim >= 0.0 else 3.0 * TRIM_PER_KH
    step = per_kh * error_k * min(dt_s, 900.0) / HOUR_S
    return min(TRIM_LIMIT, max(-TRIM_LIMIT, trim + step))


def _by_override(facts: RoomFacts, view: RoomView, wish: Override, level: Level) -> Need:
    because = f"{wish.owner} wants {wish.temp_c:g} °C: {wish.reason}"
    duty, why = _rule_duty(facts, view, wish.temp_c, because)
    low_c = wish.temp_c - facts.comfort.band_k
    return _need(facts, view, duty, level, why, low_c, wish.temp_c, user=True)
