"""One thread, virtual time, seeded order: the same seed gives the same run, a day in a second.

House time and process time are one number here. Among the actors with waiting messages chance
picks who is next; between the same two actors messages stay in order. A hang is modelled: what the
handler did is held and done `seconds` later, when the gate already refuses it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka
from pykka._envelope import Envelope

from supervision.child_spec import Policy
from supervision.clock import ClockLook
from supervision.liveness import Hung, LookAgain, WatcherLate, judge
from supervision.mailbox import ACCEPTED, Mailbox, Newest
from supervision.runtimes.timers import TimerHeap

if TYPE_CHECKING:
    from supervision.directory import Slot
    from supervision.future import Reply
    from supervision.life import Life
    from supervision.system import ActorSystem

Outcomes = Callable[[], None]


class VirtualMailbox(Mailbox):
    """A mailbox that tells the runtime when pykka itself puts something in."""

    __slots__ = ("runtime", "slot")

    def __init__(
        self, lanes: Mapping[type, Policy], bound: int, runtime: VirtualRuntime, slot: Slot | None
    ) -> None:
        super().__init__(lanes, bound)
        self.runtime = runtime
        self.slot = slot

    def put(self, envelope: Envelope[Any], /) -> None:
        """Take pykka's envelope and put the reader in line."""
        if envelope.reply_to is not None:
            envelope.reply_to.pump = self.runtime.pump  # type: ignore[attr-defined]  # a Reply
        super().put(envelope)
        if self.slot is not None and self.slot.life is not None:
            self.runtime.enqueue(self.slot.life)


