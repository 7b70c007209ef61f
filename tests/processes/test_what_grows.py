"""The live soak's figures tell a leak from a warm-up, and break what can be broken."""

from __future__ import annotations

import random

import pytest

from pems_actors.bench.fast_house import KILL_SOLVER, FastHouse, strikes
from pems_actors.bench.soak_live import TARGETS, Look, growth, live
from pems_actors.fault_table import Target, row_named
from tests.gateways.houses import two_rooms

DAYS = 10.0


def looks(mb_per_day: float, warm_mb: float = 0.0, threads_per_day: float = 0.0) -> list[Look]:
    noise = random.Random(1)
    days = [DAYS * k / 100 for k in range(100)]
    return [
        Look(
            day,
            100.0 + mb_per_day * day + warm_mb * min(day, 1.5) + noise.uniform(-1.0, 1.0),
            50 + int(threads_per_day * day),
            20,
        )
        for day in days
    ]


def test_a_leak_is_a_slope() -> None:
    assert growth(looks(2.0))["rss_slope_mb_per_day"] == pytest.approx(2.0, abs=0.2)
    assert not TARGETS["rss_slope_mb_per_day"].met_by(growth(looks(2.0))["rss_slope_mb_per_day"])


def test_a_warm_up_is_no_leak() -> None:
    seen = growth(looks(0.0, warm_mb=30.0))
    assert seen["rss_slope_mb_per_day"] == pytest.approx(0.0, abs=0.2)
    assert all(target.met_by({**seen, "gave_up": 0}[name]) for name, target in TARGETS.items())


def test_threads_that_stay_are_growth() -> None:
    assert growth(looks(0.0, threads_per_day=1.0))["threads_growth"] == pytest.approx(6.0, abs=1.0)


def test_one_look_is_enough_for_figures() -> None:
    assert growth(looks(1.0)[:1])["rss_slope_mb_per_day"] == 0.0


def test_every_kind_of_place_is_struck_except_clock_and_core() -> None:
    drawn = strikes(two_rooms(), 400.0, 12.0, seed=1)
    assert len(drawn) == 4800
    assert [s.after_s for s in drawn] == sorted(s.after_s for s in drawn)
    solver = [strike for strike in drawn if strike.target == Target.SOLVER.value]
    assert {strike.name for strike in solver} == {KILL_SOLVER.name}
    struck = {row_named(s.name).target for s in drawn if s not in solver}
    left_out = {Target.CLOCK, Target.CORE, Target.PROCESS, Target.SOLVER, Target.LOAD}
    assert struck == set(Target) - left_out


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_house_lives_on_through_fast_and_hard_hours(tmp_path) -> None:
    house = FastHouse(tmp_path, 0.125, 80.0)
    house.start()
    try:
        seen = live(house, 0.125)
    finally:
        house.stop()
    assert 8 <= seen["faults"] <= 10  # the last may be due only after the end
    assert seen["restarts"] > 0
    assert seen["gave_up"] == 0
    assert house.mqtt.counts["pems/supervisor/rooms/hosti"] > 0
