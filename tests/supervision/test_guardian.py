"""The guardian starts in order, replaces the killed and the frozen, and stops in reverse."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervision.guardian_link import GuardianLink
from supervision.guardian_spec import Backoff, Restarts
from supervision.sd_notify import SystemdNotifier

PATIENCE_S = 20.0
HERE = Path(__file__).parent
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def child(name, *acts, **fields):
    argv = (sys.executable, str(HERE / "guarded_child.py"), *acts)
    return {"name": name, "argv": argv, "ping_timeout_s": None, **fields}


class Run:
    """A guardian in its own process, and the lines it said."""

    def __init__(self, *children, **env):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "guardian_program.py"), json.dumps(children)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**ENV, **env},
        )
        self.lines = []
        self._rest = b""

    def until(self, pattern):
        """Wait for a line that matches; return its first group, or the line."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            line = self._line(deadline_s)
            assert line is not None, f"no {pattern!r} in {self.lines}"
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found[1] if found.groups() else line

    def _line(self, deadline_s):
        while b"\n" not in self._rest:
            timeout_s = max(deadline_s - time.monotonic(), 0.0)
            if not select.select([self.process.stdout], [], [], timeout_s)[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 65_536)
            if not data:
                return None
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def started(self, name):
        return int(self.until(rf"^{name}: started \(pid (\d+)\)"))

    def ready(self, name):
        self.until(f"^{name}: ready")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.end()

    def end(self):
        """Wait for the end; return the exit code."""
        while (line := self._line(time.monotonic() + PATIENCE_S)) is not None:
            self.lines.append(line)
        return self.process.wait(PATIENCE_S)

    def said(self, word):
        return [line for line in self.lines if word in line]


@pytest.fixture
def guard():
    runs = []

    def start(*children, **env):
        runs.append(Run(*children, **env))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()  # its children die with it
        run.process.wait()
        run.process.stdout.close()
        run.process.stderr.close()


def wait_until_gone(pid):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([handle], [], [], PATIENCE_S)[0], f"process {pid} lives on"
    finally:
        os.close(handle)


# --- start and stop ------------------------------------------------------------------------


def test_children_start_one_after_the_other_is_ready_and_stop_in_reverse(guard):
    names = ("broker", "twin", "core")
    run = guard(*(child(name, "orderly", "ready", "pause") for name in names))
    run.ready("core")
    assert [line.split(" (")[0].split(" after")[0] for line in run.lines] == [
        f"{name}: {what}" for name in names for what in ("started", "ready")
    ]
    assert run.stop() == 0
    assert run.said("stopped") == [f"{n}: stopped (ended with code 0)" for n in reversed(names)]


def test_a_child_that_says_nothing_is_ready_once_it_runs(guard):
    run = guard(child("broker", "pause", ready_timeout_s=None), child("core", "ready", "pause"))
    run.ready("core")
    assert run.stop(signal.SIGINT) == 0


def test_a_deaf_child_is_killed_at_its_own_deadline(guard):
    run = guard(child("core", "deaf", "ready", "pause", stop_timeout_s=0.2))
    pid = run.started("core")
    run.ready("core")
    assert run.stop() == 0
    assert run.said("stopped") == ["core: stopped (killed: did not end within 0.2 s)"]
    wait_until_gone(pid)


def test_a_second_signal_kills_everything_at_once(guard):
    run = guard(child("core", "deaf", "ready", "pause"))
    run.ready("core")
    run.process.send_signal(signal.SIGTERM)
    run.until("stopping in reverse order")
    assert run.stop() == 1
    assert run.said("stopped") == ["core: stopped (killed at once)"]


def test_each_child_has_its_own_process_group_and_takes_it_along(guard):
    run = guard(child("core", "group", "ready", "pause"))
    pid = run.started("core")
    run.ready("core")
    assert os.getpgid(pid) == pid
    grandchild = int(run.process.stderr.readline())
    assert os.getpgid(grandchild) == pid
    os.kill(pid, signal.SIGKILL)
    run.started("core")
    wait_until_gone(grandchild)


def test_children_die_with_the_guardian(guard):
    run = guard(child("twin", "ready", "pause"), child("core", "ready", "pause"))
    twin = run.started("twin")
    core = run.started("core")
    run.ready("core")
    run.process.kill()
    wait_until_gone(twin)
    wait_until_gone(core)


def test_a_child_that_outlives_the_guardian_notices_that_it_is_gone(guard):
    run = guard(child("twin", "ready", "ping", dies_with_parent=False))
    pid = run.started("twin")
    run.ready("twin")
    run.process.kill()
    wait_until_gone(pid)  # its own decision: it pings until the guardian is gone


