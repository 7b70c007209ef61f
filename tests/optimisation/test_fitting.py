"""What fits under the caps together: looked up, and as good as trying everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pems_actors.bench.planning_instances import instance
from pems_actors.optimisation.fitting import Fitting, fitting_of
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.switching import Caps, caps_of
from tests.optimisation.test_relays import near_of

FEEDS_KW = np.array([-2.0, 0.0, 1.3, 2.4])


def without_plan(near: Near) -> Caps:
    return caps_of(near.case, near.case.stages.pv_kw[: near.slots])


def fits_at(near: Near, feed_kw: float, k: int) -> tuple[np.ndarray, np.ndarray]:
    """All sets of relays, and which of them keep every cap beside a power of the battery."""
    caps, relays = without_plan(near), near.case.power_kw.size
    sets = (np.arange(2**relays)[:, None] >> np.arange(relays) & 1).astype(bool)
    lifted = np.where(caps.lift > 0.0, feed_kw / np.maximum(caps.lift, 1.0), 0.0)
    return sets, (sets @ caps.use.T <= caps.room_kw[:, k] + lifted + 1e-6).all(axis=1)


def fitting(near: Near) -> Fitting:
    found = fitting_of(without_plan(near), np.tile(FEEDS_KW, (near.slots, 1)))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_set_that_is_looked_up_fits_and_no_set_that_fits_is_worth_more(seed: int) -> None:
    near = near_of(instance("cold", seed))
    rng = np.random.default_rng(seed)
    worth = rng.normal(2.0, 2.0, (near.slots, near.case.power_kw.size)) * near.case.power_kw
    best = fitting(near).best(worth, np.arange(near.slots))
    for feed, feed_kw in enumerate(FEEDS_KW.tolist()):
        on = best.on(np.full(near.slots, feed))
        for k in range(0, near.slots, 7):
            sets, fits = fits_at(near, feed_kw, k)
            assert fits[np.nonzero((sets == on[k]).all(axis=1))[0][0]]
            most = float((sets[fits] @ worth[k]).max())
            assert on[k] @ worth[k] == pytest.approx(most)
            assert best.value[k, feed] == pytest.approx(most)


def test_whoever_is_worth_nothing_stays_off_however_much_room_there_is() -> None:
    near = near_of(instance("shoulder", 0))
    worth = np.full((near.slots, near.case.power_kw.size), -1.0)
    assert not fitting(near).best(worth, np.arange(near.slots)).on(np.full(near.slots, 3)).any()


def test_relays_that_all_hang_together_under_two_caps_are_too_many_to_list() -> None:
    near = near_of(instance("cold", 0))
    caps = without_plan(near)
    tight = replace(caps, room_kw=np.where(caps.lift[:, None] == 0.0, 4.0, caps.room_kw))
    assert fitting_of(tight, np.tile(FEEDS_KW, (near.slots, 1))) is None


def test_a_cap_that_narrower_ones_already_keep_binds_nobody() -> None:
    near = near_of(instance("cold", 0))
    members = sorted(m for group in fitting(near).groups for m in group.members.tolist())
    assert members == [m for m, share in enumerate(near.case.phases) if share.max() == 1.0]
