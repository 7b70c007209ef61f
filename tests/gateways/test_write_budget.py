"""Register writes wear: they are counted over all lives, and past a day's share only home."""

from __future__ import annotations

from pathlib import Path

import pytest

from pems_actors.domain.house import BatteryMode
from pems_actors.gateways.growatt_registers import Answer
from pems_actors.gateways.growatt_sender import GrowattSender
from pems_actors.gateways.write_budget import NAME, WriteBudget
from supervision.snapshots import SnapshotStore
from tests.gateways.houses import NOW_S, battery, export
from tests.gateways.test_growatt_sender import Wire

DAY_S = 86400.0


def test_a_day_bears_so_many_writes_and_the_next_day_again() -> None:
    budget = WriteBudget(3)
    for k in range(3):
        assert budget.bears(1, NOW_S + k)
        budget.note(NOW_S + k)
    assert not budget.bears(1, NOW_S + 3.0)
    assert not budget.bears(1, NOW_S + DAY_S - 1.0)
    assert budget.bears(1, NOW_S + DAY_S + 0.5)


def test_writes_of_earlier_lives_count(tmp_path: Path) -> None:
    before = WriteBudget.on_disk(tmp_path, 5)
    for k in range(4):
        before.note(NOW_S + k)
    before.save()
    assert WriteBudget.on_disk(tmp_path, 5).spent(NOW_S + 60.0) == 4


@pytest.mark.parametrize("rubbish", ["", "{", "[1, null]", '["x"]', "7"])
def test_a_count_that_cannot_be_read_begins_anew_and_that_is_told(
    tmp_path: Path, rubbish: str
) -> None:
    (tmp_path / f"{NAME}.json").write_text(rubbish)
    budget = WriteBudget.on_disk(tmp_path, 5)
    assert budget.spent(NOW_S) == 0
    assert "its checksum is wrong" in budget.problem


def test_of_a_torn_count_the_generation_before_stands(tmp_path: Path) -> None:
    before = WriteBudget.on_disk(tmp_path, 5)
    for k in range(3):
        before.note(NOW_S + k)
        before.save()
    (tmp_path / f"{NAME}.json").write_text("torn")
    after = WriteBudget.on_disk(tmp_path, 5)
    assert after.spent(NOW_S + 60.0) == 2
    assert after.problem == "current: its checksum is wrong; the generation before stands"


@pytest.mark.parametrize("data", [7, [1, None], ["x"], {"a": 1}])
def test_what_are_no_times_is_no_count(tmp_path: Path, data: object) -> None:
    SnapshotStore(tmp_path).save(NAME, data, NOW_S)
    assert WriteBudget.on_disk(tmp_path, 5).problem


def test_a_clock_that_is_set_back_forgets_nothing() -> None:
    budget = WriteBudget(5)
    budget.note(NOW_S + 3600.0)
    assert budget.spent(NOW_S) == 1
    assert budget.spent(NOW_S + DAY_S - 1.0) == 1


def test_a_disk_that_refuses_costs_only_the_memory(tmp_path: Path) -> None:
    budget = WriteBudget.on_disk(tmp_path / "nowhere", 5)
    budget.note(NOW_S)
    budget.save()
    assert budget.spent(NOW_S) == 1


def test_a_command_that_the_day_does_not_bear_is_not_begun_and_said() -> None:
    wire = Wire(GrowattSender(budget=WriteBudget(2)))
    wire.sender.submit(battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.8))
    wire.run(30.0)
    assert not [command for command in wire.commands() if "/set/" in command]
    assert wire.sender.problem == "inverter: 2 register writes a day are spent"
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELF_USE


def test_the_way_home_is_always_open() -> None:
    budget = WriteBudget(4)
    wire = Wire(GrowattSender(budget=budget))
    wire.sender.submit(battery(BatteryMode.CHARGE_GRID, NOW_S, 2.44, 0.8))
    wire.run(30.0)
    assert budget.spent(NOW_S) == 4
    wire.sender.submit(battery(BatteryMode.SELF_USE))
    wire.sender.submit(export(allowed=True))
    wire.run(30.0)
    assert wire.inverter.effective(NOW_S, 0.5).mode is BatteryMode.SELF_USE
    assert budget.spent(NOW_S) > 4


def test_an_inverter_that_refuses_for_a_day_is_written_to_forty_times_at_most() -> None:
    sender = GrowattSender()
    now_s, house_s, sent = 100.0, NOW_S, 0
    for _ in range(24 * 12):  # a renewal each five minutes
        sender.submit(battery(BatteryMode.HOLD, house_s))
        for _ in range(60):
            out = sender.step(now_s, house_s)
            if out is not None:
                sent += "/set/" in out.topic
                name = out.topic.split("command/")[1]
                sender.answered(Answer(name, False, "busy", {}), now_s, house_s)
            now_s, house_s = now_s + 5.0, house_s + 5.0
    assert 0 < sent <= 40
