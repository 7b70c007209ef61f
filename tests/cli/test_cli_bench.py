"""`pems bench supervision`: what is measured is what happens, on a crowd of real threads."""

import os
from collections.abc import Iterator

import pytest

from pems_actors.bench import crowd
from pems_actors.bench import supervision as bench
from pems_actors.bench.crowd import PATHS, Crash, Tally, WhichEpoch
from supervision import ActorSystem
from tests.cli.conftest import Pems


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def system(tally: Tally) -> Iterator[ActorSystem]:
    running = crowd.started(tally)
    yield running
    running.stop()


def test_a_crash_is_answered_by_the_replacement(system: ActorSystem) -> None:
    system.tell(PATHS[0], Crash())
    assert system.ask(PATHS[0], WhichEpoch(), timeout_s=5.0) == 2
    assert all(0.0 < seconds < 5.0 for seconds in bench.crash_times(system, 3))
    assert system.counters()["crashes"] == 4


def test_all_fifty_are_replaced(system: ActorSystem) -> None:
    assert bench.kill_all_time(system) < 5.0
    assert system.counters()["restarts"] == len(PATHS) == 50


def test_late_effects_are_tried_and_refused(system: ActorSystem, tally: Tally) -> None:
    (after_s,) = bench.hang_times(system, 1, late=20)
    bench._wait_for_zombies(system)
    assert after_s < 5.0
    assert (tally.accepted, tally.refused) == (0, 20)


def test_the_members_talk_all_the_time(system: ActorSystem) -> None:
    before = sum(status.handled for status in system.tree())
    bench.crash_times(system, 5)
    assert sum(status.handled for status in system.tree()) > before + 50


def test_quantiles_take_a_value_that_was_seen() -> None:
    assert bench.quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert bench.quantile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_memory_is_that_of_the_process_and_unknown_if_there_is_none() -> None:
    own = bench.resident_mb(os.getpid())
    assert own is not None
    assert own > 5.0
    assert bench.resident_mb(2**30) is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("mpc", "--kills", "3"), "No such option: --kills; see `pems bench mpc --help`"),
        (("resilience", "--days", "1"), "see `pems bench resilience --help`"),
        (("resilience", "--only", "core,moon"), "there is no section 'moon'; give some of core,"),
    ],
)
def test_what_a_measurement_does_not_know_is_refused(
    pems: Pems, typed: tuple[str, ...], words: str
) -> None:
    said = pems("bench", *typed)
    assert said.code == 2
    assert words in said.err
