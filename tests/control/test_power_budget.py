import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.limits import blind_headroom, measured_headroom
from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.events import ChargeShed, RelayRequest, RelayShed
from pems_actors.domain.house import Limits, Relay
from pems_actors.domain.readings import MeterReading

LIMITS = Limits(base_load_p95_kw=1.5)
L1, L2, L3 = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
RELAYS = {
    name: Relay(name, kw, kw, ((name, 1.0),), phases)
    for name, kw, phases in (
        ("a", 2.0, L1), ("b", 2.0, L1), ("c", 2.0, L1), ("d", 3.0, L2), ("e", 4.5, (1 / 3,) * 3),
    )
}  # fmt: skip


def budget(**phase_kw: float) -> PowerBudget:
    phases = (phase_kw.get("l1", 0.5), phase_kw.get("l2", 0.5), phase_kw.get("l3", 0.5))
    meter = MeterReading(0.0, sum(phases), phase_kw=phases)
    return PowerBudget(LIMITS, RELAYS).heard(meter, grid_charging=False)


def ask(relay: str, slack_k: float = 0.0, at_s: float = 1.0, *, urgent: bool = False):
    return RelayRequest(relay, at_s, slack_k, urgent)


def test_the_neediest_relay_is_served_first_and_frost_before_all():
    state = budget().asked(ask("a", 0.5)).asked(ask("d", -0.2))
    assert state.next_grant(1.0)[1].relay == "d"
    state = state.asked(ask("e", 3.0, urgent=True))
    assert state.next_grant(1.0)[1].relay == "e"


def test_starts_are_ten_seconds_apart():
    state, first = budget().asked(ask("a")).asked(ask("d")).next_grant(1.0)
    assert first is not None
    state, second = state.switched("a", on=True, now_s=1.0).next_grant(10.9)
    assert second is None
    assert state.due(10.9) == 11.0 - 10.9
    assert state.next_grant(11.0)[1] is not None


def test_an_owner_who_is_slow_to_start_moves_the_next_start():
    state, _ = budget().asked(ask("a")).asked(ask("d")).next_grant(1.0)
    state = state.switched("a", on=True, now_s=20.0)
    assert state.next_grant(29.9)[1] is None
    assert state.next_grant(30.0)[1] is not None


def test_a_grant_that_nobody_answers_holds_the_next_start_back_until_it_has_ended():
    state, _ = budget().asked(ask("a")).asked(ask("d")).next_grant(1.0)
    assert state.next_grant(40.9)[1] is None
    assert state.next_grant(41.0)[1] is not None
    given_back = state.switched("a", on=False, now_s=2.0)
    assert given_back.next_grant(11.0)[1] is not None


def test_a_start_that_nobody_granted_counts_too():
    state = budget().switched("a", on=True, now_s=5.0).asked(ask("d", at_s=6.0))
    assert state.next_grant(14.9)[1] is None
    assert state.next_grant(15.0)[1] is not None


def test_what_was_granted_since_the_last_reading_counts():
    state = budget(l1=2.0)
    at_s = 1.0
    granted = []
    for name in "abc":
        state, grant = state.asked(ask(name, at_s=at_s)).next_grant(at_s)
        granted.append(grant is not None)
        if grant is not None:
            state = state.switched(name, on=True, now_s=at_s)
        at_s += 10.0
    assert granted == [True, False, False]
    assert state.refusals == 2


def test_a_reading_makes_room_for_the_next_when_the_first_is_in_it():
    state, _ = budget(l1=1.0).asked(ask("a")).next_grant(1.0)
    state = state.switched("a", on=True, now_s=1.0)
    later = state.heard(MeterReading(60.0, 3.0, phase_kw=(1.0, 1.0, 1.0)), grid_charging=False)
    assert later.asked(ask("b", at_s=60.0)).next_grant(61.0)[1] is not None


