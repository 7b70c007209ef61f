"""What people, the house mode and the plan ask of a room, and what it says of itself."""

import pytest

from pems_actors.actors.base import (
    CONTROL,
    HISTORY,
    METRICS,
    MQTT,
    PLANNER,
    POWER_BUDGET,
    Record,
)
from pems_actors.domain.events import (
    ComfortWish,
    HouseMode,
    ModeChanged,
    Outcome,
    RelayRequest,
    Republish,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState
from tests.actors.kit import NOON, order, room_tick
from tests.actors.rooms import grant, room_plan, room_stage, ticks

HOUR_S = 3600.0


def ask(verb: str, **args):
    """A fresh room that is 22 °C warm is asked for something."""
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 22.0))
    stage.tell(order("rooms/living", verb, **args))
    return stage, stage.last(CONTROL, Outcome)


def test_an_override_heats_until_it_ends():
    stage, outcome = ask("override", temp_c=25.0, for_s=2 * HOUR_S)
    assert (outcome.outcome, outcome.reason) == ("done", "living aims at 25 °C")
    ticks(stage, 1, 22.0)
    assert stage.last(POWER_BUDGET, RelayRequest).slack_k == pytest.approx(22.0 - 24.5)
    assert "user wants 25 °C" in stage.state.wanted.reason
    assert stage.state.wanted.rule == "user"
    ticks(stage, 120, 22.0)
    assert stage.state.override is None
    assert "user" not in stage.state.wanted.reason


def test_a_wish_is_told_to_the_planner_and_kept_in_the_history():
    stage, _ = ask("override", temp_c=25.0, for_s=HOUR_S)
    wish = stage.last(PLANNER, ComfortWish)
    assert (wish.room, wish.temp_c, wish.until_s) == ("living", 25.0, NOON + HOUR_S)
    assert [r.kind for r in stage.all_heard(HISTORY, Record)] == ["wish"]


def test_a_boost_aims_over_the_day_set_point():
    stage, outcome = ask("boost", for_s=HOUR_S)
    assert outcome.outcome == "done"
    assert stage.state.override.temp_c == 23.5


def test_an_absence_lowers_the_room_until_its_end():
    stage, outcome = ask("away", until_s=NOON + HOUR_S)
    assert outcome.reason == "living aims at 17 °C"
    ticks(stage, 1, 18.0)
    assert stage.state.wanted.target_c == 17.0
    ticks(stage, 60, 18.0)
    assert stage.state.wanted.target_c == 22.0


def test_release_ends_a_wish_at_once():
    stage, _ = ask("override", temp_c=25.0)
    stage.tell(order("rooms/living", "release", id_="2"))
    assert stage.state.override is None
    assert stage.last(CONTROL, Outcome).outcome == "done"
    assert stage.last(PLANNER, ComfortWish).temp_c is None


@pytest.mark.parametrize(
    ("verb", "args", "said"),
    [
        ("override", {"temp_c": 28.0}, "give 10 to 26"),
        ("override", {"temp_c": 22.0, "for_s": 5.0}, "1 minute to 30 days"),
        ("away", {"until_s": NOON - 1.0}, "over before it begins; give a time to come"),
        ("dance", {}, "a room knows no 'dance'"),
    ],
)
def test_what_cannot_be_done_is_rejected_with_a_way_out(verb, args, said):
    stage, outcome = ask(verb, **args)
    assert outcome.outcome == "rejected"
    assert said in outcome.reason
    assert stage.state.override is None


def test_an_order_is_also_answered_to_whoever_asks():
    stage = room_stage()
    assert stage.ask(order("rooms/living", "release")).outcome == "done"


def test_a_successor_keeps_the_wish():
    stage, _ = ask("override", temp_c=25.0, for_s=HOUR_S)
    stage.crash()
    ticks(stage, 1, 22.0)
    assert stage.state.wanted.rule == "user"


