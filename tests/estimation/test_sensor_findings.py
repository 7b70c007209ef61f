"""Room sensors against the model: stale, missing, stuck, jumping, slipped, and believed again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pems_actors.domain.readings import RoomReading
from tests.estimation.house_days import NAMES, Days, only, settled


def holding(days: Days, name: str) -> None:
    """Let a sensor say for ever what it says now, as if it were new."""
    held = round(days.true_c(name), 1)
    days.bend = only(name, lambda _, room: room._replace(temp_c=held))


def inspected(days: Days):
    return days.speaker.inspected(days.seen, days.at_s)


def test_a_sensor_that_repeats_its_old_stamp_is_flagged_after_three_periods() -> None:
    days = settled()
    since_s, began = days.at_s, days.minute
    days.bend = only("bath", lambda _, room: room._replace(at_s=since_s))
    days.rest(10)
    assert days.told["rooms/bath/sensor-silent"] - began <= 4
    assert inspected(days).refused == {}
    assert set(inspected(days).estimates_c) == {"bath"}


def test_a_silent_room_is_estimated_within_a_fraction_of_a_kelvin_for_two_hours() -> None:
    days = settled()
    days.bend = only("bath", lambda _, room: room._replace(temp_c=None))
    days.order("bath", on=True)
    days.run(120)
    assert days.true_c("bath") > 21.4
    assert inspected(days).estimates_c["bath"] == pytest.approx(days.true_c("bath"), abs=0.2)


def test_a_sensor_that_was_never_heard_is_missing_by_the_same_timer_from_boot() -> None:
    days = Days()
    days.bend = only("hall", lambda _, room: room._replace(temp_c=None))
    days.rest(3)
    assert days.paths == set()
    days.rest(2)
    assert days.paths == {"rooms/hall/sensor-missing"}


def test_a_stuck_sensor_is_found_while_the_room_is_heated() -> None:
    days = settled()
    holding(days, "living")
    days.order("living", on=True)
    start_c = days.true_c("living")
    while days.true_c("living") - start_c < 0.6:
        days.run(1)
    assert "rooms/living/sensor-stuck" in days.told
    assert days.estimate_c("living") == pytest.approx(days.true_c("living"), abs=0.3)


def test_a_stuck_sensor_is_found_while_the_room_cools() -> None:
    days = settled()
    holding(days, "hall")
    days.order("hall", on=False)
    began = days.minute
    days.run(120)
    assert days.told["rooms/hall/sensor-stuck"] - began <= 120


def test_a_stuck_sensor_stays_refused_until_it_moves() -> None:
    days = settled()
    holding(days, "hall")
    days.order("hall", on=False)
    days.run(180)
    assert inspected(days).refused == {"hall": "sensor-stuck"}
    days.run(120)
    assert inspected(days).refused == {"hall": "sensor-stuck"}
    days.bend = lambda _, room: room
    days.run(6)
    assert inspected(days) is None
    assert days.paths == set()


@pytest.mark.parametrize("step_k", [0.1, 0.5])
def test_a_sensor_that_stands_still_in_a_steady_room_is_not_stuck(step_k: float) -> None:
    days = Days()
    days.bend = lambda _, room: room._replace(temp_c=21.0)
    days.temps_c[3:6] = 21.0
    days.rest(60)
    assert "rooms/living/sensor-stuck" not in days.told


def test_a_spike_is_refused_at_receipt_and_forgotten_five_minutes_later() -> None:
    days = settled()
    at = days.minute + 1
    days.bend = only("bath", lambda m, r: r._replace(temp_c=35.0) if m == at else r)
    days.rest(1)
    assert inspected(days).refused == {"bath": "sensor-jump"}
    days.rest(1)
    assert inspected(days) is None
    assert days.paths == {"rooms/bath/sensor-jump"}
    days.rest(6)
    assert days.paths == set()


def test_a_jump_that_stays_is_refused_for_a_day_and_then_believed() -> None:
    days = settled()
    days.bend = only("bath", lambda _, r: r._replace(temp_c=r.temp_c - 4.0))
    days.rest(12 * 60)
    assert inspected(days).refused == {"bath": "sensor-jump"}
    days.bend = only("bath", lambda _, r: r._replace(temp_c=None))
    days.rest(12 * 60 + 5)
    days.bend = only("bath", lambda _, r: r._replace(temp_c=r.temp_c - 4.0))
    days.rest(10)
    assert inspected(days) is None
    assert days.estimate_c("bath") == pytest.approx(days.true_c("bath") - 4.0, abs=0.3)


def test_a_jump_that_was_believed_after_all_may_go_back_once() -> None:
    days = settled()

    def bent_by(step_k: float, minutes: int) -> set[str]:
        days.bend = only("bath", lambda _, r: r._replace(temp_c=round(r.temp_c + step_k, 1)))
        days.rest(minutes)
        here = inspected(days)
        return set() if here is None else set(here.refused)

    assert bent_by(-2.0, 60) == {"bath"}
    assert bent_by(-2.0, 6 * 60) == set()
    assert bent_by(0.0, 5) == set()
    assert days.estimate_c("bath") == pytest.approx(days.true_c("bath"), abs=0.3)
    assert bent_by(-2.0, 60) == {"bath"}


def test_the_farther_the_model_alone_has_carried_a_room_the_farther_off_it_may_be() -> None:
    def paths_after(minutes: int) -> set[str]:
        days = settled()
        days.order("bath", on=True)
        days.bend = only("bath", lambda _, room: room._replace(temp_c=None))
        days.run(minutes)
        days.bend = only("bath", lambda _, room: room._replace(temp_c=days.true_c("bath") + 2.3))
        days.run(5)
        return days.paths

    assert paths_after(300) == set()
    assert paths_after(60) == {"rooms/bath/sensor-jump"}


def test_many_spikes_are_one_finding() -> None:
    days = settled()
    rng = np.random.default_rng(5)
    days.bend = only("bath", lambda _, r: r._replace(temp_c=r.temp_c + rng.choice((-9.0, 0.0))))
    days.rest(60)
    spiky = [f for f in days.findings if f.device == "rooms/bath"]
    assert len(spiky) == 1
    assert days.told["rooms/bath/sensor-jump"] * 60.0 == pytest.approx(
        spiky[0].since_s - (days.at_s - days.minute * 60.0)
    )


@pytest.mark.parametrize(
    ("slip", "unit"),
    [
        (lambda c: c * 1.8 + 32.0, "°F"),
        (lambda c: c * 10.0, "tenths of a degree"),
        (lambda c: c / 10.0, "tens of degrees"),
    ],
)
def test_a_unit_slip_is_named_and_never_converted(slip, unit: str) -> None:
    days = settled()
    days.bend = only("bath", lambda _, r: r._replace(temp_c=round(slip(r.temp_c), 1)))
    days.rest(30)
    assert inspected(days).refused == {"bath": "sensor-unit"}
    (finding,) = days.findings
    assert f"would fit as {unit}" in finding.reason
    assert days.estimate_c("bath") == pytest.approx(days.true_c("bath"), abs=0.3)


def test_a_unit_slip_from_boot_on_is_seen_by_the_neighbours() -> None:
    days = Days()
    days.bend = only("bath", lambda _, r: r._replace(temp_c=round(r.temp_c / 10.0, 2)))
    days.rest(3)
    assert inspected(days).refused == {"bath": "sensor-unit"}


def test_a_cold_room_among_warm_ones_is_believed_from_boot_on() -> None:
    days = Days()
    days.bend = only("bath", lambda _, r: r._replace(temp_c=8.0))
    days.rest(2)
    assert inspected(days) is None


def test_what_no_room_can_have_is_refused_as_out_of_range() -> None:
    days = settled()
    days.bend = only("bath", lambda _, r: r._replace(temp_c=85.0))
    days.rest(2)
    assert inspected(days).refused == {"bath": "sensor-range"}


def test_all_sensors_may_fail_at_once_and_the_inspection_goes_on() -> None:
    days = settled()
    days.bend = lambda _, r: RoomReading(r.room, r.at_s, None)
    days.run(30)
    assert {f"rooms/{name}/sensor-silent" for name in NAMES} == days.paths
    days.bend = lambda _, r: r
    days.run(10)
    assert days.paths == set()


def test_while_all_is_well_every_second_picture_is_looked_at_closely() -> None:
    days = settled()
    closely = []
    for _ in range(20):
        days.run(1)
        closely.append(days.seen.at_s == days.at_s)
        assert (days.seen.sensors.said_at_s == days.at_s).all()  # whoever spoke was heard
    assert 8 <= sum(closely) <= 14
    assert not any(not one and not other for one, other in pairwise(closely))


@pytest.mark.parametrize("temp_c", [None, 35.0, 15.0])
def test_a_picture_that_shows_something_new_is_looked_at_at_once(temp_c: float | None) -> None:
    for minutes in (1, 2):
        days = settled()
        days.run(minutes)
        days.bend = only("bath", lambda _, room: room._replace(temp_c=temp_c))
        days.run(1)
        assert days.seen.at_s == days.at_s
