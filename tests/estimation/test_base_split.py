"""How the base load hangs on the phases, from what the meters say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind, LoadReading
from pems_actors.domain.house import Relay
from pems_actors.domain.readings import MeterReading
from pems_actors.estimation.base_split import BaseSplit, base_by_phase, drawn_by_phase, phases_of
from pems_actors.estimation.house_state import HouseEstimator
from pems_actors.physics.balance import grid_by_phase
from pems_actors.simulate import Simulation
from pems_actors.simulation.twin import BASE_SPLIT
from tests.scenarios.stories import NOON, rules_only

L1 = (1.0, 0.0, 0.0)
RELAY = Relay("bath", 2.0, 2.0, (("bath", 1.0),), L1)
CAR = FlexibleLoad("car", LoadKind.CAR, 11.0)
SPLIT = (0.5, 0.3, 0.2)


def meter(phases: tuple[float, float, float]) -> MeterReading:
    return MeterReading(0.0, sum(phases), phase_kw=phases)


def learned(hours: float, base_kw: tuple[float, float, float] = (0.5, 0.3, 0.2)) -> BaseSplit:
    split = BaseSplit()
    for minute in range(int(hours * 60) + 1):
        split = split.heard(base_kw, 60.0 * minute)
    return split


@given(
    base=st.floats(0.1, 4.0),
    inverter=st.floats(-5.0, 5.0),
    on=st.booleans(),
    car=st.floats(0.0, 11.0),
)
def test_relays_car_and_inverter_are_taken_off_the_meter(base, inverter, on, car):
    relays, readings = [RELAY] * on, [LoadReading("car", 0.0, car)]
    ours = drawn_by_phase(relays, {"car": CAR}, readings)
    phases = grid_by_phase(ours, base, inverter, SPLIT)
    found = base_by_phase(meter(phases), inverter, relays, {"car": CAR}, readings)
    assert found == pytest.approx([base * share for share in SPLIT], abs=1e-9)


def test_without_phases_inverter_or_a_loads_meter_nothing_is_learned():
    known = meter((1.0, 1.0, 1.0))
    assert base_by_phase(None, 0.0, [], {}, []) is None
    assert base_by_phase(MeterReading(0.0, 3.0), 0.0, [], {}, []) is None
    assert base_by_phase(known, None, [], {}, []) is None
    assert base_by_phase(known, 0.0, [], {"car": CAR}, [LoadReading("car", 0.0, None)]) is None


def test_a_split_is_unknown_for_two_hours_and_then_told():
    assert learned(1.9).shares is None
    assert learned(2.1).shares == pytest.approx(SPLIT, abs=1e-6)


def test_one_kettle_hardly_moves_a_split_and_a_new_habit_does_within_a_day():
    split = learned(12.0)
    kettle = split.heard((2.5, 0.3, 0.2), split.at_s + 60.0)
    assert kettle.shares[0] == pytest.approx(0.5, abs=0.01)
    for _ in range(24 * 60):
        split = split.heard((0.2, 0.3, 0.5), split.at_s + 60.0)
    assert split.shares == pytest.approx((0.2, 0.3, 0.5), abs=0.02)


def test_a_silence_counts_as_five_minutes_at_most():
    split = learned(3.0)
    after = split.heard((5.0, 0.0, 0.0), split.at_s + 86400.0)
    assert after.seen_s == split.seen_s + 300.0


@given(st.lists(st.tuples(*[st.floats(-3.0, 9.0)] * 3), min_size=30, max_size=40))
def test_whatever_the_meter_says_shares_are_bounded_and_sum_to_one(said):
    split = BaseSplit()
    for k, base_kw in enumerate(said):
        split = split.heard(base_kw, 300.0 * k)
    if split.shares is not None:
        assert sum(split.shares) == pytest.approx(1.0)
        assert min(split.shares) > 0.0


@given(base=st.floats(0.1, 4.0), inverter=st.floats(-5.0, 5.0))
def test_silent_phases_are_reckoned_from_the_split(base, inverter):
    true = grid_by_phase((2.0, 0.0, 0.0), base, inverter, SPLIT)
    found = phases_of(sum(true), base, (2.0, 0.0, 0.0), SPLIT)
    assert found == pytest.approx(true, abs=1e-9)


def test_the_estimator_tells_the_twins_split_after_some_hours_of_heating_and_sun():
    simulation = Simulation(rules_only(0.25, seed=4))
    estimator, estimates = HouseEstimator(simulation.story.house), []

    def look(running: Simulation) -> None:
        before = estimates[-1] if estimates else None
        estimates.append(estimator.update(before, running.twin.reading()))

    simulation.run(look)
    early, late = (
        estimator.house_state(e, NOON).base_split for e in (estimates[60], estimates[-1])
    )
    assert early is None
    assert late == pytest.approx(BASE_SPLIT, abs=0.02)
