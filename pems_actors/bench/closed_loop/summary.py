"""From lines to figures: each controller against the same baseline and bound, at equal comfort.

The baseline of a world is the cheaper edge of the tuned hysteresis and the duty thermostat at all
their set-points; the bound is hindsight at several prices of cold. Both are read at the cold of the
controller that is judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from pems_actors.bench.closed_loop.comfort_curve import ComfortCurve, Point, captured_frac
from pems_actors.bench.closed_loop.variants import AWAY_AFTER_H, BASELINES, BOUNDS, variant_of

Line = Mapping[str, Any]
Lines = Sequence[Line]

ALIKE_KH = 0.02  # colds of less, per room and day, are one comfort: nobody feels a hundredth
LEAST_TO_WIN = 5.0  # in the house's currency over a span: below it a share is noise
_MEANS = (
    "cost", "settled", "energy_kwh", "heating_kwh", "self_consumption_frac", "peak_kw", "cold_kh",
    "cold_kh_room_day", "warm_kh", "starts_per_room_day", "mode_changes_per_day",
    "writes_per_day", "churn_frac", "churn_all_frac", "plan_cpu_s_p50", "refused",
)  # fmt: skip
_SUMS = ("over_phase_limit_s",)
_WORST = ("floor_max_c",)


def summarised(lines: Iterable[Line]) -> dict[str, Any]:
    """Join results into figures.

    Returns: per controller its means over worlds and its captured share by season, and the
        shares of the product in flat figures.
    """
    worlds: dict[tuple[str, int, int], list[Line]] = defaultdict(list)
    for line in lines:
        worlds[line["span"], line["days"], line["seed"]].append(line)
    judged = [verdict for world in worlds.values() for verdict in _judged(world)]
    by_name: dict[str, list[Line]] = defaultdict(list)
    for line in judged:
        by_name[line["controller"]].append(line)
    controllers = {name: _means(found) for name, found in sorted(by_name.items())}
    kept = _mean(by_name.get("level2", []), "kept_frac")
    flat = {**_flat(by_name.get("ours", [])), "level2_kept_frac": kept}
    return {"worlds": len(worlds), "controllers": controllers, **flat}


def baseline_of(world: Lines) -> ComfortCurve | None:
    """Make the curve of the tuned baselines of a world, None where none was run."""
    return _curve(world, BASELINES)


def bound_of(world: Lines) -> ComfortCurve | None:
    """Make the curve of hindsight of a world, None where none was run."""
    return _curve(world, BOUNDS)


def _curve(world: Lines, names: Sequence[str]) -> ComfortCurve | None:
    points = [point_of(line) for line in world if variant_of(line["controller"]).name in names]
    return ComfortCurve.of(points) if points else None


def point_of(line: Line) -> Point:
    """Take cold and settled cost from a line; all that nobody feels counts as one cold."""
    return Point(max(line["cold_kh_room_day"], ALIKE_KH), line["settled"])


def _judged(world: Lines) -> list[Line]:
    """Add to each line how it compares, in the same world, with baseline, bound and product.

    `within_sweep` tells whether the baseline was ever as cold, or as warm, as the line.
    """
    baseline, bound = baseline_of(world), bound_of(world)
    ours = next((line["settled"] for line in world if line["controller"] == "ours"), None)
    told: list[Line] = []
    for line in world:
        point = point_of(line)
        more: dict[str, Any] = {"dearer": None if ours is None else line["settled"] - ours}
        if baseline is not None:
            more["baseline_settled"] = baseline.at(point.cold)
            more["saved"] = baseline.at(point.cold) - point.cost
            more["within_sweep"] = baseline.holds(point.cold)
        if baseline is not None and bound is not None:
            more["bound_settled"] = bound.at(point.cold)
            more["captured_frac"] = captured_frac(baseline, bound, point, LEAST_TO_WIN)
        more["kept_frac"] = _kept(world, line)
        told.append({**line, **more})
    return told


def _kept(world: Lines, line: Line) -> float | None:
    """Share of the planner's saving that is kept for a day after the planner has gone.

    Against the tuned thermostat, over that day alone, with the state settled.
    """
    if not variant_of(line["controller"]).away_after_h:
        return None
    by_name = {each["controller"]: each for each in world}
    if "ours" not in by_name or BASELINES[0] not in by_name:
        return None
    day = round(AWAY_AFTER_H / 24.0)
    rules, ours, left = (
        _of_day(each, day) for each in (by_name[BASELINES[0]], by_name["ours"], line)
    )
    if rules is None or ours is None or left is None or rules - ours < LEAST_TO_WIN / 5.0:
        return None
    return (rules - left) / (rules - ours)


def _of_day(line: Line, day: int) -> float | None:
    """Settled cost of one day of a run, counted from 0."""
    marks = line["marks"]
    if len(marks) < day + 2:
        return None
    first, last = marks[day], marks[day + 1]
    return float(last["cost"] + last["later"] - first["cost"] - first["later"])


def _means(lines: Lines) -> dict[str, Any]:
    told: dict[str, Any] = {"runs": len(lines), "told": variant_of(lines[0]["controller"]).told}
    for name in (*_MEANS, "saved", "captured_frac", "kept_frac", "dearer"):
        told[name] = _mean(lines, name)
    told |= {name: sum(line.get(name) or 0.0 for line in lines) for name in _SUMS}
    told |= {name: max((line[name] for line in lines if name in line), default=None)
             for name in _WORST}  # fmt: skip
    told["captured_by_span"] = _by(lines, "span")
    told["captured_by_season"] = _by(lines, "season")
    return told


def _mean(lines: Lines, name: str) -> float | None:
    values = [line[name] for line in lines if line.get(name) is not None]
    return fmean(values) if values else None


def _by(lines: Lines, what: str) -> dict[str, float | None]:
    """Share of what could be won that was won, by span or season: sums over sums."""
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.get("bound_settled") is not None:
            groups[line[what]].append(line)
    return {name: _share(found) for name, found in groups.items()}


def _share(lines: Lines) -> float | None:
    won = sum(line["saved"] for line in lines)
    to_win = sum(line["baseline_settled"] - line["bound_settled"] for line in lines)
    return won / to_win if to_win > LEAST_TO_WIN else None


def _flat(ours: Lines) -> dict[str, Any]:
    """Write the product's own figures flat, for targets."""
    seasons = _by(ours, "season")
    shares = [line["captured_frac"] for line in ours if line.get("captured_frac") is not None]
    colds = [line["cold_kh_room_day"] for line in ours]
    by_room = [kh for line in ours for kh in line.get("cold_kh_by_room_day", {}).values()]
    return {
        "captured_frac": _share([line for line in ours if "bound_settled" in line]),
        "captured_frac_min": min(shares, default=None),
        "captured_frac_winter": seasons.get("winter"),
        "captured_frac_shoulder": seasons.get("shoulder"),
        "captured_frac_summer": seasons.get("summer"),
        "cold_kh_room_day": max(colds, default=None),
        "cold_kh_worst_room_day": max(by_room, default=None),
        "churn_frac": _mean(ours, "churn_frac"),
        "mode_changes_per_day": _mean(ours, "mode_changes_per_day"),
        "writes_per_day": _mean(ours, "writes_per_day"),
        "over_phase_limit_s": sum(line["over_phase_limit_s"] for line in ours) if ours else None,
    }
