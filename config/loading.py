"""The door of the configuration: file, `.env` and environment in, one checked house out.

Precedence: command line > environment > `.env` > JSON > defaults. Everything that is wrong is
found in one go and told by `ConfigError`. Files are read in `files.py`, names in `overrides.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from config import checks
from config.completion import Raw, completed, written_at
from config.files import config_file, read_json
from config.house_model import inlined
from config.layers import Entry, Layer, read_layers
from config.overrides import Overlaid, overlaid, overrides_of
from config.problems import ConfigError, Finding, Problem, findings, located, shown
from config.settings import NAMES, QUIET, Settings
from config.shape import Steps, child, good_value
from config.system import SystemConfig


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A checked house, the settings beside it, and how both came about.

    `effective` is everything in force as plain data (secrets are stars): the sections of the
    system, and `settings`. `sources` maps a dotted path or a settings name to the layer that set
    it; what is not named comes from `path` or is a default.
    """

    system: SystemConfig
    settings: Settings
    effective: dict[str, Any]
    sources: dict[str, str]
    path: Path
    warnings: tuple[Problem, ...] = ()


def load(
    path: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    dotenv: Path | None = None,
    overrides: Iterable[str] = (),
) -> LoadedConfig:
    """Load the house.

    Args:
        path: a file, or a preset's name; `PEMS_CONFIG_PATH`, else the reference house.
        env: variables to use instead of the process's; then `.env` is only read if named.
        dotenv: the `.env` to read; by default the working directory's, else the clone's.
        overrides: texts like `battery.capacity_kwh=12`, stronger than all else.
    Raises: ConfigError with every problem found.
    """
    layers, problems = read_layers(env, dotenv)
    settings, addresses, settings_problems = _settings(layers)
    file = config_file(path or _chosen(layers))
    raw, file_problems = read_json(file)
    problems += settings_problems + file_problems
    if raw is not None:
        problems += inlined(raw, file)
    system = None
    sources = addresses
    if raw is not None:
        over = overlaid(raw, overrides_of(layers, overrides))
        system, house_problems = validated(over, file.name)
        problems += over.problems + house_problems
        sources |= {_dotted(at): origin.layer for at, origin in over.origins.items()}
    if system is None or settings is None or any(p.severity == "error" for p in problems):
        raise ConfigError(problems)
    effective = system.model_dump(mode="json") | {"settings": settings.masked()}
    return LoadedConfig(system, settings, effective, sources, file, tuple(problems))


def file_of(path: Path | str | None = None, env: Mapping[str, str] | None = None) -> Path:
    """Find the file that `load` would read."""
    layers, _ = read_layers(env, None)
    return config_file(path or _chosen(layers))


def _chosen(layers: Sequence[Layer]) -> str | None:
    """Read the wished house from the layers, even while another setting is broken."""
    wishes = [layer.entries.get("PEMS_CONFIG_PATH") for layer in layers]
    return next((wish.text for wish in reversed(wishes) if wish), None)


def validated(over: Overlaid, file: str) -> tuple[SystemConfig | None, list[Problem]]:
    """Validate a raw house with its overrides, and find all problems in one go.

    Returns: the house, or None if it has errors; and the problems, warnings among them.
    """
    full = completed(over.raw)
    found: list[Finding] = []
    system: SystemConfig | None = None
    try:
        system = SystemConfig.model_validate_json(_dump(full))
        found = checks.run(system, SystemConfig.model_fields)
    except ValidationError as error:
        found = list(findings(error, SystemConfig))
        valid = _valid_sections(full, broken={finding.path[0] for finding in found})
        found += checks.run(SystemConfig.model_construct(**valid), valid)
    placed = [Finding(written_at(over.raw, f.path), f.says, f.severity) for f in found]
    problems = [located(finding, file, over.origins) for finding in placed]
    return system, list(dict.fromkeys(problems))


def _valid_sections(full: Raw, broken: set[str | int]) -> dict[str, Any]:
    """Read the sections without errors one by one, so that their checks can still run."""
    names = [name for name in SystemConfig.model_fields if name not in broken]
    defaults = {
        name: SystemConfig.model_fields[name].get_default(
            call_default_factory=True, validated_data={}
        )
        for name in names
        if name not in full
    }
    given = {
        name: TypeAdapter(child(SystemConfig, (name,))).validate_json(_dump(full[name]))
        for name in names
        if name in full
    }
    return defaults | given


def _dump(value: object) -> str:
    """Write plain data as JSON again: pydantic is strict, but knows that JSON has no tuples."""
    return json.dumps(value)


def _settings(layers: Sequence[Layer]) -> tuple[Settings | None, dict[str, str], list[Problem]]:
    """Type the addresses and secrets; say which layer each came from."""
    given = {
        name: (layer, layer.entries[name])
        for layer in layers
        for name in NAMES
        if name in layer.entries
    }
    values: dict[str, Any] = {name.lower(): entry.text for name, (_, entry) in given.items()}
    sources = {name: layer.name for name, (layer, _) in given.items()}
    try:
        return Settings(**values), sources, []
    except ValidationError as error:
        return None, sources, list(_settings_problems(error, given))


def _settings_problems(
    error: ValidationError, given: Mapping[str, tuple[Layer, Entry]]
) -> Iterator[Problem]:
    for detail in error.errors(include_url=False, include_input=False):
        name = str(detail["loc"][0]).upper()
        layer, entry = given[name]
        is_what = "is no good value" if name in QUIET else f"is {shown(entry.text)}"
        good = good_value(child(Settings, (name.lower(),)))
        yield Problem(layer.name, "", f"{entry.written_as} {is_what}; give {good}.")


def _dotted(path: Steps) -> str:
    return ".".join(map(str, path))


class LiveConfig:
    """The configuration in force: a reload that fails keeps the last good one."""

    def __init__(
        self,
        path: Path | str | None = None,
        env: Mapping[str, str] | None = None,
        dotenv: Path | None = None,
        overrides: Iterable[str] = (),
    ) -> None:
        self._given = (path, env, dotenv, tuple(overrides))
        self.current = load(*self._given)
        self.problems: tuple[Problem, ...] = ()

    def reload(self) -> LoadedConfig | tuple[Problem, ...]:
        """Read everything again; on problems the current configuration stays in force.

        Returns: the new configuration, or what is wrong with it (also kept in `problems`).
        """
        try:
            self.current = load(*self._given)
        except ConfigError as error:
            self.problems = error.problems
            return self.problems
        self.problems = ()
        return self.current
