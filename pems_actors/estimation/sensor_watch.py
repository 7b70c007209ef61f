"""Which room sensors are believed: against the model, against themselves, against the neighbours.

A sensor is stuck when its reading stands still while the model, run on from the moment the reading
last moved, says that the room must have moved; standing still in a steady room is no fault. A
jump is refused for as long as the model knows better, at most a day; how well it knows is measured
(`model_fit`). A reading that was followed after all may go back to where the model was before.
All rooms at once, as arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from math import inf
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pems_actors.domain.findings import FindingKind
from pems_actors.domain.house import Room
from pems_actors.domain.units import DAY_S, HOUR_S, MINUTE_S
from pems_actors.estimation.freshness import PERIODS_TO_STALE, ROOM_C
from pems_actors.estimation.model_fit import ModelFit
from pems_actors.estimation.picture import Array, Mask, Picture
from pems_actors.estimation.unit_slips import slipped_unit

STILL_FOR_S = 45 * MINUTE_S
LOOK_EVERY_S = 5 * MINUTE_S
# In 20 days of 17 rooms without any noise the model drifts from a reading that stands still by at
# most 0.32, 0.41 and 0.78 K for thermometers of 0.1, 0.2 and 0.5 K.
MUST_MOVE_K = 0.30
MUST_MOVE_STEPS = 1.5
MUST_MOVE_OFF = 2.5  # and this many times what the room is usually off its model
REACH_K = 1.5  # how far a reading may be from the model and still be believed
REACH_K_PER_H = 0.1  # and how much farther for each hour without a believed reading
REACH_CARRIED = 0.3  # and this share of what the model alone has carried the room since then
GOES_ON_S = 10 * MINUTE_S  # a reading near the last one, not older than this, goes on from it
FORGETS_S = DAY_S
STRANGE_K = 8.0  # a first reading this far from the other rooms is looked at twice
STRANGE_WITHIN_K = 4.0


class Verdict(IntEnum):
    """What is thought of a room's sensor."""

    GOOD = 0
    JUMP = 1
    UNIT = 2
    RANGE = 3
    STUCK = 4
    SILENT = 5
    MISSING = 6


KINDS = {
    Verdict.JUMP: FindingKind.SENSOR_JUMP,
    Verdict.UNIT: FindingKind.SENSOR_UNIT,
    Verdict.RANGE: FindingKind.SENSOR_RANGE,
    Verdict.STUCK: FindingKind.SENSOR_STUCK,
    Verdict.SILENT: FindingKind.SENSOR_SILENT,
    Verdict.MISSING: FindingKind.SENSOR_MISSING,
}
REFUSED = frozenset({Verdict.JUMP, Verdict.UNIT, Verdict.RANGE, Verdict.STUCK})


class Thermometers:
    """What does not change about the sensors of a house: names and steps."""

    def __init__(self, rooms: Sequence[Room], period_s: float) -> None:
        self.names = tuple(room.name for room in rooms)
        steps = np.array([room.sensor_resolution_k for room in rooms])
        self.half_step_k = np.maximum(0.5 * steps, 0.02)
        self.must_move_k = MUST_MOVE_K + MUST_MOVE_STEPS * steps
        self.silent_after_s = PERIODS_TO_STALE * max(period_s, ROOM_C.period_s)
        self.goes_on_s = max(GOES_ON_S, 1.5 * period_s)


class SensorWatch(NamedTuple):
    """What is remembered of the sensors; arrays of shape (R,) that nobody changes.

    said_at_s: newest stamp heard.    believed_c, believed_at_s: the last believed reading.
    anchor_c, anchor_at_s: the reading that stands still, and since when.
    verdict: a `Verdict` per room.    calm: all are good.    look_at_s: when the next one will have
    stood still for long.    slips: unit by row, where one was recognised.    led_k, led_at_s: how
    far and when the model last followed a reading that leapt: once it may go back.
    """

    said_at_s: Array
    believed_c: Array
    believed_at_s: Array
    anchor_c: Array
    anchor_at_s: Array
    verdict: npt.NDArray[np.int8]
    led_k: Array
    led_at_s: Array
    calm: bool = False
    look_at_s: float = -inf
    slips: Mapping[int, str] = MappingProxyType({})

    @classmethod
    def from_boot(cls, rooms: int, now_s: float) -> SensorWatch:
        """Begin with nothing heard; the clock of silence runs from now on."""
        never = np.full(rooms, -inf)
        verdict = np.zeros(rooms, dtype=np.int8)
        unknown = np.full(rooms, np.nan)
        still = np.zeros(rooms)
        return cls(np.full(rooms, now_s), unknown, never, unknown, never, verdict, still, never)

    def shifted(self, by_s: float) -> SensorWatch:
        """Move along with a clock that was set."""
        return self._replace(
            said_at_s=self.said_at_s + by_s,
            believed_at_s=self.believed_at_s + by_s,
            anchor_at_s=self.anchor_at_s + by_s,
            led_at_s=self.led_at_s + by_s,
            look_at_s=self.look_at_s + by_s,
        )


