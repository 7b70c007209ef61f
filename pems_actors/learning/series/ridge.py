"""Ridge regression of whole vectors, its strength chosen by leaving out each day once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)


@dataclass(frozen=True, slots=True, eq=False)
class Ridge:
    """A fitted linear map from inputs (k,) to outputs (m,)."""

    centre: Array
    scale: Array
    slopes: Array
    middle: Array
    strength: float

    @classmethod
    def fit(cls, inputs: Array, outputs: Array, weights: Array | None = None) -> Ridge:
        """Learn from rows.

        Args:
            inputs: shape (n, k), finite.    outputs: shape (n, m), finite.
            weights: how much a row counts, shape (n,).
        Source: the errors of leaving one out from one decomposition, Golub et al. 1979,
            doi:10.1080/00401706.1979.10489751.
        """
        weight = np.ones(len(inputs)) if weights is None else weights
        centre = np.average(inputs, axis=0, weights=weight)
        scale = np.sqrt(np.average((inputs - centre) ** 2, axis=0, weights=weight))
        scale = np.where(scale > 1e-9 * (1.0 + np.abs(centre)), scale, np.inf)
        middle = np.average(outputs, axis=0, weights=weight)
        root = np.sqrt(weight)[:, None]
        z, y = root * (inputs - centre) / scale, root * (outputs - middle)
        u, s, vt = np.linalg.svd(z, full_matrices=False)
        uy = u.T @ y
        best, strength = np.inf, STRENGTHS[-1]
        for lam in STRENGTHS:
            shrunk = s**2 / (s**2 + lam)
            held = np.clip(1.0 - (u**2 @ shrunk), 0.05, 1.0)[:, None]
            error = float((((y - u @ (shrunk[:, None] * uy)) / held) ** 2).mean())
            if error < best:
                best, strength = error, lam
        slopes = vt.T @ ((s / (s**2 + strength))[:, None] * uy)
        return cls(centre, scale, slopes, middle, strength)

    def predict(self, inputs: Array) -> Array:
        """Give the outputs, shape (n, m)."""
        return np.asarray(((inputs - self.centre) / self.scale) @ self.slopes + self.middle)
