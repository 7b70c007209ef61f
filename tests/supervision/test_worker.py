"""A worker answers every ticket once, whatever happens to its process."""

import os
import queue
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from supervision.worker import InlineWorker, ProcessWorker, WorkerDone, WorkerFailed, WorkerSpec
from supervision.worker_channel import Frame, OwnerChannel, WireVersionError, decode, encode
from supervision.worker_starts import Starts, pause_after_failures

PATIENCE_S = 20.0
DEADLINE_S = 1.0  # far above what a job here takes that is not meant to fail
SPEC = WorkerSpec("solver", "worker_jobs:calculator", deadline_s=PATIENCE_S)


class Desk:
    """Workers with one tray for their outcomes; all of them closed at the end."""

    def __init__(self):
        self.tray = queue.Queue()
        self.workers = []

    def hire(self, **changes):
        worker = ProcessWorker(replace(SPEC, **changes), self.tray.put)
        self.workers.append(worker)
        return worker

    def next(self):
        return self.tray.get(timeout=PATIENCE_S)

    def ask(self, worker, *job, ticket=0):
        worker.submit(ticket, job)
        return self.next()

    def close(self):
        for worker in self.workers:
            worker.close()


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.close()


def wait_until_gone(pid):
    """Wait for the end of a process that need not be a child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], PATIENCE_S)[0], f"process {pid} lives on"
    finally:
        os.close(handle)


# --- answers -------------------------------------------------------------------------------


def test_jobs_are_answered_in_the_order_of_their_tickets(desk):
    worker = desk.hire()
    for ticket in range(20):
        worker.submit(ticket, ("double", ticket))
    assert [(done.ticket, done.result) for done in (desk.next() for _ in range(20))] == [
        (number, 2 * number) for number in range(20)
    ]


def test_an_order_and_an_answer_larger_than_the_socket_pass_whole(desk):
    data = os.urandom(3_000_000)
    assert desk.ask(desk.hire(), "echo", data).result == data


def test_the_process_has_one_thread_per_library_a_low_priority_and_its_own_group(desk):
    worker = desk.hire(nice=7)
    facts = desk.ask(worker, "facts").result
    assert facts == {"threads": "1", "nice": max(os.nice(0), 7), "group": worker.status().pid}


def test_an_error_of_a_job_is_an_answer_and_the_process_lives_on(desk):
    worker = desk.hire()
    pid = desk.ask(worker, "pid").result
    failed = desk.ask(worker, "raise_error", ticket=7)
    assert (failed.ticket, failed.kind, failed.reason) == (7, "error", "ValueError: no such room")
    assert desk.ask(worker, "leave").kind == "error"
    assert desk.ask(worker, "pid").result == pid


def test_a_result_that_is_no_plain_data_is_an_error(desk):
    worker = desk.hire()
    assert desk.ask(worker, "return_a_lambda").kind == "error"
    assert desk.ask(worker, "double", 4).result == 8


def test_a_job_that_is_no_plain_data_is_an_error(desk):
    worker = desk.hire()
    failed = desk.ask(worker, "double", lambda: None)
    assert failed.kind == "error"
    assert failed.reason.startswith("the job cannot be sent")
    assert desk.ask(worker, "double", 4).result == 8


# --- deaths --------------------------------------------------------------------------------


@pytest.mark.parametrize(("job", "by"), [("segfault", "SIGSEGV"), ("kill_self", "SIGKILL")])
def test_a_process_that_dies_costs_one_ticket_only(desk, job, by):
    worker = desk.hire()
    worker.submit(1, (job,))
    worker.submit(2, ("double", 4))
    failed, done = desk.next(), desk.next()
    assert (failed.ticket, failed.kind) == (1, "crash")
    assert failed.reason == f"its process was ended by {by}"
    assert (done.ticket, done.result) == (2, 8)
    assert worker.status().restarts == 1


@pytest.mark.parametrize("job", ["spin", "freeze"])
def test_a_job_beyond_its_deadline_is_killed(desk, job):
    worker = desk.hire(deadline_s=DEADLINE_S)
    failed = desk.ask(worker, job, ticket=3)
    assert (failed.ticket, failed.kind) == (3, "deadline")
    assert DEADLINE_S <= failed.took_s < PATIENCE_S
    assert desk.ask(worker, "double", 4).result == 8


def test_a_process_frozen_before_it_reads_a_large_order_meets_the_deadline_too(desk):
    worker = desk.hire(deadline_s=DEADLINE_S)
    os.kill(desk.ask(worker, "pid").result, signal.SIGSTOP)
    assert desk.ask(worker, "echo", os.urandom(3_000_000)).kind == "deadline"
    assert desk.ask(worker, "double", 4).result == 8


def test_memory_beyond_the_limit_is_a_failure_of_that_job(desk):
    worker = desk.hire(memory_limit_mb=400)
    assert desk.ask(worker, "eat").kind == "memory"
    assert desk.ask(worker, "double", 4).result == 8


def test_an_idle_process_that_is_killed_is_replaced_before_anyone_notices(desk):
    worker = desk.hire()
    pid = desk.ask(worker, "pid").result
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    assert desk.ask(worker, "pid").result != pid


def test_a_killed_process_takes_its_own_children_with_it(desk):
    worker = desk.hire(deadline_s=DEADLINE_S)
    grandchild = desk.ask(worker, "start_grandchild").result
    assert desk.ask(worker, "spin").kind == "deadline"
    assert desk.ask(worker, "double", 1).result == 2
    wait_until_gone(grandchild)


# --- the spare -----------------------------------------------------------------------------


def test_a_ready_spare_takes_over_and_a_new_one_is_started(desk):
    worker = desk.hire(spare=True)
    first = desk.ask(worker, "pid").result
    spare = spare_pid(desk, worker)
    worker.submit(1, ("segfault",))
    worker.submit(2, ("pid",))
    assert desk.next().kind == "crash"
    assert desk.next().result == spare
    assert spare_pid(desk, worker) not in {first, spare}


def spare_pid(desk, worker):
    """Wait until the spare is ready and return its pid."""
    for _ in until(lambda: worker._standby is not None and worker._standby.ready):
        desk.ask(worker, "double", 1)
    return worker._standby.pid


def test_a_worn_process_works_on_until_its_successor_is_ready(desk):
    worker = desk.hire(max_jobs=3)
    pids = [desk.ask(worker, "pid").result for _ in range(3)]
    assert len(set(pids)) == 1
    seen = {desk.ask(worker, "pid").result for _ in until(lambda: worker.status().recycled)}
    assert desk.ask(worker, "pid").result != pids[0]
    assert seen <= {pids[0], worker.status().pid}
    assert worker.status().restarts == 0


def test_a_process_that_grew_is_replaced(desk):
    worker = desk.hire(grow_limit_mb=30)
    first = desk.ask(worker, "litter", 60).result
    for _ in until(lambda: worker.status().recycled):
        desk.ask(worker, "double", 1)
    assert desk.ask(worker, "pid").result != first
    assert worker.status().recycled == 1


def until(condition):
    """Yield until the condition holds, within our patience."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        yield


