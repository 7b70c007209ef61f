"""The configuration's shape as paths: what lies at `battery.capacity_kwh`, and what is good there.

Walks the types of the models, not their values, so that an override can be typed and a problem
can say what to write even where nothing valid is there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from config.base import Good

Steps = tuple[str | int, ...]

_PLAIN = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text in quotes",
    tuple: "a list in square brackets",
    dict: "an object in braces",
}


def unwrapped(shape: Any) -> tuple[Any, tuple[Any, ...]]:
    """Take `Annotated` and `| None` off a type: the core and what was noted beside it."""
    notes: tuple[Any, ...] = ()
    while True:
        if get_origin(shape) is Annotated:
            shape, *more = get_args(shape)
            notes += tuple(more)
        elif is_union(shape):
            shape = next(arg for arg in get_args(shape) if arg is not NoneType)
        else:
            return shape, notes


def is_union(shape: Any) -> bool:
    """Whether a type is `X | None`."""
    return get_origin(shape) in (Union, UnionType)


def allows_none(shape: Any) -> bool:
    """Whether `null` is a value of this type."""
    core = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    return is_union(core) and NoneType in get_args(core)


def is_part(core: Any) -> bool:
    """Whether a bare type is one of our models."""
    return isinstance(core, type) and issubclass(core, BaseModel)


def child(shape: Any, path: Steps, *, key: bool = False) -> Any:
    """Find the type at a path, or `None` where the shape has no such place.

    With `key`, the type of the mapping's keys at the path instead of the mapping itself.
    """
    for step in path:
        shape = _step(shape, step)
    core, _ = unwrapped(shape)
    return get_args(core)[0] if key and get_origin(core) is dict else shape


def _step(shape: Any, step: str | int) -> Any:
    core, _ = unwrapped(shape)
    if is_part(core):
        return _of_field(core.model_fields.get(str(step)))
    if get_origin(core) is dict:
        return get_args(core)[1]
    if get_origin(core) is tuple and str(step).isdigit():
        items = get_args(core)
        return items[0] if items[-1] is Ellipsis else dict(enumerate(items)).get(int(step))
    return None


def _of_field(field: FieldInfo | None) -> Any:
    """Put a field's notes back beside its type."""
    if field is None or not field.metadata:
        return field and field.annotation
    return Annotated[field.annotation, *field.metadata]


def field_names(shape: Any) -> tuple[str, ...]:
    """Name the fields of a model; nothing for other types."""
    core, _ = unwrapped(shape)
    return tuple(core.model_fields) if is_part(core) else ()


def good_value(shape: Any) -> str:
    """Say in words what may stand here."""
    core, notes = unwrapped(shape)
    if told := next((note.says for note in notes if isinstance(note, Good)), None):
        return told
    if get_origin(core) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(core))
    if is_part(core):
        return "an object with " + ", ".join(field_names(core))
    return _PLAIN.get(get_origin(core) or core, "another value")


def with_defaults(shape: Any, value: Any) -> Any:
    """Write out what the models would assume for missing keys; what is there stays as it is."""
    core, _ = unwrapped(shape)
    if not isinstance(value, dict):
        return value
    if get_origin(core) is dict:
        return {key: with_defaults(get_args(core)[1], item) for key, item in value.items()}
    if not is_part(core):
        return value
    missing = {
        name: to_jsonable_python(field.get_default(call_default_factory=True, validated_data={}))
        for name, field in core.model_fields.items()
        if name not in value and not field.is_required()
    }
    given = {key: with_defaults(_step(shape, key), item) for key, item in value.items()}
    return given | missing


def leaves(shape: Any, value: Any, path: Steps = ()) -> Iterator[Steps]:
    """List the path of every value that has no parts of its own; lists count as one value.

    `value` is the raw data of the shape; it names the keys of mappings.
    """
    core, _ = unwrapped(shape)
    given = value if isinstance(value, Mapping) else {}
    if is_part(core):
        for name in core.model_fields:
            yield from leaves(_step(shape, name), given.get(name), (*path, name))
    elif get_origin(core) is dict:
        for name in given:
            yield from leaves(get_args(core)[1], given[name], (*path, name))
    else:
        yield path
