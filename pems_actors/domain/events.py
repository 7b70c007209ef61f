"""What actors tell each other between the readings and the commands.

Each message carries all that its receiver needs, so nobody has to ask back in mid-decision.
A message with a `key` replaces an older one of the same key that still waits in a mailbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pems_actors.domain.flexible_load import LoadReading
from pems_actors.domain.house import BatteryMode, HouseModel
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import HouseState, Plan
from pems_actors.domain.readings import (
    BatteryReading,
    InverterReading,
    MeterReading,
    Quality,
    RoomReading,
)
from pems_actors.domain.time_grid import TimeGrid


@dataclass(frozen=True, slots=True)
class Outdoor:
    """The outdoor temperature as believed just now, and the rung it came from."""

    temp_c: float
    quality: Quality
    source: str


class RoomTick(NamedTuple):
    """One control tick for one room. `reading` is None when the house said nothing.

    `available_frac` is the share of the next three hours in which heating is not blocked; `blocks`
    are the timetabled blocked spans `(start_s, end_s)` of the next day, for when nobody ticks.
    `estimate_c` is given while the room's sensor is silent or not believed, `doubt` says why; a
    clock that is not trusted is no ground for anything that depends on prices.
    """

    at_s: float
    reading: RoomReading | None
    outdoor: Outdoor
    blocked: bool
    available_frac: float = 1.0
    blocks: tuple[tuple[float, float], ...] = ()
    estimate_c: float | None = None
    doubt: str = ""
    clock_trusted: bool = True


class EnergyTick(NamedTuple):
    """One control tick for battery, inverter and meter: they decide from the same picture."""

    at_s: float
    battery: BatteryReading | None
    inverter: InverterReading | None
    meter: MeterReading | None
    clock_trusted: bool = True
    loads: tuple[LoadReading, ...] = ()
    rooms: tuple[RoomReading, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadSample:
    """The house load without heating and battery, for the load forecaster; None if unknown."""

    at_s: float
    base_load_kw: float | None


@dataclass(frozen=True, slots=True)
class PvSample:
    """Measured PV with what is needed to know if it was curtailed."""

    at_s: float
    pv_kw: float | None
    curtailed: bool


class Why(NamedTuple):
    """A reason that is written out only where somebody reads it: most are never told."""

    form: str
    parts: tuple[object, ...]

    def __str__(self) -> str:
        """Write it out."""
        return self.form.format(*self.parts)


class Need(NamedTuple):
    """What one room wants of its relay, and how badly.

    `duty` is the wanted share of time; `exact` means that it is the plan's own on or off and must
    not be spread over time. `slack_k` is how far the room is above its floor (negative: below).
    `overheat` is a reading over the ceiling; `seems_hot` an estimate, which breaks no dwell.
    """

    room: str
    at_s: float
    duty: float
    exact: bool
    level: Level
    why: str | Why
    slack_k: float
    target_c: float
    frost: bool = False
    overheat: bool = False
    user: bool = False
    temp_c: float | None = None  # as far as it is known
    seems_hot: bool = False

    @property
    def reason(self) -> str:
        """Why it wants that."""
        return str(self.why)

    @property
    def key(self) -> str:
        """Only the newest need of a room counts."""
        return self.room


class RelayRequest(NamedTuple):
    """A relay asks to be switched on. The least slack is served first; frost before all.

    What is `planned` waits its turn: the plan has weighed who runs, so nobody makes room for it.
    """

    relay: str
    at_s: float
    slack_k: float
    urgent: bool
    planned: bool = False

    @property
    def key(self) -> str:
        """Only the newest request of a relay counts."""
        return self.relay


@dataclass(frozen=True, slots=True)
class RelayGrant:
    """Leave to switch on within the next moments."""

    relay: str
    at_s: float
    valid_until_s: float


class RelaySwitched(NamedTuple):
    """A relay is on or off, as its owner says at each switch, and at renewals of its lease.

    `ours`: an order to it would be obeyed; one that nobody may write to serves itself.
    """

    relay: str
    on: bool
    at_s: float
    slack_k: float | None = None
    ours: bool = True

    def repeats(self, before: RelaySwitched, within_s: float) -> bool:
        """Tell if this was said in the same words within a time before."""
        lately = 0.0 <= self.at_s - before.at_s < within_s
        return lately and self[3:] == before[3:] and self[:2] == before[:2]


@dataclass(frozen=True, slots=True)
class RelayShed:
    """A relay must go off now: a limit is exceeded."""

    relay: str
    reason: str
    at_s: float
    hold_s: float = 300.0


@dataclass(frozen=True, slots=True)
class ChargeShed:
    """Charging from the grid must stop now: a limit is exceeded."""

    reason: str
    at_s: float
    hold_s: float = 300.0


class BatteryRequest(NamedTuple):
    """The battery asks for an order by which the house would draw `rise_kw` more from the grid.

    For a `charge` from the grid, or only because it gives the house less.
    """

    at_s: float
    rise_kw: float
    charge: bool


class BatteryGrant(NamedTuple):
    """Leave for such an order within the next moments."""

    at_s: float
    valid_until_s: float
    rise_kw: float


@dataclass(frozen=True, slots=True)
class GuardOrder:
    """The guard's second opinion on a relay: force it for a while."""

    relay: str
    on: bool
    reason: str
    until_s: float


