"""The actor everyone writes: handlers on one side, a few services on the other.

It speaks to others by name and never waits for them. What it raises ends only itself; the life
around it reports that. Knows no supervisor, no runtime and no energy.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, Never

import pykka

from supervision.context import Context
from supervision.events import HealthChanged, Unexpected
from supervision.future import Reply
from supervision.heartbeat import Health
from supervision.policy import Exit

if TYPE_CHECKING:
    from supervision.mailbox import Mailbox
    from supervision.worker import Worker, WorkerSpec


class SupervisedActor(pykka.Actor):
    """An actor under a supervisor.

    `state` is a frozen value; after every message handled without error it is kept, and the
    successor of a crashed or hung actor starts with it (set before `on_start`). None: fresh start.
    """

    state: Any = None
    ready_later = False  # True: the actor itself calls `self._life.ready()`

    def __init__(self, context: Context) -> None:
        self.context = context
        self.path = context.path
        self._life = context.life
        super().__init__()

    # pykka's three hooks, replaced.

    def _create_actor_inbox(self) -> Mailbox:  # type: ignore[override]  # static in pykka
        return self._life.mailbox

    @staticmethod
    def _create_future() -> Reply:
        return Reply()

    def _start_actor_loop(self) -> None:
        """Start; the loop itself belongs to the runtime that hosts this life."""
        self.on_start()

    @classmethod
    def start(cls, *_args: Any, **_kwargs: Any) -> Never:
        """Refuse pykka's way to start: nobody would look after the actor."""
        raise TypeError(
            f"{cls.__name__} is started by its supervisor: put "
            f"`ChildSpec(name, lambda context: {cls.__name__}(context))` into a SupervisorSpec "
            "and give that to ActorSystem.start"
        )

    # Hooks for those who write actors.

    def on_receive(self, message: Any) -> Any:
        """Handle a message; what it returns is the reply to an ask.

        The base class knows no message: it counts this one as unexpected and goes on.
        """
        journal = self.context.system.journal
        journal.count("unexpected")
        journal.emit(Unexpected(self.now_s(), self.path, type(message).__name__))

    def stop_requested(self, reason: str) -> None:
        """End in good order after this message; a supervisor ends its children first."""
        self._life.end(Exit.SHUTDOWN, reason)

    # Services.

    def now_s(self) -> float:
        """House time [s since the epoch, UTC]."""
        return self.context.system.runtime.now_s()

    def process_s(self) -> float:
        """Process time [s], monotonic."""
        return self.context.system.runtime.process_s()

    def tell(self, path: str, message: object) -> bool:
        """Send by name, never waiting; False if nobody took it (counted)."""
        life = self._life
        if life.held is not None:
            life.held.append(partial(self.tell, path, message))
            return True
        if life.fenced:
            life.system.journal.late_tell(self.path, life.epoch, path)
            return False
        system = life.system
        slot = system.directory.slots.get(path)
        return system.tell(path, message) if slot is None else system.runtime.post(slot, message)

    def after(
        self, delay_s: float, message: object, key: Hashable = None, *, process: bool = False
    ) -> None:
        """Send `message` to oneself after a delay in house time (or process time).

        There is one timer per key, by default the name of the message's type; arming it again
        replaces it. All timers end with the actor.
        """
        life = self._life
        if life.held is not None:
            life.held.append(partial(self.after, delay_s, message, key, process=process))
        elif not life.fenced and not life.over:
            kind = message.__class__
            life.own_kinds.add(kind)
            life.system.runtime.arm(
                life, kind.__name__ if key is None else key, delay_s, message, process=process
            )

    def cancel(self, key: Hashable) -> None:
        """Take a timer back; nothing happens if there is none."""
        self._life.timers.pop(key, None)

    def effect(self, action: Callable[[], None], resource: str | None = None) -> bool:
        """Act on the world: run `action`, a non-blocking enqueue, through the gate.

        False if this actor was replaced, or holds no lease on `resource`.
        """
        life = self._life
        if life.held is not None:
            life.held.append(partial(self.effect, action, resource))
            return True
        return life.system.gate.submit(self.path, life.epoch, action, resource)

    def health(self, state: Health, reason: str, level: int | None = None) -> None:
        """Say how it is going; shown in the tree with the reason and since when."""
        life = self._life
        if life.held is not None:
            life.held.append(partial(self.health, state, reason, level))
            return
        slot = life.slot
        if life.fenced or (slot.health, slot.health_reason, slot.level) == (state, reason, level):
            return
        if slot.health is not state:
            slot.since_s = self.now_s()
        slot.health, slot.health_reason, slot.level = state, reason, level
        life.system.journal.emit(HealthChanged(self.now_s(), self.path, state.value, reason, level))

    def worker(self, spec: WorkerSpec) -> Worker:
        """Start a worker process of this actor; it ends with the actor."""
        worker: Worker = self._life.system.runtime.worker(self._life, spec)
        self._life.add_worker(spec.name, worker)
        return worker
