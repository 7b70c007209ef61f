"""One world to compare controllers in: a span, a seed, the house as believed and as it is.

The truth (parameters wrong by a tenth to a quarter, sensors with noise, prices, weather) belongs
to the twin and to the judges. A controller sees readings, and forecasts as they are issued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from config import load
from pems_actors.bench.closed_loop.market import Market, QuarterMarket
from pems_actors.bench.closed_loop.spans import Span
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.control.comfort import band_c
from pems_actors.domain.house import House, HouseModel
from pems_actors.domain.plan import HouseState, PlanningProblem, RoomThermalState, Weights
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S
from pems_actors.economics.tariff import Tariff
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin


@dataclass(frozen=True)
class World:
    """What is the same for all controllers that are compared."""

    span: Span
    seed: int
    house: House
    tariff: Tariff
    scenario: Scenario = field(compare=False, repr=False)
    market: Market = field(compare=False, repr=False)

    @classmethod
    def of(cls, span: Span, seed: int) -> World:
        """Make the world of the shipped house, whatever this machine has configured."""
        shipped = load("house17", env={}).system
        house, tariff = house_from(shipped), tariff_from(shipped)
        days = (span.end_s - span.awake_s) / DAY_S
        scenario = Scenario.reference(house, span.awake_s, days, seed=seed)
        return cls(span, seed, house, tariff, scenario, QuarterMarket(seed, tariff.timezone))

    @cached_property
    def truth(self) -> HouseModel:
        """The true thermal parameters."""
        return true_model(self.house.model, self.seed)

    def twin(self) -> Twin:
        """Build the true house as it wakes up."""
        blocked, awake_s = self.tariff.blocked, self.span.awake_s
        return Twin(self.house, self.truth, self.scenario, blocked, awake_s, self.seed)

    def known(
        self,
        grid: TimeGrid,
        rooms: Mapping[str, RoomThermalState],
        soc_frac: float,
        weights: Weights,
    ) -> PlanningProblem:
        """Put the problem of one who knows the house and the future exactly.

        Args:
            grid: slots from now on.    rooms, soc_frac: the true state now.
            weights: prices of discomfort; the band is the occupants' own, without a margin.
        """
        actual, now_s = self.scenario.actual, grid.start_s
        spot = self.market.traded_eur_mwh(grid)
        curve = self.tariff.price_curve(grid, spot, now_s, grid.end_s)
        lows, highs = self._bands(grid)
        return PlanningProblem(
            issued_at_s=now_s,
            grid=grid,
            model=self.truth,
            relays=self.house.relays,
            battery=self.house.battery,
            inverter=self.house.inverter,
            limits=self.house.limits,
            state=HouseState(now_s, rooms, {}, soc_frac),
            outdoor_c=actual("outdoor_c", grid),
            ghi_w_m2=actual("ghi_w_m2", grid),
            pv_kw=actual("pv_kw", grid),
            base_load_kw=actual("base_load_kw", grid),
            import_per_kwh=curve.import_per_kwh,
            export_per_kwh=curve.export_per_kwh,
            heating_blocked=curve.blocked,
            comfort_low_c=lows,
            comfort_high_c=highs,
            weights=weights,
            currency=curve.currency,
        )

    def _bands(
        self, grid: TimeGrid
    ) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]]:
        lows, highs = {}, {}
        for room in self.house.rooms:
            at = [band_c(room.comfort, end_s, self.tariff.timezone) for end_s in grid.edges_s[1:]]
            lows[room.name] = tuple(low for low, _ in at)
            highs[room.name] = tuple(high for _, high in at)
        return lows, highs


def warmer(house: House, by_k: float) -> House:
    """Raise every set-point: how a thermostat that is too cold is turned up."""
    if not by_k:
        return house
    rooms = tuple(
        replace(
            room,
            comfort=replace(
                room.comfort, day_c=room.comfort.day_c + by_k, night_c=room.comfort.night_c + by_k
            ),
        )
        for room in house.rooms
    )
    return replace(house, rooms=rooms)
