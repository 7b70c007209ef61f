"""The last configuration that was good, kept beside the state for a start that nobody attends.

A file that was half written when the power went must not keep a house dark. Whoever starts without
a person takes the house as it was last in force, says what is wrong, and looks at the file again at
the next start. Secrets are not kept: they come from `.env` and the environment as ever.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from config.loading import LoadedConfig, file_of, load
from config.problems import ConfigError, Problem

NAME = "config.last_good.json"


def keep(loaded: LoadedConfig, folder: Path) -> None:
    """Keep a good configuration as it is in force; a write that breaks off leaves the one before.

    Raises: OSError if the disk refuses.
    """
    body = json.dumps(loaded.system.model_dump(mode="json"), indent=1).encode()
    file = folder / NAME
    if file.exists() and file.read_bytes() == body:
        return
    fresh = file.with_suffix(".tmp")
    with fresh.open("wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def load_or_last_good(
    path: Path | str | None, folder: Path, env: Mapping[str, str] | None = None
) -> tuple[LoadedConfig, tuple[Problem, ...]]:
    """Load the house; where that cannot be, the last good one with what is wrong.

    The result names the file that was asked for, so that it is looked at again.
    Raises: ConfigError if there is no last good one that can be used either.
    """
    try:
        return load(path, env), ()
    except ConfigError as refused:
        try:
            last = load(folder / NAME, env)
        except ConfigError:
            raise refused from None
        return replace(last, path=file_of(path, env)), tuple(refused.problems)
