"""Orders when something is slow, full or in an emergency: told honestly, and each ended once."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from pems_actors.actors.base import CONTROL, MQTT
from pems_actors.actors.battery import BatteryActor
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.control import (
    ACCEPTED_AFTER_S,
    ANSWER_WITHIN_S,
    ControlActor,
    SocketRequest,
)
from pems_actors.domain.events import HouseMode, ModeChanged, Outcome
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.gateways.wire import json_text
from pems_actors.house import actor_paths
from tests.actors.kit import HOUSE, NOON, Stage, energy_tick, order
from tests.gateways.mutants import NASTY

ROOM = "rooms/living"


def desk(save: Any = lambda armed: None, **more: Any) -> Stage:
    paths = actor_paths(HOUSE)
    return Stage(CONTROL, lambda c, w: ControlActor(c, HOUSE, paths, w, save, Chronicle()), **more)


def by_mqtt(id_: str = "1") -> Any:
    return replace(order(ROOM, "boost", id_=id_), origin="mqtt", reply_to="phone/1")


def outcomes(stage: Stage) -> list[tuple[str, str]]:
    return [(o.outcome, o.reply_to) for o in stage.all_heard(MQTT, Outcome)]


def test_an_order_over_mqtt_that_takes_a_while_is_accepted_first():
    stage = desk()
    stage.tell(by_mqtt())
    stage.run(ACCEPTED_AFTER_S / 2)
    assert outcomes(stage) == []
    stage.run(ACCEPTED_AFTER_S)
    assert outcomes(stage) == [("accepted", "phone/1")]
    stage.tell(Outcome("1", ROOM, "boost", "done", "", stage.now_s))
    stage.run(2 * ANSWER_WITHIN_S)
    assert outcomes(stage) == [("accepted", "phone/1"), ("done", "phone/1")]


def test_an_order_that_is_answered_at_once_is_not_accepted_as_well():
    stage = desk()
    stage.tell(by_mqtt())
    stage.tell(Outcome("1", ROOM, "boost", "done", "", stage.now_s))
    stage.run(2 * ANSWER_WITHIN_S)
    assert outcomes(stage) == [("done", "phone/1")]


def test_an_order_without_an_answer_ends_once_also_when_the_desk_was_replaced():
    stage = desk()
    stage.tell(by_mqtt())
    stage.crash()
    stage.run(2 * ANSWER_WITHIN_S)
    assert outcomes(stage)[-1] == ("timeout", "phone/1")
    assert [o for o, _ in outcomes(stage)].count("timeout") == 1


def test_a_disk_that_cannot_save_what_is_armed_is_told_and_stops_nobody():
    def full(_armed: object) -> None:
        raise OSError(28, "No space left on device")

    stage, replies = desk(full), []
    body = {"path": "", "verb": "disarm", "args": {"device": "devices/battery"}}
    stage.tell(SocketRequest(body, lambda said: replies.append(dict(said)) or True))
    assert replies[0]["outcome"] == "done"
    assert "until the next start" in replies[0]["reason"]
    assert "No space left" in replies[0]["reason"]
    assert stage.status.epoch == 1
    assert not stage.writer.is_armed("battery")


PATHS = (ROOM, "house", "devices/battery", "rooms/attic", CONTROL, "", "planning/planner")
VERBS = ("override", "boost", "mode", "restart", "snapshot", "arm", "drill", "status", "explain",
         "commands", "workers", "strategy", "")  # fmt: skip
ARGS = ("temp_c", "for", "until", "mode", "device", "target", "fault", "subject", "at_s", "name")


def test_whatever_comes_over_the_local_socket_is_answered_once_and_crashes_nobody():
    rng, stage, finals = Random(1), desk(), Counter()
    count = 1500
    for number in range(count):
        args: Any = {rng.choice(ARGS): rng.choice(NASTY) for _ in range(rng.randrange(3))}
        body = {"path": rng.choice(PATHS), "verb": rng.choice(VERBS), "args": args}
        if rng.random() < 0.3:
            body[rng.choice(("path", "verb", "args", "id", "reason"))] = rng.choice(NASTY)

        def reply(said: Any, number: int = number) -> bool:
            json_text(said).encode("utf-8", "replace")
            finals[number] += 1
            return True

        stage.system.tell(CONTROL, SocketRequest(body, reply))
        stage.runtime.run_until_quiet()
    stage.run(2 * ANSWER_WITHIN_S)
    assert finals == Counter(range(count))
    assert stage.system.counters()["crashes"] == 0


def test_an_emergency_ends_a_forced_battery_mode_without_waiting_for_a_tick():
    stage = Stage("devices/battery", lambda c, w: BatteryActor(c, HOUSE, w), leases=["battery"])
    stage.tell(energy_tick(NOON))
    stage.tell(order("devices/battery", "mode", mode="hold"))
    assert stage.commands[-1].mode is BatteryMode.HOLD
    stage.tell(ModeChanged(HouseMode.EMERGENCY, stage.now_s))
    assert stage.commands[-1].mode is BatteryMode.SELF_USE
    assert stage.commands[-1].level is Level.NATIVE
