"""Battery, inverter, roofs, tariff, grid connection, safety limits and the car, as data.

The battery and the car keep the names and bounds of the original system where it had them. Money
is in the tariff's currency. Shares are 0..1, hours are local.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.base import Good, Key, Part, PowerKw, PricePerKwh, Share, Span, Text
from config.rooms import Native


class Battery(Part):
    """The battery. `capacity_kwh` 0 means that there is none.

    `max_charge_kw` and `max_discharge_kw` are only needed where they differ from `max_power_kw`.
    """

    capacity_kwh: Annotated[float, Field(ge=0, le=500), Good("kWh, usually 5 to 20; 0 is none")] = (
        10.0
    )
    max_power_kw: PowerKw = 5.0
    max_charge_kw: PowerKw | None = None
    max_discharge_kw: PowerKw | None = None
    round_trip_frac: Annotated[
        float, Field(ge=0.5, le=1), Good("a share from 0.5 to 1, usually 0.85")
    ] = 0.85
    min_soc_frac: Share = 0.10
    max_soc_frac: Share = 0.90
    reserve_soc_frac: Share = 0.10
    wear_per_kwh: Annotated[
        float, Field(ge=0, le=100), Good("the battery's price over all kWh it will ever give")
    ] = 1.0

    @property
    def installed(self) -> bool:
        """Whether there is a battery."""
        return self.capacity_kwh > 0


class Inverter(Part):
    """The hybrid inverter; its AC side is shared by PV and discharge.

    One of `modes` is spared by the limits on changes, writes and minutes; one of `power` takes
    another power at any time, and they do not count for it.
    """

    capability: Literal["modes", "power"] = "modes"
    native: Native = "keep"
    ac_limit_kw: PowerKw = 10.0
    efficiency_frac: Annotated[float, Field(ge=0.5, le=1), Good("0.5 to 1, usually 0.95")] = 0.95
    max_mode_changes_per_day: Annotated[int, Field(ge=0, le=96), Good("0 to 96, usually 8")] = 8
    max_writes_per_day: Annotated[int, Field(ge=0, le=1000), Good("0 to 1000, usually 40")] = 40
    min_mode_minutes: Annotated[float, Field(ge=0, le=240), Good("0 to 240, usually 30")] = 30.0


class Roof(Part):
    """One PV roof. Azimuth in compass degrees: 90 is east, 180 south, 270 west."""

    power_kwp: Annotated[float, Field(gt=0, le=200), Good("kWp, usually 2 to 10")]
    tilt_deg: Annotated[float, Field(ge=0, le=90), Good("0 (flat) to 90 (wall), usually 35")]
    azimuth_deg: Annotated[
        float, Field(ge=0, lt=360), Good("compass degrees from 0 to 359, 180 is south")
    ]
    losses_frac: Share = 0.10


class Pv(Part):
    """All PV roofs by name; none is fine."""

    roofs: dict[Key, Roof] = Field(default_factory=dict)

    @property
    def power_kwp(self) -> float:
        """Sum of the roofs."""
        return sum(roof.power_kwp for roof in self.roofs.values())


class Band(Part):
    """One tariff band: its distribution price on import and the local hours it holds."""

    distribution_per_kwh: PricePerKwh
    hours: Annotated[
        tuple[Span, ...], Good("a list of hours from and until, like [[10, 11], [12, 13]]")
    ]


class Tariff(Part):
    """What energy costs: import = spot + distribution + tax, export = spot - fee.

    `heating_blocked_in` names bands in which heating is forbidden (ripple control), `blocks` adds
    local hours whatever the band. `export_threshold_per_kwh` is the price from which the plain
    rules allow export.
    """

    name: Text = "unnamed"
    currency: Annotated[
        str, Field(pattern="^[A-Z]{3}$"), Good("three capital letters, like CZK")
    ] = "CZK"
    eur_rate: Annotated[
        float, Field(gt=0, le=100000), Good("units of the currency per EUR, like 25.0")
    ] = 25.0
    bands: Annotated[
        dict[Key, Band], Field(min_length=1), Good("at least one band, like VT and NT")
    ]
    tax_per_kwh: PricePerKwh = 0.0
    export_fee_per_kwh: PricePerKwh = 0.35
    export_threshold_per_kwh: PricePerKwh = 1.0
    settlement: Literal["quarter_hour", "hour", "profile"] = "quarter_hour"
    netting: Literal["sum", "per_phase"] = "sum"
    heating_blocked_in: Annotated[
        tuple[Key, ...], Good('a list of band names, like ["VT"], or []')
    ] = ()
    blocks: Annotated[
        tuple[Span, ...], Good("a list of hours from and until, like [[10, 11]], or []")
    ] = ()

    def band_at(self, hour: float) -> str:
        """Name the band of a local hour.

        Raises: KeyError if no band covers it (a loaded configuration covers the whole day).
        """
        for name, band in self.bands.items():
            if any(start <= hour < end for start, end in band.hours):
                return name
        raise KeyError(f"no tariff band covers hour {hour:g}")


class Grid(Part):
    """The grid connection: the main breaker per phase and what the contract allows."""

    breaker_a: Annotated[float, Field(gt=0, le=400), Good("ampere per phase, usually 25")] = 25.0
    phases: Annotated[Literal[1, 3], Good("1 or 3")] = 3
    voltage_v: Annotated[float, Field(ge=90, le=260), Good("volt, usually 230")] = 230.0
    import_kw: Annotated[float, Field(gt=0, le=200), Good("a power above 0 kW, usually 20")] = 20.0
    export_kw: PowerKw = 10.0

    @property
    def phase_kw(self) -> float:
        """Power one phase carries under the main breaker."""
        return self.breaker_a * self.voltage_v / 1000


LimitC = Annotated[float, Field(ge=-10, le=60), Good("a temperature from -10 to 60 °C")]


class Limits(Part):
    """Hard limits of heat, for the whole house; plans and wishes move inside them."""

    heating_kw: Annotated[float, Field(gt=0, le=200), Good("a power above 0 kW, like 18.12")] = (
        18.12
    )
    start_gap_s: Annotated[float, Field(ge=0, le=600), Good("0 to 600 s, usually 10")] = 10.0
    frost_c: LimitC = 7.0
    frost_predicted_c: LimitC = 8.0
    building_floor_c: LimitC = 12.0
    alarm_c: LimitC = 15.0
    ceiling_c: LimitC = 27.0
    floor_surface_c: LimitC = 29.0
    bath_surface_c: LimitC = 33.0
    base_load_p95_kw: PowerKw = 2.0


class Ev(Part):
    """The electric car and its charger; `enabled` says whether there is one."""

    enabled: bool = True
    max_power_kw: PowerKw = 11.0
    battery_capacity_kwh: Annotated[float, Field(gt=0, le=300), Good("kWh, usually 40 to 80")] = (
        60.0
    )
    default_target_soc: Share = 0.8
    departure_time: Annotated[
        str,
        Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
        Good("a local time as HH:MM, like 07:00"),
    ] = "07:00"
