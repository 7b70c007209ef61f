"""The roofs as equations with a few fitted figures: effective power, tilt, azimuth, cells, limit.

The figures start at what the owner told and move only as far as the measurements insist (each has
a prior width), so that three days of history do no harm. Where no roof was told, one is found.
Comes before everything learned (`model`), and serves alone as `PhysicsModel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pvlib.temperature import faiman
from scipy.optimize import least_squares

from pems_actors.domain.house import Roof, Site
from pems_actors.learning.pv.scene import Array, Light, Mask, Scene, plane_w_m2
from pems_actors.physics.solar import GAMMA_PER_K

INVERTER_FRAC = 0.96
_STANDARD_W_M2, _STANDARD_C = 1000.0, 25.0
_TOLD = (0.25, 10.0, 20.0)  # prior widths of a told roof: log power, tilt, azimuth [°]
_GUESSED = (1.5, 20.0, 60.0)
_SHARE_WIDTH = 0.1  # of the power of single roofs against their sum
_GAMMA_WIDTH = 0.0007
_MOST_ROWS = 5000
_ALIKE_ROWS = 8  # neighbours err together, so that so many rows count as one
_NOISE_FRAC = 0.08  # of the peak: what the weather does to a single row
_UNIT_SLIP = 20.0
_FEWEST, _FEWEST_CLEAR = 8, 48  # rows
_BELOW_CLEAR = 0.25  # weight of a miss below the clear sky


@dataclass(frozen=True, slots=True)
class Plant:
    """Roofs with fitted figures. `gain` multiplies all powers; `limit` is in the target's unit."""

    roofs: tuple[Roof, ...]
    gain: float = 1.0
    gamma_per_k: float = GAMMA_PER_K
    limit: float | None = None
    told: bool = True  # the roofs were told, not guessed

    @property
    def peak(self) -> float:
        """Effective peak power in the target's unit."""
        return self.gain * sum(roof.power_kwp * (1.0 - roof.losses_frac) for roof in self.roofs)


def plant_of(site: Site, roofs: Sequence[Roof], limit_kw: float | None = None) -> Plant:
    """Start with what was told; a plant without roofs starts as 1 kWp towards the equator."""
    if roofs:
        return Plant(tuple(roofs), limit=limit_kw)
    azimuth = 180.0 if site.latitude_deg >= 0.0 else 0.0
    guess = Roof("roof", 1.0, min(35.0, abs(site.latitude_deg)), azimuth)
    return Plant((guess,), limit=limit_kw, told=False)


def power(seen: Scene, plant: Plant, *, clear: bool = False) -> Array:
    """Compute the mean power of each row in the target's unit, shape (rows,).

    Args:
        clear: under a clear sky instead of the weather's light.
    """
    light = seen.clear if clear else seen.light
    total = np.zeros(len(seen))
    lit = seen.lit
    if lit.any():
        part = seen.take(lit)
        total[lit] = _power(part, light.take(lit), plant).mean(axis=1)
    return total if plant.limit is None else np.minimum(total, plant.limit)


def _power(seen: Scene, light: Light, plant: Plant) -> Array:
    total = np.zeros(seen.zenith_deg.shape)
    temp, wind = seen.temp_c[:, None], seen.wind_m_s[:, None]
    for roof in plant.roofs:
        plane = plane_w_m2(seen, light, roof.tilt_deg, roof.azimuth_deg)
        derating = 1.0 + plant.gamma_per_k * (faiman(plane, temp, wind) - _STANDARD_C)
        total += roof.power_kwp * (1.0 - roof.losses_frac) * plane / _STANDARD_W_M2 * derating
    return np.maximum(total, 0.0) * plant.gain * INVERTER_FRAC


def fit_plant(seen: Scene, measured: Array, good: Mask, start: Plant) -> Plant:
    """Fit the figures of a plant to rows whose light is known.

    Args:
        measured: power in the target's unit, shape (rows,).    good: rows to learn from.
        start: prior and starting point.
    Returns: the fitted plant; `start`, at most with its unit corrected, where little is known.
    """
    return _fit(seen, measured, good & seen.known, start, clear=False)


