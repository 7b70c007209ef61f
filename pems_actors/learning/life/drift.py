"""Drift: a model that was good and is not any more, told early and without crying wolf.

The newest error is held against the model's own record (median and spread, so that one odd day
neither hides a drift nor makes one) and against the floor at the same issues: as long as the model
does better than what would serve in its place, nothing is gained by taking it away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

LEAST_RECORD = 12  # issues before the newest ones
NEWEST = 2
_TIMES, _SPREADS = 1.4, 3.0
_OVER_FLOOR = 1.03
_NORMAL_PER_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Drift:
    """The error of the newest issues beside the usual one and the floor's."""

    error: float
    usual: float
    floor: float

    @property
    def times(self) -> float:
        """How many times its usual error it makes."""
        return self.error / max(self.usual, 1e-12)


def drift(errors: Sequence[float], floor: float, unfelt: float = 0.0) -> Drift | None:
    """Look for a drift in a record of errors, oldest first.

    Args:
        floor: the error of what would serve instead, at the newest issues.
        unfelt: up to such an error nobody gains anything by a better one.
    Returns: None if there is none, or too short a record to tell.
    """
    before, newest = errors[:-NEWEST], errors[-NEWEST:]
    if len(before) < LEAST_RECORD:
        return None
    usual = median(before)
    spread = _NORMAL_PER_MAD * median([abs(error - usual) for error in before])
    error = fmean(newest)
    drifts = is_drift(error, usual, floor, unfelt) and error > usual + _SPREADS * spread
    return Drift(error, usual, floor) if drifts else None


def is_drift(error: float, usual: float, floor: float, unfelt: float = 0.0) -> bool:
    """Whether an error is far above its usual size, above the floor's, and to be felt at all."""
    return error > max(_TIMES * usual, _OVER_FLOOR * floor, unfelt)
