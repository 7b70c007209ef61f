"""Who outside the rooms was last heard when, and who is missed by now.

What was never heard is not missed: not every house has each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import NamedTuple

from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import MINUTE_S

SILENT_S = 180.0
OUTDOOR_SILENT_S = 30 * MINUTE_S  # the weather does not hurry, and nor do its sensors
CHARGE = "battery/charge"
MISSED_AFTER_S = {
    "meter": SILENT_S,
    "inverter": SILENT_S,
    CHARGE: SILENT_S,
    "outdoor": OUTDOOR_SILENT_S,
    "tariff/contact": OUTDOOR_SILENT_S,  # until then the timetable stands in well enough
}


class Heard(NamedTuple):
    """When each was last heard [s]; None: never."""

    meter: float | None = None
    inverter: float | None = None
    charge: float | None = None
    outdoor: float | None = None
    contact: float | None = None

    def by(self, reading: HouseReading) -> Heard:
        """Note who speaks in a picture; what is no number was not said."""
        meter, battery, outdoor = reading.meter, reading.battery, reading.outdoor
        return Heard(
            self.meter if meter is None or not _is_number(meter.grid_kw) else meter.at_s,
            self.inverter if battery is None else battery.at_s,
            self.charge if battery is None or not _is_number(battery.soc_frac) else battery.at_s,
            self.outdoor if outdoor is None or not _is_number(outdoor.temp_c) else outdoor.at_s,
            self.contact if reading.heating_blocked is None else reading.at_s,
        )

    def missed(self, now_s: float) -> Iterator[tuple[str, float]]:
        """List who is missed, and since when it was last heard.

        A silent inverter tells no charge either: that is one outage, not two.
        """
        for (name, after_s), at_s in zip(MISSED_AFTER_S.items(), self, strict=True):
            if at_s is None or now_s - at_s <= after_s:
                continue
            if name == CHARGE and self.charge == self.inverter:
                continue
            yield name, at_s

    def shifted(self, by_s: float) -> Heard:
        """Move along with a clock that was set."""
        return Heard(*(None if at_s is None else at_s + by_s for at_s in self))


def _is_number(said: float | None) -> bool:
    return said is not None and isfinite(said)


def missed_since(devices: frozenset[str], now_s: float) -> Heard:
    """Begin after a restart: who was missed before it is missed at once, though never heard."""
    return Heard(*(now_s if name in devices else None for name in MISSED_AFTER_S))
