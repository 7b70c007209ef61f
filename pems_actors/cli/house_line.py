"""The line to a running house: one question over its control socket, one answer or a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pems_actors.cli.output import refuse
from pems_actors.gateways.control_client import NotRunningError, call

PATIENCE_S = 8.0  # an actor has 5 s to answer before the house itself says `timeout`


def answer(
    state: Path,
    verb: str,
    args: Mapping[str, object] | None = None,
    path: str = "",
    timeout_s: float = PATIENCE_S,
) -> dict[str, Any]:
    """Send one request and give the whole final answer, whatever its outcome.

    Raises: Refusal if nobody answers.
    """
    request = {"path": path, "verb": verb, "args": dict(args or {})}
    try:
        return call(state, request, timeout_s)
    except NotRunningError as problem:
        refuse(str(problem))
    except TimeoutError:
        refuse(f"the house gave no answer within {timeout_s:g} s; look at its own output")
    except (OSError, ValueError) as problem:
        refuse(f"the house at {state} cannot be asked ({problem}); is it another version?")


def result(
    state: Path, verb: str, args: Mapping[str, object] | None = None, path: str = ""
) -> dict[str, Any]:
    """Send one request and give its result.

    Raises: Refusal unless it was done, with the reason of the house.
    """
    final = answer(state, verb, args, path)
    if final.get("outcome") != "done":
        refuse(str(final.get("reason") or f"{verb}: {final.get('outcome')}"))
    return dict(final.get("result") or {})
