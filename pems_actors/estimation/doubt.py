"""How unsure a belief is of each room's screed, air, structure and disturbance.

One covariance per room, neighbours taken as known. At first much is unsure, and a surprise moves
what was only guessed; after a day or two the doubt has settled, and surprises move little. A room
that says nothing only grows more doubtful. Plain linear algebra: it knows no readings.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

AIR, DISTURBANCE = 1, 3
_SCREED_K, _AIR_K, _STRUCTURE_K = 0.5, 0.15, 0.5
_USUAL_K = 1.0  # people, devices and draughts: like this much more temperature difference
_LOSS_FRAC = 0.15  # losses on paper are wrong by about this much


def first_doubt(air_c: Array, outdoor_c: float, loss_kw_k: Array, g_screed_kw_k: Array) -> Array:
    """Doubt a belief that was only guessed: rooms held steadily at what they say.

    A room that loses more than on paper has a warmer screed, so the two go together.

    Args:
        air_c: air of each room, shape (R,).    outdoor_c: outdoors.
        loss_kw_k: loss of each room on paper.    g_screed_kw_k: conductance from screed to air.
    Returns: covariances, shape (R, 4, 4).
    """
    unsure_kw = loss_kw_k * (_USUAL_K + _LOSS_FRAC * np.abs(air_c - outdoor_c))
    together = np.zeros((len(air_c), 4))
    together[:, 0], together[:, DISTURBANCE] = -unsure_kw / g_screed_kw_k, unsure_kw
    doubt = together[:, :, None] * together[:, None, :]
    alone = np.array([_SCREED_K, _AIR_K, _STRUCTURE_K]) ** 2
    doubt[:, range(3), range(3)] += alone
    return np.asarray(doubt)


def doubt_after(doubt: Array, transition: Array, noise: Array) -> Array:
    """Carry doubts through one step: shapes (R, 4, 4) all three."""
    return np.asarray(transition @ doubt @ transition.transpose(0, 2, 1) + noise)


def corrected(
    doubt: Array, sensor_k2: float, heard: npt.NDArray[np.bool_], learning: Array | None
) -> tuple[Array, Array]:
    """Find how a surprise in the air moves each state, and what doubt is left.

    Args:
        doubt: (R, 4, 4).    sensor_k2: variance of a reading.    heard: rooms that said something.
        learning: 0 for rooms whose disturbance is not to learn, 1 for the others; None: all learn.
    Returns: gains (4, R), and covariances (R, 4, 4), in Joseph's form: right for any gain.
    """
    gain = doubt[:, :, AIR] / (doubt[:, AIR, AIR, None] + sensor_k2)
    gain *= heard[:, None]
    if learning is not None:
        gain[:, DISTURBANCE] *= learning
    keep = np.broadcast_to(np.eye(4), doubt.shape).copy()
    keep[:, :, AIR] -= gain
    left = keep @ doubt @ keep.transpose(0, 2, 1)
    left += sensor_k2 * gain[:, :, None] * gain[:, None, :]
    return gain.T, np.asarray(left)
