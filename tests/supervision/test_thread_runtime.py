"""The same promises on real threads, in real time: short stories, no sleeps, deadlines on waits."""

import contextlib
import random
import threading
import time
from types import SimpleNamespace

import pykka
import pytest
from kit import (
    Do,
    Note,
    Puppet,
    Recall,
    World,
    branch,
    fail,
    raise_,
)

from supervision import (
    Backoff,
    ChildSpec,
    Fault,
    FaultKind,
    FaultPlan,
    HouseClock,
    MailboxSpec,
    Park,
    Ping,
    Policy,
    Strategy,
    ThreadRuntime,
    WorkerDone,
    WorkerSpec,
)
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildParked,
    ChildRestarted,
    FalseAlarm,
    IncidentClosed,
    IncidentOpened,
    LateEffect,
)
from supervision.mailbox import ThreadMailbox
from supervision.runtimes.zombies import ZombieWatch

PATIENCE_S = 20.0
DEADLINE_S = 0.5  # far above what a handler here takes, even on a machine that is busy with others


def until(come_true, patience_s=PATIENCE_S):
    """Wait until something that tells no event has come true."""
    give_up_s, pause = time.monotonic() + patience_s, threading.Event()
    while not come_true():
        assert time.monotonic() < give_up_s, "it did not come true"
        pause.wait(0.005)


class Awaited:
    """Lets a test wait for events."""

    def __init__(self, world):
        self._changed = threading.Condition()
        keep = world.events.append
        self._events = world.events

        def listen(event):
            with self._changed:
                keep(event)
                self._changed.notify_all()

        world.system.journal._on_event = listen

    def event(self, kind, count=1, **fields):
        """Wait until there are so many such events; the last of them."""

        def found():
            return [
                event
                for event in self._events
                if isinstance(event, kind)
                and all(getattr(event, name) == value for name, value in fields.items())
            ]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, PATIENCE_S), (
                f"no {kind.__name__} {fields} among {self._events}"
            )
            return found()[-1]


@pytest.fixture
def awaited(real_world):
    return Awaited(real_world)


def test_many_actors_start_fast(real_world):
    began_s = time.process_time()
    real_world.grow(*(f"a{number}" for number in range(50)))
    assert time.process_time() - began_s < 1.0
    assert set(real_world.states.values()) == {"running"}


def test_a_crashed_actor_is_replaced_with_its_state(real_world):
    system = real_world.grow("a", "b")
    system.tell("a", Note("kept"))
    system.tell("a", fail())
    assert system.ask("a", Recall()) == ("kept",)
    assert real_world.epochs == {"root": 1, "a": 2, "b": 1}


def test_a_hung_actor_is_replaced_and_its_late_effect_is_refused(real_world, awaited):
    free, done, ended = threading.Event(), [], threading.Event()

    def hang(me):
        free.wait(PATIENCE_S)
        me.effect(lambda: done.append(me.context.epoch))
        ended.set()

    system = real_world.grow(real_world.puppet("a", deadline_s=DEADLINE_S))
    system.tell("a", Do(hang))
    system.tell("a", Note("waiting"))
    hung = awaited.event(ChildHung)
    assert "hang" in hung.stack
    assert system.ask("a", Recall()) == ("waiting",)
    assert system.status("a").zombies == 1
    free.set()
    assert ended.wait(PATIENCE_S)
    awaited.event(LateEffect)
    assert done == []
    assert system.ask("a", Do(lambda me: me.effect(lambda: done.append(me.context.epoch))))
    assert done == [2]


def test_a_tell_that_meets_a_change_of_mailboxes_reaches_the_successor(real_world):
    system = real_world.grow("a")
    slot = system.directory.find("a")

    class Closing(ThreadMailbox):
        """The old mailbox, closed while somebody was already on the way to it."""

        def offer(self, message, reply=None):
            slot.mailbox = current
            return super().offer(message, reply)

    current, old = slot.mailbox, Closing(slot.lanes, 10)
    old.close("replaced")
    slot.mailbox = old
    assert system.tell("a", Note("on the way"))
    assert system.ask("a", Recall()) == ("on the way",)