def test_a_relay_that_does_not_fit_lets_a_like_need_pass_but_not_a_better_off_one():
    state = budget(l1=4.5).asked(ask("a", -1.0))
    assert state.asked(ask("d", -0.8)).next_grant(1.0)[1].relay == "d"
    assert state.asked(ask("d", 0.0)).next_grant(1.0)[1] is None
    assert state.asked(ask("d", 0.0, urgent=True)).next_grant(1.0)[1].relay == "d"


def test_better_off_relays_that_had_their_time_make_room_for_a_needy_one():
    state = budget(l1=4.5)
    for name, slack_k, since_s in (("a", 1.0, -900.0), ("b", 0.5, -60.0), ("d", 2.0, -900.0)):
        state = state.switched(name, on=True, now_s=since_s, slack_k=slack_k)
    state = state.asked(ask("e", -0.5))
    assert state.next_grant(1.0)[1] is None
    assert [order.relay for order in state.yields(1.0)] == ["d", "a"]
    assert state.asked(ask("e", 1.9)).yields(1.0) == ()


def test_nobody_makes_room_in_vain_or_for_nobody():
    state = budget(l1=9.0).switched("a", on=True, now_s=-900.0, slack_k=3.0)
    assert state.yields(1.0) == ()
    assert state.asked(ask("e", -0.5)).yields(1.0) == ()
    assert state.asked(ask("e", -0.5, at_s=-500.0)).yields(1.0) == ()


def test_a_renewal_tells_the_slack_and_keeps_the_since_when():
    state = budget().switched("a", on=True, now_s=1.0, slack_k=0.2)
    later = state.switched("a", on=True, now_s=300.0, slack_k=0.9)
    assert later.running == {"a": 1.0}
    assert later.slack_k["a"] == 0.9


def test_the_heating_cap_counts_all_running_relays():
    tight = PowerBudget(Limits(heating_kw=4.0), RELAYS).heard(
        MeterReading(0.0, 0.0), grid_charging=False
    )
    tight = tight.switched("a", on=True, now_s=0.0)
    assert tight.asked(ask("d")).next_grant(10.0)[1] is None
    assert tight.asked(ask("c")).next_grant(10.0)[1] is not None


def test_a_lost_meter_means_the_p95_base_load_and_no_help_from_the_sun():
    state = budget(l1=-5.0)
    assert state.headroom(100.0).phase_kw[0] == LIMITS.phase_kw + 5.0
    assert state.headroom(1000.0) == blind_headroom(LIMITS, ())
    assert PowerBudget(LIMITS, RELAYS).headroom(0.0).phase_kw[0] == LIMITS.phase_kw - 1.5


def test_an_old_request_is_forgotten_and_a_strange_relay_is_ignored():
    state = budget().asked(ask("a", at_s=0.0)).asked(ask("ghost"))
    state, grant = state.next_grant(500.0)
    assert grant is None
    assert state.due(500.0) is None


def test_a_meter_without_a_number_changes_nothing():
    state = budget()
    assert state.heard(MeterReading(60.0, None), grid_charging=False) is state
    assert state.heard(None, grid_charging=False) is state


def test_an_excess_sheds_grid_charge_first():
    state = budget(l1=7.0).switched("a", on=True, now_s=0.0)
    charging = state.heard(MeterReading(1.0, 8.0, phase_kw=(7.0, 0.5, 0.5)), grid_charging=True)
    assert [type(order) for order in charging.excess(1.0)] == [ChargeShed]


@pytest.mark.parametrize(("left_kw", "shed"), [(0.3, 0), (0.1, 1)])
def test_a_grid_charge_ends_before_a_limit_is_exceeded_and_relays_stay(left_kw, shed):
    near_kw = LIMITS.phase_kw - left_kw
    state = budget().switched("a", on=True, now_s=0.0)
    meter = MeterReading(1.0, 8.0, phase_kw=(near_kw, 0.5, 0.5))
    orders = state.heard(meter, grid_charging=True).excess(1.0)
    assert [order.reason for order in orders] == ["close to the breaker of L1"] * shed
    assert not state.heard(meter, grid_charging=False).excess(1.0)


