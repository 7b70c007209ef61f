"""A relay is taken over at the start by what is known of it now, not by an old picture of it."""

from __future__ import annotations

from tests.actors.kit import room_tick
from tests.actors.rooms import switched_on
from tests.actors.test_room_restarted import reborn

KEPT_BY_THE_BROKER_S = 30.0  # how old the newest status of the house may be at a start


def test_a_picture_from_before_our_last_order_shows_nothing_of_it():
    """The core switched its relay on and died; the broker still keeps the status from before."""
    before = switched_on()
    after = reborn(before)
    tick = room_tick(after.now_s, "living", 20.0, on=False)
    old = tick.reading._replace(at_s=after.now_s - KEPT_BY_THE_BROKER_S)
    after.tell(tick._replace(reading=old))
    assert after.state.relay.on
    assert after.state.relay.since_s == before.state.relay.since_s
    assert not [command for command in after.commands if not command.on]


def test_a_picture_from_after_it_does():
    before = switched_on()
    after = reborn(before, away_s=90.0)
    after.tell(room_tick(after.now_s, "living", 20.0, on=False))
    assert not after.state.relay.on
