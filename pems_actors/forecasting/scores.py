"""How good a forecast was: figures on plain sequences, with missing truth or forecast left out.

A score is None where there is nothing to judge; it is never a flattering 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, sqrt
from typing import TypeGuard

from pems_actors.forecasting.quarters import QUARTERS_PER_DAY, QUARTERS_PER_WEEK

Series = Sequence[float | None]


def _both(truth: Series, told: Series) -> Iterator[tuple[float, float]]:
    if len(truth) != len(told):
        raise ValueError(f"{len(truth)} true values and {len(told)} forecasts; give one for each")
    for a, b in zip(truth, told, strict=True):
        if _known(a) and _known(b):
            yield a, b


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and isfinite(value)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def count(truth: Series, told: Series) -> int:
    """Count the pairs that can be judged."""
    return sum(1 for _ in _both(truth, told))


def mae(truth: Series, told: Series) -> float | None:
    """Mean absolute error, in the unit of the series."""
    return _mean([abs(a - b) for a, b in _both(truth, told)])


def rmse(truth: Series, told: Series) -> float | None:
    """Root of the mean squared error, in the unit of the series."""
    mean_square = _mean([(a - b) ** 2 for a, b in _both(truth, told)])
    return None if mean_square is None else sqrt(mean_square)


def r2(truth: Series, told: Series) -> float | None:
    """Share of the variance that the forecast explains; None where the truth never varies."""
    pairs = list(_both(truth, told))
    if not pairs:
        return None
    mean = sum(a for a, _ in pairs) / len(pairs)
    spread = sum((a - mean) ** 2 for a, _ in pairs)
    return None if spread <= 0.0 else 1.0 - sum((a - b) ** 2 for a, b in pairs) / spread


def pinball(truth: Series, told: Series, quantile_frac: float) -> float | None:
    """Mean pinball loss of a quantile forecast, in the unit of the series; lower is better.

    Source: Koenker & Bassett 1978, doi:10.2307/1913643.
    """
    return _mean(
        [
            max(quantile_frac * (a - b), (quantile_frac - 1.0) * (a - b))
            for a, b in _both(truth, told)
        ]
    )


def coverage(truth: Series, low: Series, high: Series) -> float | None:
    """Share of truths within the band, edges included; 0.8 is right for P10 to P90."""
    inside = [
        low_one <= value <= high_one
        for value, low_one, high_one in zip(truth, low, high, strict=True)
        if _known(value) and _known(low_one) and _known(high_one)
    ]
    return sum(inside) / len(inside) if inside else None


def persistence(truth: Series, lag: int = QUARTERS_PER_DAY) -> list[float | None]:
    """The forecast to beat: what was `lag` steps ago, None where nothing was known then."""
    return [truth[k - lag] if k >= lag else None for k in range(len(truth))]


def weekly(truth: Series, lag: int = QUARTERS_PER_WEEK) -> list[float | None]:
    """The other forecast to beat: the same quarter hour of the week before."""
    return persistence(truth, lag)
