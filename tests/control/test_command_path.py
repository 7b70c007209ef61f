"""A device that answers and does not obey is found in three looks, and given chances again."""

from __future__ import annotations

from pems_actors.control.command_path import LOOKS, CommandPath
from pems_actors.domain.units import HOUR_S

LONG_AGO_S = -1000.0


def looked(path: CommandPath, ordered: str, shown: str | None, start_s: float, times: int):
    for k in range(times):
        path = path.after(ordered, LONG_AGO_S, shown, start_s + 60.0 * k)
    return path


def test_three_looks_against_the_order_are_disobedience() -> None:
    assert looked(CommandPath(), "hold", "self_use", 0.0, LOOKS - 1).obeys
    path = looked(CommandPath(), "hold", "self_use", 0.0, LOOKS)
    assert (path.obeys, path.usable, path.stands) == (False, False, "self_use")


def test_an_order_may_take_a_tick_to_show() -> None:
    path = CommandPath()
    for k in range(10):
        path = path.after("hold", 60.0 * k - 30.0, "self_use", 60.0 * k)
    assert path.against == 0


def test_one_look_as_ordered_forgives_the_ones_before() -> None:
    path = looked(CommandPath(), "hold", "self_use", 0.0, 2)
    assert looked(path, "hold", "hold", 120.0, 1) == CommandPath()


def test_a_device_that_says_nothing_is_not_judged() -> None:
    assert looked(CommandPath(), "hold", None, 0.0, 10) == CommandPath()


def test_that_it_stands_where_it_is_wished_proves_nothing() -> None:
    path = looked(CommandPath(), "hold", "self_use", 0.0, 3)
    assert not looked(path, "self_use", "self_use", 180.0, 10).obeys


def test_moving_as_ordered_proves_that_it_obeys_again() -> None:
    path = looked(CommandPath(), "hold", "self_use", 0.0, 3)
    assert looked(path, "hold", "hold", 180.0, 1).obeys


def test_it_is_tried_again_after_an_hour_then_after_two_and_never_later_than_six() -> None:
    path, now_s, waits = CommandPath(), 0.0, []
    for _ in range(6):
        path = looked(path, "hold", "self_use", now_s, 3)
        since_s = now_s + 120.0
        while not path.usable:
            now_s += 600.0
            path = path.after("self_use", LONG_AGO_S, "self_use", now_s)
        waits.append(round((now_s - since_s) / HOUR_S))
    assert waits == [1, 2, 4, 6, 6, 6]
    assert not path.obeys


def test_the_outage_is_one_from_its_start_through_all_tries() -> None:
    path = looked(CommandPath(), "hold", "self_use", 0.0, 3)
    since_s = path.since_s
    path = path.after("self_use", LONG_AGO_S, "self_use", 2 * HOUR_S)
    assert path.trying
    path = looked(path, "hold", "self_use", 2 * HOUR_S + 60.0, 3)
    assert path.since_s == since_s
