"""Every failure is one sentence: file, place, value, and a good value; all of them at once."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raw_houses import raw_of

from config import ConfigError, load


def test_a_wrong_value_is_told_with_file_place_value_and_a_good_value(refused):
    def change(raw):
        raw["relays"]["hosti"]["power"]["effective_kw"] = -1.2

    sentence = (
        "relays.hosti.power: effective_kw is -1.2; give a power above 0 kW, usually 0.3 to 2.5."
    )
    assert refused(change) == [f"house.json: {sentence}"]


def test_all_problems_are_listed_at_once_even_behind_broken_parts(refused):
    def change(raw):
        raw["battery"]["capacity_kwh"] = "ten"
        raw["grid"]["phases"] = 2
        raw["limits"]["alarm_c"] = 30.0
        del raw["tariff"]["bands"]["VT"]["hours"][0]
        raw["relays"]["hosti"]["members"] = {"hosti": 0.5}

    told = refused(change)
    assert len(told) == 5
    for part in (
        "capacity_kwh is",
        "phases is 2",
        "alarm_c is 30",
        "leave 10 to 11 h",
        "sum to 0.5",
    ):
        assert sum(part in sentence for sentence in told) == 1


@pytest.mark.parametrize(
    ("path", "key", "value", "sentence"),
    [
        ("battery", "capacity_kwh", "10", 'capacity_kwh is "10"; give kWh, usually 5 to 20'),
        ("battery", "capacity_kwh", True, "capacity_kwh is true; give kWh"),
        ("battery", "capacity_kwh", None, "capacity_kwh is null; give kWh"),
        ("battery", "capacity_kwh", [], "capacity_kwh is []; give kWh"),
        ("system", "simulation_mode", 1, "simulation_mode is 1; give true or false"),
        ("system", "optimization_interval_seconds", 900.5, "give 60 to 86400 seconds"),
        ("system", "control_interval_seconds", 59, "control_interval_seconds is 59; give 60"),
        ("", "battery", 5, "battery is 5; give an object with capacity_kwh"),
        ("", "rooms", [], "rooms is []; give at least one room by its key"),
        ("", "rooms", {}, "rooms is {}; give at least one room by its key"),
        ("tariff", "currency", "crowns", "give three capital letters, like CZK"),
        ("tariff.bands.VT", "hours", [[10, 25]], "1 is 25; give a local hour from 0 to 24"),
        ("tariff.bands.VT", "hours", [[10]], "1 is missing; give a local hour"),
        ("topics", "prefix", "pems/#", "give a topic without wildcards"),
        ("ev", "departure_time", "7:00", "give a local time as HH:MM"),
        ("thermal_settings.room_setpoints.obyvak", "day", 36.0, "day is 36.0; give 15 to 35 °C"),
        ("thermal_settings.room_setpoints.obyvak", "night", 9.0, "night is 9.0; give 10 to 30 °C"),
        ("thermal_settings.room_setpoints.default", "day", 36.0, "default: day is 36.0; give 15"),
        ("thermal_settings", "comfort_band_celsius", 6.0, "comfort_band_celsius is 6.0; give 0.1"),
        ("relays.hosti", "power", 2.02, "power is 2.02; give an object with effective_kw"),
        ("rooms.hosti", "comfort", 21.0, "comfort is 21.0; give an object with day_c"),
        ("thermal_settings", "room_setpoints", 21.0, "room_setpoints is 21.0; give an object in"),
        (
            "thermal_settings.room_setpoints",
            "hosti",
            21.0,
            "hosti is 21.0; give an object with day",
        ),
        ("", "room_power_ratings_kw", {"hosti": "2"}, 'hosti is "2"; give a power above 0 kW'),
        ("models.pv", "update_interval_seconds", 60, "give 300 to 86400 s"),
        ("optimization", "time_step_minutes", 4, "give 5 to 120 min"),
    ],
)
def test_wrong_types_and_ranges_are_told(path, key, value, sentence, refused):
    def change(raw):
        part = raw
        for step in filter(None, path.split(".")):
            part = part[step]
        part[key] = value

    told = refused(change)
    assert len(told) == 1
    assert sentence in told[0]
    assert told[0].startswith(f"house.json: {path}")


@pytest.mark.parametrize(
    ("path", "key", "sentence"),
    [
        ("battery", "capacity", "battery: capacity is not known; did you mean capacity_kwh?"),
        ("", "batery", "batery is not known; did you mean battery?"),
        (
            "rooms.obyvak.comfort",
            "dayc",
            "rooms.obyvak.comfort: dayc is not known; did you mean day_c?",
        ),
        ("pv", "zzz", "pv: zzz is not known; known keys are roofs."),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest_known_name(path, key, sentence, refused):
    def change(raw):
        part = raw
        for step in filter(None, path.split(".")):
            part = part.setdefault(step, {})
        part[key] = 1

    assert refused(change) == [f"house.json: {sentence}"]


def test_a_secret_in_the_file_is_sent_to_dotenv_and_never_quoted(refused):
    def change(raw):
        raw["influx"]["influxdb_token"] = "hush-hush"

    told = refused(change)
    sentence = "influxdb_token is an address or a secret; give it as INFLUXDB_TOKEN in .env."
    assert told == [f"house.json: influx: {sentence}"]


def test_a_missing_part_is_told_with_what_it_needs(refused):
    told = refused(lambda raw: (raw.pop("tariff"), raw["pv"]["roofs"]["terasa"].pop("tilt_deg")))
    assert "house.json: tariff is missing; give an object with name, currency" in told[1] + told[0]
    assert "house.json: pv.roofs.terasa: tilt_deg is missing; give 0 (flat) to 90 (wall)" in str(
        told
    )


def test_a_room_key_that_is_no_name_is_told(refused):
    told = refused(lambda raw: raw["rooms"].update({"obývák": raw["rooms"]["hosti"]}))
    assert told[0].startswith("house.json: rooms: obývák is no usable key; give a short name")


@pytest.mark.parametrize("space", ["", "  \n\t ", "\ufeff"])
def test_an_empty_file_is_told(space, refused):
    (told,) = refused(space)
    assert told.startswith("house.json: is empty; copy a preset")


def test_broken_json_is_told_with_line_and_column(refused):
    (told,) = refused('{\n  "system": {\n    "name": "x",\n  }\n}')
    assert "house.json: line 4 column 3: is no valid JSON, " in told
    (cut,) = refused('{"system": ')
    assert cut.startswith("house.json: line 1 column 12: is no valid JSON, expecting value; mend")


@pytest.mark.parametrize("text", ["[]", "7", '"house"', "null", "true"])
def test_json_that_is_no_object_is_told(text, refused):
    (told,) = refused(text)
    assert told.endswith("; give one object in braces.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1, "a": 2}', 'has the key "a" twice in one object'),
        ('{"a": NaN}', "has the value NaN; give a number"),
        ('{"a": -Infinity}', "has the value -Infinity; give a number"),
        ('{"a": ' + "9" * 5000 + "}", "thousands of digits"),
        ("[" * 100_000 + "]" * 100_000, "endless brackets"),
        ("[" * 50 + "]" * 50, "is nested 50 levels deep"),
        ('{"a": "\\ud800"}', "half a character"),
        ("{}" + " " * 1_000_001, "is 1.0 MB; give a file of one house"),
    ],
    ids=["twice", "nan", "infinity", "digits", "brackets", "deep", "surrogate", "huge"],
)
def test_json_that_would_be_misread_is_refused(text, sentence, refused):
    (told,) = refused(text)
    assert sentence in told
    assert len(told) < 300


def test_a_number_beyond_all_floats_is_refused(refused, write):
    text = (
        write(lambda raw: None)
        .read_text("utf-8")
        .replace('"capacity_kwh": 10.0', '"capacity_kwh": 1e999')
    )
    (told,) = refused(text)
    assert "battery: capacity_kwh is Infinity; give kWh" in told


def test_a_file_that_is_not_there_is_told_with_the_presets(tmp_path):
    with pytest.raises(
        ConfigError, match=r"nowhere\.json: is not at .*house17, flat3, house6-climate"
    ):
        load(tmp_path / "nowhere.json", env={})


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read, Is a directory; give a readable file"):
        load(tmp_path, env={})


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "house.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ConfigError, match=r"house\.json: byte 7: is not UTF-8 text"):
        load(tmp_path / "house.json", env={})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(data=st.data())
def test_whatever_stands_anywhere_is_a_house_or_a_list_of_sentences(data, write):
    raw = raw_of("flat3")
    part = raw
    while True:
        key = data.draw(st.sampled_from(list(part) if isinstance(part, dict) else range(len(part))))
        inner = part[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            break
        part = inner
    part[key] = data.draw(JSON)
    for problem in problems_of(write(json.dumps(raw))):
        assert str(problem).startswith("house.json: ")
        assert str(problem)[-1] in ".?"
        assert str(problem).isprintable()
        assert len(str(problem)) < 500


def problems_of(path):
    """All problems of a house: errors with a sentence each, or the warnings of a good one."""
    try:
        return load(path, env={}).warnings
    except ConfigError as error:
        return error.problems


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(text=st.text(max_size=50))
def test_any_text_is_a_house_or_a_sentence(text, write):
    with pytest.raises(ConfigError) as caught:
        load(write(text.encode("utf-8", "replace").decode()), env={})
    assert len(caught.value.problems) >= 1
