"""The planning problem as arrays on stages, checked once.

Knows the shapes and the plausible range of every series. Everything behind this door may trust
its numbers: a problem that cannot be trusted is refused here, with a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.forecasts import resample
from pems_actors.domain.house import Relay, RoomModel
from pems_actors.domain.plan import PlanningProblem
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.physics.balance import EVEN

Array = NDArray[np.float64]

SERIES = (
    "outdoor_c",
    "ghi_w_m2",
    "pv_kw",
    "base_load_kw",
    "import_per_kwh",
    "export_per_kwh",
)
_PLAUSIBLE_C = (-60.0, 130.0)  # a panel is 60 K over its room


class BadProblemError(ValueError):
    """A planning problem that cannot be planned, told in one sentence with a way out."""


@dataclass(frozen=True, slots=True)
class Stages:
    """All series of one problem as float arrays: one entry per stage, rooms in model order.

    `base_kw` is all that is not heating, `skew_kw` what each phase has of it over an even third,
    (stages, 3). `low_c` and `high_c` have shape (stages, rooms). `binary` counts the first stages
    in which relays are whole switches.
    """

    start_s: Array
    hours: Array
    outdoor_c: Array
    ghi_w_m2: Array
    pv_kw: Array
    base_kw: Array
    skew_kw: Array
    buy: Array
    sell: Array
    blocked: NDArray[np.bool_]
    low_c: Array
    high_c: Array
    binary: int

    def __len__(self) -> int:
        """Count the stages."""
        return len(self.hours)

    @property
    def edges_s(self) -> Array:
        """All stage edges, one more than there are stages [s]."""
        return np.append(self.start_s, self.start_s[-1] + self.hours[-1] * HOUR_S)

    def with_loads(self, loads_kw: Array, uneven: Array) -> Stages:
        """Put flexible loads, (stages, L), on top of the base load.

        uneven: share of each on each phase over an even third, (L, 3).
        """
        return replace(
            self,
            base_kw=self.base_kw + loads_kw.sum(axis=1),
            skew_kw=self.skew_kw + loads_kw @ uneven,
        )

    @property
    def export_allowed(self) -> NDArray[np.bool_]:
        """Where feeding in does not cost money."""
        return self.sell >= 0.0


def stages_of(problem: PlanningProblem, binary_h: float = 4.0) -> Stages:
    """Read a problem into arrays.

    Args:
        problem: one value per slot of its grid in every series.
        binary_h: hours from the start in which quarter-hour slots get whole relay states.
    Returns: the stages; slot k of the problem is stage k.
    Raises: BadProblemError if a shape or a number cannot be right.
    """
    _check_parts(problem)
    slots = len(problem.grid)
    rows = {name: _row(name, getattr(problem, name), slots) for name in SERIES}
    low = _rooms("comfort_low_c", problem.comfort_low_c, problem)
    high = _rooms("comfort_high_c", problem.comfort_high_c, problem)
    start = np.array(problem.grid.starts_s)
    width = np.array(problem.grid.durations_s)
    near = (start < start[0] + binary_h * HOUR_S) & (width <= QUARTER_S + 1.0)
    base = np.maximum(rows["base_load_kw"], 0.0)
    return Stages(
        start_s=start,
        hours=width / HOUR_S,
        outdoor_c=rows["outdoor_c"],
        ghi_w_m2=np.maximum(rows["ghi_w_m2"], 0.0),
        pv_kw=np.maximum(rows["pv_kw"], 0.0),
        base_kw=base,
        skew_kw=np.outer(base, np.subtract(problem.state.base_split or EVEN, EVEN)),
        buy=rows["import_per_kwh"],
        sell=rows["export_per_kwh"],
        blocked=_blocked(problem),
        low_c=np.minimum(low, high),
        high_c=high,
        binary=int(np.argmin(near)) if not near.all() else len(near),
    )


def in_order(problem: PlanningProblem) -> PlanningProblem:
    """Put rooms and relays in an order of their own: how a house is listed decides nothing.

    By what they are; names decide between equals only, so they decide next to nothing either.
    """
    model = problem.model
    rooms = tuple(sorted(model.rooms, key=_nature_of_room))
    rank = {room.name: k for k, room in enumerate(rooms)}
    return replace(
        problem,
        model=replace(model, rooms=rooms),
        relays=tuple(sorted(problem.relays, key=lambda relay: _nature_of_relay(relay, rank))),
        loads=tuple(sorted(problem.loads, key=lambda task: task.load.name)),
    )


def _nature_of_room(room: RoomModel) -> tuple[object, ...]:
    return (*astuple(room)[1:], room.name)


def _nature_of_relay(relay: Relay, rank: Mapping[str, int]) -> tuple[object, ...]:
    heated = tuple(rank.get(name, -1) for name, _ in relay.members)
    return relay.power_kw, relay.phases, heated, relay.name


def coarsened(problem: PlanningProblem, onto: TimeGrid) -> PlanningProblem:
    """Average a problem over coarser slots; a slot that is blocked in part counts as blocked."""
    fine = problem.grid
    means = {name: resample(fine, getattr(problem, name), onto) for name in SERIES}
    blocked = resample(fine, tuple(map(float, problem.heating_blocked)), onto)
    return replace(
        problem,
        grid=onto,
        outdoor_c=means["outdoor_c"],
        ghi_w_m2=means["ghi_w_m2"],
        pv_kw=means["pv_kw"],
        base_load_kw=means["base_load_kw"],
        import_per_kwh=means["import_per_kwh"],
        export_per_kwh=means["export_per_kwh"],
        heating_blocked=tuple(part > 1e-9 for part in blocked),
        comfort_low_c={r: resample(fine, v, onto) for r, v in problem.comfort_low_c.items()},
        comfort_high_c={r: resample(fine, v, onto) for r, v in problem.comfort_high_c.items()},
    )


def _check_parts(problem: PlanningProblem) -> None:
    """Refuse a problem whose rooms, relays or state do not fit together."""
    rooms = [room.name for room in problem.model.rooms]
    if not rooms:
        raise BadProblemError("the problem has no rooms; give a house model with at least one")
    for relay in problem.relays:
        unknown = [name for name, _ in relay.members if name not in rooms]
        if unknown or not relay.members:
            raise BadProblemError(
                f"relay {relay.name!r} heats {unknown or 'nothing'}, which is no room of the model"
            )
        if not 0.0 <= relay.power_kw < math.inf:
            raise BadProblemError(f"relay {relay.name!r} has no power of 0 kW or more")
    for room in rooms:
        state = problem.state.rooms.get(room)
        if state is None:
            raise BadProblemError(f"no thermal state is known for room {room!r}")
        for temp_c in (state.screed_c, state.air_c, state.structure_c):
            if not _PLAUSIBLE_C[0] < temp_c < _PLAUSIBLE_C[1]:
                raise BadProblemError(f"room {room!r} cannot be at {temp_c} °C")
    _check_loads(problem)
    _check_storage(problem)


def _check_loads(problem: PlanningProblem) -> None:
    """Refuse a flexible load whose task makes no sense, or that has two of them."""
    names = [task.load.name for task in problem.loads]
    for task in problem.loads:
        name, figures = task.load.name, (task.energy_kwh, task.by_s, task.load.power_kw)
        if names.count(name) > 1:
            raise BadProblemError(f"load {name!r} has two tasks; give it one")
        if not all(map(math.isfinite, figures)) or task.energy_kwh < 0.0 or figures[2] < 0.0:
            raise BadProblemError(
                f"load {name!r} wants {task.energy_kwh} kWh; give a number of 0 or more by an hour"
            )


def _check_storage(problem: PlanningProblem) -> None:
    """Refuse a battery without a sane window, and a state of charge that is no share."""
    battery = problem.battery
    if not -0.05 <= problem.state.soc_frac <= 1.05:
        raise BadProblemError(
            f"state of charge {problem.state.soc_frac} is no share; give it between 0 and 1"
        )
    if not (battery.capacity_kwh >= 0.0 and 0.0 < battery.round_trip_frac <= 1.0):
        raise BadProblemError("the battery needs a capacity of 0 or more and an efficiency in 0..1")
    if not 0.0 <= battery.min_soc_frac <= battery.max_soc_frac <= 1.0:
        raise BadProblemError("the battery's SOC window must rise within 0..1")


def _row(name: str, values: tuple[float, ...], slots: int) -> Array:
    row = np.asarray(values, dtype=float)
    if row.shape != (slots,):
        raise BadProblemError(f"{name} has {row.size} values for {slots} slots")
    if not np.isfinite(row).all():
        raise BadProblemError(f"{name} is not a number in slot {int(np.argmin(np.isfinite(row)))}")
    return row


def _rooms(
    name: str, values: Mapping[str, tuple[float, ...]], problem: PlanningProblem
) -> NDArray[np.float64]:
    missing = [room.name for room in problem.model.rooms if room.name not in values]
    if missing:
        raise BadProblemError(f"{name} has no series for room {missing[0]!r}")
    slots = len(problem.grid)
    rows = [_row(f"{name}[{r.name}]", values[r.name], slots) for r in problem.model.rooms]
    return np.array(rows).T


def _blocked(problem: PlanningProblem) -> NDArray[np.bool_]:
    blocked = np.asarray(problem.heating_blocked, dtype=bool)
    if blocked.shape != (len(problem.grid),):
        raise BadProblemError(
            f"heating_blocked has {blocked.size} values for {len(problem.grid)} slots"
        )
    return blocked
