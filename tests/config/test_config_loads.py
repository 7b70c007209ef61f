"""Flexible loads in the configuration: none by default, and refused where they do not fit."""

import pytest

import config
from pems_actors.blueprint import house_from
from pems_actors.domain.flexible_load import LoadKind


def with_loads(**loads):
    def change(raw):
        raw["loads"] = loads

    return change


CAR = {"kind": "car", "power_kw": 11.0, "every_day_kwh": 20.0}


@pytest.mark.parametrize("preset", sorted(config.PRESETS))
def test_no_preset_has_a_load(preset):
    assert house_from(config.load(preset, env={}).system).loads == ()


def test_a_car_and_a_boiler_are_taken_over_as_written(loaded):
    boiler = {"kind": "boiler", "power_kw": 2.0, "phase": "L2", "tariff_blocked": True,
              "volume_l": 150.0, "every_day_kwh": 5.0, "by_h": 6.5}  # fmt: skip
    house = house_from(loaded(with_loads(car=CAR, boiler=boiler)).system)
    first, second = house.loads
    assert (first.kind, first.power_kw, first.every_day_kwh) == (LoadKind.CAR, 11.0, 20.0)
    assert first.rests_battery
    assert second.phases == (0.0, 1.0, 0.0)
    assert (second.tariff_blocked, second.by_h, second.hot_c) == (True, 6.5, 60.0)
    assert not second.rests_battery


@pytest.mark.parametrize(
    ("loads", "sentence"),
    [
        ({"hosti": CAR}, "loads: hosti has the name of a room or a device"),
        ({"battery": CAR}, "loads: battery has the name of a room or a device"),
        ({"car": {**CAR, "power_kw": 22.0}}, "loads.car: power_kw is 22, more than a phase"),
        ({"car": {**CAR, "phase": "L1"}}, "loads.car: power_kw is 11, more than a phase"),
        ({"car": {**CAR, "kind": "rocket"}}, "loads.car: kind"),
        ({"car": {**CAR, "power_kw": 0.0}}, "loads.car: power_kw"),
    ],
)
def test_a_load_that_does_not_fit_the_house_is_refused_with_a_sentence(loads, sentence, refused):
    told = refused(with_loads(**loads))
    assert any(sentence in each for each in told), told