def test_a_drill_makes_a_real_thread_hang(real_world, awaited):
    system = real_world.grow(real_world.puppet("a", deadline_s=DEADLINE_S))
    system.inject("a", Fault(FaultKind.HANG, at_message=1, seconds=10.0 * PATIENCE_S))
    system.tell("a", Note("hurt"))
    system.tell("a", Note("after"))
    awaited.event(ChildRestarted)
    assert system.ask("a", Recall()) == ("after",)


def test_a_drill_makes_a_real_thread_slow(real_world):
    system = real_world.grow(real_world.puppet("a", deadline_s=PATIENCE_S))
    system.inject("a", Fault(FaultKind.SLOW, at_message=1, seconds=0.1))
    began_s = time.monotonic()
    system.tell("a", Note("hurt"))
    system.tell("a", Note("after"))
    assert system.ask("a", Recall()) == ("hurt", "after")
    assert time.monotonic() - began_s >= 0.1


def test_a_zombie_that_ended_while_it_was_being_counted_is_not_counted(real_world, monkeypatch):
    system = real_world.grow(real_world.puppet("a", shutdown_s=0.01))
    answers = [True, False]
    monkeypatch.setattr(real_world.runtime, "is_zombie", lambda _: answers.pop(0))
    system.places.cut_off(system.directory.find("a").life)
    assert answers == []
    assert system.counters()["zombies"] == 0


def test_nobody_is_hurt_for_a_thread_that_has_ended():
    called, given_up = [], []
    watch = ZombieWatch(lambda delay_s, look: called.append((delay_s, look)), given_up.append)
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    watch.mind(SimpleNamespace(thread=ended, slot=SimpleNamespace(path="a")))
    for _, look in called:
        look()
    assert [delay_s for delay_s, _ in called] == [1.0, 10.0]
    assert given_up == []


def test_a_zombie_that_ends_is_no_longer_counted(real_world, awaited):
    free = threading.Event()
    system = real_world.grow(real_world.puppet("a", deadline_s=DEADLINE_S))
    threads = []

    def hang(_):
        threads.append(threading.current_thread())
        free.wait(PATIENCE_S)

    system.tell("a", Do(hang))
    awaited.event(ChildRestarted)
    free.set()
    threads[0].join(PATIENCE_S)
    assert system.counters()["zombies"] == 0
    assert system.counters()["zombies_total"] == 1


def test_an_actor_that_hangs_in_its_start_is_replaced(real_world, awaited):
    free, threads = threading.Event(), []

    def hang_once(_):
        threads.append(threading.current_thread())
        if len(threads) == 1:
            free.wait(PATIENCE_S)

    spec = real_world.puppet("a", hang_once, deadline_s=DEADLINE_S, when_exhausted=Park())
    real_world.grow(spec, "b")
    awaited.event(ChildHung, message_type="on_start")
    awaited.event(ChildRestarted)
    free.set()
    threads[0].join(PATIENCE_S)
    assert real_world.states["a"] == "running"
    assert real_world.system.counters()["zombies"] == 0


def test_work_within_the_deadline_is_left_alone_even_if_the_actor_is_always_busy(real_world):
    system = real_world.grow(real_world.puppet("a", deadline_s=DEADLINE_S))
    pause = threading.Event()
    for _ in range(12):
        system.tell("a", Do(lambda _: pause.wait(DEADLINE_S / 10)))
    assert system.ask("a", Recall()) == ()
    assert real_world.epochs["a"] == 1


@pytest.fixture
def looks(real_world):
    """The two looks at a zombie, hint and verdict, which a test has happen when it is time."""
    zombies, looks = real_world.runtime._zombies, []
    zombies._hint_after_s = zombies._give_up_after_s = 0.1
    zombies._call_later = lambda _, look: looks.append(look)
    return looks


def burn_for(thread, seconds):
    """Wait until a thread that burns has had this much of a processor [s]."""
    clock = time.pthread_getcpuclockid(thread.ident)
    enough_s = time.clock_gettime(clock) + seconds
    until(lambda: time.clock_gettime(clock) > enough_s)


