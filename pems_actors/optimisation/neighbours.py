"""What rooms feel of their neighbours: as it is to be expected, and as the plan changes it.

Expected are structures of rooms that get the heat which keeps them at the low edge of their band,
or as much of it as there is. By how much a plan makes them warmer is looked at in spells of time
and in a few views: their mean, weighed so that no heat is lost between rooms, and the patterns in
which rooms differ most for their neighbours. So the program nearly falls apart into rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.grid import Array, Stages
from pems_actors.optimisation.thermal import AIR, REFERENCE_C, STRUCTURE, Rooms, Weather

_SPELLS_H = (2.0, 4.0, 7.0, 10.0, 13.0, 16.0, 20.0, 24.0, 34.0)  # when the next one begins
_PATTERNS = 3  # with two, air strays four times as far in the cold (2026-11, measured)
_WEAK_KW_K = 1e-6  # patterns that hardly anybody feels
_NOTHING = 1e-9


class Heating(NamedTuple):
    """The most heat that each room can get, (R,), and that all can get together, (K,) [kW]."""

    room_kw: Array
    house_kw: Array


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How rooms see each other's structures. K stages, R rooms, V views.

    `expected_kw[k, r]` is what neighbours give room r in stage k, its own structure at the
    reference; `expected_k[k, r]` each structure at the stage's end, above the reference. `spell`
    numbers the spells of time, (K,); `look[v, q]` is what view v reads of structure q, `feel[r, v]`
    what room r feels of it [kW/K].
    """

    expected_kw: Array
    expected_k: Array
    spell: NDArray[np.intp]
    look: Array
    feel: Array

    @property
    def middle(self) -> NDArray[np.intp]:
        """Give the stage whose end stands for each spell but the first, (spells - 1,)."""
        return np.asarray(np.nonzero(np.diff(self.spell))[0] + np.bincount(self.spell)[1:] // 2)


def neighbours_of(
    rooms: Rooms, weather: Weather, stages: Stages, heating: Heating, *, exact: bool = False
) -> Neighbours:
    """Expect what every room feels of its neighbours, and choose how changes of it are seen.

    Args:
        exact: each room sees its own neighbours in every stage.
    """
    structure = _kept_warm(rooms, weather, stages.low_c - REFERENCE_C, heating)
    given_kw = 0.5 * (structure[1:] + structure[:-1]) @ rooms.links
    look, feel = (rooms.links, np.eye(len(rooms.links))) if exact else _views(rooms.links)
    return Neighbours(given_kw, structure[1:], _spells(rooms, stages, exact), look, feel)


def _spells(rooms: Rooms, stages: Stages, exact: bool) -> NDArray[np.intp]:
    if not rooms.links.any():
        return np.zeros(len(stages), dtype=np.intp)
    if exact:
        return np.arange(len(stages))
    passed_h = (stages.start_s - stages.start_s[0]) / HOUR_S
    number = np.searchsorted(_SPELLS_H, passed_h, side="right")
    return np.concatenate([[0], np.cumsum(np.diff(number) > 0)])


def _views(links: Array) -> tuple[Array, Array]:
    """Write conductances between structures as few views: `feel @ look` is nearly `links`."""
    felt = links.sum(axis=1)
    mean = felt / max(float(felt.sum()), _NOTHING)
    strength, patterns = np.linalg.eigh(links - np.outer(felt, mean))
    strongest = np.argsort(-np.abs(strength), kind="stable")[:_PATTERNS]
    strongest = strongest[np.abs(strength[strongest]) > _WEAK_KW_K]
    look = np.vstack([mean, patterns.T[strongest]])
    feel = np.column_stack([felt, patterns[:, strongest] * strength[strongest]])
    return look, feel


def _kept_warm(rooms: Rooms, weather: Weather, low_k: Array, heating: Heating) -> Array:
    """Run the house with just the heat in its air that keeps it at a low edge.

    Returns: structures now and at stage ends, (K + 1, R) [K above the reference].
    """
    seen, air = rooms.to_node[:, STRUCTURE], rooms.to_node[:, AIR]
    heats = weather.lasting * rooms.drive[:, :, AIR]
    answer = np.maximum((air * heats).sum(axis=2), _NOTHING)
    felt = weather.lasting * rooms.drive[:, :, STRUCTURE]
    now = weather.first
    structure = np.empty((len(low_k) + 1, len(air)))
    structure[0] = (seen * now).sum(axis=1)
    for k, low in enumerate(low_k):
        drawn = rooms.links @ structure[k]
        now = weather.left[k] * now + weather.push[k] + felt[k] * drawn[:, None]
        short_k = low - (air * now).sum(axis=1)
        heat_kw = np.clip(short_k / answer[k], 0.0, heating.room_kw)
        heat_kw *= min(1.0, float(heating.house_kw[k]) / max(float(heat_kw.sum()), _NOTHING))
        now = now + heats[k] * heat_kw[:, None]
        structure[k + 1] = (seen * now).sum(axis=1)
    return structure