# --- starts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("worker_jobs:broken", "RuntimeError: no licence"),
        ("worker_jobs:dying", "its process ended with code 7"),
        ("worker_jobs:nobody", "AttributeError"),
        ("worker_jobs", 'needs the form "package.module:factory"'),
    ],
)
def test_a_worker_that_cannot_start_answers_and_says_why(desk, target, reason):
    worker = desk.hire(target=target)
    failed = desk.ask(worker, "double", 1)
    assert failed.kind == "crash"
    assert reason in failed.reason
    assert "next start in 0." in failed.reason


def test_a_start_that_hangs_is_killed(desk):
    worker = desk.hire(target="worker_jobs:slow_start", start_timeout_s=0.3)
    failed = desk.ask(worker, "double", 1)
    assert failed.kind == "crash"
    assert "not ready within 0.3 s" in failed.reason


def test_a_worker_recovers_when_its_trouble_is_over(desk, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    worker = desk.hire(target="late_module:factory")
    assert desk.ask(worker, "x").kind == "crash"
    (tmp_path / "late_module.py").write_text("def factory():\n    return len\n")
    outcomes = (desk.ask(worker, "x") for _ in until(lambda: worker.status().jobs))
    assert [o.result for o in outcomes if isinstance(o, WorkerDone)] == [1]


def test_pauses_between_failed_starts_grow_from_a_tenth_of_a_second_to_half_a_minute():
    starts, pauses = Starts(), []
    for _ in range(12):
        starts = starts.after_failed_start("no licence", 1000.0)
        pauses.append(round(starts.next_at_s - 1000.0, 3))
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == 30.0
    assert pause_after_failures(10_000) == 30.0


def test_only_the_first_of_several_quick_idle_deaths_is_replaced_without_a_pause():
    first = Starts().after_idle_death("killed", ready_for_s=0.1, now_s=5.0)
    second = first.after_idle_death("killed", ready_for_s=0.1, now_s=6.0)
    assert (first.next_at_s, second.next_at_s) == (5.0, 6.1)
    assert second.after_idle_death("killed", ready_for_s=60.0, now_s=70.0).next_at_s == 70.0
    assert second.proven().after_failed_start("x", 80.0).next_at_s == 80.1


# --- the end -------------------------------------------------------------------------------


def test_close_answers_every_open_ticket_and_leaves_no_process(desk):
    worker = desk.hire(spare=True)
    pids = {desk.ask(worker, "pid").result, spare_pid(desk, worker)}
    for ticket in (1, 2, 3):
        worker.submit(ticket, ("spin",))
    began_s = time.monotonic()
    worker.close()
    assert time.monotonic() - began_s < PATIENCE_S / 2  # long before the deadline of a job
    assert [(o.ticket, o.kind) for o in (desk.next() for _ in range(3))] == [
        (1, "closed"),
        (2, "closed"),
        (3, "closed"),
    ]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)  # reaped, not even a zombie


