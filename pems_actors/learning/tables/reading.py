"""Anyone's CSV as a clean table: finds the times, understands zones and decimal commas, says so.

What cannot be read is missing, never zero, and each finding becomes a sentence in `Table.notes`.
Only what makes a table impossible (no file, no times, no such column) is an error.
"""

from __future__ import annotations

import gzip
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.learning.tables.meters import Kind
from pems_actors.learning.tables.sanity import checked, checked_weather
from pems_actors.learning.tables.stepping import evenly
from pems_actors.learning.tables.table import Table

TIME_NAMES = (
    "time_utc",
    "time",
    "timestamp",
    "datetime",
    "date_time",
    "date",
    "utc",
    "ds",
    "index",
)
WEATHER_NAMES = {
    "temp": "temp_c",
    "ghi": "ghi_w_m2",
    "dni": "dni_w_m2",
    "dhi": "dhi_w_m2",
    "wind": "wind_m_s",
}
_ZONED = r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})\s*$"
CLOCK_NAMES = ("time", "hour", "zeit", "stunde", "uhrzeit", "cas", "hodina")
_DATE_ALONE = r"^\s*\d{1,4}[-./]\s*\d{1,2}[-./]\s*\d{1,4}\s*$"
_DOTTED = r"^\s*\d{1,2}[./]\s*\d{1,2}[./]\s*\d{4}"
_LATEST_S = 4e9  # an epoch beyond this is in milliseconds


class ReadingError(ValueError):
    """A file that cannot become a table; the sentence says what to give instead."""


def read_csv(
    path: str | Path,
    target: str = "",
    *,
    timezone: str = "Europe/Prague",
    rename: Mapping[str, str] | None = None,
    kind: Kind = "any",
    only: tuple[str, ...] | None = None,
) -> Table:
    """Read a CSV into an evenly stepped UTC table.

    Args:
        target: column to forecast, by its name in the file (or as renamed); "" for none.
        timezone: local time of the house; also that of stamps without a zone of their own.
        rename: names wanted, with the names in the file: `{"temp_c": "T_out"}`.
        kind: what the target is, so that absurd values can be told.
        only: columns to keep besides the target (as renamed); None keeps all that are numbers.
    Raises: ReadingError if there is no file, no column of times or no such column.
    """
    raw, notes = _load(Path(path))
    frame, stamps = _split(raw, timezone, notes)
    frame = _renamed(frame, rename or {})
    if target and target not in frame:
        raise ReadingError(_no_column(target, frame, path))
    if only is not None:
        frame = frame[[name for name in frame if name == target or name in only]]
    numbers = _numbers(frame, target, notes)
    lost = [name for name in only or () if name in frame and name not in numbers]
    notes += [f"{name} holds no numbers and is left out" for name in lost]
    even = evenly(numbers.set_axis(stamps), target, notes)
    even = checked_weather(checked(even, target, kind, timezone, notes), target, notes)
    return Table(even, target, timezone, tuple(notes))


def columns_of(path: str | Path) -> list[str]:
    """Name the columns of a file. Raises: ReadingError if it is none."""
    return [str(name) for name in _load(Path(path))[0].columns]


def table_from(
    frame: pd.DataFrame, target: str, timezone: str = "Europe/Prague", kind: Kind = "any"
) -> Table:
    """Clean a frame that has UTC times as its index, the same way as a file."""
    notes: list[str] = []
    numbers = _numbers(frame, target, notes)
    even = evenly(numbers, target, notes)
    even = checked_weather(checked(even, target, kind, timezone, notes), target, notes)
    return Table(even, target, timezone, tuple(notes))


