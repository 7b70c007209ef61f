"""Somebody is called after half an hour; and how often each relay switched on today is told."""

import json
from typing import Any

from pems_actors.actors.base import CONTROL, HISTORY, METRICS, MQTT, Record
from pems_actors.actors.metrics import MetricsActor
from pems_actors.domain.events import (
    AlarmChanged,
    HouseMode,
    ModeChanged,
    Outcome,
    Republish,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import DAY_S, HOUR_S, iso
from supervision.events import IncidentClosed, IncidentOpened
from tests.actors.kit import NOON, Stage, order, room_tick
from tests.actors.rooms import grant, room_stage

MINUTE_S, HALF_HOUR_S, GRACE_S = 60.0, 1800.0, 600.0


def board() -> Stage:
    return Stage(METRICS, lambda c, w: MetricsActor(c, w, demo=True, edge=lambda: {"sent": 3}))


def room(level: Level, since_s: float, path: str = "rooms/bath") -> DeviceState:
    return DeviceState(path, since_s, level, f"level {level}", (), since_s)


def alarms(stage: Stage) -> list[AlarmChanged]:
    return stage.all_heard(MQTT, AlarmChanged)


def status(stage: Stage) -> dict[str, Any]:
    stage.tell(order(METRICS, "status"))
    return dict(stage.last(CONTROL, Outcome).result)


def test_a_house_without_trouble_says_once_that_there_is_no_alarm():
    stage = board()
    stage.tell(room(Level.PLAN, NOON))
    stage.run(2 * HOUR_S)
    [told] = alarms(stage)
    assert (told.since_s, told.reason, told.level) == (None, "", None)
    assert status(stage)["alarm"] is None
    assert not [r for r in stage.all_heard(HISTORY, Record) if r.kind == "alarm"]


def test_a_room_on_its_rules_raises_the_alarm_after_the_start_and_half_an_hour():
    stage = board()
    stage.tell(room(Level.RULES, NOON))
    stage.run(GRACE_S + HALF_HOUR_S - MINUTE_S)
    assert [alarm.since_s for alarm in alarms(stage)] == [None]
    stage.run(2 * MINUTE_S)
    told = alarms(stage)[-1]
    assert (told.since_s, told.level) == (NOON + GRACE_S, Level.RULES)
    assert "rooms/bath" in told.reason
    assert status(stage)["alarm"] == {
        "since": iso(NOON + GRACE_S), "reason": "rooms/bath: level 3", "level": 3,
    }  # fmt: skip


def test_the_alarm_ends_with_its_cause_and_is_on_record():
    stage = board()
    stage.tell(room(Level.RULES, NOON))
    stage.run(HOUR_S)
    stage.tell(room(Level.PLAN, stage.now_s))
    stage.run(MINUTE_S)
    assert alarms(stage)[-1].since_s is None
    assert status(stage)["alarm"] is None
    kept = [r.body["since"] for r in stage.all_heard(HISTORY, Record) if r.kind == "alarm"]
    assert kept == [iso(NOON + GRACE_S), None]
    json.dumps(kept)


def test_an_outage_of_half_an_hour_raises_the_alarm_and_a_short_one_does_not():
    stage = board()
    stage.tell(room(Level.PATH, NOON))
    opened = IncidentOpened(NOON, "planning/planner", "planner@1", "boom", NOON, None)
    stage.tell(opened)
    stage.run(HALF_HOUR_S - MINUTE_S)
    assert alarms(stage)[-1].since_s is None
    stage.run(2 * MINUTE_S)
    told = alarms(stage)[-1]
    assert (told.since_s, told.reason) == (NOON, "planning/planner: boom")
    assert told.level == Level.PATH
    end_s = stage.now_s
    stage.tell(IncidentClosed(end_s, "planning/planner", "planner@1", "boom", NOON, end_s, None))
    stage.run(MINUTE_S)
    assert alarms(stage)[-1].since_s is None
    assert status(stage)["incidents"][-1]["level"] == Level.PATH


def test_an_alarm_outlives_the_actor_that_raised_it_and_is_told_to_whoever_asks():
    stage = board()
    stage.tell(room(Level.RULES, NOON))
    stage.run(HOUR_S)
    before = alarms(stage)[-1]
    stage.forget()
    stage.crash()
    stage.run(MINUTE_S)
    assert alarms(stage) == []  # nothing has changed
    assert status(stage)["alarm"]["since"] == iso(NOON + GRACE_S)
    stage.tell(Republish())
    assert alarms(stage) == [before]


def test_words_that_change_are_no_new_alarm():
    stage = board()
    stage.tell(room(Level.RULES, NOON))
    stage.run(HOUR_S)
    told = len(alarms(stage))
    for k in range(10):
        words = DeviceState("rooms/bath", stage.now_s, Level.RULES, f"{k} °C", (), NOON)
        stage.tell(words)
        stage.run(MINUTE_S)
    assert len(alarms(stage)) == told


def test_an_emergency_is_named_in_the_alarm_that_follows_from_it():
    stage = board()
    stage.tell(ModeChanged(HouseMode.EMERGENCY, NOON), room(Level.RULES, NOON))
    stage.run(HOUR_S)
    assert alarms(stage)[-1].reason.startswith("emergency mode")


def test_what_the_connection_counted_is_in_the_status():
    assert status(board())["edge"] == {"sent": 3}


# --- cycles of the day


def starts_today(stage: Stage) -> Any:
    return dict(stage.last(MQTT, DeviceState).values)["starts_today"].value


def cycle(stage: Stage, times: int) -> None:
    """Let the room's relay switch on and off again, some hours apart."""
    for _ in range(times):
        for temp_c in (19.0, 26.0):
            stage.run(HOUR_S)
            cold = temp_c < 20.0
            stage.tell(room_tick(stage.now_s, "living", temp_c, on=not cold))
            if cold:
                grant(stage)
            stage.run(MINUTE_S)
            stage.tell(room_tick(stage.now_s, "living", temp_c, on=cold))


def test_each_start_of_a_relay_is_counted_and_told():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 22.0))
    assert starts_today(stage) == 0
    cycle(stage, 3)
    assert starts_today(stage) == 3


def test_the_count_outlives_a_crash_and_begins_anew_at_local_midnight():
    stage = room_stage()
    cycle(stage, 2)
    stage.crash()
    cycle(stage, 1)
    assert starts_today(stage) == 3
    midnight_s = NOON + DAY_S / 2
    stage.run(midnight_s - stage.now_s + MINUTE_S)
    stage.tell(room_tick(stage.now_s, "living", 22.5, on=False))
    stage.run(20 * MINUTE_S)
    stage.tell(room_tick(stage.now_s, "living", 22.5, on=False))
    assert starts_today(stage) == 0
    cycle(stage, 1)
    assert starts_today(stage) == 1