def fit_clear(seen: Scene, measured: Array, good: Mask, start: Plant) -> Plant:
    """Fit a plant to the brightest hours alone, where no weather is known.

    An envelope by expectiles: what lies above the clear sky counts far more than what lies below.
    """
    return _fit(seen, measured, good, start, clear=True)


def _fit(seen: Scene, measured: Array, good: Mask, start: Plant, *, clear: bool) -> Plant:
    rows = _thinned(good & seen.lit & np.isfinite(measured))
    part, truth = seen.take(rows), measured[rows]
    begun = _right_unit(part, truth, start)
    if rows.sum() < (_FEWEST_CLEAR if clear else _FEWEST):
        return begun
    widths, weight = _widths(begun), _weight(len(truth), int(good.sum()))
    noise = _NOISE_FRAC * max(begun.peak, 1e-6)
    found = begun
    for _ in range(1 if clear else 2):  # the first pass tells how noisy the second one is

        def misses(x: Array, noise: float = noise) -> Array:
            off = power(part, _moved(begun, x * widths), clear=clear) - truth
            off = off * np.where(off > 0.0, _BELOW_CLEAR, 1.0) if clear else off
            return np.concatenate([weight * off / noise, x])

        best = least_squares(
            misses, np.zeros(len(widths)), loss="linear" if clear else _soft, max_nfev=25
        )
        found = _moved(begun, best.x * widths)
        spread = float(np.sqrt(np.mean((power(part, found, clear=clear) - truth) ** 2)))
        noise = max(min(spread, noise), 0.1 * noise)
    return found


def _soft(z: Array) -> Array:
    """Soft L1 with a knee at three times the noise: outages and snow must not turn a roof."""
    knee = 9.0
    root = np.sqrt(1.0 + z / knee)
    return np.array([2.0 * knee * (root - 1.0), 1.0 / root, -0.5 / knee / root**3])


def _weight(used: int, rows: int) -> float:
    """Root of the number of independent rows that each used one stands for."""
    return float(np.sqrt(max(rows, 1) / max(used, 1) / _ALIKE_ROWS))


def _thinned(rows: Mask) -> Mask:
    """Keep at most so many rows as a fit needs, evenly over the whole span."""
    at = np.flatnonzero(rows)
    kept = np.zeros(len(rows), bool)
    kept[at[:: max(1, -(-len(at) // _MOST_ROWS))]] = True
    return kept


def _right_unit(seen: Scene, truth: Array, start: Plant) -> Plant:
    """Begin with another gain where the series is in another unit, or nothing was told."""
    if len(truth) < 8:
        return start
    told = power(seen, replace(start, limit=None))
    top, expected = float(np.quantile(truth, 0.95)), float(np.quantile(told, 0.95))
    if top <= 0.0 or expected <= 0.0:
        return start
    ratio = top / expected
    if start.told and 1.0 / _UNIT_SLIP < ratio < _UNIT_SLIP:
        return start
    return replace(start, gain=start.gain * ratio) if not 0.8 < ratio < 1.25 else start


def _widths(plant: Plant) -> Array:
    power_width, tilt, azimuth = _TOLD if plant.told else _GUESSED
    each = [(_SHARE_WIDTH, tilt, azimuth) for _ in plant.roofs]
    return np.array([power_width, _GAMMA_WIDTH, *(width for roof in each for width in roof)])


def _moved(plant: Plant, by: Array) -> Plant:
    """Move a plant's figures: log gain, gamma, then log power, tilt and azimuth of each roof."""
    roofs = tuple(
        replace(
            roof,
            power_kwp=roof.power_kwp * float(np.exp(np.clip(by[k], -1.5, 1.5))),
            tilt_deg=float(np.clip(roof.tilt_deg + by[k + 1], 0.0, 90.0)),
            azimuth_deg=float((roof.azimuth_deg + by[k + 2]) % 360.0),
        )
        for k, roof in zip(range(2, len(by), 3), plant.roofs, strict=True)
    )
    gain = plant.gain * float(np.exp(np.clip(by[0], -6.0, 6.0)))
    gamma = float(np.clip(plant.gamma_per_k + by[1], -0.008, 0.0))
    return replace(plant, roofs=roofs, gain=gain, gamma_per_k=gamma)
