"""What the rooms feel of the heat that relays claim, against a model that nobody corrects.

Two runs of two hours, begun in turns from the corrected belief; beside each go the effect of the
heat claimed and of the heat that idle relays would have given. Time is taken in strides of five
minutes with mean inputs, which floors and panels do not tell from minutes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.estimation.picture import Array, Mask
from pems_actors.estimation.thermal_filter import GRAIN_S, ThermalFilter

RUN_S = 2 * HOUR_S
STRIDE_S = 5 * MINUTE_S
_COLUMNS = 6  # per run: left alone, effect of heat claimed, effect of idle heat
_FIRST = (0, 3)


class HeatRuns(NamedTuple):
    """Beliefs as columns, shape (4R, 6), as of `at_s`; what acted since; since when each run goes.

    acted: seconds times heat believed, claimed and idle per room, outdoors, irradiance and 1,
    shape (3R + 3,).    disturbed: rooms that bear no witness in each run.
    """

    at_s: float
    columns: Array
    acted: Array
    acted_s: float
    began_s: tuple[float, float]
    disturbed: tuple[Mask, Mask]

    @classmethod
    def begun(cls, belief: Array, now_s: float) -> HeatRuns:
        """Begin both runs, the second one half a length ahead."""
        rooms = len(belief) // 4
        columns = np.zeros((len(belief), _COLUMNS))
        columns[:, _FIRST] = belief[:, None]
        calm = np.zeros(rooms, dtype=bool)
        began_s = (now_s, now_s - RUN_S / 2)
        return cls(now_s, columns, np.zeros(3 * rooms + 3), 0.0, began_s, (calm, calm))

    def shifted(self, by_s: float) -> HeatRuns:
        """Move along with a clock that was set."""
        one, other = self.began_s
        return self._replace(at_s=self.at_s + by_s, began_s=(one + by_s, other + by_s))

    @property
    def longer(self) -> int:
        """The run that has gone on for longer."""
        return int(self.began_s[1] < self.began_s[0])

    def air_c(self, run: int, kind: int) -> Array:
        """Air of a run: 0 left alone, 1 effect of heat, 2 effect of idle heat, (R,)."""
        rooms = len(self.columns) // 4
        return self.columns[rooms : 2 * rooms, _FIRST[run] + kind]

    def lived(self, acting: Array, passed_s: float) -> HeatRuns:
        """Add what acted for a while, shape (3R + 3,)."""
        acted, acted_s = self.acted + passed_s * acting, self.acted_s + passed_s
        return HeatRuns(self.at_s, self.columns, acted, acted_s, self.began_s, self.disturbed)

    def troubled(self, rooms: Mask) -> HeatRuns:
        """Note rooms that something else disturbs just now."""
        one, other = self.disturbed
        return self._replace(disturbed=(one | rooms, other | rooms))


def stridden(runs: HeatRuns, model: ThermalFilter, belief: Array, now_s: float) -> HeatRuns:
    """Take the stride that is due: advance all columns, and begin anew the run that is over."""
    rooms = len(belief) // 4
    passed_s = runs.acted_s // GRAIN_S * GRAIN_S
    mean = runs.acted / max(runs.acted_s, 1.0)
    heat, claimed, idle = mean[:rooms], mean[rooms : 2 * rooms], mean[2 * rooms : 3 * rooms]
    inputs = np.zeros((rooms + 3, _COLUMNS))
    inputs[:rooms] = np.stack([heat, claimed, idle, heat, claimed, idle], axis=1)
    inputs[rooms:, _FIRST] = mean[3 * rooms :, None]
    columns = model.carried(runs.columns, inputs, passed_s)
    began_s, disturbed = list(runs.began_s), list(runs.disturbed)
    for k, first in enumerate(_FIRST):
        if not 0.0 <= now_s - began_s[k] < RUN_S:
            columns[:, first] = belief
            columns[:, first + 1 : first + 3] = 0.0
            began_s[k], disturbed[k] = now_s, np.zeros(rooms, dtype=bool)
    return HeatRuns(
        now_s, columns, np.zeros_like(runs.acted), 0.0,
        (began_s[0], began_s[1]), (disturbed[0], disturbed[1]),
    )  # fmt: skip


def begun_anew(runs: HeatRuns, belief: Array, rooms: Mask) -> HeatRuns:
    """Begin both runs anew for some rooms: what is believed of their heat has just changed."""
    columns = runs.columns.copy()
    by_room = columns.reshape(4, -1, _COLUMNS)
    for first in _FIRST:
        by_room[:, rooms, first] = belief.reshape(4, -1)[:, rooms]
        by_room[:, rooms, first + 1 : first + 3] = 0.0
    return runs._replace(columns=columns)
