"""Rooms by their modes: each room's screed, air and structure as three decaying temperatures.

In these coordinates a stage of any length is exact and diagonal, so the sparse program stays
sparse. Modes that are gone within a slot (the body of a panel) are no states of it: what the
weather does to them is known beforehand, and what relays do to them is a short echo of their last
duties. The air over a slow floor is a state: by echoes plans cost up to 1.4 percent more (2026-11,
measured against branch and bound). In simulation neighbours act on a structure with the mean of
what they are at both ends of a stage; what the program makes of them is told in `neighbours`.

This is the planner's own reading of a `HouseModel`; the validator reads it another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import Emitter, HouseModel, Relay
from pems_actors.domain.plan import RoomThermalState
from pems_actors.optimisation.grid import Array, Stages

REFERENCE_C = 20.0  # temperatures inside the program are kelvins above this: small numbers
SCREED, AIR, STRUCTURE = 0, 1, 2
_FAST_MODE_H = 0.15
_TAIL_FRAC = 0.05  # of an echo: the rest counts with the oldest duty kept


@dataclass(frozen=True, slots=True, eq=False)
class Rooms:
    """All rooms in modal form. R rooms, three modes each, slowest first.

    `to_node[r, node, mode]` maps modes to node temperatures, `from_node` back; `drive[r, mode,
    node]` is the rise of a mode per kWh into a node; `rate_per_h[r, mode]` its decay. `kept` marks
    the modes that are states of the program. `links[r, q]` is the conductance between structures.
    """

    names: tuple[str, ...]
    to_node: Array
    from_node: Array
    drive: Array
    rate_per_h: Array
    kept: NDArray[np.bool_]
    links: Array
    outdoor_kw_k: Array  # (R, nodes)
    solar_kw_per_w_m2: Array  # (R, nodes)
    internal_kw: Array
    capacity_kwh_k: Array  # (R, nodes)
    floor: NDArray[np.bool_]
    g_screed_air: Array
    g_air_structure: Array

    def decay(self, hours: Array) -> tuple[Array, Array]:
        """Decay factors and drive durations of every mode over stages, each (K, R, 3)."""
        x = hours[:, None, None] * self.rate_per_h
        left = np.exp(-x)
        slow = np.where(x > 1e-9, x, 1.0)
        lasting = np.where(x > 1e-9, -np.expm1(-x) / slow, 1.0)
        return left, lasting * hours[:, None, None]

    def modes_of(self, states: Mapping[str, RoomThermalState]) -> Array:
        """Turn the state of all rooms into modes, shape (R, 3)."""
        nodes = np.array(
            [
                (states[name].screed_c, states[name].air_c, states[name].structure_c)
                for name in self.names
            ]
        )
        return np.asarray(np.einsum("rmn,rn->rm", self.from_node, nodes - REFERENCE_C))

    def known_input_kw(self, stages: Stages, disturbance_kw: Array) -> Array:
        """Heat that enters each node without our doing, neighbours excepted, (K, R, 3) [kW]."""
        heat = (stages.outdoor_c - REFERENCE_C)[:, None, None] * self.outdoor_kw_k
        heat = heat + stages.ghi_w_m2[:, None, None] * self.solar_kw_per_w_m2
        heat[:, :, AIR] += self.internal_kw + disturbance_kw
        return heat


def emission(relays: tuple[Relay, ...], names: tuple[str, ...]) -> Array:
    """Share matrix: kW into each room's emitter per kW of each relay, shape (relays, rooms)."""
    shares = np.zeros((len(relays), len(names)))
    for m, relay in enumerate(relays):
        for name, share in relay.members:
            shares[m, names.index(name)] += share
    return shares


