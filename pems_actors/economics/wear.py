"""What use costs the equipment: battery ageing per kWh and a relay's switching.

Wear is money like any other, or a planner cycles the battery for a few hellers.
"""

from __future__ import annotations


def wear_per_kwh(
    price: float,
    capacity_kwh: float,
    cycles: float,
    end_of_life_frac: float = 0.8,
    calendar_frac: float = 0.0,
) -> float:
    """Price one discharged kWh: the price over all kWh that the battery will ever give.

    `price · (1 - calendar) / (capacity · cycles · (1 + end of life) / 2)`: capacity falls about
    linearly to its end of life, and the share that ages by mere time is not paid by use.

    Args:
        price: of the battery, installed, without what is worth keeping.
        capacity_kwh: usable when new.    cycles: full cycles to the end of life.
        end_of_life_frac: capacity left then.    calendar_frac: share of ageing by time alone.
    Raises: ValueError for a capacity or a number of cycles that is not positive.
    """
    if capacity_kwh <= 0.0 or cycles <= 0.0:
        raise ValueError(
            f"capacity is {capacity_kwh} kWh and life {cycles} cycles; both must be above 0"
        )
    lifetime_kwh = capacity_kwh * cycles * (1.0 + end_of_life_frac) / 2.0
    return price * (1.0 - calendar_frac) / lifetime_kwh


def start_cost(relay_price: float, electrical_life: float) -> float:
    """Price one start of a relay: its price over the switchings it lasts under load.

    Raises: ValueError for a life that is not positive.
    """
    if electrical_life <= 0.0:
        raise ValueError(
            f"electrical life is {electrical_life} starts; give the maker's number, like 100000"
        )
    return relay_price / electrical_life
