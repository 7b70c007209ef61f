"""Secrets and addresses: what stands in `.env` or the environment and never in a JSON file.

The names are the original system's. Layers are read and merged by `layers.py`, so that settings
and overrides of the house share one precedence; this file only types what came out of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.base import Good

CLONE = Path(__file__).resolve().parent.parent


def _web_address(text: str) -> str:
    """Complete a bare host to a URL and refuse one that carries a password.

    Raises: ValueError if it is no http address, or names a user.
    """
    url = text if "://" in text else f"http://{text}:8086"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("not an address")
    return url.rstrip("/")


WebAddress = Annotated[
    str,
    AfterValidator(_web_address),
    Good("an address without user and password, like http://localhost:8086"),
]
Port = Annotated[int, Field(ge=1, le=65535), Good("a port from 1 to 65535")]
Host = Annotated[str, Field(pattern=r"^[^\s/@]+$"), Good("a host name, like localhost")]


class Settings(BaseSettings):
    """Addresses and secrets. `None` means not given; a variable's name is the field's, in capitals.

    Without `mqtt_broker` the appliance brings its own broker; without `influxdb_url` the local
    store is all there is.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    influxdb_url: WebAddress | None = None
    influxdb_token: SecretStr | None = None
    influxdb_org: str = "loxone"
    mqtt_broker: Host | None = None
    mqtt_port: Port = 1883
    mqtt_username: str | None = None
    mqtt_password: SecretStr | None = None
    mqtt_client_id: str | None = None
    mqtt_tls: bool = False
    loxone_host: Host | None = None
    loxone_port: Port = 4000
    udp_listener_host: Host = "127.0.0.1"
    udp_listener_port: Port = 2000
    openweathermap_api_key: SecretStr | None = None
    pems_config_path: str | None = None
    pems_state_dir: Annotated[Path, AfterValidator(Path.expanduser)] = CLONE / "var"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what is handed in: the layers are merged before, in one place."""
        return (init_settings,)

    def masked(self) -> dict[str, object]:
        """Give all settings as plain data, secrets as stars."""
        return self.model_dump(mode="json")


NAMES = tuple(name.upper() for name in Settings.model_fields)
QUIET = frozenset({"INFLUXDB_URL", "INFLUXDB_TOKEN", "MQTT_PASSWORD", "OPENWEATHERMAP_API_KEY"})
