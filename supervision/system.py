"""The system: the door to a supervision tree, for those outside it.

Binds one runtime, the directory and the gate together; starts, asks and stops the tree. Decides
nothing about restarts: that is the supervisors' work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka

from supervision.child_spec import SupervisorSpec
from supervision.directory import ROOT, Directory, Slot
from supervision.errors import MailboxFull, NobodyThere, StartFailed
from supervision.events import Escalated, Event
from supervision.future import Reply
from supervision.gate import Gate
from supervision.journal import Journal, tell_nobody
from supervision.mailbox import Outcome
from supervision.messages import ChildIsOver, ChildIsReady, StopActor
from supervision.operations import Operations
from supervision.places import Places
from supervision.policy import Exit
from supervision.supervisor import Supervisor

if TYPE_CHECKING:
    from supervision.runtimes import Runtime
    from supervision.worker_spec import WorkerStatus


class ActorSystem(Operations):
    """A supervision tree on one runtime.

    on_event: called with every event, one at a time; must be quick and must not wait.
    drills: whether faults may be injected.
    first_epoch: epochs begin here; give a higher one in each process so that they never go back.
    zombie_budget: with more hung actors than this left behind, the system gives up.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        on_event: Callable[[Event], None] = tell_nobody,
        drills: bool = False,
        first_epoch: int = 1,
        zombie_budget: int = 3,
    ) -> None:
        self.runtime = runtime
        self.drills = drills
        self.directory = Directory()
        self.journal = Journal(runtime, on_event)
        self.gate = Gate(runtime.now_s, self.journal.refused_effect, first_epoch)
        self.places = Places(self, zombie_budget, self.give_up)
        self._slots = self.directory.slots
        self._ready = Reply()
        self._ended = Reply()
        self._started = False
        runtime.bind(self)

    # Starting and stopping.

    def start(self, spec: SupervisorSpec, timeout_s: float | None = 60.0) -> None:
        """Start the tree and return when all of it is ready.

        Raises: StartFailed with the reason; what had started is stopped again.
        """
        if self._started:
            raise StartFailed("this system was started before; make a new one")
        self._started = True
        slot = self.places.slot_for(ROOT, spec)
        slot.factory = partial(Supervisor, spec=spec)
        self.runtime.launch(self.places.prepare(slot, None, self._hear_of_root))
        try:
            self.runtime.wait(self._ready, timeout_s)
        except pykka.Timeout:
            waiting = [s.path for s in self.directory.subtree(ROOT) if s.state == "starting"]
            self._close("not ready in time")
            raise StartFailed(
                f"not ready after {timeout_s} s; still starting: {', '.join(waiting)}"
            ) from None
        except StartFailed:
            self._close("did not start")
            raise

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop the tree in reverse order; what is not down in time is cut off."""
        root = self._slots.get(ROOT)
        if root is not None and root.life is not None:
            self.runtime.post(root, StopActor("the system stops"))
            self.join(timeout_s)
        self._close("did not stop in time")

    def join(self, timeout_s: float | None = None) -> str | None:
        """Wait until the tree has ended; the reason, or None if it still lives after the time."""
        try:
            return str(self.runtime.wait(self._ended, timeout_s))
        except pykka.Timeout:
            return None

    @property
    def verdict(self) -> str | None:
        """Why the tree ended, None while it lives."""
        return str(self._ended.get(timeout=0.0)) if self._ended.done else None

    def workers(self) -> Mapping[str, WorkerStatus]:
        """Look at the worker processes of all living actors, by the name in their spec."""
        lives = (slot.life for slot in list(self._slots.values()))
        return {
            name: worker.status()
            for life in lives
            if life is not None
            for name, worker in list(life.workers.items())
        }

    def give_up(self, reason: str) -> None:
        """End because this process can no longer be trusted; whoever joined restarts it."""
        if not self._ended.done:
            self.journal.count("escalations")
            self.journal.emit(Escalated(self.runtime.now_s(), ROOT, reason))
            self._end(reason)

    def _end(self, reason: str) -> None:
        self._ready.refuse(StartFailed(reason))
        self._ended.set(reason)

    def _close(self, reason: str) -> None:
        self._end(reason)
        self.places.cut_off_all()
        self.runtime.close()

    def _hear_of_root(self, report: object) -> None:
        root = self._slots[ROOT]
        match report:
            case ChildIsReady():
                root.become("running", "", self.runtime.now_s())
                self._ready.set(None)
            case ChildIsOver(exit=how, reason=reason) if root.life is not None:
                self.places.bury(root.life)
                orderly = how in {Exit.NORMAL, Exit.SHUTDOWN}
                root.become("stopped" if orderly else "failed", reason, self.runtime.now_s())
                self.places.cut_off_all()
                self._end(reason)
            case _:
                self.give_up("the root supervisor hangs")

    # Talking.

    def tell(self, path: str, message: object) -> bool:
        """Send by name, never waiting; False if nobody took it (a dead letter, or refused)."""
        slot = self._slots.get(path)
        if slot is None:
            self.journal.dead_letter(path, message)
            return False
        return self.runtime.post(slot, message)

    def ask(self, path: str, message: object, timeout_s: float = 2.0) -> Any:
        """Send by name and wait for the answer; only for those outside the tree.

        Raises: AskTimeout, NobodyThere, MailboxFull, or what the handler raised.
        """
        self._refuse_inside("ask")
        slot = self._slots.get(path)
        if slot is None:
            self.journal.dead_letter(path, message)
            raise NobodyThere(f"there is no actor at {path!r}; the tree lists what there is")
        reply = Reply()
        self.runtime.post(slot, message, reply)
        return self._wait(reply, timeout_s, f"{path} gave no answer to {type(message).__name__}")

    def took(
        self, slot: Slot, message: object, outcome: Outcome, reply: Reply | None = None
    ) -> bool:
        """Count and tell what did not go the usual way; whether the message was taken."""
        path = slot.path
        if outcome is Outcome.OVERFLOWED:
            self.journal.overflow(path, message, slot.bound)
            return True
        refusal: Exception = NobodyThere(f"{path} does not run ({slot.state}: {slot.reason})")
        if outcome is Outcome.REFUSED:
            self.journal.count("refused")
            refusal = MailboxFull(f"{path} has {slot.bound} messages waiting; try again later")
        else:
            self.journal.dead_letter(path, message)
        if reply is not None:
            reply.refuse(refusal)
        return False

    def counters(self) -> Mapping[str, int]:
        """Show all counts since the start; `zombies` is the number of now."""
        return self.journal.counters()
