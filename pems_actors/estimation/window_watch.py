"""Is a window open? By its contact, or because the air falls faster than the model can explain.

An opening pauses the room's heating for half an hour; the frost floor is the rules' own business.
By the air alone it counts as closed as soon as the model explains the air again; a contact holds
the pause for as long as it says open, but one that says so for two hours is not believed any more.
One that says so no more ends the pause: what the air lost until then is explained.
Heat that does not come is no window: the air must really fall.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.estimation.picture import Array, Mask

PAUSE_S = 30 * MINUTE_S
CONTACT_HOLDS_S = 2 * HOUR_S
WITHIN_S = 15 * MINUTE_S
# In 20 days of 17 rooms the air never falls more than 0.20 K under the model within a quarter of an
# hour, as a mean over three readings of a thermometer of 0.1 K.
FALL_K = 0.35
FALL_STEPS = 1.5
FALLS_ON_K = 0.08  # under an open window the air goes on to fall against the model by this
CLOSED_S = 6 * MINUTE_S  # within this time; else it was closed, if it climbs
CLIMB_SHARE = 0.25  # of the fall limit
NEAR_SHARE = 0.3  # of the fall, under the smoothed past: worth a closer look
_SMOOTH = 0.1
_ROW_EVERY_S = 50.0
_GAP_S = 600.0  # after a longer pause between pictures the falls begin anew
_MOST_ROWS = 15


def fall_limits_k(steps_k: Array) -> Array:
    """Fall under the model that means an open window, by the step of the thermometer [K]."""
    return FALL_K + FALL_STEPS * steps_k


class WindowWatch(NamedTuple):
    """What is remembered of the windows of R rooms; arrays of shape (R,) that nobody changes.

    Temperatures here are readings less what the model expected to change: flat while it is right.
    newest: the last two.    past: time, mean of three and true air within the last quarter of an
    hour, oldest first.    smooth_c: their slow mean.    expected_k: changes expected so far.
    fell_s: since when open by the air, -inf if not.    lowest_c, lowest_s: lowest mean since then,
    and when it was reached.    coldest_c: lowest true air since then.    contact_s: since when open
    by the contact.
    """

    at_s: float
    newest: tuple[Array, Array]
    past: tuple[tuple[float, Array, Array], ...]
    smooth_c: Array
    expected_k: Array
    fell_s: Array
    lowest_c: Array
    lowest_s: Array
    coldest_c: Array
    contact_s: Array
    calm: bool = True  # nothing is open

    @classmethod
    def from_boot(cls, rooms: int) -> WindowWatch:
        """Begin with all windows closed."""
        never, unknown = np.full(rooms, -inf), np.full(rooms, np.nan)
        low = np.full(rooms, inf)
        nothing = np.zeros(rooms)
        return cls(-inf, (unknown, unknown), (), unknown, nothing, never, low, never, low, never)

    def shifted(self, by_s: float) -> WindowWatch:
        """Move along with a clock that was set."""
        return self._replace(
            at_s=self.at_s + by_s,
            past=tuple((at_s + by_s, c, air_c) for at_s, c, air_c in self.past),
            fell_s=self.fell_s + by_s,
            lowest_s=self.lowest_s + by_s,
            contact_s=self.contact_s + by_s,
        )

    def is_open(self, now_s: float) -> Mask:
        """Tell for each room if its heating is paused."""
        by_air = now_s - self.fell_s < PAUSE_S
        return np.asarray(by_air | (now_s - self.contact_s < CONTACT_HOLDS_S))

    def lies(self, now_s: float) -> Mask:
        """Tell for each room if its contact has said open for too long to be believed."""
        return np.asarray((self.contact_s > -inf) & (now_s - self.contact_s >= CONTACT_HOLDS_S))


def watched(
    watch: WindowWatch,
    now_s: float,
    air_c: Array,
    expected_change_k: Array,
    contact: Array | None,
    limit_k: Array,
) -> WindowWatch:
    """Look at the windows once.

    Args:
        air_c: believed readings, NaN where there is none, (R,).
        expected_change_k: what the model expected since the last look, (R,).
        contact: 1 open, 0 closed, NaN unknown, (R,); None where the house has none.
        limit_k: fall that means an open window, (R,).
    """
    expected_k = watch.expected_k + expected_change_k
    rest_c = air_c - expected_k
    if not 0.0 <= now_s - watch.at_s <= _GAP_S:
        watch = _forgotten(watch, rest_c)
    before, last = watch.newest
    mean_c = (before + last + rest_c) / 3.0
    under_k = watch.smooth_c - mean_c
    smooth_c = watch.smooth_c - _SMOOTH * under_k
    past = watch.past
    if not past or now_s - past[-1][0] >= _ROW_EVERY_S:
        past = (*past[-_MOST_ROWS + 1 :], (now_s, mean_c, mean_c + expected_k))
    after = WindowWatch(
        now_s, (last, rest_c), past, smooth_c, expected_k,
        watch.fell_s, watch.lowest_c, watch.lowest_s, watch.coldest_c, watch.contact_s, watch.calm,
    )  # fmt: skip
    nearest = np.maximum.reduce(under_k / limit_k)
    near = not nearest < NEAR_SHARE  # NaN is worth a look too
    if watch.calm and not near and contact is None:
        return after
    return _closely(after, now_s, mean_c, contact, limit_k)


def _forgotten(watch: WindowWatch, rest_c: Array) -> WindowWatch:
    """Begin the falls anew from the present readings."""
    return watch._replace(newest=(rest_c, rest_c), past=(), smooth_c=rest_c)


def _closely(
    watch: WindowWatch, now_s: float, mean_c: Array, contact: Array | None, limit_k: Array
) -> WindowWatch:
    """Follow what opens and closes; a reading that was missing takes its place among the others."""
    if contact is None:
        contact_s = np.full_like(watch.contact_s, -inf)
    else:
        contact_s = _contacts(watch.contact_s, contact, now_s)
    shut = (watch.contact_s > -inf) & (contact_s == -inf)
    falls = _falls(watch, now_s, mean_c, limit_k)
    was_open = watch.fell_s > -inf
    opens = falls & ~was_open
    lower = opens | (was_open & (mean_c < watch.lowest_c - FALLS_ON_K))
    lowest_c = np.where(lower, mean_c, watch.lowest_c)
    lowest_s = np.where(lower, now_s, watch.lowest_s)
    air_c = mean_c + watch.expected_k
    coldest_c = np.where(opens, air_c, np.fmin(watch.coldest_c, air_c))
    climb_k = CLIMB_SHARE * limit_k
    climbs = (mean_c - lowest_c >= climb_k) | (air_c - coldest_c >= climb_k)
    explained = climbs & (now_s - lowest_s >= CLOSED_S)
    closed = shut | (was_open & (explained | (now_s - watch.fell_s >= PAUSE_S)))
    fell_s = np.where(closed, -inf, np.where(opens, now_s, watch.fell_s))
    calm = bool(max(fell_s.max(), contact_s.max()) == -inf)
    after = watch._replace(
        fell_s=fell_s,
        lowest_c=lowest_c,
        lowest_s=lowest_s,
        coldest_c=coldest_c,
        contact_s=contact_s,
        calm=calm,
    )
    return _caught_up(after, closed, mean_c)


def _falls(watch: WindowWatch, now_s: float, mean_c: Array, limit_k: Array) -> Mask:
    """Tell where the air has fallen, both by itself and against the model."""
    recent = [row for row in watch.past if now_s - row[0] <= WITHIN_S]
    if not recent:
        return np.zeros(len(mean_c), dtype=bool)
    highest_c = np.fmax.reduce(np.stack([row[1] for row in recent]), axis=0)
    warmest_c = np.fmax.reduce(np.stack([row[2] for row in recent]), axis=0)
    air_c = mean_c + watch.expected_k
    return np.asarray((highest_c - mean_c > limit_k) & (warmest_c - air_c > limit_k))


def _caught_up(watch: WindowWatch, closed: Mask, mean_c: Array) -> WindowWatch:
    """Begin anew for rooms just closed, and for those that were heard again."""
    last = watch.newest[1]
    again = np.isnan(watch.smooth_c) & ~np.isnan(last)
    fresh = closed | again
    if not np.count_nonzero(fresh):
        return watch
    start_c = np.where(closed, mean_c, last)
    past = tuple((at_s, np.where(fresh, np.nan, c), air_c) for at_s, c, air_c in watch.past)
    newest = (np.where(again, last, watch.newest[0]), last)
    return watch._replace(
        newest=newest, past=past, smooth_c=np.where(fresh, start_c, watch.smooth_c)
    )


def _contacts(since_s: Array, contact: Array, now_s: float) -> Array:
    """Follow the contacts; one that is not read any more says nothing, so the air must tell."""
    opened = np.where(since_s == -inf, now_s, since_s)
    return np.where(contact == 1.0, opened, -inf)
