"""A Kalman filter of the whole house: screed, air, structure and a slow disturbance of each room.

It knows the equations of the house (`physics/house_model`) and hears air temperatures; rooms that
say nothing are only predicted. Gains are per room, with the neighbours taken as known, and follow
the doubt (`doubt`): a fresh belief learns within hours what a room loses beside the paper. Steps
are whole multiples of ten seconds; what is left of the time is carried over, so that a jittering
tick costs neither accuracy nor a new set of matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import Emitter
from pems_actors.domain.plan import HouseState
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.estimation.doubt import AIR, corrected, doubt_after, first_doubt
from pems_actors.estimation.riccati import steady_gain
from pems_actors.physics.house_model import HouseDynamics

Array = npt.NDArray[np.float64]

GRAIN_S = 10.0
LONGEST_STEP_S = QUARTER_S
FORGETS_S = 2.0 * DAY_S  # after a longer gap the old belief is worth less than a fresh start
DISTURBANCE_FADES_S = 10.0 * DAY_S

# Noise of the model per square root of an hour [K], and of the disturbance.
_SCREED_K, _AIR_K, _STRUCTURE_K = 0.03, 0.10, 0.02
_DISTURBANCE_K = 2.0  # a usual disturbance heats like this much more temperature difference
_SENSOR_K = 0.1
_SENSOR_MEMORY_S = 600.0  # errors of a sensor last: more readings of it are not more knowledge
_MOST_SURPRISE_K = 1.5  # a wild reading pulls no harder than this
_COLDEST_C, _HOTTEST_C = -40.0, 90.0
_MOST_DISTURBANCE_K = 20.0
_FLOOR_OVER_K, _PANEL_OVER_K = 8.0, 60.0  # how far a heated body is above the air at first
_OUTDOOR_C, _GHI_W_M2 = (-60.0, 60.0), (0.0, 1600.0)


@dataclass(frozen=True, slots=True, eq=False)
class FilterState:
    """The belief at an instant; `at_s` lags the clock by less than `GRAIN_S`.

    Shapes for R rooms: temps_c (3R,) screed, air, structure [°C]; disturbance_kw (R,);
    surprise_k (R,) is measured minus expected air, 0 where nothing was heard; doubt (R, 4, 4) the
    covariance of each room's screed, air, structure and disturbance.
    """

    at_s: float
    temps_c: Array
    disturbance_kw: Array
    surprise_k: Array
    doubt: Array
    outdoor_c: float
    ghi_w_m2: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One step as a single matrix on `[temps, disturbance, heat, outdoor, ghi, 1]`, and gains."""

    matrix: Array  # (4R, 5R + 3)
    own: Array  # (R, 4, 4): each room's states on themselves
    noise: Array  # (R, 4, 4)
    sensor_k2: float
    gain: Array  # (4, R): how surprise moves screed, air, structure [K/K] and disturbance [kW/K]


