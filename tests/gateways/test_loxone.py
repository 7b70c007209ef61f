"""The Miniserver's messages and the house's readings say the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.commands import SetHeating
from pems_actors.domain.levels import Level
from pems_actors.gateways import loxone
from pems_actors.gateways.loxone import LoxoneStatus, RelayStatus
from pems_actors.gateways.wire import Message, Rejected
from tests.gateways.houses import NOW_S, heat, reading

SET = "pems/heating/obyvak/set"


def test_a_status_tells_what_the_reading_told() -> None:
    message = loxone.status_message(reading())
    status = loxone.read_status(message.payload.encode())
    assert message.retain
    assert status == LoxoneStatus(
        at_s=NOW_S,
        temps_c={"obyvak": 21.4, "kuchyne": 21.1, "loznice": None},
        floors_c={"obyvak": 26.0},
        relays={"obyvak": True, "kuchyne": True, "loznice": False},
        windows={"obyvak": False},
        outdoor_c=-3.25,
        ghi_w_m2=120.0,
        heating_allowed=True,
        phase_kw=(-0.1, -0.2, -0.4),
    )


def test_blinds_are_no_heating_relays() -> None:
    body = {"relay": {"loznice_1": {"value": 1, "room": "loznice", "tag1": "shading"}}}
    status = loxone.read_status(json.dumps(body).encode())
    assert isinstance(status, LoxoneStatus)
    assert status.relays == {}


def test_a_heating_order_carries_lease_and_reason_and_reads_back() -> None:
    message = loxone.heating_message(heat("obyvak", lease_s=890.0))
    body = json.loads(message.payload)
    assert message.topic == SET
    assert not message.retain
    assert body == {
        "room": "obyvak",
        "state": "on",
        "duration": 15,
        "target_temp_c": 21.5,
        "reason": "cold",
        "level": 3,
        "lease_until": "2026-01-15T11:14:50Z",
        "timestamp": "2026-01-15T11:00:00Z",
    }
    read = loxone.read_heating(SET, message.payload.encode(), retained=False, now_s=NOW_S)
    assert read == heat("obyvak", lease_s=890.0)


def test_an_order_of_another_program_needs_only_state_and_duration() -> None:
    read = loxone.read_heating(SET, b'{"state":"off","duration":20}', retained=False, now_s=NOW_S)
    assert read == SetHeating("obyvak", False, "", Level.RULES, NOW_S, NOW_S + 1200.0)


@pytest.mark.parametrize(
    ("topic", "body", "retained"),
    [
        (SET, {"state": "on"}, False),
        (SET, {"state": "on", "duration": 0}, False),
        (SET, {"state": "on", "lease_until": "2026-01-15T10:59:00Z"}, False),
        (SET, {"state": ["on"], "duration": 5}, False),
        (SET, {"state": "on", "duration": 5, "room": "loznice"}, False),
        (SET, {"state": "on", "duration": 5}, True),
        ("pems/heating//set", {"state": "on", "duration": 5}, False),
        ("pems/heating/a/b/set", {"state": "on", "duration": 5}, False),
        ("pems/plan", {"state": "on", "duration": 5}, False),
    ],
)
def test_an_order_that_is_late_kept_or_not_meant_here_is_refused(
    topic: str,
    body: object,
    retained: bool,
) -> None:
    payload = json.dumps(body).encode()
    assert isinstance(loxone.read_heating(topic, payload, retained=retained, now_s=NOW_S), Rejected)


def test_a_relay_status_reads_back() -> None:
    status = RelayStatus("obyvak", True, NOW_S, 4.57, 21.4)
    message = loxone.relay_status_message(status, NOW_S)
    assert loxone.read_relay_status(message.topic, message.payload.encode()) == status


def test_a_time_without_an_offset_is_the_house_s_local_time() -> None:
    from zoneinfo import ZoneInfo

    assert loxone.read_time("2026-01-15 12:00:00", ZoneInfo("Europe/Prague")) == NOW_S
    assert loxone.read_time("2026-01-15T11:00:00Z", ZoneInfo("Europe/Prague")) == NOW_S
    assert loxone.read_time("yesterday") is None


@pytest.mark.parametrize("payload", [b"nan", b"inf", b"", b"cold", b"1" * 70, b"\xff"])
def test_an_outdoor_temperature_that_is_no_number_is_refused(payload: bytes) -> None:
    assert isinstance(loxone.read_float(payload), Rejected)


ENTRY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["value", "room", "tag1", "temperature_obyvak", "obyvak", "hdo_contact",
                         "grid_power_l1", "temperature_outside"]),
        inner,
        max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["timestamp", "temperature", "relay", "hdo", "power", "current_weather"]),
        ENTRY,
    )
)
def test_no_status_can_make_the_codec_fail(body: dict[str, object]) -> None:
    payload = json.dumps(body).encode()
    assert isinstance(loxone.read_status(payload), LoxoneStatus | Rejected)
    assert loxone.read_relay_status("loxone/heating/a/status", payload)
    answer = loxone.read_heating(SET, payload, retained=False, now_s=NOW_S)
    assert isinstance(answer, SetHeating | Rejected)


def test_a_status_of_17_rooms_is_far_below_the_limit_of_a_message() -> None:
    many = reading()
    rooms = tuple(many.rooms[0] for _ in range(17))
    from dataclasses import replace

    message: Message = loxone.status_message(replace(many, rooms=rooms))
    assert len(message.payload) < 20_000
