"""What relays did lately, and what their heat means for the rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

import numpy as np
import numpy.typing as npt

from pems_actors.control.order import CONTINUOUS_ON_S
from pems_actors.domain.house import HouseModel, Relay
from pems_actors.domain.plan import RelayHistory
from pems_actors.domain.units import HOUR_S
from pems_actors.physics.house_model import heat_shares_kw

Array = npt.NDArray[np.float64]


def tracked(history: RelayHistory | None, *, on: bool, at_s: float) -> RelayHistory:
    """Follow one relay: its state, since when, and its starts within the last hour.

    One first seen off has been so for long: its owner keeps its dwell anyway, and a plan that
    thought it just switched would leave the house a quarter of an hour without heat.
    """
    if history is None:
        return RelayHistory(on=on, since_s=at_s if on else -inf)
    starts = history.starts_s
    if starts and starts[0] <= at_s - HOUR_S:
        starts = tuple(start_s for start_s in starts if start_s > at_s - HOUR_S)
    if on != history.on:
        return replace(history, on=on, since_s=at_s, starts_s=(*starts, at_s) if on else starts)
    if starts is history.starts_s:
        return history
    return replace(history, starts_s=starts)


def resting(history: RelayHistory, *, floor_measured: bool) -> RelayHistory:
    """Note whether the relay's floor has to rest after a long run, as the order of rules has it."""
    after_s = inf if floor_measured else CONTINUOUS_ON_S
    return history if history.rests_after_s == after_s else replace(history, rests_after_s=after_s)


class HeatSplit:
    """What the relays give to each room, tabulated once for a house."""

    def __init__(self, model: HouseModel, relays: Sequence[Relay]) -> None:
        self._names = tuple(relay.name for relay in relays)
        self._shares_kw = heat_shares_kw(model, relays)

    def by_room(self, on: Mapping[str, RelayHistory]) -> Array:
        """Heat into each room [kW], shape (R,); a relay that was never heard gives nothing."""
        duty = np.array([float(n in on and on[n].on) for n in self._names])
        return np.asarray(self._shares_kw @ duty)