class Judgement(NamedTuple):
    """What one picture came to: air believed (NaN: none), whose reading moved, who got stuck.

    The first reading of a sensor that was let go (`_let_go`) is no air: it tells of the sensor.
    `moved` (or is believed again), `newly_stuck` and `leapt` (believed, but far from the model) are
    None where there is nobody.
    """

    watch: SensorWatch
    air_c: Array
    moved: Mask | None = None
    newly_stuck: Mask | None = None
    leapt: Mask | None = None


def judge(
    sensors: Thermometers,
    watch: SensorWatch,
    picture: Picture,
    expected_c: Array,
    undisturbed_c: Array,
    fit: ModelFit,
) -> Judgement:
    """Judge all room sensors by one picture.

    Args:
        expected_c: air by the model, corrected up to the last picture, shape (R,).
        undisturbed_c: air by the model, not corrected since each reading last moved, (R,).
        fit: what the model is worth.
    """
    if (
        watch.calm
        and picture.whole
        and picture.at_s < watch.look_at_s
        and np.maximum.reduce(np.abs(picture.said_c - expected_c)) <= REACH_K
    ):
        return _all_well(sensors, watch, picture)
    return _one_by_one(sensors, watch, picture, expected_c, undisturbed_c, fit)


def _all_well(sensors: Thermometers, watch: SensorWatch, picture: Picture) -> Judgement:
    """Note readings that nobody doubts: the usual case, kept short."""
    said, stamps = picture.said_c, picture.said_at_s
    moved = np.abs(said - watch.anchor_c) > sensors.half_step_k
    anchor_c, anchor_at_s = watch.anchor_c, watch.anchor_at_s
    any_moved = np.count_nonzero(moved) > 0
    if any_moved:
        anchor_c = np.where(moved, said, anchor_c)
        anchor_at_s = np.where(moved, picture.at_s, anchor_at_s)
    after = SensorWatch(
        stamps, said, stamps, anchor_c, anchor_at_s,
        watch.verdict, watch.led_k, watch.led_at_s, watch.calm, watch.look_at_s, watch.slips,
    )  # fmt: skip
    if not any_moved:
        return Judgement(after, said)
    let_go = _let_go(sensors, watch, said, picture.at_s)
    if not np.count_nonzero(let_go):
        return Judgement(after, said, moved)
    return Judgement(after._replace(calm=False), np.where(let_go, np.nan, said), moved)


