"""What the core asks of the PV worker: roofs and weather, as plain data.

Apart from `pv_worker`, so that the core can ask without touching anything that needs pvlib.
"""

from __future__ import annotations

from dataclasses import dataclass

from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import Roof, Site


@dataclass(frozen=True, slots=True)
class PvJob:
    """The answer is one mean power [kW] per slot of the weather's grid.

    `limit_kw` is the most that the inverter takes in from the roofs.
    """

    site: Site
    roofs: tuple[Roof, ...]
    limit_kw: float
    weather: WeatherForecast
