"""What the guardian knows of one child: its lines, its ending, and a start that fails."""

import math
import socket

import pytest

from supervision.guardian_spec import ChildProcess
from supervision.guardian_ward import Phase, Ward, ending


@pytest.fixture
def linked():
    """A ward with a link, and the child's end of it."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.0)
    ward = Ward(ChildProcess("core", ("core",)))
    ward.link = ours
    with theirs:
        yield ward, theirs
    ward.close_link()


def test_half_a_line_waits_for_its_other_half(linked):
    ward, child = linked
    child.sendall(b"ready\npi")
    assert ward.lines() == ["ready"]
    assert ward.lines() == []
    child.sendall(b"ng\n")
    assert ward.lines() == ["ping"]


def test_a_child_that_talks_without_end_costs_no_memory(linked):
    ward, child = linked
    child.sendall(b"x" * 5000)
    assert ward.lines() == []
    child.sendall(b"\nping\n")
    nonsense, ping = ward.lines()
    assert (len(nonsense), ping) == (100, "ping")


def test_the_end_of_the_stream_closes_the_link_after_its_last_words(linked):
    ward, child = linked
    child.sendall(b"bye\n")
    child.close()
    assert ward.lines() == ["bye"]
    assert ward.lines() == []
    assert ward.link is None
    assert ward.lines() == []


def test_a_link_that_breaks_ends_like_a_stream(linked):
    ward, child = linked
    ward.link.sendall(b"unread")  # an end that leaves something unread is a broken connection
    child.close()
    assert ward.lines() == []
    assert ward.link is None


def test_a_process_that_cannot_be_started_leaves_no_link_and_no_process():
    ward = Ward(ChildProcess("broker", ("/nowhere/broker",)))
    with pytest.raises(OSError, match="nowhere"):
        ward.start(now_s=100.0)
    assert (ward.link, ward.pid, ward.reap()) == (None, None, None)


def test_who_has_no_process_can_be_killed_and_asked_to_end_without_harm():
    ward = Ward(ChildProcess("twin", ("twin",)))
    ward.kill("the stop took too long")
    ward.terminate(due_at_s=5.0)
    assert ward.phase is Phase.STOPPING
    assert ward.reap() is None


def test_a_child_that_said_bye_owes_no_ping():
    ward = Ward(ChildProcess("core", ("core",), ping_timeout_s=15.0))
    ward.now_ready(now_s=10.0)
    assert ward.due_at_s == 25.0
    ward.said_bye, ward.due_at_s = True, 13.0
    ward.new_term(now_s=12.0)
    assert ward.due_at_s == 13.0


def test_a_child_without_a_deadline_is_never_due():
    ward = Ward(ChildProcess("broker", ("broker",), ping_timeout_s=None))
    ward.now_ready(now_s=10.0)
    assert ward.due_at_s == math.inf


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0, "ended with code 0"),
        (-9, "ended by SIGKILL"),
        (-250, "ended by signal 250"),
    ],
)
def test_an_end_is_told_by_its_code_or_by_its_signal(code, told):
    assert ending(code) == told
