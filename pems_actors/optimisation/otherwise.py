"""What the other choice would cost: by the plan's own shadow prices, to first order.

For one slot and one device. The duals say what one more kWh of power, heat or charge is worth, so
small changes are priced rightly and large ones about; dwell times and wear of relays are left out.
Positive money is what the other choice would cost more.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode, Relay
from pems_actors.domain.plan import Plan, PlanSlot, RoomPath
from pems_actors.domain.units import HOUR_S

LEG_FRAC = 0.92  # of one way through a battery, where nobody says which
IDLE_KW = 0.05


class Otherwise(NamedTuple):
    """Another choice and what it would cost more (negative: less) over the slot."""

    instead: str
    cost: float


def otherwise(
    plan: Plan, slot: PlanSlot, subject: str | Relay, prices: PriceCurve | None
) -> Otherwise | None:
    """Price the other choice for a relay, `battery` or `export`; None where it has no price."""
    if subject == "battery":
        return _battery(slot)
    if subject == "export":
        return _export(slot, prices)
    return _relay(plan, slot, subject) if isinstance(subject, Relay) else None


def preheating_per_kwh(plan: Plan, slot: PlanSlot, relay: Relay) -> float | None:
    """What a kWh of heat now gains over one bought when it must be there (negative: loses)."""
    heat, power = relay_worth_at(plan, relay, slot.start_s), slot.power_price_per_kwh
    return None if heat is None or power is None else heat - power


def relay_worth_at(plan: Plan, relay: Relay, at_s: float) -> float | None:
    """What one more kWh of a relay is worth at an instant, in all rooms that it heats."""
    worth = 0.0
    for room, share in relay.members:
        price = heat_price_at(plan, room, at_s)
        if price is None:
            return None
        worth += share * price
    return worth


def heat_price_at(plan: Plan, room: str, at_s: float) -> float | None:
    """What one more kWh of heat in a room is worth at an instant; None beyond its path."""
    path = plan.paths.get(room)
    return None if path is None else _value_at(path, at_s)


def _value_at(path: RoomPath, at_s: float) -> float | None:
    k = bisect_right(path.at_s, at_s) - 1
    return path.heat_price_per_kwh[k] if 0 <= k < len(path.at_s) else None


def _relay(plan: Plan, slot: PlanSlot, relay: Relay) -> Otherwise | None:
    """Heat bought for its price against heat missed for its worth."""
    gain = preheating_per_kwh(plan, slot, relay)
    if gain is None or not any(each.heat_kw.get(relay.name) for each in plan.slots):
        return None
    on = slot.heat_kw.get(relay.name, 0.0) >= relay.power_kw / 2.0
    kwh = relay.power_kw * slot.duration_s / HOUR_S
    return Otherwise("off", gain * kwh) if on else Otherwise("on", -gain * kwh)


def _battery(slot: PlanSlot) -> Otherwise | None:
    """Leave the charge where it is, against what the mode makes of it."""
    worth, power = slot.charge_price_per_kwh, slot.power_price_per_kwh
    if worth is None or power is None:
        return None
    kwh = slot.battery_kw * slot.duration_s / HOUR_S
    if abs(slot.battery_kw) < IDLE_KW:
        return None
    stored = kwh / LEG_FRAC if kwh > 0.0 else kwh * LEG_FRAC
    instead = (
        BatteryMode.HOLD if slot.battery_mode is not BatteryMode.HOLD else BatteryMode.SELF_USE
    )
    return Otherwise(instead.value, kwh * power - stored * worth)


def _export(slot: PlanSlot, prices: PriceCurve | None) -> Otherwise | None:
    """What leaves the house just now, at its price."""
    if prices is None or not prices.grid.start_s <= slot.start_s < prices.grid.end_s:
        return None
    per_kwh = prices.export_per_kwh[bisect_right(prices.grid.edges_s, slot.start_s) - 1]
    kwh = max(-slot.grid_kw, 0.0) * slot.duration_s / HOUR_S
    if not slot.export_allowed:
        return None  # what would leave then, nobody has reckoned
    return Otherwise("forbidden", kwh * per_kwh)
