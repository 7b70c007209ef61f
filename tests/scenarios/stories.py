"""Stories of the whole house that the scenario tests tell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import config
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.units import seconds
from pems_actors.simulate import Simulation, Story, without_planner

NOON = seconds("2023-01-16T11:00:00Z")  # noon in Prague: rooms begin at their day set-points


@cache
def _house_and_tariff(preset: str, nameplate: bool):
    loaded = config.load(preset, env={}).system
    return house_from(loaded, nameplate=nameplate), tariff_from(loaded)


def story(days: float, *, preset: str = "house17", nameplate: bool = False, **more) -> Story:
    house, tariff = _house_and_tariff(preset, nameplate)
    return Story(house, tariff, more.pop("start_s", NOON), days, **more)


def rules_only(days: float, **more) -> Story:
    return without_planner(story(days, **more))


def told(tale: Story) -> Simulation:
    """Tell a story to its end and keep its log."""
    simulation = Simulation(tale, keep_log=True)
    simulation.run()
    return simulation


__all__ = ["NOON", "replace", "rules_only", "story", "told"]
