"""From records of rooms to one house: identified, tested on days it had not seen, and told.

The last quarter of the days is held back first; what was found without it is tested on it, against
the last value and yesterday's curve, and how lively the observer should be is chosen before. Then
all days are used. With too little of them the belief serves, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pems_actors.domain.house import HouseModel, RoomModel
from pems_actors.learning.rooms import rivals
from pems_actors.learning.rooms.ahead import rmse_k, running_free, trail_of, watchful
from pems_actors.learning.rooms.beliefs import house_model
from pems_actors.learning.rooms.house import (
    NOTHING_KNOWN,
    Joint,
    Prior,
    alone,
    candidates,
    joined,
    links_of,
    together,
)
from pems_actors.learning.rooms.network import KINDS, Array, Layout
from pems_actors.learning.rooms.observer import Flags
from pems_actors.learning.rooms.records import RoomRecords
from pems_actors.learning.rooms.search import Found, Problem, usual_surprise
from pems_actors.learning.rooms.windows import strange_hours

Link = tuple[int, int, float]

LEAST_DAYS, LEAST_TESTED_DAYS = 2.0, 6.0
MOST_DAYS = 120.0
SCALES = (0.1, 0.3, 1.0, 3.0)
FIT_SCALE = 0.3
_AS_GOOD = 1.05  # a livelier observer forgives more: it is taken while it costs no more than this
_HELD_FRAC = 0.25
_FAR_WORSE = 1.25
_WHITE = 1.5  # surprises that last less than so many steps last not at all
_DOUBTFUL = 12.0  # cost of a room's belief beyond which it is begun afresh once
_LEAST_LINK = 0.0015


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Errors over 24 h on days held back, per room [K]: ours, the floor's, and how many days.

    believed_k (R,) is what the house as it was believed would have told on the same days; daily_k
    (days, R) is ours day by day, for days that begin at `starts_s`.
    """

    ours_k: Array
    floor_k: Array
    days: int
    believed_k: Array
    daily_k: Array
    starts_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RoomsFound:
    """The house as identified.

    theta (count,) and its covariance follow `layout`; `believed` and its covariance are what was
    believed before; scale (R,) is how lively the observer is, sigma_k (R,) a usual surprise;
    strange_h (R,) are hours left out because no model tells them.
    """

    names: tuple[str, ...]
    rooms: tuple[RoomModel, ...]
    layout: Layout
    prior: Prior
    theta: Array
    covariance: Array
    believed: Array
    believed_covariance: Array
    scale: Array
    sigma_k: Array
    strange_h: Array
    days: float
    tested: Tested | None
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> HouseModel:
        """The one house for planner, path and validator."""
        emitters = [room.emitter for room in self.rooms]
        return house_model(self.names, emitters, self.layout, self.theta)

    @property
    def sd(self) -> Array:
        """Deviations of the parameters by the readings alone, (count,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def believed_sd(self) -> Array:
        """Deviations of what was believed before, (count,)."""
        return np.asarray(np.sqrt(np.diag(self.believed_covariance)))

    @property
    def serves(self) -> Flags:
        """Tell for each room whether its model may tell what comes, or the floor does it, (R,).

        Nothing learnt does not serve, nor what was far worse than the floor on unseen days: a few
        days with open windows say little.
        """
        learnt = np.isfinite(self.sigma_k)
        if self.tested is None:
            return np.asarray(learnt)
        return np.asarray(learnt & ~(self.tested.ours_k > _FAR_WORSE * self.tested.floor_k))

    @property
    def heat_gain(self) -> Mapping[str, float]:
        """Kilowatts per unit of each room's column of heat."""
        gains = np.exp(self.theta[KINDS - 1 : KINDS * len(self.names) : KINDS])
        return dict(zip(self.names, gains.tolist(), strict=True))

    def problem(self, records: RoomRecords) -> Problem:
        """Set up the found house on records, to run it."""
        links = [(a, b, 1.0) for a, b in self.layout.links]
        problem = joined(records, self.prior, self.rooms, links, 1.0).problem
        return replace(problem, noise=replace(problem.noise, scale=self.scale[None]))


