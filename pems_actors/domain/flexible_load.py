"""What can wait for its energy: a car at its charger, a boiler. One type for both.

Such a load is measured and can be held back by a contact; it is never forced to draw. It serves
itself while nobody holds it back, so released is its safe state. What somebody wants of it is a
task: so much energy by an hour, soft in the plan. `LoadReading` is what it says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pems_actors.domain.levels import Level

THIRDS = (1 / 3, 1 / 3, 1 / 3)
WATER_KWH_L_K = 1.163e-3  # heat of a litre of water per kelvin


class LoadKind(StrEnum):
    """What stands behind the contact."""

    CAR = "car"
    BOILER = "boiler"


@dataclass(frozen=True, slots=True)
class FlexibleLoad:
    """One load that can wait. It draws `power_kw` while it may and wants to, else nothing.

    `every_day_kwh` by the local hour `by_h` is wanted as long as nobody asks for something else;
    0 asks for nothing. A boiler of `volume_l` is brought to `hot_c` once a week, against germs.
    `missed_per_kwh` is what a kWh that comes too late counts in the plan, in the house's currency.
    """

    name: str
    kind: LoadKind
    power_kw: float
    phases: tuple[float, float, float] = THIRDS
    tariff_blocked: bool = False  # hangs behind the same contactor as the heating
    by_h: float = 7.0
    every_day_kwh: float = 0.0
    missed_per_kwh: float = 20.0
    volume_l: float = 0.0
    hot_c: float = 60.0
    min_run_s: float = 600.0

    @property
    def rests_battery(self) -> bool:
        """Whether the house's battery rests meanwhile: it must not be emptied into a car."""
        return self.kind is LoadKind.CAR

    def heating_up_kwh(self, temp_c: float | None, cold_c: float = 15.0) -> float:
        """Energy to bring a boiler to its weekly heat; an unknown one is taken as cold."""
        missing_k = self.hot_c - (cold_c if temp_c is None else temp_c)
        return max(missing_k, 0.0) * self.volume_l * WATER_KWH_L_K


class LoadReading(NamedTuple):
    """One load as read. `ready`: whether it could draw at all (a car is plugged in)."""

    load: str
    at_s: float
    power_kw: float | None
    ready: bool | None = None
    temp_c: float | None = None


@dataclass(frozen=True, slots=True)
class LoadTask:
    """So much energy for a load by an instant; soft, at the load's own price."""

    load: FlexibleLoad
    energy_kwh: float
    by_s: float


@dataclass(frozen=True, slots=True)
class LoadWanted:
    """What a load wants as it now is, told to the planner; `task` None: nothing just now."""

    load: str
    at_s: float
    task: LoadTask | None

    @property
    def key(self) -> str:
        """Only the newest word of a load counts."""
        return self.load


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What the plan in force says to one load: its mean power in each slot, and why."""

    issued_at_s: float
    valid_until_s: float
    level: Level
    start_s: tuple[float, ...]
    power_kw: tuple[float, ...]
    reasons: tuple[str, ...]
    end_s: float


class LoadTick(NamedTuple):
    """One control tick for one load; `reading` is None when it said nothing."""

    at_s: float
    reading: LoadReading | None
    blocked: bool
    clock_trusted: bool = True


class LoadRequest(NamedTuple):
    """A load asks to be let go; heating that waits comes first.

    `late`: it will miss its hour if it has to wait on.
    """

    load: str
    at_s: float
    late: bool = False

    @property
    def key(self) -> str:
        """Only the newest request of a load counts."""
        return self.load


class LoadGrant(NamedTuple):
    """Leave for a load to draw, to be used at once."""

    load: str
    at_s: float
    valid_until_s: float


class LoadSwitched(NamedTuple):
    """A load may draw or is held back, as its owner says at each change and each renewal.

    `ours`: an order to it would be obeyed; one that nobody may write to serves itself.
    """

    load: str
    on: bool
    at_s: float
    ours: bool = True


@dataclass(frozen=True, slots=True)
class LoadShed:
    """A load must be held back now: a limit is exceeded, or heating needs the room."""

    load: str
    reason: str
    at_s: float
    hold_s: float = 600.0
