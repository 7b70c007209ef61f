"""What people order of a room, read as a wish. Pure; the room itself takes the wish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pems_actors.control.comfort import AWAY_C
from pems_actors.control.room import RoomFacts
from pems_actors.control.wishes import Override, override_problem
from pems_actors.domain.events import Request
from pems_actors.domain.units import HOUR_S

WISH_S = 2 * HOUR_S
BOOST_K = 1.5


class Answer(NamedTuple):
    """What becomes of an order; one that is `done` puts `wish` in the place of the one before."""

    outcome: str
    reason: str
    wish: Override | None = None


def answered(request: Request, facts: RoomFacts, now_s: float) -> Answer:
    """Read an order; the codec has checked and normalised its arguments."""
    match request.verb:
        case "override" | "boost" | "away" | "party":
            wish = _wish(request, facts, now_s)
            problem = override_problem(wish.temp_c, wish.until_s - now_s)
            if problem is not None:
                return Answer("rejected", problem)
            return Answer("done", f"{facts.name} aims at {wish.temp_c:g} °C", wish)
        case "release":
            return Answer("done", f"{facts.name} follows its comfort table again")
        case _:
            return Answer(
                "rejected",
                f"a room knows no {request.verb!r} {dict(request.args) or ''}; "
                "try override temp_c=22 for=2h, boost, party or away until=..., release",
            )


def _wish(request: Request, facts: RoomFacts, now_s: float) -> Override:
    args: Mapping[str, Any] = request.args
    reason, until_s = request.reason or request.verb, now_s + args.get("for_s", WISH_S)
    comfort = facts.comfort
    if request.verb == "override":
        return Override(args["temp_c"], until_s, "user", reason)
    if request.verb == "boost":
        return Override(comfort.day_c + BOOST_K, until_s, "user", reason)
    if request.verb == "party":  # the day goes on, for as long as people stay up
        return Override(comfort.day_c, args["until_s"], "user", reason)
    return Override(min(AWAY_C, comfort.night_c), args["until_s"], "user", reason)
