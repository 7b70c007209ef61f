"""From belief and expectations to a planning problem: every series on one grid, every wish a band.

Runs in the core, so it knows no solver. Without a PV forecast the sun is taken as absent; without
weather, prices or base load there is no plan, and the rooms' own rules go on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf, isinf

from pems_actors.control.comfort import band_c, in_mode
from pems_actors.control.floor import MARGIN_K as FLOOR_MARGIN_K
from pems_actors.control.power_budget import SPARE_KW
from pems_actors.domain.events import ComfortWish, HouseMode
from pems_actors.domain.excitation import Excitation
from pems_actors.domain.flexible_load import LoadTask
from pems_actors.domain.forecasts import Forecast, PriceCurve, WeatherForecast, resample
from pems_actors.domain.house import Comfort, House, Limits
from pems_actors.domain.plan import HouseState, PlanningProblem, RelayHistory, Weights
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.optimisation.strategies import scaled

Band = tuple[tuple[float, ...], tuple[float, ...]]  # lowest and highest air per slot [°C]
MARGIN_K = 0.1  # what sensors do not resolve and models do not know: aim over the floor


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that the planner has been told of the future so far."""

    weather: WeatherForecast | None = None
    prices: PriceCurve | None = None
    pv: Forecast | None = None
    base_load: Forecast | None = None
    wishes: Mapping[str, ComfortWish] = field(default_factory=dict)
    mode: HouseMode = HouseMode.NORMAL
    mode_until_s: float | None = None  # until when the mode holds; None: until it is changed
    weights: Weights = field(default_factory=Weights)
    dead: frozenset[str] = frozenset()  # relays that heat nothing, whatever they are told
    welded: frozenset[str] = frozenset()  # relays that heat all the time, unless blocked
    battery_obeys: bool = True
    excited: Mapping[str, Excitation] = field(default_factory=dict)  # rooms that show themselves
    tasks: Mapping[str, LoadTask | None] = field(default_factory=dict)  # of the flexible loads

    def lacks(self) -> tuple[str, ...]:
        """Name what a plan cannot do without and nobody has told yet."""
        needed = {"weather": self.weather, "prices": self.prices, "base load": self.base_load}
        return tuple(name for name, value in needed.items() if value is None)


def planning_problem(
    house: House, state: HouseState, outlook: Outlook, grid: TimeGrid
) -> PlanningProblem:
    """Put a planning problem together.

    Raises: ValueError naming what is missing.
    """
    weather, prices, load = outlook.weather, outlook.prices, outlook.base_load
    if weather is None or prices is None or load is None:
        raise ValueError(f"no plan without {', '.join(outlook.lacks())}")
    pv = outlook.pv
    bands = comfort_bands(house, outlook, grid)
    blocked = resample(prices.grid, tuple(float(b) for b in prices.blocked), grid)
    welded_kw = sum(relay.power_kw for relay in house.relays if relay.name in outlook.welded)
    base_kw = resample(load.grid, load.p50, grid)
    return PlanningProblem(
        issued_at_s=state.at_s,
        grid=grid,
        model=house.model,
        relays=house.relays,
        battery=house.battery,
        inverter=house.inverter,
        limits=_plannable(house.limits),
        state=state,
        outdoor_c=resample(weather.grid, weather.outdoor_c, grid),
        ghi_w_m2=resample(weather.grid, weather.ghi_w_m2, grid),
        pv_kw=resample(pv.grid, pv.p50, grid) if pv is not None else (0.0,) * len(grid),
        base_load_kw=tuple(
            base + welded_kw * (1.0 - share) for base, share in zip(base_kw, blocked, strict=True)
        ),
        import_per_kwh=resample(prices.grid, prices.import_per_kwh, grid),
        export_per_kwh=resample(prices.grid, prices.export_per_kwh, grid),
        heating_blocked=tuple(share >= 0.5 for share in blocked),
        comfort_low_c={name: low for name, (low, _) in bands.items()},
        comfort_high_c={name: high for name, (_, high) in bands.items()},
        weights=scaled(outlook.weights, prices.price_level),
        currency=prices.currency,
        known_until_s=prices.published_until_s,
        out_of_service=outlook.dead | outlook.welded,
        battery_obeys=outlook.battery_obeys,
        floor_limits_c=_floor_limits_c(house, state),
        loads=_tasks(outlook, prices.price_level),
    )


