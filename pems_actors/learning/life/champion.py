"""Champion and challengers of one series: who serves, decided by the record of all of them.

A ledger is a frozen value. Scores go in, decisions come out, each with its numbers. Whoever stands
at `control` may serve; the best of them does, and a new one must be clearly better. If nobody does,
the floor serves: that is no failure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import exp
from statistics import fmean
from typing import Any

from pems_actors.learning.life.card import UNITS, ModelCard, recipe_of
from pems_actors.learning.life.contest import FLOORS, Score
from pems_actors.learning.life.trust import (
    UNFELT,
    WINDOW_S,
    Evidence,
    Standing,
    Step,
    Tier,
    evidence,
    judged,
    judged_rows,
)

CLEARLY_FRAC = 0.03
KEPT_SCORES = 240
LEAST_COMMON = 7
NOT_WORSE_TIMES = 1.10
FIRST_DAY = "0-24 h"
WITHIN_FRAC = 0.8  # of the truths should lie within P10 to P90
STRETCH, STRETCH_RATE = (0.5, 4.0), 0.12


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that changed about who is trusted, with its numbers and in a sentence."""

    at_s: float
    series: str
    recipe: str
    version: str
    what: str  # promoted, demoted, champion, entered, kept_old
    tier: Tier
    reason: str
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Tell it on one line."""
        words = {
            "promoted": f"promoted to {self.tier}",
            "demoted": f"demoted to {self.tier}",
            "champion": "is the champion",
            "dethroned": "serves no more",
            "entered": f"enters, at {self.tier}",
            "kept_old": "is refused, the old version stays",
        }
        return f"{self.series}: {self.version} {words.get(self.what, self.what)}: {self.reason}"

    def plain(self) -> dict[str, Any]:
        """Give it as data for the history."""
        return {**asdict(self), "tier": str(self.tier), "numbers": dict(self.numbers)}


@dataclass(frozen=True, slots=True)
class Ledger:
    """The record of one series: scores by recipe, who stands where, who serves."""

    series: str
    scores: tuple[Score, ...] = ()
    standings: Mapping[str, Standing] = field(default_factory=dict)
    champion: str = ""  # a recipe; empty: the floor serves
    stretch: Mapping[str, float] = field(default_factory=dict)  # of each recipe's bands

    @property
    def unit(self) -> str:
        """Unit of the errors."""
        return UNITS.get(self.series.partition("/")[0], "")

    @property
    def serving(self) -> Standing | None:
        """Who serves; None: the floor."""
        return self.standings.get(self.champion)

    def with_score(self, score: Score) -> Ledger:
        """Take the score of one issue in; rivals count by recipe.

        Of several issues for the same day (prices, while nothing new is published) the last counts.
        """
        by_recipe = replace(
            score,
            error={recipe_of(version): each for version, each in score.error.items()},
            inside={recipe_of(version): each for version, each in score.inside.items()},
        )
        by_start = {each.start_s: each for each in self.scores}
        known = by_start.get(score.start_s)
        stretch = self.stretch if known is not None else _stretched(self.stretch, by_recipe)
        if known is None or known.issued_at_s <= score.issued_at_s:
            by_start[score.start_s] = by_recipe
        scores = sorted(by_start.values(), key=lambda each: each.start_s)
        return replace(self, scores=tuple(scores[-KEPT_SCORES:]), stretch=stretch)

    def entered(self, card: ModelCard, now_s: float) -> tuple[Ledger, Decision]:
        """Take a newly trained version in: at the tier of its recipe, unless it is worse."""
        before, told = self.standings.get(card.recipe), card.error(FIRST_DAY)
        numbers = _of_card(card)
        if before is not None and before.tier is not Tier.OBSERVE and _is_worse(card):
            assert told is not None
            reason = (
                f"error {told.mae:.4g} {self.unit} on its unseen days, that of "
                f"{before.version} on the same days {told.present_mae:.4g}"
            )
            return self, Decision(
                now_s, self.series, card.recipe, card.version, "kept_old", before.tier, reason,
                numbers,
            )  # fmt: skip
        fresh = Standing(card.recipe, card.version, since_s=now_s, counts_from_s=now_s)
        standing = fresh if before is None else replace(before, version=card.version)
        reason = (
            f"learned from {card.source.rows} rows of {card.source.days:.1f} days"
            if told is None
            else f"learned from {card.source.rows} rows of {card.source.days:.1f} days, error "
            f"{told.mae:.4g} {self.unit} on unseen days, the floor's {told.floor_mae:.4g}"
        )
        ledger = replace(self, standings={**self.standings, card.recipe: standing})
        return ledger, Decision(
            now_s, self.series, card.recipe, card.version, "entered", standing.tier, reason, numbers
        )

    def judged(self, now_s: float) -> tuple[Ledger, tuple[Decision, ...]]:
        """Move every standing by its record, then choose who serves."""
        standings, decisions = dict(self.standings), []
        for recipe, before in sorted(standings.items()):
            standings[recipe], step = judged(self.scores, before, now_s, self.unit)
            if step is not None:
                decisions.append(self._of_step(step, now_s))
        ledger = replace(self, standings=standings)
        champion, reason, numbers = ledger._chosen(now_s)  # noqa: SLF001 - its own kind
        if champion == self.champion:
            return ledger, tuple(decisions)
        decisions.append(ledger._of_change(champion, reason, numbers, now_s))  # noqa: SLF001
        return replace(ledger, champion=champion), tuple(decisions)

    def without(self, recipe: str) -> Ledger:
        """Strike a recipe whose model cannot be opened any more."""
        standings = {name: each for name, each in self.standings.items() if name != recipe}
        champion = "" if self.champion == recipe else self.champion
        return replace(self, standings=standings, champion=champion)

    def _chosen(self, now_s: float) -> tuple[str, str, dict[str, float | int | str | None]]:
        """Find the best of those that may serve; the present one stays unless clearly beaten."""
        able = {r: s for r, s in self.standings.items() if s.tier is Tier.CONTROL}
        seen = {r: evidence(self.scores, s, now_s - WINDOW_S) for r, s in able.items()}
        errors = {r: each.error for r, each in seen.items() if each is not None}
        if not errors:
            return "", "nobody is trusted with control", {}
        if self.champion not in errors:
            best = min(errors, key=lambda recipe: errors[recipe])
            found = seen[best]
            assert found is not None
            return best, found.told(self.unit), _of_evidence(found)
        return self._challenged(able, now_s)

    def _challenged(
        self, able: Mapping[str, Standing], now_s: float
    ) -> tuple[str, str, dict[str, float | int | str | None]]:
        present = self.champion
        for recipe in sorted(set(able) - {present}):
            from_s = max(now_s - WINDOW_S, able[present].counts_from_s)  # for both the same days
            rows = [
                score
                for score in judged_rows(self.scores, able[recipe], from_s)
                if present in score.error
            ]
            if len(rows) < LEAST_COMMON:
                continue
            new, old = (fmean([score.error[name] for score in rows]) for name in (recipe, present))
            if new < (1.0 - CLEARLY_FRAC) * old:
                reason = (
                    f"error {new:.4g} {self.unit} against {old:.4g} of {present} at the same "
                    f"{len(rows)} issues"
                )
                return recipe, reason, {"error": new, "beaten": old, "issues": len(rows)}
        return present, "", {}

    def _of_step(self, step: Step, now_s: float) -> Decision:
        standing = step.standing
        return Decision(
            now_s,
            self.series,
            standing.recipe,
            standing.version,
            "promoted" if step.up else "demoted",
            standing.tier,
            step.reason,
            {"before": str(step.before), **_of_evidence(step.evidence)},
        )

    def _of_change(
        self,
        champion: str,
        reason: str,
        numbers: Mapping[str, float | int | str | None],
        now_s: float,
    ) -> Decision:
        if champion:
            standing, what = self.standings[champion], "champion"
        else:
            standing = self.standings.get(self.champion) or Standing(self.champion, self.champion)
            what, reason = "dethroned", f"{reason}, the floor serves"
        return Decision(
            now_s, self.series, standing.recipe, standing.version, what, standing.tier, reason,
            numbers,
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """Give it as data for the registry."""
        return {
            "series": self.series,
            "champion": self.champion,
            "standings": {r: {**asdict(s), "tier": str(s.tier)} for r, s in self.standings.items()},
            "scores": [asdict(score) for score in self.scores],
            "stretch": dict(self.stretch),
        }


def ledger_from(plain: Mapping[str, Any]) -> Ledger:
    """Read a ledger.

    Raises: ValueError if this is none.
    """
    try:
        standings = {
            str(recipe): Standing(**{**each, "tier": Tier(each["tier"])})
            for recipe, each in plain["standings"].items()
        }
        scores = tuple(Score(**each) for each in plain["scores"])
        stretch = {str(recipe): float(times) for recipe, times in plain["stretch"].items()}
        return Ledger(str(plain["series"]), scores, standings, str(plain["champion"]), stretch)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"this is no ledger: {problem}") from problem


def ledgers_from(plain: Mapping[str, Any], series: Sequence[str]) -> dict[str, Ledger]:
    """Read the ledgers of all series; a series that is not there or not readable begins anew."""
    ledgers = {}
    for name in series:
        try:
            ledgers[name] = ledger_from(plain[name])
        except (KeyError, ValueError):
            ledgers[name] = Ledger(name)
    return ledgers


def _stretched(stretch: Mapping[str, float], score: Score) -> dict[str, float]:
    """Widen bands that held too rarely and narrow those that held too often: live calibration.

    The share within the band goes to its target in the long run, whatever the errors look like.
    Source: Gibbs & Candès 2021, arXiv:2106.00170.
    """
    low, high = STRETCH
    moved = {
        recipe: stretch.get(recipe, 1.0) * exp(STRETCH_RATE * (WITHIN_FRAC - inside))
        for recipe, inside in score.inside.items()
        if recipe not in FLOORS
    }
    return {**stretch, **{recipe: min(high, max(low, times)) for recipe, times in moved.items()}}


def _is_worse(card: ModelCard) -> bool:
    """Whether a new version did worse than the one in use, on days that neither had seen."""
    told = card.error(FIRST_DAY)
    if told is None or told.present_mae is None:
        return False
    return told.mae > max(NOT_WORSE_TIMES * told.present_mae, UNFELT.get(card.recipe, 0.0))


def _of_card(card: ModelCard) -> dict[str, float | int | str | None]:
    told = card.error(FIRST_DAY)
    return {
        "rows": card.source.rows,
        "days": round(card.source.days, 2),
        "gaps": card.source.gaps,
        "mae": None if told is None else told.mae,
        "floor_mae": None if told is None else told.floor_mae,
        "present_mae": None if told is None else told.present_mae,
    }


def _of_evidence(seen: Evidence) -> dict[str, float | int | str | None]:
    return {**asdict(seen), "gain_frac": seen.gain_frac}
