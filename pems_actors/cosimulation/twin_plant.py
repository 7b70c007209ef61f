"""The twin as an outside plant: it says and hears what any building simulator would.

For a first try of a controller, ours or one's own:

    plant, house = TwinPlant("flat3", "2023-01-16T00:00:00Z"), CoSimulation("flat3")
    for _ in range(96):
        plant.live(house.step(plant.observation()))
    print(plant.figures())

A controller is whatever makes commands of an observation; `house.step` is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pems_actors.blueprint import house_from, tariff_from
from pems_actors.cosimulation.given_house import Given, system_of
from pems_actors.domain.commands import DeviceCommand, SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, MINUTE_S, QUARTER_S, iso, seconds
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin

DAYS = 366.0
AHEAD_H = 50
WHY = "as the controller says"


class TwinPlant:
    """A simulated house with weather, market and people, to be stepped from outside.

    Args:
        config: the house, as `CoSimulation` takes it.    start: where it begins, ISO 8601.
        seed: of everything that is drawn.    weather_shift_k: added to every outdoor temperature.
    """

    def __init__(
        self, config: Given = None, start: str = "2023-01-16T00:00:00Z", *,
        seed: int = 0, weather_shift_k: float = 0.0,
    ) -> None:  # fmt: skip
        system, start_s = system_of(config), seconds(start)
        self.house, self.tariff = house_from(system), tariff_from(system)
        self.scenario = Scenario.reference(self.house, start_s, DAYS, weather_shift_k, seed)
        truth = true_model(self.house.model, seed)
        blocked = self.tariff.blocked
        self.twin = Twin(self.house, truth, self.scenario, blocked, start_s, seed)
        self.seq = 0

    def observation(self) -> dict[str, Any]:
        """Say what can be seen, what weather is forecast and which prices are published."""
        twin, at_s = self.twin, self.twin.at_s
        seen = twin.reading()
        battery, inverter, outdoor = seen.battery, seen.inverter, seen.outdoor
        return {
            "seq": self.seq,
            "time": iso(at_s),
            "rooms": {r.room: {"temp_c": r.temp_c, "relay_on": r.relay_on} for r in seen.rooms},
            "outdoor_c": None if outdoor is None else outdoor.temp_c,
            "ghi_w_m2": None if outdoor is None else outdoor.ghi_w_m2,
            "pv_kw": None if inverter is None else inverter.pv_kw,
            "soc_frac": None if battery is None else battery.soc_frac,
            "hdo_blocked": seen.heating_blocked,
            **self._metered(seen),
            "weather_forecast": self._weather(at_s),
            "prices": self._prices(at_s),
        }

    def live(self, commands: Mapping[str, Any], minutes: float = 15.0) -> None:
        """Carry out commands for a while."""
        step_s = minutes * MINUTE_S
        for order in self._orders(commands, self.twin.at_s, step_s):
            self.twin.apply(order)
        self.twin.step_to(self.twin.at_s + step_s)
        self.seq += 1

    def figures(self) -> dict[str, float]:
        """Give energies [kWh], comfort and counts since the start."""
        return self.twin.figures()

    def _metered(self, seen: HouseReading) -> dict[str, Any]:
        """Take the heating off the load, as a meter of its own would tell it."""
        meter = seen.meter
        if meter is None or meter.load_kw is None:
            return {}
        base_kw = meter.load_kw - self.twin.relays.total_kw
        phases = None if meter.phase_kw is None else list(meter.phase_kw)
        return {"base_load_kw": base_kw, "grid_kw": meter.grid_kw, "phase_kw": phases}

    def _weather(self, at_s: float) -> dict[str, Any]:
        grid = TimeGrid.uniform(at_s - at_s % HOUR_S, AHEAD_H, HOUR_S)
        told = self.scenario.forecast(grid, at_s)
        names = ("outdoor_c", "ghi_w_m2", "dni_w_m2", "dhi_w_m2")
        series = {name: list(getattr(told, name)) for name in names}
        return {"start": iso(grid.start_s), "step_s": HOUR_S, **series}

    def _prices(self, at_s: float) -> dict[str, Any]:
        """Tell all-in prices as far as they are published."""
        start_s = at_s - at_s % QUARTER_S
        quarters = round((self.scenario.published_until_s(at_s) - start_s) / QUARTER_S)
        grid = TimeGrid.uniform(start_s, quarters)
        spot = [p for p in self.scenario.spot_eur_mwh(grid, at_s) if p is not None]
        told = self.tariff.price_curve(grid, spot, at_s, grid.end_s)
        ways = {way: list(getattr(told, way)) for way in ("import_per_kwh", "export_per_kwh")}
        return {"start": iso(start_s), "step_s": QUARTER_S, **ways}

    def _orders(
        self, commands: Mapping[str, Any], at_s: float, step_s: float
    ) -> tuple[DeviceCommand, ...]:
        """Read commands as orders that hold until the next ones."""
        until_s, power_kw = at_s + step_s + MINUTE_S, commands.get("battery_kw")
        heating = (
            SetHeating(relay, on, WHY, Level.PLAN, at_s, until_s)
            for relay, on in commands["relays"].items()
        )
        mode = BatteryMode(commands.get("battery_mode", BatteryMode.SELF_USE))
        forced = mode in {BatteryMode.CHARGE_GRID, BatteryMode.SELL}
        rate_kw = abs(power_kw) if forced and power_kw is not None else None
        battery = SetBatteryMode(mode, WHY, Level.PLAN, at_s, until_s, rate_kw)
        export = SetExport(commands.get("export_allowed", True), WHY, Level.PLAN, at_s, until_s)
        return (*heating, battery, export)
