"""Power is lost in the middle of a save: what is on the disk afterwards is old or new, never torn.

The disk of the worst case: what was written but not synced is gone or half there, and a name that
was not synced with its folder may be the old or the new one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pems_actors.durable.memory import Memory
from pems_actors.durable.order_journal import OrderJournal
from supervision.snapshots import SnapshotStore

OLD, NEW = {"relay": "old", "more": list(range(500))}, {"relay": "new", "more": list(range(500))}


class PowerLossError(BaseException):
    """The end of everything at the n-th word to the disk."""


class Socket:
    """Counts the words to the disk, and pulls the plug at one of them."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int | None = None) -> None:
        self.words: list[str] = []
        self.at = at
        for name in ("fsync", "link", "replace", "rename", "unlink"):
            self._watch(patch, name)

    def _watch(self, patch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(os, name)

        def word(*args: Any, **kwargs: Any) -> Any:
            self._pull_the_plug()
            self.words.append(name)
            return real(*args, **kwargs)

        patch.setattr(os, name, word)

    def _pull_the_plug(self) -> None:
        if self.at is not None and len(self.words) >= self.at:
            raise PowerLossError


def words_of_a_save(tmp_path: Path) -> list[str]:
    store = SnapshotStore(tmp_path / "count")
    store.save("rooms/bath", OLD, 1.0)
    store.save("rooms/bath", OLD, 2.0)
    with pytest.MonkeyPatch.context() as patch:
        socket = Socket(patch)
        store.save("rooms/bath", NEW, 3.0)
    return socket.words


def test_the_data_is_on_the_disk_before_its_name_and_the_name_before_the_save_is_done(
    tmp_path: Path,
) -> None:
    words = words_of_a_save(tmp_path)
    assert words[0] == "fsync"
    assert words[-1] == "fsync"
    assert max(words.index(w) for w in ("replace", "rename") if w in words) < len(words) - 1


def torn_states(folder: Path) -> Iterator[None]:
    """What a disk may make of files that were being written: as they are, half, or empty."""
    fresh = [file for file in folder.iterdir() if file.suffix == ".tmp"]
    yield
    for file in fresh:
        whole = file.read_bytes()
        for size in {0, 1, len(whole) // 2, max(0, len(whole) - 1)}:
            file.write_bytes(whole[:size])
            yield


def test_whenever_the_power_goes_the_old_or_the_new_state_is_read(tmp_path: Path) -> None:
    seen = set()
    for at in range(len(words_of_a_save(tmp_path)) + 1):
        folder = tmp_path / f"cut{at}"
        store = SnapshotStore(folder)
        store.save("rooms/bath", OLD, 1.0)
        store.save("rooms/bath", OLD, 2.0)
        with pytest.MonkeyPatch.context() as patch:
            Socket(patch, at)
            with contextlib.suppress(PowerLossError):
                store.save("rooms/bath", NEW, 3.0)
        for _ in torn_states(folder):
            found = SnapshotStore(folder).load("rooms/bath")
            assert found.data in (OLD, NEW)
            assert found.reason == "" or found.generation == "previous"
            seen.add(found.data["relay"])
    assert seen == {"old", "new"}


def test_a_save_after_a_power_loss_works_as_ever(tmp_path: Path) -> None:
    for at in range(len(words_of_a_save(tmp_path)) + 1):
        folder = tmp_path / f"again{at}"
        store = SnapshotStore(folder)
        store.save("rooms/bath", OLD, 1.0)
        with pytest.MonkeyPatch.context() as patch:
            Socket(patch, at)
            with contextlib.suppress(PowerLossError):
                store.save("rooms/bath", NEW, 2.0)
        SnapshotStore(folder).save("rooms/bath", NEW, 4.0)
        found = SnapshotStore(folder).load("rooms/bath")
        assert (found.data, found.at_s, found.generation) == (NEW, 4.0, "current")


@pytest.mark.parametrize("cut", [0, 1, 3, 7, 40])
def test_a_whole_state_directory_with_its_last_bytes_lost_opens_again(
    tmp_path: Path, cut: int
) -> None:
    """Every file of the memory loses its last bytes at once: two generations carry it over."""
    state = tmp_path / "state"
    store = SnapshotStore(state / "snapshots")
    for name in ("safety/power_budget", "house/control"):
        for at_s in (1.0, 2.0):
            store.save(name, {"kept": at_s}, at_s)
    OrderJournal.open(state, ("relay/bath", "battery")).close()
    for file in [f for f in state.rglob("*") if f.is_file() and "previous" not in f.name]:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) - cut])
    again = SnapshotStore(state / "snapshots")
    for name in ("safety/power_budget", "house/control"):
        assert again.load(name).data == {"kept": 2.0 if cut == 0 else 1.0}
    memory = Memory.on_disk(state, ("relay/bath", "battery"))
    memory.close()
    shutil.rmtree(state)
