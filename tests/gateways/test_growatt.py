"""A battery mode becomes register writes in the right order, and the inverter obeys them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.house import BatteryMode
from pems_actors.gateways.growatt import (
    Growatt,
    cleanup_of,
    cleanup_of_unknown,
    effective,
    plan_writes,
)
from pems_actors.gateways.growatt_registers import (
    COMMANDS,
    OFF,
    Answer,
    Registers,
    Slot,
    Write,
    learned,
    read_answer,
    read_clock,
    read_write,
)
from pems_actors.gateways.growatt_twin import FACTORY, Counters, SimulatedGrowatt, telemetry
from pems_actors.gateways.wire import Rejected
from tests.gateways.houses import MINUTE_S, NOW_S, battery, export, reading

DEVICE = Growatt()
NOON_MIN = 12 * 60
FLOW = battery(BatteryMode.SELF_USE), export(allowed=True)


def carry_out(inverter: SimulatedGrowatt, writes: tuple[Write, ...]) -> None:
    for write in writes:
        answer = inverter.apply(write.topic, write.payload.encode(), NOW_S)
        assert answer.success, answer


def ordered(writes: tuple[Write, ...]) -> list[str]:
    return [write.command for write in writes]


def test_charging_writes_parameters_before_the_slot_and_nothing_that_is_already_so() -> None:
    plan = plan_writes(battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.8), FACTORY, NOW_S)
    assert [(w.command, json.loads(w.payload)) for w in plan.writes] == [
        ("batteryfirst/set/acchargeenabled", {"value": 1}),
        ("batteryfirst/set/stopsoc", {"value": 80}),
        ("batteryfirst/set/powerrate", {"value": 25}),
        (
            "batteryfirst/set/timeslot",
            {"start": "12:00", "stop": "14:00", "enabled": True, "slot": 1},
        ),
    ]
    assert plan.gap_s == 1.0


def test_the_other_mode_is_disabled_before_anything_else() -> None:
    selling = Registers(OFF, 10, 50, False, Slot(600, 900, True), 20, 50, True)
    plan = plan_writes(battery(BatteryMode.CHARGE_GRID), selling, NOW_S)
    assert plan.writes[0].command == "gridfirst/set/timeslot"
    assert json.loads(plan.writes[0].payload) == {
        "start": "00:00",
        "stop": "00:00",
        "enabled": False,
        "slot": 1,
    }


def test_an_unknown_inverter_gets_every_write() -> None:
    plan = plan_writes(battery(BatteryMode.SELL, NOW_S, 4.88, 0.3), Registers(), NOW_S)
    assert ordered(plan.writes) == [
        "batteryfirst/set/timeslot",
        "batteryfirst/set/acchargeenabled",
        "gridfirst/set/stopsoc",
        "gridfirst/set/powerrate",
        "gridfirst/set/timeslot",
    ]


def test_hold_pins_the_stop_soc_to_the_live_soc_rounded_down() -> None:
    plan = plan_writes(battery(BatteryMode.HOLD), FACTORY, NOW_S, soc_frac=0.567)
    assert {w.register: w.value for w in plan.writes}["battery_stop_pct"] == 56


def test_a_pin_that_still_holds_is_not_written_again() -> None:
    held = Registers(Slot(NOON_MIN, NOON_MIN + 120, True), 56, 25, False, OFF, 10, 25, True)
    assert plan_writes(battery(BatteryMode.HOLD), held, NOW_S, soc_frac=0.60).writes == ()


def test_a_battery_that_empties_while_its_hold_is_written_is_held_all_the_same() -> None:
    known, soc_pct, writes = replace(FACTORY, battery_stop_pct=10), 60, 0
    while True:
        plan = plan_writes(battery(BatteryMode.HOLD), known, NOW_S, soc_pct / 100.0, DEVICE)
        if not plan.writes:
            break
        known = replace(known, **{plan.writes[0].register: plan.writes[0].value})
        writes += 1
        held = effective(known, NOW_S, soc_pct / 100.0, DEVICE)
        soc_pct -= held is None or held.mode is not BatteryMode.HOLD  # a percent between two writes
        assert soc_pct > 50
    assert (held and held.mode, writes) == (BatteryMode.HOLD, 3)


def test_hold_without_a_known_soc_pins_the_lowest_soc_and_so_never_charges() -> None:
    plan = plan_writes(battery(BatteryMode.HOLD), Registers(), NOW_S, soc_frac=None)
    assert {w.register: w.value for w in plan.writes}["battery_stop_pct"] == 10


def test_renewing_a_lease_inside_the_slot_writes_nothing_and_past_it_writes_the_slot_only() -> None:
    inverter = SimulatedGrowatt()
    order = battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.8)
    carry_out(inverter, plan_writes(order, inverter.held, NOW_S).writes)
    soon, late = NOW_S + 60 * MINUTE_S, NOW_S + 110 * MINUTE_S
    again = battery(BatteryMode.CHARGE_GRID, soon, 2.44, 0.8)
    assert plan_writes(again, inverter.held, soon).writes == ()
    last = battery(BatteryMode.CHARGE_GRID, late, 2.44, 0.8)
    assert ordered(plan_writes(last, inverter.held, late).writes) == ["batteryfirst/set/timeslot"]


def test_a_slot_never_runs_over_midnight() -> None:
    before_midnight = NOW_S + 11.5 * 60 * MINUTE_S  # 23:30 in Prague
    plan = plan_writes(battery(BatteryMode.SELL, before_midnight), FACTORY, before_midnight)
    assert json.loads(plan.writes[-1].payload)["stop"] == "23:59"


def test_export_off_is_one_edge_and_comes_with_its_way_back() -> None:
    plan = plan_writes(export(allowed=False), FACTORY, NOW_S)
    assert [(w.topic, w.payload) for w in plan.writes] == [
        (f"{COMMANDS}/export/disable", '{"value":true}')
    ]
    assert [w.command for w in plan.cleanup] == ["export/enable"]
    after = replace(FACTORY, export=False)
    assert plan_writes(export(allowed=False), after, NOW_S).writes == ()


def test_the_clean_up_of_any_mode_gives_the_battery_back() -> None:
    for mode in (BatteryMode.HOLD, BatteryMode.CHARGE_GRID, BatteryMode.SELL):
        inverter = SimulatedGrowatt()
        plan = plan_writes(battery(mode, NOW_S, 2.0, 0.5), inverter.held, NOW_S, 0.6)
        carry_out(inverter, plan.writes)
        assert inverter.effective(NOW_S, 0.6).mode is not BatteryMode.SELF_USE
        carry_out(inverter, plan.cleanup)
        assert inverter.effective(NOW_S, 0.6).mode is BatteryMode.SELF_USE
        assert cleanup_of(inverter.held) == ()


def test_the_clean_up_undoes_a_plan_that_broke_off_after_any_write() -> None:
    charge = battery(BatteryMode.CHARGE_GRID, NOW_S, 2.0, 0.9)
    sell = battery(BatteryMode.SELL, NOW_S, 2.0, 0.2)
    started = SimulatedGrowatt()
    carry_out(started, plan_writes(charge, started.held, NOW_S).writes)
    plan = plan_writes(sell, started.held, NOW_S)
    for done in range(len(plan.writes) + 1):
        inverter = SimulatedGrowatt(held=started.held)
        carry_out(inverter, plan.writes[:done])
        carry_out(inverter, plan.cleanup)
        assert inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELF_USE
        assert inverter.held.ac_charge is False


def test_an_inverter_of_which_nothing_is_known_can_be_given_back() -> None:
    inverter = SimulatedGrowatt(
        held=Registers(Slot(0, 1439, True), 100, 100, True, OFF, 10, 10, False)
    )
    carry_out(inverter, cleanup_of_unknown())
    assert inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELF_USE
    assert inverter.held.export is True


MODES = st.sampled_from(list(BatteryMode))


@settings(max_examples=200, deadline=None)
@given(
    modes=st.lists(MODES, min_size=1, max_size=6),
    rate_kw=st.none() | st.floats(0.1, 9.0),
    stop=st.none() | st.floats(0.1, 0.9),
    soc=st.floats(0.1, 0.9),
)
def test_whatever_came_before_the_inverter_does_what_was_ordered_last(
    modes: list[BatteryMode], rate_kw: float | None, stop: float | None, soc: float
) -> None:
    inverter = SimulatedGrowatt()
    for mode in modes:
        plan = plan_writes(battery(mode, NOW_S, rate_kw, stop), inverter.held, NOW_S, soc)
        carry_out(inverter, plan.writes)
    now = inverter.effective(NOW_S, soc)
    assert now.mode is modes[-1]
    if now.mode in {BatteryMode.SELL, BatteryMode.CHARGE_GRID} and rate_kw is not None:
        assert now.rate_kw == pytest.approx(rate_kw, abs=0.1)


def test_the_simulated_slot_ends_by_the_clock_and_comes_back_the_next_day() -> None:
    inverter = SimulatedGrowatt()
    carry_out(inverter, plan_writes(battery(BatteryMode.SELL), inverter.held, NOW_S).writes)
    assert inverter.effective(NOW_S + 119 * MINUTE_S, 0.5).mode is BatteryMode.SELL
    assert inverter.effective(NOW_S + 120 * MINUTE_S, 0.5).mode is BatteryMode.SELF_USE
    assert inverter.effective(NOW_S + 24 * 60 * MINUTE_S, 0.5).mode is BatteryMode.SELL


def test_battery_first_charges_up_to_its_stop_soc_even_without_the_charge_flag() -> None:
    held = Registers(Slot(0, 1439, True), 80, 25, False, OFF, 10, 25, True)
    charging = effective(held, NOW_S, 0.5)
    holding = effective(held, NOW_S, 0.8)
    assert charging is not None
    assert holding is not None
    assert charging.mode is BatteryMode.CHARGE_GRID
    assert holding.mode is BatteryMode.HOLD


def test_the_simulated_inverter_refuses_a_second_slot() -> None:
    held = Registers(OFF, 10, 25, False, Slot(0, 1439, True), 10, 25, True)
    inverter = SimulatedGrowatt(held=held)
    body = b'{"start":"10:00","stop":"12:00","enabled":true,"slot":1}'
    answer = inverter.apply(f"{COMMANDS}/batteryfirst/set/timeslot", body, NOW_S)
    assert not answer.success


def test_a_drifting_clock_shifts_every_slot_until_it_is_set() -> None:
    inverter = SimulatedGrowatt(drift_s=3600.0)
    carry_out(inverter, plan_writes(battery(BatteryMode.SELL), inverter.held, NOW_S).writes)
    assert inverter.effective(NOW_S + 70 * MINUTE_S, 0.5).mode is BatteryMode.SELF_USE
    clock = inverter.apply(f"{COMMANDS}/datetime/get", b"{}", NOW_S)
    assert clock.value == "2026-01-15 13:00:00"
    inverter.apply(f"{COMMANDS}/datetime/set", b'{"value":"2026-01-15 12:00:00"}', NOW_S)
    assert inverter.effective(NOW_S + 70 * MINUTE_S, 0.5).mode is BatteryMode.SELL


def test_reading_both_sides_tells_all_registers_but_the_export_switch() -> None:
    held = Registers(Slot(60, 120, True), 55, 33, True, OFF, 12, 44, False)
    inverter, known = SimulatedGrowatt(held=held), Registers()
    for side in ("batteryfirst", "gridfirst"):
        known = learned(known, inverter.apply(f"{COMMANDS}/{side}/get", b"{}", NOW_S))
    assert known == Registers(Slot(60, 120, True), 55, 33, True, OFF, 12, 44, None)


def test_an_answer_that_is_no_answer_is_refused() -> None:
    assert isinstance(read_answer(b'{"command": 5, "success": true}'), Rejected)
    assert isinstance(read_answer(b'{"command": "x"}'), Rejected)
    good = read_answer(b'{"command": "export/enable", "success": true, "message": "ok"}')
    assert good == Answer("export/enable", success=True, message="ok")


BODY = st.dictionaries(
    st.sampled_from(["value", "start", "stop", "enabled", "slot"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.lists(st.integers(), max_size=2) | st.sampled_from(["12:00", "24:00", "99:99", "1:1"]),
)  # fmt: skip
COMMAND = st.sampled_from(
    ["batteryfirst/set/timeslot", "batteryfirst/set/stopsoc", "batteryfirst/set/acchargeenabled",
     "gridfirst/set/powerrate", "export/enable", "datetime/set", "batteryfirst/get", "nonsense"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(command=COMMAND, body=BODY | st.binary(max_size=60))
def test_no_command_can_make_the_inverter_fail(command: str, body: object) -> None:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    topic = f"{COMMANDS}/{command}"
    change = read_write(topic, payload)
    assert isinstance(change, Rejected) or change[0] in FACTORY.__slots__
    inverter = SimulatedGrowatt()
    assert isinstance(inverter.apply(topic, payload, NOW_S), Answer)
    inverter.effective(NOW_S, 0.5)
    answer = {"command": "batteryfirst/get", "success": True, "message": "", "value": body}
    if not isinstance(body, bytes):
        heard = read_answer(json.dumps(answer).encode())
        assert isinstance(heard, Rejected) or learned(Registers(), heard)


def test_telemetry_has_the_39_keys_of_the_real_gateway_in_watts_and_percent() -> None:
    body = telemetry(reading(), Counters(), DEVICE)
    assert len(body) == 39
    assert body["SOC"] == 56.0
    assert body["InputPower"] == 3200.0
    assert (body["ACPowerToUser"], body["ACPowerToGrid"]) == (0.0, 700.0)
    assert (body["ChargePower"], body["DischargePower"]) == (0.0, 1500.0)
    assert body["INVPowerToLocalLoad"] == 4000.0


def test_daily_counters_begin_anew_at_local_midnight_and_totals_do_not() -> None:
    counters = Counters()
    midnight_s = NOW_S + 12 * 3600.0  # in Prague
    telemetry(reading(midnight_s - 1800.0), counters, DEVICE)
    before = telemetry(reading(midnight_s - 900.0), counters, DEVICE)
    after = telemetry(reading(midnight_s + 900.0), counters, DEVICE)
    assert before["TodayGenerateEnergy"] == pytest.approx(0.8)
    assert after["TodayGenerateEnergy"] == pytest.approx(1.6)
    assert after["TotalGenerateEnergy"] == pytest.approx(2.4)


@pytest.mark.parametrize("text", ["2026-01-15 12:05:00", "26-01-15 12:05:00"])
def test_the_clock_is_read_with_or_without_its_century(text: str) -> None:
    shown = read_clock(Answer("datetime/get", success=True, message="", value=text))
    assert shown is not None
    assert DEVICE.with_clock(shown, NOW_S).drift_s == 300.0
    assert DEVICE.with_clock(shown, NOW_S + 240.0).drift_s == 0.0


@pytest.mark.parametrize("value", [None, 5, "", "noon", "26-13-45 99:99:99"])
def test_a_clock_that_shows_nonsense_is_no_clock(value: object) -> None:
    assert read_clock(Answer("datetime/get", success=True, message="", value=value)) is None
