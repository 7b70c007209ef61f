"""What each actor keeps for the next process, how it is written, and what is true of it later.

`KINDS` is the whole list: by address, a codec and a judgement. The judgement gets the value, when
it was kept and what time it is now: what has expired is dropped, and times from the future (a
clock that was set back) are moved, so that a dwell or a wish keeps the time it had left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pems_actors.control.battery import UserBattery
from pems_actors.control.clock_trust import ClockTrust
from pems_actors.control.energy_count import EnergyCount
from pems_actors.control.order import RelayMemory
from pems_actors.control.wishes import Override
from pems_actors.domain.events import HouseMode, PlanAdopted
from pems_actors.domain.findings import Finding, FindingKind
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import BatteryMode
from pems_actors.durable import domain_codecs as codecs
from pems_actors.durable.plain import FLAG, NUMBER, TEXT, Codec, many, one_of, optional, record
from pems_actors.forecasting.base_load import BaseLoad, Today
from pems_actors.forecasting.pv import PvPhysics
from pems_actors.forecasting.pv_scale import PvScale
from pems_actors.forecasting.quarters import QUARTERS_PER_DAY, QuarterMean
from pems_actors.forecasting.weather import LiveBias

T = TypeVar("T")

INCIDENTS_OPEN = "incidents"  # no actor lives there: the record of the house keeps them
HELD_S = 1800.0
CLOCK_TOLERANCE_S = 60.0  # two clocks may differ by so much without being wrong


@dataclass(frozen=True, slots=True)
class RoomKept:
    """A room: a person's wish, its relay's history, what its rules have learned."""

    trim: float = 0.0
    override: Override | None = None
    relay: RelayMemory | None = None
    floors: tuple[float, ...] = ()  # the warmth of its relay's floors, a share each


@dataclass(frozen=True, slots=True)
class ModeKept:
    """The house mode, and until when it holds; None: until somebody changes it."""

    mode: HouseMode = HouseMode.NORMAL
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class BatteryKept:
    """The battery: its mode and since when, the changes of the day, a person's choice."""

    mode: BatteryMode
    since_s: float
    changes_s: tuple[float, ...] = ()
    rate_kw: float | None = None
    stop_soc_frac: float | None = None
    user: UserBattery | None = None


@dataclass(frozen=True, slots=True)
class InverterKept:
    """The inverter: a person's choice about export."""

    user_allowed: bool
    user_until_s: float


@dataclass(frozen=True, slots=True)
class BudgetKept:
    """The power budget: when a relay was last started."""

    last_start_s: float


@dataclass(frozen=True, slots=True)
class LoadKept:
    """A flexible load: what is wanted by when, what it got of it, and when it was hot last."""

    energy_kwh: float
    by_s: float
    asked: bool = False
    got_kwh: float = 0.0
    hot_s: float = float("-inf")


@dataclass(frozen=True, slots=True)
class PvKept:
    """What was learned about the roofs, and how large they were."""

    peak_kw: float
    scale: PvScale
    physics: PvPhysics | None
    climate_kw: tuple[float | None, ...] = (None,) * QUARTERS_PER_DAY


@dataclass(frozen=True, slots=True)
class PricesKept:
    """Accepted spot prices by quarter hour [EUR/MWh]."""

    known: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that has not ended."""

    path: str
    id: str
    cause: str
    start_s: float


@dataclass(frozen=True, slots=True)
class WeatherKept:
    """The last good issue of the provider and what the sensor says against it."""

    issue: WeatherForecast | None
    bias: LiveBias = field(default_factory=LiveBias)
    anomaly: LiveBias = field(default_factory=LiveBias)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of kept value: how it is written, and what of it is true at a later time."""

    codec: Codec[T]
    judged: Callable[[T, float, float], T | None]


def _as_kept(value: T, _kept_s: float, _now_s: float) -> T:
    return value


def back_by_s(kept_s: float, now_s: float) -> float:
    """How far times must move back because the clock was set back since; 0 if it was not."""
    return kept_s - now_s if kept_s > now_s + CLOCK_TOLERANCE_S else 0.0


