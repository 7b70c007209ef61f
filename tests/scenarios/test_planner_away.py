"""The planner stops for good: the house goes down the ladder, stays warm, and comes back up."""

from itertools import pairwise

import pytest

from pems_actors.control.comfort import band_c
from pems_actors.domain.levels import Level
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.simulate import Simulation
from supervision import GetSnapshot
from tests.scenarios.stories import NOON, story

AWAY_FROM_S = NOON + 2 * HOUR_S
WITHIN_K = 0.5


class Witness:
    """Looks at the true house at every tick, with nothing of the control code but the band."""

    def __init__(self) -> None:
        self.worst_k = 0.0
        self.where = ""
        self.levels: list[tuple[float, int]] = []
        self.over_heating_cap = 0

    def __call__(self, simulation: Simulation) -> None:
        twin, house = simulation.twin, simulation.story.house
        for room in house.rooms:
            low_c, _ = band_c(room.comfort, twin.at_s, house.site.timezone)
            short_k = low_c - twin.true_state()[room.name].air_c
            if short_k > self.worst_k:
                self.worst_k, self.where = short_k, f"{room.name} at {twin.at_s - NOON:.0f} s"
        rooms = [n for path, n in simulation.levels.items() if path.startswith("rooms/")]
        self.levels.append((twin.at_s, max(rooms, default=3)))
        if twin.relays.total_kw > house.limits.heating_kw + 1e-6:
            self.over_heating_cap += 1


def lives_without_a_planner(days: float) -> None:
    back_s = AWAY_FROM_S + days * DAY_S
    tale = story(days + 1.0, seed=2, weather_shift_k=-10.0)
    simulation, witness = Simulation(tale, keep_log=True), Witness()
    system = simulation.appliance.system
    simulation.start()
    simulation.run_until(AWAY_FROM_S, witness)
    assert witness.levels[-1][1] == Level.PLAN

    system.terminate_child("planning", "planner")
    simulation.run_until(back_s, witness)
    since = [level for at_s, level in witness.levels if at_s > AWAY_FROM_S]
    assert since.index(Level.PATH) < since.index(Level.RULES)
    assert since[-1] == Level.RULES
    assert witness.worst_k <= WITHIN_K, f"{witness.where} was {witness.worst_k:.2f} K too cold"
    assert witness.over_heating_cap == 0

    system.restart_child("planning", "planner")
    simulation.run_until(back_s + 1.5 * HOUR_S, witness)
    assert set(simulation.levels.values()) == {Level.PLAN}
    assert system.ask("planning/plan_keeper", GetSnapshot()).state.adopted is not None
    simulation.appliance.stop()
    gaps = _gaps_between_starts(simulation)
    assert min(gaps) >= simulation.story.house.limits.start_gap_s


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_winter_day_without_a_planner_and_back():
    lives_without_a_planner(1.0)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_three_winter_days_without_a_planner_and_back():
    lives_without_a_planner(3.0)


def _gaps_between_starts(simulation: Simulation) -> list[float]:
    """Seconds between commanded relay starts, read from the log of the writer."""
    on: dict[str, bool] = {}
    starts: list[float] = []
    for line in simulation.lines:
        if " write " not in line or " relay/" not in line:
            continue
        at, relay, _, order, *_ = line.split()
        at_s, now_on = float(at), order == "True"
        if now_on and not on.get(relay, False):
            starts.append(at_s)
        on[relay] = now_on
    return [b - a for a, b in pairwise(starts)]