class VirtualRuntime:
    """Hosts a tree in virtual time. Turn the clock with `run_for`, `run_until`."""

    def __init__(self, seed: int, start_s: float = 0.0) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self._choice = random.Random(f"order {seed}")
        self._now_s = start_s
        self._ready: list[Life] = []
        self._timers = TimerHeap()
        self._running = False
        self._system: ActorSystem | None = None

    # Time.

    def now_s(self) -> float:
        """House time [s]."""
        return self._now_s

    def process_s(self) -> float:
        """Process time [s]: the same."""
        return self._now_s

    def clocks(self) -> ClockLook:
        """Look at all clocks at once."""
        return ClockLook(self.now_s(), self._now_s)

    def run_until(self, at_s: float) -> None:
        """Let everything happen that is due up to and at `at_s`; the clock then shows `at_s`."""
        self._run(at_s, lambda: False)
        self._now_s = max(self._now_s, at_s)

    def run_for(self, seconds: float) -> None:
        """Let everything happen in the next `seconds`."""
        self.run_until(self._now_s + seconds)

    def run_until_quiet(self, within_s: float = 0.0) -> None:
        """Deliver what can be delivered; time goes on only to timers due `within_s` from now."""
        self._run(self._now_s + within_s, lambda: False)

    def stand_still(self, seconds: float) -> None:
        """Let time pass while nothing is served, as if the process had been suspended."""
        self._now_s += seconds

    def _run(self, until_s: float, enough: Callable[[], bool]) -> None:
        if self._running:
            raise RuntimeError(
                "the virtual clock cannot be turned from inside a handler; "
                "tell, and answer when the reply message comes"
            )
        self._running = True
        try:
            self._serve_ready()
            while not enough() and self._fire_next(until_s):
                self._serve_ready()
        finally:
            self._running = False

    def _fire_next(self, until_s: float) -> bool:
        """Advance to the next instant with timers and fire all of them; False if none is due."""
        heap = self._timers.heap
        if not heap or heap[0][0] > until_s:
            return False
        instant_s = heap[0][0]
        self._now_s = max(self._now_s, instant_s)
        while heap and heap[0][0] <= instant_s:
            self._fire(self._timers.pop())
        return True

    def _fire(self, timer: Any) -> None:
        _, number, life, key, message = timer
        if life is None:
            message()
        elif life.timers.get(key) == number and not life.fenced:
            del life.timers[key]
            outcome = life.mailbox.offer(message)
            if not life.queued and not life.frozen:
                life.queued = True
                self._ready.append(life)
            if outcome is not ACCEPTED:
                self._bound().took(life.slot, message, outcome)

    # Serving.

    def _serve_ready(self) -> None:
        ready, chance, now_s = self._ready, self._choice.random, self._now_s
        while ready:
            waiting = len(ready)
            index = int(chance() * waiting) if waiting > 1 else 0
            life = ready[index]
            mailbox, slot, actor = life.mailbox, life.slot, life.actor
            if mailbox.control or slot.wary or not life.open or actor is None:
                self._serve_with_care(life)
            else:
                message = mailbox.data.popleft()
                if message.__class__ is Newest:
                    message = mailbox.opened(message)
                if message.__class__ is Envelope:
                    mailbox.data.appendleft(message)
                    self._serve_with_care(life)
                else:
                    try:
                        actor.on_receive(message)
                    except BaseException as error:
                        life.crashed(error, message)
                    else:
                        if life.special:
                            life.wrap_up(message)
                        else:
                            life.kept = actor.state
                            slot.handled += 1
                            slot.last_progress_s = now_s
            if not (mailbox.data or mailbox.control) or not life.open:
                life.queued = False
                last = ready.pop()
                if last is not life:
                    ready[index] = last

    def _serve_with_care(self, life: Life) -> None:
        if life.fenced or life.over or life.frozen:
            return
        if life.actor is None:
            life.begin()
        elif not life.mailbox.empty():
            life.serve(life.mailbox.take())

    def enqueue(self, life: Life) -> None:
        """Put a life in line to be served."""
        if not life.queued and not life.frozen:
            life.queued = True
            self._ready.append(life)

    # What the system asks of a runtime.

    def bind(self, system: ActorSystem) -> None:
        """Serve this system."""
        self._system = system

    def _bound(self) -> ActorSystem:
        assert self._system is not None, "give the runtime to an ActorSystem first"
        return self._system

    def mailbox(self, lanes: Mapping[type, Policy], bound: int) -> Mailbox:
        """Make a mailbox for one thread."""
        return VirtualMailbox(lanes, bound, self, None)

    def post(self, slot: Slot, message: object, reply: Reply | None = None) -> bool:
        """Put a message into a slot's mailbox; False if it was not taken."""
        mailbox = slot.mailbox
        if (  # the usual message, without a call: this is the hot path of a simulation
            reply is None
            and message.__class__ not in mailbox.lanes
            and not mailbox.closed
            and len(mailbox.data) < mailbox.bound
        ):
            mailbox.data.append(message)
            outcome = ACCEPTED
        else:
            outcome = mailbox.offer(message, reply)
        life = slot.life
        if life is not None and not life.queued and not life.frozen:
            life.queued = True
            self._ready.append(life)
        if outcome is ACCEPTED:
            return True
        return self._bound().took(slot, message, outcome, reply)

    def launch(self, life: Life) -> None:
        """Let a life begin when its turn comes."""
        if isinstance(life.mailbox, VirtualMailbox):
            life.mailbox.slot = life.slot
        self.enqueue(life)

    def arm(
        self, life: Life, key: Hashable, delay_s: float, message: object, *, process: bool
    ) -> None:
        """Arm an actor's timer; `process` makes no difference here."""
        del process
        self._timers.arm(life, key, self._now_s + delay_s, message)

    def call_later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Call `action` after a delay in process time."""
        self._timers.call(self._now_s + delay_s, action)

    def watch(self, life: Life) -> None:
        """Do nothing: a handler takes no virtual time unless it is made to hang."""

    def let_through(self, error: BaseException) -> None:
        """Let a person at the keyboard end a simulation; contain everything else."""
        if isinstance(error, KeyboardInterrupt):
            raise error

    def worker(self, life: Life, spec: Any) -> Any:
        """Make a worker that computes at once and answers after a seeded latency."""
        from supervision.worker import InlineWorker  # noqa: PLC0415  only if workers are used

        rng = random.Random(f"{self.seed} {life.slot.path} {spec.name} {life.epoch}")
        return InlineWorker(spec, partial(self._answer_later, life), rng)

    def _answer_later(self, life: Life, delay_s: float, message: object) -> None:
        if not life.fenced and not life.over:
            self._timers.arm(life, object(), self._now_s + delay_s, message)

    def wait(self, reply: Reply, timeout_s: float | None) -> Any:
        """Turn the clock until the reply is there, at most by `timeout_s`, and give it."""
        reply.pump = self.pump
        return reply.get(timeout=timeout_s)

    def pump(self, reply: Reply, timeout_s: float | None) -> None:
        """Turn the clock until the reply is there or the time is over."""
        if timeout_s is None:
            self._run(float("inf"), lambda: reply.done)
            return
        end_s = self._now_s + timeout_s
        self._run(end_s, lambda: reply.done)
        if not reply.done:
            self._now_s = max(self._now_s, end_s)
            raise pykka.Timeout(f"{timeout_s} seconds")

    def close(self) -> None:
        """Forget everything that is still to come."""
        self._ready.clear()
        self._timers.heap.clear()

    # Hangs.

    def stall(self, life: Life, seconds: float, *, burn: bool) -> None:
        """Let the message being handled take `seconds`: from now on what it does is held."""
        del burn
        life.held = []
        life.special = True
        life.busy_since_s = self._now_s
        life.freeze = partial(self._freeze, life, seconds)

    def _freeze(self, life: Life, seconds: float, outcome: Outcomes) -> None:
        """Hold what a stalled handler did until its time is over."""
        held, life.held, life.freeze = life.held or [], None, None
        life.frozen, life.open = True, False
        self.call_later(seconds, partial(self._thaw, life, held, outcome))
        if life.deadline_s is not None and seconds > life.deadline_s:
            self._look_in(life, life.deadline_s)

    def _look_in(self, life: Life, delay_s: float) -> None:
        self.call_later(delay_s, partial(self._look, life, self._now_s + delay_s))

    def _look(self, life: Life, due_s: float) -> None:
        if not life.frozen or life.fenced or life.deadline_s is None:
            return
        finding = judge(self._now_s, due_s, life.busy_since_s, life.deadline_s)
        if isinstance(finding, Hung):
            life.suspect()
        elif isinstance(finding, LookAgain | WatcherLate):
            self._look_in(life, finding.delay_s)
        if isinstance(finding, WatcherLate):
            self._bound().journal.false_alarm(life.slot.path, finding.late_s)

    def _thaw(self, life: Life, held: list[Callable[[], object]], outcome: Outcomes) -> None:
        life.frozen, life.open = False, not life.fenced
        for act in held:
            act()
        outcome()
        if life.fenced:
            self._bound().places.zombie_gone(life)
        elif life.open and not life.mailbox.empty():
            self.enqueue(life)

    def is_zombie(self, life: Life) -> bool:
        """Whether a life that was cut off is still at it."""
        return life.frozen

    def mind_zombie(self, life: Life) -> None:
        """Do nothing: a virtual zombie burns nothing."""

    def stack(self, life: Life) -> str:
        """Give no stack: a virtual hang stands nowhere."""
        del life
        return ""

    def inside_actor(self) -> bool:
        """Whether the caller is a handler."""
        return self._running
