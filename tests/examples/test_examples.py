"""The small programs do, as they stand, what they promise."""

from __future__ import annotations

import runpy

import pytest


def run(name: str) -> dict[str, object]:
    return runpy.run_module(f"pems_actors.examples.{name}")


@pytest.mark.slow
def test_a_house_is_planned_in_three_lines(capsys) -> None:
    plan = run("plan_a_house")["plan"]
    assert plan.status == "solved"
    assert 0.0 < plan.cost < 100.0
    assert plan.solve_time_s < 5.0
    assert len(plan.slots) == 20
    assert capsys.readouterr().out.startswith("solved ")


@pytest.mark.slow
def test_the_twin_is_heated_in_four_lines(capsys) -> None:
    flat = run("heat_the_twin")["flat"]
    assert flat.figures()["cold_kh"] < 0.5
    assert flat.figures()["heating_kwh"] > 1.0
    assert "import_kwh" in capsys.readouterr().out
