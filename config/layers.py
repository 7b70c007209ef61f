"""The layers above the file: `.env` and the environment, read into plain names and texts.

Knows the names of old (`INFLUXDB_HOST`, `LATITUDE`, `INFLUXDB_BUCKET_SOLAR`) and which of ours
they stand for, layer by layer: an old name in the environment still beats a new one in `.env`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from config.operation import Buckets
from config.problems import Problem, nearest
from config.settings import CLONE, NAMES

ENVIRONMENT = "environment"
DOTENV = ".env"

RENAMED = {
    "INFLUXDB_HOST": "INFLUXDB_URL",
    "LATITUDE": "PEMS_SYSTEM__SITE__LATITUDE_DEG",
    "LONGITUDE": "PEMS_SYSTEM__SITE__LONGITUDE_DEG",
    "MQTT_TOPICS": "PEMS_TOPICS__UDP_BRIDGE",
    "WEATHER_UPDATE_INTERVAL": "PEMS_MODELS__WEATHER__UPDATE_INTERVAL_SECONDS",
    "PEMS_HORIZON_HOURS": "PEMS_OPTIMIZATION__HORIZON_HOURS",
    "PEMS_MAX_SOLVE_TIME": "PEMS_OPTIMIZATION__MAX_SOLVE_TIME_SECONDS",
} | {
    f"INFLUXDB_BUCKET_{bucket}": f"PEMS_INFLUX__BUCKETS__{bucket}"
    for bucket in map(str.upper, Buckets.model_fields)
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One value with the name it was written under."""

    text: str
    written_as: str

    def __repr__(self) -> str:
        """Never show the text: it may be a secret."""
        return f"Entry({self.written_as})"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: entries by today's names. Blank values do not count as given."""

    name: str
    entries: Mapping[str, Entry]


def layer(name: str, values: Mapping[str, str]) -> Layer:
    """Bring a mapping of variables to today's names; a new name beats its old one."""
    given = {key.upper(): _printable(text) for key, text in values.items() if text.strip()}
    old = {RENAMED[key]: Entry(text, key) for key, text in given.items() if key in RENAMED}
    new = {key: Entry(text, key) for key, text in given.items() if key not in RENAMED}
    return Layer(name, old | new)


def _printable(text: str) -> str:
    """Replace bytes that were no UTF-8, so that the text can be told in a sentence."""
    return text.encode("utf-8", "replace").decode()


def read_layers(
    env: Mapping[str, str] | None, dotenv: Path | None
) -> tuple[tuple[Layer, ...], list[Problem]]:
    """Read `.env` and the environment, weakest first, with what could not be read.

    With `env` given nothing else of the process is looked at: no `os.environ`, and `.env` only if
    it is named.
    """
    if dotenv is None and env is None:
        dotenv = next((p for p in (Path.cwd() / ".env", CLONE / ".env") if p.is_file()), None)
    values, problems = _read_dotenv(dotenv) if dotenv else ({}, [])
    below = layer(DOTENV, values)
    problems += [Problem(DOTENV, "", says, "warning") for says in _misspelt(values)]
    return (below, layer(ENVIRONMENT, os.environ if env is None else env)), problems


def _read_dotenv(path: Path) -> tuple[dict[str, str], list[Problem]]:
    """Read `NAME=value` lines; a line that is none becomes a problem without its text."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = tuple(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        says = f"cannot be read, {reason}; give a text file of NAME=value lines."
        return {}, [Problem(str(path), "", says)]
    problems = [
        Problem(DOTENV, f"line {bad.original.line}", "is no setting; write NAME=value.")
        for bad in bindings
        if bad.error or (bad.key is not None and bad.value is None)
    ]
    return {b.key: b.value for b in bindings if b.key and b.value is not None}, problems


def _misspelt(values: Mapping[str, str]) -> list[str]:
    """Notice names in `.env` that are almost ours; names of other programs pass."""
    known = (*NAMES, *RENAMED)
    strange = (name for name in values if name not in known and not name.startswith("PEMS_"))
    return [
        f"{name} is not known; did you mean {near}?"
        for name in strange
        if (near := nearest(name, known, cutoff=0.85))
    ]
