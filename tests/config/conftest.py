"""A house to break: the reference house or the flat, changed and written to a file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raw_houses import raw_of

from config import ConfigError, LoadedConfig, load

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a text, or a changed preset, as `house.json`."""

    def _write(change: Change | str, preset: str = "house17") -> Path:
        path = tmp_path / "house.json"
        if isinstance(change, str):
            path.write_text(change, "utf-8")
        else:
            raw = raw_of(preset)
            change(raw)
            path.write_text(json.dumps(raw), "utf-8")
        return path

    return _write


@pytest.fixture
def loaded(write: Callable[..., Path]) -> Callable[..., LoadedConfig]:
    """Load a changed preset that must be good."""

    def _loaded(change: Change, preset: str = "house17", **given: Any) -> LoadedConfig:
        return load(write(change, preset), **({"env": {}} | given))

    return _loaded


@pytest.fixture
def refused(write: Callable[..., Path]) -> Callable[..., list[str]]:
    """Load a changed preset that must be refused, and give its errors as sentences."""

    def _refused(change: Change | str, preset: str = "house17", **given: Any) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(write(change, preset), **({"env": {}} | given))
        return [str(p) for p in caught.value.problems if p.severity == "error"]

    return _refused