def test_a_closed_worker_answers_that_it_is_closed(desk):
    worker = desk.hire()
    worker.close()
    worker.close()
    assert desk.ask(worker, "double", 1).kind == "closed"
    assert not worker.status().ready


def test_a_worker_may_be_closed_by_the_one_it_tells(desk):
    tray = queue.Queue()
    workers = []

    def take_and_close(outcome):
        workers[0].close()
        tray.put(outcome)

    workers.append(ProcessWorker(SPEC, take_and_close))
    workers[0].submit(1, ("double", 2))
    assert tray.get(timeout=PATIENCE_S).result == 4
    workers[0]._thread.join(PATIENCE_S)
    assert not workers[0]._thread.is_alive()


def test_a_receiver_that_fails_does_not_cost_the_worker_its_owner(desk):
    def stumble(outcome):
        desk.tray.put(outcome)
        raise RuntimeError("full")

    worker = ProcessWorker(SPEC, stumble)
    desk.workers.append(worker)
    assert desk.ask(worker, "double", 1).result == 2
    assert desk.ask(worker, "double", 2).result == 4


def test_every_ticket_gets_exactly_one_outcome_from_many_threads(desk):
    worker = desk.hire(deadline_s=0.3, spare=True)
    jobs = [("double", 1), ("kill_self",), ("raise_error",), ("spin",), ("double", 2)]

    def submit_all(base):
        for offset, job in enumerate(jobs):
            worker.submit(base + offset, job)

    threads = [threading.Thread(target=submit_all, args=(base,)) for base in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tickets = [desk.next().ticket for _ in range(15)]
    worker.close()
    assert sorted(tickets) == [base + offset for base in (0, 10, 20) for offset in range(5)]
    assert desk.tray.empty()


ORPHANAGE = """
import queue, sys
from supervision.worker import ProcessWorker, WorkerSpec
tray = queue.Queue()
worker = ProcessWorker(WorkerSpec("w", "worker_jobs:calculator", deadline_s=60.0), tray.put)
worker.submit(1, ("pid",))
print(tray.get(timeout=20).result, flush=True)
worker.submit(2, (sys.argv[1],) if len(sys.argv) > 1 else ("double", 1))
sys.stdin.read()
"""


@pytest.mark.parametrize("job", [("spin",), ()])
def test_a_worker_dies_with_its_parent(job):
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHANAGE, *job],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with parent:
        pid = int(parent.stdout.readline())
        parent.kill()
        wait_until_gone(pid)


