"""Which order takes the last wish back. Pure.

Only wishes can be taken back. One that is over, or that was released already, stands no more: then
the one before it is taken back. A house whose mode is taken back is in its ordinary one: an
emergency is left by no other, and to take back twice must not bring anything back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pems_actors.domain.units import HOUR_S, seconds

RELEASED = {
    "rooms": ("override", "boost", "away", "party"),
    "loads": ("departure", "boost"),
    "devices": ("mode", "export"),
}
UNSAID_S = 12 * HOUR_S  # how long a wish may stand whose end was not said

Told = Mapping[str, Any]


class Back(NamedTuple):
    """An order that takes a wish back, and the wish."""

    path: str
    verb: str
    args: Mapping[str, object]
    wish: Told


def taking_back(commands: Sequence[Told], now_s: float) -> Back | None:
    """Find the newest wish that stands, and the order that ends it.

    Args:
        commands: the orders as `pems commands --json` lists them, oldest first.
    """
    settled: set[str] = set()
    for wish in reversed([each for each in commands if each.get("outcome") == "done"]):
        matter = _matter(wish)
        if matter is None or matter in settled:
            continue
        settled.add(matter)
        back = _back(wish)
        if back is not None and now_s < _ends_s(wish):
            return back
    return None


def _matter(order: Told) -> str | None:
    """Name what an order decides on; a later order on the same matter replaces it."""
    path, verb = str(order.get("path")), str(order.get("verb"))
    if path == "house" and verb in {"mode", "presence"}:
        return verb
    kind = path.partition("/")[0]
    return path if verb in {*RELEASED.get(kind, ()), "release"} else None


def _back(wish: Told) -> Back | None:
    """Give the order that ends a wish; None for one that is itself the end of one."""
    path, verb, args = str(wish["path"]), str(wish["verb"]), wish.get("args") or {}
    if path != "house":
        return None if verb == "release" else Back(path, "release", {}, wish)
    usual = {"mode": "normal"} if verb == "mode" else {"home": True}
    return None if usual.items() <= args.items() else Back(path, verb, usual, wish)


def _ends_s(wish: Told) -> float:
    args, at_s = wish.get("args") or {}, seconds(str(wish["at"]))
    for name in ("until_s", "at_s"):
        if isinstance(args.get(name), int | float):
            return float(args[name])
    if wish["path"] == "house":
        return float("inf")
    return at_s + float(args.get("for_s") or UNSAID_S)
