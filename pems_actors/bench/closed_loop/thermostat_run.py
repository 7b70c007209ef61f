"""The loop of a plain controller: a reading, its wishes, the twin until the next minute."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import Any

from pems_actors.bench.closed_loop.product_run import awake
from pems_actors.bench.closed_loop.switchboard import Switchboard
from pems_actors.bench.closed_loop.tally import Tally
from pems_actors.bench.closed_loop.thermostats import (
    Controller,
    DayPrices,
    Hysteresis,
    Order,
    OriginalV1,
    PriceShift,
)
from pems_actors.bench.closed_loop.variants import Variant
from pems_actors.bench.closed_loop.world import World
from pems_actors.domain.commands import SetBatteryMode, SetExport
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, MINUTE_S, QUARTER_S
from pems_actors.simulation.calendars import local_midnight
from pems_actors.simulation.twin import Twin

CONTROLLERS: dict[str, type[Hysteresis]] = {
    "hysteresis": Hysteresis,
    "price_shift": PriceShift,
    "v1": OriginalV1,
}


def run_thermostat(world: World, variant: Variant) -> dict[str, object]:
    """Run a plain controller through a world, from the state in which the run-in leaves it.

    Returns: the figures of `Tally`.
    """
    twin = world.twin()
    twin.restore(awakened(world))
    tally = Tally(world, twin)
    loop = Loop(world, twin, CONTROLLERS[variant.name](world.house, variant.offset_k))
    for day in range(world.span.days):
        loop.run_until(world.span.start_s + (day + 1) * DAY_S)
        tally.mark()
    return tally.figures()


@lru_cache(maxsize=2)
def awakened(world: World) -> dict[str, Any]:
    """Remember the house after its run-in: several thermostats begin in it."""
    return awake(world).snapshot()


class Loop:
    """One plain controller before one twin."""

    def __init__(self, world: World, twin: Twin, controller: Controller) -> None:
        self._world, self._twin, self._controller = world, twin, controller
        self._board = Switchboard(world.house, twin)
        self._order: Order | None = None
        self._no_charge_until_s = -inf
        self._today: DayPrices | None = None

    def run_until(self, at_s: float) -> None:
        """Go on minute by minute."""
        while self._twin.at_s < at_s:
            now_s = self._twin.at_s
            self._minute(now_s)
            self._twin.step_to(now_s + MINUTE_S)

    def _minute(self, now_s: float) -> None:
        reading, prices = self._twin.reading(), self._prices(now_s)
        wishes = self._controller.wishes(reading, prices)
        if self._board.serve(reading, wishes):
            self._no_charge_until_s = now_s + QUARTER_S
        order = self._controller.storage(reading, prices)
        if order.mode is BatteryMode.CHARGE_GRID and now_s < self._no_charge_until_s:
            order = order._replace(mode=BatteryMode.HOLD, rate_kw=None)
        if order != self._order:
            self._write(order)

    def _write(self, order: Order) -> None:
        at_s, mode, rate_kw, allowed = self._twin.at_s, *order
        self._twin.apply(SetBatteryMode(mode, "rule", Level.RULES, at_s, inf, rate_kw))
        self._twin.apply(SetExport(allowed, "rule", Level.RULES, at_s, inf))
        self._order = order

    def _prices(self, now_s: float) -> DayPrices:
        if self._today is None or not self._today.start_s <= now_s < self._today.end_s:
            self._today = day_prices(self._world, now_s)
        return self._today


def day_prices(world: World, now_s: float) -> DayPrices:
    """Give the prices of a local day of 92, 96 or 100 quarter hours; known since the day before."""
    tariff = world.tariff
    midnight_s, end_s = (local_midnight(now_s, tariff.timezone, ahead) for ahead in (0, 1))
    grid = TimeGrid.uniform(midnight_s, round((end_s - midnight_s) / QUARTER_S))
    spot = world.market.traded_eur_mwh(grid)
    curve = tariff.price_curve(grid, spot, midnight_s, grid.end_s)
    spot_per_kwh = tuple(map(tariff.spot_per_kwh, spot))
    return DayPrices(midnight_s, curve.import_per_kwh, curve.export_per_kwh, spot_per_kwh)
