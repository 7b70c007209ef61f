"""What people order of the planner, read as another outlook. Pure; the planner itself takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pems_actors.domain.events import Request
from pems_actors.domain.house import RoomModel
from pems_actors.domain.units import DAY_S, iso
from pems_actors.learning.rooms.excitation import MOST_K, excited
from pems_actors.optimisation.curve import weights_at
from pems_actors.optimisation.outlook import Outlook
from pems_actors.optimisation.strategies import STRATEGIES

EXCITED_S = 3 * DAY_S


class Answer(NamedTuple):
    """What becomes of an order; where it is `done`, `outlook` takes the place of the one before."""

    outcome: str
    reason: str
    outlook: Outlook


def answered(
    request: Request, outlook: Outlook, rooms: Sequence[RoomModel], now_s: float
) -> Answer:
    """Read an order; the codec has checked and normalised its arguments."""
    match request.verb:
        case "replan":
            return Answer("done", "a new plan is on its way", outlook)
        case "strategy":
            return _strategy(str(request.args.get("name", "")).lower(), outlook)
        case "point":
            return _point(float(str(request.args["point"])), outlook)
        case "excite":
            for_s = float(str(request.args.get("for_s", EXCITED_S)))
            return _excited(str(request.args["room"]), for_s, outlook, rooms, now_s)
        case "calm":
            said = "all rooms follow their comfort table again"
            return Answer("done", said, replace(outlook, excited={}))
        case _:
            said = f"the planner knows no {request.verb!r}; "
            said += "try replan, strategy, point, curve, excite or calm"
            return Answer("rejected", said, outlook)


def _strategy(name: str, outlook: Outlook) -> Answer:
    if name not in STRATEGIES:
        said = f"strategy is {name!r}; give one of {', '.join(STRATEGIES)}"
        return Answer("rejected", said, outlook)
    weights = STRATEGIES[name]
    return Answer("done", f"planning with strategy {name}", replace(outlook, weights=weights))


def _point(point: float, outlook: Outlook) -> Answer:
    """Plan by a point of the cost-comfort curve from now on."""
    try:
        weights = weights_at(point)
    except ValueError as problem:
        return Answer("rejected", str(problem), outlook)
    said = f"planning at point {point:g} of the cost-comfort curve"
    return Answer("done", said, replace(outlook, weights=weights))


def _excited(
    name: str, for_s: float, outlook: Outlook, rooms: Sequence[RoomModel], now_s: float
) -> Answer:
    """Let a room's set-point wander a little, so that its model can be told from its rivals."""
    by_name = {room.name: room for room in rooms}
    if name not in by_name:
        said = f"there is no room {name!r}; give one of {', '.join(sorted(by_name))}"
        return Answer("rejected", said, outlook)
    try:
        plan = excited(by_name[name], now_s, for_s, outlook.prices)
    except ValueError as problem:
        return Answer("rejected", str(problem), outlook)
    said = f"{name} wanders by up to {MOST_K:g} K until {iso(plan.end_s)}, as long as plans hold"
    return Answer("done", said, replace(outlook, excited={**outlook.excited, name: plan}))
