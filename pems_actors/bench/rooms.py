"""`pems bench rooms`: rooms identified from anyone's CSV, run free for 24 h, beside their rivals.

From each local midnight after the training, with the weather and heat that came and no temperature
after the start. Times are UTC where they say nothing else; a day has 24 hours from its midnight.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.bench.forecast_question import HOUSE_ZONE, instant_from, zone_from
from pems_actors.bench.report import Target, report
from pems_actors.learning.rooms import rivals
from pems_actors.learning.rooms.ahead import rmse_k, running_free, watchful
from pems_actors.learning.rooms.identify import RoomsFound, identify
from pems_actors.learning.rooms.records import RoomRecords, records_from
from pems_actors.learning.rooms.verdict import verdicts
from pems_actors.learning.tables.reading import columns_of, read_csv

Array = npt.NDArray[np.float64]

QUICK_DAYS = 21.0
TARGETS = {
    "rmse_mean_k": Target("<=", 0.30),
    "rmse_worst_k": Target("<=", 0.60),
    "of_arx12": Target("<=", 1.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """Errors over 24 h of each room [K]: ours and each rival's, over so many midnights."""

    ours_k: Array
    rivals_k: Mapping[str, Array]
    midnights: int


def run(
    *,
    quick: bool = False,
    csv: str | None = None,
    train_until: str | None = None,
    test_until: str | None = None,
    rename: Sequence[str] = (),
    timezone: str | None = None,
) -> dict[str, Any]:
    """Identify the rooms of a file and test them.

    Args:
        quick: learn from the last three weeks only.
        csv, train_until: the file, and the local date from which nothing is learnt.
        test_until: local date before which tested days end.    rename: `new=old` of columns.
    Raises: ValueError in a sentence if an option is missing or nothing can be tested.
    """
    if csv is None or train_until is None:
        missing = "--csv" if csv is None else "--train-until"
        raise ValueError(f"bench rooms needs {missing}; see `pems bench rooms --help`")
    zone = zone_from(timezone) or HOUSE_ZONE
    table = read_csv(csv, timezone=zone, rename=renaming(Path(csv), rename))
    records = records_from(table.frame)
    until = instant_from(train_until, zone)
    end = None if test_until is None else instant_from(test_until, zone)
    learnt, starts = records.before(until), midnights(records, until, end, zone)
    if len(learnt.index) < 4:
        raise ValueError(f"no rows before {train_until}; give a later --train-until")
    if not starts:
        raise ValueError(
            f"no whole day after {train_until}{f' and before {test_until}' if test_until else ''}; "
            "give an earlier --train-until"
        )
    learnt_rows = len(learnt.index)
    if quick:
        learnt = learnt.rows(slice(-round(QUICK_DAYS * 24.0 / learnt.step_h), None))
    began_s = time.process_time()
    found = identify(learnt)
    took_s = time.process_time() - began_s
    contest = contested(found, records, starts, learnt_rows)
    if not np.isfinite(contest.ours_k).any():
        raise ValueError(f"no room says anything after {train_until}; give an earlier date")
    notes = (*table.notes, *found.notes)
    return report("rooms", figures(found, contest, notes, took_s), TARGETS)


def renaming(path: Path, words: Sequence[str]) -> dict[str, str]:
    """Understand `new=old` words, whichever side is in the file.

    Raises: ValueError for a word that is none.
    """
    there = set(columns_of(path)) if words else set()
    renames = {}
    for word in words:
        new, equals, old = word.partition("=")
        new, old = new.strip(), old.strip()
        if not equals or not new or not old:
            raise ValueError(f"--map {word}: write new=old, such as temp_c_room=T_indoor")
        if old not in there and new in there:
            new, old = old, new
        renames[new] = old
    return renames


def midnights(
    records: RoomRecords, begin: pd.Timestamp, end: pd.Timestamp | None, zone: str
) -> list[int]:
    """Find the rows of local midnights with a whole day after them."""
    steps = round(24.0 / records.step_h)
    local = records.index.tz_convert(zone)
    late = len(records.index) - steps
    if end is not None:
        late = min(late, int(records.index.searchsorted(end)) - steps + 1)
    first = int(records.index.searchsorted(begin))
    at_midnight = (local.hour == 0) & (local.minute * 60.0 < records.step_h * 3600.0)
    return [k for k in range(first, late) if at_midnight[k]]


def contested(
    found: RoomsFound, records: RoomRecords, starts: list[int], learnt_rows: int
) -> Contest:
    """Run the found house and its rivals free from each start."""
    steps = round(24.0 / records.step_h)
    told = free_paths(found, records, starts, learnt_rows)
    inputs = [records.heat, records.outdoor_c]
    if records.has_sun:
        inputs.append(records.ghi_w_m2)
    paths = {
        "last": rivals.last_value(records.air_c, starts, steps),
        "yesterday": rivals.yesterday(records.air_c, starts, steps),
        "arx12": rivals.arx(records.air_c, inputs, learnt_rows, starts, steps),
    }
    return Contest(
        ours_k=rmse_k(told, records.air_c, starts),
        rivals_k={name: rmse_k(path, records.air_c, starts) for name, path in paths.items()},
        midnights=len(starts),
    )


def free_paths(
    found: RoomsFound, records: RoomRecords, starts: list[int], learnt_rows: int
) -> Array:
    """Tell 24 h from each start; what was strange before a start is only followed.

    Where a model has not earned it, yesterday's curve serves.
    """
    steps = round(24.0 / records.step_h)
    theta = found.theta[None]
    problem = found.problem(records)
    trail = watchful(problem, theta, found.sigma_k, learnt_rows)
    told = running_free(problem, theta, trail, starts, steps)
    return np.where(found.serves, told, rivals.yesterday(records.air_c, starts, steps))


def figures(
    found: RoomsFound, contest: Contest, notes: Sequence[str], took_s: float
) -> dict[str, Any]:
    """Write the figures; rooms that said nothing on the tested days count for none."""
    ours = contest.ours_k
    worst = found.names[int(np.nanargmax(ours))]
    arx = float(np.nanmean(contest.rivals_k["arx12"]))
    return {
        "rmse_mean_k": float(np.nanmean(ours)),
        "rmse_worst_k": float(np.nanmax(ours)),
        "worst_room": worst,
        "of_arx12": float(np.nanmean(ours)) / max(arx, 1e-9),
        "baselines": {
            name: {
                "rmse_mean_k": float(np.nanmean(errors)),
                "rmse_worst_k": float(np.nanmax(errors)),
            }
            for name, errors in contest.rivals_k.items()
        },
        "rmse_k": _by_room(found, ours),
        "days_tested": contest.midnights,
        "days_learnt": round(found.days, 2),
        "train_cpu_s": took_s,
        "served_by_floor": [
            name for name, serves in zip(found.names, found.serves, strict=True) if not serves
        ],
        "rooms": {verdict.room: verdict.plain() for verdict in verdicts(found)},
        "notes": list(notes),
    }


def _by_room(found: RoomsFound, errors: Array) -> dict[str, float | None]:
    return {
        name: float(error) if np.isfinite(error) else None
        for name, error in zip(found.names, errors, strict=True)
    }
