"""Loads that can wait for cheap or sunny hours: a car at its charger, a boiler.

None is needed. Each is measured and held back by a contact, and serves itself while nobody holds
it back. Hours are local.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.base import Good, HourOfDay, Part


class Load(Part):
    """One load: `every_day_kwh` until `by_h` is wanted while nobody asks for something else.

    `tariff_blocked` says that it hangs behind the same contactor as the heating. A boiler's
    `volume_l` has it brought to `hot_c` once a week. `missed_per_kwh` is what a kWh that comes too
    late is worth to you, in the tariff's currency.
    """

    kind: Literal["car", "boiler"]
    power_kw: Annotated[float, Field(gt=0, le=50), Good("a power above 0 kW, usually 2 to 11")]
    phase: Literal["L1", "L2", "L3", "L123"] = "L123"
    tariff_blocked: bool = False
    by_h: HourOfDay = 7.0
    every_day_kwh: Annotated[
        float, Field(ge=0, le=300), Good("kWh from 0, usually 4 to 20; 0 asks for nothing")
    ] = 0.0
    missed_per_kwh: Annotated[
        float, Field(ge=0, le=1000), Good("a price per kWh well above the usual one, like 20")
    ] = 20.0
    volume_l: Annotated[float, Field(ge=0, le=5000), Good("litres, 0 if it is no boiler")] = 0.0
    hot_c: Annotated[float, Field(ge=50, le=90), Good("50 to 90 °C, usually 60")] = 60.0

    def kw_on(self, phase: str) -> float:
        """Power that it draws from one phase."""
        if self.phase == "L123":
            return self.power_kw / 3
        return self.power_kw if self.phase == phase else 0.0
