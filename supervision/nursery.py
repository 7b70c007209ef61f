"""A supervisor's hands: adopts, starts, stops and forgets children, and shows how they are.

It decides nothing: the supervisor says which child, this is how. Every change marks the child as
touched, so that the supervisor looks at it when it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from supervision.child import Child
from supervision.child_spec import AnySpec, ChildSpec, Factory
from supervision.chronicle import Chronicle
from supervision.directory import Slot, child_path
from supervision.messages import ChildIsOver, RestartDue, StopActor, StopOverdue
from supervision.policy import Exit
from supervision.sequence import Phase

if TYPE_CHECKING:
    from supervision.supervisor import Supervisor

MakeBranch = Callable[[AnySpec], Factory]


class Nursery:
    """The children of one supervisor."""

    def __init__(self, owner: Supervisor, slot: Slot, make_branch: MakeBranch) -> None:
        system = owner.context.system
        self.children: dict[str, Child] = {}
        self.touched: dict[str, Child] = {}
        self.lives = 0
        self._made = 0
        self.chronicle = Chronicle(system)
        self._owner = owner
        self._slot = slot
        self._make_branch = make_branch
        self._places = system.places
        self._directory = system.directory
        self._runtime = system.runtime
        self._report = partial(system.tell, owner.path)
        self._inherited = tuple(slot.children)
        slot.children.clear()

    # Specs.

    def adopt(self, spec: AnySpec) -> Child:
        """Take a child spec in; its start follows."""
        slot = self._places.slot_for(child_path(self._owner.path, spec.name), spec)
        child = self.children[spec.name] = Child(spec, slot)
        self.respecify(child, spec)
        self._slot.children[slot.path] = None
        self.touch(child)
        return child

    def respecify(self, child: Child, spec: AnySpec) -> None:
        """Let this spec count from the child's next start."""
        child.spec = spec
        self._places.respecify(child.slot, spec)
        if isinstance(spec, ChildSpec):
            child.slot.factory = spec.factory
        else:
            child.slot.factory = self._make_branch(spec)

    def forget(self, child: Child) -> None:
        """Forget a child with its spec and its slot."""
        del self.children[child.name]
        self.touched.pop(child.name, None)
        self._slot.children.pop(child.slot.path, None)
        self.chronicle.close(child.slot)
        self._places.remove(child.slot)

    def forget_those_of_a_predecessor(self) -> None:
        """Remove the slots of children that an earlier life of this supervisor had added."""
        for path in self._inherited:
            slot = self._directory.find(path)
            if slot is not None and path not in self._slot.children:
                self._places.remove(slot)

    def next_number(self) -> int:
        """Number of the next child made from a template."""
        self._made += 1
        return self._made

    def touch(self, child: Child) -> None:
        """Have the supervisor look at this child when it goes on."""
        self.touched[child.name] = child

    # Lives.

    def living(self, name: str, epoch: int) -> Child | None:
        """Child whose life has this epoch; None if that life is already settled."""
        child = self.children.get(name)
        if child is None or child.life is None or child.life.epoch != epoch:
            return None
        return child

    def launch(self, child: Child) -> None:
        """Begin a new life of a child."""
        child.phase = Phase.STARTING
        if not child.parked:
            again = child.down_since_s is not None
            state = "restarting" if again else "starting"
            child.slot.become(state, child.slot.reason if again else "", self._runtime.now_s())
        author = (self._owner.path, self._owner.context.epoch)
        child.life = self._places.prepare(child.slot, author, self._report)
        self.lives += 1
        self._runtime.launch(child.life)

    def ask_to_stop(self, child: Child) -> bool:
        """Ask a child to end in its time; False if it is not to be waited for at all."""
        assert child.life is not None
        child.phase = Phase.STOPPING
        patience_s = child.spec.shutdown_s
        if patience_s == 0.0:
            return False
        self._runtime.post(child.slot, StopActor())
        if patience_s is not None:
            overdue = StopOverdue(child.name, child.life.epoch)
            self._owner.after(patience_s, overdue, ("stop", child.name), process=True)
        return True

    def bury(self, child: Child, report: ChildIsOver) -> None:
        """Note that a life ended, in whichever way."""
        assert child.life is not None
        self._places.bury(child.life)
        self._lay_down(child)
        self.chronicle.over(child, report)

    def kill(self, child: Child) -> None:
        """Cut off a child that must not be waited for (any longer)."""
        assert child.life is not None
        epoch = child.life.epoch
        self.cut_off(child)
        over = ChildIsOver(child.name, epoch, Exit.KILLED, "did not stop in time", "stop")
        self.chronicle.over(child, over)

    def cut_off(self, child: Child) -> None:
        """From now on this life has no effect."""
        assert child.life is not None
        self._places.cut_off(child.life)
        self._lay_down(child)

    def _lay_down(self, child: Child) -> None:
        if child.down_since_s is None or child.phase is not Phase.STARTING:
            child.down_since_s = self._runtime.process_s()  # a failed restart goes on being down
        self.lives -= 1
        child.life = None
        child.phase = Phase.DOWN
        self._owner.cancel(("stop", child.name))
        self.touch(child)

    # Between lives.

    def rest(self, child: Child, state: str, reason: str) -> None:
        """Show a child as down for longer; what is told to it finds nobody."""
        self.show(child, state, reason)
        for slot in self._directory.subtree(child.slot.path):
            self._places.close_mailbox(slot)
            if slot is not child.slot:
                self.chronicle.close(slot)  # its outage is the branch's from now on

    def show(self, child: Child, state: str, reason: str) -> None:
        """Show a child, with all that is under it, in this state."""
        at_s = self._runtime.now_s()
        for slot in self._directory.subtree(child.slot.path):
            slot.become(state, reason, at_s)

    def wait(self, child: Child, delay_s: float) -> None:
        """Let a child start only after a delay in process time."""
        child.waiting = delay_s > 0.0
        if child.waiting:
            due = RestartDue(child.name)
            self._owner.after(delay_s, due, ("restart", child.name), process=True)

    def reopen(self, child: Child) -> None:
        """Let messages wait for a child that is about to start."""
        child.waiting = False
        self._places.reopen(child.slot)
        self.touch(child)
