"""The equations of rooms as a function of their parameters: exact steps and exact derivatives.

Rooms are the three masses of `physics/house_model`; here many candidate sets of parameters are
stepped at once (the leading axis, "sets"), because identification tries many. Parameters are
logarithms, except the internal gain, which may be negative. Knows no data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ROOM_KINDS = (
    "c_screed_kwh_k",
    "c_air_kwh_k",
    "c_structure_kwh_k",
    "g_screed_air_kw_k",
    "g_air_structure_kw_k",
    "g_air_outdoor_kw_k",
    "g_structure_outdoor_kw_k",
    "solar_m2",
    "internal_kw",
    "heat_gain",
)
KINDS = len(ROOM_KINDS)
INTERNAL, HEAT_GAIN = ROOM_KINDS.index("internal_kw"), ROOM_KINDS.index("heat_gain")
_LARGEST_LOG = 12.0
_SAME_RATE = 1e-7


@dataclass(frozen=True, slots=True)
class Layout:
    """Which parameters there are: ten of each room, then a conductance per link.

    With `rest` each room has one link more, to the mean of the other rooms as measured: the way a
    room is looked at by itself.
    Inputs are heat of each room, outdoor temperature, irradiance, 1, with `rest` the rest of the
    house as each room sees it, and with `blinds` the irradiance that those of each room keep out.
    """

    rooms: int
    links: tuple[tuple[int, int], ...] = ()
    rest: bool = False
    blinds: bool = False

    @property
    def count(self) -> int:
        """Count the parameters."""
        return KINDS * self.rooms + len(self.links) + (self.rooms if self.rest else 0)

    @property
    def inputs(self) -> int:
        """Count the inputs."""
        return self.first_blind + (self.rooms if self.blinds else 0)

    @property
    def first_blind(self) -> int:
        """Find the first room's blinds among the inputs."""
        return self.rooms + 3 + (self.rooms if self.rest else 0)

    def index(self, room: int, kind: str) -> int:
        """Find a room's parameter by its kind."""
        return KINDS * room + ROOM_KINDS.index(kind)

    @property
    def logs(self) -> npt.NDArray[np.bool_]:
        """Tell which parameters are logarithms, shape (count,)."""
        flags = np.ones(self.count, bool)
        flags[INTERNAL : KINDS * self.rooms : KINDS] = False
        return flags

    def values(self, theta: Array) -> Array:
        """Turn parameters into kWh/K, kW/K, m² and kW; shapes as given."""
        bounded = np.clip(theta, -_LARGEST_LOG, _LARGEST_LOG)
        return np.where(self.logs, np.exp(np.where(self.logs, bounded, 0.0)), theta)


class Steps(NamedTuple):
    """One exact step of each set, and how it changes with each parameter.

    a (sets, 4R, 4R) on screed, air, structure and disturbance; b (sets, 4R, inputs);
    da_db (sets, count, 3R, 4R + inputs) or None.
    """

    a: Array
    b: Array
    da_db: Array | None


class _Parts(NamedTuple):
    values: Array
    capacity: Array
    stiffness: Array
    drive: Array  # kW per unit of each input, disturbances last: (sets, 3R, inputs + R)


def exact_steps(
    layout: Layout, theta: Array, dt_h: float, keeps: float, *, slopes: bool = False
) -> Steps:
    """Discretise every set of parameters exactly for inputs held constant.

    Args:
        theta: shape (sets, count).    dt_h: step [h].
        keeps: what is left of a disturbance after a step, 0..1.
        slopes: whether derivatives are wanted too.
    """
    parts = _assembled(layout, theta)
    root = np.sqrt(parts.capacity)
    symmetric = parts.stiffness / (root[:, :, None] * root[:, None, :])
    rates, modes = np.linalg.eigh(symmetric)
    rates = np.maximum(rates, 1e-9)
    to_state, to_mode = modes / root[:, :, None], np.swapaxes(modes, 1, 2) * root[:, None, :]
    decay, gain = np.exp(-rates * dt_h), -np.expm1(-rates * dt_h) / rates
    a = to_state @ (decay[:, :, None] * to_mode)
    gather = to_state @ (gain[:, :, None] * to_mode)
    push = parts.drive / parts.capacity[:, :, None]
    b = gather @ push
    da_db = None
    if slopes:
        kernel = _Kernel(rates, decay, gain, dt_h, to_state, to_mode)
        da_db = _slopes(layout, parts, kernel, gather, push)
    return Steps(*_with_disturbance(layout, a, b, keeps), da_db)


