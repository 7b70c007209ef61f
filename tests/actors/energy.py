"""Plans for battery and inverter."""

from __future__ import annotations

from pems_actors.domain.events import BatteryStep, EnergyPlan
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from tests.actors.kit import NOON


def energy_plan(
    *steps: tuple[float, BatteryMode], export: bool = True, valid_s: float = 1800.0
) -> EnergyPlan:
    """Modes from given seconds after noon on, for 24 hours; in force for `valid_s`."""
    parts = tuple(
        BatteryStep(NOON + after_s, mode, 3.0, 0.8, export, f"{mode} as planned", "dear now")
        for after_s, mode in steps
    )
    return EnergyPlan(NOON, NOON + valid_s, Level.PLAN, parts, NOON + 86400.0)