def test_a_spinning_actor_is_replaced_and_its_thread_ended(real_world, awaited, looks):
    system = real_world.grow(real_world.puppet("a", deadline_s=DEADLINE_S))
    spinner = system.ask("a", Do(lambda _: threading.current_thread()))
    system.inject("a", Fault(FaultKind.SPIN, seconds=10.0 * PATIENCE_S))
    awaited.event(ChildRestarted)
    burn_for(spinner, 0.1)
    hint = looks[0]
    hint()
    spinner.join(PATIENCE_S)
    assert not spinner.is_alive()
    assert system.verdict is None


def test_a_zombie_that_burns_on_ends_the_process(real_world, awaited, looks):
    system = real_world.grow(real_world.puppet("a", deadline_s=DEADLINE_S))
    burner = system.ask("a", Do(lambda _: threading.current_thread()))
    stop = threading.Event()

    def burn(_):
        while not stop.is_set():
            pass

    system.tell("a", Do(burn))
    awaited.event(ChildRestarted)
    burn_for(burner, 0.1)
    despair = looks[1]
    despair()
    verdict = system.join(PATIENCE_S)
    stop.set()
    assert verdict == "a hung thread of a keeps burning the processor"


def test_a_watch_that_is_late_itself_blames_nobody(real_world, awaited):
    """The watch is called as if its timer had been due long ago."""
    busy, free = threading.Event(), threading.Event()
    system = real_world.grow(real_world.puppet("a", deadline_s=2.0 * PATIENCE_S))
    system.tell("a", Do(lambda _: (busy.set(), free.wait(PATIENCE_S))))
    assert busy.wait(PATIENCE_S)
    life = system.directory.find("a").life
    life.busy_since_s -= 100.0
    real_world.runtime._look(life, due_s=real_world.runtime.process_s() - 90.0)
    alarm = awaited.event(FalseAlarm)
    assert alarm.late_s > 89.0
    free.set()
    assert system.ask("a", Recall()) == ()
    assert real_world.epochs["a"] == 1


def test_a_report_about_an_actor_that_moved_on_is_ignored(real_world):
    system = real_world.grow("a")
    life = system.directory.find("a").life
    life.busy_since_s = 1.0
    life.suspect()
    life.busy_since_s = None
    life.suspect()
    assert system.ask("a", Recall()) == ()
    assert real_world.epochs["a"] == 1


def test_a_ping_is_answered_while_a_flood_runs(real_world):
    system = real_world.grow(real_world.puppet("a", mailbox=MailboxSpec(bound=1000)))
    system.inject("a", Fault(FaultKind.FLOOD, count=20_000))
    began_s = time.process_time()
    assert system.ask("a", Ping()).epoch == 1
    assert time.process_time() - began_s < 3.0
    assert system.status("a").mailbox <= 1000
    assert system.counters()["dropped"] > 0


def test_killing_everybody_again_and_again_brings_everybody_back(real_world):
    quick = Backoff(first_s=0.001, max_s=0.002)
    names = [f"a{number}" for number in range(20)]
    specs = [real_world.puppet(name, backoff=quick, intensity=100) for name in names]
    system = real_world.grow(*specs, intensity=1000)
    for _ in range(5):
        for name in names:
            system.tell(name, fail())
        for name in names:
            assert system.ask(name, Recall()) == ()
    assert {real_world.epochs[name] for name in names} == {6}
    assert real_world.epochs["root"] == 1


def test_one_for_all_and_branches_work_on_threads(real_world, awaited):
    sub = branch(
        "sub", real_world.puppet("a"), real_world.puppet("b"), strategy=Strategy.ONE_FOR_ALL
    )
    system = real_world.grow(sub, "c")
    system.tell("sub/a", fail())
    awaited.event(ChildRestarted, path="sub/b")
    assert real_world.epochs == {"root": 1, "sub": 1, "sub/a": 2, "sub/b": 2, "c": 1}