def _with_disturbance(layout: Layout, a: Array, b: Array, keeps: float) -> tuple[Array, Array]:
    """Append the disturbance of each room to the states: it heats the air and slowly fades."""
    sets, r, m = len(a), layout.rooms, layout.inputs
    whole_a, whole_b = np.zeros((sets, 4 * r, 4 * r)), np.zeros((sets, 4 * r, m))
    whole_a[:, : 3 * r, : 3 * r] = a
    whole_a[:, : 3 * r, 3 * r :] = b[:, :, m:]
    whole_a[:, 3 * r :, 3 * r :] = keeps * np.eye(r)
    whole_b[:, : 3 * r] = b[:, :, :m]
    return whole_a, whole_b


def _assembled(layout: Layout, theta: Array) -> _Parts:
    values = layout.values(theta)
    sets, r = len(theta), layout.rooms
    room = values[:, : KINDS * r].reshape(sets, r, KINDS)
    c_s, c_a, c_w, g_sa, g_aw, g_ao, g_wo, solar, internal, heat = np.moveaxis(room, 2, 0)
    stiffness = np.zeros((sets, 3 * r, 3 * r))
    drive = np.zeros((sets, 3 * r, layout.inputs + r))
    s, a, w = np.arange(r), r + np.arange(r), 2 * r + np.arange(r)
    _join(stiffness, s, a, g_sa)
    _join(stiffness, a, w, g_aw)
    stiffness[:, a, a] += g_ao
    stiffness[:, w, w] += g_wo
    for k, (one, other) in enumerate(layout.links):
        _join(stiffness, w[[one]], w[[other]], values[:, [KINDS * r + k]])
    drive[:, s, s] = heat
    drive[:, a, r], drive[:, w, r] = g_ao, g_wo
    drive[:, a, r + 1] = drive[:, w, r + 1] = solar / 2000.0
    drive[:, a, r + 2] = internal
    if layout.rest:
        g_rest = values[:, -r:]
        stiffness[:, w, w] += g_rest
        drive[:, w, r + 3 + np.arange(r)] = g_rest
    if layout.blinds:
        kept_out = layout.first_blind + np.arange(r)
        drive[:, a, kept_out] = drive[:, w, kept_out] = -solar / 2000.0
    drive[:, a, layout.inputs + np.arange(r)] = 1.0
    return _Parts(values, np.concatenate([c_s, c_a, c_w], axis=1), stiffness, drive)


def _join(
    stiffness: Array,
    one: npt.NDArray[np.intp],
    other: npt.NDArray[np.intp],
    conductance: Array,
) -> None:
    stiffness[:, one, one] += conductance
    stiffness[:, other, other] += conductance
    stiffness[:, one, other] -= conductance
    stiffness[:, other, one] -= conductance


