"""Whole simulated days of 92 and 100 quarter hours, with rules only, in a flat of three rooms."""

from __future__ import annotations

import pytest

from pems_actors.control.comfort import band_c
from pems_actors.domain.units import seconds
from tests.scenarios.outages import flat, until
from tests.scenarios.witness import by_relay, gaps, switches

SPRING = seconds("2023-03-26T00:00:00+01:00")
AUTUMN = seconds("2023-10-29T00:00:00+02:00")


@pytest.mark.parametrize(("start_s", "quarters"), [(SPRING, 92), (AUTUMN, 100)])
def test_a_day_of_another_length_is_lived_through_whole(start_s: float, quarters: int) -> None:
    simulation, outages = flat(2.0, seed=3, start_s=start_s, weather_shift_k=-8.0)
    house, cold, blocked = simulation.story.house, [], 0

    def look(told) -> None:
        nonlocal blocked
        blocked += told.story.tariff.blocked(told.twin.at_s)
        for room in house.rooms:
            low_c, _ = band_c(room.comfort, told.twin.at_s, house.site.timezone)
            cold.append(low_c - told.twin.true_state()[room.name].air_c)

    until(simulation, 15 * quarters, look)
    assert max(cold) <= 0.5
    assert outages.opened == {}
    assert simulation.appliance.system.counters().get("restarts", 0) == 0
    for relay, turns in by_relay(switches(simulation.lines)).items():
        least_s = next(r.min_on_s for r in house.relays if r.name == relay)
        early = [gap for gap, turn in zip(gaps(t.at_s for t in turns), turns[1:], strict=True)
                 if gap < least_s and turn.rule != "tariff"]  # fmt: skip
        assert early == []
    simulation.appliance.stop()