def test_emergency_mode_leaves_the_plan_at_once_and_comes_back_with_care():
    stage = room_stage()
    stage.tell(room_plan(on=True), room_tick(NOON, "living", 22.0))
    assert stage.state.ladder.level is Level.PLAN
    stage.tell(ModeChanged(HouseMode.EMERGENCY, NOON))
    ticks(stage, 1, 22.0)
    assert (stage.state.ladder.level, stage.state.ladder.reason) == (Level.RULES, "emergency mode")
    stage.tell(ModeChanged(HouseMode.NORMAL, stage.now_s))
    ticks(stage, 1, 22.0)
    assert stage.state.ladder.level is Level.RULES
    assert "two" in stage.state.ladder.reason or "2 good plans" in stage.state.ladder.reason


def test_a_room_that_starts_afresh_asks_for_the_mode_that_stands():
    stage = room_stage()
    assert stage.all_heard(CONTROL, Republish)


def test_the_plans_own_on_and_off_are_carried_out():
    stage = room_stage()
    stage.tell(room_plan(on=True), room_tick(NOON, "living", 22.4))
    stage.forget()
    grant(stage)
    [command] = stage.commands
    assert (command.on, command.level, command.reason) == (True, Level.PLAN, "plan: cheap now")


def test_when_the_plan_ends_the_room_follows_its_path_then_its_rules():
    stage = room_stage()
    stage.tell(room_plan(on=None), room_tick(NOON, "living", 22.0))
    ticks(stage, 29, 22.0)
    assert stage.state.ladder.level is Level.PLAN
    ticks(stage, 2, 22.0)
    assert stage.state.ladder.level is Level.PATH
    ticks(stage, 1, 21.2)
    assert stage.state.ladder.level is Level.RULES
    assert "off the path" in stage.state.ladder.reason
    assert stage.status.state == "fallback"
    assert stage.status.level == 3


def test_the_room_publishes_level_reason_and_values():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 21.0))
    for address in (METRICS, MQTT):
        state = stage.last(address, DeviceState)
        values = dict(state.values)
        assert (state.level, state.since_s) == (Level.RULES, NOON)
        assert (values["temp_c"].value, values["temp_c"].quality) == (21.0, Quality.GOOD)
        assert values["slack_k"].value == pytest.approx(-0.5)
        assert values["relay_on"].value is False


def test_unchanged_news_is_told_every_quarter_of_an_hour():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 25.0))
    stage.forget()
    ticks(stage, 31, 25.0)
    assert len(stage.all_heard(MQTT, DeviceState)) == 2


def test_a_silent_sensor_is_estimated_then_stale_and_its_slack_is_unknown():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 21.0))
    ticks(stage, 16, None)
    assert dict(stage.last(MQTT, DeviceState).values)["temp_c"].quality is Quality.ESTIMATED
    ticks(stage, 120, None)
    values = dict(stage.last(MQTT, DeviceState).values)
    assert values["temp_c"].quality is Quality.STALE
    assert values["slack_k"].value is None
    assert "temperature unknown" in stage.state.wanted.reason


def test_a_hot_room_that_is_known_no_more_waits_until_it_may_have_cooled():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 26.0))
    reasons = []
    for minute in range(1, 9 * 60):
        tick = room_tick(NOON + 60.0 * minute, "living", None)
        stage.runtime.run_for(60.0)
        stage.tell(tick._replace(estimate_c=26.0, doubt="sensor-jump"))
        reasons.append(stage.state.wanted.reason)
    assert "surely over" not in reasons[60]
    assert "surely over" in reasons[150]
    assert "surely over" not in reasons[-1]
    assert "temperature unknown" in reasons[-1]


def test_nothing_is_corrected_against_a_temperature_that_stands_still():
    stage = room_stage()
    stage.tell(room_tick(NOON, "living", 20.0))
    ticks(stage, 14, None)
    assert stage.state.wanted.reason.startswith("20.0 of 22.1 °C")
    ticks(stage, 5, None)
    assert stage.state.wanted.reason.startswith("last heard 20.0 °C")
    ticks(stage, 120, None)
    assert "temperature unknown" in stage.state.wanted.reason


def test_an_unknown_message_is_counted_and_harms_nobody():
    stage = room_stage()
    stage.tell("what is this?")
    assert stage.system.counters()["unexpected"] == 1
    assert stage.status.epoch == 1