class ThermalFilter:
    """The filter of one house. It holds only what follows from the model; beliefs are values."""

    def __init__(self, dynamics: HouseDynamics) -> None:
        self.dynamics = dynamics
        self.names = dynamics.names
        rooms = dynamics.model.rooms
        self._loss_kw_k = np.array(
            [max(0.005, r.g_air_outdoor_kw_k + r.g_structure_outdoor_kw_k) for r in rooms]
        )
        self._screed_kw_k = np.array([r.g_screed_air_kw_k for r in rooms])
        self._most_kw = _MOST_DISTURBANCE_K * self._loss_kw_k + 0.2
        over_k = [_FLOOR_OVER_K if r.emitter is Emitter.FLOOR else _PANEL_OVER_K for r in rooms]
        self._most_over_k = np.array(over_k)
        self._steps: dict[float, _Step] = {}

    def initial(
        self, air_c: Mapping[str, float | None], outdoor_c: float, at_s: float
    ) -> FilterState:
        """Begin with rooms held steadily at their temperatures; unheard ones as their neighbours.

        Args:
            air_c: heard air temperatures [°C], rooms may be missing.    outdoor_c: outdoors [°C].
            at_s: the instant.
        """
        air = self._heard(air_c)
        known = air[np.isfinite(air)]
        outdoor_c = _believed(outdoor_c, _OUTDOOR_C, 5.0)
        usual_c = float(known.mean()) if known.size else max(15.0, min(24.0, outdoor_c))
        air = np.clip(np.where(np.isfinite(air), air, usual_c), _COLDEST_C, _HOTTEST_C)
        count = len(self.names)
        temps = np.asarray(self.dynamics.steady_temps(air, outdoor_c))
        temps[:count] = np.clip(temps[:count], air - 2.0, air + self._most_over_k)
        temps = np.clip(temps, _COLDEST_C, _HOTTEST_C)
        doubt = self.first_doubt(air, outdoor_c)
        return FilterState(at_s, temps, np.zeros(count), np.zeros(count), doubt, outdoor_c)

    def first_doubt(self, air_c: Array, outdoor_c: float) -> Array:
        """Tell how unsure a belief is that has only just begun, (R, 4, 4)."""
        return first_doubt(air_c, outdoor_c, self._loss_kw_k, self._screed_kw_k)

    def resumed(self, state: HouseState) -> FilterState:
        """Begin from a belief that was kept, for example in a snapshot."""
        rest = [state.disturbance_kw.get(name, 0.0) for name in self.names]
        outdoor_c = 5.0 if state.outdoor_c is None else state.outdoor_c
        temps, count = self.dynamics.pack(state.rooms), len(rest)
        doubt = self.first_doubt(temps[count : 2 * count], outdoor_c)
        return FilterState(state.at_s, temps, np.array(rest), np.zeros(count), doubt, outdoor_c)

    def update(
        self,
        state: FilterState,
        now_s: float,
        air_c: Mapping[str, float | None],
        heat_kw: Array,
        outdoor_c: float | None,
        ghi_w_m2: float | None,
        learning: Array | None = None,
    ) -> FilterState:
        """Carry the belief to `now_s` and correct it by what the rooms say.

        Args:
            state: the belief so far.    now_s: the instant of the readings.
            air_c: air temperatures [°C]; None, NaN or absent rooms are only predicted.
            heat_kw: mean heat into each room since `state.at_s`, shape (R,) [kW].
            outdoor_c, ghi_w_m2: outdoors since then; None keeps the last known.
            learning: 0 for rooms whose disturbance is not to learn now, shape (R,).
        Returns: the new belief; `state` itself if less than `GRAIN_S` has passed.
        """
        passed_s = now_s - state.at_s
        if 0.0 <= passed_s < GRAIN_S:
            return state
        outdoor_c = _believed(outdoor_c, _OUTDOOR_C, state.outdoor_c)
        ghi_w_m2 = _believed(ghi_w_m2, _GHI_W_M2, state.ghi_w_m2)
        if passed_s < 0.0 or passed_s > FORGETS_S:
            return self.initial(air_c, outdoor_c, now_s)
        after = self._advance(state, passed_s, air_c, heat_kw, outdoor_c, ghi_w_m2, learning)
        if not np.isfinite(after.temps_c).all():
            return self.initial(air_c, outdoor_c, now_s)
        return after

    def carried(self, beliefs: Array, inputs: Array, passed_s: float) -> Array:
        """Carry several beliefs through the same time, each with inputs of its own.

        Args:
            beliefs: temperatures and disturbance of each, shape (4R, n).
            inputs: heat into each room [kW], outdoor temperature, irradiance and 1; (R + 3, n).
            passed_s: the time, cut to whole grains.
        Returns: the beliefs after it, same shape.
        """
        left_s = passed_s // GRAIN_S * GRAIN_S
        while left_s > 0.0:
            dt_s = min(left_s, LONGEST_STEP_S)
            beliefs = self._step(dt_s).matrix @ np.concatenate([beliefs, inputs])
            left_s -= dt_s
        return beliefs

    def corrected(
        self, belief: Array, said_c: Array, passed_s: float, learning: Array | None = None
    ) -> tuple[Array, Array]:
        """Correct a predicted belief by what the rooms say, with the gains of settled doubt.

        Args:
            belief: as predicted, shape (4R,).    said_c: air, NaN where nothing is believed, (R,).
            passed_s: the time since the last correction.
            learning: 0 for rooms whose disturbance is not to learn (a window is open), else 1.
        Returns: the belief, and how much each room surprised (0 where nothing was said) [K].
        """
        gain = self._last_step(passed_s).gain
        if learning is not None:
            gain = gain.copy()
            gain[3] *= learning
        return self._moved(belief, said_c, gain)

    def _last_step(self, passed_s: float) -> _Step:
        left_s = passed_s // GRAIN_S * GRAIN_S
        return self._step(left_s if left_s <= LONGEST_STEP_S else _last_step_s(left_s))

    def _moved(self, belief: Array, said_c: Array, gain: Array) -> tuple[Array, Array]:
        """Let surprises move a belief, each no harder than a wild reading may."""
        count = len(self.names)
        surprise = said_c - belief[count : 2 * count]
        surprise[np.isnan(surprise)] = 0.0
        moves = gain * np.minimum(np.maximum(surprise, -_MOST_SURPRISE_K), _MOST_SURPRISE_K)
        after = belief + moves.ravel()
        temps, rest = after[: 3 * count], after[3 * count :]
        np.minimum(np.maximum(temps, _COLDEST_C), _HOTTEST_C, out=temps)
        np.minimum(np.maximum(rest, -self._most_kw), self._most_kw, out=rest)
        return after, surprise

    def _advance(
        self,
        state: FilterState,
        passed_s: float,
        air_c: Mapping[str, float | None],
        heat_kw: Array,
        outdoor_c: float,
        ghi_w_m2: float,
        learning: Array | None,
    ) -> FilterState:
        count = len(self.names)
        belief = np.concatenate([state.temps_c, state.disturbance_kw])
        inputs = np.concatenate([heat_kw, (outdoor_c, ghi_w_m2, 1.0)])
        belief = self.carried(belief, inputs, passed_s)
        said_c, doubt = self._heard(air_c), self._doubted(state.doubt, passed_s)
        sensor_k2 = self._last_step(passed_s).sensor_k2
        gain, doubt = corrected(doubt, sensor_k2, ~np.isnan(said_c), learning)
        belief, surprise = self._moved(belief, said_c, gain)
        at_s = state.at_s + passed_s // GRAIN_S * GRAIN_S
        temps, rest = belief[: 3 * count], belief[3 * count :]
        return FilterState(at_s, temps, rest, surprise, doubt, outdoor_c, ghi_w_m2)

    def _doubted(self, doubt: Array, passed_s: float) -> Array:
        """Let doubt grow over time, cut into the same steps as the belief's."""
        left_s = passed_s // GRAIN_S * GRAIN_S
        while left_s > 0.0:
            step = self._step(min(left_s, LONGEST_STEP_S))
            doubt = doubt_after(doubt, step.own, step.noise)
            left_s -= LONGEST_STEP_S
        return doubt

    def _heard(self, air_c: Mapping[str, float | None]) -> Array:
        """Order readings as the rooms of the model; NaN where nothing credible was said."""
        said = np.array([air_c.get(name) for name in self.names], dtype=np.float64)
        said[~(np.abs(said) < _HOTTEST_C)] = np.nan
        return said

    def _step(self, dt_s: float) -> _Step:
        found = self._steps.get(dt_s)
        if found is None:
            found = self._steps[dt_s] = self._make_step(dt_s)
        return found

    def _make_step(self, dt_s: float) -> _Step:
        """Assemble the step matrix and the steady gains of one step length."""
        exact = self.dynamics.matrices(dt_s)
        count = len(self.names)
        keeps = exp(-dt_s / DISTURBANCE_FADES_S)
        matrix = np.zeros((4 * count, 5 * count + 3))
        matrix[: 3 * count, : 3 * count] = exact.a
        matrix[: 3 * count, 3 * count : 4 * count] = exact.gain
        matrix[: 3 * count, 4 * count : 5 * count] = exact.heat
        matrix[: 3 * count, -3:] = np.column_stack([exact.outdoor, exact.ghi, exact.internal])
        matrix[3 * count :, 3 * count : 4 * count] = keeps * np.eye(count)
        own, noise = self._by_room(matrix, dt_s, keeps)
        sensor_k2 = _SENSOR_K**2 * max(1.0, _SENSOR_MEMORY_S / dt_s)
        gain = steady_gain(own, noise, observed=AIR, sensor_variance=sensor_k2).T
        return _Step(matrix, own, noise, sensor_k2, gain)

    def _by_room(self, matrix: Array, dt_s: float, keeps: float) -> tuple[Array, Array]:
        """Give each room's transition by itself and its noise, both (R, 4, 4)."""
        count = len(self.names)
        own = np.array([[room + k * count for k in range(4)] for room in range(count)])
        blocks = matrix[own[:, :, None], own[:, None, :]]
        dt_h = dt_s / HOUR_S
        noise = np.zeros((count, 4, 4))
        for k, per_root_h in enumerate((_SCREED_K, _AIR_K, _STRUCTURE_K)):
            noise[:, k, k] = per_root_h**2 * dt_h
        usual_kw = _DISTURBANCE_K * self._loss_kw_k
        noise[:, 3, 3] = usual_kw**2 * (1.0 - keeps**2)
        return blocks, noise


def _believed(value: float | None, within: tuple[float, float], last: float) -> float:
    """Take a value that can be; what is missing, NaN or out of range leaves the last known."""
    return value if value is not None and within[0] <= value <= within[1] else last


def _last_step_s(passed_s: float) -> float:
    """Find the length of the last of the steps that a longer time is cut into."""
    return passed_s % LONGEST_STEP_S or LONGEST_STEP_S