def _room(kept: RoomKept, kept_s: float, now_s: float) -> RoomKept:
    back_s = back_by_s(kept_s, now_s)
    wish, relay = kept.override, kept.relay
    if wish is not None:
        wish = replace(wish, until_s=wish.until_s - back_s)
        wish = wish if wish.until_s > now_s else None
    return replace(kept, override=wish, relay=relay and _relay(relay, back_s, now_s))


def _relay(memory: RelayMemory, back_s: float, now_s: float) -> RelayMemory:
    hand = memory.by_hand
    if hand is not None:
        hand = replace(hand, until_s=hand.until_s - back_s)
    return replace(
        memory,
        since_s=memory.since_s - back_s,
        starts_s=tuple(s - back_s for s in memory.starts_s),
        rest_until_s=memory.rest_until_s - back_s,
        shed_until_s=memory.shed_until_s - back_s,
        by_hand=hand if hand is not None and hand.until_s > now_s else None,
    )


def _mode(kept: ModeKept, kept_s: float, now_s: float) -> ModeKept | None:
    if kept.until_s is None:
        return kept
    until_s = kept.until_s - back_by_s(kept_s, now_s)
    return replace(kept, until_s=until_s) if until_s > now_s else None


def _battery(kept: BatteryKept, kept_s: float, now_s: float) -> BatteryKept:
    back_s, user = back_by_s(kept_s, now_s), kept.user
    if user is not None:
        user = replace(user, until_s=user.until_s - back_s)
    return replace(
        kept,
        since_s=kept.since_s - back_s,
        changes_s=tuple(s - back_s for s in kept.changes_s),
        user=user if user is not None and user.until_s > now_s else None,
    )


def _inverter(kept: InverterKept, kept_s: float, now_s: float) -> InverterKept | None:
    until_s = kept.user_until_s - back_by_s(kept_s, now_s)
    return replace(kept, user_until_s=until_s) if until_s > now_s else None


def _energy(count: EnergyCount, kept_s: float, now_s: float) -> EnergyCount:
    """Energies stay; only the instant since when they were counted moves with the clock."""
    if count.since_s is None:
        return count
    return count._replace(since_s=count.since_s - back_by_s(kept_s, now_s))


def _budget(kept: BudgetKept, _kept_s: float, now_s: float) -> BudgetKept:
    return BudgetKept(min(kept.last_start_s, now_s))


def _plan(adopted: PlanAdopted, kept_s: float, now_s: float) -> PlanAdopted | None:
    """A plan is made of prices at their hours: it cannot be moved, only dropped."""
    plan = adopted.plan
    if not plan.slots or back_by_s(kept_s, now_s) or plan.issued_at_s > now_s + CLOCK_TOLERANCE_S:
        return None
    last = plan.slots[-1]
    ends_s = max(plan.valid_until_s, min(plan.path_until_s, last.start_s + last.duration_s))
    return adopted if now_s < ends_s else None


def _flexible(kept: LoadKept, kept_s: float, now_s: float) -> LoadKept:
    back_s = back_by_s(kept_s, now_s)
    return replace(kept, by_s=kept.by_s - back_s, hot_s=kept.hot_s - back_s)


def _findings(kept: tuple[Finding, ...], kept_s: float, now_s: float) -> tuple[Finding, ...]:
    """A temperature that was believed long ago says nothing about a room of now."""
    if 0.0 <= now_s - kept_s <= HELD_S:
        return kept
    return tuple(finding._replace(held_c=None) for finding in kept)


def _load(learned: BaseLoad, kept_s: float, now_s: float) -> BaseLoad:
    if not back_by_s(kept_s, now_s):
        return learned
    return replace(learned, today=Today(), filling=QuarterMean())