def identify(records: RoomRecords, prior: Prior = NOTHING_KNOWN) -> RoomsFound:
    """Identify all rooms together from what was measured."""
    if records.days > MOST_DAYS:
        rows = round(MOST_DAYS * 24.0 / records.step_h)
        told = f"{records.days:.0f} days; the last {MOST_DAYS:.0f} are used"
        records = replace(records.rows(slice(-rows, None)), notes=(*records.notes, told))
    if records.days < LEAST_DAYS:
        return _believed_only(records, prior)
    if records.days < LEAST_TESTED_DAYS:
        told = f"{records.days:.1f} days are too few to hold some back; nothing is tested"
        found = _found(records, prior, None)
        return replace(found, notes=(*found.notes, told))
    return _found(records, prior, round(len(records.index) * (1.0 - _HELD_FRAC)))


def _found(records: RoomRecords, prior: Prior, held_from: int | None) -> RoomsFound:
    learnt = records if held_from is None else records.rows(slice(0, held_from))
    by_itself = alone(learnt, prior)
    learnt = learnt.without(by_itself.strange)
    joint = joined(learnt, prior, by_itself.rooms, links_of(records, prior), FIT_SCALE)
    first = together(joint, by_itself.theta)
    joint, first = _afresh(joint, first)
    scale = _lively(joint.problem, first.theta)
    tested, strange = None, by_itself.strange
    links, theta = _lasting_links(joint, first.theta[0], prior)
    if held_from is not None:
        strange = np.zeros((len(records.index), len(records.names)), bool)
        strange[:held_from] = by_itself.strange
        whole = _set_up(records, prior, joint, links, scale)
        tested = _tested(records, whole, theta, first.sigma_k[0], held_from)
        surprise = trail_of(whole, theta[None]).surprise_k[:, 0]
        later = strange_hours(surprise, first.sigma_k[0], records.step_h)
        strange[held_from:] = later[held_from:]
    records = records.without(strange)
    problem = _set_up(records, prior, joint, links, _quiet(joint.problem, first.theta, scale))
    final = together(replace(joint, problem=problem), theta, rounds=6)
    return _told(records, prior, joint, problem, final, scale, strange, tested)


def _set_up(
    records: RoomRecords, prior: Prior, joint: Joint, links: list[Link], scale: Array
) -> Problem:
    problem = joined(records, prior, joint.rooms, links, FIT_SCALE).problem
    return replace(problem, noise=replace(problem.noise, scale=scale[None]))


def _lasting_links(joint: Joint, theta: Array, prior: Prior) -> tuple[list[Link], Array]:
    """Drop links that were only guessed and came to nothing."""
    layout = joint.problem.layout
    own = theta[: KINDS * layout.rooms]
    between = np.exp(theta[own.size :])
    believed = np.exp(joint.problem.belief.mean[0, own.size :])
    keep = np.ones(len(between), bool) if prior.links is not None else between >= _LEAST_LINK
    links = [
        (a, b, float(g)) for (a, b), g, k in zip(layout.links, believed, keep, strict=True) if k
    ]
    return links, np.concatenate([own, np.log(between[keep])])


def _afresh(joint: Joint, found: Found) -> tuple[Joint, Found]:
    """Begin rooms once more that ended far from what anyone would believe."""
    belief, layout = joint.problem.belief, joint.problem.layout
    away = (found.theta - belief.mean)[0]
    doubtful = []
    for k in range(layout.rooms):
        own = slice(KINDS * k, KINDS * (k + 1))
        if 0.5 * away[own] @ belief.precision[0, own, own] @ away[own] > _DOUBTFUL:
            doubtful.append(k)
    if not doubtful:
        return joint, found
    theta = found.theta[0].copy()
    for k in doubtful:
        own = slice(KINDS * k, KINDS * (k + 1))
        theta[own] = belief.mean[0, own]
    for k, link in enumerate(layout.links):
        if set(link) & set(doubtful):
            theta[KINDS * layout.rooms + k] = belief.mean[0, KINDS * layout.rooms + k]
    again = together(joint, theta)
    return joint, again if again.cost[0] < found.cost[0] else found


