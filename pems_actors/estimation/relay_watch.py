"""Do the relays do what they were ordered? By their contacts, and by what the rooms feel of it.

A contact that was against our orders for three minutes, without once turning, is stuck; a tariff
block excuses it, and so does the time right after an order. One that turned against our order can
turn: somebody was at it, and only an order written after that may be held against it. Where a
contact is read as ordered, or not at all, the room is the witness: if heat that should have warmed
it by half a kelvin did nothing, the actuator is dead; if it warms as if heated without any order,
it is welded. Both count only where the model of the room is usually good enough to say so
(`model_fit`). A relay is freed by showing the contrary.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pems_actors.control.reconcile import LastOrder, relay_text
from pems_actors.estimation.picture import Array, Mask, Picture

Kinds = npt.NDArray[np.int8]

ON = relay_text(True)
STUCK_AFTER_S = 180.0
SETTLES_S = 50.0  # an order may take one picture to show
AFTER_BLOCK_S = 180.0
LONGEST_LOOK_S = 300.0
# In 20 days of 17 healthy rooms the share felt of at least 0.5 K of heat never leaves ±0.6.
FELT_K = 0.35  # heat that a room must feel, by its model, before it bears witness
FELT_STEPS = 1.5  # and this many steps of its thermometer more
NOTHING_FELT = -0.8
ALL_FELT = 0.8
FELT_AGAIN = 0.4
LOOKS = 2


class Stuck(IntEnum):
    """How a relay does not obey."""

    NO = 0
    ON = 1
    OFF = 2


class RelayWatch(NamedTuple):
    """What is remembered of S relays, as arrays of shape (S,) that nobody changes.

    ordered: 1 on, 0 off, NaN nothing.    ordered_at_s: when it last changed.
    lease_until_s: until when it holds.    wrong_s: time that the contact was against it since it
    last turned.    shown: how it was then.    turned: against the order, and not told anew since.
    against: looks in a row at which the room was.    by_contact, by_room: `Stuck` values.
    unblocked_s: when heating was last set free.    astray: some were not as ordered at the last
    look, so that the next one has to be close.    agreed: the contacts that were last seen to be
    as ordered (by identity).
    """

    ordered: Array
    ordered_at_s: Array
    lease_until_s: Array
    wrong_s: Array
    shown: Array
    against: npt.NDArray[np.int64]
    by_contact: Kinds
    by_room: Kinds
    turned: Mask
    unblocked_s: float = -inf
    agreed: Array | None = None
    astray: bool = False

    @classmethod
    def from_boot(cls, relays: int) -> RelayWatch:
        """Begin without an order."""
        return cls(
            ordered=np.full(relays, np.nan),
            ordered_at_s=np.full(relays, -inf),
            lease_until_s=np.full(relays, -inf),
            wrong_s=np.zeros(relays),
            shown=np.full(relays, np.nan),
            against=np.zeros(relays, dtype=np.int64),
            by_contact=np.zeros(relays, dtype=np.int8),
            by_room=np.zeros(relays, dtype=np.int8),
            turned=np.zeros(relays, dtype=bool),
        )

    def shifted(self, by_s: float) -> RelayWatch:
        """Move along with a clock that was set."""
        return self._replace(
            ordered_at_s=self.ordered_at_s + by_s,
            lease_until_s=self.lease_until_s + by_s,
            unblocked_s=self.unblocked_s + by_s,
        )

    def commanded(self, orders: Sequence[tuple[int, LastOrder]]) -> RelayWatch:
        """Note orders that went out, by row; the same one again only renews a relay's lease."""
        lease_until_s, turned = self.lease_until_s.copy(), self.turned.copy()
        fresh = []
        for row, order in orders:
            on = order.order == ON
            if self.ordered[row] != on or order.at_s >= self.lease_until_s[row]:
                fresh.append((row, on, order.at_s))
            lease_until_s[row], turned[row] = order.lease_until_s, False
        if not fresh:
            return self._replace(lease_until_s=lease_until_s, turned=turned)
        ordered, ordered_at_s = self.ordered.copy(), self.ordered_at_s.copy()
        for row, on, at_s in fresh:
            ordered[row], ordered_at_s[row] = on, at_s
        return self._replace(
            ordered=ordered,
            ordered_at_s=ordered_at_s,
            lease_until_s=lease_until_s,
            turned=turned,
            agreed=None,
        )

    def orders(self, now_s: float) -> Array:
        """Give the orders in force; NaN where the relay is its own master."""
        return np.where(now_s < self.lease_until_s, self.ordered, np.nan)

    def claimed(self, picture: Picture) -> Array:
        """Say which relays should heat: by their contacts, else by our orders, (S,) of 0 and 1."""
        if picture.blocked:
            return np.zeros(len(self.ordered))
        said = picture.contact
        on = np.where(np.isnan(said), self.orders(picture.at_s), said)
        on[np.isnan(on)] = 0.0
        return on

    def believed(self, claimed: Array, *, blocked: bool) -> Array:
        """Say which relays do heat, with what is known of dead and welded ones."""
        if not self.by_room.any():
            return claimed
        welded = 0.0 if blocked else 1.0
        return np.select(
            [self.by_room == Stuck.OFF, self.by_room == Stuck.ON], [0.0, welded], claimed
        )

    @property
    def all_obey(self) -> bool:
        """Whether every relay does what it is told."""
        return not (np.count_nonzero(self.by_contact) or np.count_nonzero(self.by_room))

    @property
    def stuck(self) -> Kinds:
        """How each relay does not obey, by either witness."""
        return np.where(self.by_contact != Stuck.NO, self.by_contact, self.by_room)


