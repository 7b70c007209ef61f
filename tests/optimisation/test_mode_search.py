"""The cheapest orders: as good as trying all of them, and never more changes than a day bears."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from pems_actors.domain.house import BatteryMode
from pems_actors.optimisation.mode_search import ModeSearch
from pems_actors.optimisation.mode_table import ModeTable, Order, offered_kw
from pems_actors.optimisation.modes import _enough

SLOTS = 7
ORDERS = (
    Order(BatteryMode.SELF_USE),
    Order(BatteryMode.HOLD),
    Order(BatteryMode.SELL, 1.0),
    Order(BatteryMode.SELL, 2.0),
    Order(BatteryMode.CHARGE_GRID),
)


def search(seed: int, most_changes: int, new_day: frozenset[int] = frozenset()) -> ModeSearch:
    """Costs at random, and a charge that never moves: money alone decides."""
    rng = np.random.default_rng(seed)
    soc = np.linspace(0.1, 0.9, 5)
    cost = np.repeat(rng.uniform(0.0, 1.0, size=(SLOTS, len(ORDERS), 1)), len(soc), axis=2)
    after = np.broadcast_to(soc, cost.shape).copy()
    return ModeSearch(
        orders=ORDERS,
        table=ModeTable(soc, cost, after),
        may_change=(True,) * SLOTS,
        new_day=new_day,
        most_changes=most_changes,
        full_worth=0.0,
        mode=BatteryMode.SELF_USE,
        soc_frac=0.5,
        changes_left=most_changes,
    )


def changes(orders: list[Order] | tuple[Order, ...]) -> int:
    before = [BatteryMode.SELF_USE, *(order.mode for order in orders)]
    return sum(a is not b for a, b in pairwise(before))


def can_end(orders: tuple[Order, ...], most: int) -> bool:
    """Whether no charge begins with the last change of `most`, and changes are no more."""
    before = [BatteryMode.SELF_USE, *(order.mode for order in orders)]
    spent = np.cumsum([a is not b for a, b in pairwise(before)])
    begun = [
        k
        for k, (a, b) in enumerate(pairwise(before))
        if a is not b and b is BatteryMode.CHARGE_GRID
    ]
    return bool(spent[-1] <= most and all(spent[k] < most for k in begun))


def price(of: ModeSearch, orders: tuple[Order, ...], change_price: float) -> float:
    rows = [ORDERS.index(order) for order in orders]
    paid = sum(float(of.table.cost[k, a, 0]) for k, a in enumerate(rows))
    turned = sum(a is not b for a, b in pairwise(orders))
    return paid + change_price * (turned + (orders[0].mode is not of.mode))


@pytest.mark.parametrize(("seed", "most"), [(0, 0), (1, 1), (0, 3), (1, 3)])
def test_the_search_finds_what_trying_everything_finds(seed: int, most: int) -> None:
    of = search(seed, most)
    every = (orders for orders in product(ORDERS, repeat=SLOTS) if can_end(orders, most))
    best = min(price(of, orders, 0.05) for orders in every)
    found = tuple(of.cheapest(0.05))
    assert can_end(found, most)
    assert price(of, found, 0.05) == pytest.approx(best)


def test_with_another_day_come_other_changes() -> None:
    one, two = search(1, 2), search(1, 2, frozenset({4}))
    assert changes(one.cheapest(0.0)) <= 2
    assert changes(two.cheapest(0.0)[:4]) <= 2
    assert changes(one.cheapest(0.0)) < changes(two.cheapest(0.0)) <= 4


@pytest.mark.parametrize("seed", range(2))
def test_changes_of_the_past_count_until_they_are_a_day_old(seed: int) -> None:
    of = replace(search(seed, 2), changes_left=0, regained={3: 1, 5: 1})
    charge = ORDERS[-1]

    def allowed(orders: tuple[Order, ...]) -> bool:
        few = changes(orders[:3]) == 0 and changes(orders[:5]) <= 1 and changes(orders) <= 2
        return few and (charge not in orders or ends_in_time(orders))

    def ends_in_time(orders: tuple[Order, ...]) -> bool:
        begins = orders.index(charge)
        return begins >= 5 and changes(orders[: begins + 1]) == 1

    every = (orders for orders in product(ORDERS, repeat=SLOTS) if allowed(orders))
    best = min(price(of, orders, 0.05) for orders in every)
    found = tuple(of.cheapest(0.05))
    assert allowed(found)
    assert price(of, found, 0.05) == pytest.approx(best)


def test_the_last_change_of_a_day_begins_no_charge() -> None:
    of = search(0, 1)
    cheap = of.table.cost.copy()
    cheap[:, ORDERS.index(Order(BatteryMode.CHARGE_GRID))] = -1.0
    of = replace(of, table=replace(of.table, cost=cheap))
    assert Order(BatteryMode.CHARGE_GRID) not in of.cheapest(0.0)
    two = replace(of, most_changes=2, changes_left=2)
    assert two.cheapest(0.0) == [Order(BatteryMode.CHARGE_GRID)] * SLOTS


def test_never_more_changes_come_free_than_a_day_has() -> None:
    one = search(1, 2)
    assert replace(one, regained={0: 5}).cheapest(0.0) == one.cheapest(0.0)


def test_a_mode_that_may_not_change_stays() -> None:
    stuck = replace(search(2, 4), may_change=(False,) * SLOTS)
    assert {order.mode for order in stuck.cheapest(0.0)} == {BatteryMode.SELF_USE}


def test_a_wanted_discharge_is_offered_by_the_order_next_to_it() -> None:
    offered = offered_kw(ORDERS, np.array([0.0, 0.9, 1.5, 1.9, 5.0]))
    assert offered.tolist() == [0.0, 1.0, 1.5, 2.0, 5.0]
    assert offered_kw(ORDERS[:2], np.array([1.2])).tolist() == [1.2]


def test_a_run_of_selling_gives_what_is_wanted_of_any_of_its_slots() -> None:
    orders = [ORDERS[3], ORDERS[3], ORDERS[1], ORDERS[2]]
    told = _enough(orders, np.array([1.0, 2.21, 0.0, 4.0]))
    assert [order.rate_kw for order in told] == [2.3, 2.3, None, 1.0]
