"""Any value at any depth can be laid over the file by name, typed, and found again."""

from __future__ import annotations

import json
import math
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from raw_houses import raw_of

from config import SystemConfig, load
from config.completion import completed
from config.layers import ENVIRONMENT, layer
from config.overrides import overlaid, overrides_of
from config.shape import allows_none, child, leaves, unwrapped

RAW = raw_of("house17")
EFFECTIVE = load(env={}).effective
LEAVES = sorted(leaves(SystemConfig, EFFECTIVE))


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def variable(path: tuple[str | int, ...]) -> str:
    return "PEMS_" + "__".join(map(str, path)).upper()


def bounds(shape: Any) -> tuple[float, float]:
    """Read the bounds of a number from its notes; open ends are made inclusive by a hair."""
    _, notes = unwrapped(shape)
    low, high = -1e3, 1e3
    for note in (m for n in notes for m in (getattr(n, "metadata", None) or [n])):
        match note:
            case Ge(ge=edge):
                low = edge
            case Gt(gt=edge):
                low = edge + 1e-6
            case Le(le=edge):
                high = edge
            case Lt(lt=edge):
                high = edge - 1e-6
    return low, high


def values_for(shape: Any) -> st.SearchStrategy[Any]:
    """Valid values for a scalar leaf, from its type alone."""
    core, _ = unwrapped(shape)
    low, high = bounds(shape)
    if get_origin(core) is Literal:
        some: st.SearchStrategy[Any] = st.sampled_from(get_args(core))
    elif core is bool:
        some = st.booleans()
    elif core is int:
        some = st.integers(math.ceil(low), math.floor(high))
    elif core is float:
        some = st.floats(low, high, allow_nan=False)
    else:
        some = st.sampled_from(["07:30", "5min", "EUR", "obyvak", "Europe/Vienna", "home/pv"])
        some = some.filter(lambda text: fits(shape, text))
    return some | st.none() if allows_none(shape) else some


def fits(shape: Any, value: Any) -> bool:
    try:
        TypeAdapter(shape).validate_python(value)
    except ValueError:
        return False
    return True


def is_scalar(path: tuple[str | int, ...]) -> bool:
    core, _ = unwrapped(child(SystemConfig, path))
    return get_origin(core) is not tuple


SCALARS = [path for path in LEAVES if is_scalar(path)]


def test_there_are_hundreds_of_values_to_override():
    assert len(SCALARS) > 500
    assert ("thermal_settings", "room_setpoints", "obyvak", "day") in SCALARS
    assert ("rooms", "kuchyne", "neighbours", "obyvak") in SCALARS


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_any_scalar_can_be_overridden_and_reads_back_typed(data):
    path = data.draw(st.sampled_from(SCALARS))
    value = data.draw(values_for(child(SystemConfig, path)))
    text = "null" if value is None else str(value)
    result = overlaid(RAW, overrides_of([layer(ENVIRONMENT, {variable(path): text})], ()))
    assert result.problems == []
    read = at(completed(result.raw), path) if value is not None else at(result.raw, path)
    assert read == value
    assert type(read) is type(value)
    assert result.origins[path].layer == ENVIRONMENT


def test_overriding_everything_with_itself_changes_nothing():
    values = {path: at(EFFECTIVE, path) for path in LEAVES}
    env = {
        variable(path): json.dumps(value) if isinstance(value, list) else str(value)
        for path, value in values.items()
    }
    again = load(env={name: "null" if text == "None" else text for name, text in env.items()})
    assert {k: v for k, v in again.effective.items() if k != "settings"} == {
        k: v for k, v in EFFECTIVE.items() if k != "settings"
    }
    assert len(again.sources) >= len(LEAVES)


