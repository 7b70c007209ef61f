"""One controller in one world, whichever kind it is: a line of figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from statistics import fmean
from typing import Any

from pems_actors.bench.closed_loop.hindsight import hindsight, later_cost
from pems_actors.bench.closed_loop.product_run import run_product
from pems_actors.bench.closed_loop.thermostat_run import awakened, run_thermostat
from pems_actors.bench.closed_loop.variants import Kind, Variant
from pems_actors.bench.closed_loop.world import World
from pems_actors.domain.plan import RoomThermalState

Figures = dict[str, object]


def run_one(world: World, variant: Variant) -> dict[str, Any]:
    """Run a controller through a world.

    Returns: its figures as plain data, with what they are about and the CPU seconds it took.
    """
    began = time.process_time()
    figures = _RUNS[variant.kind](world, variant)
    return {
        "span": world.span.name,
        "season": world.span.season,
        "days": world.span.days,
        "seed": world.seed,
        "controller": variant.label,
        "currency": world.tariff.currency,
        **figures,
        "cpu_s": time.process_time() - began,
    }


def _bound(world: World, variant: Variant) -> Figures:
    """Bound a span from the state in which the run-in leaves the house."""
    rooms, soc_frac = _beginning(world)
    span = world.span
    bound = hindsight(world, rooms, soc_frac, variant.cold_per_kh)
    before = later_cost(world, span.start_s, rooms, soc_frac)
    after = later_cost(world, span.end_s, bound.rooms, bound.soc_frac)
    cold_kh = sum(bound.cold_kh)
    return {
        "cost": bound.money.total,
        "settled": bound.money.total + after - before,
        "cold_kh": cold_kh,
        "warm_kh": sum(bound.warm_kh),
        "cold_kh_room_day": fmean(bound.cold_kh) / span.days,
    }


@lru_cache(maxsize=2)
def _beginning(world: World) -> tuple[dict[str, RoomThermalState], float]:
    twin = world.twin()
    twin.restore(awakened(world))
    return twin.true_state(), twin.inverter.soc_frac


_RUNS: dict[Kind, Callable[[World, Variant], Figures]] = {
    Kind.PRODUCT: run_product,
    Kind.THERMOSTAT: run_thermostat,
    Kind.HINDSIGHT: _bound,
}
