"""Whether to export now: the plan's word, else the known price, else yes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from pems_actors.control.battery import offered
from pems_actors.domain.events import EnergyPlan, HouseMode
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.levels import Level


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """Export allowed or not, by which level and why."""

    allowed: bool
    level: Level
    reason: str


def choose_export(
    plan: EnergyPlan | None,
    prices: PriceCurve | None,
    user_until_s: float,
    user_allowed: bool,
    mode: HouseMode,
    now_s: float,
    *,
    as_it_is: bool = True,
    clock_trusted: bool = True,
) -> ExportChoice:
    """Pick the export permission by the ladder.

    In an emergency the inverter is on its own, which may export; by a clock that is not trusted
    the permission stays as it is.
    """
    if mode is HouseMode.EMERGENCY:
        why = "emergency mode: the inverter is on its own"
        return ExportChoice(allowed=True, level=Level.NATIVE, reason=why)
    level, why = offered(plan, now_s)
    if now_s < user_until_s:
        return ExportChoice(user_allowed, level, "a person's choice")
    if not clock_trusted:
        return ExportChoice(as_it_is, Level.RULES, "the clock is not trusted: left as it is")
    if plan is not None and level < Level.RULES:
        k = bisect_right([step.start_s for step in plan.steps], now_s) - 1
        step = plan.steps[max(k, 0)]
        return ExportChoice(step.export_allowed, level, f"{step.export_reason}; {why}")
    price = _price_at(prices, now_s)
    if price is None:
        return ExportChoice(allowed=True, level=Level.RULES, reason=f"price unknown; {why}")
    told = f"export earns {price:.2f}/kWh; {why}"
    return ExportChoice(price >= 0.0, Level.RULES, told)


def _price_at(prices: PriceCurve | None, now_s: float) -> float | None:
    if prices is None or not prices.grid.start_s <= now_s < prices.grid.end_s:
        return None
    return prices.export_per_kwh[bisect_right(prices.grid.edges_s, now_s) - 1]
