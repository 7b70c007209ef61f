"""The battery's leave to draw more: all of it fits, nobody waits, and what was let stays free."""

from __future__ import annotations

import pytest

from pems_actors.control.battery import BatteryChoice
from pems_actors.control.battery_leave import (
    BEGINS_WITHIN_S,
    CHARGE_SPARE_KW,
    ENDS_WITHIN_S,
    REQUEST_LIFE_S,
    REST_SPARE_KW,
    BatteryLeave,
    lets,
    rise_kw,
    waiting,
)
from pems_actors.control.limits import Headroom
from pems_actors.domain.events import BatteryGrant, BatteryRequest
from pems_actors.domain.house import BatteryMode, BatteryModel
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading

BATTERY = BatteryModel(max_charge_kw=5.0, max_discharge_kw=4.0)
ROOM = Headroom((2.0, 2.0, 2.0), 6.0, 0.0)


def choice(mode: BatteryMode, rate_kw: float | None = None) -> BatteryChoice:
    return BatteryChoice(mode, rate_kw, None, Level.PLAN, "as planned", True, "dear now")


def reading(power_kw: float | None) -> BatteryReading:
    return BatteryReading(0.0, 0.5, power_kw)


@pytest.mark.parametrize(
    ("mode", "rate_kw", "gives_kw", "more_kw"),
    [
        (BatteryMode.CHARGE_GRID, 3.0, 0.0, 3.0),
        (BatteryMode.CHARGE_GRID, None, 2.0, 7.0),
        (BatteryMode.CHARGE_GRID, 3.0, -3.0, 0.0),  # it draws that already
        (BatteryMode.CHARGE_GRID, 3.0, None, 3.0),
        (BatteryMode.HOLD, None, 2.5, 2.5),
        (BatteryMode.HOLD, None, -2.5, 0.0),
        (BatteryMode.SELL, 1.0, 2.5, 1.5),
        (BatteryMode.SELL, None, 2.5, 0.0),
        (BatteryMode.SELF_USE, None, 4.0, 0.0),
    ],
)
def test_an_order_draws_more_by_what_the_battery_gives_less(mode, rate_kw, gives_kw, more_kw):
    assert rise_kw(choice(mode, rate_kw), reading(gives_kw), BATTERY) == more_kw


def test_a_battery_that_was_never_heard_is_taken_as_resting():
    assert rise_kw(choice(BatteryMode.CHARGE_GRID, 3.0), None, BATTERY) == 3.0


@pytest.mark.parametrize(("charge", "spare_kw"), [(True, CHARGE_SPARE_KW), (False, REST_SPARE_KW)])
def test_all_of_it_fits_into_every_phase_and_the_import_or_nothing_is_let(charge, spare_kw):
    asked = BatteryLeave().asking(BatteryRequest(0.0, 3.0, charge))
    enough_kw = 1.0 + spare_kw
    assert asked.next_grant(ROOM._replace(phase_kw=(2.0, enough_kw, 2.0)), 1.0)[1] is not None
    assert asked.next_grant(ROOM._replace(phase_kw=(2.0, enough_kw - 0.01, 2.0)), 1.0)[1] is None
    assert asked.next_grant(ROOM._replace(import_kw=3.0), 1.0)[1] is None


def test_a_request_that_is_not_renewed_is_forgotten():
    asked = BatteryLeave().asking(BatteryRequest(0.0, 3.0, charge=True))
    assert asked.waiting(REQUEST_LIFE_S) is not None
    assert asked.waiting(REQUEST_LIFE_S + 1.0) is None
    assert asked.next_grant(ROOM, REQUEST_LIFE_S + 1.0)[1] is None


def test_what_was_let_stays_free_until_it_is_drawn():
    leave, _ = BatteryLeave().asking(BatteryRequest(0.0, 3.0, charge=True)).next_grant(ROOM, 0.0)
    assert leave.reserved(ROOM, 1.0) == Headroom((1.0, 1.0, 1.0), 3.0, 0.0)
    drawn = leave.heard(reading(-1.5), BATTERY)
    assert drawn.reserved(ROOM, 60.0) == Headroom((1.5, 1.5, 1.5), 4.5, 0.0)
    assert leave.heard(reading(-3.0), BATTERY).reserved(ROOM, 60.0) == ROOM
    assert leave.reserved(ROOM, BEGINS_WITHIN_S + 1.0) == ROOM


