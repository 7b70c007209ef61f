"""What is published says all that the contract names, in ISO times and without NaN."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pems_actors.domain.events import Outcome
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanSlot, Softened, SolverRecord
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.gateways import payloads
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Rejected
from tests.gateways.houses import NOW_S

NOON = "2026-01-15T11:00:00Z"


@dataclass(frozen=True)
class Facts:
    path: str = "rooms/obyvak"
    state: str = "running"
    reason: str = "all well"
    since_s: float = NOW_S
    epoch: int = 3
    restarts: int = 1
    busy_ms: float = 0.12345
    mailbox: int = 2
    last_progress_s: float | None = None
    level: int | None = 0


def plan() -> Plan:
    slot = PlanSlot(
        start_s=NOW_S,
        duration_s=900.0,
        relays={"obyvak": True},
        heat_kw={"obyvak": 4.57},
        battery_mode=BatteryMode.CHARGE_GRID,
        battery_kw=-2.0,
        grid_kw=7.0,
        pv_kw=0.0,
        base_load_kw=0.4,
        export_allowed=True,
        temps_c={"obyvak": 21.0},
        soc_frac=0.6,
        cost=float("nan"),
        reasons={"obyvak": "cheap hour"},
    )
    solver = SolverRecord("optimal", "highs", 12, 0.1, 0.1234, 0.0, 5.0)
    return Plan(
        NOW_S, NOW_S + 7200.0, Level.PLAN, (slot,), {"cost": 12.5},
        (Softened("obyvak low", 0.3),), {}, solver,
    )  # fmt: skip


def test_a_plan_has_the_fields_of_the_contract() -> None:
    message = payloads.plan_message(plan())
    body = json.loads(message.payload)
    assert (message.topic, message.retain) == ("pems/plan", True)
    assert {"issued_at", "valid_until", "level", "slots", "totals", "softened"} <= set(body)
    assert body["softened"] == [{"limit": "obyvak low", "by": 0.3}]
    assert set(body["slots"][0]) == {
        "start", "duration_s", "relays", "heat_kw", "battery_mode", "battery_kw", "grid_kw",
        "pv_kw", "base_load_kw", "export_allowed", "temps_c", "soc_frac", "cost", "reasons",
    }  # fmt: skip
    assert body["slots"][0]["start"] == NOON
    assert body["slots"][0]["cost"] is None


def test_the_optimisation_status_keeps_the_names_of_the_first_system() -> None:
    message = payloads.optimization_message(plan(), NOW_S + 900.0, simulation=False)
    body = json.loads(message.payload)
    assert message.topic == "pems/status/optimization"
    assert body["solve_time_ms"] == 123.4
    assert body["comfort_violations"] == 1
    assert body["next_update"] == "2026-01-15T11:15:00Z"
    assert body["predicted_cost"] == 12.5


def test_a_state_tells_level_reason_and_the_quality_of_each_value() -> None:
    values = (("temp_c", Value(21.0, "°C", Quality.STALE, 12.34)),)
    state = DeviceState("rooms/obyvak", NOW_S, Level.RULES, "no plan", values, NOW_S - 60.0)
    message = payloads.state_message(state)
    body = json.loads(message.payload)
    assert (message.topic, message.retain) == ("pems/state/rooms/obyvak", True)
    assert (body["at"], body["level"], body["reason"]) == (NOON, 3, "no plan")
    assert body["values"]["temp_c"] == {
        "value": 21.0,
        "unit": "°C",
        "quality": "stale",
        "age_s": 12.3,
    }


def test_a_state_is_written_out_when_somebody_reads_it_and_always_the_same() -> None:
    message = payloads.state_message(DeviceState("rooms/obyvak", NOW_S, Level.RULES, "no plan", ()))
    assert not isinstance(message.text, str)
    assert message.payload == message.payload


def test_the_heartbeat_is_one_message_of_the_whole_tree() -> None:
    message = payloads.heartbeat_message(7, NOW_S, [Facts(), Facts(path="safety/guard")])
    body = json.loads(message.payload)
    assert (message.topic, message.retain, message.qos) == ("pems/supervisor", False, 0)
    assert body["sequence"] == 7
    assert [actor["path"] for actor in body["tree"]] == ["rooms/obyvak", "safety/guard"]
    assert set(body["tree"][0]) == {
        "path", "state", "reason", "since", "epoch", "restarts", "busy_ms", "mailbox",
        "last_progress", "level", "interval_s",
    }  # fmt: skip


def test_an_actor_s_state_is_retained_under_its_path() -> None:
    message = payloads.actor_message(Facts(), Topics("dum"))
    assert (message.topic, message.retain) == ("dum/supervisor/rooms/obyvak", True)


def test_an_answer_goes_where_it_was_asked_for() -> None:
    outcome = Outcome("a1", "rooms/obyvak", "boost", "done", "", NOW_S, {"until": NOON})
    assert payloads.reply_message(outcome).topic == "pems/reply/rooms/obyvak"
    asked = payloads.reply_message(outcome, "phone/answers")
    assert asked.topic == "phone/answers"
    assert not asked.retain
    assert json.loads(asked.payload) == {
        "id": "a1",
        "path": "rooms/obyvak",
        "verb": "boost",
        "outcome": "done",
        "reason": "",
        "result": {"until": NOON},
        "at": NOON,
    }


def test_a_refusal_is_answered_even_if_the_path_was_nonsense() -> None:
    message = payloads.refusal_message(Rejected("no", "id", "a/#/+\n", "boost"), NOW_S)
    assert message.topic == "pems/reply/a/_/__"
    assert json.loads(message.payload)["outcome"] == "rejected"


def test_an_incident_has_cause_start_end_and_level() -> None:
    message = payloads.incident_message("solver crashed", NOW_S, None, 2, path="planning/planner")
    assert not message.retain
    assert json.loads(message.payload) == {
        "path": "planning/planner",
        "cause": "solver crashed",
        "start": NOON,
        "end": None,
        "level": 2,
    }


def test_birth_and_will_are_retained_words() -> None:
    assert payloads.online_message(online=True).payload == "online"
    assert payloads.online_message(online=False).retain
