"""What one room wants now: the plan if there is a fresh one, its path, else the rules.

`room_need` is the whole decision of a room as a pure function of what it sees (`RoomView`) and
of its standing facts (`RoomFacts`). It knows no relay state: order.py settles that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from pems_actors.control.comfort import in_mode, ramped_setpoint_c, rule_target_c
from pems_actors.control.duty import (
    before_blocks,
    corrected_duty,
    share,
    steady_duty,
    unknown_duty,
    warm_up_h,
)
from pems_actors.control.floor import Floor
from pems_actors.control.path import (
    coming_short_k,
    path_duty,
    rise_k_per_h,
    short_duty,
    slot_at,
)
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
TOP_UP_H = 0.25  # a panel warms the air at once: the last quarter before a block is for storing
TOP_UP_K = 0.5
STORED_K = 2.0  # at most: nobody wants to sit in more
STORES_H = 3.0  # ahead at most: what a panel gave before that has leaked away
FALL_K_PER_H = 2.5  # of a panel's air without any heat, where all its power just holds it warm
NO_BLOCK = (inf, inf)
HARD_FRAC = 0.45  # who needs so much of its relay's time to stay warm cannot be warmed up soon
COUNTED_FRAC = 0.75  # of a relay's power, beside blocked hours and the turns of others
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
    capacity_kwh_k: float = 0.0  # of what has to become warm before its air does


class RoomView(NamedTuple):
    """What a room sees at one tick.

    `available_frac` is the share of the next 3 h not blocked, `block` when the next block begins
    and ends, `trim` the slow correction of its duty that the rules have learned (`next_trim`). A
    temperature that is not `measured` is the last one heard: good enough to judge by, but nothing
    is corrected against a value that stands still. `surely_c` is what a room of unknown temperature
    surely has: one that is warm enough is not heated for being unknown, however cold it is
    outdoors. What is `estimated` too warm is not heated either, but only a reading may break a
    dwell.
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
    block: tuple[float, float] = NO_BLOCK
    surely_c: float | None = None
    estimated: bool = False


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
        return _by_path(facts, view, view.plan, low_c)
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
    path_c = plan.path_c[slot_at(plan, view.now_s)]
    if view.temp_c is not None and abs(view.temp_c - path_c) > PATH_TOLERANCE_K:
        return Level.RULES, f"{view.temp_c:.1f} °C is off the path of {path_c:.1f} °C"
    return Level.PATH, "planner away, on the last plan's path"


def _need(
    facts: RoomFacts, view: RoomView, duty: float, level: Level, why: str | Why, low_c: float,
    target_c: float, *, exact: bool = False, user: bool = False,
) -> Need:  # fmt: skip
    temp_c, floor_c, limits = view.temp_c, view.floor_c, facts.limits
    slack_k = 0.0 if temp_c is None else temp_c - low_c
    frost = temp_c is not None and temp_c < limits.building_floor_c
    too_warm = temp_c is not None and temp_c > limits.ceiling_c
    seems_hot = too_warm and view.estimated
    seems_hot = seems_hot or (view.surely_c is not None and view.surely_c > limits.ceiling_c)
    overheat = too_warm and not view.estimated
    overheat = overheat or (floor_c is not None and floor_c > facts.surface_limit_c)
    if seems_hot:
        duty, exact, why = 0.0, True, "too warm by its estimate"
    if view.window_open and not frost:
        duty, exact, why = 0.0, False, "window open"
    return Need(
        facts.name, view.now_s, duty, exact, level, why, slack_k, target_c,
        frost, overheat, user, temp_c, seems_hot,
    )  # fmt: skip


def _by_plan(facts: RoomFacts, view: RoomView, plan: RoomPlan, low_c: float) -> Need:
    k = slot_at(plan, view.now_s)
    on, duty, path_c = plan.on[k], plan.duty[k], plan.path_c[k]
    if on is not None:
        share = 1.0 if on else 0.0
        reason = plan.reasons[k]
        return _need(facts, view, share, plan.level, reason, low_c, path_c, exact=True)
    return _need(facts, view, duty, plan.level, plan.reasons[k], low_c, path_c)


def _by_path(facts: RoomFacts, view: RoomView, plan: RoomPlan, low_c: float) -> Need:
    """Follow the last plan's path as heat is worth its price, and never out of the band."""
    k, temp_c = slot_at(plan, view.now_s), view.temp_c
    path_c, seen = plan.path_c[k], temp_c is not None and view.measured
    error_k = path_c - temp_c if temp_c is not None and seen else 0.0
    duty, why = path_duty(plan, k, error_k, facts.emitter), _as_planned(plan, k)
    least, least_why = _least_on_path(facts, view, plan, error_k, seen=seen)
    if least > duty:
        duty, why = least, least_why
    return _need(facts, view, duty, Level.PATH, why, low_c, path_c)


