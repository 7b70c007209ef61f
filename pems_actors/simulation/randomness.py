"""Seeded randomness that can be asked for any instant, in any order, with the same answer.

A simulation that restarts from a snapshot, or a forecast that is issued twice, must meet the same
noise again; a generator that is drawn from in turn could not promise that.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_BLOCK = 64


def generator(seed: int, stream: str, block: int) -> np.random.Generator:
    """Make the generator of one block of one stream; equal arguments, equal numbers."""
    name = int.from_bytes(stream.encode()[:12].ljust(12, b"\0"), "big")
    return np.random.default_rng([seed % 2**63, name, block % 2**63])


def smooth_noise(seed: int, stream: str, at_s: Array, knot_s: float) -> Array:
    """Draw a standard normal process that changes over about `knot_s`.

    Independent normals at knots, joined so that the variance stays 1 between them.

    Args:
        at_s: instants, shape (n,).    knot_s: distance of knots [s].
    Returns: values, shape (n,).
    """
    place = np.asarray(at_s, float) / knot_s
    left = np.floor(place).astype(int)
    first, last = int(left.min()), int(left.max()) + 1
    blocks = [_normals(seed, stream, k) for k in range(first // _BLOCK, last // _BLOCK + 1)]
    knots = np.concatenate(blocks)
    start = left - first // _BLOCK * _BLOCK
    weight = place - left
    mixed = (1.0 - weight) * knots[start] + weight * knots[start + 1]
    return np.asarray(mixed / np.hypot(1.0 - weight, weight))


@lru_cache(maxsize=512)
def _normals(seed: int, stream: str, block: int) -> Array:
    return generator(seed, stream, block).standard_normal(_BLOCK)