def test_an_excess_sheds_first_what_would_obey():
    state = budget(l1=6.5).obeying("b", ours=False)
    for name, slack_k in (("a", 0.1), ("b", 0.9)):
        state = state.asked(ask(name, slack_k)).switched(name, on=True, now_s=-1.0)
    assert [order.relay for order in state.excess(1.0)] == ["a"]
    mine = state.obeying("b", ours=True)
    assert [order.relay for order in mine.excess(1.0)] == ["b"]


def test_an_excess_sheds_the_relay_with_most_slack_on_the_right_phase():
    state = budget(l1=6.5)
    for name, slack_k in (("a", 0.1), ("b", 0.9), ("d", 5.0)):
        state = state.asked(ask(name, slack_k)).switched(name, on=True, now_s=-1.0)
    orders = state.excess(1.0)
    assert [order.relay for order in orders if isinstance(order, RelayShed)] == ["b"]


def test_no_excess_means_no_order():
    assert budget().excess(0.0) == ()


def test_switching_off_gives_a_grant_back():
    state, grant = budget().asked(ask("a")).next_grant(1.0)
    assert state.granted == {"a": 1.0}
    assert state.switched("a", on=False, now_s=2.0).granted == {}
    assert grant.valid_until_s == 31.0


@given(
    base=st.lists(st.floats(-3, 6), min_size=3, max_size=3),
    order=st.permutations(sorted(RELAYS)),
    seconds=st.lists(st.floats(0, 30), min_size=5, max_size=5),
)
def test_no_grant_ever_exceeds_a_limit_on_the_last_reading(base, order, seconds):
    state = PowerBudget(LIMITS, RELAYS).heard(
        MeterReading(0.0, sum(base), phase_kw=tuple(base)), grid_charging=False
    )
    now_s, phases, grid_kw = 0.5, list(base), sum(base)
    for name, wait_s in zip(order, seconds, strict=True):
        now_s += wait_s
        state, grant = state.asked(ask(name, at_s=now_s)).next_grant(now_s)
        if grant is None:
            continue
        relay = RELAYS[grant.relay]
        state = state.switched(relay.name, on=True, now_s=now_s)
        phases = [p + relay.power_kw * s for p, s in zip(phases, relay.phases, strict=True)]
        grid_kw += relay.power_kw
        assert all(
            kw <= LIMITS.phase_kw + 1e-6
            for kw, share in zip(phases, relay.phases, strict=True) if share
        )  # fmt: skip
        assert grid_kw <= LIMITS.import_kw + 1e-6


def test_each_limit_is_named_when_it_is_exceeded():
    assert "L2" in measured_headroom(LIMITS, 0.0, (0.0, 9.0, 0.0), 0.0).exceeded
    assert "import" in measured_headroom(LIMITS, 25.0, (0.0, 0.0, 0.0), 0.0).exceeded
    assert "heating" in measured_headroom(LIMITS, 0.0, None, 19.0).exceeded
    room = measured_headroom(LIMITS, 0.0, None, 0.0)
    assert room.exceeded is None
    big = Relay("big", 30.0, 30.0, (("big", 1.0),))
    assert room.tightest(big) == "heating cap"
    assert measured_headroom(Limits(heating_kw=99.0), 0.0, None, 0.0).tightest(big) == (
        "import limit"
    )


def test_an_import_excess_sheds_any_relay():
    state = PowerBudget(Limits(import_kw=4.0), RELAYS)
    state = state.heard(MeterReading(0.0, 5.0, phase_kw=(2.0, 2.0, 1.0)), grid_charging=False)
    state = state.switched("e", on=True, now_s=-1.0)
    assert state.excess(1.0)[0].relay == "e"
    hot = PowerBudget(Limits(heating_kw=1.0), RELAYS).switched("e", on=True, now_s=-1.0)
    hot = hot.heard(MeterReading(0.0, 1.0), grid_charging=False)
    assert "heating cap" in hot.excess(1.0)[0].reason
