"""The living tree for people and programs: the statuses of a system as nested data and as text.

Pure: takes what `ActorSystem.tree()` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from supervision.directory import ROOT, parent_of
from supervision.heartbeat import ChildStatus


def tree_data(statuses: Sequence[ChildStatus]) -> dict[str, Any]:
    """Nest the statuses: each with its fields and `children`; empty if there is no tree."""
    nodes: dict[str, dict[str, Any]] = {}
    for status in statuses:
        node = nodes[status.path] = {**asdict(status), "children": []}
        if status.path != ROOT:
            nodes[parent_of(status.path)]["children"].append(node)
    return nodes.get(ROOT, {})


def tree_text(statuses: Sequence[ChildStatus]) -> str:
    """Draw the tree: one line per child with what a person wants to know first."""
    return "\n".join(_line(status) for status in statuses)


def _line(status: ChildStatus) -> str:
    depth = 0 if status.path == ROOT else status.path.count("/") + 1
    name = "  " * depth + status.path.rpartition("/")[2]
    told = [f"{name:<28} {status.state:<10}"]
    if status.level is not None:
        told.append(f"level {status.level}")
    if status.restarts:
        told.append(f"restarts {status.restarts}")
    if status.mailbox:
        told.append(f"waiting {status.mailbox}")
    if status.busy_ms >= 1.0:
        told.append(f"busy {status.busy_ms:.0f} ms")
    if status.zombies:
        told.append(f"zombies {status.zombies}")
    if status.reason:
        told.append(f"({status.reason})")
    return " ".join(told).rstrip()