def test_a_branch_that_crashes_on_threads_takes_its_children_along(real_world, awaited):
    system = real_world.grow(branch("sub", real_world.puppet("a")))
    system.tell("sub/a", Note("kept"))
    assert system.ask("sub/a", Recall()) == ("kept",)
    old = system.ask("sub/a", Do(lambda _: threading.current_thread()))
    system.inject("sub", Fault(FaultKind.CRASH))
    awaited.event(ChildRestarted, path="sub")
    assert system.ask("sub/a", Recall()) == ("kept",)
    old.join(PATIENCE_S)
    assert not old.is_alive()


def test_parking_and_returning_work_on_threads(real_world, awaited):
    ill = [True]
    spec = real_world.puppet(
        "pv",
        lambda _: raise_(OSError("no weather")) if ill else None,
        when_exhausted=Park(retry_s=0.05),
        intensity=1,
        backoff=Backoff(first_s=0.001, max_s=0.002),
    )
    real_world.grow(spec, "b")
    awaited.event(ChildParked)
    ill.clear()
    awaited.event(ChildRestarted, path="pv")
    assert real_world.states == {"root": "running", "pv": "running", "b": "running"}


def test_timers_run_in_house_time_or_in_process_time():
    """A house hour passes in a few milliseconds; process time goes its own way."""
    world = World(ThreadRuntime(HouseClock.starting_at(0.0, speed=1_000_000.0)))
    rang = threading.Event()

    order = []

    class Bell(Puppet):
        def on_receive(self, message):
            if message in {"hour", "moment"}:
                order.append(message)
                if len(order) == 2:
                    rang.set()
                return None
            return super().on_receive(message)

    def arm(me):
        me.after(0.2, "moment", key="process", process=True)
        me.after(3600.0, "hour", key="house")
        me.after(60.0, "never", key="cancelled")
        me.cancel("cancelled")

    system = world.grow(ChildSpec("a", Bell))
    system.ask("a", Do(arm), timeout_s=PATIENCE_S)
    assert rang.wait(PATIENCE_S)
    assert order == ["hour", "moment"]
    assert system.counters()["unexpected"] == 0
    system.stop()


def test_a_timer_that_finds_a_full_mailbox_is_counted(real_world):
    spec = real_world.puppet("a", mailbox=MailboxSpec(1, {Note: Policy.REJECT}))
    system = real_world.grow(spec)
    entered, free = threading.Event(), threading.Event()

    def arm(me):
        me.after(0.001, Note(1), key=1, process=True)
        me.after(0.002, Note(2), key=2, process=True)
        real_world.runtime.call_later(0.003, entered.set)
        free.wait(PATIENCE_S)

    system.tell("a", Do(arm))
    assert entered.wait(PATIENCE_S)
    free.set()
    until(lambda: not system.status("a").mailbox)
    assert system.ask("a", Recall()) == (1,)
    assert system.counters()["refused"] == 1


def test_a_timer_action_that_fails_is_counted_and_the_others_ring_on(real_world):
    rang = threading.Event()
    real_world.grow()
    real_world.runtime.call_later(0.0, lambda: raise_(ValueError("boom")))
    real_world.runtime.call_later(0.001, rang.set)
    assert rang.wait(PATIENCE_S)
    assert real_world.system.counters()["timer_errors"] == 1


def test_a_machine_without_another_thread_to_give_is_a_failed_start(real_world, monkeypatch):
    refusals = [True]
    start = threading.Thread.start

    def sometimes(thread):
        if thread.name == "a" and refusals:
            refusals.clear()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", sometimes)
    real_world.grow(real_world.puppet("a", when_exhausted=Park()), "b")
    assert real_world.system.ask("a", Recall()) == ()


def test_a_thread_that_is_struck_between_two_messages_is_noticed(real_world, awaited, monkeypatch):
    system = real_world.grow("a")
    struck = system.directory.find("a").mailbox
    wait_and_take = ThreadMailbox.wait_and_take

    def break_down(mailbox):
        item = wait_and_take(mailbox)
        return raise_(MemoryError()) if mailbox is struck else item

    monkeypatch.setattr(ThreadMailbox, "wait_and_take", break_down)
    system.tell("a", Note("the one before"))
    system.tell("a", Note("the last straw"))
    failed = awaited.event(ChildFailed)
    assert failed.reason == "its thread ended: MemoryError"
    assert system.ask("a", Ping()).epoch == 2