# --- restarts ------------------------------------------------------------------------------


def test_a_killed_child_is_started_again_and_the_others_do_not_notice(guard):
    run = guard(child("twin", "ready", "pause"), child("core", "ready", "pause"))
    twin, core = run.started("twin"), run.started("core")
    run.ready("core")
    os.kill(core, signal.SIGKILL)
    run.until("core: ended by SIGKILL, restart in 0.0 s")
    assert run.started("core") != core
    run.ready("core")
    os.kill(twin, 0)
    assert not [line for line in run.said("twin") if "ended" in line]


def test_a_child_gets_its_turn_as_it_was_told_to(guard):
    run = guard(child("twin", "ready", "pause"), child("core", "ready", "pause", nice=3))
    own = os.getpriority(os.PRIO_PROCESS, 0)
    twin, core = run.started("twin"), run.started("core")
    run.ready("core")
    assert os.getpriority(os.PRIO_PROCESS, twin) == own
    assert os.getpriority(os.PRIO_PROCESS, core) == 3


def test_a_frozen_child_is_killed_and_started_again(guard):
    run = guard(child("core", "ready", "ping", ping_timeout_s=2.0))
    core = run.started("core")
    run.ready("core")
    os.kill(core, signal.SIGSTOP)
    run.until("core: killed: no ping for 2 s, restart")
    assert run.started("core") != core
    run.ready("core")


def test_a_child_whose_threads_all_wait_for_one_is_killed_and_started_again(guard):
    run = guard(child("core", "ready", "freeze", ping_timeout_s=1.5))
    core = run.started("core")
    run.ready("core")
    run.until("core: killed: no ping for 1.5 s, restart")
    assert run.started("core") != core
    wait_until_gone(core)


def test_a_child_that_says_bye_with_a_complaint_is_made_safe(guard, tmp_path):
    safe = safe_state(tmp_path / "safe")
    run = guard(child("core", "ready", "bye", "exit=2", significant=True, on_give_up=safe))
    assert run.end() == 2
    assert (tmp_path / "safe").read_text() == "safe\n"


def test_a_guardian_that_was_itself_stopped_blames_no_child(guard):
    run = guard(child("core", "ready", "ping", ping_timeout_s=2.0))
    core = run.started("core")
    run.ready("core")
    os.kill(run.process.pid, signal.SIGSTOP)
    os.kill(core, signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):  # as in a suspended machine
        run.process.wait(4.0)
    os.kill(run.process.pid, signal.SIGCONT)
    run.until("guardian: was itself .* late, nobody is blamed")
    os.kill(core, signal.SIGCONT)
    assert run.stop() == 0
    assert not run.said("killed")


def test_a_child_that_is_not_ready_in_time_holds_up_the_others_only_once(guard):
    broker = child("broker", "pause", ready_timeout_s=0.3, backoff={"first_s": 60.0})
    run = guard(broker, child("core", "ready", "pause"))
    run.until("broker: killed: not ready within 0.3 s")
    run.ready("core")


def test_a_command_that_does_not_exist_is_told_and_tried_again(guard):
    broker = {"name": "broker", "argv": ["/nowhere/broker"], "backoff": {"first_s": 60.0}}
    run = guard(broker, child("core", "ready", "pause"))
    run.until("broker: cannot be started: .*No such file.*, restart in 0.0 s")
    run.ready("core")


def test_a_child_that_says_bye_is_not_started_again(guard, tmp_path):
    run = guard(child("once", "ready", "bye", "exit=0"), child("core", "ready", "pause"))
    run.until("once: ended with code 0, for good")
    run.ready("core")
    assert run.stop() == 0
    assert len(run.said("once: started")) == 1


def test_the_end_of_the_significant_child_ends_the_family(guard):
    core = child("core", "ready", "bye", "exit=3", significant=True)
    run = guard(child("twin", "orderly", "ready", "pause"), core)
    assert run.end() == 3
    assert run.said("twin: stopped")


def test_a_child_that_says_bye_and_stays_is_killed(guard):
    run = guard(child("core", "ready", "bye", "pause", stop_timeout_s=0.2))
    assert run.end() == 0
    assert run.said("said bye and did not end within 0.2 s, for good")


# --- giving up -----------------------------------------------------------------------------


def safe_state(path):
    return (sys.executable, "-c", f"open({str(path)!r}, 'a').write('safe\\n')")


def test_a_child_past_its_budget_is_given_up_made_safe_and_still_tried(guard, tmp_path):
    run = guard(
        child(
            "core",
            "exit=5",
            backoff={"budget": 2, "first_s": 0.01, "retry_s": 0.5},
            on_give_up=safe_state(tmp_path / "safe"),
        )
    )
    run.until("core: ended with code 5, given up; next try in 0.5 s")
    assert len(run.said("started")) == 3
    run.until("core: its last command ended with code 0")
    assert (tmp_path / "safe").read_text() == "safe\n"
    run.started("core")


