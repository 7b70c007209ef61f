"""The ping to the guardian is earned: a tree that is not sound has a complaint."""

from dataclasses import replace

import pytest
from kit import Do, Note, branch

from supervision.soundness import Soundness, Vital

VITAL = Vital(("root", "safety"), {"safety/beat": 20.0}, answer_s=5.0, absence_s=10.0, late_s=5.0)
LOOK_S = 2.0


class Looker:
    """Looks at a small tree every two seconds of virtual time."""

    def __init__(self, world, vital=VITAL):
        self.world = world
        self.sound = Soundness(world.system, vital)

    def look(self):
        complaint = self.sound.complaint(self.world.runtime.process_s())
        self.world.settle()
        return complaint

    def for_s(self, seconds, beat=True):
        """Look for so long; give all complaints."""
        found = []
        for _ in range(int(seconds / LOOK_S)):
            self.world.runtime.run_for(LOOK_S)
            if beat:
                self.world.system.tell("safety/beat", Note("tick"))
                self.world.settle()
            found.append(self.look())
        return [complaint for complaint in found if complaint is not None]


@pytest.fixture
def looker(world):
    safety = branch("safety", world.puppet("beat"), world.puppet("guard", deadline_s=None))
    world.grow(safety, branch("planning", world.puppet("planner")))
    return Looker(world)


def test_a_tree_at_work_has_no_complaint(looker):
    assert looker.for_s(60.0) == []


def test_a_vital_actor_that_handles_nothing_is_named(looker):
    found = looker.for_s(30.0, beat=False)
    assert found[0] == "safety/beat has handled nothing for 22.0 s"


def test_a_vital_actor_is_judged_by_its_count_and_not_by_a_clock(looker):
    """House time may jump by a day; only process time counts."""
    looker.for_s(10.0)
    slot = looker.world.system.directory.find("safety/beat")
    slot.last_progress_s = -86_400.0
    assert looker.for_s(10.0) == []


def test_a_crash_and_its_restart_are_no_complaint(looker):
    looker.for_s(10.0)
    looker.world.crash("safety/guard", "planning/planner")
    assert looker.for_s(20.0) == []


def test_a_vital_child_that_is_down_for_good_is_named_and_another_is_not(looker):
    looker.for_s(10.0)
    looker.world.system.terminate_child("planning", "planner")
    assert looker.for_s(20.0) == []
    looker.world.system.terminate_child("safety", "guard")
    assert looker.for_s(20.0)[0] == "safety/guard has been stopped for 12.0 s"


def test_a_vital_branch_that_is_missing_is_named(world):
    world.grow("alone")
    looker = Looker(world, Vital(("safety",)))
    assert looker.for_s(14.0)[0] == "safety has been gone for 12.0 s"


class HardOfHearing:
    """A system in which the questions to some supervisors are lost."""

    def __init__(self, system):
        self.system, self.deaf, self.absent, self.restarting = system, set(), set(), set()

    def tree(self):
        return [
            replace(each, state="restarting") if each.path in self.restarting else each
            for each in self.system.tree()
        ]

    def tell(self, path, message):
        if path in self.absent:
            return False
        return path in self.deaf or self.system.tell(path, message)


def test_a_supervisor_that_does_not_answer_is_named_until_it_was_replaced(looker):
    system = HardOfHearing(looker.world.system)
    looker.sound = Soundness(system, VITAL)
    assert looker.for_s(10.0) == []
    system.deaf.add("planning")
    found = looker.for_s(14.0)
    assert found[0] == "planning has not answered for 6.0 s"
    system.deaf.clear()
    looker.world.system.restart("planning")
    looker.world.settle()
    assert looker.for_s(10.0) == []


def test_a_supervisor_that_is_restarting_owes_no_answer(looker):
    system = HardOfHearing(looker.world.system)
    looker.sound = Soundness(system, VITAL)
    system.deaf.add("planning")
    assert looker.for_s(4.0) == []
    system.restarting.add("planning")
    assert looker.for_s(8.0) == []
    system.deaf.clear()
    system.restarting.clear()
    assert looker.for_s(10.0) == []


def test_a_question_that_finds_nobody_is_not_waited_for(looker):
    system = HardOfHearing(looker.world.system)
    looker.sound = Soundness(system, VITAL)
    system.absent.add("planning")
    assert looker.for_s(20.0) == []


def test_a_look_that_is_late_proves_nothing_and_the_next_one_counts(looker):
    looker.for_s(10.0)
    looker.world.runtime.run_for(8.0)
    looker.world.system.tell("safety/beat", Do(lambda _: None))
    looker.world.settle()
    assert looker.look() == "nobody has looked for 8.0 s"
    assert looker.for_s(10.0) == []