def _load(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read the file as texts and numbers, whatever separates them."""
    if not path.is_file():
        raise ReadingError(f"there is no file {path}; give the path of a CSV with a header line")
    text, notes = _text(path)
    head = text.split("\n", 20)[:20]
    separator = max(",;\t|", key=head[0].count)
    sample = "".join(head[1:])
    comma = separator != "," and sample.count(",") > sample.count(".") / 4
    raw = _parsed(text, separator, "," if comma else ".", path, notes)
    if raw.empty or raw.shape[1] < 2:
        raise ReadingError(f"{path} has no rows of times and values; give a CSV with a header")
    raw.columns = pd.Index([str(name).strip() for name in raw.columns])
    return raw, [*notes, *(["numbers are written with a decimal comma"] if comma else [])]


def _parsed(text: str, separator: str, decimal: str, path: Path, notes: list[str]) -> pd.DataFrame:
    """Read the rows; those with more fields than the header has are left out.

    Raises: ReadingError if there is no header.
    """
    said: list[warnings.WarningMessage]
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", pd.errors.ParserWarning)
            raw = pd.read_csv(
                StringIO(text), sep=separator, decimal=decimal, low_memory=False,
                skipinitialspace=True, on_bad_lines="warn",
            )  # fmt: skip
    except ValueError as problem:
        why = " ".join(str(problem).split())
        raise ReadingError(f"{path} is no CSV: {why}; give one with a header line") from problem
    ragged = sum(str(each.message).count("Skipping line") for each in said)
    if ragged:
        notes.append(f"{ragged} lines have more fields than the header and are left out")
    return raw


def _text(path: Path) -> tuple[str, list[str]]:
    """Read a plain or a gzip-compressed text; old spreadsheets write Latin-1 or UTF-16."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            return raw.decode("utf-16"), ["the file is written in UTF-16"]
        if b"\0" not in raw:
            return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return raw.decode("latin-1"), ["the file is no UTF-8, read as Latin-1"]
    except (OSError, EOFError) as problem:
        raise ReadingError(f"{path} cannot be read: {problem}; give a CSV") from problem
    raise ReadingError(f"{path} is no text; give a CSV with a header line")


def _no_column(target: str, frame: pd.DataFrame, path: object) -> str:
    there = ", ".join(str(name) for name in frame.columns[:12])
    return f"{path} has no column {target!r}; there are {there}: give one of them with --column"


def _renamed(frame: pd.DataFrame, rename: Mapping[str, str]) -> pd.DataFrame:
    missing = [old for old in rename.values() if old not in frame]
    if missing:
        there = ", ".join(str(name) for name in frame.columns[:12])
        raise ReadingError(f"there is no column {missing[0]!r} to take; there are {there}")
    extra = {new: frame[old] for new, old in rename.items() if new != old}
    return frame.assign(**extra)


# --- times -----------------------------------------------------------------------------------


def _split(
    raw: pd.DataFrame, timezone: str, notes: list[str]
) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
    """Part the column of times from the others; rows without a readable time are left out."""
    name = _time_column(raw)
    clock = _clock_column(raw, name)
    texts = raw[name] if clock is None else _together(raw[name], raw[clock])
    stamps = _instants(texts, name, timezone, notes)
    bad = stamps.isna()
    if bad.all():
        raise ReadingError(f"column {name!r} holds no times; give ISO 8601 in UTC")
    if bad.any():
        notes.append(f"{int(bad.sum())} rows have no readable time and are left out")
    if clock is not None:
        notes.append(f"times are put together from the columns {name} and {clock}")
    frame = raw.drop(columns=name).loc[~bad]
    return frame, pd.DatetimeIndex(stamps[~bad])


def _by_name(raw: pd.DataFrame) -> dict[str, str]:
    return {str(name).lower().replace(" ", "_"): str(name) for name in raw.columns}


def _clock_column(raw: pd.DataFrame, dates: str) -> str | None:
    """Name the column that holds the time of day where dates stand apart from it."""
    by_name = _by_name(raw)
    if not raw[dates].astype("string").str.match(_DATE_ALONE).all():
        return None
    return next((by_name[each] for each in CLOCK_NAMES if each in by_name), None)


def _together(dates: pd.Series[str], clocks: pd.Series[Any]) -> pd.Series[str]:
    """Join dates with times of day, or with hours from 0 to 23 or from 1 to 24."""
    day = dates.astype("string").str.strip()
    if not pd.api.types.is_numeric_dtype(clocks):
        return day + " " + clocks.astype("string").str.strip()
    hours = clocks.astype(float).round()
    hours = hours - 1.0 if hours.max() == 24.0 and hours.min() >= 1.0 else hours
    texts = hours.astype("Int64").astype("string").str.zfill(2)
    return pd.Series(day + " " + texts + ":00")


def _time_column(raw: pd.DataFrame) -> str:
    by_name = _by_name(raw)
    if "date" in by_name and raw[by_name["date"]].astype("string").str.match(_DATE_ALONE).all():
        return by_name["date"]
    for wanted in TIME_NAMES:
        if wanted in by_name:
            return by_name[wanted]
    for low, name in by_name.items():
        if "time" in low or "date" in low or "zeit" in low or "datum" in low or low == "unnamed:_0":
            return name
    return str(raw.columns[0])


def _instants(
    texts: pd.Series[str], name: str, timezone: str, notes: list[str]
) -> pd.Series[pd.Timestamp]:
    """Understand the times; without a zone they are local ones (or UTC where the name says so)."""
    if pd.api.types.is_numeric_dtype(texts):
        numbers = texts.to_numpy(float)
        per_s = 1000.0 if np.nanmedian(numbers) > _LATEST_S else 1.0
        notes.append(f"times are counted since 1970 in {'ms' if per_s > 1.0 else 's'}")
        instants = pd.to_datetime(numbers / per_s, unit="s", utc=True, errors="coerce")
        return pd.Series(pd.DatetimeIndex(instants))
    plain = texts.astype("string").str.strip()
    zoned = plain.str.contains(_ZONED, regex=True, na=False).to_numpy(bool)
    told = pd.Series(pd.NaT, index=range(len(plain)), dtype="datetime64[ns, UTC]")
    if zoned.any():
        parsed = pd.to_datetime(plain[zoned], utc=True, errors="coerce", format="mixed")
        told[zoned] = parsed.to_numpy()
    if (~zoned).any():
        told[~zoned] = _local(plain[~zoned], name, timezone, notes)
    if zoned.any() and (~zoned & plain.notna().to_numpy()).any():
        notes.append(f"some times have a zone and some have none; those without are {timezone}")
    offsets = plain[zoned].str.extract(r"([+-]\d{2}:?\d{2})\s*$")[0].nunique()
    if offsets > 1:
        notes.append(f"times with {offsets} different offsets, all brought to UTC")
    return told


def _local(texts: pd.Series[str], name: str, timezone: str, notes: list[str]) -> pd.DatetimeIndex:
    """Read times without a zone; of an hour that comes twice the first is summer time."""
    first_day = bool(texts.str.contains(_DOTTED, regex=True, na=False).any()) and _day_first(texts)
    naive = pd.DatetimeIndex(
        pd.to_datetime(texts, errors="coerce", format="mixed", dayfirst=first_day)
    )
    if "utc" in name.lower():
        return naive.tz_localize("UTC")
    notes.append(f"times have no zone and are taken as local time of {timezone}")
    first = ~pd.Series(naive).duplicated().to_numpy()
    zoned = naive.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    return zoned.tz_convert("UTC")


def _day_first(texts: pd.Series[str]) -> bool:
    """Tell 31.12.2024 and 12/31/2024 apart by what cannot be a month."""
    parts = texts.str.extract(r"^\s*(\d{1,2})([./])\s*(\d{1,2})[./]")
    if (parts[1] == ".").any():
        return True
    numbers = parts[[0, 2]].astype("Float64")
    return bool((numbers[0] > 12).any()) or not bool((numbers[2] > 12).any())


# --- numbers ---------------------------------------------------------------------------------


def _pointed(texts: pd.Series[str]) -> pd.Series[str]:
    """Write numbers with a decimal point: 1,5 and 1.234,5 and 1,234.5 are all understood."""
    grouped = texts.str.contains(r",\d{3}\.", regex=True, na=False)
    turned = texts.str.contains(r"\.\d{3},", regex=True, na=False)
    bare = texts.mask(grouped, texts.str.replace(",", ""))
    bare = bare.mask(turned, bare.str.replace(".", ""))
    return bare.str.replace(",", ".", n=1)


def _numbers(frame: pd.DataFrame, target: str, notes: list[str]) -> pd.DataFrame:
    """Turn columns into floats; what is no number is missing. Columns of texts are left out."""
    kept: dict[str, npt.NDArray[np.float64]] = {}
    for name in frame.columns:
        column = frame[name]
        if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
            texts = column.astype("string").str.strip()
            values = pd.to_numeric(_pointed(texts), errors="coerce")
            lost = int((values.isna() & texts.notna() & (texts != "")).sum())
            if name != target and values.isna().all():
                continue
            if lost:
                notes.append(f"{lost} values of {name} are no numbers and count as missing")
        else:
            values = pd.to_numeric(column, errors="coerce")
        array = values.to_numpy(dtype=float, na_value=np.nan)
        kept[str(name)] = np.where(np.isfinite(array), array, np.nan)
    return pd.DataFrame(kept, index=frame.index)
