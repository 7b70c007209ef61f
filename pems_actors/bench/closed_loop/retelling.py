"""A plan told again in the figures of another forecast: the same orders, other powers.

A planner that knew more than the core (exact forecasts) orders relays and modes; what the core
would expect of them follows from its own forecasts, or its validator would rightly refuse.
"""

from __future__ import annotations

from dataclasses import replace

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.physics.battery_modes import battery_power

Order = tuple[BatteryMode, float | None, float | None]


def retold(problem: PlanningProblem, plan: Plan, orders: list[Order] | None = None) -> Plan:
    """Tell a plan in the figures of a problem on the same grid.

    Args:
        orders: battery modes with rate and stop, per slot; None keeps the plan's.
    """
    soc_frac, slots = problem.state.soc_frac, []
    for k, slot in enumerate(plan.slots):
        mode, rate_kw, stop = (
            (slot.battery_mode, slot.battery_rate_kw, slot.battery_stop_soc_frac)
            if orders is None
            else orders[k]
        )
        allowed = problem.export_per_kwh[k] >= 0.0
        base_kw = max(problem.base_load_kw[k], 0.0)
        flow = battery_power(
            mode,
            max(problem.pv_kw[k], 0.0),
            base_kw + sum(slot.heat_kw.values()),
            soc_frac,
            problem.battery,
            problem.inverter,
            problem.limits,
            slot.duration_s,
            rate_kw,
            stop,
            allowed,
        )
        soc_frac = flow.soc_frac
        slots.append(
            replace(
                slot,
                battery_mode=mode,
                battery_rate_kw=rate_kw,
                battery_stop_soc_frac=stop,
                battery_kw=flow.battery_kw,
                grid_kw=flow.grid_kw,
                pv_kw=flow.pv_kw,
                base_load_kw=base_kw,
                soc_frac=soc_frac,
                export_allowed=allowed,
            )
        )
    return replace(plan, slots=tuple(slots))
