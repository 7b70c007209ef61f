"""Energy counted from powers that are looked at now and then: bought, sold, used.

Between two readings the power is taken as their mean. What happened while nobody looked for longer
than a few minutes is not invented: it is missing from the count.
"""

from __future__ import annotations

from typing import NamedTuple

from pems_actors.domain.readings import MeterReading
from pems_actors.domain.units import HOUR_S

GAP_S = 180.0


class EnergyCount(NamedTuple):
    """What went through the meter since `since_s` [kWh]; None before the first reading."""

    since_s: float | None = None
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    load_kwh: float = 0.0

    def between(self, before: MeterReading | None, after: MeterReading) -> EnergyCount:
        """Count what flowed between two readings."""
        since_s = after.at_s if self.since_s is None else self.since_s
        hours = 0.0 if before is None else (after.at_s - before.at_s) / HOUR_S
        if before is None or not 0.0 < hours <= GAP_S / HOUR_S:
            return EnergyCount(since_s, self.import_kwh, self.export_kwh, self.load_kwh)
        grid_kw = [kw for kw in (before.grid_kw, after.grid_kw) if kw is not None]
        load_kw = [kw for kw in (before.load_kw, after.load_kw) if kw is not None]
        return EnergyCount(
            since_s,
            self.import_kwh + hours * _mean([max(0.0, kw) for kw in grid_kw]),
            self.export_kwh + hours * _mean([max(0.0, -kw) for kw in grid_kw]),
            self.load_kwh + hours * _mean(load_kw),
        )


def _mean(powers_kw: list[float]) -> float:
    return sum(powers_kw) / len(powers_kw) if powers_kw else 0.0
