"""The calls of an operator to a supervisor: add, stop, start, delete, reconfigure, list.

Every call is answered, with a result or an AdministrationError that says why not. Works on the
supervisor's children and leaves the doing to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from supervision.child import Child
from supervision.child_spec import (
    AnySpec,
    ChildSpec,
    Restart,
    Strategy,
    SupervisorSpec,
    check_child_of,
)
from supervision.errors import AdministrationError, SpecError
from supervision.messages import (
    DeleteChild,
    Reconfigure,
    RestartChild,
    StartChild,
    TerminateChild,
    WhichChildren,
)
from supervision.sequence import Phase

if TYPE_CHECKING:
    from supervision.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One line of `which_children`. state: running, restarting or stopped."""

    name: str
    path: str
    kind: str
    state: str
    restart: Restart


def answer(supervisor: Supervisor, call: Any) -> None:
    """Do what is asked, or refuse it with the reason."""
    try:
        _CALLS[type(call)](supervisor, call)
    except AdministrationError as error:
        call.reply.refuse(error)


def start_done(child: Child, path: str | None) -> None:
    """Answer the operator who waits for a start; None: it says there is nothing to run."""
    reply, child.starting = child.starting, None
    child.added_now = False
    if reply is not None:
        reply.set(path)


def start_failed(child: Child, reason: str) -> None:
    """Tell the operator who waits for a start that it failed."""
    _refuse_start(child, "start_failed", f"child {child.name} did not start: {reason}")


def start_refused(child: Child, reason: str) -> None:
    """Tell the operator who waits for a start, if there is one, that the branch ends."""
    _refuse_start(child, "stopping", f"the branch of {child.name} ends: {reason}")


def _refuse_start(child: Child, code: str, text: str) -> None:
    reply, child.starting = child.starting, None
    if reply is not None:
        reply.refuse(AdministrationError(code, text))


def _start(supervisor: Supervisor, call: StartChild) -> None:
    _refuse_while_stopping(supervisor)
    spec = _spec_to_start(supervisor, call.what)
    present = supervisor.children.get(spec.name)
    if present is not None:
        code = "running" if present.running else "already_present"
        raise AdministrationError(code, f"there is a child {spec.name} ({_state(present)})")
    child = supervisor.nursery.adopt(spec)
    child.starting, child.added_now = call.reply, True


def _spec_to_start(supervisor: Supervisor, what: object) -> AnySpec:
    if isinstance(what, tuple):
        return _from_template(supervisor, what)
    try:
        check_child_of(supervisor.spec, what)
    except SpecError as error:
        raise AdministrationError("bad_spec", str(error)) from error
    assert isinstance(what, ChildSpec | SupervisorSpec)
    return what


def _from_template(supervisor: Supervisor, arguments: tuple[object, ...]) -> ChildSpec:
    children = supervisor.spec.children
    template = children[0] if children else None
    if supervisor.spec.strategy is not Strategy.DYNAMIC or not isinstance(template, ChildSpec):
        raise AdministrationError(
            "bad_spec",
            f"{supervisor.path} has no template for arguments; give a ChildSpec to start_child",
        )
    if not isinstance(template.args, tuple):
        raise AdministrationError("bad_spec", "the template's args must be a tuple to add to")
    name = f"{template.name}-{supervisor.nursery.next_number()}"
    return replace(template, name=name, args=(*template.args, *arguments))


def _terminate(supervisor: Supervisor, call: TerminateChild) -> None:
    child = _child(supervisor, call.name)
    child.wanted = False
    child.waiting = child.parked = child.settled = False
    if child.phase is Phase.DOWN:
        supervisor.lay_to_rest(child)
        call.reply.set(None)
        return
    child.must_stop = True
    child.stopping.append(call.reply)
    supervisor.nursery.touch(child)


def _restart(supervisor: Supervisor, call: RestartChild) -> None:
    child = _stopped_child(supervisor, call.name)
    child.wanted = True
    child.starting = call.reply
    supervisor.nursery.reopen(child)


def _delete(supervisor: Supervisor, call: DeleteChild) -> None:
    supervisor.forget(_stopped_child(supervisor, call.name))
    call.reply.set(None)


def _reconfigure(supervisor: Supervisor, call: Reconfigure) -> None:
    _refuse_while_stopping(supervisor)
    spec = call.spec
    if not isinstance(spec, SupervisorSpec) or spec.name != supervisor.spec.name:
        raise AdministrationError("bad_spec", f"{supervisor.path}: give a SupervisorSpec for it")
    if (spec.strategy is Strategy.DYNAMIC) != (supervisor.spec.strategy is Strategy.DYNAMIC):
        raise AdministrationError("bad_spec", "a dynamic supervisor stays one, others never turn")
    supervisor.spec = spec
    supervisor.ledger = supervisor.ledger.with_limits(spec.intensity, spec.period_s)
    if spec.strategy is not Strategy.DYNAMIC:
        _take_over_children(supervisor, spec)
    call.reply.set(None)


def _take_over_children(supervisor: Supervisor, spec: SupervisorSpec) -> None:
    """New specs count from the next start; new children are kept down until asked for."""
    for new in spec.children:
        child = supervisor.children.get(new.name)
        if child is None:
            supervisor.lay_to_rest(supervisor.nursery.adopt(new))
        else:
            supervisor.nursery.respecify(child, new)


def _which(supervisor: Supervisor, call: WhichChildren) -> None:
    call.reply.set(tuple(map(_info, supervisor.children.values())))


def _info(child: Child) -> ChildInfo:
    return ChildInfo(
        child.name, child.slot.path, child.slot.kind, _state(child), child.spec.restart
    )


def _state(child: Child) -> str:
    if child.phase is not Phase.DOWN:
        return "running"
    return "restarting" if child.wanted else "stopped"


def _child(supervisor: Supervisor, name: str) -> Child:
    child = supervisor.children.get(name)
    if child is None:
        raise AdministrationError("not_found", f"{supervisor.path} has no child {name!r}")
    return child


def _stopped_child(supervisor: Supervisor, name: str) -> Child:
    _refuse_while_stopping(supervisor)
    if supervisor.spec.strategy is Strategy.DYNAMIC:
        raise AdministrationError(
            "dynamic", "children of a dynamic supervisor are forgotten when they end; add a new one"
        )
    child = _child(supervisor, name)
    state = _state(child)
    if state != "stopped":
        raise AdministrationError(state, f"child {name} is {state}; terminate it first")
    return child


def _refuse_while_stopping(supervisor: Supervisor) -> None:
    if supervisor.stopping:
        raise AdministrationError("stopping", f"{supervisor.path} is ending")


_CALLS: dict[type, Any] = {
    StartChild: _start,
    TerminateChild: _terminate,
    RestartChild: _restart,
    DeleteChild: _delete,
    Reconfigure: _reconfigure,
    WhichChildren: _which,
}
