"""The house that a co-simulation is given: a file, a preset, plain data, or loaded settings.

Files and presets go the usual way, environment included. Plain data stand for themselves, so that
a run depends on nothing but what it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import config
from config import ConfigError, LoadedConfig, SystemConfig
from config.house_model import inlined
from config.loading import validated
from config.overrides import overlaid

NAME = "the given configuration"
Given = str | Path | Mapping[str, Any] | SystemConfig | LoadedConfig | None


def system_of(given: Given) -> SystemConfig:
    """Find the checked house.

    Raises: ConfigError with every problem found.
    """
    match given:
        case SystemConfig():
            return given
        case LoadedConfig():
            return given.system
        case Mapping():
            return _from_data(dict(given))
        case _:
            return config.load(given).system


def _from_data(raw: dict[str, Any]) -> SystemConfig:
    unread = inlined(raw, Path.cwd() / NAME)
    over = overlaid(raw, [])
    system, problems = validated(over, NAME)
    problems = [*unread, *over.problems, *problems]
    if system is None or any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems)
    return system
