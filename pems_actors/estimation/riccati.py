"""The steady gain of many small Kalman filters at once. Plain linear algebra, knows no rooms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_DOUBLINGS = 40
_TOLERANCE = 1e-10


def steady_gain(transition: Array, noise: Array, *, observed: int, sensor_variance: float) -> Array:
    """Find how much of a surprise each state takes once the filter has settled.

    Doubling: each round looks twice as far back, so that months of minutes take twenty rounds.

    Args:
        transition: one step of each filter, shape (filters, n, n), stable.
        noise: covariance added in one step, shape (filters, n, n), positive definite.
        observed: index of the state that is measured.
        sensor_variance: variance of one measurement.
    Returns: gains, shape (filters, n).
    Source: Anderson 1978, doi:10.1080/00207177808922455 (structure-preserving doubling).
    """
    size = transition.shape[-1]
    unit = np.eye(size)
    a = np.swapaxes(transition, -1, -2).copy()
    g = np.zeros_like(a)
    g[:, observed, observed] = 1.0 / sensor_variance
    h = noise.copy()
    for _ in range(_DOUBLINGS):
        inner = np.linalg.inv(unit + g @ h)
        at = np.swapaxes(a, -1, -2)
        more = at @ h @ inner @ a
        g = g + a @ inner @ g @ at
        a = a @ inner @ a
        h = h + more
        if np.max(np.abs(more)) <= _TOLERANCE * np.max(np.abs(h)):
            break
    covariance = h[:, :, observed]
    return np.asarray(covariance / (covariance[:, observed, None] + sensor_variance))