def _least_on_path(
    facts: RoomFacts, view: RoomView, plan: RoomPlan, error_k: float, *, seen: bool
) -> tuple[float, Why]:
    """Heat, however dear, what keeps a room in its band.

    By looking ahead along the path; unseen, or in frost in which what was missed cannot be made
    good, by the rules themselves.
    """
    comfort, lead_h = in_mode(facts.comfort, view.mode), LEAD_H[facts.emitter]
    steady = _steady_duty(facts, view, comfort.day_c)
    if not seen or steady >= HARD_FRAC:
        target_c = rule_target_c(comfort, local_hour(view.now_s, facts.timezone), lead_h)
        least_c = target_c - comfort.band_k + RULE_AIM_K
        return _rule_duty(facts, view, least_c, "above the path")
    rise = rise_k_per_h(steady, facts.emitter)
    k = slot_at(plan, view.now_s)
    short_k = coming_short_k(plan, k, error_k, comfort, lead_h, rise, facts.timezone)
    why = Why("{:.1f} °C, soon {:.1f} K short beside its path", (view.temp_c, short_k))
    return short_duty(plan, k, short_k, facts.emitter) if short_k > 0.0 else 0.0, why


def _as_planned(plan: RoomPlan, k: int) -> Why:
    price = plan.heat_price_per_kwh[k]
    return Why("path {:.1f} °C, heat worth {:.2f}/kWh", (plan.path_c[k], price))


def _rule_duty(
    facts: RoomFacts, view: RoomView, target_c: float, because: str
) -> tuple[float, Why]:
    """Share of time by outdoor temperature and error, and why; `because` ends the sentence."""
    temp_c, outdoor_c = view.temp_c, view.outdoor.temp_c
    steady = _steady_duty(facts, view, target_c)
    if temp_c is None:
        if view.surely_c is not None and view.surely_c > target_c:
            told = "temperature unknown, surely over {:.1f} °C; {}"
            return 0.0, Why(told, (target_c, because))
        why = Why("temperature unknown, {:.0f} °C outdoors; {}", (outdoor_c, because))
        return unknown_duty(steady, outdoor_c), why
    if not view.measured:
        why = Why("last heard {:.1f} °C, {:.0f} °C outdoors; {}", (temp_c, outdoor_c, because))
        return unknown_duty(steady + view.trim, outdoor_c), why
    duty = corrected_duty(steady + view.trim, target_c - temp_c, GAIN_PER_K[facts.emitter])
    if _stores(facts, view, temp_c, target_c):
        why = Why("{:.1f} of {:.1f} °C, topped up before a block; {}", (temp_c, target_c, because))
        return 1.0, why
    if view.available_frac < 1.0 and target_c - temp_c > -1.0:
        why = Why("{:.1f} of {:.1f} °C, ahead of blocked hours; {}", (temp_c, target_c, because))
        return before_blocks(duty, view.available_frac), why
    parts = (temp_c, target_c, outdoor_c, because)
    return duty, Why("{:.1f} of {:.1f} °C at {:.0f} °C outdoors; {}", parts)


def _steady_duty(facts: RoomFacts, view: RoomView, target_c: float) -> float:
    outdoor_c = view.outdoor.temp_c
    return steady_duty(facts.loss_kw_k, target_c, outdoor_c, facts.free_kw, facts.power_kw)


def _stores(facts: RoomFacts, view: RoomView, temp_c: float, target_c: float) -> bool:
    """Whether it is time to store heat: else chance decides how warm a block finds the room.

    A panel stores what keeps its room in the band until the block ends, and begins in time for it.
    """
    (start_s, end_s), emitter = view.block, facts.emitter
    left_h, block_h = (start_s - view.now_s) / HOUR_S, (end_s - start_s) / HOUR_S
    if emitter is not Emitter.PANEL or not 0.0 < left_h <= STORES_H:
        return False
    steady = share(_steady_duty(facts, view, target_c) + view.trim)
    falls_k = min(FALL_K_PER_H * steady * block_h, STORED_K)
    short_k = target_c + max(TOP_UP_K, falls_k - facts.comfort.band_k) - temp_c
    rises_k = rise_k_per_h(steady, emitter) * left_h
    return short_k > 0.0 and (left_h <= TOP_UP_H or short_k >= rises_k)


def lead_h(facts: RoomFacts, temp_c: float | None, outdoor_c: float, level: Level) -> float:
    """Tell how long before the end of an absence the room has to be heated again.

    A plan knows better, and begins by itself; without one, as long as the room's masses need.
    """
    least = LEAD_H[facts.emitter]
    if level is not Level.RULES or temp_c is None:
        return least
    middle_c = (temp_c + facts.comfort.day_c) / 2.0
    drawn_kw = facts.loss_kw_k * (middle_c - outdoor_c) - facts.free_kw
    rise_k, power_kw = facts.comfort.day_c - temp_c, COUNTED_FRAC * facts.power_kw
    return max(least, warm_up_h(facts.capacity_kwh_k, rise_k, power_kw, drawn_kw))


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