def enough_heat_k(steps_k: Array) -> Array:
    """Give the warming by which a room can judge, by the step of its thermometer [K]."""
    return FELT_K + FELT_STEPS * steps_k


def watched(watch: RelayWatch, picture: Picture, passed_s: float) -> RelayWatch:
    """Compare the contacts with the orders in force."""
    now_s, contact = picture.at_s, picture.contact
    if picture.blocked:
        return watch._replace(unblocked_s=now_s)
    if contact is watch.agreed or now_s - watch.unblocked_s < AFTER_BLOCK_S:
        return watch
    orders = watch.orders(now_s)
    wrong = np.abs(contact - orders) == 1.0
    turns = np.abs(contact - watch.shown) == 1.0
    turned = wrong & (turns | watch.turned)
    late = wrong & ~turned & (now_s - watch.ordered_at_s >= SETTLES_S)
    wrong_s = watch.wrong_s + np.where(late, min(max(passed_s, 0.0), LONGEST_LOOK_S), 0.0)
    wrong_s[turns] = 0.0  # it can turn
    shown = np.where(np.isnan(contact), watch.shown, contact)
    by_contact = _by_contact(watch.by_contact, contact, late & (wrong_s >= STUCK_AFTER_S))
    astray = bool(np.count_nonzero(wrong))
    return watch._replace(
        wrong_s=wrong_s,
        shown=shown,
        turned=turned,
        by_contact=by_contact,
        agreed=None if astray else contact,
        astray=astray,
    )


def _by_contact(before: Kinds, contact: Array, stuck: Mask) -> Kinds:
    """Say who is stuck now; a contact that shows the contrary is free again."""
    if not (np.count_nonzero(stuck) or np.count_nonzero(before)):
        return before
    after = before.copy()
    after[stuck] = np.where(contact[stuck] == 1.0, Stuck.ON, Stuck.OFF)
    opened = (after == Stuck.ON) & (contact == 0.0)
    closed = (after == Stuck.OFF) & (contact == 1.0)
    after[opened | closed] = Stuck.NO
    return after


class Felt(NamedTuple):
    """What the rooms felt of some heat, one room per relay, shape (S,).

    share: what was measured over a model without it, by what that heat should have done.
    enough: whether there was enough of it, and nothing else disturbed the room.
    tells: whether the room is farther from its model than that usually is: a bad model of a house
    that nobody measured accuses no relay.
    """

    share: Array
    enough: Mask
    tells: Mask


def felt(watch: RelayWatch, heat: Felt, idle: Felt) -> RelayWatch:
    """Let the rooms bear witness, where a contact did not already.

    Args:
        heat: the heat claimed; a model that counted on it is not corrected, so 0 is as it should
        be and -1 says that nothing came.    idle: full heat in the time when none was claimed; 1
        says that it came all the same.
    """
    free = watch.by_contact == Stuck.NO
    heated, rested = free & heat.enough, free & idle.enough
    if not (np.count_nonzero(heated) or np.count_nonzero(rested)):
        return watch
    obeys = watch.by_room == Stuck.NO
    dead = heated & obeys & heat.tells & (heat.share <= NOTHING_FELT)
    welded = rested & obeys & idle.tells & (idle.share >= ALL_FELT)
    works = heated & (watch.by_room == Stuck.OFF) & (heat.share >= FELT_AGAIN)
    rests = rested & (watch.by_room == Stuck.ON) & (idle.share <= -FELT_AGAIN)
    turns = dead | welded | works | rests
    against = np.where(turns, watch.against + 1, np.where(heated | rested, 0, watch.against))
    if not against.any():
        return watch if not watch.against.any() else watch._replace(against=against)
    sure = against >= LOOKS
    by_room = watch.by_room.copy()
    by_room[sure & dead] = Stuck.OFF
    by_room[sure & welded] = Stuck.ON
    by_room[sure & (works | rests)] = Stuck.NO
    against[sure] = 0
    return watch._replace(by_room=by_room, against=against)