ROOM: Kind[RoomKept] = Kind(
    record(
        RoomKept,
        trim=NUMBER,
        override=optional(codecs.OVERRIDE),
        relay=optional(codecs.RELAY),
        floors=codecs.NUMBERS,
    ),
    _room,
)
BATTERY: Kind[BatteryKept] = Kind(
    record(
        BatteryKept,
        mode=codecs.MODE,
        since_s=NUMBER,
        changes_s=codecs.NUMBERS,
        rate_kw=optional(NUMBER),
        stop_soc_frac=optional(NUMBER),
        user=optional(codecs.USER_BATTERY),
    ),
    _battery,
)
INVERTER: Kind[InverterKept] = Kind(
    record(InverterKept, user_allowed=FLAG, user_until_s=NUMBER), _inverter
)
ENERGY: Kind[EnergyCount] = Kind(
    record(
        EnergyCount,
        since_s=optional(NUMBER),
        import_kwh=NUMBER,
        export_kwh=NUMBER,
        load_kwh=NUMBER,
    ),
    _energy,
)
BUDGET: Kind[BudgetKept] = Kind(record(BudgetKept, last_start_s=NUMBER), _budget)
MODE: Kind[ModeKept] = Kind(
    record(ModeKept, mode=codecs.HOUSE_MODE, until_s=optional(NUMBER)), _mode
)
CLOCK: Kind[ClockTrust] = Kind(
    record(
        ClockTrust,
        floor_s=NUMBER,
        newest_s=NUMBER,
        believed_at_s=NUMBER,
        trusted=FLAG,
        reason=TEXT,
    ),
    _as_kept,
)
PLAN: Kind[PlanAdopted] = Kind(codecs.ADOPTED, _plan)
LOAD: Kind[BaseLoad] = Kind(codecs.BASE_LOAD, _load)
FLEXIBLE: Kind[LoadKept] = Kind(
    record(LoadKept, energy_kwh=NUMBER, by_s=NUMBER, asked=FLAG, got_kwh=NUMBER, hot_s=NUMBER),
    _flexible,
)
PV: Kind[PvKept] = Kind(
    record(
        PvKept,
        peak_kw=NUMBER,
        scale=codecs.PV_SCALE,
        physics=optional(codecs.PV_PHYSICS),
        climate_kw=codecs.PV_CLIMATE,
    ),
    _as_kept,
)
PRICES: Kind[PricesKept] = Kind(record(PricesKept, known=codecs.KNOWN_PRICES), _as_kept)
FINDINGS: Kind[tuple[Finding, ...]] = Kind(
    many(
        record(
            Finding,
            device=TEXT,
            what=one_of(FindingKind),
            reason=TEXT,
            since_s=NUMBER,
            held_c=optional(NUMBER),
        )
    ),
    _findings,
)
INCIDENTS: Kind[tuple[OpenIncident, ...]] = Kind(
    many(record(OpenIncident, path=TEXT, id=TEXT, cause=TEXT, start_s=NUMBER)), _as_kept
)
WEATHER: Kind[WeatherKept] = Kind(
    record(
        WeatherKept,
        issue=optional(codecs.WEATHER),
        bias=codecs.BIAS,
        anomaly=codecs.BIAS,
    ),
    _as_kept,
)

KINDS: Mapping[str, Kind[Any]] = {
    "rooms/*": ROOM,
    "loads/*": FLEXIBLE,
    "safety/power_budget": BUDGET,
    "devices/gateway": CLOCK,
    "devices/battery": BATTERY,
    "devices/inverter": INVERTER,
    "devices/meter": ENERGY,
    "devices/inspector": FINDINGS,
    "infrastructure/control": MODE,
    "forecasting/load": LOAD,
    "forecasting/pv": PV,
    "forecasting/prices": PRICES,
    "forecasting/weather": WEATHER,
    "planning/plan_keeper": PLAN,
    INCIDENTS_OPEN: INCIDENTS,
}


def kind_of(address: str) -> Kind[Any] | None:
    """Find the kind of value that an actor keeps; None for one that keeps nothing."""
    branch = address.partition("/")[0]
    return KINDS.get(address) or KINDS.get(f"{branch}/*")
