"""Whatever arrives on a control topic becomes an order or a refusal with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pems_actors.domain.events import Request
from pems_actors.gateways.orders import VERBS, check_order, duration_s, verbs_of
from pems_actors.gateways.topics import Dedupe, Topics, parse_control
from pems_actors.gateways.wire import MAX_BYTES, Rejected, json_text, read_json

NOW_S = 1_768_460_400.0  # 2026-01-15 07:00 UTC
PATHS = frozenset(
    {"rooms/obyvak", "rooms/loznice", "devices/battery", "devices/inverter", "planning/planner"}
)


def parse(tail: str, body: object, *, retained: bool = False) -> Request | Rejected:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_control(
        f"pems/control/{tail}", payload, retained=retained, now_s=NOW_S, paths=PATHS
    )


def refusal(answer: Request | Rejected) -> Rejected:
    assert isinstance(answer, Rejected), answer
    return answer


def order(answer: Request | Rejected) -> Request:
    assert isinstance(answer, Request), answer
    return answer


def test_an_order_of_the_contract_is_read_with_normalised_arguments() -> None:
    body = {
        "id": "a1",
        "verb": "override",
        "args": {"temp_c": 23, "for": "2h"},
        "reason": "guests",
        "expires_at": "2026-01-15T07:05:00Z",
        "reply_to": "phone/answers",
    }
    read = order(parse("rooms/obyvak", body))
    assert read == Request(
        "a1",
        "rooms/obyvak",
        "override",
        {"temp_c": 23.0, "for_s": 7200.0},
        "guests",
        NOW_S,
        "mqtt",
        "phone/answers",
        NOW_S + 300.0,
    )


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"),
        (b"[1]", "object"),
        (b'"boost"', "object"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"id":"x","verb":"override","args":{"temp_c":NaN}}', "JSON"),
        (b'{"id":"x","verb":"override","args":{"temp_c":1e999}}', "JSON"),
        (b'{"id":"\\ud800","verb":"boost"}', "JSON"),
        (b"[" * 5000, "JSON"),
        (b'{"id":"x","pad":"' + b"a" * MAX_BYTES + b'"}', "at most"),
        ({"verb": "boost"}, "id"),
        ({"id": 7, "verb": "boost"}, "id"),
        ({"id": "x"}, "verb"),
        ({"id": "x", "verb": ["boost"]}, "verb"),
        ({"id": "x", "verb": "boost", "args": []}, "args"),
        ({"id": "x", "verb": "boost", "reason": 5}, "reason"),
        ({"id": "x", "verb": "boost", "expires_at": "soon"}, "expires_at"),
        ({"id": "x", "verb": "boost", "expires_at": "2026-01-15T06:59:59Z"}, "expired"),
        ({"id": "x", "verb": "explode"}, "knows no"),
        ({"id": "x", "verb": "boost", "args": {"power": 3}}, "takes no"),
        ({"id": "x", "verb": "override"}, "needs"),
        ({"id": "x", "verb": "override", "args": {"temp_c": 55}}, "10 to 30"),
        ({"id": "x", "verb": "override", "args": {"temp_c": True}}, "10 to 30"),
        ({"id": "x", "verb": "boost", "args": {"for": "for ever"}}, "duration"),
        ({"id": "x", "verb": "boost", "args": {"for": "900d"}}, "60 days"),
        ({"id": "x", "verb": "away", "args": {"until": "2026-01-20T10:00"}}, "time"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_a_sentence(body: object, word: str) -> None:
    assert word in refusal(parse("rooms/obyvak", body)).reason


def test_a_retained_order_is_refused() -> None:
    body = {"id": "x", "verb": "boost"}
    assert "retain" in refusal(parse("rooms/obyvak", body, retained=True)).reason


def test_an_unknown_actor_is_refused_with_the_way_to_find_the_known() -> None:
    answer = refusal(parse("rooms/sklep", {"id": "x", "verb": "boost", "reply_to": "me"}))
    assert "pems status" in answer.reason
    assert (answer.id, answer.path, answer.verb, answer.reply_to) == (
        "x",
        "rooms/sklep",
        "boost",
        "me",
    )


@pytest.mark.parametrize(
    "place",
    ["a/#", "a/+/b", "$SYS/x", "pems/control/house", "pems/heating/obyvak/set", 5, "pems/status",
     "loxone/status", "energy/solar/command/export/enable", "teplomer/TC"],
)  # fmt: skip
def test_an_answer_never_goes_where_a_device_or_the_house_listens(place: object) -> None:
    read = order(parse("rooms/obyvak", {"id": "x", "verb": "boost", "reply_to": place}))
    assert read.reply_to is None


HOUR = {"for_s": 3600.0}
OVERRIDE, BATTERY = ("rooms/obyvak", "override"), ("devices/battery", "mode")


@pytest.mark.parametrize(
    ("tail", "payload", "order_for", "args"),
    [
        ("obyvak/override", b'{"temperature": 22.5}', OVERRIDE, {"temp_c": 22.5, **HOUR}),
        (
            "obyvak/override",
            b'{"temperature": 22, "duration": 90}',
            OVERRIDE,
            {"temp_c": 22.0, "for_s": 5400.0},
        ),
        ("obyvak/override", b'{"heating": true}', ("rooms/obyvak", "boost"), HOUR),
        ("obyvak/override", b'{"heating": false}', OVERRIDE, {"temp_c": 10.0, **HOUR}),
        (
            "loznice/heating",
            b'{"enabled": true, "duration": 30}',
            ("rooms/loznice", "boost"),
            {"for_s": 1800.0},
        ),
        ("mode", b"AWAY", ("house", "mode"), {"mode": "away"}),
        ("mode", b'"economy"', ("house", "mode"), {"mode": "economy"}),
        ("mode", b'{"mode": "NORMAL"}', ("house", "mode"), {"mode": "normal"}),
        ("reoptimize", b"", ("planning/planner", "replan"), {}),
        ("reoptimize", b"\xff", ("planning/planner", "replan"), {}),
        ("battery/mode", b"AUTO", ("devices/battery", "release"), {}),
        ("battery/mode", b"CHARGE", BATTERY, {"mode": "charge_grid"}),
        ("battery/mode", b"DISCHARGE", BATTERY, {"mode": "sell"}),
        ("battery/mode", b"IDLE", BATTERY, {"mode": "hold"}),
        (
            "battery/power",
            b'{"power_kw": 2.5}',
            BATTERY,
            {"mode": "charge_grid", "rate_kw": 2.5, **HOUR},
        ),
        (
            "battery/power",
            b'{"power_kw": -3, "duration": 15}',
            BATTERY,
            {"mode": "sell", "rate_kw": 3.0, "for_s": 900.0},
        ),
        ("battery/power", b'{"power_kw": 0}', BATTERY, {"mode": "hold", **HOUR}),
        ("emergency_stop", b"", ("house", "mode"), {"mode": "emergency"}),
    ],
)
def test_the_operator_topics_of_the_first_system_keep_working(
    tail: str, payload: bytes, order_for: tuple[str, str], args: dict[str, object]
) -> None:
    read = order(parse(tail, payload))
    assert (read.path, read.verb) == order_for
    assert read.args == args
    assert read.id


@pytest.mark.parametrize(
    ("tail", "payload"),
    [
        ("mode", b"PARTY"),
        ("battery/mode", b"EXPLODE"),
        ("battery/power", b'{"power_kw": 12}'),
        ("battery/power", b'{"power_kw": "2"}'),
        ("obyvak/override", b"{}"),
        ("obyvak/override", b'{"temperature": 45}'),
        ("obyvak/override", b"22"),
        ("sklep/override", b'{"temperature": 22}'),
        ("obyvak/override/now", b'{"temperature": 22}'),
    ],
)
def test_a_bad_operator_message_is_refused(tail: str, payload: bytes) -> None:
    assert refusal(parse(tail, payload)).reason


def test_two_operator_messages_are_two_orders() -> None:
    first = order(parse("reoptimize", b""))
    later = parse_control(
        "pems/control/reoptimize", b"", retained=False, now_s=NOW_S + 1.0, paths=PATHS
    )
    assert first.id != order(later).id


def test_two_different_operator_messages_of_one_moment_are_two_orders() -> None:
    warm, cold = (order(parse("obyvak/override", {"temperature": t})) for t in (22, 20))
    again = order(parse("obyvak/override", {"temperature": 20}))
    assert warm.id != cold.id == again.id


def test_another_prefix_moves_all_topics() -> None:
    topics = Topics("dum")
    body = b'{"id":"x","verb":"boost"}'
    here = parse_control(
        "dum/control/rooms/obyvak",
        body,
        retained=False,
        now_s=NOW_S,
        paths=PATHS,
        topics=topics,
    )
    assert isinstance(here, Request)
    assert topics.reply("rooms/obyvak") == "dum/reply/rooms/obyvak"
    assert topics.heating("obyvak") == "dum/heating/obyvak/set"


def test_an_id_is_new_only_once_and_old_ids_are_forgotten() -> None:
    seen = Dedupe(size=2)
    assert seen.first("a")
    assert not seen.first("a")
    assert seen.first("b")
    assert seen.first("c")
    assert seen.first("a")


@pytest.mark.parametrize(
    ("text", "length_s"), [("90m", 5400.0), ("2h", 7200.0), ("1.5d", 129600.0), (45, 2700.0)]
)
def test_durations_are_read_as_people_write_them(text: object, length_s: float) -> None:
    assert duration_s(text) == length_s


def test_every_verb_of_the_table_can_be_ordered() -> None:
    examples: dict[str, object] = {
        "temp_c": 21.0,
        "until": "2026-02-01T10:00:00Z",
        "allowed": False,
        "name": "comfort",
        "point": 0.5,
        "home": True,
        "room": "obyvak",
        "energy_kwh": 20.0,
        "at": "2026-02-01T07:00:00Z",
    }
    for branch, verbs in VERBS.items():
        path = {"rooms": "rooms/obyvak", "loads": "loads/car"}.get(branch, branch)
        for verb, arguments in verbs.items():
            mode = {"mode": "away" if branch == "house" else "hold"}
            needed = {a.name: (examples | mode)[a.name] for a in arguments if a.needed}
            paths = PATHS | {"loads/car"}
            assert isinstance(check_order(path, verb, needed, paths), dict), (path, verb)
    assert {"restart", "snapshot"} <= set(verbs_of("rooms/obyvak"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["id", "verb", "args", "reason", "expires_at", "reply_to", "temperature", "heating",
     "duration", "power_kw", "mode", "for", "temp_c", "until", "allowed", "name"]
)  # fmt: skip
WORDS = st.sampled_from(["boost", "override", "mode", "away", "release", "strategy", "x"])
TAILS = st.sampled_from(
    ["rooms/obyvak", "rooms/x", "devices/battery", "devices/inverter", "planning/planner",
     "house", "obyvak/override", "mode", "battery/power", "battery/mode", "reoptimize", ""]
) | st.text(max_size=30)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    tail=TAILS,
    body=st.dictionaries(KEYS, JSON | WORDS, max_size=6) | JSON,
    retained=st.booleans(),
)
def test_no_json_can_make_the_codec_fail(tail: str, body: object, retained: bool) -> None:
    answer = parse_control(
        f"pems/control/{tail}",
        json.dumps(body).encode(),
        retained=retained,
        now_s=NOW_S,
        paths=PATHS,
    )
    assert isinstance(answer, Request) or answer.reason


@settings(max_examples=400, deadline=None)
@given(tail=TAILS, payload=st.binary(max_size=200))
def test_no_bytes_can_make_the_codec_fail(tail: str, payload: bytes) -> None:
    assert isinstance(parse(tail, payload), Request | Rejected)


@given(JSON)
def test_what_is_written_can_be_read_again_and_holds_no_nan(value: object) -> None:
    text = json_text(value)
    json.loads(text, parse_constant=pytest.fail)
    again = read_json(text.encode("utf-8", "replace"))
    assert json_text(again) == text or isinstance(again, Rejected)
