"""What the device shows against what we ordered: is it ours, or did a person change it?

A person is only believed in where nothing else explains the difference: the device had taken our
order, still holds our lease, and was seen as ordered a moment ago. A device that has not heard our
renewals would go its own way too: where that could look the same, the evidence on whether our
orders arrive decides, now and while a person is believed in. Everything else is corrected.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from math import inf
from typing import NamedTuple

from pems_actors.control.order import RelayMemory
from pems_actors.domain.house import Comfort, Native, Relay

LOOKS = 2  # in a row before a difference counts: a contact may lag behind once
WITNESSED_S = 300.0  # a device not seen as ordered for longer may have lost its lease meanwhile
FOLLOWS_S = 150.0  # a device that moves later than this did not move for us
PROOF_S = 480.0  # shorter than the rest of a lease when its renewals begin to get lost
DOUBT_S = 1800.0
CLAIMS_S, MOST_CLAIMS = 900.0, 2  # nobody goes around the house switching a third relay by hand
SPARE_K = 0.2  # thermometers and thermostats feel a little differently


class Finding(StrEnum):
    """What to do about a device found at the start."""

    ADOPT = "adopt"  # as we ordered, and our lease still holds: no write
    CORRECT = "correct"  # old, or ours and never taken: decide anew, and write
    PERSON = "person"  # changed by a person: respected for a while


class LastOrder(NamedTuple):
    """What the journal says of a device: the last order, since when, and its lease's end.

    `order` is plain text, such as `on` or `charge_grid`; `at_s` is when it was last written.
    `confirmed`: the device was seen to have taken it.
    """

    order: str
    since_s: float
    at_s: float
    lease_until_s: float
    writes: int = 1
    confirmed: bool = False


def found_at_start(last: LastOrder, actual: str, now_s: float, alone: str | None) -> Finding:
    """Compare a device as it is found with the journal.

    alone: what the device would be by itself once the lease is over; None if that cannot be known.
    """
    leased = last.at_s <= now_s < last.lease_until_s
    if actual == last.order:
        return Finding.ADOPT if leased else Finding.CORRECT
    if leased:
        return Finding.PERSON if last.confirmed else Finding.CORRECT
    if alone is None or actual == alone or not last.confirmed:
        return Finding.CORRECT
    return Finding.PERSON


def relay_alone(native: Native, last: LastOrder) -> str | None:
    """Tell what a relay is by itself after its lease: off, as it was, or up to its thermostat."""
    return {Native.OFF: "off", Native.KEEP: last.order, Native.THERMOSTAT: None}[native]


class Look(NamedTuple):
    """How a device compares with our order while we run, and whether our orders arrive at all.

    A proof is a device that moves as ordered right after the first try. Moving later, or by
    itself, proves nothing; not moving is a reason for doubt.
    """

    seen_s: float = -inf  # when it was last seen as ordered
    differs: int = 0  # looks in a row at which it was not as ordered
    tries: int = 0  # orders to move that it has not followed yet
    tried_s: float = -inf
    proved_s: float = -inf
    doubted_s: float = -inf

    @property
    def confirmed(self) -> bool:
        """Whether the device has been seen as ordered since the order."""
        return self.seen_s > -inf

    @property
    def strayed(self) -> bool:
        """Whether it was not as ordered when last seen, orders written since or not."""
        return self.differs > 0 or self.tries > 0

    def is_news_after(self, before: Look) -> bool:
        """Whether it tells more than the look before: as ordered now, orders arrive, or do not."""
        same = self.proved_s == before.proved_s and self.doubted_s == before.doubted_s
        return not same or (self.seen_s > -inf) != (before.seen_s > -inf)

    def shifted(self, by_s: float) -> Look:
        """Move along with a clock that was set."""
        return self._replace(
            seen_s=self.seen_s + by_s,
            tried_s=self.tried_s + by_s,
            proved_s=self.proved_s + by_s,
            doubted_s=self.doubted_s + by_s,
        )

    def ordered(self, now_s: float, *, moves: bool) -> Look:
        """Note an order to be something else; `moves`: the device is not so by itself already."""
        return self._replace(seen_s=-inf, differs=0, tries=1 if moves else 0, tried_s=now_s)

    def repeated(self, now_s: float) -> Look:
        """Note that an order went out again; one that was not followed is one more try."""
        if not self.disobeyed():
            return self
        return self._replace(differs=0, tries=self.tries + 1, tried_s=now_s)

    def after(self, same: bool | None, at_s: float) -> Look:
        """Take one more look in; None: the device said nothing, or something excuses it."""
        if same is None:
            return self if self.differs == 0 else self._replace(differs=0)
        if same:
            proof = self.tries == 1 and 0.0 < at_s - self.tried_s <= FOLLOWS_S
            proved_s = at_s if proof else self.proved_s
            return Look(at_s, 0, 0, -inf, proved_s, self.doubted_s)
        differs = self.differs + 1
        doubted_s = at_s if self.tries == 1 and differs == LOOKS else self.doubted_s
        return self._replace(differs=differs, doubted_s=doubted_s)

    def suspects(self, now_s: float, lease_until_s: float) -> bool:
        """Whether a person may have been at the device: then no write may cover it up yet."""
        return 0 < self.differs < LOOKS and self._witnessed(now_s) and now_s < lease_until_s

    def by_person(self, now_s: float, lease_until_s: float) -> bool:
        """Whether a person has been at the device, if it did not lose our lease."""
        return self.disobeyed() and self._witnessed(now_s) and now_s < lease_until_s

    def strays_on(self) -> bool:
        """Whether it is still not as ordered although the order was written again."""
        return self.differs > 0 and self.tries > 1

    def disobeyed(self) -> bool:
        """Whether the device has not been as ordered for long enough to do something about it."""
        return self.differs >= LOOKS

    def _witnessed(self, now_s: float) -> bool:
        return self.confirmed and 0.0 <= now_s - self.seen_s <= WITNESSED_S


def moved_late_s(before: Look, after: Look, written_s: float) -> float | None:
    """Tell when a device moved that is seen as ordered at last, but not right after the order.

    One that had been as ordered, went its own way and is seen as ordered again has moved too.
    written_s: the last write, before which it cannot have moved; dwell times count from there.
    """
    if before.confirmed and before.strayed and not after.strayed:
        return written_s
    if before.confirmed or not after.confirmed or before.tried_s == float("-inf"):
        return None
    late = before.tries > 1 or after.seen_s - before.tried_s > FOLLOWS_S
    return written_s if late else None


class Link(NamedTuple):
    """What all devices of a kind tell about their link: was an order followed, was one lost."""

    proved_s: float = float("-inf")
    doubted_s: float = float("-inf")
    claims_s: tuple[float, ...] = ()  # when a person was believed in without being sure

    def claimed(self, now_s: float) -> Link:
        """Note a person who is not sure. A crowd of them is none: the devices were on their own."""
        claims_s = (*(s for s in self.claims_s if 0.0 <= now_s - s <= CLAIMS_S), now_s)
        crowd = len(claims_s) > MOST_CLAIMS
        return Link(self.proved_s, now_s if crowd else self.doubted_s, claims_s)

    def arrives(self, now_s: float) -> bool:
        """Whether orders are known to arrive."""
        return 0.0 <= now_s - self.proved_s <= PROOF_S and not self.loses(now_s)

    def loses(self, now_s: float) -> bool:
        """Whether orders got lost lately, and none has arrived since."""
        lately = 0.0 <= now_s - self.doubted_s <= DOUBT_S
        return lately and self.doubted_s >= self.proved_s


def reviewed(memory: RelayMemory, link: Link) -> RelayMemory:
    """Look again at a person who was believed in without being sure, in the light of the link."""
    hand = memory.by_hand
    if hand is None or hand.sure:
        return memory
    if link.doubted_s >= max(hand.since_s, link.proved_s):
        return replace(memory, by_hand=None)  # orders get lost: the relay was on its own
    if link.proved_s >= hand.since_s:
        return replace(memory, by_hand=replace(hand, sure=True))
    return memory


def could_be_alone(native: Native, on: bool, temp_c: float | None, comfort: Comfort) -> bool:
    """Whether a relay that lost our lease could be so by itself, as far as the room tells."""
    match native:
        case Native.KEEP:
            return False
        case Native.OFF:
            return not on
        case Native.THERMOSTAT:
            if temp_c is None:
                return True
            return temp_c < comfort.day_c if on else temp_c > comfort.night_c - SPARE_K


class FoundRelay(NamedTuple):
    """A relay as it is taken over at the start: its memory, and how long our lease still runs."""

    memory: RelayMemory
    finding: Finding | None = None  # None: the device or the journal said nothing
    lease_until_s: float = float("-inf")
    written_s: float = float("-inf")  # when the lease was last renewed; -inf: renew it now


def found_relay(
    relay: Relay,
    kept: RelayMemory | None,
    last: LastOrder | None,
    actual: bool | None,
    now_s: float,
) -> FoundRelay:
    """Take a relay over at the start, by the journal first and then by what it shows.

    Args:
        kept: what was remembered of it.    last: the last order that went out to it.
        actual: its contact; None if it is unknown, or cut by the tariff.
    """
    if last is None:
        return FoundRelay(_shown(kept, actual, now_s))
    ours = kept or RelayMemory()
    if relay_text(ours.on) != last.order:  # the order was noted, its memory was not saved any more
        ours = ours.switched(last.order == relay_text(on=True), min(last.since_s, now_s))
    leased = last.at_s <= now_s < last.lease_until_s
    held = FoundRelay(ours, None, last.lease_until_s, last.at_s if leased else float("-inf"))
    if actual is None:
        return held
    finding = found_at_start(last, relay_text(actual), now_s, relay_alone(relay.native, last))
    match finding:
        case Finding.ADOPT:
            return held._replace(finding=finding)
        case Finding.PERSON:
            return FoundRelay(ours.by_person(actual, now_s, sure=False), finding)
        case Finding.CORRECT if actual == ours.on:
            return FoundRelay(ours, finding)
        case Finding.CORRECT:
            since_s = float("-inf") if leased else min(last.lease_until_s, now_s)
            return FoundRelay(replace(ours, on=actual, since_s=since_s), finding)


def _shown(kept: RelayMemory | None, actual: bool | None, now_s: float) -> RelayMemory:
    """Go by what a relay shows where we never wrote to it."""
    memory = kept or RelayMemory()
    if actual is None or actual == memory.on:
        return memory
    return replace(memory, on=actual, since_s=now_s)


def relay_text(on: bool) -> str:
    """Name the state of a relay as the journal does."""
    return "on" if on else "off"


def export_text(allowed: bool) -> str:
    """Name the export switch as the journal does."""
    return "allowed" if allowed else "forbidden"
