"""The power budget with relays that do not obey, and an inverter that goes on charging."""

from __future__ import annotations

from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.events import ChargeShed, RelayRequest, RelayShed
from pems_actors.domain.house import Limits, Relay
from pems_actors.domain.readings import MeterReading, RoomReading

ONE = (1.0, 0.0, 0.0)
RELAYS = {
    name: Relay(name, kw, kw, ((name, 1.0),), ONE)
    for name, kw in (("dead", 4.0), ("big", 3.0), ("small", 1.0))
}
LIMITS = Limits(heating_kw=7.0)
NOW_S = 1000.0


def budget(**more: object) -> PowerBudget:
    base = PowerBudget(LIMITS, RELAYS).heard(MeterReading(NOW_S, 0.5), grid_charging=False)
    return base._replace(**more)  # type: ignore[arg-type]


def asking(relay: str, slack_k: float) -> RelayRequest:
    return RelayRequest(relay, NOW_S, slack_k, urgent=False)


def test_a_dead_relay_frees_its_share_of_the_heating() -> None:
    running = budget(running={"dead": 0.0})
    assert running.headroom(NOW_S).heating_kw == 3.0
    assert running.out_of_service(frozenset({"dead"}), frozenset()).headroom(
        NOW_S
    ).heating_kw == 7.0  # fmt: skip


def test_a_welded_relay_counts_although_nobody_switched_it_on() -> None:
    welded = budget().out_of_service(frozenset(), frozenset({"big"}))
    assert welded.headroom(NOW_S).heating_kw == 4.0
    blind = welded._replace(meter=None).headroom(NOW_S)
    assert blind.import_kw == LIMITS.import_kw - LIMITS.base_load_p95_kw - 3.0


def test_a_dead_relay_that_was_let_start_counts_until_the_meter_is_read_again() -> None:
    asked = budget().out_of_service(frozenset({"dead"}), frozenset()).asked(asking("dead", -2.0))
    granted, grant = asked.next_grant(NOW_S)
    assert grant is not None
    started = granted.switched("dead", on=True, now_s=NOW_S)
    assert started.headroom(NOW_S).heating_kw == 3.0
    read = MeterReading(NOW_S + 60.0, 0.0, 0.0, (0.0, 0.0, 0.0))
    assert started.heard(read, grid_charging=False).headroom(NOW_S + 60.0).heating_kw == 7.0


def test_nobody_waits_behind_a_dead_relay() -> None:
    full = budget(running={"big": 0.0}).asked(asking("dead", -2.0)).asked(asking("small", 1.0))
    _, grant = full._replace(limits=Limits(heating_kw=4.5)).next_grant(NOW_S)
    assert grant is None
    freed = full.out_of_service(frozenset({"dead"}), frozenset())
    _, grant = freed._replace(limits=Limits(heating_kw=4.5)).next_grant(NOW_S)
    assert grant is not None
    assert grant.relay == "small"


def test_nobody_makes_room_for_a_dead_relay() -> None:
    tight = (
        budget(running={"big": 0.0}, slack_k={"big": 1.0})
        .asked(asking("dead", -2.0))
        ._replace(limits=Limits(heating_kw=4.5))
    )
    assert [order.relay for order in tight.yields(NOW_S)] == ["big"]
    assert tight.out_of_service(frozenset({"dead"}), frozenset()).yields(NOW_S) == ()


def test_shedding_a_dead_relay_helps_nobody() -> None:
    over = budget(running={"dead": 0.0, "small": 0.0}, slack_k={"dead": 9.0}).heard(
        MeterReading(NOW_S, 21.0), grid_charging=False
    )
    freed = over.out_of_service(frozenset({"dead"}), frozenset())
    assert [o.relay for o in freed.excess(NOW_S) if isinstance(o, RelayShed)] == ["small"]


def test_a_charge_that_does_not_stop_gives_way_to_shedding_relays() -> None:
    def over(state: PowerBudget, at_s: float) -> PowerBudget:
        return state.heard(MeterReading(at_s, 21.0), grid_charging=True)

    state = over(budget(running={"small": 0.0}), NOW_S)
    first = state.excess(NOW_S)
    assert [type(order) for order in first] == [ChargeShed]
    state = over(state.shed(first, NOW_S), NOW_S + 60.0)
    assert [type(order) for order in state.excess(NOW_S + 60.0)] == [ChargeShed]
    state = over(state, NOW_S + 120.0)
    assert [type(order) for order in state.excess(NOW_S + 120.0)] == [ChargeShed, RelayShed]


def test_a_charge_that_stops_clears_the_doubt() -> None:
    state = budget(charge_shed_s=NOW_S).heard(MeterReading(NOW_S, 1.0), grid_charging=False)
    assert state.charge_shed_s is None


def test_a_clock_that_was_set_cuts_no_gap_short() -> None:
    state = budget(last_start_s=NOW_S).asked(asking("small", -1.0))
    _, grant = state.shifted(-3600.0).next_grant(NOW_S - 3600.0 + 5.0)
    assert grant is None
    _, grant = state.shifted(-3600.0).next_grant(NOW_S - 3600.0 + 11.0)
    assert grant is not None


def test_a_relay_on_in_the_mind_of_an_owner_who_may_not_write_takes_nothing() -> None:
    thought = budget(running={"dead": 0.0, "big": 0.0}).obeying("big", ours=False)
    assert thought.headroom(NOW_S).heating_kw == 0.0  # nobody has looked at its contact
    for on, left_kw in ((False, 3.0), (True, 0.0)):
        room = RoomReading("big", NOW_S, None, on)
        seen = thought.looked([room], metered=True)
        assert seen.headroom(NOW_S).heating_kw == left_kw
        assert seen._replace(meter=None).headroom(NOW_S).heating_kw == left_kw
