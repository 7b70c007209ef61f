"""A start that nobody attends takes the last good configuration where the file is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config import ConfigError, keep, load, load_or_last_good
from config.last_good import NAME

ENV: dict[str, str] = {}


@pytest.fixture
def house(write) -> Path:
    return write(lambda raw: raw["battery"].update(capacity_kwh=11.0), "house6-climate")


def test_a_good_file_is_taken_as_it_is(house: Path, tmp_path: Path) -> None:
    keep(load("flat3", ENV), tmp_path)
    loaded, problems = load_or_last_good(house, tmp_path, ENV)
    assert loaded.system.battery.capacity_kwh == 11.0
    assert problems == ()


def test_whatever_byte_the_power_was_lost_at_the_house_is_the_last_good_one(
    house: Path, tmp_path: Path
) -> None:
    good = load(house, ENV)
    keep(good, tmp_path)
    whole = house.read_bytes()
    for size in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 3):
        house.write_bytes(whole[:size])
        loaded, problems = load_or_last_good(house, tmp_path, ENV)
        assert loaded.system == good.system
        assert loaded.path == house  # it is looked at again
        assert house.name in str(problems[0])


@pytest.mark.parametrize("how", ["deleted", "wrong value", "unknown key", "binary"])
def test_any_other_damage_too_with_a_precise_message(house: Path, tmp_path: Path, how) -> None:
    good = load(house, ENV)
    keep(good, tmp_path)
    raw = json.loads(house.read_text())
    said = {
        "deleted": house.unlink,
        "wrong value": lambda: house.write_text(
            json.dumps(raw | {"battery": {**raw["battery"], "capacity_kwh": -1.0}})
        ),
        "unknown key": lambda: house.write_text(json.dumps(raw | {"batery": {}})),
        "binary": lambda: house.write_bytes(b"\xff\xfe\x00\x80" * 100),
    }
    said[how]()
    loaded, problems = load_or_last_good(house, tmp_path, ENV)
    assert loaded.system == good.system
    assert len(problems) >= 1
    assert "give" in str(problems[0]) or "save" in str(problems[0]) or "battery" in str(problems[0])


def test_a_mended_file_is_in_force_again(house: Path, tmp_path: Path) -> None:
    keep(load(house, ENV), tmp_path)
    text = house.read_text().replace("11.0", "12.5")
    house.write_text("{")
    assert load_or_last_good(house, tmp_path, ENV)[1]
    house.write_text(text)
    loaded, problems = load_or_last_good(house, tmp_path, ENV)
    assert (loaded.system.battery.capacity_kwh, problems) == (12.5, ())


def test_without_a_last_good_one_the_first_complaint_is_told(house: Path, tmp_path: Path) -> None:
    house.write_text("{")
    with pytest.raises(ConfigError, match="no valid JSON"):
        load_or_last_good(house, tmp_path, ENV)
    (tmp_path / NAME).write_text('{"half": ')
    with pytest.raises(ConfigError, match=house.name):
        load_or_last_good(house, tmp_path, ENV)


def test_no_secret_is_kept(house: Path, tmp_path: Path) -> None:
    keep(load(house, {"MQTT_PASSWORD": "swordfish", "MQTT_USERNAME": "me"}), tmp_path)
    assert "swordfish" not in (tmp_path / NAME).read_text()


def test_what_is_kept_already_is_not_written_again(house: Path, tmp_path: Path) -> None:
    loaded = load(house, ENV)
    keep(loaded, tmp_path)
    before = (tmp_path / NAME).stat().st_ino
    keep(loaded, tmp_path)
    assert (tmp_path / NAME).stat().st_ino == before
