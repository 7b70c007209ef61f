"""Rows 18 to 21 of the fault matrix: sensors that are stale, missing, stuck, or say nonsense."""

from __future__ import annotations

import pytest

from pems_actors.simulation.device_faults import FaultKind
from pems_actors.simulation.troubles import Trouble
from tests.scenarios.outages import believed, break_, flat, need, until
from tests.scenarios.witness import Witness

BAND_K = 0.5


def low_c(simulation, room: str) -> float:
    """The lowest the night may bring."""
    found = next(r for r in simulation.story.house.rooms if r.name == room)
    return min(found.comfort.day_c, found.comfort.night_c) - found.comfort.band_k


def test_row_18_a_stale_sensor_is_flagged_in_three_periods_and_estimated_for_two_hours() -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 60)
    break_(simulation, "rooms/living", FaultKind.SENSOR_STALE)
    until(simulation, 90)
    assert outages.within("rooms/living/sensor-silent", 60) <= 4
    assert believed(simulation, "living")["quality"] == "estimated"
    truth_c = simulation.twin.true_state()["living"].air_c
    assert believed(simulation, "living")["value"] == pytest.approx(truth_c, abs=0.5)
    until(simulation, 60 + 125)
    assert believed(simulation, "living")["quality"] == "stale"
    witness = Witness()
    until(simulation, 6 * 60, witness)
    assert witness.coldest_c["living"] >= low_c(simulation, "living") - BAND_K


def test_row_18_a_sensor_that_speaks_again_is_believed_and_the_outage_has_an_end() -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 30)
    break_(simulation, "rooms/living", FaultKind.SENSOR_MISSING)
    until(simulation, 60)
    simulation.twin.fault("rooms/living", None)
    until(simulation, 70)
    assert believed(simulation, "living")["quality"] == "good"
    assert 60 < outages.closed["rooms/living/sensor-silent"] <= 70


def test_row_19_a_sensor_missing_from_boot_is_flagged_and_never_means_full_heat() -> None:
    simulation, outages = flat(seed=3, weather_shift_k=-5.0)
    break_(simulation, "rooms/living", FaultKind.SENSOR_MISSING)
    simulation.appliance.system.terminate_child("devices", "inspector")
    simulation.appliance.system.restart_child("devices", "inspector")
    heated: list[bool] = []
    relays = simulation.twin.relays
    row = relays.names.index("living")

    def look(told) -> None:
        heated.append(relays.closed[row])

    until(simulation, 6 * 60, look)
    assert outages.opened.keys() & {"rooms/living/sensor-missing", "rooms/living/sensor-silent"}
    assert 0.02 < sum(heated) / len(heated) <= 0.75
    assert simulation.twin.true_state()["living"].air_c < 26.0


def test_row_20_a_stuck_sensor_is_found_within_two_hours_of_having_to_move() -> None:
    simulation, outages = flat(seed=3, weather_shift_k=-5.0)
    until(simulation, 8 * 60)
    break_(simulation, "rooms/living", FaultKind.SENSOR_STUCK)
    held_c = simulation.twin.true_state()["living"].air_c
    moved_at: list[float] = []

    def look(told) -> None:
        if not moved_at and abs(told.twin.true_state()["living"].air_c - held_c) > BAND_K:
            moved_at.append(outages.minute)

    until(simulation, 18 * 60, look)
    assert moved_at, "the room never had to move"
    assert outages.within("rooms/living/sensor-stuck", moved_at[0]) <= 120
    assert "stuck" in outages.reasons["rooms/living/sensor-stuck"]


def test_row_20_a_steady_day_accuses_nobody() -> None:
    simulation, outages = flat(seed=4)
    until(simulation, 24 * 60)
    assert outages.opened == {}


@pytest.mark.parametrize(
    ("kind", "amount"), [(FaultKind.SENSOR_JUMP, -5.0), (FaultKind.SENSOR_JUMP, 6.0)]
)
def test_row_21_a_jump_is_dropped_at_receipt_and_costs_nothing(kind, amount) -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 60)
    break_(simulation, "rooms/living", kind, amount)
    witness = Witness()
    until(simulation, 150, witness)
    assert outages.within("rooms/living/sensor-jump", 60) <= 1
    truth_c = simulation.twin.true_state()["living"].air_c
    assert believed(simulation, "living")["value"] == pytest.approx(truth_c, abs=0.5)
    assert witness.coldest_c["living"] >= low_c(simulation, "living")


@pytest.mark.parametrize("trouble", [Trouble.SENSOR_NAN, Trouble.SENSOR_ABSURD])
def test_row_21_nonsense_is_dropped_and_the_room_lives_on_its_estimate(trouble) -> None:
    simulation, outages = flat(seed=3)
    until(simulation, 60)
    simulation.troubles.begin(trouble, "rooms/living")
    until(simulation, 120)
    assert any(path.startswith("rooms/living/sensor-") for path in outages.opened)
    assert believed(simulation, "living")["quality"] == "estimated"
    assert need(simulation, "living").sensor.value == pytest.approx(
        simulation.twin.true_state()["living"].air_c, abs=1.5
    )


def test_a_dead_inspector_costs_the_rooms_their_estimates_and_nothing_else() -> None:
    simulation, _ = flat(seed=3)
    until(simulation, 60)
    simulation.appliance.system.terminate_child("devices", "inspector")
    break_(simulation, "rooms/living", FaultKind.SENSOR_MISSING)
    witness = Witness()
    until(simulation, 5 * 60, witness)
    assert witness.coldest_c["living"] >= low_c(simulation, "living") - BAND_K
    assert simulation.appliance.system.verdict is None
