"""An override that leads nowhere or does not fit is told by its own name, with the way out."""

from __future__ import annotations

import pytest

from config import ConfigError, load


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("PEMS_BATERY__CAPACITY_KWH", "did you mean PEMS_BATTERY__CAPACITY_KWH?"),
        ("PEMS_BATTERY__CAPACITY", "did you mean PEMS_BATTERY__CAPACITY_KWH?"),
        ("PEMS_ROOMS__OBYVK__COMFORT__DAY_C", "did you mean PEMS_ROOMS__OBYVAK__COMFORT__DAY_C?"),
        ("PEMS_BATTERY__CAPACITY_KWH__MORE", "did you mean PEMS_BATTERY__CAPACITY_KWH?"),
        ("PEMS_MODELS__PV__CONFIDENCE_LEVELS__7", "PEMS_MODELS__PV__CONFIDENCE_LEVELS?"),
        ("PEMS_QQQQQQ__QQQQQQ", "see `pems check --json` for all paths."),
    ],
)
def test_an_unknown_path_is_refused_with_the_nearest_known_one(name, sentence):
    with pytest.raises(ConfigError) as caught:
        load(env={name: "7"})
    told = [str(p) for p in caught.value.problems if p.severity == "error"]
    assert len(told) == 1
    assert told[0].startswith(f"environment: {name} is not known; ")
    assert told[0].endswith(sentence)


def test_an_unknown_name_without_a_path_is_only_a_warning():
    told = [str(w) for w in load(env={"PEMS_BATTERY_CAPACITY_KWH": "7"}).warnings]
    expected = "PEMS_BATTERY_CAPACITY_KWH is not known; did you mean PEMS_BATTERY__CAPACITY_KWH?"
    assert f"environment: {expected}" in told


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        (
            "batery.capacity_kwh=7",
            "batery.capacity_kwh is not known; did you mean battery.capacity_kwh?",
        ),
        ("nonsense", "nonsense is not known; see `pems check --json` for all paths."),
        (
            "battery.capacity_kwh",
            'battery.capacity_kwh is ""; give kWh, usually 5 to 20; 0 is none.',
        ),
    ],
)
def test_a_bad_wish_on_the_command_line_is_refused(wish, sentence):
    with pytest.raises(ConfigError) as caught:
        load(env={}, overrides=[wish])
    assert f"command line: {sentence}" in map(str, caught.value.problems)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("PEMS_BATTERY__CAPACITY_KWH", "much", 'is "much"; give kWh, usually 5 to 20; 0 is none.'),
        ("PEMS_BATTERY__CAPACITY_KWH", "-1", 'is "-1"; give kWh, usually 5 to 20; 0 is none.'),
        ("PEMS_SYSTEM__SIMULATION_MODE", "maybe", 'is "maybe"; give true or false.'),
        (
            "PEMS_OPTIMIZATION__STRATEGY",
            "best",
            'is "best"; give one of economic, comfort, environmental, balanced.',
        ),
        ("PEMS_MODELS__PV__CONFIDENCE_LEVELS", "[0.1, 2]", "is 2; give a level between 0 and 1."),
        ("PEMS_BATTERY", "{", "line 1 column 2 is no valid JSON"),
        ("PEMS_BATTERY", "7", 'is "7"; give an object with capacity_kwh'),
        ("PEMS_GRID__BREAKER_A", "nan", 'is "nan"; give ampere per phase, usually 25.'),
    ],
)
def test_a_text_that_does_not_fit_is_refused_by_its_variable(name, text, sentence):
    with pytest.raises(ConfigError) as caught:
        load(env={name: text})
    told = [str(p) for p in caught.value.problems if p.severity == "error"]
    assert len(told) == 1
    assert told[0].startswith(f"environment: {name} ")
    assert sentence in told[0]


def test_a_cross_check_names_the_variable_that_broke_it():
    with pytest.raises(ConfigError) as caught:
        load(env={"PEMS_BATTERY__MAX_POWER_KW": "80"})
    sentence = (
        "PEMS_BATTERY__MAX_POWER_KW is 80, above 5 C of 10 kWh; give up to 50, usually 0.5 C."
    )
    assert f"environment: {sentence}" in map(str, caught.value.problems)


def test_an_old_and_a_new_name_side_by_side_in_a_file_are_refused(refused):
    (told,) = refused(lambda raw: raw["battery"].update(min_soc=0.2))
    assert told == "house.json: battery: min_soc is not known; did you mean min_soc_frac?"
