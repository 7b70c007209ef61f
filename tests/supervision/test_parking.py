"""Children the house can do without rest when restarting does not help, and are tried again."""

import pytest
from kit import Do, Note, branch, raise_

from supervision import Backoff, Park, Strategy
from supervision.events import (
    ChildFailed,
    ChildParked,
    ChildUnparked,
    DeadLetter,
    Escalated,
    IncidentClosed,
    IncidentOpened,
)

SICK = []


@pytest.fixture(autouse=True)
def healthy():
    SICK.clear()


def fail_while_sick(_):
    if SICK:
        raise OSError("no weather today")


def sicken(world, path, times):
    SICK.append(True)
    for _ in range(times):
        world.system.tell(path, Do(lambda _: raise_(ValueError("boom"))))
        world.runtime.run_for(1.5)


def test_a_child_that_keeps_failing_is_parked_and_its_supervisor_goes_on(world):
    system = world.grow(
        world.puppet("pv", fail_while_sick, when_exhausted=Park(), intensity=2), "room", intensity=0
    )
    sicken(world, "pv", 1)
    world.runtime.run_for(10.0)
    assert world.states == {"root": "running", "pv": "fallback", "room": "running"}
    assert "no weather today" in world.system.status("pv").reason
    assert [event.retry_s for event in world.told(ChildParked)] == [300.0]
    assert world.told(Escalated) == []
    assert not system.tell("pv", Note("anybody?"))
    assert [event.path for event in world.told(DeadLetter)] == ["pv"]


def test_a_parked_child_is_tried_every_five_minutes_within_one_incident(world):
    world.grow(world.puppet("pv", fail_while_sick, when_exhausted=Park(), intensity=1))
    sicken(world, "pv", 1)
    world.runtime.run_for(1000.0)
    assert world.states["pv"] == "fallback"
    assert len(world.told(ChildFailed)) == 2 + 3
    assert len(world.told(ChildParked)) == 1
    SICK.clear()
    world.runtime.run_for(300.0)
    assert world.states["pv"] == "running"
    assert len(world.told(ChildUnparked)) == 1
    (opened,), (closed,) = world.told(IncidentOpened), world.told(IncidentClosed)
    assert (opened.id, opened.start_s) == (closed.id, closed.start_s)
    assert closed.end_s == 1200.0
    assert "boom" in closed.cause


def test_a_branch_that_used_up_its_restarts_is_parked_with_all_under_it(world):
    system = world.grow(
        "room",
        branch(
            "forecasting",
            world.puppet("pv", fail_while_sick),
            world.puppet("load"),
            when_exhausted=Park(),
            intensity=2,
        ),
        intensity=0,
    )
    sicken(world, "forecasting/pv", 1)
    world.runtime.run_for(5.0)
    assert world.states == {
        "root": "running",
        "room": "running",
        "forecasting": "fallback",
        "forecasting/pv": "fallback",
        "forecasting/load": "fallback",
    }
    assert [event.path for event in world.told(Escalated)] == ["forecasting"]
    assert not system.tell("forecasting/load", Note("anybody?"))
    open_incidents = {e.id for e in world.told(IncidentOpened)} - {
        e.id for e in world.told(IncidentClosed)
    }
    assert open_incidents == {"forecasting@1"}
    SICK.clear()
    world.runtime.run_for(300.0)
    assert set(world.states.values()) == {"running"}
    assert system.counters()["parked"] == 1


def test_a_parked_branch_stays_parked_while_it_cannot_boot(world):
    world.grow(
        branch(
            "forecasting",
            world.puppet("pv", fail_while_sick),
            when_exhausted=Park(retry_s=50.0),
            intensity=1,
        ),
        intensity=0,
    )
    sicken(world, "forecasting/pv", 1)
    world.runtime.run_for(500.0)
    assert world.states["forecasting"] == "fallback"
    assert len(world.told(ChildParked)) == 1


def test_a_child_that_may_be_parked_never_holds_up_the_boot(world):
    SICK.append(True)
    backoff = Backoff(first_s=1.0, max_s=10.0)
    world.grow(
        world.puppet("pv", fail_while_sick, when_exhausted=Park(), backoff=backoff),
        branch("forecasting", world.puppet("x", fail_while_sick), when_exhausted=Park()),
        "room",
    )
    assert world.states["room"] == "running"
    assert world.runtime.now_s() == 0.0
    SICK.clear()
    world.runtime.run_for(5.0)
    assert set(world.states.values()) == {"running"}


def test_after_its_return_a_child_has_its_full_budget_again(world):
    world.grow(world.puppet("pv", fail_while_sick, when_exhausted=Park(10.0), intensity=1))
    sicken(world, "pv", 1)
    SICK.clear()
    world.runtime.run_for(20.0)
    world.crash("pv")
    assert world.states["pv"] == "running"
    assert len(world.told(ChildParked)) == 1


def test_a_parked_child_returns_at_once_when_an_operator_wishes(world):
    system = world.grow(world.puppet("pv", fail_while_sick, when_exhausted=Park(), intensity=0))
    sicken(world, "pv", 1)
    assert world.states["pv"] == "fallback"
    SICK.clear()
    system.restart("pv")
    world.settle()
    assert world.states["pv"] == "running"


def test_a_parked_child_can_be_stopped_by_hand(world):
    system = world.grow(world.puppet("pv", fail_while_sick, when_exhausted=Park(), intensity=0))
    sicken(world, "pv", 1)
    system.terminate_child("root", "pv")
    world.runtime.run_for(1000.0)
    assert world.states["pv"] == "stopped"
    assert len(world.told(IncidentClosed)) == len(world.told(IncidentOpened)) == 1


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
def test_siblings_go_on_without_a_parked_child(world, strategy):
    world.grow(
        world.puppet("a", fail_while_sick, when_exhausted=Park(), intensity=1),
        "b",
        strategy=strategy,
        intensity=0,
    )
    sicken(world, "a", 1)
    world.runtime.run_for(5.0)
    assert world.states == {"root": "running", "a": "fallback", "b": "running"}


def test_a_parked_child_starts_without_its_old_state(world):
    system = world.grow(world.puppet("pv", fail_while_sick, when_exhausted=Park(10.0), intensity=0))
    system.tell("pv", Note("perhaps the culprit"))
    world.settle()
    sicken(world, "pv", 1)
    SICK.clear()
    world.runtime.run_for(20.0)
    assert world.recall("pv") == ()
