"""The post of people: every order gets exactly one outcome, whichever way it came."""

import pytest

from pems_actors.actors.arming import Arming
from pems_actors.actors.base import (
    BATTERY,
    CONTROL,
    HISTORY,
    INVERTER,
    METRICS,
    MQTT,
    PLANNER,
    Record,
)
from pems_actors.actors.control import (
    ANSWER_WITHIN_S,
    KEPT_COMMANDS,
)
from pems_actors.actors.worker_drill import KilledWorker
from pems_actors.domain.events import HouseMode, ModeChanged, Outcome, Republish, Request
from supervision.events import ChildRestarted
from tests.actors.desk import Desk
from tests.actors.kit import HOUSE, NOON, later, order

ROOM = "rooms/living"
HOUR_S = 3600.0


def outcomes(desk: Desk) -> list[str]:
    return [reply["outcome"] for reply in desk.replies]


def test_an_order_goes_to_its_actor_with_checked_arguments_and_its_outcome_comes_back():
    desk = Desk()
    assert desk.says(ROOM, "override", args={"temp_c": 22, "for": "2h"}) is None
    request = desk.stage.last(ROOM, Request)
    assert request.args == {"temp_c": 22.0, "for_s": 7200.0}
    desk.ends(request, "done", "living aims at 22 °C")
    [reply] = desk.replies
    assert (reply["outcome"], reply["reason"]) == ("done", "living aims at 22 °C")


def test_an_order_is_answered_once_whatever_comes_after():
    desk = Desk()
    desk.says(ROOM, "boost")
    request = desk.stage.last(ROOM, Request)
    desk.ends(request)
    desk.ends(request, "failed", "late")
    desk.stage.run(2 * ANSWER_WITHIN_S)
    assert outcomes(desk) == ["done"]


def test_an_actor_that_does_not_answer_is_a_timeout():
    desk = Desk()
    desk.says(ROOM, "boost")
    desk.stage.run(ANSWER_WITHIN_S + 0.1)
    assert outcomes(desk) == ["timeout"]
    assert desk.replies[0]["reason"] == "no answer within 5 s"


def test_an_order_to_nobody_fails_at_once():
    desk = Desk(absent=["planning/planner"])
    assert desk.says("planning/planner", "replan")["outcome"] == "failed"
    assert desk.says("planning/planner", "restart")["outcome"] == "failed"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"path": "rooms/attic", "verb": "boost"}, "there is no 'rooms/attic'"),
        ({"path": ROOM, "verb": "dance"}, "knows no 'dance'"),
        ({"path": ROOM, "verb": "override"}, "needs 'temp_c'"),
        ({"path": ROOM, "verb": "override", "args": {"temp_c": "warm"}}, "must be a number"),
        ({"path": ROOM, "verb": "boost", "args": ["for", "2h"]}, "knows no ''"),
        ({"verb": "dance"}, "no such order: 'dance'"),
        ({}, "no such order: ''"),
    ],
)
def test_what_cannot_be_understood_is_rejected_in_a_sentence(body, said):
    desk = Desk()
    reply = desk.says(**body)
    assert reply["outcome"] == "rejected"
    assert said in reply["reason"]
    assert desk.stage.status.epoch == 1


def test_an_expired_order_is_refused():
    desk = Desk()
    desk.stage.tell(later(order(ROOM, "boost"), origin="mqtt", expires_at_s=NOON - 1.0))
    assert desk.stage.last(MQTT, Outcome).reason == "the order has expired"
    assert not desk.stage.all_heard(ROOM, Request)


def test_two_open_orders_may_not_have_one_id():
    desk = Desk()
    desk.says(ROOM, "boost", id="mine")
    assert desk.says("rooms/bath", "boost", id="mine")["outcome"] == "rejected"
    assert desk.says("", "status", id="mine")["outcome"] == "rejected"
    desk.ends(desk.stage.last(ROOM, Request))
    assert outcomes(desk) == ["rejected", "rejected", "done"]
    desk.says("rooms/bath", "boost", id="mine")
    assert desk.stage.all_heard("rooms/bath", Request)


def test_an_order_from_mqtt_is_answered_there():
    desk = Desk()
    desk.stage.tell(later(order(ROOM, "boost"), origin="mqtt", reply_to="my/topic"))
    desk.ends(desk.stage.last(ROOM, Request))
    answer = desk.stage.last(MQTT, Outcome)
    assert (answer.outcome, answer.reply_to) == ("done", "my/topic")


