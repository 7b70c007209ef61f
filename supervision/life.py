"""One life of one child: from its factory to its end, under one epoch.

Both runtimes let it `begin` and `serve`; it catches whatever the actor raises, keeps the state
after each message, suffers the drill's faults and reports its end. It never decides a restart.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from pykka import ActorRegistry
from pykka._envelope import Envelope

from supervision.actor import SupervisedActor
from supervision.child_spec import ChildSpec, Policy
from supervision.context import Context
from supervision.drill import keeps_away, suffer_at_start
from supervision.errors import Ignore, NobodyThere, Shutdown
from supervision.liveness import slow_streak
from supervision.messages import ChildIsOver, ChildIsReady, ChildIsSuspect
from supervision.orders import ORDERS
from supervision.policy import Exit

if TYPE_CHECKING:
    from supervision.directory import Slot
    from supervision.system import ActorSystem

Report = Callable[[object], object]


class Life:
    """What the runtimes host. Fields are plain: the hot path of the virtual runtime reads them."""

    __slots__ = (
        "_farewells",
        "_report",
        "actor",
        "busy_reply",
        "busy_since_s",
        "busy_with",
        "context",
        "deadline_s",
        "ending",
        "epoch",
        "fenced",
        "freeze",
        "frozen",
        "held",
        "kept",
        "left",
        "mailbox",
        "name",
        "open",
        "over",
        "own_kinds",
        "queued",
        "slot",
        "special",
        "system",
        "thread",
        "timers",
        "watched",
        "workers",
        "zombie",
    )

    def __init__(self, system: ActorSystem, slot: Slot, epoch: int, report: Report) -> None:
        self.system = system
        self.slot = slot
        self.name = slot.spec.name
        self.epoch = epoch
        self.mailbox = slot.mailbox
        self.deadline_s = slot.spec.deadline_s
        self.kept: object = slot.snapshot  # the state after the last message that went well
        arguments = slot.spec.args if isinstance(slot.spec, ChildSpec) else ()
        self.context = Context(slot.path, epoch, system, arguments, self)
        self.actor: SupervisedActor | None = None
        self.timers: dict[Hashable, int] = {}  # key -> number of the one timer that counts
        self.own_kinds: set[type] = set()  # messages it sends to itself by timer
        self.busy_since_s: float | None = None
        self.busy_with: object = None
        self.busy_reply: Any = None
        self.watched = False
        self.fenced = False  # replaced or cut off: nothing it does counts any more
        self.over = False
        self.open = False  # begun, and may be served
        self.special = False  # after this message comes something else than the next one
        self.zombie = False  # was cut off while it was at something
        self.left = False  # its thread has ended
        self.thread: Any = None
        # Of the virtual runtime:
        self.queued = False
        self.frozen = False  # hangs in virtual time
        self.held: list[Callable[[], object]] | None = None  # what it did while it hangs
        self.freeze: Callable[[Callable[[], None]], None] | None = None
        self.ending: tuple[Exit, str] | None = None
        self._report = report
        self.workers: dict[str, Any] = {}
        self._farewells: list[Any] = []  # pykka stops that wait for the end

    # Beginning.

    def begin(self) -> None:
        """Make the actor and start it; tell the supervisor how that went."""
        self._busy_with("on_start", None)
        try:
            if self.slot.wary:
                suffer_at_start(self)
            self._make()
        except BaseException as error:
            self.system.runtime.let_through(error)
            self._settle(partial(self._ended_by, error, "start"))
        else:
            self._settle(self._started)

    def _make(self) -> None:
        assert self.slot.factory is not None
        actor = self.slot.factory(self.context)
        if not isinstance(actor, SupervisedActor):
            raise TypeError(
                f"the factory of {self.slot.path} gave {actor!r}; it must give a SupervisedActor"
            )
        self.actor = actor
        if self.slot.snapshot is not None:
            actor.state = self.slot.snapshot
        ActorRegistry.register(actor.actor_ref)
        actor._start_actor_loop()  # noqa: SLF001  pykka's own hook, called as pykka calls it

    def _started(self) -> None:
        assert self.actor is not None
        if self.fenced:
            self.release()
            return
        self.open = True
        self._rest()
        if self.ending is not None:
            self.finish()
        elif not self.actor.ready_later:
            self.ready()

    def ready(self) -> None:
        """Tell the supervisor that the start is done."""
        self._tell_supervisor(ChildIsReady(self.name, self.epoch))

    # Serving.

    def serve(self, item: object) -> None:
        """Handle one item of the mailbox, whatever happens."""
        message, reply = item, None
        if isinstance(item, Envelope):
            message, reply = item.message, item.reply_to
        self._busy_with(message, reply)
        try:
            answer = self._perform(message, reply)
        except BaseException as error:
            self.system.runtime.let_through(error)
            self._settle(partial(self._ended_by, error, "run", message, reply))
        else:
            self._settle(partial(self._served, reply, answer))

    def _busy_with(self, message: object, reply: Any) -> None:
        self.busy_with = message
        self.busy_reply = reply
        self.busy_since_s = self.system.runtime.process_s()
        if not self.watched and self.deadline_s is not None:
            self.system.runtime.watch(self)

    def _perform(self, message: object, reply: Any) -> object:
        assert self.actor is not None
        order = ORDERS.get(message.__class__)
        if order is not None:
            return order(self, message, reply)
        if self.slot.wary and keeps_away(self, message, reply):
            return None
        return self.actor.on_receive(message)

    def _served(self, reply: Any, answer: object) -> None:
        if reply is not None and reply not in self._farewells:
            reply.set(answer)
        if self.fenced:
            self.release()
            return
        self._note_progress()
        self._rest()
        if self.ending is not None:
            self.finish()

    def wrap_up(self, message: object) -> None:
        """Do what follows a message after which the life ends or is stalled."""
        self.busy_with = message
        self._settle(partial(self._served, None, None))

    def _note_progress(self) -> None:
        slot, runtime = self.slot, self.system.runtime
        slot.handled += 1
        slot.last_progress_s = runtime.now_s()
        if self.busy_since_s is not None:
            took_s = runtime.process_s() - self.busy_since_s
            slot.slow_streak = slow_streak(slot.slow_streak, took_s, self.deadline_s)

    def _rest(self) -> None:
        assert self.actor is not None
        self.kept = self.actor.state
        self.busy_since_s = None
        self.busy_reply = None
        self.special = self.ending is not None

    def _settle(self, outcome: Callable[[], None]) -> None:
        """Do what follows from a handler: now, or when a virtual hang is over."""
        if self.freeze is None:
            outcome()
        else:
            self.freeze(outcome)

    # Ending.

    def end(self, how: Exit, reason: str) -> None:
        """End after the message that is being handled."""
        self.ending = (how, reason)
        self.special = True

    def finish(self) -> None:
        """End in good order: `on_stop`, then the report."""
        assert self.actor is not None
        assert self.ending is not None
        how, reason = self.ending
        if how is Exit.FAILED:  # a supervisor whose start failed
            self._depart(ChildIsOver(self.name, self.epoch, how, reason, "start"))
            return
        try:
            self.actor.on_stop()
        except BaseException as error:
            self._ended_by(error, "stop")
        else:
            self._depart(ChildIsOver(self.name, self.epoch, how, reason, "stop"))

    def _ended_by(
        self, error: BaseException, during: str, message: object = None, reply: Any = None
    ) -> None:
        if reply is not None:
            reply.set_exception((type(error), error, error.__traceback__))
        if isinstance(error, Ignore) and during == "start":
            self._depart(ChildIsOver(self.name, self.epoch, Exit.IGNORED, str(error), during))
        elif isinstance(error, Shutdown):
            self._depart(ChildIsOver(self.name, self.epoch, Exit.SHUTDOWN, str(error), during))
        else:
            if not self.fenced:  # a hung life was blamed when it was cut off
                self.blame(message)
            told = "".join(traceback.format_exception(error))
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self._depart(ChildIsOver(self.name, self.epoch, Exit.FAILED, reason, during, told))

    def crashed(self, error: BaseException, message: object) -> None:
        """End because handling `message` raised."""
        self.system.runtime.let_through(error)
        self.busy_with = message
        self._settle(partial(self._ended_by, error, "run", message))

    def lost(self, reason: str) -> None:
        """End because whatever hosted this life is gone."""
        self._depart(ChildIsOver(self.name, self.epoch, Exit.FAILED, reason, "run"))

    def suspect(self) -> None:
        """Tell the supervisor that this life is busy for longer than its deadline."""
        if self.busy_since_s is not None:
            self._tell_supervisor(ChildIsSuspect(self.name, self.epoch, self.busy_since_s))

    def _depart(self, report: ChildIsOver) -> None:
        self.over = True
        self.open = False
        self.release()
        self._tell_supervisor(report)
        self.close_workers()  # last: it takes a moment, and a successor is waited for

    def blame(self, message: object) -> None:
        """Remember the message that ended this life.

        Not one that the actor sent to itself, nor one that must never be dropped.
        """
        kind = type(message)
        is_safe = self.slot.lanes.get(kind) is Policy.SAFETY
        if message is not None and kind not in self.own_kinds and not is_safe:
            self.slot.quarantine.blame(message, self.system.runtime.process_s())
            self.slot.wary = self.slot.wary or bool(self.slot.quarantine.kinds)

    def close_workers(self) -> None:
        """End the worker processes of this life; may be called twice."""
        workers, self.workers = self.workers, {}
        for worker in workers.values():
            worker.close()

    def release(self) -> None:
        """Let go of timers and of pykka's registry; may be called twice."""
        self.timers.clear()
        if self.over:
            self.busy_since_s = None
        if self.actor is not None:
            self.actor.actor_stopped.set()
            ActorRegistry.unregister(self.actor.actor_ref)
        while self._farewells:
            self._farewells.pop().set(None)

    def cut_off(self) -> None:
        """From now on nothing this life does counts; its supervisor calls it under a new epoch."""
        self.fenced = True
        self.open = False
        if self.busy_reply is not None:
            refusal = NobodyThere(f"{self.slot.path} was replaced while it handled this")
            self.busy_reply.set_exception((NobodyThere, refusal, None))
        self.release()

    def _tell_supervisor(self, report: object) -> None:
        if not self.fenced:
            self._report(report)

    def say_farewell_to(self, reply: Any) -> None:
        """Answer this reply when the life is over."""
        if reply is not None:
            self._farewells.append(reply)

    def add_worker(self, name: str, worker: Any) -> None:
        """Close this worker when the life ends, or at once if it already did."""
        self.workers[name] = worker
        if self.fenced or self.over:
            self.close_workers()
