"""`.env` and the environment: what is read, which wins, and that no secret ever shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config import ConfigError, Settings, load
from config.settings import NAMES

CLONE = Path(__file__).resolve().parents[2]
SECRETS = {
    "INFLUXDB_TOKEN": "s3cret-token",
    "MQTT_PASSWORD": "s3cret-password",
    "OPENWEATHERMAP_API_KEY": "s3cret-key",
}


@pytest.fixture
def dotenv(tmp_path):
    def _dotenv(text: str) -> Path:
        path = tmp_path / ".env"
        path.write_text(text, "utf-8")
        return path

    return _dotenv


def test_without_any_layer_there_is_no_broker_and_no_database():
    settings = load(env={}).settings
    assert settings.mqtt_broker is None
    assert settings.influxdb_url is None
    assert settings.mqtt_port == 1883
    assert settings.pems_state_dir == CLONE / "var"


def test_settings_are_typed_and_their_layer_is_known(dotenv):
    file = dotenv("MQTT_BROKER=from-file\nMQTT_PORT=1884\n")
    loaded = load(env={"MQTT_BROKER": "from-env", "MQTT_TLS": "true"}, dotenv=file)
    assert loaded.settings.mqtt_broker == "from-env"
    assert loaded.settings.mqtt_port == 1884
    assert loaded.settings.mqtt_tls is True
    assert loaded.sources["MQTT_BROKER"] == "environment"
    assert loaded.sources["MQTT_PORT"] == ".env"


def test_secrets_are_readable_but_never_shown(dotenv):
    loaded = load(env=SECRETS, dotenv=dotenv("MQTT_USERNAME=pems\n"))
    assert loaded.settings.influxdb_token is not None
    assert loaded.settings.influxdb_token.get_secret_value() == "s3cret-token"
    shown = [repr(loaded), str(loaded), repr(loaded.settings), str(loaded.settings)]
    shown += [json.dumps(loaded.effective), str(loaded.sources)]
    assert not any("s3cret" in text for text in shown)
    assert loaded.effective["settings"]["mqtt_password"] == "**********"
    assert load(env={}).effective["settings"]["mqtt_password"] is None


def test_secrets_are_not_in_problems_either(dotenv):
    file = dotenv("s3cret line\nINFLUXDB_TOKEM=s3cret\n'broken s3cret\n")
    env = SECRETS | {"MQTT_PORT": "x", "INFLUXDB_URL": "http://me:s3cret@db:8086"}
    with pytest.raises(ConfigError) as caught:
        load(env=env, dotenv=file)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value.problems)
    assert caught.value.__cause__ is None
    sentence = (
        "environment: INFLUXDB_URL is no good value; give an address without user and password"
    )
    assert any(str(p).startswith(sentence) for p in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://db:8086/", "http://db:8086"),
        ("https://db.example", "https://db.example"),
        ("db", "http://db:8086"),
    ],
)
@pytest.mark.parametrize("name", ["INFLUXDB_URL", "INFLUXDB_HOST"])
def test_the_database_address_is_a_url_or_a_host_under_its_old_and_new_name(name, text, url):
    assert load(env={name: text}).settings.influxdb_url == url


def test_an_old_name_in_the_environment_beats_a_new_one_in_dotenv(dotenv):
    file = dotenv("INFLUXDB_URL=http://file:8086\n")
    assert (
        load(env={"INFLUXDB_HOST": "env"}, dotenv=file).settings.influxdb_url == "http://env:8086"
    )
    both = {"INFLUXDB_HOST": "old", "INFLUXDB_URL": "http://new:8086"}
    assert load(env=both).settings.influxdb_url == "http://new:8086"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("MQTT_PORT", "0", 'MQTT_PORT is "0"; give a port from 1 to 65535.'),
        ("MQTT_PORT", "65536", 'MQTT_PORT is "65536"; give a port from 1 to 65535.'),
        ("MQTT_PORT", "high", 'MQTT_PORT is "high"; give a port from 1 to 65535.'),
        ("MQTT_BROKER", "a b", 'MQTT_BROKER is "a b"; give a host name, like localhost.'),
        ("MQTT_TLS", "perhaps", 'MQTT_TLS is "perhaps"; give true or false.'),
        ("INFLUXDB_HOST", "ftp://db", "INFLUXDB_HOST is no good value; give an address"),
    ],
)
def test_a_bad_address_is_told_by_its_variable(name, text, sentence):
    with pytest.raises(ConfigError) as caught:
        load(env={name: text})
    assert any(str(p).startswith(f"environment: {sentence}") for p in caught.value.problems)


def test_problems_of_addresses_and_of_the_house_are_told_together(refused):
    told = refused(lambda raw: raw.pop("grid") and raw.pop("tariff"), env={"MQTT_PORT": "0"})
    assert any("MQTT_PORT" in each for each in told)
    assert any("tariff is missing" in each for each in told)


def test_a_line_in_dotenv_that_is_no_setting_is_told_by_its_number(dotenv):
    with pytest.raises(ConfigError) as caught:
        load(env={}, dotenv=dotenv("# fine\nMQTT_PORT=1883\nMQTT_BROKER localhost\n"))
    assert ".env: line 3: is no setting; write NAME=value." in map(str, caught.value.problems)


def test_a_name_in_dotenv_that_is_almost_ours_is_a_warning(dotenv):
    loaded = load(env={}, dotenv=dotenv("MQTT_BROKR=x\nGROWATT_ENABLED=true\n"))
    told = [str(w) for w in loaded.warnings]
    assert ".env: MQTT_BROKR is not known; did you mean MQTT_BROKER?" in told
    assert not any("GROWATT" in each for each in told)


def test_quotes_comments_and_export_in_dotenv_are_understood(dotenv):
    file = dotenv("export MQTT_BROKER='my-host'  # the broker\nMQTT_USERNAME=\"a#b\"\n")
    settings = load(env={}, dotenv=file).settings
    assert (settings.mqtt_broker, settings.mqtt_username) == ("my-host", "a#b")


@pytest.mark.parametrize("content", [None, b"MQTT_BROKER=\xff\n"])
def test_a_dotenv_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / ".env"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"\.env: cannot be read, .*; give a text file"):
        load(env={}, dotenv=path)


def test_the_surroundings_are_read_only_when_no_environment_is_given(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PEMS_BATTERY__CAPACITY_KWH=11\nMQTT_BROKER=file\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MQTT_BROKER", "shell")
    loaded = load()
    assert loaded.system.battery.capacity_kwh == 11.0
    assert loaded.settings.mqtt_broker == "shell"
    hermetic = load(env={})
    assert hermetic.system.battery.capacity_kwh == 10.0
    assert hermetic.settings.mqtt_broker is None


def test_a_variable_chooses_the_house_and_an_argument_beats_it(write):
    path = write(lambda raw: raw["system"].update(name="mine"))
    assert load(env={"PEMS_CONFIG_PATH": str(path)}).system.system.name == "mine"
    assert load(env={"PEMS_CONFIG_PATH": "flat3"}).system.system.name == "flat3"
    assert load("house17", env={"PEMS_CONFIG_PATH": "flat3"}).system.system.name == "house17"


def test_bytes_that_are_no_text_in_a_variable_are_told_without_harm():
    with pytest.raises(ConfigError) as caught:
        load(env={"PEMS_BATTERY__CAPACITY_KWH": "\udcff"})
    str(caught.value).encode("utf-8")


def test_the_example_dotenv_is_valid_and_names_every_setting(dotenv):
    text = (CLONE / ".env.example").read_text("utf-8")
    assert load(env={}, dotenv=CLONE / ".env.example").settings == Settings()
    assert all(name in text for name in NAMES)
    asked = "\n".join(
        line.removeprefix("# ") if "=" in line and line.startswith("# ") else line
        for line in text.splitlines()
    )
    loaded = load(env={}, dotenv=dotenv(asked.replace("PEMS_CONFIG_PATH=config/", "X=")))
    assert len(loaded.sources) > 15


def test_a_broken_address_does_not_hide_which_house_was_chosen(write):
    path = write(lambda raw: raw["battery"].update(capacity_kwh=-1.0))
    with pytest.raises(ConfigError) as caught:
        load(env={"PEMS_CONFIG_PATH": str(path), "MQTT_PORT": "0"})
    assert any("house.json: battery: capacity_kwh is -1.0" in str(p) for p in caught.value.problems)
