"""What the battery gives and takes where each power lets other relays in."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from pems_actors.bench.planning_instances import START_S, instance
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.feeding import Feeding, feeds_of
from tests.optimisation.problems import with_state
from tests.optimisation.test_relays import near_of


def feeding(soc_frac: float = 0.5) -> Feeding:
    problem = instance("cold", 0, grid=TimeGrid.uniform(START_S, 24))
    near = near_of(with_state(problem, soc_frac=soc_frac), binary_h=6.0)
    return Feeding(near, feeds_of(near.case.problem.battery, 2.4))


def worth_of_giving(of: Feeding, slots: list[int]) -> np.ndarray:
    """A kW and more of the battery is worth a lot in some slots, and nothing elsewhere."""
    value = np.zeros((of.near.slots, len(of.feeds_kw)))
    value[slots] = np.where(of.feeds_kw >= 1.0, 50.0, 0.0)
    return value


def stored_kwh(of: Feeding, feed: np.ndarray) -> np.ndarray:
    kw, leg = of.feeds_kw[feed], of.near.case.problem.battery.leg_frac
    taken = np.where(kw > 0.0, -kw / leg, -kw * leg)
    return np.asarray(of.near.case.first_kwh + np.cumsum(of.near.hours * taken))


def test_feeds_go_in_tenths_from_what_it_takes_to_what_lets_everybody_in() -> None:
    of = feeding()
    assert of.feeds_kw.tolist() == sorted(of.feeds_kw.tolist())
    assert 0.0 in of.feeds_kw
    assert of.feeds_kw.max() == pytest.approx(2.5)
    assert of.feeds_kw.min() >= -of.near.case.problem.battery.max_charge_kw


def test_an_order_lasts_for_half_an_hour() -> None:
    of = feeding()
    feed = of.best(worth_of_giving(of, [3, 8, 14]), 0.0)
    assert (feed[0::2] == feed[1::2]).all()


@pytest.mark.parametrize("soc_frac", [0.13, 0.5, 0.9])
def test_charge_stays_in_its_window_and_a_little_is_always_kept(soc_frac: float) -> None:
    of = feeding(soc_frac)
    charge = stored_kwh(of, of.best(worth_of_giving(of, list(range(24))), 0.0))
    low, high = of.near.case.soc_window_kwh
    assert charge.min() > low + 0.15
    assert charge.max() <= high + 1e-6


def test_an_empty_battery_is_charged_before_it_is_worth_a_lot() -> None:
    of = feeding(0.12)
    feed_kw = of.feeds_kw[of.best(worth_of_giving(of, [20, 21, 22, 23]), 0.0)]
    assert feed_kw[:20].min() < 0.0
    assert (feed_kw[20:] >= 1.0).all()


def test_dear_changes_are_made_less_often() -> None:
    of = feeding(0.3)
    value = worth_of_giving(of, [2, 3, 10, 11, 18, 19])
    often, seldom = (of.turns(of.best(value, price)) for price in (0.0, 100.0))
    assert seldom < often


@pytest.mark.parametrize("turn_price", [0.0, 0.5, 3.0])
def test_no_other_feed_over_any_half_hours_is_worth_more(turn_price: float) -> None:
    of = feeding(0.3)
    value = np.random.default_rng(7).normal(0.0, 0.5, (of.near.slots, len(of.feeds_kw)))
    value[6:18, of.feeds_kw > 0.0] += 1.0  # less than a change at once, more in the end
    best = of.best(value, turn_price)
    low, high = of.near.case.soc_window_kwh

    def worth(feed: np.ndarray) -> float:
        kinds = np.sign([0.0, *of.feeds_kw[feed][::2]])
        turned = turn_price * float((kinds[1:] != kinds[:-1]).sum())
        return float(value[np.arange(24), feed].sum()) - of.cost(np.full(24, 9.0), feed) - turned

    most = worth(best)
    runs = combinations(range(0, 25, 2), 2)
    for (begin, end), other in product(runs, range(len(of.feeds_kw))):
        changed = best.copy()
        changed[begin:end] = other
        charge = stored_kwh(of, changed)
        if charge.min() > low + 0.2 and charge.max() < high - 0.2:
            assert worth(changed) <= most + 0.1 * of.end_price


@pytest.mark.parametrize("way", ["max_charge_kw", "max_discharge_kw"])
def test_a_battery_that_goes_one_way_only_is_told_nothing_else(way: str) -> None:
    of = feeding()
    battery = replace(of.near.case.problem.battery, **{way: 0.0})
    one_way = Feeding(of.near, feeds_of(battery, 2.4))
    feed_kw = one_way.feeds_kw[one_way.best(worth_of_giving(one_way, [4, 5, 20, 21]), 0.1)]
    assert (feed_kw >= 0.0).all() if way == "max_charge_kw" else (feed_kw <= 0.0).all()
    assert one_way.turns(np.full(24, int(np.abs(one_way.feeds_kw).argmin()))) == 0


def test_changes_are_counted_from_the_mode_that_is_on_to_the_last_power() -> None:
    of = feeding()
    rest, gives = int(np.abs(of.feeds_kw).argmin()), len(of.feeds_kw) - 1
    feed = np.full(24, rest)
    assert of.turns(feed) == 0
    feed[4:6] = gives
    problem = with_state(of.near.case.problem, battery_mode=BatteryMode.HOLD)
    holding = replace(of, near=replace(of.near, case=replace(of.near.case, problem=problem)))
    assert holding.turns(feed) == 1
    assert of.turns(feed) == 2  # from self_use
    feed[0:2] = 0
    assert holding.turns(feed) == 3