def _tasks(outlook: Outlook, price_level: float) -> tuple[LoadTask, ...]:
    """List what flexible loads want; what is late counts in the currency of the prices."""
    return tuple(
        replace(
            task,
            load=replace(task.load, missed_per_kwh=task.load.missed_per_kwh * price_level),
        )
        for task in outlook.tasks.values()
        if task is not None
    )


def _floor_limits_c(house: House, state: HouseState) -> dict[str, float]:
    """Give the most for each floor's surface, as its rules keep it: less where nobody measures."""
    unknown = RelayHistory(on=False, since_s=0.0, rests_after_s=0.0)
    limits: dict[str, float] = {}
    for room in house.rooms:
        relay = house.relay_of(room.name)
        past = state.relays.get(relay.name, unknown) if relay is not None else unknown
        surface_c = house.limits.bath_surface_c if room.bath else house.limits.floor_surface_c
        limits[room.name] = surface_c - (0.0 if isinf(past.rests_after_s) else FLOOR_MARGIN_K)
    return limits


def _plannable(limits: Limits) -> Limits:
    """Leave free what the power budget keeps free at every switch-on: no plan gets that."""
    return replace(
        limits,
        breaker_a=max(limits.breaker_a - SPARE_KW * 1000.0 / limits.voltage_v, 0.0),
        import_kw=max(limits.import_kw - SPARE_KW, 0.0),
    )


def comfort_bands(house: House, outlook: Outlook, grid: TimeGrid) -> dict[str, Band]:
    """Comfort band of each room, per slot and as it is at the slot's end, as a plan's air is."""
    usual: dict[Comfort, Band] = {}
    bands: dict[str, Band] = {}
    for room in house.rooms:
        if room.comfort not in usual:
            usual[room.comfort] = _usual(room.comfort, outlook, grid, house.site.timezone)
        wish = outlook.wishes.get(room.name)
        bands[room.name] = _excited(room.name, outlook, usual[room.comfort], grid)
        if wish is not None and wish.temp_c is not None:
            half_k, shift_k = room.comfort.band_k, outlook.weights.setpoint_shift_k
            wished = (wish.temp_c - half_k + shift_k + MARGIN_K, wish.temp_c + half_k + shift_k)
            bands[room.name] = _until(wish.until_s, wished, bands[room.name], grid)
    return bands


def _excited(room: str, outlook: Outlook, usual: Band, grid: TimeGrid) -> Band:
    """Shift the band of a room that shows itself; not while the house is in a mood of its own."""
    plan = outlook.excited.get(room)
    if plan is None or outlook.mode is not HouseMode.NORMAL:
        return usual
    shift_k = [plan.at(start_s) for start_s in grid.starts_s]
    low, high = (tuple(c + k for c, k in zip(side, shift_k, strict=True)) for side in usual)
    return low, high


def _usual(comfort: Comfort, outlook: Outlook, grid: TimeGrid, timezone: str) -> Band:
    """Band that the day asks for, in the house's mode as long as that holds."""
    shifted, shift_k = in_mode(comfort, outlook.mode), outlook.weights.setpoint_shift_k
    until_s = inf if outlook.mode_until_s is None else outlook.mode_until_s
    at = [
        _band_towards(shifted if end_s <= until_s else comfort, end_s, timezone)
        for end_s in grid.edges_s[1:]
    ]
    lows = tuple(low + shift_k + MARGIN_K for low, _ in at)
    return lows, tuple(high + shift_k for _, high in at)


@lru_cache(maxsize=4096)
def _band_towards(comfort: Comfort, end_s: float, timezone: str) -> tuple[float, float]:
    """Give the band at the end of a slot: a day that ends there counts to its last moment.

    Remembered: one plan after the other asks for the same hours of the same wishes.
    """
    (last_low, last_high), (low, high) = (
        band_c(comfort, at_s, timezone) for at_s in (end_s - 1.0, end_s)
    )
    return max(last_low, low), max(last_high, high)


def _until(until_s: float, wished: tuple[float, float], usual: Band, grid: TimeGrid) -> Band:
    """Put a wish over the slots that end while it holds."""
    slots = bisect_right(grid.edges_s[1:], until_s)
    return (
        (wished[0],) * slots + usual[0][slots:],
        (wished[1],) * slots + usual[1][slots:],
    )
