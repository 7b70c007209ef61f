"""How each value that survives is written, field by field: wishes, relays, plans, what was learned.

A field that is not named here is not remembered and takes its default. Nothing is decided here.
"""

from __future__ import annotations

from pems_actors.control.battery import UserBattery
from pems_actors.control.order import ByHand, RelayMemory
from pems_actors.control.wishes import Override
from pems_actors.domain.events import HouseMode, PlanAdopted
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanSlot, RoomPath, Softened, SolverRecord
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.durable.plain import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    many,
    numbered,
    one_of,
    optional,
    record,
    table,
)
from pems_actors.forecasting.base_load import BaseLoad, Today
from pems_actors.forecasting.load_profile import LoadProfile
from pems_actors.forecasting.pv import PvPhysics
from pems_actors.forecasting.pv_scale import PvScale
from pems_actors.forecasting.quarters import QUARTERS_PER_DAY, QUARTERS_PER_WEEK, QuarterMean
from pems_actors.forecasting.weather import LiveBias

MODE = one_of(BatteryMode)
LEVEL = one_of(Level)
HOUSE_MODE = one_of(HouseMode)
NUMBERS = many(NUMBER)

# --- people and relays

OVERRIDE = record(Override, temp_c=NUMBER, until_s=NUMBER, owner=TEXT, reason=TEXT)
BY_HAND = record(ByHand, on=FLAG, until_s=NUMBER, sure=FLAG)
RELAY = record(
    RelayMemory,
    on=FLAG,
    since_s=NUMBER,
    starts_s=NUMBERS,
    rest_until_s=NUMBER,
    shed_until_s=NUMBER,
    shed_reason=TEXT,
    dwell_breaks=COUNT,
    by_hand=optional(BY_HAND),
    day=COUNT,
    starts_today=COUNT,
)
USER_BATTERY = record(
    UserBattery,
    mode=MODE,
    until_s=NUMBER,
    rate_kw=optional(NUMBER),
    stop_soc_frac=optional(NUMBER),
    reason=TEXT,
    by_hand=FLAG,
)

# --- the plan in force

SLOT = record(
    PlanSlot,
    start_s=NUMBER,
    duration_s=NUMBER,
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
    battery_rate_kw=optional(NUMBER),
    battery_stop_soc_frac=optional(NUMBER),
    binary=FLAG,
    power_price_per_kwh=optional(NUMBER),
    charge_price_per_kwh=optional(NUMBER),
    loads_kw=table(NUMBER),
)
PATH = record(RoomPath, at_s=NUMBERS, temp_c=NUMBERS, heat_price_per_kwh=NUMBERS)
SOLVER = record(
    SolverRecord,
    status=TEXT,
    solver=TEXT,
    iterations=COUNT,
    cpu_s=NUMBER,
    wall_s=NUMBER,
    residual=NUMBER,
    objective=NUMBER,
    bound=optional(NUMBER),
)
PLAN = record(
    Plan,
    issued_at_s=NUMBER,
    valid_until_s=NUMBER,
    level=LEVEL,
    slots=many(SLOT),
    totals=table(NUMBER),
    softened=many(record(Softened, limit=TEXT, by=NUMBER)),
    paths=table(PATH),
    solver=SOLVER,
    currency=TEXT,
    path_until_s=NUMBER,
    known_until_s=NUMBER,
)
ADOPTED = record(PlanAdopted, plan=PLAN, at_s=NUMBER)

# --- what was learned

QUARTER = record(QuarterMean, quarter=COUNT, total=NUMBER, samples=COUNT)
PROFILE = record(
    LoadProfile,
    timezone=TEXT,
    day_kw=many(NUMBER, 2 * QUARTERS_PER_DAY),
    day_seen=many(NUMBER, 2 * QUARTERS_PER_DAY),
    week_kw=many(NUMBER, QUARTERS_PER_WEEK),
    week_seen=many(NUMBER, QUARTERS_PER_WEEK),
    error_kw=many(NUMBER, 24),
    below_kw=many(NUMBER, 24),
    above_kw=many(NUMBER, 24),
    learned=COUNT,
)
TODAY = record(Today, error_kw=NUMBER, quarter=COUNT)
BASE_LOAD = record(BaseLoad, profile=PROFILE, today=TODAY, filling=QUARTER)
PV_SCALE = record(
    PvScale,
    measured=NUMBER,
    expected=NUMBER,
    today_measured=NUMBER,
    today_expected=NUMBER,
    heard_s=NUMBER,
    low_frac=NUMBER,
    high_frac=NUMBER,
)
PV_PHYSICS = record(PvPhysics, issued_at_s=NUMBER, first=COUNT, values_kw=NUMBERS)
PV_CLIMATE = many(optional(NUMBER), QUARTERS_PER_DAY)
KNOWN_PRICES = numbered(NUMBER)
GRID = record(TimeGrid, edges_s=NUMBERS)
WEATHER = record(
    WeatherForecast,
    issued_at_s=NUMBER,
    grid=GRID,
    outdoor_c=NUMBERS,
    ghi_w_m2=NUMBERS,
    dni_w_m2=NUMBERS,
    dhi_w_m2=NUMBERS,
    source=TEXT,
)
BIAS = record(LiveBias, bias_k=NUMBER, heard_s=NUMBER)
