"""Bands that tell the truth: P10 and P90 learned from a model's own true errors, then calibrated.

The bands start from errors that were made on days the model had not seen. Boosted trees learn how
wide they are in which regime; conformal shifts, the newest errors counting most, make their
coverage right. `scenarios` draws whole paths from bands that keep how errors hang together over
time and between series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

LEVELS = (0.1, 0.5, 0.9)
HALF_LIFE_DAYS = 120.0
_SHAPE_HALF_LIFE_DAYS = 365.0  # where bands are wide changes slower than how wide they are
_ROUNDS = 40
_FEWEST_FOR_TREES = 1000
_OLDER_FRAC = 0.7
_GROUP_TRUST = 150.0  # rows after which a group's own shift counts as much as everybody's
_TREES = {
    "objective": "reg:quantileerror",
    "quantile_alpha": np.array([LEVELS[0], LEVELS[2]]),
    "max_depth": 3,
    "eta": 0.15,
    "subsample": 0.8,
    "min_child_weight": 40,
    "tree_method": "hist",
    "seed": 7,
    "nthread": 1,
}


def weighted_quantile(values: Array, weights: Array, level: float) -> float:
    """Find the value below which a share of the weight lies; NaN of nothing."""
    if not len(values):
        return float("nan")
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    at = int(np.searchsorted(reached, level * reached[-1]))
    return float(values[order[min(at, len(order) - 1)]])


def uncrossed(low: Array, middle: Array, high: Array) -> tuple[Array, Array, Array]:
    """Push P10 and P90 away from the median where they crossed it."""
    return np.minimum(low, middle), middle, np.maximum(high, middle)


def pinball(truth: Array, told: Array, level: float) -> float:
    """Mean pinball loss where both are known; NaN where nothing is."""
    error = (truth - told)[np.isfinite(truth) & np.isfinite(told)]
    return float(np.maximum(level * error, (level - 1.0) * error).mean()) if len(error) else np.nan


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Distances of P10 and P90 from the middle, learned and calibrated.

    `trees` is a booster as bytes, or None where there was too little to learn from: then the
    distances are the same everywhere (`flat`). `shift` widens or narrows both sides, by group.
    """

    unit: float = 1.0
    flat: tuple[float, float] = (-1.0, 1.0)
    trees: bytes | None = None
    shift: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    shift_all: tuple[float, float] = (0.0, 0.0)
    _loaded: list[object] = field(default_factory=list, repr=False)

    @classmethod
    def fit(
        cls,
        features: Array,
        middle: Array,
        truth: Array,
        groups: Ints | None = None,
        age_days: Array | None = None,
        half_life_days: float = HALF_LIFE_DAYS,
    ) -> Bands:
        """Learn from true errors.

        Args:
            features: what the width may depend on, shape (n, k); NaN allowed.
            middle: forecasts made without knowing the truth, shape (n,).    truth: shape (n,).
            groups: regime of each row, such as its part of the day, shape (n,).
            age_days: how old each row is, shape (n,); the oldest rows train, the newest calibrate.
        """
        keep = np.isfinite(middle) & np.isfinite(truth)
        age = np.zeros(len(truth)) if age_days is None else age_days
        group = np.zeros(len(truth), np.intp) if groups is None else groups
        x, error, age, group = (
            features[keep],
            (truth - middle)[keep],
            age[keep],
            group[keep],
        )
        if len(error) < 2:
            return cls()
        unit = float(np.abs(error).mean()) or 1e-9
        error = error / unit
        weights, slowly = (0.5 ** (age / half) for half in (half_life_days, _SHAPE_HALF_LIFE_DAYS))
        flat = tuple(weighted_quantile(error, weights, level) for level in (0.1, 0.9))
        plain = cls(unit=unit, flat=(flat[0], flat[1]))
        if len(error) < _FEWEST_FOR_TREES:
            return plain
        old = age >= np.quantile(age, 1.0 - _OLDER_FRAC)
        if old.all() or not old.any():
            old = np.arange(len(error)) < _OLDER_FRAC * len(error)
        half = cls(unit=unit, trees=_grow(x[old], error[old], slowly[old]))
        shift_all, shift = _conformal(half._raw(x[~old]), error[~old], group[~old], weights[~old])
        return cls(unit, plain.flat, _grow(x, error, slowly), shift, shift_all)

    def around(
        self, features: Array, middle: Array, groups: Ints | None = None, stretch: float = 1.0
    ) -> tuple[Array, Array, Array]:
        """Give P10, P50 and P90 around a middle, each of shape (n,); `stretch` widens both."""
        low, high = self._raw(features).T
        group = np.zeros(len(middle), np.intp) if groups is None else groups
        shifts = np.array([self.shift.get(int(g), self.shift_all) for g in group]).reshape(-1, 2)
        low = np.minimum(low - shifts[:, 0], 0.0)
        high = np.maximum(high + shifts[:, 1], 0.0)
        return uncrossed(
            middle + stretch * self.unit * low, middle, middle + stretch * self.unit * high
        )

    def _raw(self, features: Array) -> Array:
        """Distances in units before calibration, shape (n, 2)."""
        if self.trees is None:
            return np.tile(np.array(self.flat), (len(features), 1))
        import xgboost as xgb  # noqa: PLC0415 - heavy, and only where trees were grown

        if not self._loaded:
            booster = xgb.Booster({"nthread": 1})
            booster.load_model(bytearray(self.trees))
            self._loaded.append(booster)
        told = self._loaded[0].inplace_predict(features)  # type: ignore[attr-defined]
        return np.asarray(told, float).reshape(-1, 2)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the loaded booster."""
        return Bands, (self.unit, self.flat, self.trees, dict(self.shift), self.shift_all)


def _grow(features: Array, error: Array, weights: Array) -> bytes:
    import xgboost as xgb  # noqa: PLC0415 - heavy, and only where trees are grown

    data = xgb.QuantileDMatrix(features, error, weight=weights, nthread=1)
    return bytes(xgb.train(_TREES, data, _ROUNDS).save_raw("ubj"))


def _conformal(
    told: Array, error: Array, groups: Ints, weights: Array
) -> tuple[tuple[float, float], dict[int, tuple[float, float]]]:
    """Find the shifts that put a tenth of the newest errors outside each side, per group.

    Source: Romano et al. 2019, arXiv:1905.03222 (conformalised quantile regression).
    """
    below, above = told[:, 0] - error, error - told[:, 1]
    everybody = (
        weighted_quantile(below, weights, LEVELS[2]),
        weighted_quantile(above, weights, LEVELS[2]),
    )
    shifts = {}
    for group in np.unique(groups):
        own = groups == group
        trust = own.sum() / (own.sum() + _GROUP_TRUST)
        sides = (weighted_quantile(side[own], weights[own], LEVELS[2]) for side in (below, above))
        low, high = (
            trust * own_shift + (1.0 - trust) * shared
            for own_shift, shared in zip(sides, everybody, strict=True)
        )
        shifts[int(group)] = (low, high)
    return everybody, shifts


def ranks_of(errors: Array) -> Array:
    """Turn past error paths into ranks per slot, shape (days, slots), in (0, 1); NaN become 0.5."""
    days = len(errors)
    known = np.isfinite(errors)
    order = np.argsort(np.argsort(np.where(known, errors, np.inf), axis=0), axis=0)
    count = np.maximum(known.sum(axis=0), 1)
    ranks = np.where(known, (order + 0.5) / count, 0.5)
    return ranks if days else np.full((1, errors.shape[1]), 0.5)


def along(bands: Mapping[float, Array], ranks: Array) -> Array:
    """Walk through a band along ranks: the value at each rank between and beyond P10/P50/P90.

    Args:
        bands: P10, P50 and P90 by level, shape (slots,) each.    ranks: shape (paths, slots).
    Returns: shape (paths, slots). Beyond the band it goes on as steeply, to 1.6 times its width.
    """
    low, middle, high = (bands[level] for level in LEVELS)
    up = (ranks - 0.5) / (LEVELS[2] - 0.5)
    width = np.where(up < 0.0, middle - low, high - middle)
    tail = np.sign(up) * np.minimum(np.abs(up) ** np.where(np.abs(up) > 1.0, 2.1, 1.0), 1.6)
    return np.asarray(middle + width * tail)


def scenarios(
    bands: Mapping[str, Mapping[float, Array]],
    past_errors: Mapping[str, Array],
    count: int = 20,
    seed: int = 1,
) -> dict[str, Array]:
    """Draw joint paths: past error paths of the same dates, moved into today's bands (Schaake).

    For trained models `together.paths_together` gathers the errors and calls this; the learning
    worker answers a `HouseForecastJob` with it. Whoever has bands and errors of his own calls it
    directly.

    Args:
        bands: per series P10/P50/P90 by level (0.1, 0.5, 0.9), shape (slots,) each.
        past_errors: per series the errors of past forecasts, shape (dates, slots), the same dates
            for all series, NaN where not known.    count: paths wanted.
    Returns: per series paths of shape (count, slots); path k of all series is one past day.
    Source: Clark et al. 2004, doi:10.1175/1525-7541(2004)005<0243:TSSAMF>2.0.CO;2.
    """
    dates = min((len(errors) for errors in past_errors.values()), default=0)
    rng = np.random.default_rng(seed)
    drawn = (
        rng.permutation(dates)[:count] if dates >= count else rng.integers(0, max(dates, 1), count)
    )
    paths = {}
    for name, band in bands.items():
        errors = past_errors.get(name)
        if errors is None or not dates:
            steady = np.tile((np.arange(count) + 0.5)[:, None] / count, (1, len(band[0.5])))
            paths[name] = along(band, rng.permutation(steady))
            continue
        taken = errors[:dates][drawn] if dates < count else errors[:dates]
        ranks = ranks_of(taken) if dates < count else ranks_of(taken)[drawn]
        paths[name] = along(band, ranks)
    return paths
