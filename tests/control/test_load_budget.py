"""Flexible loads under the limits: the last to be let go, the first to be held back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.limits import Headroom
from pems_actors.control.load_budget import LoadBudget, fits
from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.flexible_load import (
    FlexibleLoad,
    LoadKind,
    LoadReading,
    LoadRequest,
    LoadSwitched,
)
from pems_actors.domain.house import Limits, Relay

CAR = FlexibleLoad("car", LoadKind.CAR, 11.0)
BOILER = FlexibleLoad("boiler", LoadKind.BOILER, 2.0, (1.0, 0.0, 0.0))
LOADS = {"car": CAR, "boiler": BOILER}
WIDE = Headroom((5.0, 5.0, 5.0), 15.0, 18.0)
RELAY = Relay("bath", 2.0, 2.0, (("bath", 1.0),), (1.0, 0.0, 0.0))


def drawing(**kw: float) -> LoadBudget:
    budget = LoadBudget(LOADS).heard(tuple(LoadReading(n, 0.0, p) for n, p in kw.items()))
    for name in kw:
        budget = budget.switched(LoadSwitched(name, True, -1000.0))
    return budget


def test_a_load_that_fits_is_let_go_and_one_that_does_not_waits():
    budget = LoadBudget(LOADS).asked(LoadRequest("car", 0.0))
    after, grant = budget.next_grant(WIDE, 0.0)
    assert grant is not None
    assert grant.load == "car"
    assert not after.waiting
    tight = WIDE._replace(phase_kw=(3.5, 5.0, 5.0))
    after, grant = budget.next_grant(tight, 0.0)
    assert grant is None
    assert "car" in after.waiting


def test_a_request_that_is_not_renewed_is_forgotten():
    budget = LoadBudget(LOADS).asked(LoadRequest("car", 0.0))
    assert budget.next_grant(WIDE, 151.0)[1] is None


def test_what_was_let_go_and_does_not_draw_yet_is_kept_free_for_five_minutes():
    budget, _ = LoadBudget(LOADS).asked(LoadRequest("car", 0.0)).next_grant(WIDE, 0.0)
    assert budget.reserved(WIDE, 60.0).import_kw == 4.0
    assert budget.heard((LoadReading("car", 60.0, 11.0),)).reserved(WIDE, 60.0) == WIDE
    assert budget.reserved(WIDE, 300.0) == WIDE


def test_who_is_held_back_before_it_draws_gives_back_all_that_was_kept_free():
    let, _ = LoadBudget(LOADS).asked(LoadRequest("car", 0.0)).next_grant(WIDE, 0.0)
    idle = let.heard((LoadReading("car", 60.0, 0.0),)).lent(1.5)
    room = idle.reserved(Headroom((3.0, 3.0, 3.0), 9.0, 18.0), 60.0)
    orders, after = idle.excess(room, 60.0)
    assert [order.load for order in orders] == ["car"]
    assert after.import_kw == pytest.approx(9.0)
    assert after.phase_kw == pytest.approx((3.0, 3.0, 3.0))


def test_what_a_load_has_begun_to_draw_since_a_silent_meter_was_read_counts():
    alone = LoadBudget(LOADS).switched(LoadSwitched("boiler", True, 0.0, ours=False))
    read = alone.heard((LoadReading("boiler", 0.0, 0.5),))
    silent = read.heard((LoadReading("boiler", 60.0, 2.0),), metered=False)
    assert silent.reserved(WIDE, 60.0).phase_kw == (3.5, 5.0, 5.0)
    again = silent.heard((LoadReading("boiler", 120.0, 2.0),))
    assert again.reserved(WIDE, 120.0) == WIDE


def test_for_a_load_that_serves_itself_nothing_is_kept_free_before_it_draws():
    """Nobody let it go, so nobody knows when it begins: no room goes cold for that."""
    alone = LoadBudget(LOADS).switched(LoadSwitched("car", True, 0.0, ours=False))
    assert alone.reserved(WIDE, 60.0) == WIDE


def test_an_excess_holds_back_the_largest_load_that_helps_and_no_more():
    over = Headroom((-0.5, 2.0, 2.0), 3.0, 18.0)
    orders, room = drawing(car=11.0, boiler=2.0).excess(over, 0.0)
    assert [order.load for order in orders] == ["car"]
    assert room.exceeded is None
    orders, _ = drawing(boiler=2.0).excess(Headroom((1.0, -0.5, 2.0), 3.0, 18.0), 0.0)
    assert orders == ()


def test_a_heating_cap_is_no_reason_to_hold_a_load_back():
    assert drawing(car=11.0).excess(WIDE._replace(heating_kw=-1.0), 0.0)[0] == ()


def test_without_a_meter_every_load_that_draws_is_held_back():
    orders, _ = drawing(car=11.0, boiler=2.0).excess(WIDE, 0.0, blind=True)
    assert {order.load for order in orders} == {"car", "boiler"}
    assert {order.reason for order in orders} == {"no meter"}


def test_a_load_whose_meter_is_silent_counts_with_its_whole_power():
    budget = LoadBudget(LOADS).switched(LoadSwitched("car", True, -1000.0))
    orders, room = budget.excess(Headroom((-1.0, -1.0, -1.0), -3.0, 18.0), 0.0)
    assert [order.load for order in orders] == ["car"]
    assert room.exceeded is None


def test_a_cold_room_gets_the_room_of_a_car_only_if_that_is_enough():
    tight = Headroom((1.0, 1.0, 1.0), 3.0, 18.0)
    [order] = drawing(car=11.0).yields(tight, RELAY, 0.0)
    assert "bath" in order.reason
    hopeless = Headroom((-9.0, 1.0, 1.0), 3.0, 18.0)
    assert drawing(car=11.0).yields(hopeless, RELAY, 0.0) == ()
    assert drawing(car=11.0).yields(WIDE, RELAY, 0.0) == ()


def test_warm_rooms_wait_for_a_car_that_would_be_late_and_cool_ones_do_not():
    relays = PowerBudget(Limits(), {"bath": RELAY}).switched("bath", True, -1000.0, slack_k=0.8)
    room = Headroom((2.0, 5.0, 5.0), 12.0, 18.0)
    late = LoadBudget(LOADS).asked(LoadRequest("car", 0.0, late=True))
    assert [order.relay for order in late.claims(room, relays, 0.0)] == ["bath"]
    patient = LoadBudget(LOADS).asked(LoadRequest("car", 0.0))
    assert patient.claims(room, relays, 0.0) == ()
    cool = PowerBudget(Limits(), {"bath": RELAY}).switched("bath", True, -1000.0, slack_k=0.1)
    assert late.claims(room, cool, 0.0) == ()


@given(
    phases=st.tuples(*[st.floats(-3.0, 6.0)] * 3),
    import_kw=st.floats(-5.0, 18.0),
    car=st.floats(0.0, 11.0),
    boiler=st.floats(0.0, 2.0),
)
def test_after_shedding_either_no_limit_is_exceeded_or_nothing_that_helps_still_draws(
    phases, import_kw, car, boiler
):
    room = Headroom(phases, import_kw, 18.0)
    orders, left = drawing(car=car, boiler=boiler).excess(room, 0.0)
    assert left.import_kw >= room.import_kw
    if left.exceeded is not None:
        held = {order.load for order in orders}
        on_l1 = left.phase_kw[0] < 0.0 or left.import_kw < 0.0
        assert "car" in held or car <= 0.1
        assert "boiler" in held or boiler <= 0.1 or not on_l1


@given(st.tuples(*[st.floats(-1.0, 6.0)] * 3), st.floats(-1.0, 18.0))
def test_no_grant_ever_exceeds_a_limit(phases, import_kw):
    room = Headroom(phases, import_kw, 18.0)
    budget = LoadBudget(LOADS).asked(LoadRequest("car", 0.0)).asked(LoadRequest("boiler", 0.0))
    _, grant = budget.next_grant(room, 0.0)
    if grant is not None:
        assert fits(room, LOADS[grant.load])


def test_a_load_that_the_house_does_not_have_is_not_queued():
    assert LoadBudget(LOADS).asked(LoadRequest("sauna", 0.0)).waiting == {}


def test_a_load_of_another_house_changes_nothing():
    budget = drawing(car=11.0)
    assert budget.asked(LoadRequest("sauna", 0.0)) is budget
    assert budget.switched(LoadSwitched("sauna", True, 0.0)) is budget


def test_a_load_whose_owner_is_gone_serves_itself_until_it_is_heard_again():
    alone = LoadBudget(LOADS).unheard(["car"])
    assert alone.free == {"car"}
    assert not alone.switched(LoadSwitched("car", False, 0.0)).free
