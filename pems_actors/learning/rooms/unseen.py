"""A found house on days that it has not seen, beside the same house as it was only believed.

Both run free for a day from the same start, under the heat and weather that came, with hidden
masses and disturbance as the same observer left them: what differs is what was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pems_actors.learning.rooms.ahead import rmse_k, running_free, watchful
from pems_actors.learning.rooms.identify import RoomsFound
from pems_actors.learning.rooms.network import Array
from pems_actors.learning.rooms.records import RoomRecords

_Z80 = 1.2816
_SENSOR_K = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Errors over 24 h of each room, (R,) [K], NaN where it said nothing.

    rows (R,) readings that count; inside (R,) share of them where the found house said to be in
    four of five cases.
    """

    ours_k: Array
    believed_k: Array
    rows: Array
    inside: Array


def unseen(found: RoomsFound, records: RoomRecords, starts: Sequence[int]) -> Unseen:
    """Let a found house run free from some rows of records of the same rooms."""
    steps = round(24.0 / records.step_h)
    problem = found.problem(records)
    said = np.where(records.follows, np.nan, records.air_c)  # no test while nobody could tell
    paths = []
    for theta in (found.theta[None], problem.belief.mean):
        trail = watchful(problem, theta, found.sigma_k, starts[0])
        paths.append(running_free(problem, theta, trail, starts, steps))
    ours_k, believed_k = (rmse_k(path, said, starts) for path in paths)
    at = np.asarray(starts)[:, None] + 1 + np.arange(steps)[None, :]
    wrong = np.abs(paths[0] - said[at])
    known = np.isfinite(wrong)
    rows = known.sum(axis=(0, 1))
    within = (known & (np.nan_to_num(wrong) <= _band_k(found))).sum(axis=(0, 1))
    return Unseen(ours_k, believed_k, rows, within / np.maximum(rows, 1))


def _band_k(found: RoomsFound) -> Array:
    """Tell how far off a room says it may be in four of five cases, (R,) [K]."""
    usual = found.sigma_k if found.tested is None else found.tested.ours_k
    return _Z80 * np.where(np.isfinite(usual), np.maximum(usual, _SENSOR_K), np.inf)


def of_the_same(found: RoomsFound, records: RoomRecords) -> RoomRecords:
    """Lay records out in a found house's rooms; one that says nothing just now is unknown.

    Raises: ValueError if they have no room in common.
    """
    row = {name: k for k, name in enumerate(records.names)}
    if not row.keys() & set(found.names):
        raise ValueError(f"none of {', '.join(found.names)} says anything")
    k = [row.get(name, -1) for name in found.names]
    absent = np.array([each < 0 for each in k])
    air, heat = records.air_c[:, k].copy(), records.heat[:, k].copy()
    air[:, absent], heat[:, absent] = np.nan, 0.0
    return replace(
        records,
        names=found.names,
        air_c=air,
        heat=heat,
        counts=records.counts[:, k] & ~absent,
        follows=records.follows[:, k] & ~absent,
        shade=None if records.shade is None else np.where(absent, 0.0, records.shade[:, k]),
        in_kw=tuple(True if each < 0 else records.in_kw[each] for each in k),
        heated=tuple(False if each < 0 else records.heated[each] for each in k),
    )
