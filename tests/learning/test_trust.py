"""Trust is earned by numbers and lost by numbers, a tier at a time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.learning.life.drift import drift
from pems_actors.learning.life.trust import IDENTIFIED, Standing, Tier, judged, missing
from tests.learning.records import BEGAN_S, at, now_after, scores

NEW = Standing("ridge", "ridge.1", since_s=BEGAN_S, counts_from_s=BEGAN_S)
TRUSTED = Standing("ridge", "ridge.1", Tier.CONTROL, BEGAN_S, BEGAN_S)


def lived(errors, floors=1.0, standing=NEW, inside=0.8):
    """Judge after every score; the standings on the way."""
    record = scores(errors, floors, inside)
    stood, steps = [standing], []
    for k in range(1, len(record) + 1):
        after, step = judged(record[:k], stood[-1], now_after(record[:k]), "kW")
        stood.append(after)
        steps += [step] if step else []
    return stood, steps


def test_a_good_record_rises_to_advice_after_three_days_and_to_control_after_seven():
    stood, steps = lived([0.8] * 40)
    assert [step.standing.tier for step in steps] == [Tier.ADVISE, Tier.CONTROL]
    days = [(step.standing.since_s - BEGAN_S) / 86400.0 for step in steps]
    assert days == [3.0, 7.0]
    assert stood[-1].tier is Tier.CONTROL


def test_a_promotion_says_its_numbers():
    _, steps = lived([0.8] * 40)
    assert steps[-1].up
    assert "error 0.8 kW against 1 of persistence" in steps[-1].reason
    assert "+20.0 %" in steps[-1].reason


def test_whoever_is_no_better_than_the_floor_is_only_watched():
    assert lived([0.99] * 60)[0][-1].tier is Tier.OBSERVE


def test_bands_that_never_hold_keep_a_good_median_from_control():
    assert lived([0.8] * 60, inside=0.3)[0][-1].tier is Tier.OBSERVE
    assert lived([0.8] * 60, inside=1.0)[0][-1].tier is Tier.ADVISE


def test_few_lucky_days_do_not_hide_many_bad_ones():
    assert lived([1.05, 1.05, 1.05, 0.2] * 15)[0][-1].tier is not Tier.CONTROL


def test_a_drift_takes_control_within_two_days():
    stood, steps = lived([0.8] * 30 + [1.7] * 8, [1.0] * 30 + [1.4] * 8, TRUSTED)
    assert steps[0].standing.tier is Tier.OBSERVE
    assert "it drifts" in steps[0].reason
    assert steps[0].standing.since_s - at(30 / 4) <= 48 * 3600.0
    assert stood[-1].tier is Tier.OBSERVE


def test_a_day_that_surprises_everybody_accuses_nobody():
    errors = [0.8, 0.7, 0.9, 0.8] * 8
    assert lived([*errors, 1.3, 1.3], [1.0] * 32 + [2.5, 2.5], TRUSTED)[0][-1].tier is Tier.CONTROL


def test_a_gain_that_is_lost_slowly_costs_one_tier():
    errors = [0.8] * 28 + [0.8 + 0.02 * k for k in range(24)]
    stood, steps = lived(errors, 1.0, TRUSTED)
    assert steps[0].standing.tier is Tier.ADVISE or "drifts" in steps[0].reason
    assert stood[-1].tier is not Tier.CONTROL


def test_after_a_fall_only_what_comes_after_it_counts():
    record = scores([0.8] * 30 + [3.0] * 2 + [0.8] * 12)
    fallen, _ = judged(record[:32], TRUSTED, now_after(record[:32]))
    assert fallen.tier is Tier.OBSERVE
    soon = now_after(record[:36])
    assert judged(record[:36], fallen, soon)[0].tier is Tier.OBSERVE
    assert "more scored days" in missing(record[:40], fallen, now_after(record[:40]))


def test_what_is_missing_is_told_and_nothing_at_the_top():
    record = scores([0.99] * 20)
    assert "2 % under the floor's, now +1.0 %" in missing(record, NEW, now_after(record))
    assert missing((), NEW, BEGAN_S) == "3 scored days for advise"
    assert missing(record, TRUSTED, now_after(record)) == ""


@given(st.lists(st.floats(0.01, 5.0), min_size=1, max_size=60), st.sampled_from(list(Tier)))
def test_no_record_moves_a_standing_up_by_more_than_a_tier(errors, tier):
    record = scores(errors)
    before = Standing("ridge", "ridge.1", tier, BEGAN_S, BEGAN_S)
    after, step = judged(record, before, now_after(record))
    assert after.tier.rank <= tier.rank + 1
    assert (step is None) == (after == before)


def test_a_short_record_cannot_drift():
    assert drift([1.0] * 8 + [9.0, 9.0], 1.0) is None


def test_a_drift_tells_by_how_much():
    found = drift([1.0] * 20 + [4.0, 4.0], 1.2)
    assert found is not None
    assert (found.times, found.usual, found.floor) == (4.0, 1.0, 1.2)


def test_a_floor_that_is_away_at_times_is_no_error():
    record = list(scores([0.8] * 40))
    record[3::4] = scores([0.8] * 40, recipe="ridge", house=0.9)[3::4]
    only_house = [replace(each, error={"ridge": 0.8, "house": 0.9}) for each in record[-3:]]
    stood, _ = judged([*record, *only_house], TRUSTED, now_after(record))
    assert stood.tier is Tier.CONTROL


# Rooms: the floor is the room as configured, and a plan will stand on them.


ROOM = Standing(IDENTIFIED, "identified.1", since_s=BEGAN_S, counts_from_s=BEGAN_S)


def room(errors_k, floor_k=0.5, standing=ROOM):
    """Judge a room's record after its last score; all steps on the way."""
    record = scores(errors_k, floor_k, recipe=IDENTIFIED)
    steps = []
    for k in range(1, len(record) + 1):
        standing, step = judged(record[:k], standing, now_after(record[:k]), "K")
        steps += [step] if step else []
    return standing, steps


def test_a_room_needs_a_clear_gain_for_control_where_a_forecast_needs_a_small_one():
    assert room([0.46] * 60)[0].tier is Tier.ADVISE
    assert lived([0.92] * 60)[0][-1].tier is Tier.CONTROL
    assert room([0.4] * 60)[0].tier is Tier.CONTROL


def test_a_room_that_is_often_wrong_by_much_does_not_steer_whatever_its_gain():
    standing, _ = room([0.7] * 60, floor_k=2.0)
    assert standing.tier is Tier.ADVISE
    record = scores([0.7] * 60, 2.0, recipe=IDENTIFIED)
    assert "an error of 0.6 at most" in missing(record, standing, now_after(record))


def test_an_error_that_no_sensor_resolves_is_no_drift_of_a_room():
    quiet = replace(ROOM, tier=Tier.CONTROL)
    assert room([0.03] * 30 + [0.08] * 4, 0.07, quiet)[0].tier is Tier.CONTROL
    standing, steps = room([0.03] * 30 + [0.3] * 8, 0.07, quiet)
    assert standing.tier is Tier.OBSERVE
    assert "it drifts" in steps[0].reason
