"""Who else may run the house of `pems simulate`: the original's rule, a schedule, and foresight.

They live in the very twin, weather and prices of the story, so that their figures can be laid
beside those of the product. The same controllers are compared at length in `closed_loop`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import ceil

from pems_actors.bench.closed_loop.market import KnownMarket
from pems_actors.bench.closed_loop.solver_desk import SOLVER, Desk, at_desk
from pems_actors.bench.closed_loop.spans import WINTER, Span
from pems_actors.bench.closed_loop.thermostat_run import Loop
from pems_actors.bench.closed_loop.thermostats import OriginalV1
from pems_actors.bench.closed_loop.variants import variant_of
from pems_actors.bench.closed_loop.world import World
from pems_actors.domain.units import DAY_S, HOUR_S, iso
from pems_actors.simulate import Observer, Result, Simulation, Story
from pems_actors.simulate.simulation import scene_of, seen_figures
from pems_actors.simulation.scenario import Scenario

Tell = Callable[[Story, bool, Observer | None], Result]


def _planned(name: str, story: Story, keep_log: bool, observe: Observer | None) -> Result:
    """Let the appliance live with another word at its solver's desk."""
    variant, pace = variant_of(name), story.pace
    story = replace(story, pace=replace(pace, solver=replace(pace.solver, target=SOLVER)))
    simulation = Simulation(story, keep_log=keep_log, prices=KnownMarket if variant.exact else None)
    with at_desk(Desk(_world(story, simulation.scenario), variant)):
        return simulation.run(observe)


def _by_v1(story: Story, keep_log: bool, observe: Observer | None) -> Result:
    """Let thermostats heat, and the original's rule lead battery and export; there are no actors.

    The log has one line an hour: what the meters have counted.
    """
    del observe
    if story.faults != "none":
        raise ValueError("v1 has no actors that could fail; leave --faults out")
    began = time.process_time()
    scenario, twin = scene_of(story)
    world, lines = _world(story, scenario), []
    loop, end_s = Loop(world, twin, OriginalV1(story.house)), story.start_s + story.days * DAY_S
    while twin.at_s < end_s:
        loop.run_until(min(twin.at_s + HOUR_S, end_s))
        lines.append(f"{twin.at_s:.3f} meters {json.dumps(twin.figures())}")
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode())
    figures = {
        **seen_figures(story, scenario, twin),
        "wall_s": round(time.process_time() - began, 3),
        "plans": 0,
        **{f"level_h_{n}": 0.0 for n in range(5)},
        "restarts": 0,
        "log_sha256": digest.hexdigest(),
    }
    return Result(figures, lines if keep_log else [])


def _world(story: Story, scenario: Scenario) -> World:
    span = Span("story", WINTER, iso(story.start_s), ceil(story.days), run_in_days=0.0)
    return World(span, story.seed, story.house, story.tariff, scenario, scenario)


OTHERS: dict[str, Tell] = {
    "v1": _by_v1,
    "day_ahead": partial(_planned, "day_ahead"),
    "perfect": partial(_planned, "exact"),
}
"""By the name that `pems simulate --controller` takes; each raises ValueError as `Simulation`."""
