"""Changing a living tree by hand, as OTP's own suite asks for (cases 23 to 29, 62 to 86)."""

import pytest
from kit import Do, Note, Puppet, branch, respecified

from supervision import (
    AdministrationError,
    AskTimeout,
    AutoShutdown,
    Backoff,
    ChildSpec,
    Fault,
    FaultKind,
    MailboxSpec,
    NobodyThere,
    Park,
    Restart,
    SpecError,
    Strategy,
    SupervisorSpec,
)


def code_of(call, *arguments):
    with pytest.raises(AdministrationError) as refused:
        call(*arguments)
    return refused.value.code


def test_every_call_in_every_state_of_a_child_has_its_answer(world):
    system = world.grow("a")
    other = world.puppet("b")
    # running
    assert code_of(system.start_child, "root", world.puppet("a")) == "running"
    assert code_of(system.restart_child, "root", "a") == "running"
    assert code_of(system.delete_child, "root", "a") == "running"
    # stopped
    system.terminate_child("root", "a")
    assert code_of(system.start_child, "root", world.puppet("a")) == "already_present"
    system.terminate_child("root", "a")
    system.restart_child("root", "a")
    # gone
    system.terminate_child("root", "a")
    system.delete_child("root", "a")
    assert code_of(system.terminate_child, "root", "a") == "not_found"
    assert code_of(system.restart_child, "root", "a") == "not_found"
    assert code_of(system.delete_child, "root", "a") == "not_found"
    # added
    assert system.start_child("root", other) == "b"
    assert code_of(system.start_child, "root", other) == "running"
    assert world.starts() == ["a", "a", "b"]


def test_a_child_that_waits_for_its_restart_has_its_answers(world):
    system = world.grow("a")
    world.crash("a", "a")
    assert world.states["a"] == "restarting"
    assert code_of(system.start_child, "root", world.puppet("a")) == "already_present"
    assert code_of(system.restart_child, "root", "a") == "restarting"
    assert code_of(system.delete_child, "root", "a") == "restarting"
    system.terminate_child("root", "a")
    world.runtime.run_for(10.0)
    assert world.states["a"] == "stopped"


def test_dynamic_children_are_ended_by_name_and_never_restarted_by_hand(world):
    system = world.grow(world.puppet("room"), strategy=Strategy.DYNAMIC)
    assert system.start_child("root", ("obyvak",)) == "room-1"
    assert system.start_child("root", world.puppet("guest")) == "guest"
    assert code_of(system.start_child, "root", world.puppet("guest")) == "running"
    assert code_of(system.restart_child, "root", "room-1") == "dynamic"
    assert code_of(system.delete_child, "root", "room-1") == "dynamic"
    system.terminate_child("root", "room-1")
    assert code_of(system.terminate_child, "root", "room-1") == "not_found"
    assert set(world.states) == {"root", "guest"}


def test_arguments_alone_need_a_template(world):
    system = world.grow("a")
    assert code_of(system.start_child, "root", ("x",)) == "bad_spec"


def test_arguments_are_added_to_a_tuple_only(world):
    template = world.puppet("room", args={"name": "obyvak"})
    system = world.grow(template, strategy=Strategy.DYNAMIC)
    assert code_of(system.start_child, "root", ("x",)) == "bad_spec"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": ""}, "must be text"),
        ({"name": "a/b"}, "must be text"),
        ({"name": 3}, "must be text"),
        ({"factory": "a"}, "not callable"),
        ({"restart": "permanent"}, "restart is 'permanent'"),
        ({"when_exhausted": None}, "when_exhausted is None"),
        ({"intensity": -1}, "intensity >= 0"),
        ({"period_s": 0.0}, "period_s > 0"),
        ({"shutdown_s": -1.0}, "shutdown_s must be 0 or more"),
        ({"deadline_s": 0.0}, "deadline_s must be above 0"),
        ({"significant": True}, "cannot be significant"),
    ],
)
def test_a_faulty_child_is_rejected_with_its_reason(change, reason):
    good = ChildSpec("a", Puppet)
    with pytest.raises(SpecError, match=reason):
        respecified(good, **change)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: MailboxSpec(bound=0), "at least 1"),
        (lambda: Backoff(first_s=2.0, max_s=1.0), "must rise"),
        (lambda: Backoff(factor=0.5), "factor >= 1"),
        (lambda: Park(retry_s=0.0), "more than 0"),
    ],
)
def test_a_faulty_part_of_a_spec_is_rejected_with_its_reason(make, reason):
    with pytest.raises(SpecError, match=reason):
        make()


