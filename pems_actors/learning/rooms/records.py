"""What was measured of rooms, as arrays that identification can trust, and what was done to it.

Nothing unknown is ever taken for zero: a missing temperature is no test, and where heat or weather
is unknown a usual value stands in while the rooms are only followed. Knows columns, no equations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.domain.house import Site
from pems_actors.learning.rooms.gaps import (
    Filled,
    filled,
    implausible_heat,
    in_celsius,
    plausible,
    without_nonsense,
)
from pems_actors.physics.sun import sun_at

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

OUTDOOR, GHI, BLOCKED = "outdoor_c", "ghi_w_m2", "blocked"
TEMP, HEAT_KW, HEAT = "temp_c_", "heat_kw_", "heat_"
WINDOW, OVERRIDE, BLIND = "window_", "override_", "blind_"
FINEST = pd.Timedelta(minutes=15)
USUAL_SITE = Site(50.0, 10.0)
_FEWEST_VALUES = 12
_NO_SUN = "no irradiance"
_USUAL_W_M2 = 400.0  # at the zenith, with the clouds of a year
_AFTER_UNKNOWN_H = 6.0
_AFTER_WINDOW_H = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class RoomRecords:
    """All rooms on even steps; row k covers the time until the next; powers and weather are means.

    air_c (T, R) at the start of each step, NaN where unknown; heat (T, R) in kW, or in the column's
    own unit where `in_kw` is False; counts and follows (T, R): which readings test a model, and
    during which a model only follows them. `ghi_w_m2` is a usual sky's where nobody measured it
    (`has_sun` False). `shade` (T, R) is the share of the sun that blinds keep out, 0..1; None where
    no room's blinds are known.
    """

    index: pd.DatetimeIndex
    names: tuple[str, ...]
    outdoor_c: Array
    ghi_w_m2: Array
    air_c: Array
    heat: Array
    counts: Flags
    follows: Flags
    in_kw: tuple[bool, ...]
    heated: tuple[bool, ...]
    has_sun: bool
    notes: tuple[str, ...] = field(default=())
    shade: Array | None = None

    @property
    def step(self) -> pd.Timedelta:
        """Length of a step."""
        return pd.Timedelta(self.index[1] - self.index[0])

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return float(self.step / pd.Timedelta(hours=1))

    @property
    def days(self) -> float:
        """Length of the record."""
        return len(self.index) * self.step_h / 24.0

    def rows(self, part: slice) -> RoomRecords:
        """Keep some rows, in order."""
        return replace(
            self,
            index=self.index[part],
            outdoor_c=self.outdoor_c[part],
            ghi_w_m2=self.ghi_w_m2[part],
            air_c=self.air_c[part],
            heat=self.heat[part],
            counts=self.counts[part],
            follows=self.follows[part],
            shade=None if self.shade is None else self.shade[part],
        )

    def without(self, strange: Flags) -> RoomRecords:
        """Only follow rooms in hours that no model tells, (T, R)."""
        return replace(self, counts=self.counts & ~strange, follows=self.follows | strange)

    def before(self, end: pd.Timestamp) -> RoomRecords:
        """Keep the rows that start before `end`."""
        return self.rows(slice(0, int(self.index.searchsorted(end))))


def records_from(frame: pd.DataFrame) -> RoomRecords:
    """Take the rooms out of an evenly stepped table.

    Args:
        frame: UTC index, columns `outdoor_c`, `temp_c_<room>`, and where there are any
            `ghi_w_m2`, `heat_kw_<room>` or `heat_<room>`, `blind_<room>` (0 open to 1 closed, or
            per cent), and flags (above 0 is yes) `blocked`, `window_<room>`, `override_<room>`.
    Raises: ValueError in a sentence where no room or no outdoor temperature is found.
    """
    notes: list[str] = []
    frame, said = _coarse_enough(frame)
    notes += said
    degrees = [name for name in frame.columns if str(name).startswith(TEMP) or name == OUTDOOR]
    frame = frame.assign(**{str(n): in_celsius(frame[n], str(n), notes) for n in degrees})
    names = _rooms(frame, notes)
    outdoor = _outdoor(frame, notes)
    sun = _sun(frame, notes)
    air = np.column_stack([without_nonsense(frame[TEMP + n], TEMP + n, notes) for n in names])
    heats = [_heat(frame, name, notes) for name in names]
    unknown = np.column_stack([h.filled.unknown for h in heats])
    unknown |= (outdoor.unknown | sun.unknown)[:, None]
    step_h = float((frame.index[1] - frame.index[0]) / pd.Timedelta(hours=1))
    follows = _lasting(unknown, _AFTER_UNKNOWN_H / step_h)
    left_out = _flagged(frame, names, notes)
    opened = _lasting(left_out[0], _AFTER_WINDOW_H / step_h)
    return RoomRecords(
        index=pd.DatetimeIndex(frame.index),
        names=names,
        outdoor_c=outdoor.series,
        ghi_w_m2=sun.series,
        air_c=air,
        heat=np.column_stack([h.filled.series for h in heats]),
        counts=~(follows | opened | left_out[1]),
        follows=follows | opened,
        in_kw=tuple(h.in_kw for h in heats),
        heated=tuple(h.heated for h in heats),
        has_sun=not any(note.startswith(_NO_SUN) for note in notes),
        shade=_shade(frame, names, notes),
        notes=tuple(notes),
    )


def _shade(frame: pd.DataFrame, names: tuple[str, ...], notes: list[str]) -> Array | None:
    """Read how far blinds are closed; per cent are taken as such, unknown hours as usual ones."""
    known = [name for name in names if BLIND + name in frame.columns]
    if not known:
        return None
    shade = np.zeros((len(frame), len(names)))
    for name in known:
        given = frame[BLIND + name].astype(float)
        share = given / 100.0 if given.max() > 1.0 + 1e-6 else given
        share = share.where(share.between(0.0, 1.0))
        shade[:, names.index(name)] = share.fillna(share.mean()).fillna(0.0)
    notes.append(f"blinds are known of {', '.join(known)}")
    return shade


def _coarse_enough(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    if len(frame) < 4:
        raise ValueError(f"{len(frame)} rows are not a history of rooms; give three days or more")
    step = frame.index[1] - frame.index[0]
    if step >= FINEST:
        return frame, []
    temps = [name for name in frame.columns if str(name).startswith(TEMP)]
    joined = frame.resample(FINEST)
    coarse = joined.mean()
    coarse[temps] = frame[temps].resample(FINEST).first()
    told = f"rows every {step.total_seconds() / 60:g} min; used as quarter hours"
    return coarse, [told]


def _rooms(frame: pd.DataFrame, notes: list[str]) -> tuple[str, ...]:
    found = [str(c).removeprefix(TEMP) for c in frame.columns if str(c).startswith(TEMP)]
    known = {name: plausible(frame[TEMP + name]) for name in found}
    empty = [name for name in found if known[name].notna().sum() < _FEWEST_VALUES]
    still = [n for n in found if n not in empty and known[n].nunique(dropna=True) < 2]
    left = [f"{TEMP}{name}: (almost) no values; the room is left out" for name in empty]
    left += [f"{TEMP}{name}: the same value throughout; the room is left out" for name in still]
    notes += left
    names = tuple(name for name in found if name not in {*empty, *still})
    if not names:
        raise ValueError(
            "; ".join(left)
            or "no room with temperatures was found; name the columns temp_c_<room>, "
            "or rename one with --map temp_c_room=OLD"
        )
    return names


def _outdoor(frame: pd.DataFrame, notes: list[str]) -> Filled:
    if OUTDOOR not in frame.columns or not frame[OUTDOOR].notna().any():
        raise ValueError(
            "no outdoor temperature was found; name its column outdoor_c, "
            "or rename one with --map outdoor_c=OLD"
        )
    given = frame[OUTDOOR].astype(float)
    if given.max() - given.min() < 0.5:
        notes.append("outdoor_c hardly moves: losses to the outdoors are believed, not measured")
        return filled(given, OUTDOOR, short_h=3.0, notes=notes)
    clean = without_nonsense(given, OUTDOOR, notes)
    return filled(pd.Series(clean, frame.index), OUTDOOR, short_h=3.0, notes=notes)


def _sun(frame: pd.DataFrame, notes: list[str]) -> Filled:
    if GHI not in frame.columns or not frame[GHI].notna().any():
        return _usual_sun(frame, notes)
    light = frame[GHI].where(frame[GHI].between(-20.0, 1600.0))
    absurd = int((frame[GHI].notna() & light.isna()).sum())
    if absurd:
        notes.append(f"{GHI}: {absurd} absurd values masked")
    if light.nunique(dropna=True) < 2:
        notes.append(f"{GHI}: the same value throughout; taken as not measured")
        return _usual_sun(frame, notes)
    return filled(light.clip(lower=0.0), GHI, short_h=2.0, notes=notes)


def _usual_sun(frame: pd.DataFrame, notes: list[str]) -> Filled:
    """Let a mean sky of Central Europe stand in: it knows the season and the hour, no clouds."""
    notes.append(f"{_NO_SUN}: a usual sky at {USUAL_SITE.latitude_deg:g} °N stands in")
    index = pd.DatetimeIndex(frame.index)
    middle = index + (index[1] - index[0]) / 2
    at_s = (middle - pd.Timestamp(0, tz="UTC")).total_seconds().to_numpy(float)
    light = _USUAL_W_M2 * np.maximum(sun_at(USUAL_SITE, at_s).cos_zenith, 0.0)
    return Filled(np.asarray(light, float), np.zeros(len(frame), bool))


@dataclass(frozen=True, slots=True)
class _Heat:
    filled: Filled
    in_kw: bool
    heated: bool


def _heat(frame: pd.DataFrame, room: str, notes: list[str]) -> _Heat:
    for prefix, in_kw in ((HEAT_KW, True), (HEAT, False)):
        column = prefix + room
        if column not in frame.columns:
            continue
        clean = implausible_heat(frame[column], column, in_kw=in_kw, notes=notes)
        if not clean.notna().any() or not (clean > 0.0).any():
            notes.append(f"{column}: no heat was seen; {room} is taken as unheated")
            break
        return _Heat(filled(clean, column, short_h=1.0, notes=notes), in_kw, heated=True)
    else:
        notes.append(f"{room}: no column of heat; taken as unheated")
    nothing = Filled(np.zeros(len(frame)), np.zeros(len(frame), bool))
    return _Heat(nothing, in_kw=True, heated=False)


def _flagged(frame: pd.DataFrame, names: tuple[str, ...], notes: list[str]) -> tuple[Flags, Flags]:
    """Find hours that people or tariffs flagged: open windows; and blocked or overridden ones."""
    count = len(frame)
    opened = np.zeros((count, len(names)), bool)
    others = np.zeros((count, len(names)), bool)
    for k, name in enumerate(names):
        for column, into in (
            (WINDOW + name, opened),
            (OVERRIDE + name, others),
            (f"{BLOCKED}_{name}", others),
            (BLOCKED, others),
        ):
            if column in frame.columns:
                into[:, k] |= frame[column].fillna(0.0).to_numpy(float) > 0.0
    step_h = float((frame.index[1] - frame.index[0]) / pd.Timedelta(hours=1))
    for what, flags in (("open windows", opened), ("blocked or overridden", others)):
        if flags.any():
            notes.append(f"{flags.sum() * step_h:.0f} room hours {what}, by flag; left out")
    return opened, others


def _lasting(flags: Flags, steps: float) -> Flags:
    """Let each flag last some steps more."""
    long = flags.copy()
    for lag in range(1, int(np.ceil(steps)) + 1):
        long[lag:] |= flags[:-lag]
    return long
