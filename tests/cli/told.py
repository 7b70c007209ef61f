"""What a house says to its command line, made by the same code that makes it in real life."""

from typing import Any

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanSlot, Softened, SolverRecord
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import HOUR_S, QUARTER_S, iso, seconds
from pems_actors.gateways.payloads import actor_json, plan_json, state_json
from supervision import ChildStatus

NOON_S = seconds("2023-01-16T12:00:00Z")
AT = iso(NOON_S)


def actor(path: str, state: str = "running", restarts: int = 0, reason: str = "") -> dict[str, Any]:
    kind = "actor" if "/" in path else "supervisor"
    level = 0 if path.startswith("rooms/") else None
    status = ChildStatus(
        path, kind, state, reason, NOON_S, 1 + restarts, restarts, 0.0, 0, 9, NOON_S, level, 0
    )
    return actor_json(status)


def device(
    path: str, level: Level = Level.PLAN, reason: str = "the plan", **values: Any
) -> dict[str, Any]:
    told = tuple((name, Value(value, "")) for name, value in values.items())
    return state_json(DeviceState(path, NOON_S, level, reason, told, NOON_S))


def status(**changes: Any) -> dict[str, Any]:
    devices = {
        "devices/battery": device(
            "devices/battery", soc_frac=0.55, battery_kw=-1.2, mode="charge_grid"
        ),
        "devices/inverter": device("devices/inverter", pv_kw=2.5, export_allowed=True),
        "devices/meter": device("devices/meter", grid_kw=3.25, load_kw=4.55),
        "rooms/obyvak": device(
            "rooms/obyvak", temp_c=21.43, target_c=22.0, relay_on=True, outdoor_c=-3.2
        ),
        "rooms/kuchyne": device(
            "rooms/kuchyne", Level.RULES, "rules: cold outside", temp_c=20.0, target_c=21.0
        ),
    }
    told = {
        "time": AT,
        "level": 3,
        "reason": "rooms/kuchyne: rules: cold outside",
        "since": AT,
        "plan_age_s": 130.0,
        "planner": "ok",
        "mode": "normal",
        "demo": True,
        "armed": "all",
        "tree": [
            actor("root"),
            actor("rooms"),
            actor("rooms/obyvak"),
            actor("rooms/kuchyne", restarts=2),
            actor("planning"),
            actor("planning/planner", "fallback", reason="parked after 5 crashes"),
        ],
        "devices": devices,
        "counters": {"late_effects": 0},
        "incidents": [
            {
                "id": "1",
                "path": "planning/planner",
                "cause": "boom",
                "start": AT,
                "end": None,
                "level": 2,
            },
            {
                "id": "2",
                "path": "rooms/kuchyne",
                "cause": "hung",
                "start": AT,
                "end": iso(NOON_S + 90),
                "level": 3,
            },
        ],
    }
    return {**told, **changes}


def uncertain(path: str, temp_c: float) -> dict[str, Any]:
    value = Value(temp_c, "°C", Quality.STALE, 900.0)
    return state_json(DeviceState(path, NOON_S, Level.PATH, "stale", (("temp_c", value),), NOON_S))


def slot(k: int, **changes: Any) -> PlanSlot:
    """One quarter of an hour: obyvak heats in the first hour, the battery charges in the third."""
    told: dict[str, Any] = {
        "start_s": NOON_S + k * QUARTER_S,
        "duration_s": QUARTER_S,
        "relays": {"obyvak": k < 4, "loznice": False},
        "heat_kw": {"obyvak": 4.0 if k < 4 else 0.0, "loznice": 0.0},
        "battery_mode": BatteryMode.CHARGE_GRID if 8 <= k < 12 else BatteryMode.SELF_USE,
        "battery_kw": 0.0,
        "grid_kw": 5.0 if k < 4 else -1.0,
        "pv_kw": 1.0,
        "base_load_kw": 0.5,
        "export_allowed": True,
        "temps_c": {"obyvak": 21.0},
        "soc_frac": 0.5,
        "cost": 1.0,
        "reasons": {"obyvak": "on: power at 1.20", "battery": "ready"},
    }
    return PlanSlot(**{**told, **changes})


def a_plan(hours: int = 6) -> dict[str, Any]:
    """A plan with its prices, as `pems plan --json` prints it: the third hour is blocked."""
    plan = Plan(
        issued_at_s=NOON_S,
        valid_until_s=NOON_S + HOUR_S,
        level=Level.PLAN,
        slots=tuple(slot(k) for k in range(4 * hours)),
        totals={"cost": 61.25, "heat_kwh": 4.0, "peak_kw": 5.0, "objective": 99.0},
        softened=(Softened("obyvak too cold at 13:00", 0.31),),
        paths={},
        solver=SolverRecord("solved", "piqp", 20, 0.1, 0.1, 0.0, 99.0),
        currency="CZK",
    )
    prices = {
        "currency": "CZK",
        "source": "ote",
        "published_until": iso(NOON_S + hours * HOUR_S),
        "start": [iso(NOON_S + k * HOUR_S) for k in range(hours)],
        "import_per_kwh": [2.0 + k for k in range(hours)],
        "export_per_kwh": [1.0] * hours,
        "blocked": [k == 2 for k in range(hours)],
    }
    told = plan_json(plan)
    slots = [{**slot, "pv_kw": 1.0} for slot in told["slots"]]
    return {**told, "slots": slots, "prices": prices}