def test_the_house_mode_is_told_to_everybody_concerned():
    desk = Desk()
    assert desk.says("house", "mode", args={"mode": "away"})["outcome"] == "done"
    addresses = (ROOM, "rooms/kitchen", "rooms/bath", BATTERY, INVERTER, PLANNER, METRICS)
    for address in addresses:
        assert desk.stage.last(address, ModeChanged).mode is HouseMode.AWAY


def test_the_mode_stands_for_a_successor_and_for_whoever_comes_back():
    desk = Desk()
    desk.says("house", "mode", args={"mode": "emergency"})
    desk.stage.forget()
    desk.stage.crash()
    assert desk.stage.last(ROOM, ModeChanged).mode is HouseMode.EMERGENCY
    desk.stage.forget()
    desk.stage.tell(Republish())
    assert desk.stage.last(BATTERY, ModeChanged).mode is HouseMode.EMERGENCY


def test_a_mode_with_an_end_ends_by_itself_even_in_a_new_process():
    desk = Desk()
    away = {"mode": "away", "until": "2026-01-15T13:00:00Z"}
    assert "until 2026" in desk.says("house", "mode", args=away)["reason"]
    reborn = Desk(memory=desk.stage.memory, start_s=NOON + HOUR_S)
    reborn.stage.tell(Republish())
    assert reborn.stage.last(ROOM, ModeChanged).mode is HouseMode.AWAY
    reborn.stage.run(HOUR_S + 1.0)
    assert reborn.stage.last(ROOM, ModeChanged).mode is HouseMode.NORMAL
    assert reborn.stage.last(HISTORY, Record).kind == "mode"


@pytest.mark.parametrize(
    ("first", "args", "said"),
    [
        ("emergency", {"mode": "comfort"}, "the house is in emergency"),
        ("normal", {"mode": "emergency", "until": "2026-01-15T13:00:00Z"}, "leave until out"),
        ("normal", {"mode": "away", "until": "2026-01-15T10:00:00Z"}, "is over"),
    ],
)
def test_a_mode_that_cannot_be_is_rejected(first, args, said):
    desk = Desk()
    desk.says("house", "mode", args={"mode": first})
    reply = desk.says("house", "mode", args=args)
    assert reply["outcome"] == "rejected"
    assert said in reply["reason"]
    desk.stage.tell(Republish())
    assert desk.stage.last(ROOM, ModeChanged).mode == first


def test_an_order_from_mqtt_that_takes_a_while_is_first_accepted():
    desk = Desk()
    desk.stage.tell(later(order(ROOM, "boost"), origin="mqtt", reply_to="my/topic"))
    desk.stage.run(ANSWER_WITHIN_S + 1.0)
    said = [(o.outcome, o.reply_to) for o in desk.stage.all_heard(MQTT, Outcome)]
    assert said == [("accepted", "my/topic"), ("timeout", "my/topic")]


def test_a_disk_that_refuses_does_not_hinder_arming():
    desk = Desk(armed=frozenset())
    desk.disk_problem = "read-only file system"
    assert "read-only file system" in desk.says("", "arm", args={"device": ROOM})["reason"]
    assert desk.stage.writer.armed == {"relay/living"}


def test_a_successor_answers_the_open_orders_and_remembers_the_closed_ones():
    desk = Desk()
    desk.says("house", "mode", args={"mode": "away"})
    desk.says(ROOM, "boost", id="answered")
    desk.says("rooms/bath", "boost", id="overdue")
    desk.stage.crash()
    desk.ends(desk.stage.last(ROOM, Request))
    desk.stage.run(ANSWER_WITHIN_S + 0.1)
    assert outcomes(desk) == ["done", "done", "timeout"]
    listed = desk.says("", "commands")["result"]["commands"]
    assert [c["verb"] for c in listed] == ["mode", "boost", "boost"]


def test_the_last_hundred_commands_are_listed_with_their_outcome():
    desk = Desk()
    for number in range(KEPT_COMMANDS + 20):
        desk.says("house", "mode", id=f"c{number}", args={"mode": "away"})
    desk.says(ROOM, "dance")
    listed = desk.says("", "commands")["result"]["commands"]
    assert len(listed) == KEPT_COMMANDS
    assert (listed[-1]["verb"], listed[-1]["outcome"]) == ("dance", "rejected")
    assert listed[-2]["id"] == f"c{KEPT_COMMANDS + 19}"


def test_every_command_is_kept_in_the_history_but_no_reading():
    desk = Desk()
    desk.says("house", "mode", args={"mode": "away"})
    desk.says("", "commands")
    records = desk.stage.all_heard(HISTORY, Record)
    assert [(r.kind, r.body["outcome"]) for r in records] == [("command", "done")]