def _one_by_one(
    sensors: Thermometers,
    watch: SensorWatch,
    picture: Picture,
    expected_c: Array,
    undisturbed_c: Array,
    fit: ModelFit,
) -> Judgement:
    """Judge every sensor by all signs."""
    now_s, said = picture.at_s, picture.said_c
    first = watch.believed_at_s == -inf
    newer = (picture.said_at_s > watch.said_at_s) | first | (watch.said_at_s > now_s + 1.0)
    fresh = ~np.isnan(said) & newer
    sound = fresh & (said >= ROOM_C.low) & (said <= ROOM_C.high)
    back = watch.verdict >= Verdict.SILENT
    moved = sound & (back | ~(np.abs(said - watch.anchor_c) <= sensors.half_step_k))
    still = sound & ~moved & (now_s - watch.anchor_at_s >= STILL_FOR_S)
    must_move_k = np.maximum(sensors.must_move_k, MUST_MOVE_OFF * fit.off_k)
    drifted = np.abs(undisturbed_c - watch.anchor_c) > must_move_k
    was_stuck = watch.verdict == Verdict.STUCK
    stuck = (still & drifted) | (was_stuck & ~moved & fresh)
    unheard_s = now_s - watch.believed_at_s
    off_k = said - expected_c
    carried_k = np.where(first, 0.0, np.abs(expected_c - watch.believed_c))
    reach_k = np.maximum(_reach_k(unheard_s), fit.tells_k) + REACH_CARRIED * carried_k
    led_k = np.where(now_s - watch.led_at_s <= FORGETS_S, watch.led_k, 0.0)
    fits = np.abs(off_k) <= reach_k
    near = fits | (np.abs(off_k + led_k) <= reach_k)
    goes_on = (np.abs(said - watch.believed_c) <= REACH_K) & (unheard_s <= sensors.goes_on_s)
    believed = sound & ~stuck & (near | goes_on)
    signs = _Signs(fresh, sound, believed, stuck, first)
    slips = _slips(picture, signs, expected_c)
    believed[list(slips)] = False
    tells = believed & ~_let_go(sensors, watch, said, now_s)
    anchor_at_s = np.where(moved, now_s, watch.anchor_at_s)
    verdict = _verdicts(sensors, watch, picture, signs, slips)
    leapt = believed & (np.abs(off_k) > REACH_K) & ~goes_on
    after = SensorWatch(
        said_at_s=np.where(fresh, np.minimum(picture.said_at_s, now_s), watch.said_at_s),
        believed_c=np.where(believed, said, watch.believed_c),
        believed_at_s=np.where(believed, now_s, watch.believed_at_s),
        anchor_c=np.where(moved, said, watch.anchor_c),
        anchor_at_s=anchor_at_s,
        verdict=verdict,
        led_k=np.where(leapt & ~first, np.where(fits, off_k, 0.0), led_k),
        led_at_s=np.where(leapt, now_s, watch.led_at_s),
        calm=bool(tells.all()),
        look_at_s=max(float(anchor_at_s.min()) + STILL_FOR_S, now_s + LOOK_EVERY_S),
        slips=slips,
    )
    air_c = np.where(tells, said, np.nan)
    anew = believed & (moved | (watch.verdict != Verdict.GOOD))
    return Judgement(after, air_c, anew, stuck & ~was_stuck, leapt)


def _let_go(sensors: Thermometers, watch: SensorWatch, said_c: Array, now_s: float) -> Mask:
    """Tell who stood still for long and now leaps: a sensor that was stuck, and no open window."""
    stood = now_s - watch.anchor_at_s >= STILL_FOR_S
    return np.asarray(stood & (np.abs(said_c - watch.anchor_c) > sensors.must_move_k))


def _reach_k(unheard_s: Array) -> Array:
    """How far from the model a reading may be: anywhere after a day, and at first."""
    reach = REACH_K + REACH_K_PER_H * np.maximum(unheard_s, 0.0) / HOUR_S
    reach[unheard_s > FORGETS_S] = inf
    return np.asarray(reach)


class _Signs(NamedTuple):
    fresh: Mask
    sound: Mask
    believed: Mask
    stuck: Mask
    first: Mask


def _verdicts(
    sensors: Thermometers,
    watch: SensorWatch,
    picture: Picture,
    signs: _Signs,
    slips: Mapping[int, str],
) -> npt.NDArray[np.int8]:
    """Say of each sensor what is thought of it; what nothing new was heard of stays as it was."""
    verdict = watch.verdict.copy()
    silent = ~signs.fresh & (picture.at_s - watch.said_at_s > sensors.silent_after_s)
    verdict[silent] = np.where(signs.first, Verdict.MISSING, Verdict.SILENT)[silent]
    verdict[signs.fresh & ~signs.sound] = Verdict.RANGE
    verdict[signs.sound & ~signs.believed] = Verdict.JUMP
    verdict[signs.stuck] = Verdict.STUCK
    verdict[signs.believed] = Verdict.GOOD
    verdict[list(slips)] = Verdict.UNIT
    return verdict


def _slips(picture: Picture, signs: _Signs, expected_c: Array) -> Mapping[int, str]:
    """Find readings that would fit in another unit; first ones are compared with the others'."""
    said = picture.said_c
    others_c = float(np.median(said[signs.sound])) if signs.sound.any() else float("nan")
    found = {}
    for row in np.flatnonzero(signs.fresh & ~(signs.believed & ~signs.first)):
        if signs.first[row]:
            strange = not abs(said[row] - others_c) <= STRANGE_K
            unit = slipped_unit(said[row], others_c, STRANGE_WITHIN_K) if strange else None
        else:
            unit = slipped_unit(said[row], float(expected_c[row]))
        if unit is not None and not signs.stuck[row]:
            found[int(row)] = unit
    return found
