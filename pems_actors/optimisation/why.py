"""Why a device does what it does: the answer of `pems explain`, read out of the plan in force.

The plan carries its reasons; here they are set beside the price of the hour, its rank in the day,
the plan's shadow prices, what the other choice would cost (`otherwise`), and what the room's own
rules say when the plan does not decide.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import Relay
from pems_actors.domain.plan import Plan, PlanSlot
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import DAY_S, iso
from pems_actors.optimisation.otherwise import (
    heat_price_at,
    otherwise,
    preheating_per_kwh,
    relay_worth_at,
)


def explain(
    plan: Plan,
    prices: PriceCurve | None,
    subject: str,
    at_s: float,
    state: DeviceState | None,
    relay: Relay | None = None,
) -> Mapping[str, Any]:
    """Tell what a relay, `battery` or `export` does at an instant, and why.

    Args:
        plan: the plan in force.    prices: the present price curve.
        subject: a relay's or a flexible load's name, `battery` or `export`.    at_s: the instant.
        state: the device's own state, which says if something stronger than the plan decides.
        relay: the relay of this name, which may heat more rooms than its own.
    Raises: LookupError with a sentence for an unknown subject or a time outside the plan.
    """
    slot = plan.slot_at(at_s)
    if slot is None:
        last = plan.slots[-1]
        raise LookupError(
            f"the plan knows {iso(plan.slots[0].start_s)} to "
            f"{iso(last.start_s + last.duration_s)}; ask for a time in between"
        )
    guest = subject in plan.paths and subject not in slot.reasons  # warmed by another's relay
    if subject not in slot.reasons and not guest:
        known = ", ".join(sorted({*slot.reasons, *plan.paths}))
        raise LookupError(f"nothing is planned for {subject!r}; ask for one of {known}")
    worth = relay_worth_at(plan, relay, at_s) if relay else heat_price_at(plan, subject, at_s)
    other = otherwise(plan, slot, relay or subject, prices)
    return {
        "subject": subject,
        "time": iso(at_s),
        "action": _goes_along(slot, subject) if guest else _action(slot, subject),
        "reason": "another room's relay warms it" if guest else slot.reasons[subject],
        "level": int(plan.level if state is None else state.level),
        "decided_by": None if state is None else state.reason,
        "price_rank": None if prices is None else price_rank(prices, at_s),
        "shadow_prices": {
            "heat_per_kwh": worth,
            "power_per_kwh": slot.power_price_per_kwh,
            "charge_per_kwh": slot.charge_price_per_kwh if subject == "battery" else None,
        },
        "forecast_ids": {"prices": None if prices is None else prices.source},
        "preheating_per_kwh": preheating_per_kwh(plan, slot, relay) if relay else None,
        "alternative_cost": None if other is None else other._asdict(),
        "currency": plan.currency,
        "path": _path(plan, prices, subject),
    }


def price_rank(prices: PriceCurve, at_s: float) -> Mapping[str, float] | None:
    """Place an instant's import price among the slots of the 24 hours around it.

    Returns: the price and the share of that day which is cheaper, or None where no price is known.
    """
    grid = prices.grid
    if not grid.start_s <= at_s < grid.end_s:
        return None
    price = prices.import_per_kwh[bisect_right(grid.edges_s, at_s) - 1]
    around = [
        p
        for p, s in zip(prices.import_per_kwh, grid.starts_s, strict=True)
        if abs(s - at_s) <= DAY_S / 2
    ]
    return {"per_kwh": price, "cheaper_frac": sum(p < price for p in around) / len(around)}


def _action(slot: PlanSlot, subject: str) -> str:
    if subject == "battery":
        return f"{slot.battery_mode.value} ({slot.battery_kw:+.2f} kW, positive feeds the house)"
    if subject == "export":
        return "allowed" if slot.export_allowed else "forbidden"
    if subject in slot.loads_kw:
        kw = slot.loads_kw[subject]
        return f"may draw ({kw:.2f} kW on average)" if kw > 0.0 else "waits"
    if slot.binary:
        return "on" if slot.relays.get(subject) else "off"
    return f"{slot.heat_kw.get(subject, 0.0):.2f} kW on average"


def _goes_along(slot: PlanSlot, room: str) -> str:
    temp_c = slot.temps_c.get(room)
    return "no relay of its own" if temp_c is None else f"{temp_c:.1f} °C, no relay of its own"


def _path(plan: Plan, prices: PriceCurve | None, room: str) -> Mapping[str, Any] | None:
    """Tell where a room is led and what heat and power are worth on the way; None for a device.

    `heat_kw` is that of the relay of its name, None for a room that another's relay warms.
    """
    path = plan.paths.get(room)
    if path is None:
        return None
    power = {slot.start_s: slot.power_price_per_kwh for slot in plan.slots}
    heat_kw = {slot.start_s: slot.heat_kw.get(room) for slot in plan.slots}
    return {
        "heat_kw": [heat_kw.get(start_s) for start_s in path.at_s],
        "blocked": [_is_blocked(prices, start_s) for start_s in path.at_s],
        "start": [iso(start_s) for start_s in path.at_s],
        "temp_c": path.temp_c,
        "heat_per_kwh": path.heat_price_per_kwh,
        "power_per_kwh": [power.get(start_s) for start_s in path.at_s],
    }


def _is_blocked(prices: PriceCurve | None, at_s: float) -> bool:
    if prices is None or not prices.grid.start_s <= at_s < prices.grid.end_s:
        return False
    return prices.blocked[bisect_right(prices.grid.edges_s, at_s) - 1]
