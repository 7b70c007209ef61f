"""How the system works on the house: intervals, planning, forecasts, comfort table, names outside.

The names of `system`, `models`, `thermal_settings`, `thermal_analysis` and `optimization` are
those of the original system, so its files and variables keep working.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.base import Count, Good, Hours, Key, Part, Text, Weight
from config.rooms import BandK, DayC, NightC


class Site(Part):
    """Where the house stands, and its local time."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90), Good("-90 to 90, like 49.49")]
    longitude_deg: Annotated[float, Field(ge=-180, le=180), Good("-180 to 180, like 17.43")]
    altitude_m: Annotated[float, Field(ge=-430, le=6000), Good("metres, like 250")] = 250.0
    timezone: Annotated[str, Good("a name of the tz database, like Europe/Prague")] = (
        "Europe/Prague"
    )


class System(Part):
    """The house as a whole and the pace of the system."""

    name: Text = "house17"
    language: Literal["en", "cs"] = "en"
    site: Site
    simulation_mode: bool = False
    advisory_mode: bool = True
    optimization_interval_seconds: Annotated[
        int, Field(ge=60, le=86400), Good("60 to 86400 seconds, usually 900")
    ] = 900
    control_interval_seconds: Annotated[
        int, Field(ge=60, le=3600), Good("60 to 3600 seconds, usually 60")
    ] = 60


UpdateSeconds = Annotated[int, Field(ge=300, le=86400), Good("300 to 86400 s, usually 3600")]
ForecastHours = Annotated[int, Field(ge=1, le=168), Good("1 to 168 hours, usually 48")]


class PvForecast(Part):
    """The PV predictor."""

    model_path: Text | None = None
    update_interval_seconds: UpdateSeconds = 3600
    horizon_hours: ForecastHours = 48
    confidence_levels: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1), Good("a level between 0 and 1")], ...],
        Field(min_length=1),
        Good("rising levels between 0 and 1, like [0.1, 0.5, 0.9]"),
    ] = (0.1, 0.5, 0.9)


class LoadForecast(Part):
    """The base load predictor."""

    model_path: Text | None = None
    horizon_hours: ForecastHours = 48


class ThermalModel(Part):
    """The fitted room models."""

    model_path: Text | None = None


class WeatherFeed(Part):
    """The weather forecast."""

    source: Literal["open_meteo", "aladin", "openweathermap", "file"] = "open_meteo"
    update_interval_seconds: UpdateSeconds = 1800


class Models(Part):
    """Forecasts and their horizons."""

    pv: PvForecast = PvForecast()
    load: LoadForecast = LoadForecast()
    thermal: ThermalModel = ThermalModel()
    weather: WeatherFeed = WeatherFeed()


class Setpoint(Part):
    """A pair of set-points; `None` in a room's pair means "as default"."""

    day: DayC | None = None
    night: NightC | None = None


class ThermalSettings(Part):
    """The comfort table by room. `default` holds for rooms that are not named.

    The same figures stand in `rooms.<room>.comfort`; write either, both names read the same.
    """

    comfort_band_celsius: BandK = 0.5
    room_setpoints: dict[Key, Setpoint]


class ThermalAnalysis(Part):
    """How heating and cooling phases are told apart when rooms are identified."""

    min_heating_duration_hours: Hours = 1.5
    min_non_heating_duration_hours: Hours = 2.0
    decay_analysis_hours: Hours = 12.0
    resample_interval: Annotated[
        str, Field(pattern=r"^[1-9]\d*min$"), Good("minutes, like 5min")
    ] = "5min"
    underfloor_heating: bool = True
    thermal_lag_hours: Annotated[float, Field(ge=0, le=24), Good("0 to 24 hours, usually 1")] = 1.0
    min_decay_duration_hours: Hours = 1.0


class Weights(Part):
    """Emphasis on top of the strategy; these defaults leave the strategy as it is."""

    cost: Weight = 1.0
    self_consumption: Weight = 0.3
    peak_shaving: Weight = 0.1
    comfort: Weight = 0.5


class Optimization(Part):
    """The planner."""

    strategy: Literal["economic", "comfort", "environmental", "balanced"] = "balanced"
    weights: Weights = Weights()
    horizon_hours: ForecastHours = 48
    control_hours: ForecastHours = 24
    time_step_minutes: Annotated[int, Field(ge=5, le=120), Good("5 to 120 min, usually 15")] = 15
    solver: Literal["auto", "highs"] = "auto"
    max_solve_time_seconds: Annotated[
        float, Field(gt=0, le=600), Good("above 0, at most 600 s, usually 30")
    ] = 30.0


Topic = Annotated[
    str,
    Field(pattern=r"^[^/+#\s][^+#\s]*[^/+#\s]$|^[^/+#\s]$", max_length=100),
    Good("a topic without wildcards, blanks or slashes at its ends, like energy/solar"),
]


class Topics(Part):
    """MQTT names outside. `udp_bridge` lists what is passed on to the Miniserver."""

    prefix: Topic = "pems"
    loxone: Topic = "loxone"
    solar: Topic = "energy/solar"
    outdoor_temperature: Topic = "teplomer/TC"
    outdoor_humidity: Topic = "teplomer/RH"
    weather: Topic = "weather"
    ev: Topic = "teslamate/cars/1"
    home_assistant: Topic = "homeassistant"
    udp_bridge: Annotated[tuple[Text, ...], Good("a list of topic filters, or []")] = (
        "energy/solar",
        "teplomer/TC",
        "teplomer/RH",
        "teslamate/cars/1/+",
        "pems/heating/+/set",
    )


class Buckets(Part):
    """Bucket names; `historical` is where rooms and relays of old are read from."""

    historical: Text = "loxone"
    loxone: Text = "loxone"
    weather: Text = "weather_forecast"
    solar: Text = "solar"
    prices: Text = "ote_prices"
    predictions: Text = "predictions"
    optimization: Text = "optimization"


class Influx(Part):
    """InfluxDB: where series are, and how many rows go into one write."""

    buckets: Buckets = Buckets()
    batch_rows: Count = 1000
