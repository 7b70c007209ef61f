"""Houses for tests: the reference house of 17 rooms on 16 relays, and one of two rooms."""

from __future__ import annotations

from dataclasses import replace

from pems_actors.domain.house import (
    BatteryModel,
    Comfort,
    Emitter,
    House,
    HouseModel,
    Native,
    Relay,
    Roof,
    Room,
    Site,
)
from pems_actors.physics.priors import link_kw_k, room_model

SITE = Site(latitude_deg=49.49, longitude_deg=17.43)
ROOFS = (Roof("terasa", 7.0, 35.0, 226.0), Roof("ulice", 6.5, 35.0, 136.0))

# room: zone, volume [m³], effective and nameplate power [kW], windows, outer wall, day, night [°C]
_ROOMS = {
    "obyvak": ("living", 102.64, 4.57 * 0.625, 4.80, True, True, 22.5, 20.0),
    "kuchyne": ("living", 62.01, 4.57 * 0.375, 0.0, True, True, 22.0, 19.5),
    "hosti": ("living", 75.68, 1.93, 2.02, True, True, 19.0, 18.0),
    "chodba_dole": ("circulation", 50.06, 1.72, 1.80, False, True, 21.5, 18.5),
    "chodba_nahore": ("circulation", 53.56, 1.14, 1.20, False, True, 20.0, 18.5),
    "loznice": ("sleeping", 34.84, 1.14, 1.20, True, True, 20.5, 19.0),
    "pokoj_1": ("sleeping", 36.58, 1.14, 1.20, True, True, 21.0, 19.0),
    "pokoj_2": ("sleeping", 36.58, 1.14, 1.20, True, True, 21.0, 19.0),
    "pracovna": ("working", 29.10, 0.78, 0.82, True, True, 22.0, 19.0),
    "satna_dole": ("storage", 23.80, 0.78, 0.82, False, False, 21.0, 19.0),
    "zadveri": ("circulation", 23.33, 0.78, 0.82, True, True, 21.0, 19.0),
    "technicka_mistnost": ("utility", 27.35, 0.78, 0.82, False, True, 21.0, 19.0),
    "koupelna_nahore": ("wet", 21.87, 0.59, 0.62, False, True, 22.0, 20.0),
    "satna_nahore": ("storage", 31.57, 0.53, 0.56, False, False, 21.0, 19.0),
    "koupelna_dole": ("wet", 15.87, 0.45, 0.47, True, True, 22.0, 20.0),
    "spajz": ("storage", 15.23, 0.44, 0.46, False, False, 21.0, 19.0),
    "zachod": ("wet", 7.63, 0.21, 0.22, False, False, 21.0, 19.0),
}
_UP = ("loznice", "pokoj_1", "pokoj_2", "pracovna", "koupelna_nahore", "satna_nahore")
_PHASES = {
    "obyvak": 0,
    "hosti": 1,
    "chodba_dole": 1,
    "pokoj_1": 1,
    "satna_dole": 1,
    "chodba_nahore": 2,
    "loznice": 2,
    "pokoj_2": 2,
    "pracovna": 2,
    "zadveri": 2,
    "technicka_mistnost": 1,
    "satna_nahore": 0,
    "koupelna_nahore": 0,
    "koupelna_dole": 2,
    "spajz": 0,
    "zachod": 2,
}


def reference_house(emitter: Emitter = Emitter.FLOOR, native: Native = Native.THERMOSTAT) -> House:
    """Build the 17 rooms and 16 relays of 18.12 kW, on floors unless told otherwise."""
    models = tuple(
        room_model(name, emitter, power, volume, has_windows=windows, outer_wall=wall)
        for name, (_, volume, power, _, windows, wall, _, _) in _ROOMS.items()
    )
    return House(
        name="house17",
        site=SITE,
        rooms=tuple(_room(name) for name in _ROOMS),
        relays=tuple(_relay(name, native) for name in _ROOMS if name != "kuchyne"),
        model=HouseModel(models, _links()),
        roofs=ROOFS,
    )


def small_house(emitter: Emitter = Emitter.FLOOR, native: Native = Native.THERMOSTAT) -> House:
    """Build two rooms, each with its own relay of 1.2 kW, and a battery of 4 kWh."""
    names = ("bath", "office")
    models = tuple(room_model(name, emitter, 1.2, 40.0) for name in names)
    return House(
        name="two rooms",
        site=SITE,
        rooms=tuple(
            Room(name=name, relay=name, comfort=Comfort(), bath=name == "bath") for name in names
        ),
        relays=tuple(
            Relay(name=name, power_kw=1.2, nameplate_kw=1.25, members=((name, 1.0),), native=native)
            for name in names
        ),
        model=HouseModel(models, (("bath", "office", link_kw_k("wall", 40.0, 40.0)),)),
        battery=BatteryModel(capacity_kwh=4.0, max_charge_kw=2.0, max_discharge_kw=2.0),
        roofs=(replace(ROOFS[0], power_kwp=4.0),),
    )


def _room(name: str) -> Room:
    zone, *_, day_c, night_c = _ROOMS[name]
    return Room(
        name=name,
        relay="obyvak" if name == "kuchyne" else name,
        comfort=Comfort(day_c=day_c, night_c=night_c),
        zone=str(zone),
        bath=name.startswith("koupelna"),
    )


def _relay(name: str, native: Native) -> Relay:
    shared = name == "obyvak"
    phase = _PHASES[name]
    return Relay(
        name=name,
        power_kw=4.57 if shared else _ROOMS[name][2],
        nameplate_kw=_ROOMS[name][3],
        members=(("obyvak", 0.625), ("kuchyne", 0.375)) if shared else ((name, 1.0),),
        phases=tuple(float(k == phase) for k in range(3)),  # type: ignore[arg-type]  # always three
        native=native,
    )


def _links() -> tuple[tuple[str, str, float], ...]:
    def link(one: str, other: str, between: str) -> tuple[str, str, float]:
        return one, other, link_kw_k(between, _ROOMS[one][1], _ROOMS[other][1])

    hubs = {name: "chodba_nahore" if name in _UP else "chodba_dole" for name in _ROOMS}
    doors = [link(hub, name, "door") for name, hub in hubs.items() if not name.startswith("chodba")]
    return (
        *doors,
        link("obyvak", "kuchyne", "open"),
        link("chodba_dole", "chodba_nahore", "open"),
        link("obyvak", "loznice", "floor"),
        link("hosti", "pokoj_1", "floor"),
        link("kuchyne", "pokoj_2", "floor"),
    )