def test_a_child_that_did_not_end_orderly_at_the_stop_is_made_safe(guard, tmp_path):
    safe = safe_state(tmp_path / "safe")
    fields = {"stop_timeout_s": 0.2, "on_give_up": safe}
    run = guard(
        child("broker", "orderly", "ready", "pause"),
        child("core", "deaf", "ready", "pause", **fields),
    )
    run.ready("core")
    assert run.stop() == 0
    assert (tmp_path / "safe").read_text() == "safe\n"
    order = [line.split(" (")[0] for line in run.lines if "stopped" in line or "last" in line]
    assert order == ["core: stopped", "core: its last command ended with code 0", "broker: stopped"]


def test_a_child_that_ended_orderly_at_the_stop_is_left_as_it_is(guard, tmp_path):
    safe = safe_state(tmp_path / "safe")
    run = guard(child("core", "orderly", "ready", "pause", on_give_up=safe))
    run.ready("core")
    assert run.stop() == 0
    assert not (tmp_path / "safe").exists()


@given(st.lists(st.one_of(st.none(), st.floats(0.0, 200.0)), max_size=40))
def test_pauses_grow_within_their_bounds_until_the_budget_is_spent(lives):
    restarts = Restarts(Backoff())
    for ready_for_s in lives:
        before, restarts = restarts, restarts.after_end(ready_for_s)
        quiet = ready_for_s is not None and ready_for_s >= 60.0
        assert restarts.in_a_row == (1 if quiet else before.in_a_row + 1)
        assert restarts.given_up == (restarts.in_a_row > 10)
        assert 0.0 <= restarts.pause_s <= (60.0 if restarts.given_up else 30.0)
        if not quiet:
            assert restarts.pause_s >= before.pause_s


def test_the_first_pauses_are_none_then_a_tenth_of_a_second_doubling():
    restarts, pauses = Restarts(Backoff()), []
    for _ in range(11):
        restarts = restarts.after_end(None)
        pauses.append(restarts.pause_s)
    assert pauses == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 60.0]


# --- the child's link ----------------------------------------------------------------------


def test_without_a_guardian_the_link_is_quiet():
    link = GuardianLink.from_env({})
    link.ready()
    link.ping()
    link.bye()
    assert not link.parent_is_gone()
    assert link.fileno() == -1
    link.close()


def test_the_link_takes_itself_out_of_the_environment_and_sees_the_end():
    ours, theirs = socket.socketpair()
    env = {"GUARDIAN_FD": str(theirs.detach()), "OTHER": "1"}
    link = GuardianLink.from_env(env)
    assert env == {"OTHER": "1"}
    assert not os.get_inheritable(link.fileno())
    link.ready()
    link.ping()
    assert ours.recv(100) == b"ready\nping\n"
    assert not link.parent_is_gone()
    ours.close()
    assert select.select([link.fileno()], [], [], PATIENCE_S)[0]
    assert link.parent_is_gone()
    link.ping()  # to nobody, and no reason to end
    link.close()


def test_a_guardian_that_does_not_read_blocks_no_child():
    ours, theirs = socket.socketpair()
    link = GuardianLink(theirs)
    with ours:
        for _ in range(100_000):
            link.ping()
    link.close()


# --- systemd -------------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [False, True])
def test_the_service_manager_hears_ready_status_watchdog_and_stopping(guard, tmp_path, abstract):
    name = f"@pems-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE_S)
        manager.bind(name.replace("@", "\0"))
        run = guard(
            child("core", "orderly", "ready", "pause"), NOTIFY_SOCKET=name, WATCHDOG_USEC="60000"
        )
        heard = [manager.recv(4096).decode()]
        while not {"READY=1", "WATCHDOG=1", "STATUS=core ready"} <= set(heard):
            heard.append(manager.recv(4096).decode())
        assert heard.index("READY=1") > heard.index("STATUS=core starting")
        run.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in heard:
            heard.append(manager.recv(4096).decode())
        assert run.end() == 0


def test_the_notifier_is_quiet_without_a_manager_and_ignores_a_watchdog_of_others():
    quiet = SystemdNotifier.from_env({"WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "1"})
    quiet.ready()
    assert quiet.interval_s == float("inf")
    assert SystemdNotifier.from_env({"WATCHDOG_USEC": "15000000"}).interval_s == 5.0


def test_the_guardian_imports_nothing_but_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import supervision.guardian;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(new - sys.stdlib_module_names - {'supervision'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENV, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