@pytest.mark.parametrize("verb", ["status", "plan", "explain", "shadow", "prices"])
def test_questions_go_to_the_board(verb):
    desk = Desk()
    assert desk.says("", verb) is None
    request = desk.stage.last(METRICS, Request)
    desk.stage.tell(Outcome(request.id, METRICS, verb, "done", "", NOON, {"x": 1}))
    assert desk.replies[-1]["result"] == {"x": 1}


def test_a_snapshot_shows_epoch_and_state():
    desk = Desk()
    desk.says(CONTROL, "snapshot")
    desk.stage.run(0.1)
    reply = desk.replies[-1]
    assert reply["outcome"] == "done"
    assert reply["result"]["epoch"] == 1
    assert "ControlMind" in reply["result"]["state"]


def test_any_actor_can_be_restarted():
    desk = Desk()
    assert desk.says("devices/battery", "restart")["outcome"] == "done"
    desk.stage.run(1.0)
    restarted = [e for e in desk.stage.events if getattr(e, "path", "") == "devices/battery"]
    assert desk.stage.system.status("devices/battery").epoch == 2
    assert not [e for e in restarted if isinstance(e, ChildRestarted) and e.epoch > 2]


def test_arming_opens_the_door_of_one_device_and_is_remembered():
    desk = Desk(armed=frozenset())
    assert desk.says("", "arm", args={"device": ROOM})["reason"] == "armed 1 device"
    assert desk.stage.writer.armed == {"relay/living"}
    desk.says("", "arm", args={"device": "devices/battery"})
    desk.says("", "arm", args={"device": "all"})
    every = {"relay/living", "relay/bath", "battery", "inverter"}
    assert desk.stage.writer.armed == every
    desk.says("", "disarm", args={"device": "inverter"})
    assert desk.saved[-1] == every - {"inverter"}


def test_disarming_closes_the_doors_of_a_house_that_was_all_open():
    desk = Desk()
    desk.says("", "disarm")
    assert desk.saved == [frozenset()]
    assert desk.says("", "arm", args={"device": "rooms/attic"})["outcome"] == "rejected"


def test_what_the_gate_did_not_let_be_closed_is_not_said_to_be():
    desk = Desk()
    desk.stage.writer.armed = None
    arming = Arming(Fenced(), HOUSE, desk.stage.writer, desk.saved.append)
    outcome, reason = arming.obey("disarm", "all")
    assert outcome == "failed"
    assert "try again" in reason
    assert desk.stage.writer.armed is None
    assert not desk.saved


class Fenced:
    """An actor whose successor lives already: nothing of its passes the gate."""

    def now_s(self) -> float:
        return NOON

    def effect(self, action, resource=None) -> bool:
        return False


def test_a_drill_harms_its_target():
    desk = Desk()
    reply = desk.says("", "drill", args={"target": ROOM, "fault": "crash"})
    assert reply["reason"] == f"crash sent to {ROOM}"
    assert reply["result"]["injected_process_s"] == NOON
    desk.stage.run(1.0)
    assert desk.stage.system.status(ROOM).epoch == 2


@pytest.mark.parametrize(
    ("more", "args", "said"),
    [
        ({"drills": False}, {"target": ROOM, "fault": "crash"}, "drills=True"),
        ({}, {"target": ROOM, "fault": "dance"}, "'dance' is unknown"),
        ({}, {"target": "rooms/attic", "fault": "crash"}, "no actor at 'rooms/attic'"),
        ({}, {"target": "planning/solver", "fault": "kill"}, "workers: none runs"),
    ],
)
def test_a_drill_that_cannot_be_is_rejected(more, args, said):
    desk = Desk(**more)
    reply = desk.says("", "drill", args=args)
    assert reply["outcome"] == "rejected"
    assert said in reply["reason"]


def test_a_kill_is_watched_no_longer_than_its_worker_exists():
    desk = Desk()
    desk.stage.tell(KilledWorker("planning/solver", 1, 0))
    desk.stage.run(60.0)
    assert desk.chronicle.listed() == []


def test_events_and_workers_are_shown():
    desk = Desk()
    desk.chronicle.note(1.0, ROOM, "ChildFailed", "boom")
    assert desk.says("", "events")["result"]["events"][0]["line"] == "boom"
    assert desk.says("", "workers")["result"] == {"workers": {}}


def test_an_unknown_message_is_counted():
    desk = Desk()
    desk.stage.tell("what is this?")
    assert desk.stage.system.counters()["unexpected"] == 1
