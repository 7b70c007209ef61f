"""Running rooms against what was measured: expectations, surprises, and how they follow parameters.

An observer steps the equations and lets each reading correct the hidden masses a little (gains of a
settled Kalman filter); where readings are no tests of the model (a window is open,
heat is unknown) it follows them fast and they do not count. Surprises are thus errors over hours,
not over one step. Knows no parameters' names and no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pems_actors.estimation.riccati import steady_gain
from pems_actors.learning.rooms.network import Array, Steps

Flags = npt.NDArray[np.bool_]
Small = npt.NDArray[np.float32]

_CHUNK, _SMALL = 96, np.float32
AIR = 1
DISTURBANCE_FADES_H = 240.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What acted and what was measured, on even steps. Leading axis: time.

    inputs (T, sets, inputs); air_c (T, sets, R), NaN where nothing was said; counts and follows
    (T, sets, R) flags: which readings test the model, and which are only followed.
    """

    dt_h: float
    inputs: Array
    air_c: Array
    counts: Flags
    follows: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """How much the model is trusted, per set and room: deviations per root of an hour.

    scale (sets, R) multiplies all of it; sensor_k is the error of one reading;
    usual_kw (sets, R) is a usual disturbance.
    """

    scale: Array
    usual_kw: Array
    screed_k: float = 0.03
    air_k: float = 0.06
    structure_k: float = 0.01
    sensor_k: float = 0.06


class Gains(NamedTuple):
    """How surprises move the four states of each room, (sets, 4, R): usually, and following."""

    slow: Array
    fast: Array


class Trail(NamedTuple):
    """surprise_k (T, sets, R), NaN where nothing was said; states (T, sets, 4R) as corrected."""

    surprise_k: Array
    states: Array


def keeps_of(dt_h: float) -> float:
    """What is left of a disturbance after a step."""
    return float(np.exp(-dt_h / DISTURBANCE_FADES_H))


def gains_of(steps: Steps, noise: Noise, dt_h: float) -> Gains:
    """Find the gains of settled filters, each room with its neighbours taken as known."""
    sets, r = noise.scale.shape
    own = np.arange(r)[:, None] + r * np.arange(4)[None, :]
    blocks = steps.a[:, own[:, :, None], own[:, None, :]].reshape(-1, 4, 4)
    keeps = keeps_of(dt_h)
    added = np.zeros((sets, r, 4, 4))
    for k, per_root_h in enumerate((noise.screed_k, noise.air_k, noise.structure_k)):
        added[..., k, k] = per_root_h**2 * dt_h
    added[..., 3, 3] = noise.usual_kw**2 * (1.0 - keeps**2) + 1e-14
    added *= noise.scale[..., None, None] ** 2
    sensor_k2 = noise.sensor_k**2
    slow = steady_gain(blocks, added.reshape(-1, 4, 4), observed=AIR, sensor_variance=sensor_k2)
    wild = added + np.diag([0.05, 0.5, 0.02, 0.0]) ** 2 * dt_h
    fast = steady_gain(blocks, wild.reshape(-1, 4, 4), observed=AIR, sensor_variance=sensor_k2)
    fast[:, 3] = 0.0
    return Gains(*(np.moveaxis(g.reshape(sets, r, 4), 2, 1) for g in (slow, fast)))


def observe(seen: Seen, steps: Steps, gains: Gains, start: Array) -> Trail:
    """Run every set through the whole time.

    start: states at the first reading, (sets, 4R), before it corrects them.
    """
    count, sets, r = seen.air_c.shape
    driven = np.einsum("snm,tsm->tsn", steps.b, seen.inputs, optimize=True)
    heard = np.isfinite(seen.air_c)
    said = np.where(heard, seen.air_c, 0.0)
    surprises, states = np.empty((count, sets, r)), np.empty((count, sets, 4 * r))
    usual = gains.slow, gains.fast
    follow_any = _any(seen.follows)
    x = start[:, :, None].copy()
    for t in range(count):
        wrong = (said[t] - x[:, r : 2 * r, 0]) * heard[t]
        gain = np.where(seen.follows[t][:, None], usual[1], usual[0]) if follow_any[t] else usual[0]
        x = x + (gain * wrong[:, None]).reshape(sets, 4 * r, 1)
        surprises[t], states[t] = wrong, x[:, :, 0]
        x = steps.a @ x
        x[:, :, 0] += driven[t]
    surprises[~heard] = np.nan
    return Trail(surprises, states)


