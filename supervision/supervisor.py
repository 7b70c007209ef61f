"""The supervisor: an actor that does what `policy` says when its children report.

It never waits: every start and stop goes on when the child reports, so it always answers. It knows
its children's specs and how they end, and nothing of what they do.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any

from supervision import administration
from supervision.actor import SupervisedActor
from supervision.child import Child
from supervision.child_spec import AutoShutdown, Park, Restart, Strategy, SupervisorSpec
from supervision.context import Context
from supervision.messages import (
    CALLS,
    ChildIsOver,
    ChildIsReady,
    ChildIsSuspect,
    CycleChild,
    RestartDue,
    StopOverdue,
)
from supervision.nursery import Nursery
from supervision.policy import (
    Exit,
    GiveUp,
    Ledger,
    RestartBudget,
    RestNow,
    StartAgain,
    companions,
    wants_restart,
)
from supervision.sequence import Order, Phase, next_steps, order_of

UNORDERED = frozenset({Strategy.ONE_FOR_ONE, Strategy.DYNAMIC})


class Mode(Enum):
    """What the supervisor as a whole is about."""

    BOOTING = "booting"
    RUNNING = "running"
    STOPPING = "stopping"


class Supervisor(SupervisedActor):
    """Starts its children in order, restarts them by policy, stops them in reverse."""

    ready_later = True

    def __init__(self, context: Context, spec: SupervisorSpec) -> None:
        super().__init__(context)
        self.spec = spec
        self.mode = Mode.BOOTING
        self.ledger = Ledger(RestartBudget(spec.intensity, spec.period_s))
        self.nursery = Nursery(self, context.life.slot, _make_branch)
        self.children = self.nursery.children
        self._chronicle = self.nursery.chronicle
        self._farewell = (Exit.SHUTDOWN, "asked to stop")

    # What comes in.

    def on_start(self) -> None:
        """Begin to start the children."""
        if self.spec.strategy is not Strategy.DYNAMIC:
            for spec in self.spec.children:
                self.nursery.adopt(spec)
        self.nursery.forget_those_of_a_predecessor()
        self._advance()

    def on_receive(self, message: Any) -> None:
        """Take a report, a timer or a call, and do what follows."""
        match message:
            case ChildIsReady() | ChildIsOver() | ChildIsSuspect():
                self._on_report(message)
            case RestartDue(name):
                self._on_restart_due(self.children.get(name))
            case StopOverdue(name, epoch):
                self._on_stop_overdue(self.nursery.living(name, epoch))
            case CycleChild(name):
                self._on_cycle(self.children.get(name))
            case _ if isinstance(message, CALLS):
                administration.answer(self, message)
            case _:
                super().on_receive(message)
        self._advance()

    def _on_report(self, report: ChildIsReady | ChildIsOver | ChildIsSuspect) -> None:
        child = self.nursery.living(report.name, report.epoch)
        match report:
            case _ if child is None:
                return
            case ChildIsReady():
                self._on_ready(child)
            case ChildIsOver():
                was = child.phase
                self.nursery.bury(child, report)
                self._after_end(child, report, was)
            case ChildIsSuspect():
                self._on_suspect(child, report)

    def stop_requested(self, reason: str) -> None:
        """Stop the children in reverse order, then end."""
        self.wind_down(Exit.SHUTDOWN, reason)
        self._advance()

    # Going on.

    def _advance(self) -> None:
        """Start and stop whatever may be started and stopped now."""
        while True:
            order = order_of(self.spec.strategy, settled=self.mode is Mode.RUNNING)
            alone = order in {Order.NONE, Order.ALONE}
            rows = tuple((self.nursery.touched if alone else self.children).values())
            self.nursery.touched.clear()
            steps = next_steps(rows, order)
            for name in steps.stop:
                self._stop_child(self.children[name])
            for name in steps.start:
                self.nursery.launch(self.children[name])
            if not steps.stop and not steps.start:
                break
        self._complete()

    def _complete(self) -> None:
        if self.mode is Mode.STOPPING and self.nursery.lives == 0:
            for child in self.children.values():
                self._chronicle.close(child.slot)  # the outage is the branch's from now on
            self._life.end(*self._farewell)
        elif self.mode is Mode.BOOTING and all(map(_has_booted, self.children.values())):
            self.mode = Mode.RUNNING
            for child in self.children.values():
                self.nursery.touch(child)
            self._life.ready()

    def _stop_child(self, child: Child) -> None:
        if not self.nursery.ask_to_stop(child):
            self.nursery.kill(child)
            self._has_stopped(child)

    def _on_stop_overdue(self, child: Child | None) -> None:
        if child is not None and child.phase is Phase.STOPPING:
            self.nursery.kill(child)
            self._has_stopped(child)

    def _on_ready(self, child: Child) -> None:
        if child.phase is Phase.STARTING:
            child.phase = Phase.UP
        self.nursery.touch(child)
        child.slot.become("running", "", self.now_s())
        self._chronicle.ready(child)
        child.parked = child.settled = False
        administration.start_done(child, child.slot.path)

    # Ends.

    def _on_suspect(self, child: Child, report: ChildIsSuspect) -> None:
        """Replace a hung child, unless it moved on in the meantime or is being stopped anyway."""
        life = child.life
        if life is None or not child.running or life.busy_since_s != report.busy_since_s:
            return
        was = child.phase
        reason = self._chronicle.hung(child, life, self.process_s() - report.busy_since_s)
        life.blame(life.busy_with)
        self.nursery.cut_off(child)
        during = "start" if was is Phase.STARTING else "run"
        over = ChildIsOver(child.name, report.epoch, Exit.FAILED, reason, during)
        self._after_end(child, over, was)

    def _after_end(self, child: Child, over: ChildIsOver, was: Phase) -> None:
        """Decide what the end of a life means."""
        failed_start = was is Phase.STARTING and over.exit is not Exit.IGNORED
        if child.must_stop:
            self._has_stopped(child)
        elif failed_start and child.starting is not None:
            self._manual_start_failed(child, over.reason)
        elif failed_start and child.parked:
            self._park(child, over.reason)
        elif over.exit is Exit.IGNORED or not wants_restart(child.spec.restart, over.exit):
            self._stays_down(child, over)
        elif failed_start and self.mode is Mode.BOOTING and not child.may_park:
            self.wind_down(Exit.FAILED, f"child {child.name} did not start: {over.reason}")
        else:
            self._charge(child, over, failed_start=failed_start)

    def _has_stopped(self, child: Child) -> None:
        """A child that had to stop has stopped, in whichever way."""
        child.must_stop = False
        if child.wanted and not self.stopping:
            self.nursery.show(child, "restarting", "restarted")
        elif self.stopping:
            self.nursery.rest(child, "stopped", "stopped")
        else:
            self.lay_to_rest(child)
        for reply in child.stopping:
            reply.set(None)
        child.stopping.clear()

    def lay_to_rest(self, child: Child) -> None:
        """Keep a child that is down so, without its state; a temporary one is forgotten."""
        child.wanted = False
        child.slot.snapshot = None
        self._chronicle.close(child.slot)
        self.nursery.rest(child, "stopped", "stopped")
        self._forget_if_temporary(child)

    def _stays_down(self, child: Child, over: ChildIsOver) -> None:
        """A child ended by itself and is not restarted."""
        child.wanted = False
        state = "failed" if over.exit is Exit.FAILED else "stopped"
        self.nursery.rest(child, state, over.reason)
        administration.start_done(child, None)
        self._forget_if_temporary(child)
        if over.exit is not Exit.IGNORED:
            self._heed_significance(child)

    def _forget_if_temporary(self, child: Child) -> None:
        dynamic = self.spec.strategy is Strategy.DYNAMIC
        if dynamic or child.spec.restart is Restart.TEMPORARY:
            self.forget(child)

    def forget(self, child: Child) -> None:
        """Forget a child with its spec and its account."""
        self.ledger = self.ledger.forget(child.name)
        self.nursery.forget(child)

    def _manual_start_failed(self, child: Child, reason: str) -> None:
        """Tell the operator; a child that was being added is forgotten again."""
        child.wanted = False
        self.nursery.rest(child, "stopped", reason)
        if child.added_now:
            self.forget(child)
        administration.start_failed(child, reason)

    def _heed_significance(self, ended: Child) -> None:
        """End with the children whose end means the end of the branch."""
        rule = self.spec.auto_shutdown
        if not ended.spec.significant or rule is AutoShutdown.NEVER:
            return
        left = (c for c in self.children.values() if c.spec.significant and c.wanted)
        if rule is AutoShutdown.ANY_SIGNIFICANT or not any(left):
            self.wind_down(Exit.SHUTDOWN, f"significant child {ended.name} ended")

    # Restarts.

    def _charge(self, child: Child, over: ChildIsOver, *, failed_start: bool) -> None:
        """Count a failure and do what the policy says."""
        chance = self.context.system.runtime.rng.random()
        self.ledger, verdict = self.ledger.charge(
            child.spec, self.process_s(), chance, over.exit, over.reason
        )
        self._chronicle.outage(child.slot, over.reason)
        match verdict:
            case StartAgain(delay_s, fresh):
                if fresh or failed_start:
                    child.slot.snapshot = None  # the state itself may be what fails
                self._restart(child, delay_s, over.reason)
            case RestNow():
                self._park(child, over.reason)
            case GiveUp(reason):
                self.nursery.rest(child, "failed", over.reason)
                self._chronicle.escalated(self.path, reason)
                self.wind_down(Exit.EXHAUSTED, reason)

    def _restart(self, child: Child, delay_s: float, reason: str) -> None:
        self.nursery.show(child, "restarting", reason)
        child.settled = child.may_park and self.spec.strategy in UNORDERED
        self.nursery.wait(child, delay_s)
        for name in companions(self.spec.strategy, tuple(self.children), child.name):
            self._cycle(self.children[name])

    def _cycle(self, child: Child) -> None:
        """Stop a running child and start it again; a temporary one only stops."""
        if child.running and not child.must_stop:
            child.must_stop = True
            child.wanted = child.spec.restart is not Restart.TEMPORARY
            self.nursery.touch(child)

    def _park(self, child: Child, reason: str) -> None:
        """Let a child rest that restarting does not help, and try again later."""
        park = child.spec.when_exhausted
        assert isinstance(park, Park)
        if not child.parked:
            self._chronicle.parked(child, reason, park.retry_s)
        child.parked = child.settled = True
        child.slot.snapshot = None
        self.nursery.rest(child, "fallback", reason)
        self.nursery.wait(child, park.retry_s)

    def _on_restart_due(self, child: Child | None) -> None:
        if child is not None and child.waiting:
            self.nursery.reopen(child)

    def _on_cycle(self, child: Child | None) -> None:
        """Restart a child because an operator wishes so: now, and not counted."""
        if child is not None and child.waiting:
            self.nursery.reopen(child)
        elif child is not None:
            self._cycle(child)

    @property
    def stopping(self) -> bool:
        """Whether the supervisor is ending."""
        return self.mode is Mode.STOPPING

    def wind_down(self, how: Exit, reason: str) -> None:
        """Stop all children, then end this way; the first reason counts."""
        if self.stopping:
            return
        self.mode = Mode.STOPPING
        self._farewell = (how, reason)
        for child in self.children.values():
            child.wanted = child.waiting = False
            child.must_stop = child.phase is not Phase.DOWN
            self.nursery.touch(child)
            if child.phase is Phase.DOWN and child.slot.state != "failed":
                self.nursery.rest(child, "stopped", reason)
            administration.start_refused(child, reason)


def _has_booted(child: Child) -> bool:
    return child.phase is Phase.UP or not child.wanted or child.settled


def _make_branch(spec: Any) -> Any:
    return partial(Supervisor, spec=spec)
