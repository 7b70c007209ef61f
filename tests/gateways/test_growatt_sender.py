"""Register writes go out one by one, a second apart, until they are confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from pems_actors.domain.house import BatteryMode
from pems_actors.gateways.growatt_registers import Answer
from pems_actors.gateways.growatt_sender import (
    ANSWER_S,
    LONGEST_RETRY_S,
    TRIES,
    GrowattSender,
    Outgoing,
)
from pems_actors.gateways.growatt_twin import SimulatedGrowatt
from tests.gateways.houses import NOW_S, battery, export


@dataclass
class Wire:
    """A sender and an inverter with a clock turned by hand between them."""

    sender: GrowattSender = field(default_factory=GrowattSender)
    inverter: SimulatedGrowatt = field(default_factory=SimulatedGrowatt)
    now_s: float = 100.0
    deaf: bool = False
    sent: list[tuple[float, Outgoing]] = field(default_factory=list)

    def run(self, duration_s: float) -> None:
        """Let time pass in steps of 0.1 s; answers come at once."""
        for _ in range(round(duration_s * 10)):
            out = self.sender.step(self.now_s, NOW_S)
            if out is not None:
                self.sent.append((self.now_s, out))
                if not self.deaf:
                    answer = self.inverter.apply(out.topic, out.payload.encode(), NOW_S)
                    self.sender.answered(answer, self.now_s + 0.05, NOW_S)
            self.now_s += 0.1

    def commands(self) -> list[str]:
        return [out.topic.split("/", 3)[3] for _, out in self.sent]


def test_a_silent_sender_writes_nothing_at_all() -> None:
    wire = Wire()
    wire.run(60.0)
    assert wire.sent == []
    assert wire.sender.due_in_s(wire.now_s) is None


def test_the_first_command_reads_the_device_and_then_writes_only_what_differs() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.8))
    wire.run(20.0)
    assert wire.commands() == [
        "datetime/get",
        "batteryfirst/get",
        "gridfirst/get",
        "batteryfirst/set/acchargeenabled",
        "batteryfirst/set/stopsoc",
        "batteryfirst/set/powerrate",
        "batteryfirst/set/timeslot",
    ]
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.CHARGE_GRID
    assert wire.sender.writes_sent == 4


def test_commands_are_a_second_apart() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.SELL))
    wire.run(20.0)
    times = [at_s for at_s, _ in wire.sent]
    assert min(b - a for a, b in pairwise(times)) > 0.99


def test_a_newer_command_replaces_an_older_one_halfway() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.CHARGE_GRID))
    wire.run(4.0)
    wire.sender.submit(battery(BatteryMode.SELF_USE))
    wire.run(20.0)
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELF_USE
    assert "batteryfirst/set/timeslot" not in wire.commands()
    assert wire.sender.known.ac_charge is False


def test_battery_and_export_do_not_replace_each_other() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.HOLD))
    wire.sender.submit(export(allowed=False))
    wire.run(20.0)
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.HOLD
    assert wire.inverter.held.export is False


def test_a_renewed_command_that_is_already_so_writes_nothing() -> None:
    wire = Wire()
    wire.sender.submit(export(allowed=False))
    wire.run(10.0)
    before = len(wire.sent)
    wire.sender.submit(export(allowed=False))
    wire.run(10.0)
    assert len(wire.sent) == before


def test_an_unanswered_command_is_repeated_with_longer_pauses_and_then_given_up() -> None:
    wire = Wire(deaf=True)
    wire.sender.submit(export(allowed=False))
    wire.run(900.0)
    writes = [at_s for at_s, out in wire.sent if out.topic.endswith("export/disable")]
    pauses = [b - a - ANSWER_S for a, b in pairwise(writes)]
    assert 8 <= len(writes) <= TRIES
    assert all(b > a - 0.15 for a, b in pairwise(pauses))
    assert "gives no answer" in wire.sender.problem
    assert wire.sender.due_in_s(wire.now_s) is None


def test_an_order_that_leads_home_is_repeated_until_the_inverter_is_back() -> None:
    wire = Wire()
    wire.sender.submit(export(allowed=False))
    wire.run(10.0)
    assert not wire.inverter.held.export
    wire.deaf = True
    wire.sender.submit(export(allowed=True))
    wire.run(1200.0)
    writes = [at_s for at_s, out in wire.sent if out.topic.endswith("export/enable")]
    assert len(writes) > TRIES
    wire.deaf = False
    wire.run(LONGEST_RETRY_S + ANSWER_S)
    assert wire.inverter.held.export
    assert wire.sender.due_in_s(wire.now_s) is None


def test_a_refused_write_leaves_the_register_in_doubt_and_tells_why() -> None:
    wire = Wire()
    wire.sender.submit(export(allowed=False))
    wire.run(8.0)
    assert wire.inverter.held.export is False
    wire.deaf = True
    wire.sender.submit(export(allowed=True))
    wire.run(2.0)
    refusal = Answer("export/enable", success=False, message="busy")
    wire.sender.answered(refusal, wire.now_s, NOW_S)
    assert wire.sender.known.export is None
    assert "busy" in wire.sender.problem


def test_slots_are_told_in_the_inverters_own_time_when_its_clock_is_wrong() -> None:
    wire = Wire(inverter=SimulatedGrowatt(drift_s=-3600.0))  # it slept through summer time
    wire.sender.submit(battery(BatteryMode.SELL))
    wire.run(20.0)
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELL
    slot = wire.inverter.held.grid_slot
    assert slot is not None
    assert slot.start_min == 11 * 60


def test_the_clock_is_read_once_a_day() -> None:
    sender, inverter = GrowattSender(), SimulatedGrowatt()
    clocks = 0
    for hour in range(49):
        house_s = NOW_S + hour * 3600.0
        sender.submit(battery(BatteryMode.SELF_USE, house_s))
        for step in range(200):
            now_s = hour * 1000.0 + step
            out = sender.step(now_s, house_s)
            if out is not None:
                clocks += out.topic.endswith("datetime/get")
                answer = inverter.apply(out.topic, out.payload.encode(), house_s)
                sender.answered(answer, now_s, house_s)
    assert clocks == 3


def test_a_command_whose_lease_has_ended_is_not_written() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.SELL, NOW_S - 3600.0))
    wire.run(30.0)
    assert not any("/set/" in command for command in wire.commands())


def test_after_an_absence_the_device_is_read_again() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.SELL))
    wire.run(20.0)
    wire.sender.forget()
    wire.inverter.held = SimulatedGrowatt().held  # somebody reset it meanwhile
    wire.sent.clear()
    wire.sender.submit(battery(BatteryMode.SELL))
    wire.run(20.0)
    assert wire.commands()[:3] == ["datetime/get", "batteryfirst/get", "gridfirst/get"]
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELL


def test_the_clean_up_is_known_before_each_write_and_gone_when_all_is_native() -> None:
    wire = Wire()
    wire.sender.submit(battery(BatteryMode.SELL))
    wire.run(20.0)
    assert all(out.cleanup for _, out in wire.sent if "/set/" in out.topic)
    held = wire.sender.settled_cleanup()
    assert held is not None
    assert [write.register for write in held] == ["grid_slot"]
    wire.sender.submit(battery(BatteryMode.SELF_USE))
    assert wire.sender.settled_cleanup() is None
    wire.run(20.0)
    assert wire.sender.settled_cleanup() == ()


def test_a_sender_is_settling_until_all_is_written_but_not_while_nobody_answers() -> None:
    wire = Wire()
    assert not wire.sender.settling
    wire.sender.submit(battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.8))
    wire.run(2.0)
    assert wire.sender.settling
    wire.run(20.0)
    assert not wire.sender.settling
    wire.deaf = True
    wire.sender.submit(battery(BatteryMode.SELL))
    wire.run(2.0 * ANSWER_S)
    assert not wire.sender.settling