def normal_equations(
    seen: Seen, steps: Steps, gains: Gains, trail: Trail, weights: Array
) -> tuple[Array, Array]:
    """Differentiate the weighted squares of all surprises by the parameters.

    Args:
        steps: with slopes.    weights: per reading, (T, sets, R), 0 where it does not count.
    Returns: curvature (sets, count, count) and half gradients by chunks of 96 steps
        (chunks, sets, count).
    """
    if steps.da_db is None:
        raise ValueError("normal equations need the slopes of the steps")
    count, sets, r = seen.air_c.shape
    forced = _Forced(steps.da_db)
    a, moved = steps.a.astype(_SMALL), _Moves(seen, gains)
    s = np.zeros((sets, 4 * r, forced.parameters), _SMALL)
    curvature = np.zeros((sets, forced.parameters, forced.parameters))
    gradients = []
    surprise, root = np.nan_to_num(trail.surprise_k), np.sqrt(weights)
    for begin in range(0, count, _CHUNK):
        part = slice(begin, min(begin + _CHUNK, count))
        forcing = forced.by(np.concatenate([trail.states[part], seen.inputs[part]], axis=2))
        slope = np.empty((len(forcing), sets, r, forced.parameters), _SMALL)
        for k, push in enumerate(forcing):
            slope[k] = s[:, r : 2 * r]
            s = a @ moved.corrected(s, begin + k)
            s[:, : 3 * r] += push
        square, gradient = _weighed(slope, surprise[part], root[part])
        curvature += square
        gradients.append(gradient)
    return curvature, np.array(gradients)


def _weighed(slope: Small, surprise_k: Array, root: Array) -> tuple[Array, Array]:
    """Multiply slopes out, (steps, sets, R, count), with the roots of their weights."""
    sets, parameters = slope.shape[1], slope.shape[3]
    slope *= root[..., None].astype(_SMALL)
    rows = np.moveaxis(slope, 1, 0).reshape(sets, -1, parameters)
    wrong = np.moveaxis(surprise_k * root, 1, 0).reshape(sets, -1, 1).astype(_SMALL)
    turned = np.swapaxes(rows, 1, 2)
    return np.asarray(turned @ rows, float), -np.asarray((turned @ wrong)[:, :, 0], float)


class _Forced:
    """How states and inputs push the slopes of the states, one stretch of time at once."""

    def __init__(self, da_db: Array) -> None:
        self.sets, self.parameters, self._nodes, acting = da_db.shape
        turned = np.moveaxis(da_db, (1, 2, 3), (3, 2, 1)).astype(_SMALL)
        self._turned = np.ascontiguousarray(turned).reshape(self.sets, acting, -1)

    def by(self, acting: Array) -> Small:
        """Give the push of each step, (steps, sets, 3R, count); acting (steps, sets, acting)."""
        pushed = np.moveaxis(acting, 0, 1).astype(_SMALL) @ self._turned
        shaped = pushed.reshape(self.sets, len(acting), self._nodes, self.parameters)
        return np.moveaxis(shaped, 0, 1)


class _Moves:
    """Applies the corrections of readings to slopes of states."""

    def __init__(self, seen: Seen, gains: Gains) -> None:
        self._slow, self._fast = (g[..., None].astype(_SMALL) for g in gains)
        self._heard = np.isfinite(seen.air_c)
        self._all = ~_any(~self._heard)
        self._follows = seen.follows
        self._any = _any(seen.follows)

    def corrected(self, s: Small, t: int) -> Small:
        """Let the reading of step t correct states, and so their slopes."""
        sets, states, parameters = s.shape
        r = states // 4
        gain = self._slow
        if self._any[t]:
            gain = np.where(self._follows[t][:, None, :, None], self._fast, gain)
        if not self._all[t]:
            gain = gain * self._heard[t][:, None, :, None]
        air = s[:, None, r : 2 * r]
        moved = s.reshape(sets, 4, r, parameters) - gain * air
        return moved.reshape(sets, states, parameters)


def _any(flags: Flags) -> Flags:
    """Tell for each step whether any flag is set, (T,)."""
    return np.asarray(flags.reshape(len(flags), -1).any(axis=1))
