"""What the battery tells the world about itself: who decides, why, and its figures. Pure."""

from __future__ import annotations

from pems_actors.actors.battery_mind import BatteryMind
from pems_actors.control.battery import BatteryChoice, UserBattery
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.units import iso


def battery_state(path: str, mind: BatteryMind, choice: BatteryChoice, now_s: float) -> DeviceState:
    """Describe the battery as it is after a decision."""
    reading = mind.reading
    age_s = now_s - reading.at_s if reading else 0.0
    quality = Quality.MISSING if reading is None else Quality.GOOD
    soc = reading.soc_frac if reading else None
    power = reading.power_kw if reading else None
    values = (
        ("soc_frac", Value(soc, "", quality if soc is not None else Quality.MISSING, age_s)),
        ("battery_kw", Value(power, "kW", quality, age_s)),
        ("mode", Value(choice.mode.value, "")),
        ("mode_changes_today", Value(len(mind.changes_s), "")),
        ("command_path", Value("obeys" if mind.path.obeys else "degraded", "")),
        *_owner(mind.user, now_s),
    )
    return DeviceState(path, now_s, choice.level, choice.reason, values, mind.level_since_s)


def _owner(user: UserBattery | None, now_s: float) -> tuple[tuple[str, Value], ...]:
    """Tell who decides in the place of the plan, and until when."""
    if user is None or now_s >= user.until_s:
        return ()
    owner = "person" if user.by_hand else "user"
    return (("owner", Value(owner, "")), ("owner_until", Value(iso(user.until_s), "")))
