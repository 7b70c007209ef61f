"""A thermal model that was identified elsewhere is named in the configuration, and counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from raw_houses import raw_of

from config import ConfigError, load
from pems_actors.blueprint import house_from, model_data

BATH = {
    "emitter": "floor", "c_screed_kwh_k": 0.2, "c_air_kwh_k": 0.1, "c_structure_kwh_k": 0.6,
    "g_screed_air_kw_k": 0.05, "g_air_structure_kw_k": 0.07, "g_air_outdoor_kw_k": 0.004,
    "g_structure_outdoor_kw_k": 0.006,
}  # fmt: skip


def loaded(folder: Path, model: Any, **changes: Any):
    file = folder / "house.json"
    file.write_text(json.dumps({**raw_of("flat3"), "house_model": model, **changes}))
    return load(file, env={})


def problem(folder: Path, model: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        loaded(folder, model)
    return str(refused.value)


def test_without_a_model_rooms_are_guessed_from_their_size(tmp_path) -> None:
    assert load("flat3", env={}).system.house_model.rooms == {}


def test_a_model_beside_the_configuration_is_read_by_its_name(tmp_path) -> None:
    (tmp_path / "found.json").write_text(json.dumps({"rooms": {"bath": BATH}}))
    model = house_from(loaded(tmp_path, "found.json").system).model
    bath = next(room for room in model.rooms if room.name == "bath")
    assert (bath.c_air_kwh_k, bath.g_air_outdoor_kw_k, bath.solar_m2) == (0.1, 0.004, 0.0)


def test_what_the_model_does_not_name_stays_as_it_was_believed(tmp_path) -> None:
    usual = house_from(load("flat3", env={}).system).model
    model = house_from(loaded(tmp_path, {"rooms": {"bath": BATH}}).system).model
    assert [r for r in model.rooms if r.name != "bath"] == [
        r for r in usual.rooms if r.name != "bath"
    ]
    assert model.links == usual.links


@pytest.mark.parametrize("preset", ["flat3", "house17"])
def test_a_model_that_is_written_out_reads_back_as_it_was(preset, tmp_path) -> None:
    model = house_from(load(preset, env={}).system).model
    raw = {**raw_of(preset), "house_model": "model.json"}
    (tmp_path / "house.json").write_text(json.dumps(raw))
    (tmp_path / "model.json").write_text(json.dumps(model_data(model)))
    again = house_from(load(tmp_path / "house.json", env={}).system).model
    assert again.rooms == model.rooms
    assert sorted(again.links) == sorted(model.links)


def test_links_of_a_whole_model_take_the_place_of_the_guessed_ones(tmp_path) -> None:
    usual = house_from(load("flat3", env={}).system).model
    data = {**model_data(usual), "links": [["living", "bath", 0.02]]}
    assert house_from(loaded(tmp_path, data).system).model.links == (("living", "bath", 0.02),)


def test_a_model_in_a_last_good_configuration_needs_its_file_no_more(tmp_path) -> None:
    (tmp_path / "found.json").write_text(json.dumps({"rooms": {"bath": BATH}}))
    kept = loaded(tmp_path, "found.json").system.model_dump(mode="json")
    assert kept["house_model"]["rooms"]["bath"]["c_air_kwh_k"] == 0.1


def test_a_file_that_is_not_there_is_told(tmp_path) -> None:
    assert "nowhere.json: is not at" in problem(tmp_path, "nowhere.json")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"rooms": {"bath": {**BATH, "c_air_kwh_k": 0.0}}}, "c_air_kwh_k is 0.0; give kWh per K"),
        ({"rooms": {"bath": {**BATH, "emitter": "panel"}}}, "give both the same"),
        ({"rooms": {"cellar": BATH}}, "cellar"),
        ({"rooms": {"bath": BATH}, "links": [["bath", "hall", 0.01]]}, "names hall"),
        ({"rooms": {"bath": {**BATH, "c_aire": 1.0}}}, "c_aire"),
    ],
)
def test_a_model_that_does_not_fit_the_house_is_refused_in_a_sentence(
    model, words, tmp_path
) -> None:
    assert words in problem(tmp_path, model)
