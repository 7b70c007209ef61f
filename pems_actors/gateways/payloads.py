"""What the house tells the world over MQTT, as finished messages. Pure; times become ISO here.

The same JSON serves the command line: `plan_json` is `pems plan --json`. Which actor publishes
when is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pems_actors.domain.events import AlarmChanged, HouseMode, Outcome
from pems_actors.domain.plan import Plan, PlanSlot
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import iso
from pems_actors.gateways.topics import Topics
from pems_actors.gateways.wire import Message, Rejected, json_text

TOPICS = Topics()


# Supervision's ChildStatus, read by its attribute names: this codec needs no import of it.
ActorFacts = Any


def iso_or_none(at_s: float | None) -> str | None:
    """Write an instant, or null where there is none."""
    return None if at_s is None else iso(at_s)


def actor_json(facts: ActorFacts, interval_s: float = 5.0) -> dict[str, Any]:
    """Tell how one actor does."""
    return {
        "path": facts.path,
        "state": str(getattr(facts.state, "value", facts.state)),
        "reason": facts.reason,
        "since": iso(facts.since_s),
        "epoch": facts.epoch,
        "restarts": facts.restarts,
        "busy_ms": round(facts.busy_ms, 3),
        "mailbox": facts.mailbox,
        "last_progress": iso_or_none(facts.last_progress_s),
        "level": None if facts.level is None else int(facts.level),
        "interval_s": interval_s,
    }


def actor_message(facts: ActorFacts, topics: Topics = TOPICS, interval_s: float = 5.0) -> Message:
    """Make the retained state of one actor."""
    topic = f"{topics.prefix}/supervisor/{facts.path}"
    return Message(topic, json_text(actor_json(facts, interval_s)), retain=True)


def heartbeat_message(
    sequence: int,
    at_s: float,
    tree: Iterable[ActorFacts],
    topics: Topics = TOPICS,
    interval_s: float = 5.0,
) -> Message:
    """Make the one batched heartbeat of the whole tree."""
    actors = [actor_json(each, interval_s) for each in tree]
    body = {"sequence": sequence, "at": iso(at_s), "interval_s": interval_s, "tree": actors}
    return Message(f"{topics.prefix}/supervisor", json_text(body), qos=0)


def in_mode(reason: str, mode: HouseMode) -> str:
    """Say first that the house is in emergency, if it is: nobody shall look for another reason."""
    if mode is not HouseMode.EMERGENCY or "emergency" in reason:
        return reason
    return f"emergency mode; {reason}"


def state_json(state: DeviceState, mode: HouseMode = HouseMode.NORMAL) -> dict[str, Any]:
    """Tell what a device does, who decided it and why."""
    return {
        "at": iso(state.at_s),
        "since": iso(state.since_s),
        "level": int(state.level),
        "reason": in_mode(state.reason, mode),
        "values": {
            name: {
                "value": each.value,
                "unit": each.unit,
                "quality": each.quality,
                "age_s": round(each.age_s, 1),
            }
            for name, each in state.values
        },
    }


def state_message(
    state: DeviceState, topics: Topics = TOPICS, mode: HouseMode = HouseMode.NORMAL
) -> Message:
    """Make the retained state of one device."""
    topic = f"{topics.prefix}/state/{state.path}"
    return Message(topic, lambda: json_text(state_json(state, mode)), retain=True)


def slot_json(slot: PlanSlot) -> dict[str, Any]:
    """Tell one slot of a plan; a house without flexible loads hears nothing of them."""
    return {
        **({"loads_kw": slot.loads_kw} if slot.loads_kw else {}),
        "start": iso(slot.start_s),
        "duration_s": slot.duration_s,
        "relays": slot.relays,
        "heat_kw": slot.heat_kw,
        "battery_mode": slot.battery_mode.value,
        "battery_kw": slot.battery_kw,
        "grid_kw": slot.grid_kw,
        "pv_kw": slot.pv_kw,
        "base_load_kw": slot.base_load_kw,
        "export_allowed": slot.export_allowed,
        "temps_c": slot.temps_c,
        "soc_frac": slot.soc_frac,
        "cost": slot.cost,
        "reasons": slot.reasons,
    }


def plan_json(plan: Plan) -> dict[str, Any]:
    """Tell a whole plan, as `pems plan --json` prints it."""
    return {
        "issued_at": iso(plan.issued_at_s),
        "valid_until": iso(plan.valid_until_s),
        "level": int(plan.level),
        "currency": plan.currency,
        "slots": [slot_json(slot) for slot in plan.slots],
        "totals": plan.totals,
        "softened": [{"limit": each.limit, "by": each.by} for each in plan.softened],
    }


def plan_message(plan: Plan, topics: Topics = TOPICS) -> Message:
    """Make the retained plan in force."""
    return Message(f"{topics.prefix}/plan", json_text(plan_json(plan)), retain=True)


def optimization_message(
    plan: Plan,
    next_update_s: float,
    *,
    simulation: bool,
    topics: Topics = TOPICS,
) -> Message:
    """Make the retained summary of the last optimisation.

    What the first system called by other names is told under both.
    """
    horizon_h = round(sum(slot.duration_s for slot in plan.slots) / 3600.0, 3)
    cost = plan.totals.get("cost")
    body = {
        "timestamp": iso(plan.issued_at_s),
        "horizon": horizon_h,
        "horizon_hours": horizon_h,
        "cost": cost,
        "predicted_cost": cost,
        "currency": plan.currency,
        "violations": len(plan.softened),
        "comfort_violations": len(plan.softened),
        "solve_time_ms": round(plan.solver.wall_s * 1000.0, 1),
        "status": plan.solver.status,
        "simulation_mode": simulation,
        "next_update": iso(next_update_s),
    }
    return Message(f"{topics.prefix}/status/optimization", json_text(body), retain=True)


def incident_message(
    cause: str,
    start_s: float,
    end_s: float | None,
    level: int | None,
    *,
    path: str = "",
    topics: Topics = TOPICS,
) -> Message:
    """Make the one message of an outage: cause, start, end and the level that was reached."""
    body = {
        "path": path,
        "cause": cause,
        "start": iso(start_s),
        "end": iso_or_none(end_s),
        "level": level,
    }
    return Message(f"{topics.prefix}/incident", json_text(body))


def alarm_json(alarm: AlarmChanged) -> dict[str, Any]:
    """Tell the standing alarm; all is null or empty while there is none."""
    level = None if alarm.level is None else int(alarm.level)
    return {"since": iso_or_none(alarm.since_s), "reason": alarm.reason, "level": level}


def alarm_message(alarm: AlarmChanged, topics: Topics = TOPICS) -> Message:
    """Make the retained alarm."""
    return Message(f"{topics.prefix}/alarm", json_text(alarm_json(alarm)), retain=True)


def online_message(*, online: bool, topics: Topics = TOPICS) -> Message:
    """Make the birth (`online`) or the last will (`offline`)."""
    return Message(topics.status, "online" if online else "offline", retain=True)


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Tell how an order ended."""
    return {
        "id": outcome.id,
        "path": outcome.path,
        "verb": outcome.verb,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "result": outcome.result,
        "at": iso(outcome.at_s),
    }


def reply_message(
    outcome: Outcome, reply_to: str | None = None, topics: Topics = TOPICS
) -> Message:
    """Make the final answer to an order, on its `reply_to` or on `pems/reply/<path>`."""
    return Message(reply_to or topics.reply(outcome.path), json_text(outcome_json(outcome)))


def refusal_message(refused: Rejected, at_s: float, topics: Topics = TOPICS) -> Message:
    """Make the final answer to an order that never reached an actor."""
    path = refused.path or "unknown"
    safe = "".join(ch if ch.isalnum() or ch in "/_-." else "_" for ch in path)[:128]
    outcome = Outcome(
        refused.id or "", path[:128], refused.verb or "", "rejected", refused.reason, at_s
    )
    return reply_message(outcome, refused.reply_to or topics.reply(safe), topics)
