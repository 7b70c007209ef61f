"""Codecs: pairs of functions between a value and plain data, ready for JSON, put together by hand.

Each one checks what it reads: a wrong type, a NaN or an unknown name is refused with the place
where it stands. A field that is missing takes its default, so that fields may be added later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf, isnan
from typing import Any, Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")
E = TypeVar("E", bound=Enum)

_ENDLESS = {"inf": inf, "-inf": -inf}  # JSON knows no infinite numbers


class UnreadableError(ValueError):
    """Plain data that is not what it should be, with its place."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a kind of value is written and read. `read` raises UnreadableError."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]
    fields: frozenset[str] = frozenset()  # of a record: what is written of it


def _write_number(value: float) -> float | str:
    if isnan(value):
        raise ValueError("NaN is never remembered")
    if value in {inf, -inf}:
        return "inf" if value > 0.0 else "-inf"
    return float(value)


def _read_number(data: Any) -> float:
    if isinstance(data, str) and data in _ENDLESS:
        return _ENDLESS[data]
    if isinstance(data, bool) or not isinstance(data, float | int) or isnan(data):
        raise UnreadableError(f"{data!r} is no number")
    return float(data)


def _as(kind: type[T], name: str) -> Callable[[Any], T]:
    def read(data: Any) -> T:
        if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
            raise UnreadableError(f"{data!r} is no {name}")
        return data

    return read


NUMBER: Codec[float] = Codec(_write_number, _read_number)
COUNT: Codec[int] = Codec(int, _as(int, "count"))
FLAG: Codec[bool] = Codec(bool, _as(bool, "yes or no"))
TEXT: Codec[str] = Codec(str, _as(str, "text"))


def optional(codec: Codec[T]) -> Codec[T | None]:
    """Make a codec for a value that may be None."""
    return Codec(
        lambda value: None if value is None else codec.write(value),
        lambda data: None if data is None else codec.read(data),
    )


def many(codec: Codec[T], count: int | None = None) -> Codec[tuple[T, ...]]:
    """Make a codec for a tuple, of `count` values where that is given."""

    def read(data: Any) -> tuple[T, ...]:
        items = _as(list, "list")(data)
        if count is not None and len(items) != count:
            raise UnreadableError(f"{len(items)} values instead of {count}")
        return tuple(_at(f"[{k}]", codec, item) for k, item in enumerate(items))

    return Codec(lambda values: [codec.write(value) for value in values], read)


def table(codec: Codec[T]) -> Codec[Mapping[str, T]]:
    """Make a codec for a mapping by name."""

    def read(data: Any) -> Mapping[str, T]:
        items = _as(dict, "table")(data)
        return {name: _at(f"[{name!r}]", codec, item) for name, item in items.items()}

    return Codec(lambda values: {str(n): codec.write(v) for n, v in values.items()}, read)


def numbered(codec: Codec[T]) -> Codec[Mapping[int, T]]:
    """Make a codec for a mapping by whole number; it is written as pairs."""

    def read(data: Any) -> Mapping[int, T]:
        pairs = (_as(list, "list")(pair) for pair in _as(list, "list")(data))
        try:
            return {COUNT.read(number): codec.read(value) for number, value in pairs}
        except ValueError as problem:
            raise UnreadableError(str(problem)) from None

    return Codec(lambda values: [[int(n), codec.write(v)] for n, v in values.items()], read)


def one_of(kind: type[E]) -> Codec[E]:
    """Make a codec for an enumeration, by value."""

    def read(data: Any) -> E:
        try:
            return kind(data)
        except ValueError:
            raise UnreadableError(f"{data!r} is no {kind.__name__}") from None

    return Codec(lambda value: value.value, read)


def record(kind: Callable[..., T], **fields: Codec[Any]) -> Codec[T]:
    """Make a codec for a frozen value with these fields; those left out take their defaults."""

    def write(value: T) -> dict[str, Any]:
        return {name: codec.write(getattr(value, name)) for name, codec in fields.items()}

    def read(data: Any) -> T:
        given = _as(dict, "record")(data)
        known = {n: _at(f".{n}", c, given[n]) for n, c in fields.items() if n in given}
        try:
            return kind(**known)
        except (TypeError, ValueError) as problem:
            raise UnreadableError(str(problem)) from None

    return Codec(write, read, frozenset(fields))


def _at(place: str, codec: Codec[T], data: Any) -> T:
    """Read a part, and name its place if that fails."""
    try:
        return codec.read(data)
    except UnreadableError as problem:
        text = str(problem)
        joint = "" if text.startswith((".", "[")) else ": "
        raise UnreadableError(f"{place}{joint}{text}") from None