EMPLOYED = WorkerSpec("calculator", "worker_jobs:calculator", deadline_s=PATIENCE_S)


def test_a_worker_process_answers_by_a_message_and_ends_with_its_actor(real_world, awaited):
    answered = threading.Event()
    kept = []

    class Employer(Puppet):
        def on_receive(self, message):
            if isinstance(message, WorkerDone):
                self.state = (message.result,)
                answered.set()
                return None
            return super().on_receive(message)

    def hire(me):
        worker = me.worker(EMPLOYED)
        worker.submit(1, ("double", 21))
        kept.append(worker)

    system = real_world.grow(ChildSpec("a", Employer))
    system.ask("a", Do(hire))
    assert answered.wait(PATIENCE_S)
    assert system.ask("a", Recall()) == (42,)
    system.tell("a", fail())
    awaited.event(ChildRestarted)
    assert system.ask("a", Recall()) == (42,)
    until(lambda: kept[0].status().pid is None)


def harm_at_random(system, paths, until_s):
    chance = random.Random(7)
    kinds = [kind for kind in FaultKind if kind is not FaultKind.FLOOD]
    while time.monotonic() < until_s:
        path = chance.choice(paths)
        fault = Fault(chance.choice(kinds), seconds=chance.choice([0.02, 0.3]))
        with contextlib.suppress(LookupError):  # parked, or between two lives of its branch
            system.inject(path, fault)
        system.tell(path, Note("x"))
        if chance.random() < 0.05:
            system.restart(path)


@pytest.mark.slow
def test_a_tree_harmed_at_random_is_whole_again_in_the_end():
    world = World(ThreadRuntime(), zombie_budget=10**6)
    quick = Backoff(first_s=0.001, max_s=0.01, quiet_s=0.05)

    def puppets(*names):
        return [world.puppet(name, backoff=quick, deadline_s=0.15) for name in names]

    def sub(name, *names, **options):
        return branch(name, *puppets(*names), backoff=quick, intensity=10, **options)

    system = world.grow(
        *puppets("guard"),
        sub("rooms", "a", "b", "c"),
        sub("all", "a", "b", strategy=Strategy.ONE_FOR_ALL),
        sub("rest", "a", "b", "c", strategy=Strategy.REST_FOR_ONE),
        sub("pv", "x", "y", when_exhausted=Park(retry_s=0.1)),
        intensity=10**6,
    )
    paths = [status.path for status in system.tree() if status.path != "root"]
    harm_at_random(system, paths, time.monotonic() + 2.0)
    for path in paths:
        system.directory.find(path).faults = FaultPlan()
    until(lambda: is_whole(world))
    system.stop()
    assert pykka.ActorRegistry.get_all() == []


def is_whole(world):
    opened = {event.id for event in world.told(IncidentOpened)}
    closed = {event.id for event in world.told(IncidentClosed)}
    running = set(world.states.values()) <= {"running", "degraded"}
    return running and opened == closed and world.system.counters()["zombies"] == 0


@pytest.mark.slow
def test_two_hogs_of_the_processor_cause_no_false_restart(real_world):
    stop = threading.Event()

    def burn():
        while not stop.is_set():
            pass

    hogs = [threading.Thread(target=burn, daemon=True) for _ in range(2)]
    system = real_world.grow(*(real_world.puppet(f"a{n}", deadline_s=2.0) for n in range(10)))
    for hog in hogs:
        hog.start()
    watched_s = time.monotonic() + 2.5
    while time.monotonic() < watched_s:
        for number in range(10):
            system.ask(f"a{number}", Recall())
    stop.set()
    for hog in hogs:
        hog.join(PATIENCE_S)
    counters = system.counters()
    assert (counters["hangs"], counters["restarts"], counters["crashes"]) == (0, 0, 0)
