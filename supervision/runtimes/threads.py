"""Production: a daemon thread per actor and one thread for all timers; nothing polls.

House time comes from a `HouseClock`, process time is monotonic. A hung thread cannot be killed: it
is cut off by its epoch and ends by itself, if it ever comes back.
"""

from __future__ import annotations

import random
import sys
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from supervision.child_spec import Policy
from supervision.clock import ClockLook, HouseClock, slept_s
from supervision.liveness import Hung, LookAgain, WatcherLate, judge
from supervision.mailbox import CLOSED_MAILBOX, Mailbox, Outcome, ThreadMailbox
from supervision.runtimes.timers import TimerHeap
from supervision.runtimes.zombies import ZombieWatch

if TYPE_CHECKING:
    from supervision.directory import Slot
    from supervision.future import Reply
    from supervision.life import Life
    from supervision.system import ActorSystem


class ThreadRuntime:
    """Hosts a tree on real threads in real time."""

    def __init__(self, house_clock: HouseClock | None = None, seed: int | None = None) -> None:
        self.rng = random.Random(seed)
        self.house_clock = house_clock or HouseClock.wall()
        self.process_s = time.monotonic
        self._timers = TimerHeap()
        self._changed = threading.Condition()
        self._closed = False
        self._timer_thread: threading.Thread | None = None
        self._inside = threading.local()
        self._system: ActorSystem | None = None

    def now_s(self) -> float:
        """House time [s]."""
        return self.house_clock.now_s()

    def clocks(self) -> ClockLook:
        """Look at all clocks at once."""
        clock = self.house_clock
        return ClockLook(clock.now_s(), self.process_s() * clock.speed, slept_s())

    def bind(self, system: ActorSystem) -> None:
        """Serve this system."""
        self._system = system
        self._zombies = ZombieWatch(self.call_later, system.give_up)
        self._timer_thread = threading.Thread(target=self._run_timers, name="timers", daemon=True)
        self._timer_thread.start()

    def _bound(self) -> ActorSystem:
        assert self._system is not None, "give the runtime to an ActorSystem first"
        return self._system

    # Messages.

    def mailbox(self, lanes: Mapping[type, Policy], bound: int) -> Mailbox:
        """Make a mailbox for many threads."""
        return ThreadMailbox(lanes, bound)

    def post(self, slot: Slot, message: object, reply: Reply | None = None) -> bool:
        """Put a message into a slot's mailbox; False if it was not taken."""
        mailbox = slot.mailbox
        outcome = mailbox.offer(message, reply)
        while outcome is Outcome.CLOSED and slot.mailbox is not mailbox:
            mailbox = slot.mailbox  # a successor took over between the two lines above
            outcome = mailbox.offer(message, reply)
        return outcome is Outcome.ACCEPTED or self._bound().took(slot, message, outcome, reply)

    def wait(self, reply: Reply, timeout_s: float | None) -> Any:
        """Wait for a reply; raises pykka.Timeout."""
        return reply.get(timeout=timeout_s)

    def inside_actor(self) -> bool:
        """Whether the caller is an actor's thread."""
        return getattr(self._inside, "actor", False)

    # Lives.

    def launch(self, life: Life) -> None:
        """Give a life its thread."""
        life.thread = threading.Thread(
            target=self._host, args=(life,), name=life.slot.path, daemon=True
        )
        try:
            life.thread.start()
        except RuntimeError as error:
            life.lost(f"no thread to be had: {error}")

    def _host(self, life: Life) -> None:
        self._inside.actor = True
        reason = "its thread ended"
        try:
            life.begin()
            mailbox = life.mailbox
            assert isinstance(mailbox, ThreadMailbox)
            while not life.over and not life.fenced:
                item = mailbox.wait_and_take()
                if item is CLOSED_MAILBOX:
                    break
                life.serve(item)
        except BaseException as error:  # struck between two messages
            reason = f"its thread ended: {type(error).__name__}"
        self._left(life, reason)

    def _left(self, life: Life, reason: str) -> None:
        life.left = True
        if life.fenced:
            life.release()
            self._bound().places.zombie_gone(life)
        elif not life.over:
            life.lost(reason)

    def let_through(self, error: BaseException) -> None:
        """Contain everything: no actor's thread is the one a person can interrupt."""

    def stack(self, life: Life) -> str:
        """Where the thread of a hung actor stands."""
        frame = sys._current_frames().get(life.thread.ident)  # noqa: SLF001  documented, odd name
        return "".join(traceback.format_stack(frame)) if frame is not None else ""

    def is_zombie(self, life: Life) -> bool:
        """Whether a life that was cut off is still at it."""
        return life.busy_since_s is not None and not life.left

    # Timers.

    def arm(
        self, life: Life, key: Hashable, delay_s: float, message: object, *, process: bool
    ) -> None:
        """Arm an actor's timer, in house time or in process time."""
        wait_s = delay_s if process else self.house_clock.process_delay_s(delay_s)
        due_s = self.process_s() + wait_s
        with self._changed:
            self._wake_if_first(due_s)
            self._timers.arm(life, key, due_s, message)

    def call_later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Call `action`, which must be quick, on the timer thread."""
        due_s = self.process_s() + delay_s
        with self._changed:
            self._wake_if_first(due_s)
            self._timers.call(due_s, action)

    def _wake_if_first(self, due_s: float) -> None:
        """Wake the timer thread only for a timer earlier than the one it waits for."""
        first_s = self._timers.next_due_s()
        if first_s is None or due_s < first_s:
            self._changed.notify()

    def _run_timers(self) -> None:
        while (timer := self._next_timer()) is not None:
            try:
                self._fire(timer)
            except Exception:
                self._bound().journal.count("timer_errors")

    def _next_timer(self) -> Any:
        with self._changed:
            while not self._closed:
                due_s = self._timers.next_due_s()
                wait_s = None if due_s is None else due_s - self.process_s()
                if wait_s is not None and wait_s <= 0.0:
                    return self._timers.pop()
                self._changed.wait(wait_s)
        return None

    def _fire(self, timer: Any) -> None:
        _, number, life, key, message = timer
        if life is None:
            message()
        elif life.timers.get(key) == number and not life.fenced:
            life.timers.pop(key, None)
            outcome = life.mailbox.offer(message)
            if outcome is not Outcome.ACCEPTED:
                self._bound().took(life.slot, message, outcome)

    # Hangs.

    def watch(self, life: Life) -> None:
        """Look at a busy life when its deadline is over; armed once, re-armed while busy."""
        life.watched = True
        assert life.deadline_s is not None
        self._look_in(life, life.deadline_s)

    def _look_in(self, life: Life, delay_s: float) -> None:
        self.call_later(delay_s, partial(self._look, life, self.process_s() + delay_s))

    def _look(self, life: Life, due_s: float) -> None:
        life.watched = False  # before reading busy-since: a handler starting now arms its own
        if life.over or life.fenced or life.deadline_s is None:
            return
        finding = judge(self.process_s(), due_s, life.busy_since_s, life.deadline_s)
        if isinstance(finding, Hung):
            life.suspect()
        elif isinstance(finding, LookAgain | WatcherLate):
            life.watched = True
            self._look_in(life, finding.delay_s)
        if isinstance(finding, WatcherLate):
            self._bound().journal.false_alarm(life.slot.path, finding.late_s)

    def stall(self, life: Life, seconds: float, *, burn: bool) -> None:
        """Stand still, or burn the processor, in the actor's own thread (a drill)."""
        del life
        if not burn:
            threading.Event().wait(seconds)
            return
        until_s = self.process_s() + seconds
        while self.process_s() < until_s:
            pass

    def mind_zombie(self, life: Life) -> None:
        """Watch a thread that was left behind hung."""
        self._zombies.mind(life)

    def worker(self, life: Life, spec: Any) -> Any:
        """Start a worker process whose answers go to this life."""
        from supervision.worker import ProcessWorker  # noqa: PLC0415  only if workers are used

        return ProcessWorker(spec, partial(self._deliver, life))

    def _deliver(self, life: Life, message: object) -> None:
        outcome = life.mailbox.offer(message)
        if outcome is not Outcome.ACCEPTED:
            self._bound().took(life.slot, message, outcome)

    def close(self) -> None:
        """End the timer thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
