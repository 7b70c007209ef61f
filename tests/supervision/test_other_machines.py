"""What the system below does not offer is done without, and never an error."""

import time
from pathlib import Path

from supervision.clock import slept_s
from supervision.own_memory import rss_mb
from supervision.parent_death import die_with_parent


def test_a_machine_that_cannot_tell_how_long_it_slept_has_not_slept(monkeypatch):
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert slept_s() == 0.0


def test_elsewhere_than_on_linux_nothing_is_asked_of_the_kernel(monkeypatch):
    monkeypatch.setattr("supervision.parent_death.sys.platform", "darwin")
    monkeypatch.setattr("supervision.parent_death.ctypes", None)
    die_with_parent(parent_pid=1)


def test_where_nobody_tells_memory_is_unknown(monkeypatch):
    def unreadable(_self):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", unreadable)
    assert rss_mb() is None
