"""How commands speak: results on stdout, complaints on stderr, one JSON object with `--json`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from pems_actors.gateways.wire import json_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

FAILED = 1
BAD_USAGE = 2
STDOUT, STDERR = 1, 2


class Refusal(Exception):  # noqa: N818 - said as what it is to the user
    """A command that cannot be done, as sentences with a way out, and its exit code."""

    def __init__(self, says: str, code: int = FAILED) -> None:
        super().__init__(says)
        self.code = code


def refuse(says: str, code: int = FAILED) -> NoReturn:
    """Give up with a sentence."""
    raise Refusal(says, code)


def complain(says: str) -> None:
    """Say something on stderr, line by line."""
    for line in says.splitlines():
        print(f"pems: {line}", file=sys.stderr)


def say_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """Print exactly one JSON value."""
    print(json_text(value))


@contextmanager
def native_noise_apart() -> Iterator[None]:
    """Send what native libraries print on stdout to stderr: stdout carries the report alone."""
    sys.stdout.flush()
    kept = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        yield
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


def console() -> Console:
    """Make the console for tables and drawings."""
    from rich.console import Console  # noqa: PLC0415 - only where something is drawn

    return Console(highlight=False)


def show(what: RenderableType) -> None:
    """Print a drawing, in colour where the terminal has it."""
    console().print(what)