A, B = ChildSpec("a", Puppet), ChildSpec("b", Puppet)
SIGNIFICANT = ChildSpec("a", Puppet, restart=Restart.TRANSIENT, significant=True)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"strategy": "one_for_one"}, "not of its kind"),
        ({"auto_shutdown": "never"}, "not of its kind"),
        ({"intensity": -1}, "intensity >= 0"),
        ({"period_s": -5.0}, "period_s > 0"),
        ({"children": (A, A)}, "two children are called 'a'"),
        ({"children": (A, 3)}, "no ChildSpec"),
        ({"children": (SIGNIFICANT,)}, "auto_shutdown is never"),
        ({"strategy": Strategy.DYNAMIC, "children": (A, B)}, "at most one child spec"),
    ],
)
def test_faulty_flags_of_a_supervisor_are_rejected_with_their_reason(flags, reason):
    with pytest.raises(SpecError, match=reason):
        SupervisorSpec("root", **flags)


def test_a_faulty_child_is_not_added_to_a_living_tree(world):
    system = world.grow("a")
    assert code_of(system.start_child, "root", SIGNIFICANT) == "bad_spec"
    assert code_of(system.start_child, "root", "b") == "bad_spec"


def test_restarts_below_the_limit_leave_a_healthy_tree(world):
    world.grow("a", "b", intensity=3)
    for _ in range(3):
        world.crash("a")
        world.runtime.run_for(1.0)
    assert world.epochs == {"root": 1, "a": 4, "b": 1}
    assert set(world.states.values()) == {"running"}


RULES = list(AutoShutdown)


@pytest.mark.parametrize(("before", "after"), [(x, y) for x in RULES for y in RULES if x is not y])
def test_auto_shutdown_can_be_changed_while_running(world, before, after):
    def spec(rule):
        significant = rule is not AutoShutdown.NEVER
        children = [
            world.puppet(name, restart=Restart.TRANSIENT, significant=significant)
            for name in ("a", "b")
        ]
        return branch("sub", *children, auto_shutdown=rule, restart=Restart.TEMPORARY)

    system = world.grow(spec(before))
    system.reconfigure("sub", spec(after))
    system.tell("sub/a", "unknown")
    system.ask("sub/a", _end_normally())
    world.settle()
    if after is AutoShutdown.ANY_SIGNIFICANT:
        assert "sub" not in world.states
    else:
        assert world.states["sub/a"] == "stopped"
        assert world.states["sub"] == "running"
        system.ask("sub/b", _end_normally())
        world.settle()
        ended = "sub" not in world.states
        assert ended is (after is AutoShutdown.ALL_SIGNIFICANT)


def _end_normally():
    return Do(lambda me: me.stop())


@pytest.mark.parametrize("significant", [True, False])
def test_the_significance_of_a_child_can_be_changed_while_running(world, significant):
    def spec(flag):
        child = world.puppet("a", restart=Restart.TRANSIENT, significant=flag)
        rule = AutoShutdown.ANY_SIGNIFICANT
        return branch("sub", child, auto_shutdown=rule, restart=Restart.TEMPORARY)

    system = world.grow(spec(not significant))
    system.reconfigure("sub", spec(significant))
    system.ask("sub/a", _end_normally())
    world.settle()
    assert ("sub" not in world.states) is significant


def test_children_are_counted_right(world):
    system = world.grow("a", branch("sub", world.puppet("b")), "c")
    system.terminate_child("root", "c")
    counts = {"specs": 3, "active": 2, "supervisors": 1, "actors": 2}
    assert system.count_children("root") == counts


def test_a_restarting_child_is_counted_as_not_active(world):
    system = world.grow("a", "b")
    world.crash("a", "a")
    assert system.count_children("root")["active"] == 1
    assert [child.state for child in system.which_children("root")] == ["restarting", "running"]


