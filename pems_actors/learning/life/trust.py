"""How far a model is trusted: observe, advise, control. Trust is earned and lost by numbers.

The numbers are errors on days that were told before they came, against the floor at the same
issues. A step up needs days, a gain and honest bands; a drift or a lost gain is a step down at
once, and what was earned before it does not count again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from statistics import fmean

from pems_actors.domain.units import DAY_S
from pems_actors.learning.life.contest import FLOORS, SCORED_S, Score
from pems_actors.learning.life.drift import NEWEST, Drift, drift

WINDOW_S = 14 * DAY_S
RECENT_S = 6 * DAY_S
LOST_AFTER_DAYS, LOST_FRAC = 5.0, 0.05
MOST_OF_THE_TIME = 0.6


class Tier(StrEnum):
    """What a model may do: be watched, be shown beside, or decide."""

    OBSERVE = "observe"
    ADVISE = "advise"
    CONTROL = "control"

    @property
    def rank(self) -> int:
        """0, 1 or 2."""
        return list(Tier).index(self)


@dataclass(frozen=True, slots=True)
class Need:
    """What a step up to a tier takes; `inside` bounds the share of truths within P10 to P90.

    `most` is an error beyond which no gain helps, in the unit of the series.
    """

    days: float
    gain_frac: float
    won_frac: float
    inside: tuple[float, float]
    most: float = inf


NEEDS: Mapping[Tier, Need] = {
    Tier.ADVISE: Need(3.0, 0.02, 0.5, (0.5, 1.0)),
    Tier.CONTROL: Need(7.0, 0.05, 0.6, (0.6, 0.97)),
}
IDENTIFIED = "identified"  # the recipe of rooms
ROOM_NEEDS: Mapping[Tier, Need] = {  # a clear gain: a plan will stand on it for two days
    Tier.ADVISE: Need(3.0, 0.05, 0.5, (0.4, 1.0), 1.0),
    Tier.CONTROL: Need(7.0, 0.15, 0.6, (0.5, 1.0), 0.6),
}
UNFELT: Mapping[str, float] = {IDENTIFIED: 0.15}  # what sensors and people hardly notice [K]


def need_of(recipe: str, tier: Tier) -> Need:
    """What a recipe has to show for a tier."""
    return (ROOM_NEEDS if recipe == IDENTIFIED else NEEDS)[tier]


@dataclass(frozen=True, slots=True)
class Standing:
    """One recipe for one series: the version in use, its tier, and since when its record counts."""

    recipe: str
    version: str
    tier: Tier = Tier.OBSERVE
    since_s: float = 0.0
    counts_from_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the scores say of a recipe: mean error, the floor's, and how evenly it was better."""

    issues: int
    days: float
    error: float
    floor: float
    floor_name: str
    won_frac: float
    inside: float

    @property
    def gain_frac(self) -> float:
        """By how much its error is below the floor's, as a share of that."""
        return 1.0 - self.error / self.floor if self.floor > 0.0 else 0.0

    def told(self, unit: str) -> str:
        """Tell it in words."""
        return (
            f"error {self.error:.4g} {unit} against {self.floor:.4g} of {self.floor_name} over "
            f"{self.days:.1f} days ({100.0 * self.gain_frac:+.1f} %), better in "
            f"{100.0 * self.won_frac:.0f} % of {self.issues} issues, "
            f"{100.0 * self.inside:.0f} % within P10 to P90"
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A change of tier and why; `evidence` has the numbers."""

    standing: Standing
    before: Tier
    reason: str
    evidence: Evidence

    @property
    def up(self) -> bool:
        """Whether it is a promotion."""
        return self.standing.tier.rank > self.before.rank


def evidence(
    scores: Sequence[Score], standing: Standing, from_s: float, floor: str | None = None
) -> Evidence | None:
    """Collect what counts for a standing since an instant; None if there is nothing.

    floor: what it is held against; None: the hardest to beat of what needs no learning.
    """
    rows = judged_rows(scores, standing, from_s)
    name = floor or hardest_floor(rows, standing.recipe)
    rows = [score for score in rows if name in score.error]
    if not rows:
        return None
    mine = [score.error[standing.recipe] for score in rows]
    floors = [score.error[name] for score in rows]
    return Evidence(
        issues=len(rows),
        days=_covered_s(rows) / DAY_S,
        error=fmean(mine),
        floor=fmean(floors),
        floor_name=name,
        won_frac=fmean([float(a < b) for a, b in zip(mine, floors, strict=True)]),
        inside=fmean([score.inside[standing.recipe] for score in rows]),
    )


def _covered_s(rows: Sequence[Score]) -> float:
    """Time that the scored days cover, what they share counted once [s]."""
    total_s, until_s = 0.0, float("-inf")
    for start_s in sorted(score.start_s for score in rows):
        total_s += SCORED_S - max(0.0, min(SCORED_S, until_s - start_s))
        until_s = start_s + SCORED_S
    return total_s


def judged_rows(scores: Sequence[Score], standing: Standing, from_s: float) -> list[Score]:
    """Scores since an instant at which the recipe and a floor were both told."""
    first_s = max(from_s, standing.counts_from_s)
    return [
        score
        for score in scores
        if score.issued_at_s >= first_s
        and standing.recipe in score.error
        and any(name in score.error for name in FLOORS)
    ]


def hardest_floor(rows: Sequence[Score], recipe: str) -> str:
    """The floor with the lowest error beside a recipe's, of those that were told most of the time.

    Ratios at common issues: a floor that was away on bad days is not better for it.
    """
    told = {name: [score for score in rows if name in score.error] for name in FLOORS}
    most = max(len(found) for found in told.values())
    ratios = {
        name: fmean([score.error[name] for score in found])
        / max(1e-12, fmean([score.error[recipe] for score in found]))
        for name, found in told.items()
        if found and len(found) >= MOST_OF_THE_TIME * most
    }
    return min(ratios, key=lambda name: ratios[name], default=FLOORS[0])


def judged(
    scores: Sequence[Score], standing: Standing, now_s: float, unit: str = ""
) -> tuple[Standing, Step | None]:
    """Move a standing by at most one tier, by its record up to now."""
    fallen = _fallen(scores, standing, now_s, unit)
    step = fallen or _risen(scores, standing, now_s, unit)
    return (standing, None) if step is None else (step.standing, step)


def missing(scores: Sequence[Score], standing: Standing, now_s: float) -> str:
    """Say what a standing still lacks for its next tier; empty at the top."""
    if standing.tier is Tier.CONTROL:
        return ""
    wanted = Tier.CONTROL if standing.tier is Tier.ADVISE else Tier.ADVISE
    need, seen = need_of(standing.recipe, wanted), evidence(scores, standing, now_s - WINDOW_S)
    if seen is None:
        return f"{need.days:g} scored days for {wanted}"
    lacks = _lacks(need, seen)
    return f"for {wanted}: {'; '.join(lacks)}" if lacks else f"ready for {wanted}"


def _risen(scores: Sequence[Score], standing: Standing, now_s: float, unit: str) -> Step | None:
    if standing.tier is Tier.CONTROL:
        return None
    wanted = Tier.CONTROL if standing.tier is Tier.ADVISE else Tier.ADVISE
    seen = evidence(scores, standing, now_s - WINDOW_S)
    if seen is None or _lacks(need_of(standing.recipe, wanted), seen):
        return None
    risen = replace(standing, tier=wanted, since_s=now_s)
    return Step(risen, standing.tier, seen.told(unit), seen)


def _lacks(need: Need, seen: Evidence) -> list[str]:
    low, high = need.inside
    checks = (
        (seen.days >= need.days, f"{need.days - seen.days:.1f} more scored days"),
        (
            seen.gain_frac >= need.gain_frac,
            (
                f"an error {100.0 * need.gain_frac:.0f} % under the floor's, "
                f"now {100.0 * seen.gain_frac:+.1f} %"
            ),
        ),
        (
            seen.won_frac >= need.won_frac,
            (
                f"to be better in {100.0 * need.won_frac:.0f} % of the issues, "
                f"now {100.0 * seen.won_frac:.0f} %"
            ),
        ),
        (
            low <= seen.inside <= high,
            (
                f"{100.0 * low:.0f} to {100.0 * high:.0f} % within P10 to P90, "
                f"now {100.0 * seen.inside:.0f} %"
            ),
        ),
        (seen.error <= need.most, f"an error of {need.most:g} at most, now {seen.error:.2f}"),
    )
    return [said for holds, said in checks if not holds]


def _fallen(scores: Sequence[Score], standing: Standing, now_s: float, unit: str) -> Step | None:
    """A drift or a lost gain takes a tier; a drift takes control and advice both."""
    whole = evidence(scores, standing, now_s - WINDOW_S)
    if standing.tier is Tier.OBSERVE or whole is None:
        return None
    found = _drift(judged_rows(scores, standing, now_s - WINDOW_S), standing.recipe)
    if found is not None:
        reason = (
            f"it drifts: error {found.error:.4g} {unit} of late is {found.times:.1f} times its "
            f"usual {found.usual:.4g}; the floor makes {found.floor:.4g}"
        )
        return _down(standing, Tier.OBSERVE, now_s, reason, whole)
    recent = evidence(scores, standing, now_s - RECENT_S, whole.floor_name)
    lost = _lost(whole, recent, need_of(standing.recipe, Tier.CONTROL))
    if lost is None:
        return None
    lower = Tier.ADVISE if standing.tier is Tier.CONTROL else Tier.OBSERVE
    return _down(standing, lower, now_s, f"its gain is lost: {lost.told(unit)}", lost)


def _drift(rows: Sequence[Score], recipe: str) -> Drift | None:
    """Hold the newest errors against their own record and against whichever floor does best now."""
    newest = rows[-NEWEST:]
    floors = [
        fmean([score.error[name] for score in newest])
        for name in FLOORS
        if all(name in score.error for score in newest)
    ]
    if not floors:
        return None
    errors = [score.error[recipe] for score in rows]
    return drift(errors, min(floors), UNFELT.get(recipe, 0.0))


def _lost(whole: Evidence, recent: Evidence | None, need: Need) -> Evidence | None:
    """Find what shows that the floor does better: all the time, or clearly of late.

    A short record accuses nobody: a few bad days are not a lost gain.
    """
    if whole.days >= need.days and whole.gain_frac < -LOST_FRAC / 2:
        return whole
    if recent is None or recent.days < LOST_AFTER_DAYS:
        return None
    of_late = recent.gain_frac < -LOST_FRAC and recent.won_frac < 0.5
    return recent if of_late and whole.gain_frac < need.gain_frac else None


def _down(standing: Standing, tier: Tier, now_s: float, reason: str, seen: Evidence) -> Step:
    fallen = replace(standing, tier=tier, since_s=now_s, counts_from_s=now_s)
    return Step(fallen, standing.tier, reason, seen)
