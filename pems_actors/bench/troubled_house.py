"""A live house whose core has something in its way: a solver in trouble, hogs, no way to come up.

`pems run` writes down what it would start and ends there; the core's program is exchanged in that
file, and the guardian starts from it as it always does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pems_actors.bench.live_house import LiveHouse, clean_environment, run_command

ONLY_WRITTEN_DOWN = """
import os, runpy
os.execv = lambda *_: None
os.environ["PYTHONSAFEPATH"] = "1"
runpy.run_module("pems_actors", run_name="__main__", alter_sys=True)
"""
CORE, TROUBLED_CORE = "pems_actors.core", "pems_actors.bench.troubled_core"
RUN_FILE = "run.json"
WRITTEN_WITHIN_S = 60.0

Change = Callable[[dict[str, Any]], None]


def troubled_house(state: Path, argv: Sequence[str], troubles: Mapping[str, str]) -> LiveHouse:
    """Run a house whose core finds `troubles` in its environment.

    Raises: subprocess.CalledProcessError if `pems run` refuses.
    """

    def change(child: dict[str, Any]) -> None:
        if child["name"] == "core":
            child["argv"] = [TROUBLED_CORE if word == CORE else word for word in child["argv"]]
            child["env"] |= troubles

    return changed_house(state, argv, change)


def changed_house(state: Path, argv: Sequence[str], change: Change) -> LiveHouse:
    """Run a house whose children are changed before the guardian reads them.

    Raises: subprocess.CalledProcessError if `pems run` refuses.
    """
    command = (sys.executable, "-P", "-c", ONLY_WRITTEN_DOWN, *run_command(state, argv)[2:])
    subprocess.run(  # noqa: S603 - our own program
        command,
        env=clean_environment(),
        check=True,
        timeout=WRITTEN_WITHIN_S,
        stdout=subprocess.DEVNULL,
    )
    file = state / RUN_FILE
    facts = json.loads(file.read_text(encoding="utf-8"))
    for child in facts["children"]:
        change(child)
    file.write_text(json.dumps(facts), encoding="utf-8")
    return LiveHouse(
        state, env={"PYTHONSAFEPATH": "1"}, guard=("-m", "pems_actors.cli.guard", str(file))
    )
