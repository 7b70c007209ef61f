"""Lines of results become shares at equal comfort; what was not measured is not told."""

from typing import Any

import pytest

from pems_actors.bench.closed_loop.summary import summarised


def _line(controller: str, settled: float, cold: float, **more: Any) -> dict[str, Any]:
    return {
        "span": "january",
        "season": "winter",
        "days": 3,
        "seed": 0,
        "controller": controller,
        "settled": settled,
        "cold_kh_room_day": cold,
        "over_phase_limit_s": 0.0,
        **more,
    }


WORLD = [
    _line("hysteresis-0.2", 190.0, 0.18),
    _line("hysteresis", 200.0, 0.0),
    _line("duty", 210.0, 0.0),
    _line("bound", 150.0, 0.0),
    _line("bound_12", 140.0, 0.18),
    _line("ours", 160.0, 0.1),
]


def test_the_share_is_taken_against_baseline_and_bound_at_the_same_cold() -> None:
    told = summarised(WORLD)
    assert told["captured_frac"] == pytest.approx((195.0 - 160.0) / (195.0 - 145.0))
    assert told["captured_frac_min"] == pytest.approx(0.7)
    assert told["captured_frac_winter"] == pytest.approx(0.7)
    assert told["captured_frac_shoulder"] is None
    assert told["controllers"]["ours"]["saved"] == pytest.approx(35.0)


def test_a_cold_that_nobody_feels_is_no_reason_to_compare_with_a_dearer_thermostat() -> None:
    colder = _line("hysteresis-0.4", 170.0, 0.015)
    warm = {**WORLD[-1], "cold_kh_room_day": 0.0}
    assert summarised([colder, *WORLD[:-1], warm])["captured_frac"] == pytest.approx(0.5)


def test_the_dearer_of_two_baselines_flatters_nobody() -> None:
    without_duty = [line for line in WORLD if line["controller"] != "duty"]
    assert summarised(WORLD)["captured_frac"] == summarised(without_duty)["captured_frac"]


def test_the_worst_cold_of_all_worlds_is_told() -> None:
    other = [{**line, "seed": 1} for line in WORLD]
    other[-1] = {**other[-1], "cold_kh_room_day": 0.3}
    assert summarised([*WORLD, *other])["cold_kh_room_day"] == 0.3
    assert summarised([*WORLD, *other])["worlds"] == 2


def test_the_coldest_room_is_told_beside_the_mean() -> None:
    rooms = {"kuchyne": 0.4, "obyvak": 0.0}
    ours = {**WORLD[-1], "cold_kh_by_room_day": rooms}
    assert summarised([*WORLD[:-1], ours])["cold_kh_worst_room_day"] == 0.4


def test_without_the_product_nothing_is_told_of_it() -> None:
    told = summarised(WORLD[:2])
    assert told["captured_frac"] is None
    assert told["over_phase_limit_s"] is None
    assert told["controllers"]["hysteresis"]["captured_frac"] is None


def test_without_results_the_figures_are_unknown_and_nothing_fails() -> None:
    assert summarised([])["worlds"] == 0


def _marks(*settled: float) -> list[dict[str, float]]:
    return [{"cost": cost, "later": 0.0} for cost in settled]


def test_what_is_kept_without_a_planner_is_judged_over_the_day_after_it_went() -> None:
    world = [
        _line("hysteresis", 0.0, 0.0, marks=_marks(0.0, 100.0, 200.0)),
        _line("ours", 0.0, 0.0, marks=_marks(0.0, 60.0, 120.0)),
        _line("level2", 0.0, 0.0, marks=_marks(0.0, 60.0, 128.0)),
        _line("level3", 0.0, 0.0, marks=_marks(0.0, 60.0, 152.0)),
    ]
    assert summarised(world)["level2_kept_frac"] == pytest.approx(0.8)
    told = summarised(world)["controllers"]
    assert told["level2"]["kept_frac"] == pytest.approx(0.8)
    assert told["level3"]["kept_frac"] == pytest.approx(0.2)
    assert told["ours"]["kept_frac"] is None


def test_how_much_dearer_a_changed_planner_is_is_told_in_the_same_worlds_alone() -> None:
    other = [{**line, "span": "march", "settled": 90.0} for line in WORLD]
    changed = _line("no_estimator", 171.5, 0.1)
    told = summarised([*WORLD, *other, changed])["controllers"]
    assert told["no_estimator"]["dearer"] == pytest.approx(11.5)
    assert told["ours"]["dearer"] == 0.0
    assert summarised([*WORLD[:-1], changed])["controllers"]["no_estimator"]["dearer"] is None