@pytest.mark.parametrize(
    ("name", "text", "path", "value"),
    [
        ("PEMS_BATTERY__CAPACITY_KWH", "15.0", "battery.capacity_kwh", 15.0),
        ("PEMS_BATTERY__MIN_SOC", "0.2", "battery.min_soc_frac", 0.2),
        ("PEMS_BATTERY__EFFICIENCY", "0.9", "battery.round_trip_frac", 0.9),
        ("PEMS_SYSTEM__SIMULATION_MODE", "true", "system.simulation_mode", True),
        ("PEMS_SYSTEM__CONTROL_INTERVAL_SECONDS", "120", "system.control_interval_seconds", 120),
        ("PEMS_OPTIMIZATION__WEIGHTS__PEAK_SHAVING", "2", "optimization.weights.peak_shaving", 2.0),
        ("PEMS_HORIZON_HOURS", "36", "optimization.horizon_hours", 36),
        ("PEMS_MODELS__PV__HORIZON_HOURS", "72", "models.pv.horizon_hours", 72),
        (
            "PEMS_MODELS__PV__CONFIDENCE_LEVELS",
            "0.2, 0.8",
            "models.pv.confidence_levels",
            [0.2, 0.8],
        ),
        ("PEMS_MODELS__PV__CONFIDENCE_LEVELS__0", "0.05", "models.pv.confidence_levels.0", 0.05),
        ("PEMS_TARIFF__HEATING_BLOCKED_IN", "[]", "tariff.heating_blocked_in", []),
        (
            "PEMS_TARIFF__BANDS__NT__DISTRIBUTION_PER_KWH",
            "0.3",
            "tariff.bands.NT.distribution_per_kwh",
            0.3,
        ),
        ("PEMS_PV__ROOFS__TERASA__TILT_DEG", "30", "pv.roofs.terasa.tilt_deg", 30.0),
        ("PEMS_RELAYS__OBYVAK__PHASE", "l2", "relays.obyvak.phase", "L2"),
        ("PEMS_GRID__PHASES", "3", "grid.phases", 3),
        ("PEMS_EV__DEPARTURE_TIME", "06:15", "ev.departure_time", "06:15"),
        ("LATITUDE", "50.1", "system.site.latitude_deg", 50.1),
        ("INFLUXDB_BUCKET_SOLAR", "sun", "influx.buckets.solar", "sun"),
        ("MQTT_TOPICS", "energy/solar,weather", "topics.udp_bridge", ["energy/solar", "weather"]),
        ("pems_battery__capacity_kwh", "12", "battery.capacity_kwh", 12.0),
    ],
)
def test_names_old_and_new_reach_their_value(name, text, path, value):
    loaded = load(env={name: text})
    steps = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    assert at(loaded.effective, steps) == value
    assert loaded.sources[path] == "environment"


@pytest.mark.parametrize(
    "name",
    ["PEMS_THERMAL_SETTINGS__ROOM_SETPOINTS__OBYVAK__DAY", "PEMS_ROOMS__Obyvak__COMFORT__DAY_C"],
)
def test_both_names_of_a_setpoint_set_both(name):
    system = load(env={name: "22.9"}).system
    assert system.rooms["obyvak"].comfort.day_c == 22.9
    assert system.thermal_settings.room_setpoints["obyvak"].day == 22.9


def test_the_default_setpoint_moves_the_rooms_without_their_own():
    system = load(env={"PEMS_THERMAL_SETTINGS__ROOM_SETPOINTS__DEFAULT__DAY": "20.5"}).system
    assert system.rooms["pokoj_1"].comfort.day_c == 20.5
    assert system.rooms["loznice"].comfort.day_c == 20.5
    assert system.rooms["obyvak"].comfort.day_c == 22.5


def test_the_comfort_band_moves_rooms_without_their_own_band():
    env = {
        "PEMS_THERMAL_SETTINGS__COMFORT_BAND_CELSIUS": "1",
        "PEMS_ROOMS__HOSTI__COMFORT__BAND_K": "2",
    }
    rooms = load(env=env).system.rooms
    assert (rooms["obyvak"].comfort.band_k, rooms["hosti"].comfort.band_k) == (1.0, 2.0)


def test_a_power_rating_replaces_the_relays_effective_power():
    system = load(env={"PEMS_ROOM_POWER_RATINGS_KW__OBYVAK": "4.8"}).system
    assert system.relays["obyvak"].power.effective_kw == 4.8
    assert system.relays["obyvak"].power.nameplate_kw == 4.8


def test_the_relays_own_power_can_be_set_although_the_file_has_a_rating(loaded):
    def rated(raw):
        raw["room_power_ratings_kw"] = {"obyvak": 4.8}

    env = {"PEMS_RELAYS__OBYVAK__POWER__EFFECTIVE_KW": "4.0"}
    assert loaded(rated).system.relays["obyvak"].power.effective_kw == 4.8
    assert loaded(rated, env=env).system.relays["obyvak"].power.effective_kw == 4.0


