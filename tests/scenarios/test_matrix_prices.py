"""Row 28 of the fault matrix: prices that are missing, negative, or a hundredfold."""

from __future__ import annotations

import pytest

from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.simulation.troubles import Trouble
from tests.scenarios.outages import flat, until


def curve(simulation):
    return simulation.appliance.system.state_of("planning/planner").outlook.prices


def levels(simulation) -> set[int]:
    return {level for path, level in simulation.levels.items() if path.startswith("rooms/")}


@pytest.mark.parametrize("trouble", [Trouble.PRICES_DOWN, Trouble.PRICES_MISSING])
def test_row_28_a_feed_that_dies_leaves_the_last_known_prices_in_force(trouble) -> None:
    simulation, _ = flat(seed=3, plan=True)
    until(simulation, 20)
    before = curve(simulation)
    simulation.troubles.begin(trouble, "prices")
    until(simulation, 95)
    after = curve(simulation)
    assert after.import_per_kwh[:16] == pytest.approx(before.import_per_kwh[4:20])
    assert levels(simulation) == {Level.PLAN}


@pytest.mark.parametrize("trouble", [Trouble.PRICES_DOWN, Trouble.PRICES_NAN])
def test_row_28_a_feed_that_never_came_gives_a_flat_price_and_a_plan(trouble) -> None:
    simulation, _ = flat(seed=3, plan=True)
    simulation.troubles.begin(trouble, "prices")
    simulation.appliance.system.restart("forecasting/prices")
    until(simulation, 20)
    assert levels(simulation) == {Level.PLAN}


def test_row_28_a_hundredfold_day_is_refused_as_a_wrong_unit() -> None:
    simulation, _ = flat(seed=3, plan=True)
    until(simulation, 20)
    usual = max(curve(simulation).import_per_kwh)
    simulation.troubles.begin(Trouble.PRICES_ABSURD, "prices")
    until(simulation, 120)
    assert max(curve(simulation).import_per_kwh) <= 2.0 * usual
    status = simulation.appliance.system.status("forecasting/prices")
    assert "wrong unit" in status.reason
    assert levels(simulation) == {Level.PLAN}


def test_row_28_a_negative_price_keeps_its_sign_and_closes_the_export() -> None:
    simulation, _ = flat(seed=3)
    until(simulation, 5)
    now_s, tariff = simulation.runtime.now_s(), simulation.story.tariff
    grid = TimeGrid.uniform(now_s - now_s % 900.0, 96)
    told = tariff.price_curve(grid, [-60.0] * 96, now_s, grid.end_s)
    assert max(told.export_per_kwh) < 0.0
    assert min(told.import_per_kwh) < min(band.per_kwh for band in tariff.bands)
    simulation.appliance.system.tell("devices/inverter", told)
    until(simulation, 8)
    assert simulation.twin.inverter.export_allowed is False
