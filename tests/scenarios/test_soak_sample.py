"""A sample of the soak: seeded stories of the whole appliance, each one judged, none guilty."""

import pytest

from pems_actors.fault_table import VIRTUAL, Target, row_named
from pems_actors.soak.flexible import FLEXIBLE
from pems_actors.soak.stories import PLANNING_SHARE, Tale, plot_of
from pems_actors.soak.telling import tell
from pems_actors.soak.witness import Witness

SAMPLE = range(40, 45)
NAMES = [row.name for row in VIRTUAL]


def guilt(told) -> str:
    return "\n".join((told.written_out.replay, *(str(v) for v in told.violations[:5])))


@pytest.mark.parametrize("seed", SAMPLE)
def test_a_seeded_story_breaks_no_law(seed):
    told = tell(Tale(seed, "light" if seed % 2 else "heavy"))
    assert told.violations == (), guilt(told)
    assert told.strikes


def test_a_story_is_told_twice_in_the_same_words():
    one, two = (Witness(plot_of(Tale(41, "heavy"))) for _ in range(2))
    digests = [witness.tell().figures["log_sha256"] for witness in (one, two)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("name", NAMES)
def test_each_virtual_fault_is_suffered_and_passes(name):
    lasts_s = 600 if name == "suspend" else 1500
    house = FLEXIBLE if row_named(name).target is Target.LOAD else ""
    tale = Tale(_seed_for(name), f"{name}:1200/{lasts_s}", 1.2 / 24.0, house)
    plot = plot_of(tale)
    witness = Witness(plot)
    witness.tell()
    simulation = witness.simulation
    assert witness.violations == (), f"{tale.replay}\n{witness.violations[:5]}"
    assert [strike.name for strike in simulation.strikes] == [name]
    assert not simulation.troubles
    assert simulation.runtime.ahead_s == 0.0
    assert simulation.mqtt.up
    assert not simulation.twin.faults


def _seed_for(name: str) -> int:
    """A small house; one that plans where it is the solver that breaks."""
    planning = row_named(name).target is Target.SOLVER
    return next(
        seed
        for seed in range(1000)
        if (story := plot_of(Tale(seed, "none")).story).house.name.startswith("flat")
        and story.pace.planning == planning
        and story.armed is None
    )


def test_the_sample_is_of_all_kinds():
    stories = [plot_of(Tale(seed, "none")).story for seed in range(200)]
    planning = sum(story.pace.planning for story in stories) / len(stories)
    assert planning == pytest.approx(PLANNING_SHARE, abs=0.08)
    assert len({story.house.name for story in stories}) == 3
    assert any(story.armed == frozenset() for story in stories)