# --- the wire ------------------------------------------------------------------------------


def test_frames_arrive_whole_whatever_the_pieces():
    ours, theirs = socket.socketpair()
    frames = [Frame("done", number, "x" * number) for number in (0, 5, 300)]
    channel, heard = OwnerChannel(ours), []
    with theirs:
        for byte in b"".join(map(encode, frames)):
            theirs.sendall(bytes([byte]))
            heard += [decode(payload) for payload in channel.take()]
        assert heard == frames
        assert not channel.ended
    assert channel.take() == []
    assert channel.ended
    channel.close()


def test_another_version_of_the_wire_is_refused(monkeypatch):
    data = encode(Frame("ready"))[8:]
    monkeypatch.setattr("supervision.worker_channel.WIRE_VERSION", 2)
    with pytest.raises(WireVersionError, match="restart it"):
        decode(data)


def test_an_answer_that_cannot_be_read_is_an_error_of_that_job(desk):
    worker = desk.hire()
    failed = desk.ask(worker, "return_a_trap", ticket=7)
    assert (failed.ticket, failed.kind) == (7, "error")
    assert failed.reason == "its answer cannot be read: ValueError: no such room"
    assert desk.ask(worker, "double", 4).result == 8
    assert worker.status().restarts == 0


def test_a_process_of_another_version_is_killed_and_says_what_to_do(desk, monkeypatch):
    monkeypatch.setattr("supervision.worker_channel.WIRE_VERSION", 2)
    failed = desk.ask(desk.hire(), "double", 4)
    assert failed.kind == "crash"
    assert "was updated while it ran, restart it" in failed.reason


# --- virtual time --------------------------------------------------------------------------


class Schedule(list):
    def __call__(self, delay_s, outcome):
        self.append((delay_s, outcome))


def inline(schedule, seed=1, **changes):
    return InlineWorker(replace(SPEC, **changes), schedule, random.Random(seed))


def test_an_inline_worker_answers_after_a_seeded_latency():
    schedule, again = Schedule(), Schedule()
    for one in (schedule, again):
        worker = inline(one)
        for ticket in range(5):
            worker.submit(ticket, ("double", ticket))
    assert schedule == again
    for delay_s, done in schedule:
        assert done == WorkerDone("solver", done.ticket, 2 * done.ticket, delay_s)
        assert 0.05 <= delay_s <= 0.25


def test_an_inline_worker_tells_errors_and_missing_targets():
    schedule = Schedule()
    inline(schedule).submit(1, ("raise_error",))
    inline(schedule, target="worker_jobs:broken").submit(2, ("double", 1))
    inline(schedule).submit(3, ("leave",))
    assert [(o.ticket, o.kind, o.reason) for _, o in schedule] == [
        (1, "error", "ValueError: no such room"),
        (2, "error", "RuntimeError: no licence"),
        (3, "error", "SystemExit: 3"),
    ]


def test_an_inline_worker_keeps_its_deadline():
    schedule = Schedule()
    inline(schedule, virtual_latency_s=(2.0, 3.0), deadline_s=1.0).submit(1, ("double", 1))
    [(delay_s, failed)] = schedule
    assert (delay_s, failed.kind, failed.took_s) == (1.0, "deadline", 1.0)


def test_a_closed_inline_worker_answers_that_it_is_closed():
    schedule = Schedule()
    worker = inline(schedule)
    worker.submit(1, ("double", 1))
    worker.close()
    worker.submit(2, ("double", 1))
    assert schedule[1] == (0.0, WorkerFailed("solver", 2, "solver is closed", "closed", 0.0))
    assert (worker.status().jobs, worker.status().ready) == (1, False)
