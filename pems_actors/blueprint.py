"""From the configuration's words to the house's own: `SystemConfig` in, `House` and `Tariff` out.

The only place that knows both. What the configuration leaves open about a room's heat is guessed
from its size and power (physics/priors.py). `model_data` writes a model for a configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from config.house_model import RoomBody
from config.loads import Load as LoadConfig
from config.rooms import Relay as RelayConfig
from config.rooms import Room as RoomConfig
from config.system import SystemConfig
from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind
from pems_actors.domain.house import (
    BatteryModel,
    Comfort,
    Emitter,
    House,
    HouseModel,
    InverterModel,
    Limits,
    Native,
    Relay,
    Roof,
    Room,
    RoomModel,
    Site,
)
from pems_actors.economics.tariff import Band, Netting, Settlement, Tariff
from pems_actors.physics.priors import link_kw_k, room_model

_EACH_MINUTE = 1440  # a day: no limit for who decides once a minute
PHASES = {
    "L1": (1.0, 0.0, 0.0),
    "L2": (0.0, 1.0, 0.0),
    "L3": (0.0, 0.0, 1.0),
    "L123": (1 / 3, 1 / 3, 1 / 3),
}


def house_from(config: SystemConfig, *, nameplate: bool = False) -> House:
    """Build the house from a checked configuration.

    Args:
        config: what `config.load()` gave.
        nameplate: take the printed powers of the relays instead of the effective ones.
    """
    relays = tuple(_relay(name, part, nameplate) for name, part in config.relays.items())
    shares = {room: share * r.power_kw for r in relays for room, share in r.members}
    return House(
        name=config.system.name,
        site=_site(config),
        rooms=tuple(_room(name, part) for name, part in config.rooms.items()),
        relays=relays,
        model=_house_model(config, shares),
        battery=_battery(config),
        inverter=_inverter(config),
        roofs=tuple(
            Roof(n, r.power_kwp, r.tilt_deg, r.azimuth_deg, r.losses_frac)
            for n, r in config.pv.roofs.items()
        ),
        limits=_limits(config),
        loads=tuple(_load(name, part) for name, part in config.loads.items()),
    )


def tariff_from(config: SystemConfig) -> Tariff:
    """Build the tariff from a checked configuration."""
    tariff = config.tariff
    return Tariff(
        name=tariff.name,
        currency=tariff.currency,
        eur_rate=tariff.eur_rate,
        bands=tuple(Band(n, b.distribution_per_kwh, b.hours) for n, b in tariff.bands.items()),
        tax_per_kwh=tariff.tax_per_kwh,
        export_fee_per_kwh=tariff.export_fee_per_kwh,
        blocked_in=frozenset(tariff.heating_blocked_in),
        blocks=tariff.blocks,
        settlement=Settlement(tariff.settlement),
        netting=Netting(tariff.netting),
        timezone=config.system.site.timezone,
    )


def _site(config: SystemConfig) -> Site:
    site = config.system.site
    return Site(site.latitude_deg, site.longitude_deg, site.altitude_m, site.timezone)


def _room(name: str, part: RoomConfig) -> Room:
    comfort = part.comfort
    if comfort.day_c is None or comfort.night_c is None or comfort.band_k is None:
        raise ValueError(f"room {name!r} has no comfort yet; build houses from config.load()")
    wish = Comfort(
        comfort.day_c, comfort.night_c, comfort.day_from_h, comfort.day_until_h, comfort.band_k
    )
    return Room(
        name=name,
        relay=part.relay,
        comfort=wish,
        zone=part.zone,
        bath=part.bath,
        sensor_offset_k=part.sensor.offset_k,
        sensor_resolution_k=part.sensor.resolution_k,
    )


def _relay(name: str, part: RelayConfig, nameplate: bool) -> Relay:
    printed_kw = part.power.nameplate_kw or part.power.effective_kw
    return Relay(
        name=name,
        power_kw=printed_kw if nameplate else part.power.effective_kw,
        nameplate_kw=printed_kw,
        members=tuple((part.members or {name: 1.0}).items()),
        phases=PHASES[part.phase],
        min_on_s=part.min_on_minutes * 60.0,
        min_off_s=part.min_off_minutes * 60.0,
        max_starts_per_h=part.max_starts_per_hour,
        start_cost=part.start_cost,
        native=Native(part.native),
    )


def _load(name: str, part: LoadConfig) -> FlexibleLoad:
    return FlexibleLoad(
        name=name,
        kind=LoadKind(part.kind),
        power_kw=part.power_kw,
        phases=PHASES[part.phase],
        tariff_blocked=part.tariff_blocked,
        by_h=part.by_h,
        every_day_kwh=part.every_day_kwh,
        missed_per_kwh=part.missed_per_kwh,
        volume_l=part.volume_l,
        hot_c=part.hot_c,
    )


def _house_model(config: SystemConfig, shares: Mapping[str, float]) -> HouseModel:
    """Take the identified model where there is one, and guess the rest."""
    bodies = config.house_model.rooms
    rooms = (
        _identified(name, bodies[name])
        if name in bodies
        else _model(name, part, shares.get(name, 0.0))
        for name, part in config.rooms.items()
    )
    guessed = (
        _link(config, a, b, between)
        for a, b, between in config.links
        if not (a in bodies and b in bodies)
    )
    return HouseModel(tuple(rooms), (*config.house_model.links, *guessed))


def _identified(name: str, body: RoomBody) -> RoomModel:
    return RoomModel(name=name, **{**body.model_dump(), "emitter": Emitter(body.emitter)})


def _model(name: str, part: RoomConfig, power_kw: float) -> RoomModel:
    known = part.thermal
    return room_model(
        name,
        Emitter(part.emitter),
        power_kw,
        part.volume_m3,
        has_windows=part.windows,
        outer_wall=part.outer_wall,
        ua_kw_k=known.ua_kw_k,
        capacity_kwh_k=known.capacity_kwh_k,
        solar_m2=known.solar_m2 or None,
        internal_kw=known.internal_kw or None,
    )


def _link(config: SystemConfig, a: str, b: str, between: str) -> tuple[str, str, float]:
    return a, b, link_kw_k(between, config.rooms[a].volume_m3, config.rooms[b].volume_m3)


def _battery(config: SystemConfig) -> BatteryModel:
    battery = config.battery
    return BatteryModel(
        capacity_kwh=battery.capacity_kwh,
        max_charge_kw=_first(battery.max_charge_kw, battery.max_power_kw),
        max_discharge_kw=_first(battery.max_discharge_kw, battery.max_power_kw),
        round_trip_frac=battery.round_trip_frac,
        min_soc_frac=battery.min_soc_frac,
        max_soc_frac=battery.max_soc_frac,
        reserve_soc_frac=battery.reserve_soc_frac,
        wear_per_kwh=battery.wear_per_kwh,
    )


def _inverter(config: SystemConfig) -> InverterModel:
    inverter = config.inverter
    if inverter.capability == "power":
        return InverterModel(
            ac_limit_kw=inverter.ac_limit_kw,
            efficiency_frac=inverter.efficiency_frac,
            takes_powers=True,
            max_mode_changes_per_day=_EACH_MINUTE,
            max_writes_per_day=_EACH_MINUTE,
            min_mode_s=0.0,
        )
    return InverterModel(
        ac_limit_kw=inverter.ac_limit_kw,
        efficiency_frac=inverter.efficiency_frac,
        max_mode_changes_per_day=inverter.max_mode_changes_per_day,
        max_writes_per_day=inverter.max_writes_per_day,
        min_mode_s=inverter.min_mode_minutes * 60.0,
    )


def _limits(config: SystemConfig) -> Limits:
    grid, limits = config.grid, config.limits
    return Limits(
        breaker_a=grid.breaker_a,
        phases=grid.phases,
        voltage_v=grid.voltage_v,
        import_kw=grid.import_kw,
        export_kw=grid.export_kw,
        heating_kw=limits.heating_kw,
        start_gap_s=limits.start_gap_s,
        frost_c=limits.frost_c,
        frost_predicted_c=limits.frost_predicted_c,
        building_floor_c=limits.building_floor_c,
        alarm_c=limits.alarm_c,
        ceiling_c=limits.ceiling_c,
        floor_surface_c=limits.floor_surface_c,
        bath_surface_c=limits.bath_surface_c,
        base_load_p95_kw=limits.base_load_p95_kw,
    )


def _first(value: float | None, fallback: float) -> float:
    return fallback if value is None else value


def model_data(model: HouseModel) -> dict[str, Any]:
    """Write a thermal model as a configuration's `house_model`, or a file of it, has it."""
    rooms = {room.name: _body_data(room) for room in model.rooms}
    return {"rooms": rooms, "links": [list(link) for link in model.links]}


def _body_data(room: RoomModel) -> dict[str, Any]:
    body = {key: value for key, value in asdict(room).items() if key != "name"}
    return {**body, "emitter": room.emitter.value}
