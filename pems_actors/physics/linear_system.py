"""Exact time steps of a network of masses and conductances.

`mass · dx/dt = -stiffness · x + input`, both matrices symmetric: every thermal network is of this
kind. One symmetric eigenproblem then serves every step length, without Padé series and without
scipy. Knows nothing of rooms.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pems_actors.domain.units import HOUR_S

Array = npt.NDArray[np.float64]


class LinearSystem:
    """A symmetric first-order system that can be advanced by any time exactly."""

    def __init__(self, mass: Array, stiffness: Array) -> None:
        """Diagonalise once.

        Args:
            mass: heat capacities, symmetric, positive definite, shape (n, n) [kWh/K].
            stiffness: conductances, symmetric, positive semidefinite, shape (n, n) [kW/K].
        Raises: ValueError if `mass` is not positive definite.
        """
        shape = np.shape(mass)
        self._rates_per_h, self._to_state, self._from_state = _modes(
            np.asarray(mass, float).tobytes(), np.asarray(stiffness, float).tobytes(), shape
        )

    @property
    def time_constants_h(self) -> Array:
        """Time constants of the modes, slowest first [h]; infinite where nothing is lost."""
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 / self._rates_per_h)

    def transition(self, dt_s: float) -> tuple[Array, Array]:
        """Give the step `x(t + dt) = a @ x(t) + b @ input` for an input held constant.

        Args:
            dt_s: step [s], above 0.
        Returns: a, shape (n, n), and b, shape (n, n) [K per kW].
        """
        dt_h = dt_s / HOUR_S
        decay = np.exp(-self._rates_per_h * dt_h)
        safe = np.where(self._rates_per_h > 0.0, self._rates_per_h, 1.0)
        gain = np.where(self._rates_per_h > 0.0, -np.expm1(-safe * dt_h) / safe, dt_h)
        a = self._to_state @ (decay[:, None] * self._from_state)
        b = self._to_state @ (gain[:, None] * self._to_state.T)
        return a, b


@lru_cache(maxsize=8)
def _modes(mass: bytes, stiffness: bytes, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Diagonalise; several actors of one house need the same network, and nobody writes into it.

    Returns: rates per hour, the way from modes to the state, and the way back.
    """
    try:
        lower = np.linalg.cholesky(np.frombuffer(mass).reshape(shape))
    except np.linalg.LinAlgError as error:
        raise ValueError("every heat capacity must be above 0 kWh/K") from error
    inverse = np.linalg.inv(lower)
    rates, modes = np.linalg.eigh(inverse @ np.frombuffer(stiffness).reshape(shape) @ inverse.T)
    found = np.maximum(rates, 0.0), inverse.T @ modes, modes.T @ lower.T
    for each in found:
        each.flags.writeable = False
    return found