def test_a_restarting_branch_is_counted_as_not_active(world):
    ill = []
    leaf = world.puppet("b", lambda _: 1 / 0 if ill else None)
    system = world.grow(branch("sub", leaf), "c", intensity=100)
    ill.append(True)
    system.inject("sub", Fault(FaultKind.CRASH))
    world.runtime.run_for(0.05)
    counts = system.count_children("root")
    assert (counts["active"], counts["supervisors"]) == (1, 1)


def test_the_spec_of_a_branch_can_be_asked_for(world):
    sub = branch("sub", world.puppet("b"))
    system = world.grow(sub)
    assert system.get_child_spec("sub") is sub
    with pytest.raises(NobodyThere, match="no child at 'nowhere'"):
        system.get_child_spec("nowhere")


def reconfigured(world, before, after):
    system = world.grow(before)
    epochs = world.epochs
    system.reconfigure("sub", after)
    assert epochs.items() <= world.epochs.items()
    return system


def test_the_limits_can_be_changed_while_running(world):
    system = reconfigured(
        world,
        branch("sub", world.puppet("a"), intensity=0),
        branch("sub", world.puppet("a"), intensity=2),
    )
    world.crash("sub/a")
    world.runtime.run_for(1.0)
    assert (world.epochs["sub"], world.epochs["sub/a"]) == (1, 2)
    assert system.verdict is None


def test_the_strategy_can_be_changed_while_running(world):
    children = (world.puppet("a"), world.puppet("b"))
    reconfigured(
        world, branch("sub", *children), branch("sub", *children, strategy=Strategy.ONE_FOR_ALL)
    )
    world.crash("sub/a")
    assert (world.epochs["sub/a"], world.epochs["sub/b"]) == (2, 2)


def test_a_child_spec_changed_while_running_counts_from_the_next_start(world):
    system = reconfigured(
        world,
        branch("sub", world.puppet("a", restart=Restart.TEMPORARY)),
        branch("sub", ChildSpec("a", lambda context: Puppet(context, log=["new"]))),
    )
    world.crash("sub/a")
    assert system.ask("sub/a", Do(lambda me: me.log[0])) == "new"


def test_a_bound_changed_while_running_counts_from_the_next_start(world):
    def spec(bound):
        return branch("sub", world.puppet("a", mailbox=MailboxSpec(bound)))

    system = reconfigured(world, spec(100), spec(2))
    system.restart("sub/a")
    world.settle()
    for number in range(10):
        system.tell("sub/a", Note(number))
    assert system.status("sub/a").mailbox == 2


def test_a_child_new_in_a_changed_configuration_is_kept_down_until_asked_for(world):
    system = reconfigured(world, branch("sub", world.puppet("a")), branch("sub", world.puppet("b")))
    assert (world.states["sub/a"], world.states["sub/b"]) == ("running", "stopped")
    system.restart_child("sub", "b")
    assert world.states["sub/b"] == "running"


def test_a_branch_in_a_changed_configuration_is_built_by_its_new_spec(world):
    inner = branch("inner", world.puppet("a"))
    system = reconfigured(
        world,
        branch("sub", inner),
        branch("sub", branch("inner", world.puppet("a"), world.puppet("b"))),
    )
    system.restart("sub/inner")
    world.settle()
    assert world.states["sub/inner/b"] == "running"


@pytest.mark.parametrize(
    "wrong", [branch("other"), branch("sub", strategy=Strategy.DYNAMIC), "no spec"]
)
def test_a_configuration_of_another_kind_is_refused_and_changes_nothing(world, wrong):
    system = world.grow(branch("sub", world.puppet("a")))
    assert code_of(system.reconfigure, "sub", wrong) == "bad_spec"
    assert system.get_child_spec("sub").strategy is Strategy.ONE_FOR_ONE


def test_a_dynamic_branch_takes_new_limits(world):
    system = world.grow(branch("sub", strategy=Strategy.DYNAMIC))
    system.reconfigure("sub", branch("sub", strategy=Strategy.DYNAMIC, intensity=9))
    system.start_child("sub", world.puppet("a", intensity=99))
    for _ in range(8):
        world.crash("sub/a")
        world.runtime.run_for(7.0)
    assert world.epochs["sub"] == 1


