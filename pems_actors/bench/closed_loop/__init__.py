"""`pems bench closed-loop`: what the product saves, against baselines at equal comfort and a bound.

Every controller lives in the same worlds: the twin with parameters and sensors that are not the
planner's, forecasts as they are issued, quarter-hour prices, tariff blocks. Read `variants` first
(who is compared), then `world`, `run_one` and `summary`. Costs are money from the true meters with
wear and relay starts, the state at the end settled by what two days from there would cost.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from pems_actors.bench.closed_loop.journal import Journal, Key
from pems_actors.bench.closed_loop.run_one import run_one
from pems_actors.bench.closed_loop.spans import FORTNIGHTS, Span
from pems_actors.bench.closed_loop.summary import summarised
from pems_actors.bench.closed_loop.variants import (
    ABLATIONS,
    KNOWN,
    MAIN,
    Variant,
    variant_of,
    with_sweeps,
)
from pems_actors.bench.closed_loop.world import World
from pems_actors.bench.report import Target, report

TARGETS = {
    "captured_frac_winter": Target(">=", 0.70),
    "captured_frac_shoulder": Target(">=", 0.65),
    "captured_frac_min": Target(">=", 0.0),
    "cold_kh_room_day": Target("<=", 0.2),
    "churn_frac": Target("<=", 0.05),
    "mode_changes_per_day": Target("<=", 6.0),
    "writes_per_day": Target("<=", 30.0),
    "over_phase_limit_s": Target("<=", 0.0),
    "level2_kept_frac": Target(">=", 0.70),
}
_QUICK = ("hysteresis", "bound", "bound_12", "bound_3", "ours")


def run(
    *,
    quick: bool = False,
    fortnights: int | None = None,
    days: float | None = None,
    seeds: int | None = None,
    controllers: tuple[str, ...] | None = None,
    results: str | None = None,
    report_only: bool = False,
) -> dict[str, Any]:
    """Measure what is asked for and is not in the results yet, and join it with what is.

    Args:
        quick: three days of January and of March, one baseline, the product and the bound.
        fortnights: how many of the six, in their order.    days: of each, instead of 14.
        seeds: how many worlds of each.    controllers: names (`variants.KNOWN`); the baselines
            come at several set-points. None: all but the ablations; `ablations` is short for those.
        results: a file of JSON lines; a run that was stopped goes on from it.
        report_only: run nothing.
    Returns: the one object of figures.
    Raises: ValueError for a controller that there is not.
    """
    journal, found = Journal(Path(results) if results else None), {}
    found.update(journal.results())
    if not report_only:
        chosen = _chosen(controllers, quick=quick)
        for world in _worlds(fortnights, days, seeds, quick=quick):
            for variant in chosen:
                _measure(world, variant, journal, found)
    return report("closed-loop", summarised(found.values()), TARGETS)


def _measure(world: World, variant: Variant, journal: Journal, found: dict[Key, Any]) -> None:
    """Run one controller in one world, unless that was done before."""
    key = Key(world.span.name, world.span.days, world.seed, variant.label)
    if key in found:
        return
    line = run_one(world, variant)
    journal.add(line)
    found[key] = line
    told = f"{key.span} {key.days} d, seed {key.seed}: {key.controller}"
    print(f"pems: {told}, {line['cpu_s']:.0f} CPU seconds", file=sys.stderr, flush=True)


def _worlds(
    fortnights: int | None, days: float | None, seeds: int | None, *, quick: bool
) -> list[World]:
    spans: Sequence[Span] = FORTNIGHTS[: fortnights or (2 if quick else len(FORTNIGHTS))]
    if quick or days is not None:
        length = round(days) if days is not None else 3
        spans = [replace(span, days=length) for span in spans]
    if quick:
        spans = [replace(span, run_in_days=1.0) for span in spans]
    return [World.of(span, seed) for seed, span in product(range(seeds or 1), spans)]


def _chosen(controllers: tuple[str, ...] | None, *, quick: bool) -> tuple[Variant, ...]:
    names = controllers or (_QUICK if quick else MAIN)
    spelt = [each for name in names for each in (ABLATIONS if name == "ablations" else (name,))]
    for name in spelt:
        variant_of(name)
    plain = tuple(name for name in spelt if name in KNOWN)
    moved = tuple(variant_of(name) for name in spelt if name not in KNOWN)
    return (*with_sweeps(plain), *moved)
