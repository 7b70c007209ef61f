"""Which ends bring a child back, and which end its branch (OTP's cases 43 to 61)."""

import pytest
from kit import Do, branch, raise_

from supervision import AutoShutdown, Restart, Shutdown, Strategy
from supervision.events import ChildEnded, ChildFailed, Escalated

NORMAL = Do(lambda me: me.stop())
SHUTDOWN = Do(lambda _: raise_(Shutdown("the lease is over")))
ABNORMAL = Do(lambda _: raise_(ValueError("boom")))

PERMANENT, TRANSIENT, TEMPORARY = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY
RESTARTED, KEPT, FORGOTTEN = "restarted", "kept", "forgotten"


def fate(world, restart, end):
    """What becomes of a child with this restart type after this end."""
    world.grow(world.puppet("a", restart=restart), "b")
    world.system.tell("a", end)
    world.runtime.run_for(5.0)
    assert world.states["b"] == "running"
    if "a" not in world.states:
        return FORGOTTEN
    return {"running": RESTARTED, "stopped": KEPT}[world.states["a"]]


@pytest.mark.parametrize(
    ("restart", "expected"), [(PERMANENT, RESTARTED), (TRANSIENT, KEPT), (TEMPORARY, FORGOTTEN)]
)
def test_fate_after_a_normal_end(world, restart, expected):
    assert fate(world, restart, NORMAL) == expected
    assert [event.kind for event in world.told(ChildEnded)] == ["normal"]


@pytest.mark.parametrize(
    ("restart", "expected"), [(PERMANENT, RESTARTED), (TRANSIENT, KEPT), (TEMPORARY, FORGOTTEN)]
)
def test_fate_after_a_shutdown_with_a_reason(world, restart, expected):
    assert fate(world, restart, SHUTDOWN) == expected
    (event,) = world.told(ChildEnded)
    assert (event.kind, event.reason) == ("shutdown", "the lease is over")


@pytest.mark.parametrize(
    ("restart", "expected"),
    [(PERMANENT, RESTARTED), (TRANSIENT, RESTARTED), (TEMPORARY, FORGOTTEN)],
)
def test_fate_after_a_failure(world, restart, expected):
    assert fate(world, restart, ABNORMAL) == expected
    assert len(world.told(ChildFailed)) == 1


def test_an_application_whose_child_keeps_failing_ends_with_the_reason(world):
    system = world.grow("a", intensity=0)
    system.tell("a", ABNORMAL)
    assert system.join(1.0) == (
        "more than 0 restarts in 60 s, the last one for child a: ValueError: boom"
    )
    assert world.told(Escalated)[-1].path == "root"


def significant_branch(world, rule, *children, **options):
    """A branch whose end can be seen: its parent forgets it."""
    spec = branch("sub", *children, auto_shutdown=rule, restart=TEMPORARY, **options)
    world.grow(spec, "bystander")
    return world.system


def sub_has_ended(world):
    world.runtime.run_for(5.0)
    assert world.states["bystander"] == "running"
    return "sub" not in world.states


ANY, EVERY = AutoShutdown.ANY_SIGNIFICANT, AutoShutdown.ALL_SIGNIFICANT


@pytest.mark.parametrize("rule", [ANY, EVERY])
@pytest.mark.parametrize("end", [NORMAL, SHUTDOWN, ABNORMAL])
def test_a_temporary_child_without_significance_ends_nothing(world, rule, end):
    system = significant_branch(world, rule, world.puppet("a", restart=TEMPORARY))
    system.tell("sub/a", end)
    assert not sub_has_ended(world)


@pytest.mark.parametrize("rule", [ANY, EVERY])
@pytest.mark.parametrize("end", [NORMAL, SHUTDOWN, ABNORMAL])
def test_a_transient_child_without_significance_ends_nothing(world, rule, end):
    system = significant_branch(world, rule, world.puppet("a", restart=TRANSIENT))
    system.tell("sub/a", end)
    assert not sub_has_ended(world)


@pytest.mark.parametrize("end", [NORMAL, SHUTDOWN, ABNORMAL])
def test_a_significant_temporary_child_ends_its_branch(world, end):
    child = world.puppet("a", restart=TEMPORARY, significant=True)
    system = significant_branch(world, ANY, child, world.puppet("b"))
    system.tell("sub/a", end)
    assert sub_has_ended(world)
    assert "sub/b" in world.stops()


@pytest.mark.parametrize(("end", "ends"), [(NORMAL, True), (SHUTDOWN, True), (ABNORMAL, False)])
def test_a_significant_transient_child_ends_its_branch_unless_it_failed(world, end, ends):
    child = world.puppet("a", restart=TRANSIENT, significant=True)
    system = significant_branch(world, ANY, child)
    system.tell("sub/a", end)
    assert sub_has_ended(world) is ends


def test_a_significant_dynamic_child_ends_its_branch(world):
    child = world.puppet("a", restart=TEMPORARY, significant=True)
    system = significant_branch(world, ANY, child, strategy=Strategy.DYNAMIC)
    system.start_child("sub", ())
    system.tell("sub/a-1", NORMAL)
    assert sub_has_ended(world)


def test_the_last_of_several_significant_children_ends_the_branch(world):
    children = [world.puppet(n, restart=TRANSIENT, significant=True) for n in ("a", "b")]
    system = significant_branch(world, EVERY, *children, world.puppet("c"))
    system.tell("sub/a", NORMAL)
    assert not sub_has_ended(world)
    system.tell("sub/b", NORMAL)
    assert sub_has_ended(world)


def test_a_significant_child_stopped_by_hand_or_with_its_siblings_ends_nothing(world):
    child = world.puppet("a", restart=TEMPORARY, significant=True)
    bystander = world.puppet("b", restart=TRANSIENT, significant=True)
    system = significant_branch(
        world, ANY, child, bystander, world.puppet("c"), strategy=Strategy.ONE_FOR_ALL
    )
    system.tell("sub/c", ABNORMAL)
    assert not sub_has_ended(world)
    assert "sub/a" not in world.states
    system.terminate_child("sub", "b")
    assert not sub_has_ended(world)


def test_a_significant_child_that_uses_up_its_restarts_escalates_instead(world):
    child = world.puppet("a", restart=TRANSIENT, significant=True)
    system = significant_branch(world, ANY, child, intensity=0)
    system.tell("sub/a", ABNORMAL)
    assert sub_has_ended(world)
    assert [event.path for event in world.told(Escalated)] == ["sub"]


def test_a_significant_branch_ends_the_branch_above(world):
    inner = branch(
        "inner",
        world.puppet("a", restart=TRANSIENT, significant=True),
        auto_shutdown=ANY,
        restart=TRANSIENT,
        significant=True,
    )
    system = significant_branch(world, EVERY, inner)
    system.tell("sub/inner/a", NORMAL)
    assert sub_has_ended(world)