def test_what_an_empty_battery_ends_to_give_counts_as_ended():
    lasts_frac = 3.0 * ENDS_WITHIN_S / 3600.0 / BATTERY.leg_frac / BATTERY.capacity_kwh
    for more_frac, more_kw in ((0.01, 0.0), (0.0, 3.0), (-0.01, 3.0)):
        seen = BatteryReading(0.0, BATTERY.min_soc_frac + lasts_frac + more_frac, 3.0)
        assert BatteryLeave().heard(seen, BATTERY).more_kw(0.0) == more_kw


def test_a_rest_instead_of_what_ends_anyway_needs_no_more_room():
    ends = BatteryLeave().heard(BatteryReading(0.0, BATTERY.min_soc_frac, 3.0), BATTERY)
    asked = ends.asking(BatteryRequest(0.0, 3.0, charge=False))
    just = Headroom((1.2, 1.2, 1.2), 3.6, 0.0).beside_inverter(ends.more_kw(0.0))
    assert asked.next_grant(just, 0.0, ends.ending_kw(ENDS_WITHIN_S))[1] is not None
    assert asked.next_grant(just, 0.0)[1] is None


def test_whoever_runs_for_long_counts_on_a_battery_that_lasts_as_long():
    half_an_hour_kwh = 3.0 * 0.5
    left_frac = half_an_hour_kwh / BATTERY.leg_frac / BATTERY.capacity_kwh
    seen = BatteryReading(0.0, BATTERY.min_soc_frac + left_frac, 3.0)
    leave = BatteryLeave().heard(seen, BATTERY)
    assert leave.more_kw(0.0, 1700.0) == 0.0
    assert leave.more_kw(0.0, 1900.0) == 3.0


def test_an_empty_battery_that_rests_or_charges_ends_nothing():
    for power_kw in (0.0, -2.0):
        seen = BatteryReading(0.0, BATTERY.min_soc_frac, power_kw)
        assert BatteryLeave().heard(seen, BATTERY).more_kw(0.0) == 0.0


def test_a_battery_of_unknown_charge_is_taken_as_lasting():
    seen = BatteryReading(0.0, None, 3.0)
    assert BatteryLeave().heard(seen, BATTERY).more_kw(0.0) == 0.0


def test_a_silent_battery_is_taken_as_giving_what_it_gave():
    low = BatteryLeave().heard(BatteryReading(0.0, BATTERY.min_soc_frac, 3.0), BATTERY)
    assert low.heard(None, BATTERY) is low
    assert low.heard(BatteryReading(60.0, 0.5, None), BATTERY) is low


def test_who_asks_again_has_not_used_an_older_leave():
    leave, _ = BatteryLeave().asking(BatteryRequest(0.0, 3.0, charge=True)).next_grant(ROOM, 0.0)
    again, grant = leave.asking(BatteryRequest(60.0, 4.0, charge=True)).next_grant(ROOM, 60.0)
    assert grant is not None
    assert again.reserved(ROOM, 60.0).import_kw == 2.0


def test_a_clock_that_was_set_moves_what_was_let_and_forgets_who_waits():
    leave, _ = BatteryLeave().asking(BatteryRequest(0.0, 3.0, charge=True)).next_grant(ROOM, 0.0)
    moved = leave._replace(asked=BatteryRequest(0.0, 1.0, charge=True)).shifted(3600.0)
    assert moved.waiting(3600.0) is None
    assert moved.reserved(ROOM, 3601.0).import_kw == 3.0


def test_leave_is_for_so_much_and_for_so_long():
    leave = BatteryGrant(0.0, 30.0, 3.0)
    assert lets(leave, 3.0, 30.0)
    assert not lets(leave, 3.5, 30.0)
    assert not lets(leave, 3.0, 31.0)
    assert not lets(None, 3.0, 0.0)
    assert lets(None, 0.0, 0.0)


def test_who_waits_goes_on_as_before_and_says_for_what():
    before, wanted = choice(BatteryMode.SELL, 1.0), choice(BatteryMode.CHARGE_GRID, 4.0)
    told = waiting(wanted, before._replace(stop_soc_frac=0.3))
    assert (told.mode, told.rate_kw, told.stop_soc_frac) == (BatteryMode.SELL, 1.0, 0.3)
    assert told.reason == "waits for power, then charge_grid: as planned"
