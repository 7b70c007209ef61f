"""The product itself in a world: the whole appliance on virtual time, its planner at our desk.

Nothing of it is rebuilt here. Actors cost a sixth of the time that plans cost, and so what is
measured is what runs in a house: estimator, forecasters, power budget, dwell, leases and writes.
"""

from __future__ import annotations

from dataclasses import replace

from pems_actors.bench.closed_loop.churn import Churn
from pems_actors.bench.closed_loop.market import KnownMarket
from pems_actors.bench.closed_loop.solver_desk import SOLVER, Desk, at_desk
from pems_actors.bench.closed_loop.tally import Tally
from pems_actors.bench.closed_loop.variants import Kind, Variant, believed
from pems_actors.bench.closed_loop.world import World, warmer
from pems_actors.domain.ports import PriceSource
from pems_actors.domain.units import DAY_S
from pems_actors.simulate import VIRTUAL_HEARTBEAT_S, VIRTUAL_PUBLISH_S, Performance, Story
from pems_actors.simulation.twin import Twin
from pems_actors.surroundings import SOLVER as PRODUCT_SOLVER
from pems_actors.surroundings import Pace


def run_product(world: World, variant: Variant) -> dict[str, object]:
    """Run the product, or a variant of it, through a world.

    Returns: the figures of `Tally`, those of its plans, and hours at each level.
    """
    with at_desk(Desk(world, variant)) as desk:
        twin, performance = staged(world, variant)
        performance.start()
        performance.run_until(world.span.start_s)
        tally, levels = Tally(world, twin), list(performance.level_s)
        for day in range(world.span.days):
            performance.run_until(world.span.start_s + (day + 1) * DAY_S)
            tally.mark()
        performance.appliance.stop()
    hours = [(s - before) / 3600.0 for s, before in zip(performance.level_s, levels, strict=True)]
    return tally.figures() | _plans(desk) | {f"level_h_{n}": h for n, h in enumerate(hours)}


def awake(world: World) -> Twin:
    """Give the house at the beginning of the span, after its run-in by the product's rules."""
    variant = Variant("run_in", Kind.PRODUCT, plans=False)
    twin, performance = staged(world, variant)
    performance.start()
    performance.run_until(world.span.start_s)
    performance.appliance.stop()
    return twin


def staged(
    world: World, variant: Variant, market: PriceSource | None = None
) -> tuple[Twin, Performance]:
    """Set the stage: the true house, and the product that believes in another one.

    Args:
        market: other prices than the world's.
    """
    span, twin = world.span, world.twin()
    pace = Pace(
        heartbeat_s=VIRTUAL_HEARTBEAT_S,
        publish_s=VIRTUAL_PUBLISH_S,
        planning=variant.plans,
        demo=True,
        solver=replace(PRODUCT_SOLVER, target=SOLVER),
    )
    story = Story(
        believed(warmer(world.house, variant.offset_k), variant),
        world.tariff,
        span.awake_s,
        span.days + span.run_in_days,
        world.seed,
        pace=pace,
    )
    if market is None:
        market = KnownMarket(world.market) if variant.exact else world.market
    return twin, Performance(story, twin, market, world.scenario)


def _plans(desk: Desk) -> dict[str, object]:
    churn = Churn.of(desk.plans, desk.world.tariff.timezone)
    times = sorted(desk.cpu_s)
    return {
        "plans": len(desk.plans),
        "refused": len(desk.refused),
        "refusals": sorted(set(desk.refused))[:5],
        "plan_cpu_s_p50": times[len(times) // 2] if times else None,
        "churn_frac": churn.quiet_frac,
        "churn_all_frac": churn.all_frac,
    }
