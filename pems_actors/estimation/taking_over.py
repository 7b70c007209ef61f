"""A belief goes on by another model of the same house, without a pause and without a leap.

The air stays as it is measured. Walls stay as far from their rest as they were, a screed gives its
air what it gave, and what the rooms lose beside the paper is set so that the same heat holds them
in the dark; what the sun does is the new model's to tell. How sure the belief is begins anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pems_actors.estimation.thermal_filter import Array, FilterState, ThermalFilter
from pems_actors.physics.house_model import HouseDynamics


def taken_over(state: FilterState, before: ThermalFilter, after: ThermalFilter) -> FilterState:
    """Carry a belief from one model's filter to another's.

    Raises: ValueError if the models have not the same rooms in the same order.
    """
    if before.names != after.names:
        raise ValueError("a belief can only be taken over by a model of the same rooms")
    count = len(after.names)
    screed, air, walls = state.temps_c.reshape(3, count)
    (old_kw_k, old_rest_c, old_kw), (new_kw_k, new_rest_c, new_kw) = (
        _held(each.dynamics, air, state.outdoor_c) for each in (before, after)
    )
    screed, walls = air + (screed - air) * old_kw_k / new_kw_k, walls + new_rest_c - old_rest_c
    return replace(
        state,
        temps_c=np.concatenate([screed, air, walls]),
        disturbance_kw=state.disturbance_kw + new_kw - old_kw,
        doubt=after.first_doubt(air, state.outdoor_c),
    )


def _held(dynamics: HouseDynamics, air_c: Array, outdoor_c: float) -> tuple[Array, Array, Array]:
    """Tell of rooms long held: conductances of floors, walls [°C], and the heat it takes [kW]."""
    conductances = np.array([room.g_screed_air_kw_k for room in dynamics.model.rooms])
    walls_c = dynamics.steady_temps(air_c, outdoor_c)[2 * dynamics.rooms :]
    return conductances, walls_c, dynamics.steady_heat(air_c, outdoor_c)
