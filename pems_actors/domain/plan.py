"""The planner's question and its answer: `PlanningProblem` in, `Plan` out.

Both are plain data (numbers, tuples, mappings), so that they travel through a pipe to the
solver's process and into a file without ceremony.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from pems_actors.domain.flexible_load import LoadTask
from pems_actors.domain.house import (
    BatteryMode,
    BatteryModel,
    HouseModel,
    InverterModel,
    Limits,
    Relay,
)
from pems_actors.domain.levels import Level
from pems_actors.domain.time_grid import TimeGrid


@dataclass(frozen=True, slots=True)
class RoomThermalState:
    """Estimated temperatures of one room's three masses [°C]."""

    screed_c: float
    air_c: float
    structure_c: float


@dataclass(frozen=True, slots=True)
class RelayHistory:
    """What matters of a relay's past: its state, since when, and its recent starts."""

    on: bool
    since_s: float
    starts_s: tuple[float, ...] = ()  # starts within the last hour
    rests_after_s: float = inf  # longest run before its floor, which nobody measures, must rest


@dataclass(frozen=True, slots=True)
class HouseState:
    """What we believe of the house at one instant. `disturbance_kw` is the slow offset per room."""

    at_s: float
    rooms: Mapping[str, RoomThermalState]
    relays: Mapping[str, RelayHistory]
    soc_frac: float
    battery_mode: BatteryMode = BatteryMode.SELF_USE
    battery_mode_since_s: float = 0.0
    battery_changes_s: tuple[float, ...] = ()  # when the mode changed within the last 24 h
    disturbance_kw: Mapping[str, float] = field(default_factory=dict)
    outdoor_c: float | None = None
    base_split: tuple[float, float, float] | None = None  # of the base load by phase; None: unknown


@dataclass(frozen=True, slots=True)
class Weights:
    """A strategy as numbers: prices of discomfort and of grid energy beside the real money.

    `cold_per_kh` and `warm_per_kh` price a room under or over its band per kelvin-hour;
    `import_extra_per_kwh` adds to every imported kWh (environmental), `peak_per_kw` to the peak.
    """

    name: str = "balanced"
    cold_per_kh: float = 12.0
    warm_per_kh: float = 1.5
    import_extra_per_kwh: float = 0.0
    peak_per_kw: float = 0.0
    setpoint_shift_k: float = 0.0
    wear_factor: float = 1.0


class Purpose(StrEnum):
    """What a problem is put for: to be solved, to be planned between two solves, or to compare."""

    SOLVE = "solve"
    BETWEEN = "between"  # the last solve's prices serve, as far as they are of this house
    COMPARE = "compare"  # nobody will live by it: the next plan does not go on from it


@dataclass(frozen=True, slots=True)
class PlanningProblem:
    """State, forecasts, prices and limits on one grid of K slots. Per-room rows follow `model`.

    `out_of_service` names relays that must stay off.
    """

    issued_at_s: float
    grid: TimeGrid
    model: HouseModel
    relays: tuple[Relay, ...]
    battery: BatteryModel
    inverter: InverterModel
    limits: Limits
    state: HouseState
    outdoor_c: tuple[float, ...]
    ghi_w_m2: tuple[float, ...]
    pv_kw: tuple[float, ...]
    base_load_kw: tuple[float, ...]
    import_per_kwh: tuple[float, ...]
    export_per_kwh: tuple[float, ...]
    heating_blocked: tuple[bool, ...]
    comfort_low_c: Mapping[str, tuple[float, ...]]
    comfort_high_c: Mapping[str, tuple[float, ...]]
    weights: Weights = field(default_factory=Weights)
    currency: str = "CZK"
    known_until_s: float | None = None  # where published prices end
    out_of_service: frozenset[str] = frozenset()
    battery_obeys: bool = True  # if not, only self-use can be planned
    floor_limits_c: Mapping[str, float] = field(default_factory=dict)
    """Most for the surface of a room's floor; a room not named has the house's limit."""
    loads: tuple[LoadTask, ...] = ()
    """What flexible loads want, at most one task each."""
    purpose: Purpose = Purpose.SOLVE


@dataclass(frozen=True, slots=True)
class PlanSlot:
    """One slot of a plan. Powers are means; temperatures and SOC are at the end of the slot."""

    start_s: float
    duration_s: float
    relays: Mapping[str, bool]
    heat_kw: Mapping[str, float]  # per relay; equals its power where on, a mean where relaxed
    battery_mode: BatteryMode
    battery_kw: float
    grid_kw: float
    pv_kw: float
    base_load_kw: float
    export_allowed: bool
    temps_c: Mapping[str, float]
    soc_frac: float
    cost: float
    reasons: Mapping[str, str]
    battery_rate_kw: float | None = None
    battery_stop_soc_frac: float | None = None
    binary: bool = True  # False where relays are still relaxed (the far part of the horizon)
    power_price_per_kwh: float | None = None  # what one more kWh of consumption would cost
    charge_price_per_kwh: float | None = None  # what one more kWh in the battery would save
    loads_kw: Mapping[str, float] = field(default_factory=dict)  # of the flexible loads


@dataclass(frozen=True, slots=True)
class RoomPath:
    """A room's planned air temperature and its marginal price of heat, per slot start."""

    at_s: tuple[float, ...]
    temp_c: tuple[float, ...]
    heat_price_per_kwh: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Softened:
    """A wish that could not be kept, and by how much (in the limit's own unit)."""

    limit: str
    by: float


@dataclass(frozen=True, slots=True)
class SolverRecord:
    """How a plan came about."""

    status: str
    solver: str
    iterations: int
    cpu_s: float
    wall_s: float
    residual: float
    objective: float
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What every device should do, why, and what it should cost.

    Rooms may follow their paths until `path_until_s`; `known_until_s` is where published prices
    end, and with them what the plan says to the battery of a house without a planner.
    """

    issued_at_s: float
    valid_until_s: float
    level: Level
    slots: tuple[PlanSlot, ...]
    totals: Mapping[str, float]  # cost, energy, wear, comfort, peak ... over the horizon
    softened: tuple[Softened, ...]
    paths: Mapping[str, RoomPath]
    solver: SolverRecord
    currency: str = "CZK"
    path_until_s: float = 0.0
    known_until_s: float = 0.0

    def slot_at(self, at_s: float) -> PlanSlot | None:
        """Find the slot in force at an instant, or None outside the horizon."""
        for slot in self.slots:
            if slot.start_s <= at_s < slot.start_s + slot.duration_s:
                return slot
        return None


@dataclass(frozen=True, slots=True)
class PlanRefused:
    """A plan that will not be used, with the reason in one sentence."""

    reason: str
    problem_at_s: float
    permanent: bool = False
