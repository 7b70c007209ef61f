"""Does a device that answers also obey? A read-back that stays against our order says no.

A device that does not obey is given another chance after an hour, then after two, at most six: it
obeys again once it moves as ordered. That it happens to be as we wish proves nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from pems_actors.domain.units import HOUR_S

LOOKS = 3
SHOWS_S = 50.0  # an order may take one tick to show
FIRST_WAIT_S = HOUR_S
LONGEST_WAIT_S = 6 * HOUR_S


class CommandPath(NamedTuple):
    """How a device has followed.

    `stands` is what it stays at, `since_s` since when it does not obey, `retry_s` when it may try
    again, `trying` while it does.
    """

    against: int = 0
    obeys: bool = True
    stands: str = ""
    since_s: float = 0.0
    retry_s: float = float("inf")
    wait_s: float = FIRST_WAIT_S
    trying: bool = False

    @property
    def ignores(self) -> bool:
        """Whether the newest looks were against our order."""
        return self.against >= LOOKS

    @property
    def usable(self) -> bool:
        """Whether more than self-use may be planned."""
        return self.obeys or self.trying

    def after(self, ordered: str, ordered_s: float, shown: str | None, now_s: float) -> CommandPath:
        """Take one more look in; None: the device said nothing."""
        here = self
        if not self.usable and now_s >= self.retry_s:
            here = self._replace(trying=True, against=0)
        if shown is None or (shown != ordered and now_s - ordered_s < SHOWS_S):
            return here
        if shown == ordered:
            if here.obeys or shown != here.stands:
                return CommandPath()
            return here._replace(against=0)
        against = here.against + 1
        if against < LOOKS or not here.usable:
            return here._replace(against=against)
        wait_s = here.wait_s if here.obeys else min(2.0 * here.wait_s, LONGEST_WAIT_S)
        since_s = now_s if here.obeys else here.since_s
        return CommandPath(against, False, shown, since_s, now_s + wait_s, wait_s)

    def shifted(self, by_s: float) -> CommandPath:
        """Move along with a clock that was set."""
        return self._replace(since_s=self.since_s + by_s, retry_s=self.retry_s + by_s)
