"""A room's relay as the device shows it: taken over at the start, and watched from then on.

Decides with `control/reconcile.py` whether a difference is a person's doing, a lost order or
nothing, and tells the power budget what really draws power.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from pems_actors.actors.base import POWER_BUDGET, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.room_mind import RelayMind, Written
from pems_actors.control.duty import Modulator
from pems_actors.control.order import DutyAccount, RelayMemory
from pems_actors.control.reconcile import (
    Finding,
    Look,
    could_be_alone,
    found_relay,
    moved_late_s,
    relay_text,
    reviewed,
)
from pems_actors.control.room import RoomFacts
from pems_actors.domain.events import RelaySwitched, RoomTick
from pems_actors.domain.house import Relay
from pems_actors.economics.local_hours import local_day
from pems_actors.estimation.freshness import FreshValue

RENEW_S = 300.0


Seen = tuple[RelayMemory, Look, Written]  # what is known of a relay after a look at it


class RelayReconciler:
    """Compares one relay with our command; `actor` is the room that owns it."""

    def __init__(
        self,
        actor: HouseActor,
        facts: RoomFacts,
        relay: Relay,
        writer: DeviceWriter,
        stagger_s: float,
    ) -> None:
        self.actor, self.facts, self.relay, self.writer = actor, facts, relay, writer
        self.device, self.stagger_s = f"relay/{relay.name}", stagger_s

    def found(self, mind: RelayMind, tick: RoomTick) -> tuple[RelayMind, RelayMemory]:
        """Take the relay over at the first tick: by the journal, then by what it shows.

        A picture from before our last order (the broker keeps the newest) shows nothing of it.
        """
        relay, actor = self.relay, self.actor
        last, reading = actor.last_order(self.device), tick.reading
        shows = reading is not None and (last is None or reading.at_s >= last.since_s)
        actual = reading.relay_on if reading and shows and not tick.blocked else None
        found = found_relay(relay, mind.kept, last, actual, tick.at_s)
        memory = found.memory
        if memory.on:
            self._tell_budget(tick, on=True)
        if found.finding is not None:
            actor.keep("reconciled", {"relay": relay.name, "on": memory.on, "how": found.finding})
        if found.finding is Finding.PERSON:
            actor.claim(self.device)
        as_ordered = found.finding is Finding.ADOPT
        after = mind._replace(
            memory=memory,
            kept=None,
            account=self._staggered(memory),
            written=Written(found.lease_until_s, found.written_s + RENEW_S),
            look=Look(tick.at_s) if as_ordered else Look(),
        )
        return after, memory

    def looked(
        self, mind: RelayMind, memory: RelayMemory, tick: RoomTick, sensor: FreshValue
    ) -> Seen:
        """Compare the relay with our command; what a person changed at the device is respected."""
        before = mind.look
        look = before.after(self._as_ordered(mind, memory, tick), tick.at_s)
        calm = not look.differs and not before.strayed and not look.is_news_after(before)
        if calm and memory.by_hand is None:
            return self._unless_gone(mind, memory, look, tick)
        link = self.actor.watched(self.device, relay_text(memory.on), before, look)
        moved_s = moved_late_s(before, look, mind.written.again_s - RENEW_S)
        if moved_s is not None:
            memory = replace(memory, since_s=max(memory.since_s, moved_s))
        memory = reviewed(memory, link)
        relay, on, temp_c = self.relay, not memory.on, sensor.good(tick.at_s)
        sure = not could_be_alone(relay.native, on, temp_c, self.facts.comfort)
        person = look.by_person(tick.at_s, mind.written.until_s)
        if not person or (link.loses(tick.at_s) and not sure):
            return self._unless_gone(mind, memory, look, tick)
        self._tell_budget(tick, on=on)
        self.actor.keep("by_hand", {"relay": relay.name, "on": on, "sure": sure})
        if not sure:
            self.actor.claim(self.device)
        theirs = memory.by_person(on, tick.at_s, sure=sure)
        theirs = theirs.counted(local_day(tick.at_s, self.facts.timezone)) if on else theirs
        fresh = look._replace(seen_s=-inf, differs=0, tries=0)
        return theirs, fresh, Written()

    def _unless_gone(
        self, mind: RelayMind, memory: RelayMemory, look: Look, tick: RoomTick
    ) -> Seen:
        """Take a relay for off that went off by itself: to have it on again it must ask anew.

        It did so if it is seen off, or if our lease has run out and nobody sees it on.
        """
        if memory.on and self.writer.is_armed(self.device):
            actual = tick.reading and tick.reading.relay_on
            unleased = -inf < mind.written.until_s <= tick.at_s and not actual
            if unleased or look.disobeyed():
                self._tell_budget(tick, on=False)
                maybe_ran = look.confirmed or actual is None
                since_s = tick.at_s if maybe_ran else -inf  # what never closed has rested
                gone = replace(memory, on=False, since_s=since_s)
                return gone, look._replace(differs=0), Written()
        return memory, look, mind.written

    def _as_ordered(self, mind: RelayMind, memory: RelayMemory, tick: RoomTick) -> bool | None:
        """Whether the relay is as we ordered; None where a difference would mean nothing."""
        actual = tick.reading.relay_on if tick.reading else None
        if actual is None or (tick.blocked and actual != memory.on):
            return None
        if actual == memory.on:
            return True  # off in a block too: else its pause would count from the block's end
        guard = mind.guard
        guarded = guard is not None and tick.at_s < guard.until_s and guard.on == actual
        return None if guarded or not self.writer.is_armed(self.device) else False

    def _staggered(self, memory: RelayMemory) -> DutyAccount:
        """Begin each room's account elsewhere, so that rooms do not switch together."""
        half_s = max(self.relay.min_on_s, self.relay.min_off_s) / 2
        owed_s = half_s - 2 * half_s * self.stagger_s / 300.0
        return DutyAccount(Modulator(owed_s, memory.on, half_s))

    def _tell_budget(self, tick: RoomTick, *, on: bool) -> None:
        self.actor.tell(POWER_BUDGET, RelaySwitched(self.relay.name, on, tick.at_s))
