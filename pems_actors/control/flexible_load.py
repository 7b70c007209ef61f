"""What a flexible load may do now: the plan's slot, else what room is left, under the limits.

Pure: what is wanted and what has come of it is a `LoadMind`, the decision a `LoadChoice`. A load
that nobody wants anything of is free. It is only ever held back, never forced, so letting it go is
no promise that it draws.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from math import inf
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pems_actors.domain.events import HouseMode
from pems_actors.domain.flexible_load import (
    FlexibleLoad,
    LoadPlan,
    LoadReading,
    LoadTask,
    LoadTick,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.units import DAY_S, HOUR_S

WEEK_S = 7 * DAY_S
HEAT_UP_AHEAD_S = 1.5 * DAY_S  # the weekly heat may wait this long for cheap hours
NEVER_HOT_S = 6 * DAY_S  # how long ago a boiler was hot that nobody has seen hot yet
HOT_K = 1.0
ENOUGH_KWH = 0.05
PATIENCE_S = 0.5 * HOUR_S  # a plan that has ended, or not begun, is waited for so long
SLOWER = 2.0  # reckon with this much more time for the rest, for a load is held back at times
SPARE_S = 0.5 * HOUR_S
BLOCKS_S = 3 * HOUR_S  # more of it where the tariff takes hours away
LONGEST_STEP_S = 600.0  # between two readings that count as one stretch


class LoadWish(NamedTuple):
    """So much energy by an instant; `asked`: by a person, not by habit."""

    energy_kwh: float
    by_s: float
    asked: bool = False


class LoadMind(NamedTuple):
    """What is wanted of a load, what it has got of it, and what was decided."""

    wish: LoadWish
    got_kwh: float = 0.0
    hot_s: float = -inf
    boost_until_s: float = -inf
    shed_until_s: float = -inf
    shed_why: str = ""
    plan: LoadPlan | None = None
    reading: LoadReading | None = None
    mode: HouseMode = HouseMode.NORMAL
    on: bool | None = None  # as last ordered; None: never ordered
    since_s: float = -inf
    began_s: float = -inf  # when this mind began to decide


class LoadChoice(NamedTuple):
    """Let it draw or hold it back."""

    on: bool
    level: Level
    reason: str


def standing_wish(load: FlexibleLoad, now_s: float, timezone: str) -> LoadWish:
    """What the load wants every day, by its next local hour, on days of any length."""
    zone = ZoneInfo(timezone)
    midnight = datetime.fromtimestamp(now_s, zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    hour, minutes = divmod(round(load.by_h * 60.0), 60)
    for days in range(3):
        day = midnight + timedelta(days=days + hour // 24)
        by_s = day.replace(hour=hour % 24, minute=minutes).timestamp()
        if by_s > now_s + 1.0:
            return LoadWish(load.every_day_kwh, by_s)
    return LoadWish(load.every_day_kwh, now_s + DAY_S)


def after_reading(
    mind: LoadMind, load: FlexibleLoad, reading: LoadReading | None, now_s: float, timezone: str
) -> LoadMind:
    """Count what has been drawn, see if a boiler is hot, and begin the next day's wish in time."""
    before = mind.reading
    if reading is not None:
        got_kwh = mind.got_kwh
        if before is not None and before.power_kw is not None:
            passed_s = min(max(reading.at_s - before.at_s, 0.0), LONGEST_STEP_S)
            got_kwh += before.power_kw * passed_s / HOUR_S
        mind = mind._replace(got_kwh=got_kwh, reading=reading)
        if reading.temp_c is not None and reading.temp_c >= load.hot_c - HOT_K:
            mind = mind._replace(hot_s=now_s)
    if load.volume_l > 0.0 and mind.hot_s == -inf:
        mind = mind._replace(hot_s=now_s - NEVER_HOT_S)
    if now_s >= mind.wish.by_s:
        mind = mind._replace(wish=standing_wish(load, now_s, timezone), got_kwh=0.0)
    return mind


def remaining_kwh(mind: LoadMind, load: FlexibleLoad, now_s: float) -> float:
    """What is still missing of the wish, or of the weekly heat where that is due."""
    missing = max(mind.wish.energy_kwh - mind.got_kwh, 0.0)
    if heat_is_due(mind, load, now_s):
        temp_c = mind.reading.temp_c if mind.reading is not None else None
        up_kwh = load.heating_up_kwh(temp_c) - (mind.got_kwh if temp_c is None else 0.0)
        missing = max(missing, up_kwh)
    return missing if missing > ENOUGH_KWH else 0.0


