"""May the clock be trusted? What depends on prices needs the right hour; comfort does not.

A clock is not trusted before `floor_s` (it cannot be that early), nor behind what is on record or
was seen already, nor after a leap of over a day. It is trusted again once it is beyond what is
known, or has gone steadily for long enough: an hour after it was set, a day after a start behind
the record, which was wrong itself then. A machine that slept has a right clock.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from pems_actors.domain.units import DAY_S, HOUR_S, iso

NOTED_S = 2.0  # a jump larger than this is an event
REPLAN_S = 60.0  # and beyond this, everything that hangs on the hour begins anew
STEADY_S = HOUR_S
STEADY_AT_BOOT_S = DAY_S
LEAP_S = DAY_S


class ClockTrust(NamedTuple):
    """What is known of the clock.

    `newest_s` is the latest instant on record or seen. `believed_at_s` is when a doubted clock will
    be believed all the same, by a clock that nobody sets.
    """

    floor_s: float
    newest_s: float = -inf
    believed_at_s: float = inf
    trusted: bool = True
    reason: str = ""

    @classmethod
    def at_boot(cls, now_s: float, steady_s: float, floor_s: float, newest_s: float) -> ClockTrust:
        """Begin: a clock that is too early, or behind the newest record, is not trusted."""
        here = cls(floor_s, newest_s)
        if now_s >= newest_s - REPLAN_S:
            return here.looked(now_s, steady_s)
        why = f"the clock is behind the newest record of {iso(newest_s)}; set it right"
        return here._doubted(why, newest_s, steady_s + STEADY_AT_BOOT_S)

    def resumed(self, now_s: float, steady_s: float) -> ClockTrust:
        """Go on with what an earlier life knew; the steady clock may have begun anew since."""
        believed_at_s = min(self.believed_at_s, steady_s + STEADY_AT_BOOT_S)
        return self._replace(believed_at_s=believed_at_s).looked(now_s, steady_s)

    def looked(self, now_s: float, steady_s: float) -> ClockTrust:
        """Look at the clock as it goes on.

        Args:
            now_s: house time.    steady_s: a clock that nobody sets.
        """
        if now_s < self.floor_s:
            why = f"the clock is before {iso(self.floor_s)}, which cannot be; set it right"
            return self._doubted(why, self.newest_s, steady_s + STEADY_AT_BOOT_S)
        if self.trusted:
            return ClockTrust(self.floor_s, now_s) if now_s > self.newest_s else self
        if now_s >= self.newest_s - REPLAN_S or steady_s >= self.believed_at_s:
            return ClockTrust(self.floor_s, now_s)
        return self

    def jumped(self, by_s: float, now_s: float, steady_s: float) -> ClockTrust:
        """Note that the clock was set by `by_s` to `now_s`."""
        before_s = now_s - by_s
        believed_at_s = steady_s + STEADY_S
        if not self.trusted:
            leapt_back = by_s < 0.0 and self.newest_s == inf
            newest_s = now_s if leapt_back else self.newest_s
            return self._replace(newest_s=newest_s).looked(now_s, steady_s)
        if by_s < -REPLAN_S:
            why = f"the clock was set back by {_told(-by_s)}"
            return self._doubted(why, max(self.newest_s, before_s), believed_at_s)
        if by_s > LEAP_S:
            why = f"the clock leapt ahead by {_told(by_s)}"
            return self._doubted(why, inf, believed_at_s)
        return self.looked(now_s, steady_s)

    def _doubted(self, why: str, newest_s: float, believed_at_s: float) -> ClockTrust:
        return ClockTrust(self.floor_s, newest_s, believed_at_s, trusted=False, reason=why)


def _told(seconds: float) -> str:
    if seconds < 2 * HOUR_S:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / HOUR_S:.0f} h" if seconds < 2 * DAY_S else f"{seconds / DAY_S:.0f} days"
