"""Is anybody home? From what a presence input says to the house mode that follows. Pure.

Sensors and telephones flicker, so an absence counts after half an hour. It saves a kelvin and no
more: a slow house could not be warm again when people come home unannounced. A mode that a person
chose is left alone, and only what presence itself began is ended by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pems_actors.domain.events import HouseMode

LEFT_AFTER_S = 1800.0
EMPTY = HouseMode.ECONOMY


@dataclass(frozen=True, slots=True)
class Presence:
    """What was last said, since when, and whether the mode that stands is of its making."""

    home: bool | None = None
    since_s: float = 0.0
    ours: bool = False

    def heard(self, home: bool, now_s: float) -> Presence:
        """Take in what the input says; the same again changes nothing."""
        return self if home is self.home else replace(self, home=home, since_s=now_s)

    def left_s(self) -> float | None:
        """When the house counts as empty; None while somebody is home or nothing is known."""
        return self.since_s + LEFT_AFTER_S if self.home is False else None

    def wants(self, standing: HouseMode, now_s: float) -> HouseMode | None:
        """Tell the mode to enter now, None for none."""
        left_s = self.left_s()
        if left_s is not None and now_s >= left_s and standing is HouseMode.NORMAL:
            return EMPTY
        if self.home and self.ours and standing is EMPTY:
            return HouseMode.NORMAL
        return None