def heat_is_due(mind: LoadMind, load: FlexibleLoad, now_s: float) -> bool:
    """Tell if a boiler has to become hot before its next hour, against germs."""
    return load.volume_l > 0.0 and now_s >= mind.hot_s + WEEK_S - HEAT_UP_AHEAD_S


def task_of(mind: LoadMind, load: FlexibleLoad, now_s: float) -> LoadTask | None:
    """What the planner should find hours for; None while nothing is missing, or it is away."""
    energy_kwh, reading = remaining_kwh(mind, load, now_s), mind.reading
    away = reading is not None and reading.ready is False
    if energy_kwh <= 0.0 or away or mind.mode is HouseMode.EMERGENCY:
        return None
    return LoadTask(load, round(energy_kwh, 1), mind.wish.by_s)


def choose(mind: LoadMind, load: FlexibleLoad, tick: LoadTick) -> LoadChoice:
    """Decide by rank: limits, the tariff's block, people, the plan, then what room is left."""
    now_s = tick.at_s
    if now_s < mind.shed_until_s:
        return LoadChoice(False, _level(mind, tick), f"held back: {mind.shed_why}")
    if tick.blocked and load.tariff_blocked:
        return LoadChoice(False, _level(mind, tick), "the tariff blocks it")
    if mind.reading is not None and mind.reading.ready is False:
        return LoadChoice(False, _level(mind, tick), "not plugged in: nothing begins unasked")
    if mind.mode is HouseMode.EMERGENCY:
        return LoadChoice(True, Level.NATIVE, "emergency mode: it serves itself under the limits")
    if now_s < mind.boost_until_s:
        return LoadChoice(True, _level(mind, tick), "a person wants it now")
    return _as_wished(mind, load, tick)


def _as_wished(mind: LoadMind, load: FlexibleLoad, tick: LoadTick) -> LoadChoice:
    """Give a load what was wanted of it, and no more."""
    if mind.wish.energy_kwh <= 0.0 and not heat_is_due(mind, load, tick.at_s):
        return LoadChoice(True, Level.RULES, "nobody asks for an hour: free under the limits")
    missing = remaining_kwh(mind, load, tick.at_s)
    if missing <= 0.0:
        return LoadChoice(False, _level(mind, tick), "it has what was wanted")
    return _in_time(mind, load, tick, missing)


def _in_time(mind: LoadMind, load: FlexibleLoad, tick: LoadTick, missing_kwh: float) -> LoadChoice:
    """Follow the plan; where none comes, take what room heating leaves."""
    level, plan = _level(mind, tick), mind.plan
    wish = f"{missing_kwh:.1f} kWh wanted"
    if level is not Level.RULES and plan is not None:
        k = max(bisect_right(plan.start_s, tick.at_s) - 1, 0)
        if plan.power_kw[k] > 0.0 or any(plan.power_kw[k:]) or not is_late(mind, load, tick.at_s):
            return LoadChoice(plan.power_kw[k] > 0.0, level, plan.reasons[k])
        return LoadChoice(True, level, f"late, and the plan has no more hours for it: {wish}")
    alone_s = max(mind.began_s, -inf if plan is None else plan.valid_until_s)
    if tick.at_s - alone_s < PATIENCE_S and not is_late(mind, load, tick.at_s):
        return LoadChoice(False, Level.RULES, f"waits for a plan: {wish}")
    return LoadChoice(True, Level.RULES, f"no plan, so as soon as there is room: {wish}")


def is_late(mind: LoadMind, load: FlexibleLoad, now_s: float) -> bool:
    """Tell if a load that does not begin now will miss its hour, reckoned with some reserve."""
    missing_kwh = remaining_kwh(mind, load, now_s)
    needs_s = missing_kwh / max(load.power_kw, 0.1) * HOUR_S * SLOWER + SPARE_S
    needs_s += BLOCKS_S if load.tariff_blocked else 0.0
    return missing_kwh > 0.0 and now_s >= mind.wish.by_s - needs_s


def _level(mind: LoadMind, tick: LoadTick) -> Level:
    plan = mind.plan
    if plan is None or not tick.clock_trusted:
        return Level.RULES
    if plan.start_s[0] <= tick.at_s < min(plan.valid_until_s, plan.end_s):
        return plan.level
    return Level.RULES


def steady(mind: LoadMind, load: FlexibleLoad, choice: LoadChoice, now_s: float) -> LoadChoice:
    """Keep to the least time of a run or a rest; what a limit or a block says comes at once."""
    must = now_s < mind.shed_until_s or choice.reason == "the tariff blocks it"
    if must or mind.on is None or choice.on is mind.on or now_s - mind.since_s >= load.min_run_s:
        return choice
    return choice._replace(on=mind.on, reason=f"{'on' if mind.on else 'off'} for at least 10 min")
