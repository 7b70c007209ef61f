"""The journal of orders: what went out is known after any death of the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.control.reconcile import LastOrder, Link, Look
from pems_actors.domain.commands import SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.durable.order_journal import NAME, PLACE, OrderJournal

NOW = 1_700_000_000.0
DEVICES = ("relay/obyvak", "relay/koupelna", "battery", "inverter")


def heating(on: bool, at_s: float = NOW, relay: str = "obyvak") -> SetHeating:
    return SetHeating(relay, on, "cold", Level.PLAN, at_s, at_s + 900.0)


def test_an_order_is_known_to_the_next_process(tmp_path):
    OrderJournal.open(tmp_path, DEVICES).note(heating(on=True))
    last = OrderJournal.open(tmp_path, DEVICES).last("relay/obyvak")
    assert last == LastOrder("on", NOW, NOW, NOW + 900.0)


def test_each_kind_of_device_has_its_words(tmp_path):
    journal = OrderJournal.open(tmp_path, DEVICES)
    mode = BatteryMode.CHARGE_GRID
    journal.note(SetBatteryMode(mode, "cheap", Level.PLAN, NOW, NOW + 900.0, 3.0, 0.9))
    journal.note(SetExport(False, "negative price", Level.PLAN, NOW, NOW + 900.0))
    again = OrderJournal.open(tmp_path, DEVICES)
    assert again.last("battery").order == "charge_grid"
    assert again.last("inverter").order == "forbidden"


def test_a_renewal_keeps_the_since_and_a_switch_begins_a_new_one(tmp_path):
    journal = OrderJournal.open(tmp_path, DEVICES)
    for at_s, on in ((NOW, True), (NOW + 300.0, True), (NOW + 600.0, False)):
        journal.note(heating(on, at_s))
        if on:
            journal.watched("relay/obyvak", "on", Look(), Look(at_s))
            assert journal.last("relay/obyvak").since_s == NOW
            assert journal.last("relay/obyvak").confirmed
    last = OrderJournal.open(tmp_path, DEVICES).last("relay/obyvak")
    assert (last.order, last.since_s, last.writes) == ("off", NOW + 600.0, 3)
    assert not last.confirmed


def test_a_confirmation_of_another_order_says_nothing(tmp_path):
    journal = OrderJournal.open(tmp_path, DEVICES)
    journal.note(heating(on=True))
    journal.watched("relay/obyvak", "off", Look(), Look(NOW))
    journal.watched("battery", "hold", Look(), Look(NOW))
    assert not journal.last("relay/obyvak").confirmed
    assert journal.last("battery") is None


def test_relays_share_what_is_known_of_their_link():
    journal, ordered = OrderJournal(), Look().ordered(NOW - 60.0, moves=True)
    assert journal.link("relay/obyvak") == Link()
    journal.watched("relay/obyvak", "on", ordered, ordered.after(True, NOW))
    assert journal.link("relay/koupelna") == Link(proved_s=NOW)
    assert journal.link("battery") == Link()
    lost = ordered.after(False, NOW)
    journal.watched("relay/koupelna", "on", lost, lost.after(False, NOW + 60.0))
    assert journal.link("relay/obyvak") == Link(NOW, NOW + 60.0)


def test_a_device_given_back_is_no_longer_ours(tmp_path):
    journal = OrderJournal.open(tmp_path, DEVICES)
    journal.note(heating(on=True))
    journal.release("relay/obyvak", NOW + 60.0)
    journal.release("battery", NOW)
    last = OrderJournal.open(tmp_path, DEVICES).last("relay/obyvak")
    assert last.lease_until_s == NOW + 60.0


def test_it_counts_all_writes_over_all_lives(tmp_path):
    for life in range(3):
        journal = OrderJournal.open(tmp_path, DEVICES)
        journal.note(heating(on=True, at_s=NOW + life))
        journal.note(heating(on=False, at_s=NOW + life, relay="koupelna"))
    assert OrderJournal.open(tmp_path, DEVICES).writes == 6


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**16), st.integers(1, 400), st.randoms(use_true_random=False))
def test_whatever_is_torn_out_of_the_file_no_other_device_is_lost(
    tmp_path_factory, start, length, chance
):
    state = tmp_path_factory.mktemp("state")
    journal = OrderJournal.open(state, DEVICES)
    for k in range(4):
        journal.note(heating(on=bool(k % 2), at_s=NOW + k))
        journal.note(heating(on=bool(k % 2), at_s=NOW + k, relay="koupelna"))
    journal.close()
    file = state / NAME
    content = bytearray(file.read_bytes())
    # one place at most: a note that was being written when the power failed
    start = PLACE + start % (len(content) - PLACE)
    end = min(start + length, (start // PLACE + 1) * PLACE)
    content[start:end] = chance.randbytes(end - start)
    file.write_bytes(bytes(content))

    found = OrderJournal.open(state, DEVICES)
    lasts = [found.last("relay/obyvak"), found.last("relay/koupelna")]
    assert all(last is not None and last.writes >= 3 for last in lasts)
    assert max(last.writes for last in lasts) == 4


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\0" * 4096])
def test_a_file_that_is_none_is_an_empty_journal_and_that_is_told(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    journal = OrderJournal.open(tmp_path, DEVICES)
    assert journal.last("relay/obyvak") is None
    assert journal.problem.startswith("it is no journal, or another version's")
    journal.note(heating(on=True))
    assert OrderJournal.open(tmp_path, DEVICES).last("relay/obyvak") is not None


def test_a_sound_journal_and_none_at_all_are_no_problem(tmp_path):
    journal = OrderJournal.open(tmp_path, DEVICES)
    assert journal.problem == ""
    journal.note(heating(on=True))
    assert OrderJournal.open(tmp_path, DEVICES).problem == ""


def test_a_device_of_which_both_notes_are_torn_is_told(tmp_path):
    journal = OrderJournal.open(tmp_path, DEVICES)
    journal.note(heating(on=True))
    journal.close()
    file = tmp_path / NAME
    file.write_bytes(file.read_bytes().replace(b"obyvak", b"o\0yvak"))
    assert OrderJournal.open(tmp_path, DEVICES).problem.startswith("the last orders to 1 devices")


def test_devices_with_endless_names_are_kept_in_hand_only(tmp_path):
    name = "x" * PLACE
    journal = OrderJournal.open(tmp_path, [f"relay/{name}"])
    journal.note(heating(on=True, relay=name))
    assert journal.last(f"relay/{name}") is not None
    assert OrderJournal.open(tmp_path, DEVICES).last(f"relay/{name}") is None


VICTIM = """
import os, sys
from pathlib import Path
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.levels import Level
from pems_actors.durable.order_journal import OrderJournal
journal = OrderJournal.open(Path(sys.argv[1]), ["relay/a"])
for k in range(10_000_000):
    journal.note(SetHeating("a", bool(k % 2), "x", Level.PLAN, float(k), k + 900.0))
    if k % 100 == 0:  # this order went out: the world has seen it
        os.write(1, b"%d\\n" % k)
"""


def test_an_order_that_went_out_is_noted_even_if_the_process_is_killed(tmp_path):
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        seen = [int(victim.stdout.readline()) for _ in range(20)]
        os.kill(victim.pid, signal.SIGKILL)
        seen += [int(line) for line in victim.stdout]
    finally:
        victim.kill()
        victim.wait()
        victim.stdout.close()
    assert all(b > a for a, b in pairwise(seen))
    last = OrderJournal.open(tmp_path, ["relay/a"]).last("relay/a")
    assert last.at_s >= seen[-1]
    assert last.order == ("on" if int(last.at_s) % 2 else "off")
