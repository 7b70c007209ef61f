"""MQTT's post: what the world hears, and which orders get in."""

import json
from functools import partial
from typing import Any

import pytest

from pems_actors.actors.base import CONTROL, MQTT
from pems_actors.actors.mqtt import MqttActor
from pems_actors.domain.events import (
    AlarmChanged,
    HouseMode,
    ModeChanged,
    Outcome,
    PlanAdopted,
    Request,
    TreeChanged,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState, Value
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.gateways.mqtt_queues import Incoming
from pems_actors.gateways.open_orders import ANSWER_WITHIN_S, OpenOrders
from pems_actors.gateways.order_door import OrderDoor
from pems_actors.gateways.payloads import refusal_message
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Rejected
from pems_actors.house import actor_paths
from supervision import Context
from supervision.events import IncidentClosed, IncidentOpened
from tests.actors.kit import HOUSE, NOON, Stage
from tests.actors.plans import plan

TOPICS = Topics()


class Speaker:
    """The MQTT actor, its broker, the door through which orders come, and the book of them."""

    def __init__(self, heartbeat_s: float = 5.0, **more: Any) -> None:
        self.broker = MemoryMqtt()
        self.orders: OpenOrders | None = None
        self.stage = Stage(
            MQTT,
            lambda c, _: MqttActor(
                c, self.broker, self._book(c), TOPICS, heartbeat_s, simulation=True
            ),
            **more,
        )
        runtime = self.stage.runtime
        self.door = OrderDoor(TOPICS, actor_paths(HOUSE), runtime.now_s, runtime.process_s)

    def _book(self, context: Context) -> OpenOrders:
        """Make the book with the first life of the actor: it outlives them all."""
        if self.orders is None:
            runtime = context.system.runtime
            self.orders = OpenOrders(TOPICS, self.broker.publish, runtime.now_s, runtime.call_later)
        return self.orders

    def hears(self, topic: str, body: Any, *, retained: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        order = self.door.judge(Incoming(topic, payload, retained))
        assert self.orders is not None
        if isinstance(order, Rejected):
            self.broker.publish(refusal_message(order, self.stage.now_s, TOPICS))
        elif order is not None:
            self.orders.begin(order, partial(self.stage.system.tell, MQTT))
            self.stage.runtime.run_until_quiet()

    def said(self, topic: str) -> Any:
        return json.loads(self.broker.newest[topic].payload)


def boost(**more: Any) -> dict[str, Any]:
    return {"id": "1", "verb": "boost", "args": {"for": "1h"}, **more}


def test_a_devices_state_is_retained():
    speaker = Speaker()
    speaker.stage.tell(
        DeviceState("rooms/bath", NOON, Level.PLAN, "as planned", (("temp_c", Value(21.5, "°C")),))
    )
    message = speaker.broker.newest["pems/state/rooms/bath"]
    assert message.retain
    assert json.loads(message.payload)["values"]["temp_c"]["value"] == 21.5


def test_the_plan_in_force_and_its_summary_are_retained():
    speaker = Speaker()
    speaker.stage.tell(PlanAdopted(plan(), NOON))
    assert len(speaker.said("pems/plan")["slots"]) == len(plan().slots)
    summary = speaker.said("pems/status/optimization")
    assert summary["simulation_mode"] is True
    assert speaker.broker.newest["pems/status/optimization"].retain


def test_the_heartbeat_counts_and_only_changes_are_told_per_actor():
    speaker = Speaker()
    speaker.stage.run(5.0)
    first = speaker.said("pems/supervisor")
    assert first["sequence"] == 1
    assert "pems/supervisor/rooms/bath" in speaker.broker.newest
    told = speaker.broker.count("pems/supervisor/rooms/bath")
    speaker.stage.run(20.0)
    assert speaker.said("pems/supervisor")["sequence"] == 5
    assert speaker.broker.count("pems/supervisor/rooms/bath") == told
    speaker.stage.system.restart("rooms/bath")
    speaker.stage.run(5.0)
    assert speaker.said("pems/supervisor/rooms/bath")["epoch"] == 2


def test_a_broker_that_is_away_costs_nothing_but_silence():
    speaker = Speaker()
    speaker.broker.up = False
    speaker.stage.run(10.0)
    assert (speaker.stage.status.state, speaker.stage.status.reason) == ("degraded", "no broker")
    assert "pems/supervisor" not in speaker.broker.newest
    speaker.broker.up = True
    speaker.stage.run(5.0)
    assert speaker.stage.status.state == "running"


def test_an_order_reaches_the_desk_and_its_outcome_goes_out():
    speaker = Speaker()
    speaker.hears("pems/control/rooms/bath", boost(reply_to="my/topic"))
    request = speaker.stage.last(CONTROL, Request)
    assert (request.path, request.args) == ("rooms/bath", {"for_s": 3600.0})
    speaker.stage.tell(Outcome("1", "rooms/bath", "boost", "done", "", NOON, reply_to="my/topic"))
    assert speaker.said("my/topic")["outcome"] == "done"
    assert speaker.said("my/topic")["id"] == "1"


def test_an_order_has_one_final_answer_and_only_one():
    speaker = Speaker()
    speaker.hears("pems/control/rooms/bath", boost())
    for outcome in ("done", "failed"):
        speaker.stage.tell(Outcome("1", "rooms/bath", "boost", outcome, "", NOON))
    assert speaker.said("pems/reply/rooms/bath")["outcome"] == "done"
    assert speaker.broker.count("pems/reply/rooms/bath") == 1


def test_an_order_whose_desk_died_with_it_is_answered_after_all():
    speaker = Speaker()
    speaker.hears("pems/control/rooms/bath", boost(reply_to="my/topic"))
    speaker.stage.crash()
    speaker.stage.run(ANSWER_WITHIN_S + 1.0)
    assert speaker.said("my/topic")["outcome"] == "timeout"


def test_an_order_whose_time_was_up_before_anybody_took_it_is_not_carried_out():
    speaker = Speaker()
    payload = json.dumps(boost()).encode()
    order = speaker.door.judge(Incoming("pems/control/rooms/bath", payload, retained=False))
    assert speaker.orders is not None
    speaker.orders.begin(order, lambda _: True)  # it lies in the mailbox of one who is restarting
    speaker.stage.run(ANSWER_WITHIN_S + 1.0)
    speaker.stage.tell(order)
    assert not speaker.stage.all_heard(CONTROL, Request)
    assert speaker.said("pems/reply/rooms/bath")["outcome"] == "timeout"


def test_a_refusal_is_not_told_twice_but_the_order_may_come_again_corrected():
    speaker = Speaker()
    for _ in range(2):
        speaker.hears("pems/control/rooms/bath", {"id": "1", "verb": "dance"})
    assert speaker.broker.count("pems/reply/rooms/bath") == 1
    speaker.hears("pems/control/rooms/bath", boost())
    assert speaker.stage.last(CONTROL, Request).verb == "boost"


def test_an_order_that_is_delivered_twice_is_taken_once():
    speaker = Speaker()
    for _ in range(3):
        speaker.hears("pems/control/rooms/bath", boost())
    assert len(speaker.stage.all_heard(CONTROL, Request)) == 1
    speaker.hears("pems/control/rooms/bath", boost(id="2"))
    assert len(speaker.stage.all_heard(CONTROL, Request)) == 2


@pytest.mark.parametrize(
    ("path", "body", "retained", "said"),
    [
        ("rooms/bath", boost(), True, "retained"),
        ("rooms/bath", boost(expires_at="2026-01-15T10:00:00Z"), False, "expired"),
        ("rooms/attic", boost(), False, "there is no 'rooms/attic'"),
        ("rooms/bath", boost(verb="dance"), False, "knows no 'dance'"),
        ("rooms/bath", b"\xff\xfe", False, "not UTF-8"),
        ("rooms/bath", b"[" * 100_000, False, "send at most"),
    ],
)
def test_what_is_no_good_order_is_refused_in_a_sentence(path, body, retained, said):
    speaker = Speaker()
    speaker.hears(f"pems/control/{path}", body, retained=retained)
    assert not speaker.stage.all_heard(CONTROL, Request)
    replies = [m for t, m in speaker.broker.newest.items() if t.startswith("pems/reply/")]
    [answer] = [json.loads(reply.payload) for reply in replies]
    assert answer["outcome"] == "rejected"
    assert said in answer["reason"]


def test_an_order_that_finds_nobody_at_the_desk_fails_at_once():
    speaker = Speaker(absent=[CONTROL])
    speaker.hears("pems/control/rooms/bath", boost())
    assert "send it again" in speaker.said("pems/reply/rooms/bath")["reason"]


def test_a_change_of_the_tree_is_told_soon_and_once():
    speaker = Speaker(heartbeat_s=60.0)
    for _ in range(5):
        speaker.stage.tell(TreeChanged())
    assert speaker.broker.count("pems/supervisor") == 0
    speaker.stage.run(1.0)
    assert speaker.broker.count("pems/supervisor") == 1


def test_an_alarm_is_told():
    speaker = Speaker()
    before = set(speaker.broker.newest)
    speaker.stage.tell(AlarmChanged(NOON, NOON - 1800.0, "bath is too cold", Level.RULES))
    [topic] = set(speaker.broker.newest) - before
    assert "too cold" in speaker.broker.newest[topic].payload


def test_in_an_emergency_every_state_says_so_first():
    speaker = Speaker()
    speaker.stage.tell(DeviceState("rooms/bath", NOON, Level.RULES, "no plan yet", ()))
    speaker.stage.tell(ModeChanged(HouseMode.EMERGENCY, NOON))
    assert speaker.said("pems/state/rooms/bath")["reason"].startswith("emergency mode")
    speaker.stage.tell(ModeChanged(HouseMode.NORMAL, NOON), ModeChanged(HouseMode.AWAY, NOON))
    assert speaker.said("pems/state/rooms/bath")["reason"] == "no plan yet"
    assert speaker.broker.count("pems/state/rooms/bath") == 3


def test_a_successor_goes_on_counting_and_knows_the_open_outages():
    speaker = Speaker()
    speaker.stage.run(15.0)
    speaker.stage.tell(IncidentOpened(NOON, "rooms/bath", "i1", "boom", NOON, None))
    speaker.stage.tell(DeviceState("rooms/bath", NOON, Level.RULES, "no plan yet", ()))
    speaker.stage.crash()
    speaker.stage.run(5.0)
    assert speaker.said("pems/supervisor")["sequence"] == 4
    speaker.stage.tell(IncidentClosed(NOON, "rooms/bath", "i1", "boom", NOON, NOON + 9.0, None))
    assert speaker.said("pems/incident")["level"] == 3


def test_an_outage_is_one_message_when_it_is_over():
    speaker = Speaker()
    speaker.stage.tell(IncidentOpened(NOON, "rooms/bath", "rooms/bath#1", "boom", NOON, 3))
    assert "pems/incident" not in speaker.broker.newest
    speaker.stage.tell(
        IncidentClosed(NOON + 9.0, "rooms/bath", "rooms/bath#1", "boom", NOON, NOON + 9.0, 3)
    )
    assert speaker.said("pems/incident")["level"] == 3
    assert speaker.stage.system.counters()["unexpected"] == 0


def test_a_fenced_speaker_is_silent():
    speaker = Speaker()
    speaker.stage.system.gate.fence(MQTT)
    speaker.stage.run(10.0)
    assert not speaker.broker.newest


def test_an_unknown_message_is_counted():
    speaker = Speaker()
    speaker.stage.tell("what is this?")
    assert speaker.stage.system.counters()["unexpected"] == 1
