"""What models said at the same issue, beside what came true: the only ground for trust.

An issue is kept as it was made, all rivals side by side, and scored when its day is over. A score
is the mean absolute error of the first day told. Plain data, no data library: the core keeps score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from pems_actors.domain.units import DAY_S

HOUSE = "house"  # what the house itself expects, without anything learned here
FLOORS = (HOUSE, "persistence")
SCORED_S = DAY_S
LEAST_KNOWN_FRAC = 0.5
DIGITS = 4

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Quantiles over the slots of an issue; a rival without a spread has its P50 thrice."""

    p50: Values
    p10: Values
    p90: Values

    @classmethod
    def of(cls, p50: Values, p10: Values | None = None, p90: Values | None = None) -> Band:
        """Make one; missing quantiles are the median."""
        return cls(p50, p50 if p10 is None else p10, p50 if p90 is None else p90)

    def stretched(self, times: float, least: float = -inf) -> Band:
        """Make it wider or narrower around its P50; nothing goes below `least`."""
        if times == 1.0:
            return self
        pairs = tuple(zip(self.p50, self.p10, self.p90, strict=True))
        low = tuple(max(min(least, mean), mean - times * (mean - p10)) for mean, p10, _ in pairs)
        high = tuple(mean + times * (p90 - mean) for mean, _, p90 in pairs)
        return Band(self.p50, low, high)

    @property
    def sound(self) -> bool:
        """Whether all are finite and none cross."""
        rows = zip(self.p10, self.p50, self.p90, strict=True)
        return all(
            isfinite(low) and isfinite(high) and low <= mean <= high for low, mean, high in rows
        )


@dataclass(frozen=True, slots=True)
class Issue:
    """What each rival said of the slots from `start_s` on; `rivals` by version."""

    series: str
    issued_at_s: float
    start_s: float
    step_s: float
    rivals: Mapping[str, Band]

    @property
    def scored_from_s(self) -> float:
        """When its first day is over."""
        return self.start_s + SCORED_S

    def plain(self) -> dict[str, Any]:
        """Give it as data for the history."""
        return {
            "series": self.series,
            "issued_at_s": self.issued_at_s,
            "start_s": self.start_s,
            "step_s": self.step_s,
            "rivals": {
                name: {
                    "p10": _short(band.p10),
                    "p50": _short(band.p50),
                    "p90": _short(band.p90),
                }
                for name, band in self.rivals.items()
            },
        }


def issue_from(plain: Mapping[str, Any]) -> Issue:
    """Read an issue back.

    Raises: ValueError if this is none.
    """
    try:
        rivals = {
            str(name): Band(tuple(band["p50"]), tuple(band["p10"]), tuple(band["p90"]))
            for name, band in plain["rivals"].items()
        }
        return Issue(
            str(plain["series"]),
            float(plain["issued_at_s"]),
            float(plain["start_s"]),
            float(plain["step_s"]),
            rivals,
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"this is no issue: {problem}") from problem


@dataclass(frozen=True, slots=True)
class Score:
    """Errors of all rivals at one issue, by version, and the share of truths within their bands.

    `start_s` is where the day begins that was told; `rows` counts its slots with a truth.
    """

    issued_at_s: float
    start_s: float
    rows: int
    error: Mapping[str, float] = field(default_factory=dict)
    inside: Mapping[str, float] = field(default_factory=dict)


def scored(issue: Issue, truth: Callable[[float], float | None]) -> Score | None:
    """Compare the first day of an issue with what came true.

    Args:
        truth: the mean over the slot that starts at an instant, None where it is not known.
    Returns: None while too little of the day is known.
    """
    slots = int(SCORED_S // issue.step_s)
    rows = [(k, truth(issue.start_s + k * issue.step_s)) for k in range(slots)]
    known = [(k, value) for k, value in rows if value is not None]
    if len(known) < LEAST_KNOWN_FRAC * slots:
        return None
    error, inside = {}, {}
    for version, band in issue.rivals.items():
        if len(band.p50) < slots:
            continue
        error[version] = sum(abs(value - band.p50[k]) for k, value in known) / len(known)
        awake = [(k, value) for k, value in known if value != 0.0 or band.p90[k] > 0.0]
        within = sum(band.p10[k] <= value <= band.p90[k] for k, value in awake)
        inside[version] = within / max(1, len(awake))
    return Score(issue.issued_at_s, issue.start_s, len(known), error, inside)


def _short(values: Values) -> list[float]:
    return [round(value, DIGITS) for value in values]
