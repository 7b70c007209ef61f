"""Identification of all rooms together: beliefs and records in, one found house out.

First each room by itself against what the others measured, for every kind of emitter that it could
have; then all of them joined through their structures, from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pems_actors.domain.house import Emitter, HouseModel, RoomModel
from pems_actors.learning.rooms.balance import Means, anchors, losses_kw_k, usual_heat_kw
from pems_actors.learning.rooms.beliefs import (
    GUESSED,
    WRITTEN,
    Firmness,
    cold_room,
    covariance,
    parameters_of,
    precision,
    wet_panel,
)
from pems_actors.learning.rooms.layout import Start, means_of, seen_of
from pems_actors.learning.rooms.network import KINDS, Array, Layout
from pems_actors.learning.rooms.observer import Flags, Noise
from pems_actors.learning.rooms.records import RoomRecords
from pems_actors.learning.rooms.search import Belief, Found, Problem, fair_cost, search
from pems_actors.learning.rooms.windows import strange_hours, without

GAIN_SD, KNOWN_GAIN_SD = 1.5, 1e-3
LINK_KW_K = 0.004
ALONE_SCALE, ALONE_ROUNDS, JOINT_ROUNDS = 0.3, 8, 8
_LIKE_THE_HOUSE = 5.0
_HEAVY = np.array([0.0, 0.0, 0.9, 0.0, -0.5, 0.3, -0.5, 0.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known of the rooms beforehand: models by name, which may lack some; links or None."""

    rooms: Mapping[str, RoomModel]
    links: tuple[tuple[str, str, float], ...] | None = None

    @classmethod
    def of(cls, model: HouseModel) -> Prior:
        """Take a model that somebody wrote down."""
        return cls({room.name: room for room in model.rooms}, model.links)


NOTHING_KNOWN = Prior({})


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The problem of all rooms, and what the rooms are believed to be."""

    problem: Problem
    rooms: tuple[RoomModel, ...]
    firm: Mapping[str, Firmness]


def candidates(records: RoomRecords, prior: Prior) -> list[list[RoomModel]]:
    """Name what each room could be."""
    found = []
    for k, name in enumerate(records.names):
        if name in prior.rooms:
            found.append([prior.rooms[name]])
            continue
        power = _power(records, k) if records.in_kw[k] else 0.0
        guesses = [cold_room(name, emitter, power) for emitter in Emitter]
        found.append([*guesses, wet_panel(guesses[-1])])
        if not records.heated[k]:
            found[-1] = found[-1][:1]
    return found


def _power(records: RoomRecords, k: int) -> float:
    heat = records.heat[:, k]
    return float(np.quantile(heat[heat > 0.0], 0.95)) if records.heated[k] else 0.0


def _gain_start(records: RoomRecords, k: int, room: RoomModel, means: Means) -> float:
    """Guess the unknown unit of heat: so that the room's believed loss is paid."""
    mean = float(records.heat[:, k].mean())
    if records.in_kw[k] or mean <= 0.0:
        return 0.0
    theta = parameters_of([room])[None]
    loss = float(losses_kw_k(Layout(1), theta)[0, 0])
    drop = float(means.air_c[0, k] - means.outdoor_c[0, 0])
    return float(np.log(max(loss * max(drop, 2.0), 0.02) / mean))


def _with_gain(rows: Array, starts: Sequence[float]) -> Array:
    rows = rows.copy()
    rows[:, KINDS - 1] = starts
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """Rooms looked at by themselves.

    `rooms` is what each is believed to be, emitter included; theta (R, 10); strange (T, R) flags
    hours that fit no model.
    """

    rooms: tuple[RoomModel, ...]
    theta: Array
    strange: Flags


