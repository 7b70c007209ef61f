"""Rooms running free: what they would do from an instant on under given heat and weather.

No temperature is heard after the start. Hidden masses and the slow disturbance start as the
observer left them. Knows parameters as vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pems_actors.learning.rooms.network import Array, exact_steps
from pems_actors.learning.rooms.observer import Trail, keeps_of
from pems_actors.learning.rooms.search import Problem, run
from pems_actors.learning.rooms.windows import strange_hours, without


def trail_of(problem: Problem, theta: Array) -> Trail:
    """Run the observer through all that was seen."""
    return run(problem, theta).trail


def watchful(problem: Problem, theta: Array, sigma_k: Array, begin: int) -> Trail:
    """Run the observer; from row `begin` on strange hours are only followed, as they are noticed.

    sigma_k: usual surprises, (R,).
    """
    surprise = trail_of(problem, theta).surprise_k
    strange = strange_hours(surprise, sigma_k[None], problem.seen.dt_h, hindsight=False)
    strange[:begin] = False
    if not strange.any():
        return trail_of(problem, theta)
    return trail_of(replace(problem, seen=without(problem.seen, strange)), theta)


def running_free(
    problem: Problem, theta: Array, trail: Trail, starts: Sequence[int], steps: int
) -> Array:
    """Let rooms run free from several instants at once, of one set of parameters.

    Args:
        trail: from `trail_of` of the same problem.    starts: rows whose reading is the last heard.
        steps: how far; inputs must reach as far.
    Returns: air temperatures after each step, (starts, steps, R) [°C].
    """
    exact = run_steps(problem, theta)
    r = problem.layout.rooms
    rows = np.asarray(starts)
    x = trail.states[rows, 0].T
    air = np.empty((len(rows), steps, r))
    for k in range(steps):
        x = exact[0] @ x + exact[1] @ problem.seen.inputs[rows + k, 0].T
        air[:, k] = x[r : 2 * r].T
    return air


def run_steps(problem: Problem, theta: Array) -> tuple[Array, Array]:
    """Give the exact step of one set of parameters: (4R, 4R) and (4R, inputs)."""
    steps = exact_steps(problem.layout, theta, problem.seen.dt_h, keeps_of(problem.seen.dt_h))
    return steps.a[0], steps.b[0]


def rmse_k(told: Array, air_c: Array, starts: Sequence[int]) -> Array:
    """Compare paths with what was measured, (R,) [K]; NaN for a room that said nothing."""
    steps = told.shape[1]
    rows = np.asarray(starts)[:, None] + 1 + np.arange(steps)[None, :]
    wrong = told - air_c[rows]
    known = np.isfinite(wrong)
    squares = np.where(known, np.nan_to_num(wrong) ** 2, 0.0).sum(axis=(0, 1))
    count = known.sum(axis=(0, 1))
    return np.where(count > 0, np.sqrt(squares / np.maximum(count, 1)), np.nan)
