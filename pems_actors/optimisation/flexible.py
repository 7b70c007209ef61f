"""Flexible loads in the plan: what they want as arrays, and whole switches out of the relaxation.

A load is a column of the program, between 0 and its power; what comes too late is a slack at the
load's own price. A contactor knows only on and off: the slots that the relaxed plan likes best
become whole, as many as the energy needs, wherever phases and grid bear it beside the relays that
have to be on. The relays are rounded after that, under what is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.flexible_load import LoadTask
from pems_actors.domain.house import Limits
from pems_actors.domain.plan import PlanningProblem, Softened
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.grid import Array, Stages

_TOLD_KWH = 0.05
_ON_KW = 0.05
_SLACK_KW = 0.005
_NOTHING_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Wants:
    """What flexible loads want, L of them; (K, L) `most_kw` is what each may draw in a stage."""

    tasks: tuple[LoadTask, ...]
    power_kw: Array  # (L,)
    phases: Array  # (L, 3)
    energy_kwh: Array  # (L,)
    most_kw: Array  # (K, L)

    def __len__(self) -> int:
        """Count the loads."""
        return len(self.tasks)

    @property
    def names(self) -> list[str]:
        """Names of the loads."""
        return [task.load.name for task in self.tasks]

    @property
    def uneven(self) -> Array:
        """Share of each load on each phase over an even third, (L, 3)."""
        return np.asarray(self.phases - 1.0 / 3.0)


def wants_of(problem: PlanningProblem, stages: Stages) -> Wants:
    """Read the tasks of a checked problem: nothing after the hour, nothing while blocked."""
    tasks = problem.loads
    power = np.array([task.load.power_kw for task in tasks], dtype=float)
    by_s = np.array([task.by_s for task in tasks], dtype=float)
    held = np.array([task.load.tariff_blocked for task in tasks], dtype=bool)
    left_s = by_s - stages.start_s[:, None]
    share = np.clip(left_s / (stages.hours[:, None] * HOUR_S), 0.0, 1.0)
    share[stages.blocked[:, None] & held] = 0.0
    return Wants(
        tasks=tasks,
        power_kw=power,
        phases=np.array([task.load.phases for task in tasks], dtype=float).reshape(len(tasks), 3),
        energy_kwh=np.array([task.energy_kwh for task in tasks], dtype=float),
        most_kw=share * power,
    )


def whole_loads(
    wants: Wants, stages: Stages, relaxed_kw: Array, price: Array, room_kw: Array
) -> Array:
    """Make the relaxed loads whole: on with full power, the last slot with what is missing.

    Args:
        relaxed_kw: of the relaxed plan, (K, L).    price: of a kWh in each stage, (K,).
        room_kw: what grid and phases bear beside all that is decided, (K, 4): all, L1, L2, L3.
    Returns: mean powers, (K, L) [kW].
    """
    chosen = np.zeros_like(relaxed_kw)
    for k in range(len(wants)):
        use = np.concatenate([[1.0], wants.phases[k]]) * wants.power_kw[k]
        able = (room_kw >= use - _SLACK_KW).all(axis=1) & (wants.most_kw[:, k] > _ON_KW)
        share = relaxed_kw[:, k] / max(wants.power_kw[k], _ON_KW)
        order = np.lexsort((stages.start_s, price, -share.round(2)))
        chosen[:, k] = _filled(wants.energy_kwh[k], wants.most_kw[:, k], stages.hours, order, able)
        room_kw = room_kw - np.outer(chosen[:, k] > 0.0, use)
    return chosen


def _filled(
    energy_kwh: float,
    most_kw: Array,
    hours: Array,
    order: NDArray[np.intp],
    able: NDArray[np.bool_],
) -> Array:
    """Fill the slots one after the other until the energy is there, (K,) [kW]."""
    power = np.zeros(len(hours))
    missing = energy_kwh
    for k in order[able[order]]:
        if missing <= _NOTHING_KWH:
            break
        power[k] = min(most_kw[k], missing / hours[k])
        missing -= power[k] * hours[k]
    return power


def room_beside(stages: Stages, limits: Limits, supply_kw: Array, heating_kw: Array) -> Array:
    """Give what all together and each phase bear beside base load and some heating, (K, 4) [kW].

    Args:
        supply_kw: what the sun gives for sure, (K,).
        heating_kw: of relays that have to be on, by phase, (K, 3).
    """
    total = limits.grid_kw - stages.base_kw - heating_kw.sum(axis=1) + supply_kw
    if limits.phases != 3:
        return np.repeat(total[:, None], 4, axis=1)
    net = (stages.base_kw - supply_kw)[:, None] / 3.0 + stages.skew_kw + heating_kw
    return np.column_stack([total, limits.phase_kw - net])


def resting(wants: Wants, loads_kw: Array) -> NDArray[np.bool_]:
    """Mark the stages in which the battery rests because a car is charged, (K,)."""
    rests = np.array([task.load.rests_battery for task in wants.tasks], dtype=bool)
    return np.asarray((loads_kw[:, rests] > _ON_KW).any(axis=1))


def late_of(wants: Wants, hours: Array, loads_kw: Array) -> list[Softened]:
    """Name the loads that get too little by their hour."""
    late = wants.energy_kwh - hours @ loads_kw
    return [
        Softened(f"energy of {name} by its hour [kWh]", float(by))
        for name, by in zip(wants.names, late, strict=True)
        if by > _TOLD_KWH
    ]


def why(wants: Wants, stages: Stages, loads_kw: Array, prices: list[str], k: int) -> dict[str, str]:
    """Tell why each load draws or waits in stage k."""
    said: dict[str, str] = {}
    for n, task in enumerate(wants.tasks):
        hours_left = max(task.by_s - float(stages.start_s[k]), 0.0) / HOUR_S
        wish = f"{task.energy_kwh:.1f} kWh wanted in {hours_left:.1f} h"
        if loads_kw[k, n] > _ON_KW:
            said[task.load.name] = f"on: {wish}, {prices[k]}"
        elif stages.blocked[k] and task.load.tariff_blocked:
            said[task.load.name] = "off: the tariff blocks it"
        elif hours_left <= 0.0:
            said[task.load.name] = "off: nothing is wanted after its hour"
        else:
            said[task.load.name] = f"off: other hours serve better, {wish}, {prices[k]}"
    return said