def alone(records: RoomRecords, prior: Prior) -> Alone:
    """Look at each room by itself, against what the others measured."""
    options = candidates(records, prior)
    means = means_of(records)
    sets = [
        (k, room, heavy) for k, rooms in enumerate(options) for room in rooms for heavy in (0, 1)
    ]
    layout = Layout(1, rest=len(records.names) > 1, blinds=records.shade is not None)
    which = [k for k, _, _ in sets]
    starts = [_gain_start(records, k, room, means) for k, room, _ in sets]
    mean = _with_gain(np.array([parameters_of([room]) for _, room, _ in sets]), starts)
    firm = {n: WRITTEN if n in prior.rooms else GUESSED for n in records.names}
    inverse = np.zeros((len(sets), layout.count, layout.count))
    for s, (k, room, _) in enumerate(sets):
        sd = KNOWN_GAIN_SD if records.in_kw[k] else GAIN_SD
        inverse[s, :KINDS, :KINDS] = np.linalg.inv(covariance(room, firm[room.name], sd))
    if layout.rest:
        mean = np.concatenate([mean, np.full((len(sets), 1), np.log(0.02))], axis=1)
        inverse[:, KINDS, KINDS] = 1.0 / 1.0**2
    theta = mean.copy()
    theta[:, :KINDS] += np.array([heavy * _HEAVY for _, _, heavy in sets])
    problem = _problem(records, layout, Belief(mean, inverse), ALONE_SCALE, which)
    found = search(problem, theta, ALONE_ROUNDS)
    strange = strange_hours(found.trail.surprise_k, found.sigma_k, records.step_h)
    problem = replace(problem, seen=without(problem.seen, strange))
    found = search(problem, found.theta, ALONE_ROUNDS)
    best = _best_of_each(problem, found, which, [room.emitter for _, room, _ in sets])
    rooms = tuple(sets[s][1] for s in best)
    return Alone(rooms, found.theta[best, :KINDS], strange[:, best, 0])


def _best_of_each(
    problem: Problem, found: Found, which: Sequence[int], emitters: Sequence[Emitter]
) -> list[int]:
    """Choose between what a room could be, all weighed by the errors of the one that errs least.

    Then once more, leaning towards what most of the house has.
    """
    room, panel = np.array(which), np.array([each is Emitter.PANEL for each in emitters])
    like = np.empty(len(room), int)
    for k in np.unique(room):
        own = np.flatnonzero(room == k)
        like[own] = own[np.argmin(found.sigma_k[own, 0] * np.sqrt(found.lasting[own, 0]))]
    cost = fair_cost(problem, found, like)

    def cheapest(cost: Array) -> list[int]:
        return [
            min(np.flatnonzero(room == k).tolist(), key=cost.__getitem__) for k in np.unique(room)
        ]

    first = panel[cheapest(cost)]
    share = (first.sum() + 0.5) / (len(first) + 1.0)
    return cheapest(cost - _LIKE_THE_HOUSE * np.log(np.where(panel, share, 1.0 - share)))


def _problem(
    records: RoomRecords,
    layout: Layout,
    belief: Belief,
    scale: float,
    which: Sequence[int] | None = None,
) -> Problem:
    seen = seen_of(records, layout, alone=which)
    means = means_of(records, alone=which)
    loss = losses_kw_k(layout, belief.mean)
    noise = Noise(np.full(loss.shape, scale), 2.0 * loss)
    balance = anchors(layout, means, usual_heat_kw(loss, means))
    return Problem(layout, seen, belief, noise, Start(layout, seen), balance)


def joined(
    records: RoomRecords,
    prior: Prior,
    rooms: Sequence[RoomModel],
    links: Sequence[tuple[int, int, float]],
    scale: float,
) -> Joint:
    """Set the problem of all rooms up."""
    pairs = tuple((a, b) for a, b, _ in links)
    layout = Layout(len(rooms), pairs, blinds=records.shade is not None)
    firm = {n: WRITTEN if n in prior.rooms else GUESSED for n in records.names}
    mean = parameters_of(rooms, [g for _, _, g in links])
    means = means_of(records)
    for k, room in enumerate(rooms):
        mean[layout.index(k, "heat_gain")] = _gain_start(records, k, room, means)
    sds = [KNOWN_GAIN_SD if known else GAIN_SD for known in records.in_kw]
    inverse = precision(rooms, firm, len(links), sds)
    belief = Belief(mean[None], inverse[None])
    return Joint(_problem(records, layout, belief, scale), tuple(rooms), firm)


def links_of(records: RoomRecords, prior: Prior) -> list[tuple[int, int, float]]:
    """Name the links to begin with: those written down, or all that could be."""
    row = {name: k for k, name in enumerate(records.names)}
    if prior.links is not None:
        return [(row[a], row[b], g) for a, b, g in prior.links if a in row and b in row]
    return [(a, b, LINK_KW_K) for a, b in combinations(range(len(records.names)), 2)]


def together(joint: Joint, begin: Array, rounds: int = JOINT_ROUNDS) -> Found:
    """Identify all rooms together, from parameters of all, or of each room by itself (R, 10)."""
    theta = joint.problem.belief.mean.copy()
    theta[0, : begin.size] = begin.ravel()
    return search(joint.problem, theta, rounds)
