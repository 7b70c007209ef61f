"""`pems check` and `pems version`: is the configuration good, and what is in force."""

from __future__ import annotations

import platform
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

import typer

from pems_actors.cli.options import AsJson, Config
from pems_actors.cli.output import BAD_USAGE, refuse, say_json

if TYPE_CHECKING:
    from config import LoadedConfig, Problem


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("check", rich_help_panel="Help")(check)
    app.command("version", rich_help_panel="Help")(version)


def loaded_or_refused(config: str | None) -> LoadedConfig:
    """Load the house. Raises: Refusal with one sentence per problem."""
    from config import ConfigError, load  # noqa: PLC0415 - half of a second of its own

    try:
        return load(config)
    except ConfigError as error:
        refuse(str(error), BAD_USAGE)


def check(config: Config = None, as_json: AsJson = False) -> None:
    """Check the configuration and tell what is in force; secrets are masked."""
    from config import ConfigError, load  # noqa: PLC0415

    try:
        loaded = load(config)
    except ConfigError as error:
        if not as_json:
            refuse(str(error), BAD_USAGE)
        problems = [problem_json(problem) for problem in error.problems]
        say_json({"ok": False, "effective": None, "problems": problems})
        raise typer.Exit(BAD_USAGE) from None
    problems = [problem_json(problem) for problem in loaded.warnings]
    if as_json:
        say_json({"ok": True, "effective": loaded.effective, "problems": problems})
    else:
        print("\n".join(summary(loaded)))


def problem_json(problem: Problem) -> dict[str, Any]:
    """Write one problem as data."""
    return {
        "severity": problem.severity,
        "where": problem.where,
        "place": problem.place,
        "says": problem.says,
    }


def summary(loaded: LoadedConfig) -> list[str]:
    """Tell a good configuration in a few lines, with what is worth knowing about it."""
    system, settings = loaded.system, loaded.settings
    broker = settings.mqtt_broker
    house = f"{system.system.name}, {len(system.rooms)} rooms, {len(system.relays)} relays"
    parts = (
        f"tariff {system.tariff.name} in {system.tariff.currency}",
        f"battery {system.battery.capacity_kwh:g} kWh",
        f"broker {f'{broker}:{settings.mqtt_port}' if broker else 'our own'}",
        f"InfluxDB {'yes' if settings.influxdb_url else 'no'}",
    )
    lines = [f"{loaded.path} is good: {house}", ", ".join(parts)]
    if loaded.sources:
        named = ", ".join(f"{name} ({layer})" for name, layer in sorted(loaded.sources.items()))
        lines.append(f"set outside of the file: {named}")
    return [*lines, *(f"note: {warning}" for warning in loaded.warnings)]


def version() -> None:
    """Print the version."""
    print(f"pems {version_of('pems-actors')} (Python {platform.python_version()})")
