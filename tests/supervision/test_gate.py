"""The one door for effects: only the living author with the lease gets through."""

import threading

import pytest

from supervision import Gate
from supervision.errors import Superseded


class Door:
    """A gate with a clock to turn and a list of what was done and refused."""

    def __init__(self, first_epoch=1):
        self.now_s = 0.0
        self.done, self.refused = [], []
        self.gate = Gate(
            lambda: self.now_s, lambda *refusal: self.refused.append(refusal), first_epoch
        )

    def act(self, path, epoch, resource=None):
        return self.gate.submit(path, epoch, lambda: self.done.append(path), resource)


def test_the_living_one_gets_through_and_its_predecessor_does_not():
    door = Door()
    old = door.gate.admit("room")
    new = door.gate.admit("room")
    assert (old, new) == (1, 2)
    assert not door.act("room", old)
    assert door.act("room", new)
    assert door.done == ["room"]
    assert door.refused == [("room", 1, None, "old epoch")]


def test_a_fenced_path_has_nobody_who_may_act():
    door = Door()
    epoch = door.gate.admit("room")
    door.gate.fence("room", epoch + 1)
    assert door.gate.is_current("room", epoch)
    door.gate.fence("room", epoch)
    assert not door.act("room", epoch)
    assert not door.act("nobody", 1)


def test_epochs_go_on_upwards_after_a_path_was_forgotten():
    door = Door(first_epoch=100)
    assert door.gate.admit("a") == 100
    assert door.gate.admit("a") == 101
    door.gate.forget(["a", "never there"])
    assert door.gate.admit("a") == 102
    assert door.gate.admit("b") == 102


def test_a_supervisor_that_was_replaced_may_not_start_anybody():
    door = Door()
    old = door.gate.admit("rooms")
    door.gate.admit("rooms")
    with pytest.raises(Superseded, match="it may not start"):
        door.gate.admit("rooms/a", author=("rooms", old))


def test_a_resource_belongs_to_its_holder_until_its_time_is_over():
    door = Door()
    room, guard = door.gate.admit("room"), door.gate.admit("guard")
    assert not door.act("room", room, "relay")
    door.gate.grant("relay", "room", until_s=900.0)
    assert door.gate.holder("relay") == "room"
    assert door.act("room", room, "relay")
    assert not door.act("guard", guard, "relay")
    door.now_s = 900.0
    assert door.gate.holder("relay") is None
    assert not door.act("room", room, "relay")
    assert [reason for *_, reason in door.refused] == ["no lease"] * 3


def test_a_lease_without_an_end_lasts_until_it_is_taken_away():
    door = Door()
    room = door.gate.admit("room")
    door.gate.grant("relay", "room")
    door.now_s = 1e9
    assert door.act("room", room, "relay")
    door.gate.revoke("relay")
    door.gate.revoke("relay")
    assert not door.act("room", room, "relay")


def test_an_effect_that_fails_is_its_authors_failure_and_leaves_the_door_open():
    door = Door()
    epoch = door.gate.admit("room")
    with pytest.raises(ZeroDivisionError):
        door.gate.submit("room", epoch, lambda: 1 / 0)
    assert door.act("room", epoch)


def test_no_late_effect_gets_through_while_epochs_change_on_another_thread():
    door, stop = Door(), threading.Event()
    done: list[tuple[int, int]] = []

    def replace():
        while not stop.is_set():
            door.gate.admit("room")

    replacer = threading.Thread(target=replace)
    replacer.start()
    attempts = 0
    while attempts < 10_000:
        epoch = door.gate._last.get("room", 1)
        door.gate.submit("room", epoch, lambda e=epoch: done.append((e, door.gate._last["room"])))
        attempts += 1
    stop.set()
    replacer.join()
    assert all(mine == current for mine, current in done)
    assert len(done) + len(door.refused) == 10_000
