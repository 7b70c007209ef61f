"""A battery that comes back after its process died, and one that a person took over."""

from __future__ import annotations

from pems_actors.actors.base import BATTERY, HISTORY, INVERTER, MQTT, Record
from pems_actors.actors.battery import LEASE_S, BatteryActor
from pems_actors.actors.inverter import InverterActor
from pems_actors.domain.commands import SetBatteryMode
from pems_actors.domain.events import ChargeShed, HouseMode, ModeChanged
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import BatteryReading
from pems_actors.domain.states import DeviceState
from pems_actors.durable.memory import Memory
from tests.actors.energy import energy_plan
from tests.actors.kit import HOUSE, NOON, Stage, energy_tick, order

HOLD, CHARGE, SELL, SELF = (
    BatteryMode.HOLD,
    BatteryMode.CHARGE_GRID,
    BatteryMode.SELL,
    BatteryMode.SELF_USE,
)
PLAN = energy_plan((0.0, HOLD), valid_s=86_000.0)


def battery(**more) -> Stage:
    return Stage(BATTERY, lambda c, w: BatteryActor(c, HOUSE, w), leases=["battery"], **more)


def ticks(stage: Stage, minutes: int, mode: BatteryMode | None) -> None:
    """Minutes in which the device shows a mode."""
    for _ in range(minutes):
        shown = BatteryReading(stage.now_s, 0.5, 0.0, mode)
        stage.tell(energy_tick(stage.now_s, battery=shown))
        stage.run(60.0)


def holding(minutes: int = 4, **more) -> Stage:
    stage = battery(**more)
    stage.tell(PLAN)
    ticks(stage, minutes, HOLD)
    return stage


def reborn(before: Stage, away_s: float = 5.0, memory: Memory | None = None) -> Stage:
    after = battery(memory=memory or before.memory, start_s=before.now_s + away_s)
    after.tell(PLAN)
    return after


def test_it_adopts_its_mode_without_a_write_and_counts_no_change():
    before = holding()
    after = reborn(before)
    ticks(after, 1, HOLD)
    assert after.commands == []
    assert after.state.changes_s == before.state.changes_s
    assert after.state.since_s == before.state.since_s


def test_changes_of_the_day_are_not_forgotten(tmp_path):
    devices = ["battery"]
    stage = battery(memory=Memory.on_disk(tmp_path, devices))
    steps = [(1800.0 * k, HOLD if k % 2 else SELL) for k in range(40)]
    plan = energy_plan(*steps, valid_s=86_000.0)
    stage.tell(plan)
    ticks(stage, 150, None)
    changes = stage.state.changes_s
    assert len(changes) >= 4
    stage.memory.close()

    memory = Memory.on_disk(tmp_path, devices)
    memory.load([BATTERY], stage.now_s)
    after = battery(memory=memory, start_s=stage.now_s + 5.0)
    after.tell(plan)
    ticks(after, 600, None)
    assert changes[1:] == after.state.changes_s[1 : len(changes)]
    assert len(after.state.changes_s) <= HOUSE.inverter.max_mode_changes_per_day


def test_a_mode_whose_lease_ran_out_is_written_anew():
    before = holding()
    after = reborn(before, away_s=LEASE_S)
    ticks(after, 1, SELF)
    [command] = after.commands
    assert command.mode is HOLD
    assert after.state.user is None


def test_what_a_person_chose_while_it_was_away_stands_and_nothing_is_written():
    before = holding()
    after = reborn(before)
    ticks(after, 60, CHARGE)
    assert after.commands == []
    assert after.state.choice.mode is CHARGE
    [found] = [r for r in after.all_heard(HISTORY, Record) if r.kind == "reconciled"]
    assert found.body["how"] == "person"


def test_a_persons_order_by_the_app_survives():
    before = battery()
    before.tell(PLAN)
    ticks(before, 4, SELF)
    before.ask(order(BATTERY, "mode", mode="sell", for_s=3600.0, rate_kw=2.0))
    after = reborn(before)
    ticks(after, 2, SELL)
    assert after.state.choice.mode is SELL
    assert after.state.choice.rate_kw == 2.0
    assert reborn(before, away_s=3601.0).state.user is None


def test_a_battery_that_shows_nothing_is_as_we_ordered():
    after = reborn(holding())
    ticks(after, 1, None)
    assert after.commands == []


