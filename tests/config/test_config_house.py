"""The reference house and the presets are what their documents say."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import config
import pems_actors
import supervision
from config import PRESETS, SystemConfig, load

CLONE = Path(__file__).resolve().parents[2]
HOUSE = load(env={}).system


@pytest.mark.parametrize("package", [config, supervision, pems_actors])
def test_our_packages_come_from_this_clone(package):
    assert Path(package.__file__).resolve().parent.parent == CLONE


def test_the_reference_house_has_17_rooms_on_16_relays():
    assert len(HOUSE.rooms) == 17
    assert len(HOUSE.relays) == 16
    assert set(HOUSE.rooms) - set(HOUSE.relays) == {"kuchyne"}


def test_effective_powers_sum_to_exactly_18_12_kw_beside_19_03_on_the_plates():
    text = PRESETS["house17"].read_text("utf-8")
    relays = json.loads(text, parse_float=Decimal)["relays"].values()
    assert sum(relay["power"]["effective_kw"] for relay in relays) == Decimal("18.12")
    assert sum(relay["power"]["nameplate_kw"] for relay in relays) == Decimal("19.03")
    assert HOUSE.heating_kw == 18.12 == HOUSE.limits.heating_kw
    assert HOUSE.nameplate_kw == 19.03


def test_the_kitchen_is_heated_by_the_living_rooms_relay():
    assert HOUSE.rooms["kuchyne"].relay == "obyvak"
    assert HOUSE.relays["obyvak"].members == {"obyvak": 0.625, "kuchyne": 0.375}
    assert HOUSE.rooms["obyvak"].relay == "obyvak"


def test_rooms_without_their_own_setpoints_take_the_default():
    comfort = HOUSE.rooms["pokoj_1"].comfort
    assert (comfort.day_c, comfort.night_c, comfort.band_k) == (21.0, 19.0, 0.5)
    assert (comfort.day_from_h, comfort.day_until_h) == (6.0, 22.0)
    obyvak = HOUSE.rooms["obyvak"].comfort
    assert (obyvak.day_c, obyvak.night_c) == (22.5, 20.0)


def test_phases_of_the_reference_house_are_balanced_and_no_relay_fills_one():
    per_phase = HOUSE.phase_kw()
    assert sum(per_phase.values()) == pytest.approx(18.12)
    assert max(per_phase.values()) - min(per_phase.values()) < 0.05
    for relay in HOUSE.relays.values():
        assert max(relay.kw_on(p, nameplate=True) for p in per_phase) < HOUSE.grid.phase_kw / 2


def test_heat_loss_priors_leave_headroom_in_frost():
    for key, relay in HOUSE.relays.items():
        for room, share in relay.members.items():
            ua_kw_k = HOUSE.rooms[room].thermal.ua_kw_k
            assert ua_kw_k is not None, key
            assert ua_kw_k * 36 == pytest.approx(0.75 * relay.power.effective_kw * share, rel=0.02)


def test_every_room_is_linked_to_the_rest_of_the_house():
    linked = Counter(room for a, b, _ in HOUSE.links for room in (a, b))
    assert set(linked) == set(HOUSE.rooms)
    reached, edge = set(), {"obyvak"}
    while edge:
        reached |= edge
        pairs = {(a, b) for a, b, _ in HOUSE.links}
        edge = {r for a, b in pairs if reached & {a, b} for r in (a, b)} - reached
    assert reached == set(HOUSE.rooms)


def test_d57d_has_20_cheap_hours_and_blocks_heating_in_the_others():
    tariff = HOUSE.tariff
    hours = {name: sum(b - a for a, b in band.hours) for name, band in tariff.bands.items()}
    assert hours == {"VT": 4.0, "NT": 20.0}
    assert tariff.heating_blocked_in == ("VT",)
    assert [tariff.band_at(hour) for hour in (9.99, 10.0, 11.0, 23.99)] == ["NT", "VT", "NT", "NT"]
    assert tariff.bands["VT"].distribution_per_kwh == 0.919
    assert (tariff.currency, tariff.eur_rate, tariff.export_fee_per_kwh) == ("CZK", 25.0, 0.35)


def test_an_hour_without_a_band_is_a_key_error():
    with pytest.raises(KeyError, match="no tariff band covers hour 24"):
        HOUSE.tariff.band_at(24.0)


def test_the_reference_house_stands_in_moravia_and_starts_advisory():
    site = HOUSE.system.site
    assert (site.latitude_deg, site.longitude_deg) == (49.49, 17.43)
    assert str(ZoneInfo(site.timezone)) == "Europe/Prague"
    assert HOUSE.system.advisory_mode
    assert HOUSE.system.optimization_interval_seconds == 900
    assert HOUSE.system.control_interval_seconds == 60


def test_two_roofs_give_13_5_kwp_and_the_battery_holds_10_kwh():
    assert HOUSE.pv.power_kwp == 13.5
    assert HOUSE.battery.capacity_kwh == 10.0
    assert HOUSE.battery.round_trip_frac == 0.85
    assert HOUSE.battery.installed


def test_the_only_warning_on_the_reference_house_is_about_all_relays_at_once():
    warnings = load(env={}).warnings
    assert [w.severity for w in warnings] == ["warning"]
    assert "L1 27.5 A, L2 27.7 A, L3 27.6 A of 25 A" in str(warnings[0])


@pytest.mark.parametrize(
    ("preset", "rooms"), [("house17", 17), ("flat3", 3), ("house6-climate", 6)]
)
def test_every_preset_loads_by_its_name(preset, rooms):
    assert len(load(preset, env={}).system.rooms) == rooms


@pytest.mark.parametrize("preset", ["flat3", "house6-climate"])
def test_the_small_presets_have_nothing_to_warn_of(preset):
    assert load(preset, env={}).warnings == ()


def test_climate_rooms_are_told_setpoints_and_still_have_a_power():
    system = load("house6-climate", env={}).system
    assert {room.actuator for room in system.rooms.values()} == {"climate"}
    assert system.heating_kw == 8.6


def test_a_flat_without_battery_and_roofs_is_a_house_too():
    system = load("flat3", env={}).system
    assert not system.battery.installed
    assert system.pv.power_kwp == 0
    assert set(system.phase_kw()) == {"L1"}


@pytest.mark.parametrize("preset", PRESETS)
def test_an_effective_configuration_written_to_a_file_is_the_same_house(preset, tmp_path):
    first = load(preset, env={})
    effective = {k: v for k, v in first.effective.items() if k != "settings"}
    path = tmp_path / "again.json"
    path.write_text(json.dumps(effective), "utf-8")
    assert load(path, env={}).system == first.system


def test_nothing_in_the_configuration_can_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        HOUSE.battery.capacity_kwh = 12.0


def test_the_configuration_does_not_import_the_house():
    sources = (path.read_text("utf-8") for path in (CLONE / "config").glob("*.py"))
    assert not any("import pems_actors" in text or "from pems_actors" in text for text in sources)


def test_the_house_travels_as_json():
    assert SystemConfig.model_validate_json(HOUSE.model_dump_json()) == HOUSE
