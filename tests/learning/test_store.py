"""The registry on disk: versions, checksums, cards; a broken file is told and never served."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pems_actors.learning.life.card import card_from, kind_of
from pems_actors.learning.life.store import LEDGER, MODEL, ModelStore
from tests.learning.kinds import made_of
from tests.learning.records import at, card


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


def test_a_model_is_there_as_it_was_kept(store):
    kept = store.save(card(), {"weights": (1.0, 2.0)})
    assert kept.version == "ridge.1"
    assert store.revived("load", "ridge.1") == {"weights": (1.0, 2.0)}
    assert store.card("load", "ridge.1") == kept


def test_versions_of_a_recipe_are_counted(store):
    versions = [store.save(card(name), k).version for k, name in enumerate(("a", "a", "b", "a"))]
    assert versions == ["a.1", "a.2", "b.1", "a.3"]


def test_a_card_survives_being_written():
    assert card_from(card().plain()) == card()
    with pytest.raises(ValueError, match="no model card"):
        card_from({"series": "load"})


def test_a_changed_byte_is_noticed_and_nothing_of_it_is_opened(store):
    store.save(card(), [1, 2, 3])
    file = store.folder / "load" / "ridge.1" / MODEL
    body = bytearray(file.read_bytes())
    body[-2] ^= 1
    file.write_bytes(bytes(body))
    with pytest.raises(ValueError, match="is not as it was written"):
        store.revived("load", "ridge.1")


def test_a_changed_card_is_refused_and_the_others_are_listed(store):
    store.save(card(), 1)
    store.save(card(), 2)
    file = store.folder / "load" / "ridge.1" / "card.json"
    file.write_bytes(file.read_bytes().replace(b"ridge", b"bridge"))
    cards, wrong = store.cards("load")
    assert [each.version for each in cards] == ["ridge.2"]
    assert "checksum is wrong" in wrong[0]


def test_a_write_that_was_cut_off_leaves_no_version(store, monkeypatch):
    store.save(card(), 1)

    def no_room(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_room)
        with pytest.raises(OSError, match="no space"):
            store.save(card(), 2)
    assert [each.version for each in store.cards("load")[0]] == ["ridge.1"]
    assert store.save(card(), 3).version == "ridge.2"


def test_a_model_that_is_not_there_is_told_in_a_sentence(store):
    with pytest.raises(ValueError, match=r"load ridge\.9 has no card"):
        store.revived("load", "ridge.9")
    assert store.series() == []


def test_a_model_of_another_kind_is_not_opened_but_told_to_be_trained_anew(store, monkeypatch):
    store.save(card(), [1, 2, 3])
    monkeypatch.setattr("pems_actors.learning.life.card.KINDS", {"load": 99})
    with pytest.raises(ValueError, match=r"another set of features .* `pems train load`"):
        store.revived("load", "ridge.1")
    cards, wrong = store.cards("load")
    assert cards == []
    assert "must be trained anew" in wrong[0]


def test_a_card_from_before_kinds_were_counted_is_of_the_first_kind():
    plain = card().plain()
    plain.pop("kind")
    assert card_from(plain).kind == 1


def test_what_models_look_at_and_are_made_of_does_not_change_without_a_new_kind():
    told = {
        "load": (2, "9e118bd22be9"),
        "price": (2, "b584fa0c74aa"),
        "pv": (2, "a027c6a72f8a"),
        "rooms": (1, "be66a4f76705"),
    }
    assert {name: (kind_of(name), made_of(name)) for name in told} == told


def test_old_versions_go_but_what_is_in_use_stays(store):
    for k in range(6):
        store.save(replace(card(), trained_at_s=at(k)), k)
    assert store.prune("load", {"ridge.1"}) == ["ridge.2", "ridge.3"]
    left = [each.version for each in store.cards("load")[0]]
    assert left == ["ridge.1", "ridge.4", "ridge.5", "ridge.6"]


def test_a_broken_ledger_gives_way_to_the_one_before(store):
    assert store.ledger() == ({}, "")
    store.keep_ledger({"load": 1})
    store.keep_ledger({"load": 2})
    assert store.ledger() == ({"load": 2}, "")
    (store.folder / LEDGER).write_bytes(b"torn")
    plain, wrong = store.ledger()
    assert plain == {"load": 1}
    assert "refused" in wrong
    store.keep_ledger({"load": 3})  # the broken one does not push out the good one before it
    (store.folder / LEDGER).write_bytes(b"torn again")
    assert store.ledger()[0] == {"load": 1}
