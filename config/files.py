"""Files of the house: where they are, and their JSON read with care.

What cannot be read becomes a problem with line and column. A key written twice, a number that is
none, and a file far too big for a house are refused here, before anything looks at the meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from config.problems import Problem, shown

HERE = Path(__file__).resolve().parent
PRESETS = {
    "house17": HERE / "system_config.json",
    "flat3": HERE / "presets" / "flat3.json",
    "house6-climate": HERE / "presets" / "house6-climate.json",
}
MOST_BYTES = 1_000_000
MOST_LEVELS = 20


class UnreadableError(Exception):
    """Why a text is no configuration: what is wrong, and the place in the text."""

    def __init__(self, says: str, place: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.place = place


def config_file(named: Path | str | None) -> Path:
    """Find the file that is meant: a path, a preset's name, or else the reference house."""
    return PRESETS.get(str(named or "house17")) or Path(str(named)).expanduser()


def read_json(path: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Read a JSON object; on failure None and the one problem that says why."""
    try:
        return _house(_text(path)), []
    except UnreadableError as error:
        return None, [Problem(path.name or str(path), error.place, f"{error.says}.")]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            size_mb = path.stat().st_size / 1e6
            raise UnreadableError(f"is {size_mb:.1f} MB; give a file of one house, below 1 MB")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        known = ", ".join(PRESETS)
        says = f"is not at {path}; give an existing file in PEMS_CONFIG_PATH, or one of {known}"
        raise UnreadableError(says) from None
    except OSError as error:
        raise UnreadableError(f"cannot be read, {error.strerror}; give a readable file") from None
    except UnicodeDecodeError as error:
        place = f"byte {error.start}"
        raise UnreadableError("is not UTF-8 text; save it as UTF-8", place) from None


def _house(text: str) -> dict[str, Any]:
    if not text.strip():
        raise UnreadableError("is empty; copy a preset into it, like config/presets/flat3.json")
    value = parse(text)
    if not isinstance(value, dict):
        raise UnreadableError(f"holds {shown(value)}; give one object in braces")
    return value


def parse(text: str) -> Any:
    """Read JSON, refusing what would be lost or misread silently.

    Raises: UnreadableError with line and column, or with what else cannot be.
    """
    try:
        value = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        says = f"is no valid JSON, {error.msg.lower()}; mend what stands there or just before"
        raise UnreadableError(says, place) from None
    except UnicodeEncodeError:
        raise UnreadableError("has half a character written as \\u; write the letter") from None
    except (RecursionError, ValueError):
        says = "has a number of thousands of digits or endless brackets; write it plainly"
        raise UnreadableError(says) from None
    if (levels := _levels(value)) > MOST_LEVELS:
        raise UnreadableError(f"is nested {levels} levels deep; a house needs about 6")
    return value


def _levels(value: Any) -> int:
    """Count how deep objects and lists lie in each other, without recursion."""
    deep, level = 0, [value]
    while level:
        deep += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return deep


def _inside(value: Any) -> Iterable[Any]:
    """List what lies directly in an object or a list."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object, refusing a key that is written twice: the first would be lost silently."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableError(f'has the key "{twice}" twice in one object; keep one of them')
    return made


def _no_number(name: str) -> float:
    raise UnreadableError(f"has the value {name}; give a number, or null where unknown")
