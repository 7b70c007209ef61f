"""Safe JSON at the edge: bytes of a stranger in, plain values or a sentence out.

Knows nothing of topics or devices. What comes in may be huge, broken, nested a thousand deep or
hold NaN; it becomes a `Rejected` with its reason and never an exception, because a callback of a
network thread that raises takes the thread with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 64 * 1024
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a message was not taken, and as much of its sender as could be read (for the reply)."""

    reason: str
    id: str | None = None
    path: str | None = None
    verb: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message to publish: a topic, its text, and how it travels.

    A text given as a function is written when somebody sends it: most states are replaced before,
    or told to nobody.
    """

    topic: str
    text: str | Callable[[], str]
    retain: bool = False
    qos: int = 1

    @property
    def payload(self) -> str:
        """Its text, written out."""
        return self.text if isinstance(self.text, str) else self.text()


def read_text(payload: bytes, limit: int = MAX_BYTES) -> str | Rejected:
    """Decode a payload as UTF-8 text of at most `limit` bytes."""
    if len(payload) > limit:
        return Rejected(f"payload is over {limit} bytes; send at most that")
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return Rejected("payload is not UTF-8 text; encode it as UTF-8")


def read_json(
    payload: bytes, limit: int = MAX_BYTES, *, nan_is_unknown: bool = False
) -> Any | Rejected:
    """Read a payload as JSON without NaN, infinities or lone surrogates.

    nan_is_unknown: take NaN, which many programs write for a missing value, as null.
    """
    text = read_text(payload, limit)
    if isinstance(text, Rejected):
        return text
    constant = _nan_as_null if nan_is_unknown else _refuse_constant
    try:
        value = json.loads(text, parse_constant=constant, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone \ud800 would fail later
    except (ValueError, RecursionError) as error:
        return Rejected(f"payload is not usable JSON ({_short(error)}); send one plain JSON value")
    return value


def read_object(
    payload: bytes, limit: int = MAX_BYTES, *, nan_is_unknown: bool = False
) -> dict[str, Any] | Rejected:
    """Read a payload as one JSON object; see `read_json`."""
    value = read_json(payload, limit, nan_is_unknown=nan_is_unknown)
    if isinstance(value, Rejected | dict):
        return value
    return Rejected(f"payload is JSON of type {type(value).__name__}; send one object like {{}}")


def number(value: object) -> float | None:
    """Take a finite JSON number as float; anything else, a bool included, is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        figure = float(value)
    except OverflowError:
        return None
    return figure if math.isfinite(figure) else None


def json_text(value: object) -> str:
    """Write plain values as compact JSON; a figure that is not finite becomes null (unknown)."""
    try:
        return _COMPACT.encode(value)
    except (ValueError, TypeError):  # a figure that is none, or a mapping of our own: rare
        return _COMPACT.encode(_plain(value))


def _plain(value: object) -> object:
    """Copy mappings and sequences, with every non-finite float turned into None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _nan_as_null(name: str) -> float | None:
    return None if name == "NaN" else _refuse_constant(name)


def _finite(text: str) -> float:
    figure = float(text)
    if not math.isfinite(figure):
        raise ValueError(f"{text[:20]} is beyond any number")
    return figure


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:120]
