"""Small values for the tests of decisions."""

from pems_actors.control.room import RoomFacts, RoomView
from pems_actors.domain.events import HouseMode, Need, Outdoor, RoomPlan
from pems_actors.domain.house import Comfort, Emitter, Limits, Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.units import seconds

NOON = seconds("2026-01-15T12:00:00+01:00")

FACTS = RoomFacts(
    name="obyvak",
    comfort=Comfort(day_c=22.0, night_c=20.0, band_k=0.5),
    emitter=Emitter.FLOOR,
    loss_kw_k=0.06,
    power_kw=3.0,
    free_kw=0.1,
    timezone="Europe/Prague",
    limits=Limits(),
    surface_limit_c=29.0,
)

RELAY = Relay("obyvak", 4.57, 4.8, (("obyvak", 0.625), ("kuchyne", 0.375)))


def view(**changes: object) -> RoomView:
    base: dict[str, object] = {
        "now_s": NOON,
        "temp_c": 22.0,
        "floor_c": None,
        "outdoor": Outdoor(0.0, Quality.GOOD, "sensor"),
        "available_frac": 1.0,
        "window_open": False,
        "plan": None,
        "override": None,
        "mode": HouseMode.NORMAL,
    }
    return RoomView(**{**base, **changes})  # type: ignore[arg-type]


def plan(**changes: object) -> RoomPlan:
    base: dict[str, object] = {
        "issued_at_s": NOON,
        "valid_until_s": NOON + 1800.0,
        "path_until_s": NOON + 36 * 3600.0,
        "level": Level.PLAN,
        "start_s": (NOON, NOON + 900.0, NOON + 1800.0, NOON + 3600.0),
        "on": (True, False, None, None),
        "duty": (1.0, 0.0, 0.4, 0.2),
        "reasons": ("cheap now", "dear now", "as planned", "as planned"),
        "path_c": (22.0, 22.1, 22.2, 22.0),
        "heat_price_per_kwh": (2.0, 2.1, 2.2, 2.3),
        "end_s": NOON + 7200.0,
    }
    return RoomPlan(**{**base, **changes})  # type: ignore[arg-type]


def need(room: str = "obyvak", **changes: object) -> Need:
    base: dict[str, object] = {
        "room": room,
        "at_s": NOON,
        "duty": 1.0,
        "exact": True,
        "level": Level.PLAN,
        "why": "cheap now",
        "slack_k": 0.3,
        "target_c": 22.0,
    }
    return Need(**{**base, **changes})  # type: ignore[arg-type]