class _Kernel:
    """How a small change of the network changes one exact step.

    Source: the derivative of a matrix exponential in its eigenbasis (Daleckii and Krein 1965).
    """

    def __init__(
        self,
        rates: Array,
        decay: Array,
        gain: Array,
        dt_h: float,
        to_state: Array,
        to_mode: Array,
    ) -> None:
        apart = rates[:, None, :] - rates[:, :, None]
        same = np.abs(apart) <= _SAME_RATE * (rates[:, None, :] + rates[:, :, None])
        safe = np.where(same, 1.0, apart)
        x = rates * dt_h
        small = x < 1e-3
        longer = np.where(
            small,
            dt_h**2 * (0.5 - x / 3.0),
            (1.0 - decay * (1.0 + x)) / np.where(small, 1.0, rates) ** 2,
        )
        self.of_a = np.where(
            same, (dt_h * decay)[:, :, None], (decay[:, :, None] - decay[:, None]) / safe
        )
        self.of_gather = np.where(
            same, longer[:, :, None], (gain[:, :, None] - gain[:, None]) / safe
        )
        self.to_state, self.to_mode = to_state, to_mode

    def change(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Give the change of step and gathering for rates changed by `left · rightᵀ`.

        left, right: shape (sets, count, 3R).    Returns: two of (sets, count, 3R, 3R).
        """
        inner = left @ np.swapaxes(self.to_mode, 1, 2)
        outer = right @ self.to_state
        product = inner[:, :, :, None] * outer[:, :, None, :]
        to_state, to_mode = self.to_state[:, None], self.to_mode[:, None]
        return (
            to_state @ (product * self.of_a[:, None]) @ to_mode,
            to_state @ (product * self.of_gather[:, None]) @ to_mode,
        )


def _slopes(layout: Layout, parts: _Parts, kernel: _Kernel, gather: Array, push: Array) -> Array:
    """Differentiate one step by every parameter, shape (sets, count, 3R, 4R + inputs)."""
    r, m = layout.rooms, layout.inputs
    left, right = _rank_one(layout, parts)
    change_a, change_gather = kernel.change(left, right)
    change_b = change_gather @ push[:, None] + gather[:, None] @ _push_slopes(layout, parts, push)
    sets, count = len(parts.values), layout.count
    slopes = np.empty((sets, count, 3 * r, 4 * r + m))
    slopes[..., : 3 * r] = change_a
    slopes[..., 3 * r : 4 * r] = change_b[..., m:]
    slopes[..., 4 * r :] = change_b[..., :m]
    return slopes


def _ends(layout: Layout) -> list[tuple[int, int, int | None]]:
    """Name each conductance: its parameter and the nodes it joins (None: a boundary)."""
    r = layout.rooms
    ends: list[tuple[int, int, int | None]] = []
    for k in range(r):
        own = KINDS * k
        ends += [(own + 3, k, r + k), (own + 4, r + k, 2 * r + k)]
        ends += [(own + 5, r + k, None), (own + 6, 2 * r + k, None)]
    for k, (one, other) in enumerate(layout.links):
        ends.append((KINDS * r + k, 2 * r + one, 2 * r + other))
    if layout.rest:
        ends += [(layout.count - r + k, 2 * r + k, None) for k in range(r)]
    return ends


def _rank_one(layout: Layout, parts: _Parts) -> tuple[Array, Array]:
    """Write the change of all rates with each parameter as `left · rightᵀ`."""
    sets, r = len(parts.values), layout.rooms
    left, right = (np.zeros((sets, layout.count, 3 * r)) for _ in range(2))
    rates = -parts.stiffness / parts.capacity[:, :, None]
    for k in range(r):
        for mass in range(3):
            node = mass * r + k
            left[:, KINDS * k + mass, node] = -1.0
            right[:, KINDS * k + mass] = rates[:, node]
    for index, one, other in _ends(layout):
        conductance = parts.values[:, index]
        left[:, index, one] = -conductance / parts.capacity[:, one]
        right[:, index, one] = 1.0
        if other is not None:
            left[:, index, other] = conductance / parts.capacity[:, other]
            right[:, index, other] = -1.0
    return left, right


def _push_slopes(layout: Layout, parts: _Parts, push: Array) -> Array:
    """Differentiate what the inputs push into each mass, shape (sets, count, 3R, inputs + R)."""
    sets, r, m = len(parts.values), layout.rooms, layout.inputs
    slopes = np.zeros((sets, layout.count, 3 * r, m + r))
    per_kwh = 1.0 / parts.capacity
    for k in range(r):
        own, air, wall = KINDS * k, r + k, 2 * r + k
        for mass in range(3):
            slopes[:, own + mass, mass * r + k] = -push[:, mass * r + k]
        slopes[:, own + 5, air, r] = parts.values[:, own + 5] * per_kwh[:, air]
        slopes[:, own + 6, wall, r] = parts.values[:, own + 6] * per_kwh[:, wall]
        for node in (air, wall):
            sun = parts.values[:, own + 7] / 2000.0 * per_kwh[:, node]
            slopes[:, own + 7, node, r + 1] = sun
            if layout.blinds:
                slopes[:, own + 7, node, layout.first_blind + k] = -sun
        slopes[:, own + INTERNAL, air, r + 2] = per_kwh[:, air]
        slopes[:, own + HEAT_GAIN, k, k] = parts.values[:, own + HEAT_GAIN] * per_kwh[:, k]
        if layout.rest:
            index = layout.count - r + k
            slopes[:, index, wall, r + 3 + k] = parts.values[:, index] * per_kwh[:, wall]
    return slopes