def _lively(problem: Problem, theta: Array) -> Array:
    """Choose per room how lively the observer is, by errors over 24 h while learning."""
    steps = round(24.0 / problem.seen.dt_h)
    starts = list(range(steps, len(problem.seen.air_c) - steps, max(1, steps // 4)))
    rooms = problem.layout.rooms
    if len(starts) < 4:
        return np.full(rooms, FIT_SCALE)
    errors = []
    for scale in SCALES:
        noise = replace(problem.noise, scale=np.full((1, rooms), scale))
        errors.append(_errors(replace(problem, noise=noise), theta, starts, steps))
    rmse = np.array(errors)
    good = rmse <= _AS_GOOD * rmse.min(axis=0) + 1e-6
    last = len(SCALES) - 1 - np.argmax(good[::-1], axis=0)
    return np.asarray(np.array(SCALES)[last])


def _quiet(problem: Problem, theta: Array, lively: Array) -> Array:
    """Choose per room the observer to learn with: a calm one where its surprises do not last.

    A livelier one than needed takes the sensor's noise for the room's, and learns wrong masses.
    """
    noise = replace(problem.noise, scale=np.full((1, len(lively)), FIT_SCALE))
    trail = trail_of(replace(problem, noise=noise), theta)
    lasting = usual_surprise(problem.seen, trail)[1][0]
    return np.where(lasting < _WHITE, FIT_SCALE, np.maximum(lively, FIT_SCALE))


def _errors(problem: Problem, theta: Array, starts: list[int], steps: int) -> Array:
    """RMSE of each room running free from the starts, (R,) [K]."""
    told = running_free(problem, theta, trail_of(problem, theta), starts, steps)
    return rmse_k(told, problem.seen.air_c[:, 0], starts)


def _tested(
    records: RoomRecords, problem: Problem, theta: Array, sigma_k: Array, held_from: int
) -> Tested | None:
    steps = round(24.0 / records.step_h)
    starts = list(range(held_from, len(records.index) - steps, steps))
    if not starts:
        return None
    paths = []
    for each in (theta[None], problem.belief.mean):
        trail = watchful(problem, each, sigma_k, held_from)
        paths.append(running_free(problem, each, trail, starts, steps))
    air_c = records.air_c
    floors = [
        rmse_k(rival(air_c, starts, steps), air_c, starts)
        for rival in (rivals.last_value, rivals.yesterday)
    ]
    return Tested(
        ours_k=rmse_k(paths[0], air_c, starts),
        floor_k=np.minimum(*floors),
        days=len(starts),
        believed_k=rmse_k(paths[1], air_c, starts),
        daily_k=np.array([rmse_k(paths[0][[n]], air_c, [at]) for n, at in enumerate(starts)]),
        starts_s=tuple(records.index[starts].map(pd.Timestamp.timestamp)),
    )


def _told(
    records: RoomRecords,
    prior: Prior,
    joint: Joint,
    problem: Problem,
    final: Found,
    scale: Array,
    strange: Flags,
    tested: Tested | None,
) -> RoomsFound:
    covariance = np.linalg.inv(final.curvature[0])
    spread = covariance @ (final.scatter[0] + problem.belief.precision[0]) @ covariance
    wider = np.sqrt(np.maximum(np.diag(spread) / np.diag(covariance), 1.0))
    return RoomsFound(
        names=records.names,
        rooms=joint.rooms,
        layout=problem.layout,
        prior=prior,
        theta=final.theta[0],
        covariance=covariance * wider[:, None] * wider[None, :],
        believed=problem.belief.mean[0],
        believed_covariance=np.linalg.inv(problem.belief.precision[0]),
        scale=scale,
        sigma_k=final.sigma_k[0],
        strange_h=strange.sum(axis=0) * records.step_h,
        days=records.days,
        tested=tested,
        notes=records.notes,
    )


def _believed_only(records: RoomRecords, prior: Prior) -> RoomsFound:
    """Serve the belief where there is too little to learn from."""
    rooms = tuple(options[0] for options in candidates(records, prior))
    links = links_of(records, prior) if prior.links is not None else []
    problem = joined(records, prior, rooms, links, 1.0).problem
    covariance = np.linalg.inv(problem.belief.precision[0])
    told = f"{records.days:.1f} days of rooms are too few to learn from; what is believed stands, "
    told += "and the floor serves: yesterday's curve"
    count = len(rooms)
    return RoomsFound(
        names=records.names,
        rooms=rooms,
        layout=problem.layout,
        prior=prior,
        theta=problem.belief.mean[0],
        covariance=covariance,
        believed=problem.belief.mean[0],
        believed_covariance=covariance,
        scale=np.ones(count),
        sigma_k=np.full(count, np.nan),
        strange_h=np.zeros(count),
        days=records.days,
        tested=None,
        notes=(*records.notes, told),
    )