@dataclass(frozen=True, slots=True)
class FrostOutlook:
    """The coldest air temperature each room would reach within 3 h without heating [°C]."""

    at_s: float
    coldest_c: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """What the plan in force says to one room: its relay's slots and its own path.

    `on` is None where the plan is still relaxed; then `duty` tells the share of time. `worth_frac`
    is by how much heat through its relay is worth more than it costs: 1 where it costs nothing, 0
    where either would do, -1 where it is worth nothing.
    """

    issued_at_s: float
    valid_until_s: float
    path_until_s: float
    level: Level
    start_s: tuple[float, ...]
    on: tuple[bool | None, ...]
    duty: tuple[float, ...]
    reasons: tuple[str, ...]
    path_c: tuple[float, ...]
    heat_price_per_kwh: tuple[float, ...]
    end_s: float
    worth_frac: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class BatteryStep:
    """One planned stretch of a battery mode."""

    start_s: float
    mode: BatteryMode
    rate_kw: float | None
    stop_soc_frac: float | None
    export_allowed: bool
    reason: str
    export_reason: str


@dataclass(frozen=True, slots=True)
class PowerOutlook:
    """What a plan expects of sun and loads [kW], and what a kWh in the battery is worth."""

    grid: TimeGrid
    pv_kw: tuple[float, ...]
    load_kw: tuple[float, ...]
    charge_price_per_kwh: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EnergyPlan:
    """What the plan in force says to battery and inverter, and until when its prices are known."""

    issued_at_s: float
    valid_until_s: float
    level: Level
    steps: tuple[BatteryStep, ...]
    end_s: float
    known_until_s: float = 0.0
    outlook: PowerOutlook | None = None


@dataclass(frozen=True, slots=True)
class PlanAdopted:
    """A validated plan came into force."""

    plan: Plan
    at_s: float


@dataclass(frozen=True, slots=True)
class PlanFailed:
    """No plan came of a try, and why; the old one stays in force until it expires."""

    at_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class StateEstimated:
    """The estimator's belief, sent on every planning step and on request.

    `model` is the house model by which it was estimated, where that is not the configured one: who
    goes on from the belief goes by the same model.
    """

    state: HouseState
    trusted: bool
    reason: str = ""
    model: HouseModel | None = None


@dataclass(frozen=True, slots=True)
class ComfortWish:
    """A person's wish for a room until a time; the planner keeps to it as well as the room."""

    room: str
    temp_c: float | None  # None takes the wish back
    until_s: float
    owner: str
    reason: str

    @property
    def key(self) -> str:
        """Only the newest wish of a room counts."""
        return self.room


class HouseMode(StrEnum):
    """The mood of the whole house, set by a person. Emergency is latched until cleared."""

    NORMAL = "normal"
    ECONOMY = "economy"
    COMFORT = "comfort"
    AWAY = "away"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """The house mode as it now is; `until_s` ends an absence."""

    mode: HouseMode
    at_s: float
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class AlarmChanged:
    """The standing alarm as it now is: since when, why, at which level; `since_s` None is none."""

    at_s: float
    since_s: float | None = None
    reason: str = ""
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class TreeChanged:
    """Some actor does better or worse than before; the world should hear of it soon."""


@dataclass(frozen=True, slots=True)
class Request:
    """A person's command that has passed the codec. Exactly one `Outcome` answers it."""

    id: str
    path: str
    verb: str
    args: Mapping[str, object]
    reason: str
    at_s: float
    origin: str = "socket"
    reply_to: str | None = None
    expires_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one final answer to a request: `done`, `rejected`, `failed` or `timeout`."""

    id: str
    path: str
    verb: str
    outcome: str
    reason: str
    at_s: float
    result: Mapping[str, object] = field(default_factory=dict)
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class ForecastWanted:
    """Somebody wants a predictor's own forecast, with nothing learned elsewhere in it."""

    by: str  # the address to tell it to


@dataclass(frozen=True, slots=True)
class Tick:
    """A periodic wake-up of an actor by its own timer."""


@dataclass(frozen=True, slots=True)
class Armed:
    """A device may be written to from now on: whoever has it takes it over as at a start."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Republish:
    """Somebody came back and needs the present state told again."""
