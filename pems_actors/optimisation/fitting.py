"""Relays that fit under the caps together and are worth most, whatever the battery adds: exactly.

Relays under one cap are a group, and all sets of a group are listed by what they draw; relays under
several caps at once, as one that hangs on all phases, are decided first. So a slot's best set is
found by looking it up, for many worths and many powers of the battery at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.program import Index
from pems_actors.optimisation.sequences import Bools, rows_of
from pems_actors.optimisation.switching import SLACK_KW, Caps

_MOST_LINKED = 3
_MOST_IN_GROUP = 10
_NEVER = -1e6
_SAME_KW = 1e-4


@dataclass(frozen=True, slots=True)
class _Group:
    """Relays under one cap: their sets by rising power, and how many of them fit.

    `fit` counts the sets that fit beside each set of linked relays, per slot and feed.
    """

    members: Index
    sets: Bools
    fit: Index


@dataclass(frozen=True, slots=True)
class _Led:
    """A group under some worths: the best of its first so many sets, (n, sets), and what fits."""

    sets: Bools
    members: Index
    leader: Index
    fit: Index  # (n, linked sets, feeds)

    def on(self, row: Index, linked: Index, column: Index) -> Bools:
        """Tell which members are on, (n, members)."""
        last = np.maximum(self.fit[row, linked, column] - 1, 0)
        return np.asarray(self.sets[self.leader[row, last]])


@dataclass(frozen=True, slots=True)
class Best:
    """The best sets for rows of worth, (n, relays), at every feed that was asked for.

    `value` is what they are worth together, (n, feeds).
    """

    worth: Array
    value: Array
    fitting: Fitting
    linked: Index  # which set of linked relays, (n, feeds)
    led: tuple[_Led, ...]

    def on(self, column: Index) -> Bools:
        """Tell who is on at a feed per row, (n, relays)."""
        row, on = np.arange(len(column)), self.worth > 0.0
        linked = self.linked[row, column]
        on[:, self.fitting.linked] = self.fitting.linked_sets[linked]
        for group in self.led:
            on[:, group.members] = group.on(row, linked, column)
        return on


@dataclass(frozen=True, slots=True)
class Fitting:
    """All that is known of a house's caps before anything is worth anything."""

    linked: Index
    linked_sets: Bools
    groups: tuple[_Group, ...]
    alone: Index  # relays that always fit

    def best(self, worth: Array, at: Index, feed: Index | None = None) -> Best:
        """Find the sets that are worth most, rows of worth (n, relays) in slots (n,).

        Args:
            feed: one for each row; None: all of them.
        """
        value = (worth[:, self.linked] @ self.linked_sets.T)[:, :, None]  # (n, linked sets, 1)
        value = value + np.maximum(worth[:, self.alone], 0.0).sum(axis=1)[:, None, None]
        row, led = np.arange(len(at))[:, None, None], []
        for group in self.groups:
            some = group.fit[:, at] if feed is None else group.fit[:, at, feed][:, :, None]
            fit = some.transpose(1, 0, 2)
            together = worth[:, group.members] @ group.sets.T
            most = np.maximum.accumulate(together, axis=1)
            places = np.where(together >= most, np.arange(together.shape[1]), 0)
            leader = np.maximum.accumulate(places, axis=1)
            led.append(_Led(group.sets, group.members, leader, fit))
            value = value + np.where(fit > 0, most[row, np.maximum(fit - 1, 0)], _NEVER)
        return Best(worth, value.max(axis=1), self, value.argmax(axis=1), tuple(led))


def fitting_of(caps: Caps, feed_kw: Array) -> Fitting | None:
    """List what fits under caps that a battery lifts; None where there are too many sets.

    Args:
        caps: with what there is without the battery, (caps, slots).
        feed_kw: what the battery may add in each slot, (slots, feeds); less than 0 where it takes.
    """
    share = np.where(caps.lift > 0.0, 1.0 / np.maximum(caps.lift, 1.0), 0.0)
    room_kw = caps.room_kw[:, :, None] + share[:, None, None] * feed_kw + SLACK_KW
    bind = _binding(caps.use, room_kw)
    use, room_kw = caps.use[bind], room_kw[bind]
    under = (use > 0.0).sum(axis=0)
    linked = np.nonzero(under > 1)[0]
    groups = [np.nonzero((row > 0.0) & (under == 1))[0] for row in use]
    if len(linked) > _MOST_LINKED or max(map(len, groups), default=0) > _MOST_IN_GROUP:
        return None
    linked_sets = _all_sets(len(linked))
    return Fitting(
        linked,
        linked_sets,
        tuple(
            _group(members, row[members], left_kw - (linked_sets @ row[linked])[:, None, None])
            for members, row, left_kw in zip(groups, use, room_kw, strict=True)
        ),
        np.nonzero(under == 0)[0],
    )


def _binding(use: Array, room_kw: Array) -> Bools:
    """Mark caps that some set exceeds although it keeps all narrower ones, (caps,)."""
    drawn = use.sum(axis=1)
    bind = drawn > room_kw.min(axis=(1, 2))
    for row in np.nonzero(bind)[0]:
        narrower = bind & (drawn < drawn[row] - _SAME_KW)
        covered = (use[row] <= use[narrower].sum(axis=0) + _SAME_KW).all()
        if covered and (room_kw[narrower].sum(axis=0) <= room_kw[row] + _SAME_KW).all():
            bind[row] = False
    return np.asarray(bind)


def _group(members: Index, use_kw: Array, left_kw: Array) -> _Group:
    """List the sets of a group; `left_kw` is what others leave it, (linked sets, slots, feeds)."""
    sets = _all_sets(len(members))
    drawn = sets @ use_kw
    order = np.argsort(drawn, kind="stable")
    return _Group(members, sets[order], np.searchsorted(drawn[order], left_kw, side="right"))


def _all_sets(relays: int) -> Bools:
    return np.asarray(rows_of(np.arange(1 << relays), relays) > 0.5)
