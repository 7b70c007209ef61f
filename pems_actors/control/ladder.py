"""The ladder of who decides: down at once, up with care, never silent.

From 1 or 2 a good plan leads back to 0 at once; from 3 it takes two good plans in a row, except
at process start, where the first validated plan is adopted at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pems_actors.domain.levels import Level

GOOD_PLANS_TO_RETURN = 2


@dataclass(frozen=True, slots=True)
class Ladder:
    """The present level with its reason and since-when; `plan_s` is the last plan counted."""

    level: Level = Level.RULES
    reason: str = "just started"
    since_s: float = 0.0
    fresh_start: bool = True
    good_plans: int = 0
    plan_s: float | None = None

    def offer(self, level: Level, reason: str, now_s: float, plan_s: float | None = None) -> Ladder:
        """Take the best level on offer, as far as the ladder allows.

        Args:
            level: the best level possible now.    plan_s: issue time of the plan behind it.
        """
        if level is self.level and plan_s == self.plan_s and reason == self.reason:
            return self
        counted = _counted(self, level, plan_s)
        if level >= Level.RULES or self.level < Level.RULES:
            return _at(counted, level, reason, now_s)
        if counted.fresh_start or counted.good_plans >= GOOD_PLANS_TO_RETURN:
            return _at(counted, level, reason, now_s)
        waiting = f"{reason}; waiting for {GOOD_PLANS_TO_RETURN} good plans in a row"
        return _at(counted, self.level, waiting, now_s)


def _counted(ladder: Ladder, level: Level, plan_s: float | None) -> Ladder:
    """Count a plan once; a relapse to the rules forgets what was counted."""
    if level >= Level.RULES:
        return replace(ladder, good_plans=0, plan_s=plan_s)
    if plan_s is not None and plan_s != ladder.plan_s:
        return replace(ladder, good_plans=ladder.good_plans + 1, plan_s=plan_s)
    return ladder


def _at(ladder: Ladder, level: Level, reason: str, now_s: float) -> Ladder:
    """Stand on a level; the same one for the same reason is the same ladder."""
    fresh = ladder.fresh_start and level >= Level.RULES
    if (level, reason, fresh) == (ladder.level, ladder.reason, ladder.fresh_start):
        return ladder
    since_s = ladder.since_s if level is ladder.level else now_s
    return replace(ladder, level=level, reason=reason, since_s=since_s, fresh_start=fresh)