@lru_cache(maxsize=8)
def rooms_of(model: HouseModel, *, exact: bool = False) -> Rooms:
    """Diagonalise every room of a model (cached: parameters change once a day at most).

    Args:
        exact: keep every mode as a state of the program; twice the time, for comparisons.
    """
    names = tuple(room.name for room in model.rooms)
    capacity = np.array(
        [(r.c_screed_kwh_k, r.c_air_kwh_k, r.c_structure_kwh_k) for r in model.rooms]
    )
    links = np.zeros((len(names), len(names)))
    for a, b, g in model.links:
        links[names.index(a), names.index(b)] += g
        links[names.index(b), names.index(a)] += g
    outdoor = np.array(
        [(0.0, r.g_air_outdoor_kw_k, r.g_structure_outdoor_kw_k) for r in model.rooms]
    )
    root = np.sqrt(capacity)
    loss = _losses(model, outdoor, links) / (root[:, :, None] * root[:, None, :])
    rate, vectors = np.linalg.eigh(loss)
    total = np.sqrt(capacity.sum(axis=1))
    floor = np.array([room.emitter is Emitter.FLOOR for room in model.rooms])
    turned = vectors.transpose(0, 2, 1)
    return Rooms(
        names=names,
        to_node=vectors / root[:, :, None] * total[:, None, None],
        from_node=turned * root[:, None, :] / total[:, None, None],
        drive=turned / root[:, None, :] / total[:, None, None],
        rate_per_h=np.maximum(rate, 0.0),
        kept=(rate * _FAST_MODE_H < 1.0) | exact,
        links=links,
        outdoor_kw_k=outdoor,
        solar_kw_per_w_m2=np.array(
            [(0.0, r.solar_m2 / 2e3, r.solar_m2 / 2e3) for r in model.rooms]
        ),
        internal_kw=np.array([r.internal_kw for r in model.rooms]),
        capacity_kwh_k=capacity,
        floor=floor,
        g_screed_air=np.array([r.g_screed_air_kw_k for r in model.rooms]),
        g_air_structure=np.array([r.g_air_structure_kw_k for r in model.rooms]),
    )


def _losses(model: HouseModel, outdoor: Array, links: Array) -> Array:
    """Conductance matrices of all rooms, (R, 3, 3): symmetric, positive semi-definite [kW/K]."""
    floor_air = np.array([r.g_screed_air_kw_k for r in model.rooms])
    air_wall = np.array([r.g_air_structure_kw_k for r in model.rooms])
    loss = np.zeros((len(model.rooms), 3, 3))
    for a, b, g in ((SCREED, AIR, floor_air), (AIR, STRUCTURE, air_wall)):
        loss[:, a, a] += g
        loss[:, b, b] += g
        loss[:, a, b] -= g
        loss[:, b, a] -= g
    diagonal = np.arange(3)
    loss[:, diagonal, diagonal] += outdoor
    loss[:, STRUCTURE, STRUCTURE] += links.sum(axis=1)
    return loss


@dataclass(frozen=True, slots=True)
class Weather:
    """What will happen to the rooms' modes anyway, over the stages of one problem.

    `hours` are the stages' lengths. `push[k, r, mode]` is the rise of a mode in stage k from known
    heat, `left` and `lasting` its decay and drive duration; `fast_c[k, r, node]` is the part of
    each node's temperature at the end of stage k that lives in dropped modes, without the relays'
    doing.
    """

    hours: Array
    first: Array
    left: Array
    lasting: Array
    push: Array
    fast_c: Array


def weather_of(rooms: Rooms, stages: Stages, first: Array, disturbance_kw: Array) -> Weather:
    """Prepare the known inputs of all rooms for one problem; `first` are the modes now (R, 3)."""
    left, lasting = rooms.decay(stages.hours)
    heat = rooms.known_input_kw(stages, disturbance_kw)
    push = lasting * np.einsum("rmn,krn->krm", rooms.drive, heat)
    fast = np.zeros_like(push)
    if not rooms.kept.all():
        neighbours = rooms.links @ np.einsum("rm,rm->r", rooms.to_node[:, STRUCTURE], first)
        frozen = lasting * (rooms.drive[:, :, STRUCTURE] * neighbours[:, None])
        dropped = ~rooms.kept
        mode, fading, pushed = first[dropped], left[:, dropped], (push + frozen)[:, dropped]
        for k in range(len(stages)):
            fast[k, dropped] = mode = fading[k] * mode + pushed[k]
    fast_c = np.einsum("rnm,krm->krn", rooms.to_node, fast)
    return Weather(stages.hours, first, left, lasting, push, fast_c)


