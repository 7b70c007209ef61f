"""The table of MQTT topics, line by line, as a running appliance with a planner speaks it."""

import json
from typing import Any

import pytest

from pems_actors.domain.units import HOUR_S
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.wire import Message
from pems_actors.house import actor_paths
from pems_actors.simulate import Simulation
from supervision import Fault
from tests.scenarios.stories import NOON, replace, story

ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
STATES = {"starting", "running", "degraded", "fallback", "restarting", "stopped", "failed"}


class Everything(MemoryMqtt):
    """A broker in memory that remembers every message, not only the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Message] = []

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        self.all.append(message)
        return super().publish(message, keep=keep)


@pytest.fixture(scope="module")
def spoken() -> Everything:
    """Half an hour of a small house with plans, a crash, an order and heartbeats."""
    mqtt = Everything()
    pace = replace(story(0.1).pace, heartbeat_s=5.0, horizon_s=4 * HOUR_S, plan_every_s=300.0)
    simulation = Simulation(story(0.1, preset="flat3", seed=5, pace=pace), mqtt=mqtt)
    simulation.start()
    simulation.run_until(NOON + 420.0)
    simulation.appliance.system.inject("rooms/bath", Fault.named("crash"))
    order = {"id": "a1", "verb": "override", "args": {"temp_c": 23}, "reply_to": "phone/1"}
    mqtt.say("pems/control/rooms/bath", json.dumps(order).encode())
    mqtt.say(
        "pems/control/rooms/bath", json.dumps({**order, "id": "a2", "reply_to": None}).encode()
    )
    simulation.run_until(NOON + 600.0)
    simulation.appliance.stop()
    return mqtt


def told(spoken: Everything, head: str) -> list[tuple[Message, dict[str, Any]]]:
    found = [m for m in spoken.all if m.topic == head or m.topic.startswith(head + "/")]
    assert found, head
    return [(message, json.loads(message.payload)) for message in found]


def test_no_topic_is_spoken_on_that_the_table_does_not_name(spoken):
    heads = {"supervisor", "state", "plan", "status", "incident", "reply", "alarm"}
    for message in spoken.all:
        prefix, _, rest = message.topic.partition("/")
        assert prefix in {"pems", "phone"}
        assert prefix == "phone" or rest.split("/")[0] in heads


def test_each_actor_has_a_retained_state_with_its_fields(spoken):
    actors = [(m, b) for m, b in told(spoken, "pems/supervisor") if m.topic != "pems/supervisor"]
    assert {m.topic.removeprefix("pems/supervisor/") for m, _ in actors} >= actor_paths(
        story(0.1, preset="flat3").house
    )
    for message, body in actors:
        assert (message.retain, message.qos) == (True, 1)
        assert {"state", "reason", "since", "epoch", "restarts", "busy_ms", "mailbox",
                "last_progress", "level", "interval_s"} <= set(body)  # fmt: skip
        assert body["state"] in STATES
        assert body["interval_s"] == 5.0


def test_the_heartbeat_is_numbered_batched_and_comes_out_of_turn_on_a_change(spoken):
    beats = [(m, b) for m, b in told(spoken, "pems/supervisor") if m.topic == "pems/supervisor"]
    assert {(m.retain, m.qos) for m, _ in beats} == {(False, 0)}
    assert [b["sequence"] for _, b in beats] == list(range(1, len(beats) + 1))
    assert len(beats) > 600 / 5.0  # those in turn, and some on changes
    assert {each["path"] for each in beats[-1][1]["tree"]} > {"safety/guard", "rooms/bath"}


def test_each_device_has_a_retained_state_with_quality_and_age(spoken):
    states = told(spoken, "pems/state")
    assert {m.topic.removeprefix("pems/state/") for m, _ in states} >= {
        "rooms/bath", "devices/battery", "devices/inverter", "devices/meter", "safety/guard",
        "safety/power_budget",
    }  # fmt: skip
    for message, body in states:
        assert (message.retain, message.qos) == (True, 1)
        assert {"at", "level", "reason", "values"} <= set(body)
        for value in body["values"].values():
            assert set(value) == {"value", "unit", "quality", "age_s"}
            assert value["quality"] in {"good", "estimated", "stale", "missing"}
    bath = [b for m, b in states if m.topic == "pems/state/rooms/bath"][-1]
    assert isinstance(bath["values"]["starts_today"]["value"], int)


def test_the_plan_in_force_and_its_summary_are_retained(spoken):
    message, body = told(spoken, "pems/plan")[-1]
    assert (message.retain, message.qos) == (True, 1)
    assert {"issued_at", "valid_until", "level", "slots", "totals", "softened"} <= set(body)
    summaries = [(m, b) for m, b in told(spoken, "pems/status") if m.topic != "pems/status"]
    message, summary = summaries[-1]
    assert (message.topic, message.retain) == ("pems/status/optimization", True)
    assert {"timestamp", "horizon", "cost", "violations", "solve_time_ms", "status",
            "next_update"} <= set(summary)  # fmt: skip
    assert summary["timestamp"] == body["issued_at"]
    assert 4.0 <= summary["horizon"] < 4.3


def test_the_next_plan_is_announced_for_when_it_is_due(spoken):
    summaries = [b for m, b in told(spoken, "pems/status") if m.topic != "pems/status"]
    from pems_actors.domain.units import seconds

    assert {seconds(b["next_update"]) - seconds(b["timestamp"]) for b in summaries} == {300.0}


def test_an_outage_is_one_message_with_cause_start_end_and_level(spoken):
    [(message, body)] = told(spoken, "pems/incident")
    assert (message.retain, message.qos) == (False, 1)
    assert set(body) == {"path", "cause", "start", "end", "level"}
    assert (body["path"], body["end"] >= body["start"]) == ("rooms/bath", True)
    assert "drill" in body["cause"].lower() or body["cause"]
    assert body["level"] is not None


def test_an_order_has_one_final_answer_where_it_was_asked_for(spoken):
    [(message, body)] = told(spoken, "phone/1")
    assert (message.retain, message.qos) == (False, 1)
    assert set(body) == {"id", "path", "verb", "outcome", "reason", "result", "at"}
    assert (body["id"], body["outcome"]) == ("a1", "done")


def test_an_order_that_names_no_place_is_answered_at_the_default(spoken):
    [(message, body)] = told(spoken, "pems/reply")
    assert message.topic == "pems/reply/rooms/bath"
    assert (message.retain, body["id"], body["outcome"]) == (False, "a2", "done")


def test_the_alarm_is_retained_also_when_there_is_none(spoken):
    [(message, body)] = told(spoken, "pems/alarm")
    assert (message.retain, message.qos) == (True, 1)
    assert body == {"since": None, "reason": "", "level": None}


def test_no_command_to_a_device_goes_over_this_connection(spoken):
    assert not [m for m in spoken.all if "/control/" in m.topic or m.topic.endswith("/set")]
