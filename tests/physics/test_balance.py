"""Phases: every kilowatt sits on a phase, and the breaker looks at the worst one."""

from dataclasses import replace

import pytest

from pems_actors.domain.house import Limits
from pems_actors.physics.balance import currents_a, excess_kw, grid_by_phase, heating_by_phase
from tests.simulation.houses import reference_house

HOUSE = reference_house()


def test_the_phases_add_up_to_the_whole():
    heating = heating_by_phase(HOUSE.relays, {"obyvak": True, "hosti": True, "zachod": False})
    assert sum(heating) == pytest.approx(4.57 + 1.93)
    phases = grid_by_phase(heating, 0.9, 3.0, (0.5, 0.3, 0.2))
    assert sum(phases) == pytest.approx(6.5 + 0.9 - 3.0)
    assert phases[0] == pytest.approx(4.57 + 0.45 - 1.0)


def test_the_living_room_alone_takes_twenty_ampere_of_its_phase():
    heating = heating_by_phase(HOUSE.relays, {"obyvak": True})
    assert max(currents_a(heating, HOUSE.limits)) == pytest.approx(19.87, abs=0.01)


def test_one_crowded_phase_trips_the_breaker_though_the_sum_is_small():
    assert excess_kw((6.0, 0.0, 0.0), HOUSE.limits) == pytest.approx(0.25)
    assert excess_kw((2.0, 2.0, 2.0), HOUSE.limits) < 0.0
    assert excess_kw((-6.0, 0.0, 0.0), HOUSE.limits) > 0.0


def test_a_house_on_one_phase_carries_everything_there():
    single: Limits = replace(HOUSE.limits, phases=1)
    assert excess_kw((2.0, 2.0, 2.0), single) == pytest.approx(0.25)
