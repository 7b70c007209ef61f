"""Values laid over the file by name: `PEMS_BATTERY__CAPACITY_KWH=15` or `battery.capacity_kwh=15`.

Any value at any depth can be named; keys are found whatever their case, and a text is typed by the
place it goes to. Where a value has two names (`completion.twin`), setting one sets the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from config.completion import RENAMED, Raw, completed, has, renamed, twin
from config.files import UnreadableError, parse
from config.layers import Layer
from config.problems import Origin, Problem, findings, nearest, shown
from config.settings import NAMES
from config.shape import (
    Steps,
    allows_none,
    child,
    field_names,
    good_value,
    is_part,
    leaves,
    unwrapped,
    with_defaults,
)
from config.system import SystemConfig

PREFIX = "PEMS_"
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Override:
    """A named text to lay over the file, still to be understood."""

    name: str
    parts: tuple[str, ...]
    text: str
    layer: str

    @property
    def must_fit(self) -> bool:
        """Whether an unknown name is a mistake; `PEMS_X` without `__` may be somebody else's."""
        return self.layer == COMMAND_LINE or len(self.parts) > 1


@dataclass(slots=True)
class Overlaid:
    """The raw file with all overrides in it, who set what, and what could not be set."""

    raw: Raw
    origins: dict[Steps, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _RefusedError(Exception):
    """A text that does not fit its place; the message follows the name."""


def overrides_of(layers: Sequence[Layer], wishes: Iterable[str]) -> list[Override]:
    """Collect all overrides, weakest first; in one layer whole parts come before their values.

    `wishes` are texts like `battery.capacity_kwh=12`.
    """
    found = []
    for layer in layers:
        named = [
            Override(
                entry.written_as, tuple(name[len(PREFIX) :].split("__")), entry.text, layer.name
            )
            for name, entry in layer.entries.items()
            if name.startswith(PREFIX) and name not in NAMES
        ]
        found += sorted(named, key=lambda override: (len(override.parts), override.name))
    for wish in wishes:
        name, _, text = wish.partition("=")
        found.append(Override(name.strip(), tuple(name.strip().split(".")), text, COMMAND_LINE))
    return found


def overlaid(raw: Raw, overrides: Sequence[Override]) -> Overlaid:
    """Lay overrides over a raw file, in order, each typed by the place it goes to."""
    result = Overlaid(renamed(raw))
    known = _known(result.raw)
    for override in overrides:
        path = resolve(override.parts, known)
        if path is None:
            result.problems.append(_not_known(override, known))
            continue
        try:
            value = typed(child(SystemConfig, path), override.text)
        except _RefusedError as refused:
            says = f"{override.name} {refused}."
            result.problems.append(Problem(override.layer, "", says))
        else:
            _lay(result, known, path, value, override)
    return result


def _known(raw: Raw) -> Raw:
    """Write out all keys there are, and those that may be added: a rating for each relay."""
    known: Raw = with_defaults(SystemConfig, completed(raw))
    relays, rated = known.get("relays"), known.get("room_power_ratings_kw")
    if isinstance(relays, dict) and isinstance(rated, dict):
        known["room_power_ratings_kw"] = dict.fromkeys(relays) | rated
    return known


def resolve(parts: Sequence[str], known: Any) -> Steps | None:
    """Find the path that a name's parts mean, whatever their case; `None` if there is none.

    `known` is the completed raw configuration: it has the keys of all mappings.
    """
    shape: Any = SystemConfig
    path: Steps = ()
    for part in parts:
        step = _match(part, shape, known, path)
        if step is None:
            return None
        path, shape = (*path, step), child(shape, (step,))
        known = _item(known, step)
    return path


def _match(part: str, shape: Any, known: Any, path: Steps) -> str | int | None:
    """Find the field, key or index that one part of a name means."""
    core, _ = unwrapped(shape)
    if get_origin(core) is tuple:
        fits = part.isdecimal() and isinstance(known, list) and int(part) < len(known)
        return int(part) if fits else None
    keys: Iterable[str] = field_names(shape)
    if get_origin(core) is dict:
        keys = known if isinstance(known, dict) else ()
    by_fold = {key.casefold(): key for key in keys}
    old = RENAMED.get((*path, part.casefold()))
    return by_fold.get(part.casefold(), old)


def _item(known: Any, step: str | int) -> Any:
    if isinstance(known, dict):
        return known.get(step)
    return known[step] if isinstance(known, list) and isinstance(step, int) else None


def typed(shape: Any, text: str) -> Any:
    """Read a text as a value of a type, as plain JSON data.

    Lists are JSON or separated by commas, objects are JSON, `null` is None where that may be.
    Raises: _RefusedError with words to follow the name.
    """
    core, _ = unwrapped(shape)
    if allows_none(shape) and text.strip().casefold() in {"null", "none"}:
        return None
    value: Any = text.strip()
    if get_origin(core) is Literal:
        by_fold = {str(choice).casefold(): choice for choice in get_args(core)}
        value = by_fold.get(value.casefold(), value)
    elif get_origin(core) is tuple:
        value = _json(value, shape) if value.startswith("[") else value.split(",")
    elif get_origin(core) is dict or is_part(core):
        return _json(value, shape)
    try:
        return to_jsonable_python(TypeAdapter(shape).validate_python(value))
    except ValidationError as error:
        raise _RefusedError(next(findings(error, shape)).says) from None


def _json(text: str, shape: Any) -> Any:
    try:
        value = parse(text)
    except UnreadableError as error:
        raise _RefusedError(f"{error.place} {error.says}".strip()) from None
    if not isinstance(value, list if text.startswith("[") else dict):
        raise _RefusedError(f"is {shown(text)}; give {good_value(shape)}, written as JSON")
    return value


def _lay(result: Overlaid, known: Any, path: Steps, value: Any, override: Override) -> None:
    """Set a value, its twin if that is written too, and note who did it."""
    for spread, item in _spread(path, value):
        leaf = (*spread[:-1], RENAMED.get(spread, spread[-1]))
        _set(result.raw, known, leaf, item)
        result.origins[leaf] = Origin(override.layer, override.name)
        other = twin(leaf)
        if other and has(result.raw, other):
            _set(result.raw, known, other, item)
            result.origins[other] = Origin(override.layer, override.name)


def _spread(path: Steps, value: Any) -> Iterator[tuple[Steps, Any]]:
    """Take an object apart into its values, so that what it does not name stays as it was."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _spread((*path, key), item)
    else:
        yield path, value


def _set(raw: Raw, known: Any, path: Steps, value: Any) -> None:
    """Write a value at a path, making the objects on the way; a list is first copied whole."""
    at: Any = raw
    for step, after in pairwise(path):
        known = _item(known, step)
        inside = _item(at, step)
        if not isinstance(inside, list if isinstance(after, int) else dict):
            inside = deepcopy(known) if isinstance(after, int) else {}
        at[step] = inside
        at = inside
    at[path[-1]] = value


def _not_known(override: Override, known: Mapping[str, Any]) -> Problem:
    """Say that a name leads nowhere, and which one was probably meant."""
    by_dots = override.layer == COMMAND_LINE
    names = [
        ".".join(map(str, leaf)) if by_dots else PREFIX + "__".join(map(str, leaf)).upper()
        for leaf in leaves(SystemConfig, known)
    ]
    near = nearest(override.name, names)
    hint = f"did you mean {near}?" if near else "see `pems check --json` for all paths."
    says = f"{override.name} is not known; {hint}"
    return Problem(override.layer, "", says, "error" if override.must_fit else "warning")
