"""The best parameters: surprises and beliefs weighed against each other, many sets at once.

Damped Gauss-Newton steps from exact slopes. A reading weighs by what is usually wrong in its room
and by how long such errors last, so that beliefs are not drowned by a thousand copies of one error;
wild surprises pull no harder than usual ones. Knows vectors only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pems_actors.learning.rooms.network import Array, Layout, Steps, exact_steps
from pems_actors.learning.rooms.observer import (
    Gains,
    Noise,
    Seen,
    Trail,
    gains_of,
    keeps_of,
    normal_equations,
    observe,
)

_WILD = 3.0  # surprises beyond this many deviations pull no harder
_LONGEST_MOVE = 0.8  # of any logarithm in one step
_LEAST_K = 0.02
_ENOUGH = 0.5  # a gain below which a further round is not worth it, in log-likelihood


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What is believed before: mean (sets, count), and precision (sets, count, count)."""

    mean: Array
    precision: Array

    def cost(self, theta: Array) -> Array:
        """Half the weighted square of the distance, shape (sets,)."""
        away = theta - self.mean
        return np.asarray(0.5 * np.einsum("sp,spq,sq->s", away, self.precision, away))


Anchors = Callable[[Array], tuple[Array, Array]]
"""Further residuals that should be 0: theta -> (sets, n) and slopes (sets, n, count)."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Everything that a search needs. `start` gives the states before the first reading."""

    layout: Layout
    seen: Seen
    belief: Belief
    noise: Noise
    start: Callable[[Array], Array]
    anchors: Anchors | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where a search ended.

    theta (sets, count), cost (sets,), curvature (sets, count, count) of readings, anchors and
    belief together, scatter (sets, count, count) of the gradients by days, sigma_k and lasting
    (sets, R): deviation of a surprise, and how many steps it lasts.
    """

    theta: Array
    cost: Array
    curvature: Array
    scatter: Array
    sigma_k: Array
    lasting: Array
    trail: Trail


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    steps: Steps
    gains: Gains
    trail: Trail


def run(problem: Problem, theta: Array, *, slopes: bool = False) -> _Run:
    """Run every set of parameters against what was seen."""
    dt_h = problem.seen.dt_h
    steps = exact_steps(problem.layout, theta, dt_h, keeps_of(dt_h), slopes=slopes)
    gains = gains_of(steps, problem.noise, dt_h)
    return _Run(steps, gains, observe(problem.seen, steps, gains, problem.start(theta)))


def search(problem: Problem, theta: Array, rounds: int) -> Found:
    """Improve all sets of parameters for some rounds, each by itself."""
    damping = np.full(len(theta), 1e-2)
    now = run(problem, theta)
    for _ in range(rounds):
        sigma, lasting = usual_surprise(problem.seen, now.trail)
        now = run(problem, theta, slopes=True)
        cost, weights = _cost(problem, theta, now.trail, sigma, lasting)
        curvature, gradient, _ = _summed(problem, theta, now, weights)
        usual = sigma, lasting
        theta, now, gain = _step(problem, theta, cost, curvature, gradient, damping, usual)
        if np.max(gain) < _ENOUGH:
            break
    return _found(problem, theta)


def _found(problem: Problem, theta: Array) -> Found:
    now = run(problem, theta, slopes=True)
    sigma, lasting = usual_surprise(problem.seen, now.trail)
    cost, weights = _cost(problem, theta, now.trail, sigma, lasting)
    curvature, _, scatter = _summed(problem, theta, now, weights)
    return Found(theta, cost, curvature, scatter, sigma, lasting, now.trail)


def fair_cost(problem: Problem, found: Found, like: Array) -> Array:
    """Weigh every set by the errors of the set that it competes with, shape (sets,).

    like: for each set the one whose deviation and lasting count.
    """
    return _cost(problem, found.theta, found.trail, found.sigma_k[like], found.lasting[like])[0]


def _step(
    problem: Problem,
    theta: Array,
    cost: Array,
    curvature: Array,
    gradient: Array,
    damping: Array,
    usual: tuple[Array, Array],
) -> tuple[Array, _Run, Array]:
    """Try steps, shorter and shorter where they do not pay; `damping` is adapted in place.

    Returns: where it went, what is seen from there, and what it gained, (sets,).
    """
    best, best_cost = theta, cost
    diagonal = np.einsum("spp->sp", curvature)
    waiting = np.ones(len(theta), bool)
    now = None
    for _ in range(4):
        damped = curvature + (damping[:, None] * diagonal)[:, :, None] * np.eye(theta.shape[1])
        move = -np.linalg.solve(damped, gradient[:, :, None])[:, :, 0]
        longest = np.max(np.abs(move), axis=1, keepdims=True)
        trial = theta + move * np.minimum(1.0, _LONGEST_MOVE / np.maximum(longest, 1e-12))
        trial = np.where(waiting[:, None], trial, best)
        now = run(problem, trial)
        trial_cost, _ = _cost(problem, trial, now.trail, *usual)
        better = waiting & (trial_cost < best_cost)
        best = np.where(better[:, None], trial, best)
        best_cost = np.where(better, trial_cost, best_cost)
        damping[better] = np.maximum(damping[better] * 0.2, 1e-5)
        waiting &= ~better
        damping[waiting] *= 8.0
        if not waiting.any():
            break
    if now is None or waiting.any():
        now = run(problem, best)
    return best, now, cost - best_cost


def _cost(
    problem: Problem, theta: Array, trail: Trail, sigma: Array, lasting: Array
) -> tuple[Array, Array]:
    """Weigh surprises and belief, shape (sets,), and give the weight of each reading."""
    counted = problem.seen.counts & np.isfinite(trail.surprise_k)
    parts = np.where(counted, np.abs(np.nan_to_num(trail.surprise_k)) / sigma, 0.0)
    tame = np.minimum(parts, _WILD)
    huber = tame * (parts - 0.5 * tame)
    cost = (huber / lasting).sum(axis=(0, 2)) + problem.belief.cost(theta)
    if problem.anchors is not None:
        residual, _ = problem.anchors(theta)
        cost = cost + 0.5 * (residual**2).sum(axis=1)
    shrunk = _WILD / np.maximum(parts, _WILD)
    weights = np.where(counted, shrunk / (sigma**2 * lasting), 0.0)
    return cost, weights


def _summed(
    problem: Problem, theta: Array, now: _Run, weights: Array
) -> tuple[Array, Array, Array]:
    """Add up curvature and gradient, and the scatter of gradients between days."""
    curvature, gradients = normal_equations(problem.seen, now.steps, now.gains, now.trail, weights)
    scatter = np.einsum("dsp,dsq->spq", gradients, gradients)
    belief = problem.belief
    curvature = curvature + belief.precision
    gradient = gradients.sum(axis=0) + np.einsum(
        "spq,sq->sp", belief.precision, theta - belief.mean
    )
    if problem.anchors is not None:
        residual, slope = problem.anchors(theta)
        curvature = curvature + np.swapaxes(slope, 1, 2) @ slope
        gradient = gradient + np.einsum("snp,sn->sp", slope, residual)
    return curvature, gradient, scatter


def usual_surprise(seen: Seen, trail: Trail) -> tuple[Array, Array]:
    """Find how wrong expectations usually are, and how long their errors last.

    Returns: deviation [K] and lasting [steps, 1 or more], both (sets, R).
    """
    counted = seen.counts & np.isfinite(trail.surprise_k)
    surprise = np.where(counted, np.nan_to_num(trail.surprise_k), np.nan)
    enough = counted.sum(axis=0) > 20
    filled = np.where(enough[None], surprise, 0.0)
    sigma = np.maximum(1.4826 * np.nanmedian(np.abs(filled), axis=0), _LEAST_K)
    tame = np.clip(np.nan_to_num(filled), -_WILD * sigma, _WILD * sigma)
    longest = max(2, min(round(24.0 / seen.dt_h), len(tame) // 4))
    power = (tame**2).sum(axis=0) + 1e-12
    lasting, falling = np.ones_like(sigma), np.ones(sigma.shape, bool)
    for lag in range(1, longest):
        share = (tame[lag:] * tame[:-lag]).sum(axis=0) / power
        falling &= share > 0.02
        if not falling.any():
            break
        lasting += np.where(falling, 2.0 * share, 0.0)
    return sigma, lasting
