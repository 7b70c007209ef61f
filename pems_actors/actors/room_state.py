"""What a room tells the world about itself: who decides, why, and its figures. Pure."""

from __future__ import annotations

from pems_actors.actors.room_mind import USABLE, RoomMind, believed
from pems_actors.control.room import RoomFacts
from pems_actors.domain.events import Need
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import iso
from pems_actors.economics.local_hours import local_day


def room_state(
    path: str, facts: RoomFacts, mind: RoomMind, need: Need, now_s: float
) -> DeviceState:
    """Describe a room as it is after a tick."""
    sensor, tick, relay, wanted = mind.sensor, mind.tick, mind.relay, mind.wanted
    temp_c, quality = believed(tick, sensor) if tick else (None, sensor.quality(now_s))
    values: list[tuple[str, Value]] = [
        ("temp_c", Value(temp_c, "°C", quality, sensor.age_s(now_s))),
        ("target_c", Value(need.target_c, "°C")),
        ("slack_k", Value(need.slack_k if quality in USABLE else None, "K", quality)),
        ("duty", Value(need.duty, "")),
    ]
    if relay is not None:
        values.append(("relay_on", Value(relay.on, "")))
        values.append(("dwell_breaks", Value(relay.dwell_breaks, "")))
        starts_today = relay.starts_on(local_day(now_s, facts.timezone))
        values.append(("starts_today", Value(starts_today, "")))
    values += _owner(mind, now_s)
    if tick is not None and tick.doubt:
        values.append(("sensor", Value(tick.doubt, "")))
    if tick is not None:
        values.append(("outdoor_c", Value(tick.outdoor.temp_c, "°C", tick.outdoor.quality)))
    reason = f"{wanted.rule}: {wanted.why}" if wanted else need.reason
    ladder = mind.ladder
    return DeviceState(path, now_s, ladder.level, reason, tuple(values), ladder.since_s)


def _owner(mind: RoomMind, now_s: float) -> list[tuple[str, Value]]:
    """Tell who decides in the place of the comfort table, and until when."""
    hand = mind.relay.person(now_s) if mind.relay is not None else None
    wish = mind.override if mind.override and now_s < mind.override.until_s else None
    if hand is not None:
        owner, until_s = "person", hand.until_s
    elif wish is not None:
        owner, until_s = wish.owner, wish.until_s
    else:
        return []
    return [("owner", Value(owner, "")), ("owner_until", Value(iso(until_s), ""))]
