"""The strategies, as the weights they are: what discomfort, imports and peaks are worth.

Money is always in the sum; a strategy adds prices beside it. Figures are in CZK; another currency
scales them by what a kWh costs there.
"""

from __future__ import annotations

from dataclasses import replace

from pems_actors.domain.plan import Weights

ECONOMIC = Weights(name="economic", cold_per_kh=6.0, warm_per_kh=0.75, setpoint_shift_k=-0.3)
COMFORT = Weights(name="comfort", cold_per_kh=40.0, warm_per_kh=8.0, setpoint_shift_k=0.3)
ENVIRONMENTAL = Weights(
    name="environmental", import_extra_per_kwh=3.0, peak_per_kw=2.0, wear_factor=0.3
)
BALANCED = Weights(name="balanced")

STRATEGIES = {w.name: w for w in (ECONOMIC, COMFORT, ENVIRONMENTAL, BALANCED)}
_CZK_PER_KWH = 4.0  # the mean price for which the weights are written


def strategy(name: str, mean_price_per_kwh: float = _CZK_PER_KWH) -> Weights:
    """Find a strategy's weights, scaled to a currency by its usual price of a kWh.

    Raises: KeyError with the known names for another name.
    """
    weights = STRATEGIES.get(name.strip().lower())
    if weights is None:
        raise KeyError(f"strategy is {name!r}; give one of {', '.join(sorted(STRATEGIES))}")
    return scaled(weights, mean_price_per_kwh / _CZK_PER_KWH)


def scaled(weights: Weights, price_level: float) -> Weights:
    """Write weights in another currency: one unit of theirs is `price_level` units of it."""
    return replace(
        weights,
        cold_per_kh=weights.cold_per_kh * price_level,
        warm_per_kh=weights.warm_per_kh * price_level,
        import_extra_per_kwh=weights.import_extra_per_kwh * price_level,
        peak_per_kw=weights.peak_per_kw * price_level,
    )
