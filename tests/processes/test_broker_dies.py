"""A broker that is killed and comes back with an empty memory is told everything again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pems_actors.bench.resilience import broker_away
from pems_actors.bench.resilience.extent import Extent
from pems_actors.gateways.broker import find_mosquitto

pytestmark = [
    pytest.mark.slow,
    pytest.mark.broker,
    pytest.mark.xdist_group("processes"),
    pytest.mark.timeout(150),
]
SHOWN = {"devices": {"rooms/hosti": {"at": "2023-01-16T05:01:00Z"}}}


def told(at: str) -> dict[str, bytes]:
    return {"pems/status": b"online", "pems/state/rooms/hosti": f'{{"at": "{at}"}}'.encode()}


def outage(folder: Path, outage_s: float) -> None:
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed; apt-get install mosquitto")
    seen = broker_away.run(folder, Extent(outage_s=outage_s))
    assert seen["broker_outage_s"] == outage_s
    assert seen["house_answers_without_broker"]
    assert seen["broker_topics"] > 60
    assert broker_away.TARGETS["broker_states_right_s"].met_by(seen["broker_states_right_s"])


@pytest.mark.long  # the connection alone is tested with a broker that comes and goes
def test_all_that_is_retained_is_right_again_soon_after_the_broker_is(tmp_path: Path) -> None:
    outage(tmp_path, 3.0)


@pytest.mark.long
def test_a_broker_killed_for_half_a_minute_knows_the_house_ten_seconds_after_its_return(
    tmp_path: Path,
) -> None:
    outage(tmp_path, 30.0)


def test_a_state_that_is_older_than_the_shown_one_or_missing_is_not_right() -> None:
    assert broker_away.is_right(SHOWN, told("2023-01-16T05:01:00Z"), {"pems/status"})
    assert broker_away.is_right(SHOWN, told("2023-01-16T05:02:00Z"), set())
    assert not broker_away.is_right(SHOWN, told("2023-01-16T05:00:00Z"), set())
    assert not broker_away.is_right(SHOWN, told("2023-01-16T05:01:00Z"), {"pems/plan"})
    assert not broker_away.is_right(SHOWN, {"pems/status": b"online"}, set())
    assert not broker_away.is_right(SHOWN, {}, set())
