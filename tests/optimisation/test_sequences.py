"""Sequences as whole numbers say the same as sequences as rows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pems_actors.optimisation.amends import level_weights, levels_of
from pems_actors.optimisation.sequences import bits_of, flips, listed, lists_all, rows_of, starts_of

EVERY = np.array(list(product((0.0, 1.0), repeat=7)))


def test_rows_survive_being_written_as_whole_numbers() -> None:
    assert (rows_of(bits_of(EVERY), 7) == EVERY).all()
    assert len(set(bits_of(EVERY).tolist())) == len(EVERY)


def test_few_slots_are_listed_whole_and_many_by_sequences_of_few_runs() -> None:
    assert sorted(listed(7).bits.tolist()) == list(range(2**7))
    assert lists_all(7)
    assert not lists_all(16)
    assert len(listed(16).bits) == 1 + 17 * 16 // 2 + 17 * 16 * 15 * 14 // 24


@pytest.mark.parametrize("on_before", [False, True])
def test_starts_are_counted_as_by_hand(on_before: bool) -> None:
    before = np.column_stack([np.full(len(EVERY), float(on_before)), EVERY[:, :-1]])
    by_hand = (EVERY * (1.0 - before)).sum(axis=1)
    assert (starts_of(bits_of(EVERY), on_before=on_before) == by_hand).all()


def test_levels_count_what_each_slot_adds() -> None:
    assert (levels_of(bits_of(EVERY)) == EVERY @ level_weights(7)).all()


def test_small_changes_turn_none_or_one_or_two_slots_round_once_each() -> None:
    small = flips(9)
    assert len(small.bits) == len(set(small.bits.tolist())) == 1 + 9 + 36
    assert small.rows.sum(axis=1).max() == 2.0