def test_a_battery_that_was_never_written_to_begins_as_ever():
    memory = Memory()
    before = holding(armed=frozenset(), memory=memory)  # advisory
    after = reborn(before)
    ticks(after, 1, SELF)
    assert [c.mode for c in after.commands] == [HOLD]


def test_an_order_newer_than_its_memory_counts_by_the_journal():
    before = holding()
    sell = SetBatteryMode(SELL, "dear", Level.PLAN, before.now_s, before.now_s + LEASE_S, 2.0)
    before.writer.apply(sell)
    after = reborn(before)
    ticks(after, 1, SELL)
    assert after.state.user is None
    assert [c.mode for c in after.commands] in ([], [HOLD])


# --- while it runs


def test_a_mode_that_a_person_chose_is_left_alone_for_four_hours_and_then_no_longer():
    stage = holding()
    ticks(stage, 2, CHARGE)
    stage.forget()
    ticks(stage, 237, CHARGE)
    assert stage.commands == []
    ticks(stage, 3, CHARGE)
    assert [c.mode for c in stage.commands] == [HOLD]


def test_it_is_shown_as_a_persons():
    stage = holding()
    ticks(stage, 3, CHARGE)
    shown = stage.last(MQTT, DeviceState)
    assert dict(shown.values)["owner"].value == "person"
    assert "by a person" in shown.reason


def test_a_battery_back_in_self_use_may_have_lost_our_lease_and_is_told_once_more():
    stage = holding(minutes=57)
    stage.forget()
    ticks(stage, 3, SELF)
    assert stage.state.user is None
    assert [c.mode for c in stage.commands] == [HOLD]
    ticks(stage, 3, SELF)
    assert len(stage.commands) == 1  # more would wear out its registers; the lease follows


def test_a_person_who_insists_on_self_use_is_believed():
    stage = holding(minutes=57)
    ticks(stage, 2, SELF)
    ticks(stage, 3, HOLD)
    ticks(stage, 3, SELF)
    assert stage.state.user.by_hand


def test_a_restart_leaves_it_to_that_person_for_the_same_time():
    before = holding()
    ticks(before, 30, CHARGE)
    after = reborn(before, away_s=1800.0)
    ticks(after, 60, CHARGE)
    assert after.commands == []
    assert after.state.user.until_s == before.state.user.until_s


def test_an_inverter_that_never_obeyed_was_touched_by_nobody():
    stage = battery()
    stage.tell(PLAN)
    ticks(stage, 30, CHARGE)
    assert stage.state.user is None
    assert all(c.mode is HOLD for c in stage.commands)


def test_limits_and_an_emergency_come_before_a_persons_charging():
    stage = holding()
    ticks(stage, 3, CHARGE)
    stage.tell(ChargeShed("over the import limit", stage.now_s, 300.0))
    assert stage.commands[-1].mode is HOLD
    assert "shed" in stage.commands[-1].reason
    stage = holding()
    ticks(stage, 3, CHARGE)
    stage.tell(ModeChanged(HouseMode.EMERGENCY, stage.now_s))
    ticks(stage, 1, CHARGE)
    assert stage.commands[-1].mode is SELF


def test_release_gives_it_back_to_the_plan():
    stage = holding()
    ticks(stage, 40, CHARGE)
    stage.ask(order(BATTERY, "release"))
    assert stage.commands[-1].mode is HOLD


# --- the inverter


def inverter(**more) -> Stage:
    return Stage(INVERTER, InverterActor, leases=["inverter"], **more)


def test_export_as_we_left_it_is_not_written_again():
    before = inverter()
    before.tell(energy_tick(NOON))
    assert len(before.commands) == 1
    after = inverter(memory=before.memory, start_s=NOON + 5.0)
    after.tell(energy_tick(after.now_s))
    assert after.commands == []


def test_a_persons_word_about_export_survives_until_its_end():
    before = inverter()
    before.tell(energy_tick(NOON))
    before.ask(order(INVERTER, "export", allowed=False, for_s=3600.0))
    for later_s, allowed in ((60.0, False), (3700.0, True)):
        after = inverter(memory=before.memory, start_s=NOON + later_s)
        after.tell(energy_tick(after.now_s))
        assert after.state.choice.allowed is allowed
    before.ask(order(INVERTER, "release"))
    after = inverter(memory=before.memory, start_s=NOON + 60.0)
    after.tell(energy_tick(after.now_s))
    assert after.state.choice.allowed is True