def test_children_stay_in_start_order_through_deletes_and_additions(world):
    system = world.grow("a", "b", "c")
    system.terminate_child("root", "b")
    system.delete_child("root", "b")
    system.start_child("root", world.puppet("d"))
    system.start_child("root", world.puppet("b"))
    assert [child.name for child in system.which_children("root")] == ["a", "c", "d", "b"]
    world.log.clear()
    system.stop()
    assert world.stops() == ["b", "d", "c", "a"]


def test_bad_calls_do_not_harm_the_table(world):
    system = world.grow("a", branch("sub", strategy=Strategy.DYNAMIC))
    before = system.which_children("root"), system.which_children("sub")
    for call in (system.terminate_child, system.restart_child, system.delete_child):
        for parent in ("root", "sub"):
            with pytest.raises(AdministrationError):
                call(parent, "nobody")
    for parent in ("root", "sub"):
        system.tell(parent, "nonsense")
    world.settle()
    assert (system.which_children("root"), system.which_children("sub")) == before
    assert system.counters()["unexpected"] == 2


def test_a_call_to_somebody_who_is_no_supervisor_is_refused(world):
    system = world.grow("a")
    assert code_of(system.which_children, "a") == "not_found"
    assert code_of(system.which_children, "nowhere") == "not_found"


def test_a_call_to_a_branch_that_does_not_run_is_refused(world):
    system = world.grow(branch("sub", world.puppet("a")))
    system.terminate_child("root", "sub")
    assert code_of(system.which_children, "sub") == "stopping"


def test_a_call_to_a_branch_that_is_ending_is_refused(world):
    def sleep(me):
        me.context.system.runtime.stall(me.context.life, 5.0, burn=False)

    system = world.grow(branch("sub", world.puppet("a", deadline_s=None, shutdown_s=None)), "b")
    system.tell("sub/a", Do(sleep))
    world.settle()
    with pytest.raises(AskTimeout):
        system.terminate_child("root", "sub", 1.0)
    assert code_of(system.start_child, "sub", world.puppet("x")) == "stopping"
    assert code_of(system.restart_child, "sub", "a") == "stopping"
    system.terminate_child("sub", "a")
    world.runtime.run_for(1.0)
    assert world.states["sub"] == "stopped"


def test_a_start_by_hand_in_a_branch_that_ends_is_answered(world):
    def sleep(me):
        me.context.system.runtime.stall(me.context.life, 5.0, burn=False)

    slow = world.puppet("slow", sleep, deadline_s=None, shutdown_s=1.0)
    system = world.grow(branch("sub", world.puppet("a")))
    with pytest.raises(AskTimeout):
        system.start_child("sub", slow, 1.0)
    system.terminate_child("root", "sub")
    assert world.states["sub"] == "stopped"


def test_an_operator_restarts_a_child_with_its_state_and_without_blame(world):
    system = world.grow("a", "b", intensity=0)
    system.tell("a", Note("kept"))
    assert system.restart("a")
    world.settle()
    assert world.recall("a") == ("kept",)
    assert world.epochs == {"root": 1, "a": 2, "b": 1}
    assert not system.restart("nowhere")
    assert not system.restart("root")


def test_an_operator_may_cut_a_delay_short(world):
    system = world.grow("a")
    world.crash("a", "a")
    assert world.states["a"] == "restarting"
    system.restart("a")
    world.settle()
    assert world.states["a"] == "running"


def test_a_child_that_was_stopped_by_hand_starts_afresh(world):
    system = world.grow("a")
    system.tell("a", Note("old"))
    system.terminate_child("root", "a")
    system.restart_child("root", "a")
    assert world.recall("a") == ()


def test_a_handler_may_not_call_a_supervisor_and_wait(world):
    system = world.grow("a")
    with pytest.raises(RuntimeError, match="tell, and handle the reply"):
        system.ask("a", Do(lambda me: me.context.system.which_children("root")))
    world.settle()
