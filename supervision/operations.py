"""What an operator may do to a living tree: look at it, change it, harm it in a drill.

Changes are calls to the supervisor concerned, answered when the work is done. For those outside the
tree; inside an actor they are refused, since an actor must not wait.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka

from supervision.administration import ChildInfo
from supervision.child_spec import AnySpec, ChildSpec, SupervisorSpec
from supervision.directory import ROOT, Directory, parent_of
from supervision.errors import AdministrationError, AskTimeout, NobodyThere
from supervision.future import Reply
from supervision.heartbeat import ChildStatus
from supervision.messages import (
    CycleChild,
    DeleteChild,
    InjectFault,
    Reconfigure,
    RestartChild,
    StartChild,
    TerminateChild,
    WhichChildren,
)

if TYPE_CHECKING:
    from supervision.faults import Fault
    from supervision.runtimes import Runtime


class Operations(ABC):
    """The operator's half of an `ActorSystem`."""

    runtime: Runtime
    directory: Directory
    drills: bool

    @abstractmethod
    def tell(self, path: str, message: object) -> bool:
        """Send by name; the system says how."""

    # Looking: reads what is published, waits for nobody.

    def tree(self) -> tuple[ChildStatus, ...]:
        """Show every actor and supervisor, depth first in start order."""
        process_s = self.runtime.process_s()
        return tuple(slot.status(process_s) for slot in self.directory.subtree(ROOT))

    def status(self, path: str) -> ChildStatus | None:
        """Show one actor or supervisor, None if there is none."""
        slot = self.directory.find(path)
        return None if slot is None else slot.status(self.runtime.process_s())

    def state_of(self, path: str) -> object:
        """State an actor had after its last message; None if it keeps none or is unknown."""
        slot = self.directory.find(path)
        if slot is None:
            return None
        return slot.snapshot if slot.life is None else slot.life.kept

    def get_child_spec(self, path: str) -> AnySpec:
        """Spec of the child at this path.

        Raises: NobodyThere if there is none.
        """
        slot = self.directory.find(path)
        if slot is None:
            raise NobodyThere(f"there is no child at {path!r}; the tree lists what there is")
        return slot.spec

    # Changing.

    def start_child(
        self, supervisor: str, what: AnySpec | tuple[object, ...], timeout_s: float = 10.0
    ) -> str | None:
        """Add a child and start it; its path, or None if it says there is nothing to run."""
        path = self._call(supervisor, partial(StartChild, what), timeout_s)
        return None if path is None else str(path)

    def terminate_child(self, supervisor: str, name: str, timeout_s: float = 10.0) -> None:
        """Stop a child and keep its spec (a temporary or dynamic child is forgotten)."""
        self._call(supervisor, partial(TerminateChild, name), timeout_s)

    def restart_child(self, supervisor: str, name: str, timeout_s: float = 10.0) -> None:
        """Start a stopped child again, without its old state."""
        self._call(supervisor, partial(RestartChild, name), timeout_s)

    def delete_child(self, supervisor: str, name: str, timeout_s: float = 10.0) -> None:
        """Forget the spec of a stopped child."""
        self._call(supervisor, partial(DeleteChild, name), timeout_s)

    def reconfigure(self, supervisor: str, spec: SupervisorSpec, timeout_s: float = 10.0) -> None:
        """Take over flags and child specs while running; running children go on untouched."""
        self._call(supervisor, partial(Reconfigure, spec), timeout_s)

    def which_children(self, supervisor: str, timeout_s: float = 2.0) -> tuple[ChildInfo, ...]:
        """List the children of a supervisor in start order; proves that it answers."""
        children = self._call(supervisor, WhichChildren, timeout_s)
        assert isinstance(children, tuple)
        return children

    def count_children(self, supervisor: str, timeout_s: float = 2.0) -> Mapping[str, int]:
        """Count specs, active children, and children by kind."""
        children = self.which_children(supervisor, timeout_s)
        return {
            "specs": len(children),
            "active": sum(child.state == "running" for child in children),
            "supervisors": sum(child.kind == "supervisor" for child in children),
            "actors": sum(child.kind == "actor" for child in children),
        }

    def restart(self, path: str) -> bool:
        """Ask for a child to be stopped and started again with its state; not waited for."""
        slot = self.directory.find(path)
        if slot is None or path == ROOT:
            return False
        return self.tell(parent_of(path), CycleChild(slot.spec.name))

    def _call(self, supervisor: str, call: Callable[[Reply], object], timeout_s: float) -> Any:
        self._refuse_inside("call a supervisor")
        slot = self.directory.find(supervisor)
        if slot is None or isinstance(slot.spec, ChildSpec):
            raise AdministrationError("not_found", f"there is no supervisor at {supervisor!r}")
        reply = Reply()
        if not self.runtime.post(slot, call(reply)):
            raise AdministrationError("stopping", f"{supervisor} does not run")
        return self._wait(reply, timeout_s, f"{supervisor} did not finish the call")

    def _refuse_inside(self, what: str) -> None:
        if self.runtime.inside_actor():
            raise RuntimeError(f"an actor must not {what} and wait; tell, and handle the reply")

    def _wait(self, reply: Reply, timeout_s: float, what: str) -> Any:
        try:
            return self.runtime.wait(reply, timeout_s)
        except pykka.Timeout:
            raise AskTimeout(f"{what} within {timeout_s:g} s") from None

    # Harming.

    def inject(self, path: str, fault: Fault) -> None:
        """Put a fault into an actor.

        Raises: PermissionError unless the system was made with drills=True; NobodyThere.
        """
        if not self.drills:
            raise PermissionError("faults are injected only in a system made with drills=True")
        if not self.tell(path, InjectFault(fault)):
            raise NobodyThere(f"there is no actor at {path!r} to harm; the tree shows who is")
