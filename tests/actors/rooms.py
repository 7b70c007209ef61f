"""Rooms on their stage, and the plans they are given."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import POWER_BUDGET
from pems_actors.actors.room import RoomActor
from pems_actors.domain.events import RelayGrant, RelayRequest, RoomPlan
from pems_actors.domain.levels import Level
from pems_actors.house import room_facts
from tests.actors.kit import HOUSE, NOON, TICK_S, Stage, room_tick


def room_stage(name: str = "living", **more: Any) -> Stage:
    room = next(r for r in HOUSE.rooms if r.name == name)
    facts, relay = room_facts(HOUSE, room), HOUSE.relay_of(name)
    owned = relay if relay is not None and relay.name == name else None
    return Stage(
        f"rooms/{name}",
        lambda c, w: RoomActor(c, facts, owned, room.relay, w, more.get("stagger_s", 0.0)),
        leases=[f"relay/{name}"],
        **{k: v for k, v in more.items() if k != "stagger_s"},
    )


def ticks(stage: Stage, count: int, temp_c: float | None, **more: Any) -> None:
    """Let minutes pass with a tick at the end of each."""
    name = stage.path.removeprefix("rooms/")
    for _ in range(count):
        stage.run(TICK_S)
        stage.tell(room_tick(stage.now_s, name, temp_c, **more))


def grant(stage: Stage, *, late_s: float = 0.0) -> None:
    """Grant the relay, or hand over a grant that ended `late_s` ago."""
    name = stage.path.removeprefix("rooms/")
    ends_s = stage.now_s - late_s if late_s else stage.now_s + 30.0
    stage.tell(RelayGrant(name, ends_s - 30.0, ends_s))


def switched_on(**more: Any) -> Stage:
    """A cold room that asked, was granted and heats."""
    stage = room_stage(**more)
    stage.tell(room_tick(NOON, "living", 20.0))
    assert stage.all_heard(POWER_BUDGET, RelayRequest)
    stage.forget()
    grant(stage)
    assert [c.on for c in stage.commands] == [True]
    return stage


def room_plan(on: bool | None, *, issued_s: float = NOON, path_c: float = 22.0) -> RoomPlan:
    """A plan of 48 hours that always says the same; in force for half an hour."""
    starts = tuple(issued_s + 900.0 * k for k in range(192))
    slots = len(starts)
    return RoomPlan(
        issued_at_s=issued_s,
        valid_until_s=issued_s + 1800.0,
        path_until_s=issued_s + 36 * 3600.0,
        level=Level.PLAN,
        start_s=starts,
        on=(on,) * slots,
        duty=(float(bool(on)),) * slots,
        reasons=("cheap now",) * slots,
        path_c=(path_c,) * slots,
        heat_price_per_kwh=(2.0,) * slots,
        end_s=starts[-1] + 900.0,
    )
