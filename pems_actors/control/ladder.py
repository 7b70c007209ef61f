"""The ladder of who decides: down at once, up with care, never silent.

From 1 or 2 a good plan leads back to 0 at once; from 3 it takes two good plans in a row, except
at process start, where the first validated plan is adopted at once. A room that has left its path
and was led back to it by the rules follows it again after a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pems_actors.domain.levels import Level

GOOD_PLANS_TO_RETURN = 2
BACK_ON_PATH_S = 900.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The present level with its reason and since-when; `plan_s` is the last plan counted.

    `path_s` tells since when the path is on offer again, while the rules still decide.
    """

    level: Level = Level.RULES
    reason: str = "just started"
    since_s: float = 0.0
    fresh_start: bool = True
    good_plans: int = 0
    plan_s: float | None = None
    path_s: float | None = None

    def offer(self, level: Level, reason: str, now_s: float, plan_s: float | None = None) -> Ladder:
        """Take the best level on offer, as far as the ladder allows.

        Args:
            level: the best level possible now.    plan_s: issue time of the plan behind it.
        """
        if level is self.level and plan_s == self.plan_s and reason == self.reason:
            return self
        counted = replace(_counted(self, level, plan_s), path_s=None)
        if level >= Level.RULES or self.level < Level.RULES:
            return _at(counted, level, reason, now_s)
        if counted.fresh_start or counted.good_plans >= GOOD_PLANS_TO_RETURN:
            return _at(counted, level, reason, now_s)
        if level is Level.PATH:
            return _back_on_path(replace(counted, path_s=self.path_s), reason, now_s)
        waiting = f"{reason}; waiting for {GOOD_PLANS_TO_RETURN} good plans in a row"
        return _at(counted, self.level, waiting, now_s)


def _counted(ladder: Ladder, level: Level, plan_s: float | None) -> Ladder:
    """Count a plan once; a relapse to the rules forgets what was counted."""
    if level >= Level.RULES:
        return replace(ladder, good_plans=0, plan_s=plan_s)
    if plan_s is not None and plan_s != ladder.plan_s:
        return replace(ladder, good_plans=ladder.good_plans + 1, plan_s=plan_s)
    return ladder


def _back_on_path(ladder: Ladder, reason: str, now_s: float) -> Ladder:
    """Return to the path once it has been on offer for long enough without a break."""
    path_s = now_s if ladder.path_s is None else ladder.path_s
    if now_s - path_s >= BACK_ON_PATH_S:
        return _at(replace(ladder, path_s=None), Level.PATH, reason, now_s)
    return _at(replace(ladder, path_s=path_s), ladder.level, f"{reason}, but only just", now_s)


def _at(ladder: Ladder, level: Level, reason: str, now_s: float) -> Ladder:
    """Stand on a level; the same one for the same reason is the same ladder."""
    fresh = ladder.fresh_start and level >= Level.RULES
    if (level, reason, fresh) == (ladder.level, ladder.reason, ladder.fresh_start):
        return ladder
    since_s = ladder.since_s if level is ladder.level else now_s
    return replace(ladder, level=level, reason=reason, since_s=since_s, fresh_start=fresh)