def test_a_whole_part_can_be_given_as_json_and_its_values_still_win():
    env = {
        "PEMS_BATTERY": '{"capacity_kwh": 12, "max_power_kw": 6}',
        "PEMS_BATTERY__MAX_POWER_KW": "4",
    }
    battery = load(env=env).system.battery
    assert (battery.capacity_kwh, battery.max_power_kw, battery.wear_per_kwh) == (12.0, 4.0, 1.0)


def test_a_blank_variable_is_not_given():
    assert load(env={"PEMS_BATTERY__CAPACITY_KWH": " "}).system.battery.capacity_kwh == 10.0


def test_the_command_line_beats_the_environment_which_beats_dotenv_which_beats_the_file(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("PEMS_BATTERY__CAPACITY_KWH=11\nPEMS_BATTERY__WEAR_PER_KWH=2\n", "utf-8")
    name = "PEMS_BATTERY__CAPACITY_KWH"
    assert load(env={}, dotenv=dotenv).system.battery.capacity_kwh == 11.0
    assert load(env={name: "12"}, dotenv=dotenv).system.battery.capacity_kwh == 12.0
    loaded = load(env={name: "12"}, dotenv=dotenv, overrides=["battery.capacity_kwh=13"])
    assert loaded.system.battery.capacity_kwh == 13.0
    assert loaded.sources["battery.capacity_kwh"] == "command line"
    assert loaded.sources["battery.wear_per_kwh"] == ".env"
    assert "battery.max_power_kw" not in loaded.sources


def test_two_elements_of_one_list_can_be_set():
    env = {
        f"PEMS_MODELS__PV__CONFIDENCE_LEVELS__{k}": text for k, text in enumerate(("0.2", "0.6"))
    }
    assert load(env=env).system.models.pv.confidence_levels == (0.2, 0.6, 0.9)


def test_an_element_deep_in_a_list_can_be_set():
    env = {
        "PEMS_TARIFF__BANDS__NT__HOURS__0__1": "9.5",
        "PEMS_TARIFF__BANDS__VT__HOURS__0__0": "9.5",
    }
    bands = load(env=env).system.tariff.bands
    assert bands["NT"].hours[0] == (0.0, 9.5)
    assert bands["VT"].hours[0] == (9.5, 11.0)


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=30) | st.floats().map(str) | st.integers().map(str))
def test_a_number_as_text_is_that_number_or_refused(text):
    result = overlaid(
        RAW, overrides_of([layer(ENVIRONMENT, {"PEMS_BATTERY__CAPACITY_KWH": text})], ())
    )
    told = [str(problem) for problem in result.problems]
    capacity_kwh = at(result.raw, ("battery", "capacity_kwh"))
    if told:
        assert told[0].startswith("environment: PEMS_BATTERY__CAPACITY_KWH is ")
        assert capacity_kwh == 10.0
    else:
        assert capacity_kwh == (float(text.strip()) if text.strip() else 10.0)
        assert 0 <= capacity_kwh <= 500


def test_a_place_that_is_none_has_no_type():
    assert child(SystemConfig, ("battery", "nothing")) is None
    assert child(SystemConfig, ("battery", "capacity_kwh", "deeper")) is None


def test_a_layer_never_shows_its_texts():
    assert "hush" not in repr(layer(ENVIRONMENT, {"MQTT_PASSWORD": "hush"}))


def original_battery(raw):
    raw["battery"] = {"capacity_kwh": 10.0, "efficiency": 0.95, "min_soc": 0.1, "max_soc": 0.9}


@pytest.mark.parametrize(
    "env",
    [
        {"PEMS_BATTERY__MIN_SOC": "0.3"},
        {"PEMS_BATTERY__MIN_SOC_FRAC": "0.3"},
        {"PEMS_BATTERY": '{"min_soc": 0.3}'},
    ],
)
def test_the_originals_battery_names_work_in_file_and_environment(env, loaded):
    battery = loaded(original_battery, env=env).system.battery
    assert (battery.min_soc_frac, battery.max_soc_frac, battery.round_trip_frac) == (0.3, 0.9, 0.95)
