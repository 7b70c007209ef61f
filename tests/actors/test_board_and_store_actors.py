"""Metrics, history and outbox at their posts, and the door to the devices."""

import json
from typing import Any

import pytest

from pems_actors.actors.base import (
    CONTROL,
    HISTORY,
    METRICS,
    OUTBOX,
    PLAN_KEEPER,
    PRICES,
    HouseActor,
    Record,
    Samples,
)
from pems_actors.actors.chronicle import KEPT_EVENTS, Chronicle
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.history import HistoryActor
from pems_actors.actors.metrics import MetricsActor, Withheld
from pems_actors.actors.outbox import LOOK_EVERY_S, OutboxActor
from pems_actors.domain.commands import SetExport, SetHeating
from pems_actors.domain.events import (
    HouseMode,
    ModeChanged,
    Outcome,
    PlanAdopted,
    PlanFailed,
    Republish,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, iso
from pems_actors.economics.tariff import Tariff
from pems_actors.gateways.memory_history import MemoryHistory
from supervision.events import IncidentClosed, IncidentOpened
from tests.actors.kit import NOON, Doors, Stage, order
from tests.actors.plans import plan


def board() -> Stage:
    return Stage(METRICS, lambda c, w: MetricsActor(c, w, demo=True))


def asks(stage: Stage, verb: str, **args: Any) -> Outcome:
    stage.tell(order(METRICS, verb, **args))
    return stage.last(CONTROL, Outcome)


def prices():
    grid = TimeGrid.uniform(NOON, 192)
    return Tariff().price_curve(grid, (80.0,) * 192, NOON, grid.end_s)


def state(path: str, level: Level, since_s: float, at_s: float = NOON) -> DeviceState:
    return DeviceState(path, at_s, level, f"level {level}", (), since_s)


def test_a_board_that_starts_asks_for_what_stands():
    stage = board()
    assert all(stage.all_heard(path, Republish) for path in (PLAN_KEEPER, PRICES, CONTROL))


def test_the_status_shows_the_worst_level_and_since_when():
    stage = board()
    assert asks(stage, "status").result["reason"] == "just started"
    stage.tell(
        state("rooms/bath", Level.PLAN, NOON),
        state("rooms/living", Level.PATH, NOON - 60.0),
        state("devices/battery", Level.PATH, NOON - 30.0),
        state("safety/guard", Level.NATIVE, NOON),
        ModeChanged(HouseMode.AWAY, NOON),
        PlanFailed(NOON, "too slow"),
    )
    shown = asks(stage, "status").result
    assert (shown["level"], shown["mode"], shown["planner"]) == (2, "away", "too slow")
    assert shown["reason"] == "rooms/living: level 2"
    assert set(shown["devices"]) >= {"rooms/bath", "safety/guard"}
    assert shown["plan_age_s"] is None
    assert shown["armed"] == "all"
    assert len(shown["tree"]) > 20
    json.dumps(shown)


def test_a_house_follows_the_plan_since_the_last_device_does():
    stage = board()
    stage.tell(
        state("rooms/bath", Level.PLAN, NOON - 7200.0),
        state("rooms/living", Level.PLAN, NOON - 60.0),
        state("devices/battery", Level.PLAN, NOON - 3600.0),
    )
    shown = asks(stage, "status").result
    assert (shown["level"], shown["since"]) == (0, iso(NOON - 60.0))


def test_the_plan_is_shown_with_its_prices():
    stage = board()
    assert "the first one is on its way" in asks(stage, "plan").reason
    stage.tell(PlanFailed(NOON, "too slow"))
    assert "too slow" in asks(stage, "plan").reason
    stage.tell(PlanAdopted(plan(), NOON))
    assert asks(stage, "plan").result["prices"] is None
    assert asks(stage, "status").result["planner"] == "ok"
    stage.tell(prices())
    assert asks(stage, "plan").result["prices"]["currency"] == "CZK"


def test_prices_are_shown_when_there_are_some():
    stage = board()
    assert asks(stage, "prices").outcome == "rejected"
    stage.tell(prices())
    shown = asks(stage, "prices").result
    assert len(shown["import_per_kwh"]) == len(shown["start"]) == 192


def test_an_action_is_explained_or_it_is_said_why_not():
    stage = board()
    assert "no plan in force" in asks(stage, "explain", subject="bath").reason
    stage.tell(PlanAdopted(plan(), NOON), prices(), state("rooms/bath", Level.PLAN, NOON))
    for subject in ("bath", "battery"):
        shown = asks(stage, "explain", subject=subject, at_s=NOON + 60.0)
        assert shown.outcome == "done"
        assert shown.result["subject"] == subject
    assert "nothing is planned for 'attic'" in asks(stage, "explain", subject="attic").reason
    assert "ask for a time in between" in asks(stage, "explain", at_s=0.0).reason


def test_an_absurd_time_is_refused_and_harms_nobody():
    stage = board()
    stage.tell(PlanAdopted(plan(), NOON))
    answer = asks(stage, "explain", subject="bath", at_s="tomorrow")
    assert (answer.outcome, answer.reason[:16]) == ("rejected", "at_s is no time;")
    assert stage.status.epoch == 1


def test_the_shadow_report_lists_what_would_have_been_done():
    stage = Stage(METRICS, lambda c, w: MetricsActor(c, w, demo=False), armed=frozenset())
    export = SetExport(True, "price", Level.RULES, NOON, NOON + 900.0)
    stage.writer.apply(export)
    stage.tell(Withheld(NOON, "inverter", repr(export)))
    shown = asks(stage, "shadow").result
    assert (shown["withheld"], shown["written"]) == (1, 0)
    assert shown["last"][0]["device"] == "inverter"
    assert asks(stage, "status").result["armed"] == []


def test_incidents_are_shown_open_then_kept():
    stage = board()
    stage.tell(IncidentOpened(NOON, "rooms/bath", "i1", "boom", NOON, 3))
    [shown] = asks(stage, "status").result["incidents"]
    assert (shown["cause"], shown["end"]) == ("boom", None)
    stage.tell(IncidentClosed(NOON + 5.0, "rooms/bath", "i1", "boom", NOON, NOON + 5.0, 3))
    [shown] = asks(stage, "status").result["incidents"]
    assert shown["end"] == "2026-01-15T11:00:05Z"
    assert stage.last(HISTORY, Record).kind == "incident"


def test_counters_are_kept_every_quarter_hour():
    stage = board()
    stage.run(HOUR_S - 1.0)
    assert [r.kind for r in stage.all_heard(HISTORY, Record)] == ["counters"] * 4


def test_samples_and_records_reach_the_store():
    store = MemoryHistory()
    stage = Stage(HISTORY, lambda c, _: HistoryActor(c, store))
    stage.tell(Samples((("temp_c.bath", NOON, 21.0),)), Record("wish", NOON, {"room": "bath"}))
    assert store.last("temp_c.bath") == (NOON, 21.0)
    [(_, body)] = store.records("wish", NOON, NOON + 1.0)
    assert json.loads(body) == {"room": "bath"}


class FullDisk(MemoryHistory):
    """A store whose disk takes nothing for a while."""

    full = True

    def append(self, samples) -> None:
        if self.full:
            raise OSError("no space left on device")
        super().append(samples)


def test_a_full_disk_loses_rows_says_so_and_ends_nobody():
    store = FullDisk()
    stage = Stage(HISTORY, lambda c, _: HistoryActor(c, store))
    rows = Samples((("temp_c.bath", NOON, 21.0),))
    stage.tell(rows)
    assert (stage.status.state, stage.status.epoch) == ("degraded", 1)
    assert "no space left on device" in stage.status.reason
    store.full = False
    stage.tell(rows)
    assert stage.status.state == "running"
    assert store.last("temp_c.bath") == (NOON, 21.0)


def test_a_fenced_writer_of_history_writes_nothing():
    store = MemoryHistory()
    stage = Stage(HISTORY, lambda c, _: HistoryActor(c, store))
    stage.system.gate.fence(HISTORY)
    stage.tell(Samples((("temp_c.bath", NOON, 21.0),)))
    assert store.last("temp_c.bath") is None
    assert stage.system.counters()["late_effects"] == 1


class Database:
    """An exporter that can be reached or not."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.runs = 0
        self.closed = False

    def run_once(self) -> str | None:
        self.runs += 1
        return self.problem

    def close(self) -> None:
        self.closed = True


def test_the_outbox_sends_every_few_seconds_and_says_what_is_wrong():
    database = Database()
    stage = Stage(OUTBOX, lambda c, _: OutboxActor(c, database))
    stage.run(3 * LOOK_EVERY_S)
    assert database.runs == 3
    assert stage.status.reason == "rows sent"
    database.problem = "InfluxDB answers 503"
    stage.run(LOOK_EVERY_S)
    assert (stage.status.state, stage.status.reason) == ("degraded", "InfluxDB answers 503")
    stage.system.stop()
    assert database.closed


def test_without_a_database_the_outbox_says_so():
    stage = Stage(OUTBOX, lambda c, _: OutboxActor(c, None))
    stage.run(60.0)
    assert "no InfluxDB configured" in stage.status.reason
    stage.system.stop()


@pytest.mark.parametrize(
    "stage",
    [
        board,
        lambda: Stage(HISTORY, lambda c, _: HistoryActor(c, MemoryHistory())),
        lambda: Stage(OUTBOX, lambda c, _: OutboxActor(c, Database())),
        lambda: Stage(OUTBOX, lambda c, _: OutboxActor(c, None)),
        lambda: Stage(OUTBOX, lambda c, _: HouseActor(c)),
    ],
)
def test_unknown_messages_are_counted(stage):
    made = stage()
    made.tell("what is this?")
    assert made.system.counters()["unexpected"] == 1


def heating(relay: str) -> SetHeating:
    return SetHeating(relay, True, "test", Level.RULES, NOON, NOON + 900.0)


def test_only_armed_devices_are_written_to_and_every_command_is_witnessed():
    doors, seen = Doors(), []
    writer = DeviceWriter(doors, lambda c, w: seen.append((c.relay, w)), frozenset({"relay/bath"}))
    for relay in ("bath", "living"):
        writer.apply(heating(relay))
    assert [c.relay for c in doors.commands] == ["bath"]
    assert seen == [("bath", True), ("living", False)]
    assert (writer.written, writer.withheld) == (1, 1)


def test_arming_an_armed_house_changes_nothing():
    writer = DeviceWriter(Doors(), lambda *_: None)
    writer.arm({"battery"})
    assert writer.armed is None
    assert writer.is_armed("relay/bath")


def test_the_chronicle_forgets_the_oldest():
    chronicle = Chronicle()
    for number in range(KEPT_EVENTS + 1):
        chronicle.note(float(number), "rooms/bath", "ChildReady", "ready")
    assert len(chronicle.listed()) == KEPT_EVENTS
    assert chronicle.listed()[0]["process_s"] == 1.0