def simulate(rooms: Rooms, weather: Weather, emitted_kw: Array) -> Array:
    """Run all modes, fast ones too, under given emitter powers.

    Args:
        emitted_kw: heat into every room's emitter for the first K stages, (K, R) [kW].
    Returns: node temperatures at stage ends, (K, R, 3) [°C].
    """
    stages = len(emitted_kw)
    push = weather.push[:stages] + weather.lasting[:stages] * (
        rooms.drive[None, :, :, SCREED] * emitted_kw[:, :, None]
    )
    modes = push.reshape(stages, -1)
    hours, now = weather.hours[:stages], weather.first.ravel()
    steps = {length: _step(rooms, length) for length in set(hours.tolist())}
    for length, step in steps.items():
        modes[hours == length] @= step.pushed.T
    for k, length in enumerate(hours.tolist()):
        now = modes[k] = modes[k] + steps[length].kept @ now
    node = np.einsum("rnm,krm->krn", rooms.to_node, modes.reshape(push.shape))
    return np.asarray(node + REFERENCE_C)


class _Step(NamedTuple):
    """What a stage makes of the modes before it, and of what pushes them, each (3R, 3R)."""

    kept: Array
    pushed: Array


@lru_cache(maxsize=64)
def _step(rooms: Rooms, hours: float) -> _Step:
    """Couple the modes of all rooms over one stage by the mean of what neighbours are."""
    left, lasting = (each[0] for each in rooms.decay(np.array([hours])))
    seen, felt = rooms.to_node[:, STRUCTURE], lasting * rooms.drive[:, :, STRUCTURE]
    drawn = np.einsum("rm,rq,qn->rmqn", felt, rooms.links, seen).reshape(left.size, -1)
    alone, same = np.diag(left.ravel()), np.eye(left.size)
    return _Step(alone + 0.5 * drawn @ (same + alone + drawn), same + 0.5 * drawn)


@dataclass(frozen=True, slots=True)
class Echo:
    """What duties of a stage and of a few before do to nodes at its end, through dropped modes.

    `stage` and `source` are stage numbers of every pair that counts (n,); `gain_k_per_kw[n, r,
    node]` is the rise of each node at the end of `stage` per kW emitted in `source`.
    """

    stage: NDArray[np.intp]
    source: NDArray[np.intp]
    gain_k_per_kw: Array


def echo_of(rooms: Rooms, weather: Weather) -> Echo:
    """Shorten the answer of dropped modes: once it has faded, older duties count as the last.

    With a constant duty the sum is exact, and so it is near the start of the horizon.
    """
    dropped = ~rooms.kept
    if not dropped.any():
        return Echo(np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, len(rooms.names), 3)))
    drive = np.where(dropped, rooms.drive[:, :, SCREED], 0.0)
    rate = np.where(dropped, rooms.rate_per_h, 1.0)
    slowest = np.where(dropped, weather.left, 0.0).max(axis=(1, 2))
    stages, sources, gains = [], [], []
    for k in range(len(weather.left)):
        remaining, faded, j = np.ones_like(drive), 1.0, k
        while True:
            gain = remaining * weather.lasting[j] * drive
            remaining, faded = remaining * weather.left[j], faded * slowest[j]
            last = faded < _TAIL_FRAC or j == 0
            if last and j > 0:
                gain = gain + remaining * drive / rate
            stages.append(k)
            sources.append(j)
            gains.append(gain)
            if last:
                break
            j -= 1
    per_node = np.einsum("rnm,prm->prn", rooms.to_node, np.array(gains))
    return Echo(np.array(stages), np.array(sources), per_node)
