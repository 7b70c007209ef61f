"""Hypothesis strategies for every value that outlives a restart."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from pems_actors.control.battery import UserBattery
from pems_actors.control.clock_trust import ClockTrust
from pems_actors.control.energy_count import EnergyCount
from pems_actors.control.order import ByHand, RelayMemory
from pems_actors.control.wishes import Override
from pems_actors.domain.events import HouseMode, PlanAdopted
from pems_actors.domain.findings import Finding, FindingKind
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanSlot, RoomPath, Softened, SolverRecord
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.durable import kept
from pems_actors.forecasting.base_load import BaseLoad, Today
from pems_actors.forecasting.load_profile import LoadProfile
from pems_actors.forecasting.pv import PvPhysics
from pems_actors.forecasting.pv_scale import PvScale
from pems_actors.forecasting.quarters import QuarterMean
from pems_actors.forecasting.weather import LiveBias

NUMBER = st.floats(allow_nan=False, width=64)
TIME = st.floats(0.0, 4e9)
FLAG = st.booleans()
TEXT = st.text(max_size=20)
COUNT = st.integers(0, 2**40)
SERIES = st.lists(NUMBER, max_size=4).map(tuple)
MODE = st.sampled_from(BatteryMode)


def table(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(TEXT, values, max_size=3)


def exactly(count: int) -> st.SearchStrategy[tuple[float, ...]]:
    """A long series is drawn as a short pattern: its length matters here, not its surprise."""
    pattern = st.lists(NUMBER, min_size=1, max_size=3)
    return pattern.map(lambda p: tuple(p[k % len(p)] for k in range(count)))


OVERRIDE = st.builds(Override, NUMBER, TIME, TEXT, TEXT)
RELAY = st.builds(
    RelayMemory, FLAG, NUMBER, SERIES, NUMBER, NUMBER, TEXT, COUNT,
    st.none() | st.builds(ByHand, FLAG, TIME, FLAG), COUNT, COUNT,
)  # fmt: skip
USER = st.builds(UserBattery, MODE, TIME, st.none() | NUMBER, st.none() | NUMBER, TEXT, FLAG)
SLOT = st.builds(
    PlanSlot,
    start_s=TIME,
    duration_s=TIME,
    relays=table(FLAG),
    heat_kw=table(NUMBER),
    battery_mode=MODE,
    battery_kw=NUMBER,
    grid_kw=NUMBER,
    pv_kw=NUMBER,
    base_load_kw=NUMBER,
    export_allowed=FLAG,
    temps_c=table(NUMBER),
    soc_frac=NUMBER,
    cost=NUMBER,
    reasons=table(TEXT),
    battery_rate_kw=st.none() | NUMBER,
    battery_stop_soc_frac=st.none() | NUMBER,
    binary=FLAG,
    power_price_per_kwh=st.none() | NUMBER,
    charge_price_per_kwh=st.none() | NUMBER,
)
SOLVER = st.builds(
    SolverRecord, TEXT, TEXT, COUNT, NUMBER, NUMBER, NUMBER, NUMBER, st.none() | NUMBER
)
PLAN = st.builds(
    Plan,
    issued_at_s=TIME,
    valid_until_s=TIME,
    level=st.sampled_from(Level),
    slots=st.lists(SLOT, max_size=2).map(tuple),
    totals=table(NUMBER),
    softened=st.lists(st.builds(Softened, TEXT, NUMBER), max_size=2).map(tuple),
    paths=table(st.builds(RoomPath, SERIES, SERIES, SERIES)),
    solver=SOLVER,
    currency=TEXT,
    path_until_s=TIME,
    known_until_s=TIME,
)
QUARTER = st.builds(QuarterMean, COUNT, NUMBER, COUNT)
PROFILE = st.builds(
    LoadProfile, TEXT, exactly(192), exactly(192), exactly(672), exactly(672), exactly(24),
    exactly(24), exactly(24), COUNT,
)  # fmt: skip
GRID = st.sets(TIME, min_size=2, max_size=5).map(lambda edges: TimeGrid(tuple(sorted(edges))))
WEATHER = st.builds(WeatherForecast, TIME, GRID, SERIES, SERIES, SERIES, SERIES, TEXT)
BIAS = st.builds(LiveBias, NUMBER, NUMBER)
SCALE = st.builds(PvScale, *[NUMBER] * len(fields(PvScale)))

KEPT: dict[str, st.SearchStrategy[Any]] = {
    "rooms/*": st.builds(kept.RoomKept, NUMBER, st.none() | OVERRIDE, st.none() | RELAY, SERIES),
    "safety/power_budget": st.builds(kept.BudgetKept, NUMBER),
    "devices/gateway": st.builds(ClockTrust, NUMBER, NUMBER, NUMBER, FLAG, TEXT),
    "devices/battery": st.builds(
        kept.BatteryKept, MODE, NUMBER, SERIES, st.none() | NUMBER, st.none() | NUMBER,
        st.none() | USER,
    ),
    "devices/inverter": st.builds(kept.InverterKept, FLAG, NUMBER),
    "loads/*": st.builds(kept.LoadKept, NUMBER, TIME, FLAG, NUMBER, NUMBER),
    "devices/meter": st.builds(EnergyCount, st.none() | TIME, NUMBER, NUMBER, NUMBER),
    "incidents": st.lists(st.builds(kept.OpenIncident, TEXT, TEXT, TEXT, TIME), max_size=3).map(
        tuple
    ),
    "devices/inspector": st.lists(
        st.builds(Finding, TEXT, st.sampled_from(FindingKind), TEXT, TIME, st.none() | NUMBER),
        max_size=3,
    ).map(tuple),
    "infrastructure/control": st.builds(
        kept.ModeKept, st.sampled_from(HouseMode), st.none() | TIME
    ),
    "forecasting/load": st.builds(
        BaseLoad, PROFILE, st.builds(Today, NUMBER, COUNT), QUARTER
    ),
    "forecasting/pv": st.builds(
        kept.PvKept,
        NUMBER,
        SCALE,
        st.none() | st.builds(PvPhysics, TIME, COUNT, SERIES),
        exactly(96).map(lambda values: (None, *values[1:])),
    ),
    "forecasting/prices": st.builds(
        kept.PricesKept, st.dictionaries(COUNT, NUMBER, max_size=4)
    ),
    "forecasting/weather": st.builds(kept.WeatherKept, st.none() | WEATHER, BIAS, BIAS),
    "planning/plan_keeper": st.builds(PlanAdopted, PLAN, TIME),
}  # fmt: skip
