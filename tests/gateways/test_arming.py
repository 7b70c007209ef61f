"""What is armed outlives every process; what cannot be read arms nothing, and is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pems_actors.gateways import arming
from supervision.snapshots import SnapshotStore

AT_S = 1_700_000_000.0
SOME = frozenset({"relay/obyvak", "battery"})


@pytest.mark.parametrize("armed", [None, frozenset(), SOME])
def test_what_was_armed_is_armed_in_the_next_process(tmp_path: Path, armed: arming.Armed) -> None:
    arming.save(tmp_path, armed, AT_S)
    assert arming.load(tmp_path) == (armed, "")


def test_where_nobody_armed_anything_nothing_is_and_that_is_no_problem(tmp_path: Path) -> None:
    assert arming.load(tmp_path) == (frozenset(), "")


def test_a_torn_note_disarms_nothing_and_is_told(tmp_path: Path) -> None:
    arming.save(tmp_path, SOME, AT_S)
    (tmp_path / "armed.json").write_bytes(b"")
    assert arming.load(tmp_path) == (
        SOME,
        "current: its checksum is wrong; the generation before stands",
    )


def test_no_older_generation_arms_what_was_disarmed(tmp_path: Path) -> None:
    arming.save(tmp_path, None, AT_S)
    arming.save(tmp_path, frozenset(), AT_S)
    (tmp_path / "armed.json").write_bytes(b"")
    assert arming.load(tmp_path).armed == frozenset()


def test_with_both_generations_lost_nothing_is_armed_and_the_way_out_is_told(
    tmp_path: Path,
) -> None:
    arming.save(tmp_path, SOME, AT_S)
    for name in ("armed.json", "armed.previous.json"):
        (tmp_path / name).write_bytes(b"rubbish")
    found = arming.load(tmp_path)
    assert found.armed == frozenset()
    assert found.problem.endswith("nothing is armed: `pems arm all`, or device by device")


@pytest.mark.parametrize("data", [7, "some", [1], {"relay/obyvak": True}])
def test_what_names_no_devices_arms_none(tmp_path: Path, data: object) -> None:
    SnapshotStore(tmp_path).save("armed", data, AT_S)
    assert arming.load(tmp_path).armed == frozenset()
