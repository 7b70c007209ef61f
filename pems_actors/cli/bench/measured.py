"""One measurement from the command line to the exit code: run, told as lines or JSON, judged."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

import typer

from pems_actors.cli.output import BAD_USAGE, FAILED, refuse, say_json

Quick = Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if a target was missed.")]


def measure(name: str, *, strict: bool, as_json: bool, **options: object) -> None:
    """Run a measurement with the options that were given, and tell its figures.

    Raises: Refusal for what cannot be measured so; Exit if a target was missed and that counts.
    """
    module = import_module(f"pems_actors.bench.{name.replace('-', '_')}")
    try:
        told = module.run(**{key: value for key, value in options.items() if value is not None})
    except ValueError as problem:
        refuse(f"{problem}", BAD_USAGE)
    if as_json:
        say_json(told)
    else:
        print("\n".join(lines(told)))
    if strict and not all(told["met"].values()):
        raise typer.Exit(FAILED)


def several(text: str | None) -> tuple[str, ...] | None:
    """Read words with commas between them."""
    return None if text is None else tuple(text.split(","))


def lines(told: Mapping[str, Any]) -> list[str]:
    """Write each figure on a line, with its target and whether it was met; then what was logged."""
    width = max((len(name) for name in told["figures"]), default=0)
    rows = [f"{told['name']} on {_machine(told['machine'])}"]
    for name, value in told["figures"].items():
        target = told["targets"].get(name)
        aim = f"  {target['op']} {target['value']:g}" if target else ""
        verdict = "" if target is None else ("  met" if told["met"][name] else "  MISSED")
        rows.append(f"  {name:<{width}}  {_shown(value)}{aim}{verdict}")
    return [*rows, *told.get("log", ())]


def _machine(machine: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    return str(value)
