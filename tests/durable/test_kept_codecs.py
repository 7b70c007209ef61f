"""Whatever outlives a restart comes back as it was, and what cannot be read is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.control import order, wishes
from pems_actors.control.battery import UserBattery
from pems_actors.domain.plan import Plan, PlanSlot, SolverRecord
from pems_actors.durable import domain_codecs as codecs
from pems_actors.durable import kept
from pems_actors.durable.plain import NUMBER, UnreadableError, many, numbered, record, table
from tests.durable.kept_values import KEPT

NOW = 1_700_000_000.0


def test_every_kind_of_kept_value_is_tried_here():
    assert KEPT.keys() == kept.KINDS.keys()


@pytest.mark.parametrize("name", kept.KINDS)
def test_what_is_written_as_json_is_read_back_the_same(name):
    codec = kept.KINDS[name].codec

    @settings(deadline=None, max_examples=40)
    @given(KEPT[name])
    def round_trip(value):
        text = json.dumps(codec.write(value), allow_nan=False)  # JSON proper knows no infinity
        assert codec.read(json.loads(text)) == value

    round_trip()


@pytest.mark.parametrize("name", kept.KINDS)
def test_rubbish_is_refused_and_raises_nothing_else(name):
    rubbish = st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
    codec = kept.KINDS[name].codec

    @settings(deadline=None, max_examples=40)
    @given(rubbish)
    def refused_or_read(data):
        with suppress(UnreadableError):
            codec.write(codec.read(data))

    refused_or_read()


@pytest.mark.parametrize("name", kept.KINDS)
def test_one_broken_leaf_anywhere_is_refused_or_harmless(name):
    codec = kept.KINDS[name].codec

    @settings(deadline=None, max_examples=30)
    @given(KEPT[name], st.randoms(use_true_random=False))
    def spoilt(value, chance):
        data = json.loads(json.dumps(codec.write(value)))
        with suppress(UnreadableError):  # nothing else may be raised
            codec.write(codec.read(_spoil(data, chance)))

    spoilt()


def _spoil(data, chance):
    if isinstance(data, dict) and data:
        name = chance.choice(sorted(data))
        return {**data, name: _spoil(data[name], chance)}
    if isinstance(data, list) and data:
        k = chance.randrange(len(data))
        return [*data[:k], _spoil(data[k], chance), *data[k + 1 :]]
    return chance.choice([None, True, "x", [], {}, 1e308])


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        (wishes.Override, codecs.OVERRIDE),
        (order.RelayMemory, codecs.RELAY),
        (order.ByHand, codecs.BY_HAND),
        (UserBattery, codecs.USER_BATTERY),
        (Plan, codecs.PLAN),
        (PlanSlot, codecs.SLOT),
        (SolverRecord, codecs.SOLVER),
        (kept.RoomKept, kept.ROOM.codec),
        (kept.BatteryKept, kept.BATTERY.codec),
    ],
)
def test_no_field_is_forgotten(kind, codec):
    assert codec.fields == {field.name for field in fields(kind)}


def test_a_field_that_came_later_takes_its_default():
    known = codecs.RELAY.write(order.RelayMemory(on=True))
    del known["by_hand"]
    assert codecs.RELAY.read(known) == order.RelayMemory(on=True)


def test_a_problem_names_its_place():
    data = codecs.OVERRIDE.write(wishes.Override(21.0, NOW, "user", "cold"))
    with pytest.raises(UnreadableError, match=r"^\.until_s: 'soon' is no number$"):
        codecs.OVERRIDE.read({**data, "until_s": "soon"})
    with pytest.raises(UnreadableError, match=r"^\['a'\]\[1\]: None is no number$"):
        table(many(NUMBER)).read({"a": [1.0, None]})


@pytest.mark.parametrize("pairs", [[[1, 2.0, 3.0]], [["1", 2.0]], [1], {"1": 2.0}])
def test_pairs_that_are_none_are_refused(pairs):
    with pytest.raises(UnreadableError):
        numbered(NUMBER).read(pairs)


def test_a_number_that_is_none_is_never_written():
    with pytest.raises(ValueError, match="NaN"):
        NUMBER.write(float("nan"))


def test_a_value_that_its_own_class_refuses_is_unreadable():
    with pytest.raises(UnreadableError, match="rising edges"):
        codecs.GRID.read({"edges_s": [2.0, 1.0]})
    with pytest.raises(UnreadableError, match="missing"):
        record(wishes.Override, temp_c=NUMBER).read({"temp_c": 21.0})
