"""Rooms as three masses each: screed (or panel), air with furniture, structure.

Heat of a relay enters the screed only, so the air of a floor-heated room answers after one to
three hours. Neighbours meet in their structures. State vectors are ordered
`[screed of all rooms, air of all rooms, structure of all rooms]`, rooms as in the `HouseModel`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pems_actors.domain.house import HouseModel, Relay
from pems_actors.domain.plan import RoomThermalState
from pems_actors.physics.linear_system import Array, LinearSystem

SURFACE_FRAC = 0.79
"""Share of the drop from screed to air that lies above the floor's surface.

The film of a heated floor is about 10.8 W/m²K (EN 1264); with half the screed and a covering in
series 8.5 W/m²K remain (`priors`): 8.5 / 10.8.
"""

_CACHED_STEPS = 64


@dataclass(frozen=True, slots=True, eq=False)
class DiscreteHouse:
    """One exact step: `temps' = a·temps + heat·q + outdoor·T + ghi·G + gain·d + internal`.

    Shapes for R rooms and S = 3R states: a (S, S), heat (S, R) [K/kW], outdoor (S,),
    ghi (S,) [K per W/m²], gain (S, R) [K per kW into the air], internal (S,) [K] for the constant
    internal gains.
    """

    dt_s: float
    a: Array
    heat: Array
    outdoor: Array
    ghi: Array
    gain: Array
    internal: Array


class HouseDynamics:
    """The equations of one `HouseModel`, ready to be stepped."""

    def __init__(self, model: HouseModel) -> None:
        """Assemble the network.

        Raises: ValueError for a capacity that is not positive or a link to an unknown room.
        """
        self.model = model
        self.names = tuple(room.name for room in model.rooms)
        self.index = {name: k for k, name in enumerate(self.names)}
        self.capacity_kwh_k = _capacities(model)
        self.stiffness_kw_k = _stiffness(model, self.index)
        self.outdoor_kw_k = _outdoor(model)
        self.solar_kw_per_w_m2 = _solar(model)
        self.internal_kw = np.array([room.internal_kw for room in model.rooms])
        self.system = LinearSystem(np.diag(self.capacity_kwh_k), self.stiffness_kw_k)
        self._steps: dict[float, DiscreteHouse] = {}

    @property
    def rooms(self) -> int:
        """Count the rooms."""
        return len(self.names)

    def matrices(self, dt_s: float) -> DiscreteHouse:
        """Give the exact step for inputs held constant over `dt_s`; remembered per step length."""
        found = self._steps.get(dt_s)
        if found is None:
            if len(self._steps) >= _CACHED_STEPS:
                self._steps.clear()
            found = self._steps[dt_s] = self._discretise(dt_s)
        return found

    def _discretise(self, dt_s: float) -> DiscreteHouse:
        a, b = self.system.transition(dt_s)
        r = self.rooms
        screed, air = b[:, :r], b[:, r : 2 * r]
        return DiscreteHouse(
            dt_s=dt_s,
            a=a,
            heat=screed.copy(),
            outdoor=b @ self.outdoor_kw_k,
            ghi=b @ self.solar_kw_per_w_m2,
            gain=air.copy(),
            internal=air @ self.internal_kw,
        )

    def step(
        self,
        temps_c: Array,
        heat_kw: Array,
        outdoor_c: float,
        ghi_w_m2: float,
        dt_s: float,
        disturbance_kw: Array | None = None,
    ) -> Array:
        """Advance all rooms by one step, exactly for inputs held constant.

        Args:
            temps_c: screed, air, structure, shape (3R,) [°C].
            heat_kw: heat into each room's screed or panel, shape (R,) [kW].
            outdoor_c: dry-bulb temperature [°C].    ghi_w_m2: global horizontal irradiance.
            dt_s: step [s].    disturbance_kw: further heat into the air, shape (R,) [kW].
        Returns: temperatures after `dt_s`, shape (3R,) [°C].
        """
        m = self.matrices(dt_s)
        after = m.a @ temps_c + m.heat @ heat_kw + m.internal
        after += m.outdoor * outdoor_c
        after += m.ghi * ghi_w_m2
        if disturbance_kw is not None:
            after += m.gain @ disturbance_kw
        return np.asarray(after)

    def steady_state(self, heat_kw: Array, outdoor_c: float, ghi_w_m2: float = 0.0) -> Array:
        """Find the temperatures that constant inputs lead to, shape (3R,) [°C].

        Raises: ValueError if some part of the house loses no heat at all.
        """
        source = self._source_kw(outdoor_c, ghi_w_m2)
        source[: self.rooms] += heat_kw
        return _solve(self.stiffness_kw_k, source)

    def steady_heat(self, air_c: Array, outdoor_c: float, ghi_w_m2: float = 0.0) -> Array:
        """Find the heat that holds given air temperatures, shape (R,) [kW]; may be negative."""
        r = self.rooms
        structure = np.s_[2 * r :]
        source = self._source_kw(outdoor_c, ghi_w_m2)
        structure_c = _solve(
            self.stiffness_kw_k[structure, structure],
            source[structure] - self.stiffness_kw_k[structure, r : 2 * r] @ air_c,
        )
        drawn = self.stiffness_kw_k[r : 2 * r, r : 2 * r] @ air_c - source[r : 2 * r]
        screed_to_air = np.array([room.g_screed_air_kw_k for room in self.model.rooms])
        through_structure = self.stiffness_kw_k[r : 2 * r, structure] @ structure_c
        return np.asarray(drawn + through_structure - screed_to_air * air_c)

    def steady_temps(self, air_c: Array, outdoor_c: float) -> Array:
        """Find the state in which given air temperatures are held, shape (3R,) [°C]."""
        return self.steady_state(self.steady_heat(air_c, outdoor_c), outdoor_c)

    def _source_kw(self, outdoor_c: float, ghi_w_m2: float) -> Array:
        source = self.outdoor_kw_k * outdoor_c + self.solar_kw_per_w_m2 * ghi_w_m2
        source[self.rooms : 2 * self.rooms] += self.internal_kw
        return source

    def pack(self, states: Mapping[str, RoomThermalState]) -> Array:
        """Turn named states into a vector, shape (3R,). Raises: KeyError if a room is missing."""
        ordered = [states[name] for name in self.names]
        return np.array(
            [s.screed_c for s in ordered]
            + [s.air_c for s in ordered]
            + [s.structure_c for s in ordered]
        )

    def unpack(self, temps_c: Array) -> dict[str, RoomThermalState]:
        """Turn a vector into named states."""
        screed, air, structure = temps_c.reshape(3, self.rooms).tolist()
        return {
            name: RoomThermalState(screed[k], air[k], structure[k])
            for name, k in self.index.items()
        }


def heat_shares_kw(model: HouseModel, relays: Sequence[Relay]) -> Array:
    """Tabulate what each relay gives each room at full duty, shape (rooms, relays) [kW].

    Raises: ValueError if a relay heats a room that the model does not know.
    """
    row = {room.name: k for k, room in enumerate(model.rooms)}
    shares = np.zeros((len(model.rooms), len(relays)))
    for column, relay in enumerate(relays):
        for member, share in relay.members:
            if member not in row:
                raise ValueError(
                    f"relay {relay.name!r} heats {member!r}, which has no thermal model; "
                    f"add the room or correct the relay's members"
                )
            shares[row[member], column] += share * relay.power_kw
    return shares


def heat_by_room(model: HouseModel, relays: Sequence[Relay], duty: Mapping[str, float]) -> Array:
    """Spread the heat of relays over the rooms they feed.

    Args:
        model: the rooms, in the order wanted.    relays: all relays.
        duty: per relay name its duty 0..1, or True/False; a relay not named is off.
    Returns: heat per room, shape (R,) [kW].
    """
    on = np.array([float(duty.get(relay.name, 0.0)) for relay in relays])
    return np.asarray(heat_shares_kw(model, relays) @ on)


def floor_surface_c(screed_c: float, air_c: float) -> float:
    """Estimate the surface of a heated floor from its screed and the air above [°C]."""
    return air_c + SURFACE_FRAC * (screed_c - air_c)


def _capacities(model: HouseModel) -> Array:
    rooms = model.rooms
    if any(min(r.c_screed_kwh_k, r.c_air_kwh_k, r.c_structure_kwh_k) <= 0.0 for r in rooms):
        raise ValueError("every room needs three heat capacities above 0 kWh/K")
    return np.array(
        [r.c_screed_kwh_k for r in rooms]
        + [r.c_air_kwh_k for r in rooms]
        + [r.c_structure_kwh_k for r in rooms]
    )


def _stiffness(model: HouseModel, index: Mapping[str, int]) -> Array:
    r = len(model.rooms)
    matrix = np.zeros((3 * r, 3 * r))
    for k, room in enumerate(model.rooms):
        screed, air, structure = k, r + k, 2 * r + k
        _connect(matrix, screed, air, room.g_screed_air_kw_k)
        _connect(matrix, air, structure, room.g_air_structure_kw_k)
        matrix[air, air] += room.g_air_outdoor_kw_k
        matrix[structure, structure] += room.g_structure_outdoor_kw_k
    for one, other, conductance in model.links:
        if one not in index or other not in index:
            raise ValueError(f"link {one!r}-{other!r}: one of these rooms has no thermal model")
        _connect(matrix, 2 * r + index[one], 2 * r + index[other], conductance)
    return matrix


def _connect(matrix: Array, one: int, other: int, conductance_kw_k: float) -> None:
    matrix[one, one] += conductance_kw_k
    matrix[other, other] += conductance_kw_k
    matrix[one, other] -= conductance_kw_k
    matrix[other, one] -= conductance_kw_k


def _outdoor(model: HouseModel) -> Array:
    r = len(model.rooms)
    vector = np.zeros(3 * r)
    vector[r : 2 * r] = [room.g_air_outdoor_kw_k for room in model.rooms]
    vector[2 * r :] = [room.g_structure_outdoor_kw_k for room in model.rooms]
    return vector


def _solar(model: HouseModel) -> Array:
    half = np.array([room.solar_m2 for room in model.rooms]) / 1000.0 / 2.0
    return np.concatenate([np.zeros(len(half)), half, half])


def _solve(matrix: Array, source: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(matrix, source))
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "a part of the house loses no heat, so it has no steady state; "
            "give each room a conductance to outdoors or a link to a room that has one"
        ) from error
