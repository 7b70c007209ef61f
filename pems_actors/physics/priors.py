"""What to believe of a room before anything was measured: a `RoomModel` from its size and power.

Heat loss follows from the installed power: an installer sizes it for about -15 °C with headroom,
so `UA = 0.75 · P / 36 K`. Masses follow from the floor area. Identification replaces all this.
"""

from __future__ import annotations

from math import sqrt

from pems_actors.domain.house import Emitter, RoomModel

DESIGN_DROP_K = 36.0  # 21 °C inside, -15 °C outside
POWER_IN_USE_FRAC = 0.75  # at design weather, so that a quarter of the power is headroom
POWER_PER_UA_K = DESIGN_DROP_K / POWER_IN_USE_FRAC
ROOM_HEIGHT_M = 2.6
UA_KW_K_PER_M3 = 0.0006  # rooms without own power: the reference house's mean

# Per square metre of floor [kWh/K] and [kW/K].
SCREED_KWH_K_M2 = 0.0333  # 6 cm of screed: 0.06 m · 2000 kg/m³ · 1 kJ/kgK
AIR_KWH_K_M2 = 0.017  # air, furniture and what the air warms of the surfaces
STRUCTURE_KWH_K_M2 = 0.100  # brick and concrete: the very heavy class of ISO 13790
SCREED_AIR_KW_K_M2 = 0.0085  # half the screed, a covering and the film of EN 1264 in series
AIR_STRUCTURE_KW_K_M2 = 0.0120
INTERNAL_KW_M2 = 0.002
SOLAR_M2_M2 = 0.04  # effective window area that follows horizontal irradiance

# Per kW of an electric panel: a body of a few kilograms that runs 60 K over the room.
PANEL_KWH_K_KW = 0.0015
PANEL_AIR_KW_K_KW = 1.0 / 60.0

# Between neighbours.
WALL_KW_K_M2 = 0.0015
CEILING_KW_K_M2 = 0.0010
DOOR_KW_K = 0.010
OPENING_KW_K = 0.060

# Share of UA that bypasses the structure (windows, ventilation).
_DIRECT_WINDOWS, _DIRECT_WALL, _DIRECT_INNER = 0.5, 0.3, 0.2


def room_model(
    name: str,
    emitter: Emitter,
    power_kw: float,
    volume_m3: float,
    *,
    has_windows: bool = True,
    outer_wall: bool = True,
    ua_kw_k: float | None = None,
    capacity_kwh_k: float | None = None,
    solar_m2: float | None = None,
    internal_kw: float | None = None,
) -> RoomModel:
    """Estimate a room's thermal parameters.

    Args:
        name: the room's key.    emitter: floor or panel.
        power_kw: its share of its relay's power [kW]; 0 if nothing heats it.
        volume_m3: air volume.    has_windows, outer_wall: its envelope.
        ua_kw_k, capacity_kwh_k, solar_m2, internal_kw: what is known better than by rule; the
            capacity is that of the whole room, and its surplus over air and screed is structure.
    Returns: parameters whose steady loss is `ua_kw_k`, or else that of `heat_loss_kw_k`.
    Raises: ValueError for a volume that is not positive or a negative power.
    """
    if volume_m3 <= 0.0 or power_kw < 0.0:
        raise ValueError(
            f"room {name!r}: volume is {volume_m3} m³ and power {power_kw} kW; "
            f"give a volume above 0 m³, usually 8 to 100, and a power of 0 kW or more"
        )
    area_m2 = volume_m3 / ROOM_HEIGHT_M
    loss_kw_k = heat_loss_kw_k(power_kw, volume_m3) if ua_kw_k is None else ua_kw_k
    direct = _DIRECT_WINDOWS if has_windows else _DIRECT_WALL if outer_wall else _DIRECT_INNER
    g_inside = AIR_STRUCTURE_KW_K_M2 * area_m2
    c_body, g_body = _emitter(emitter, power_kw or POWER_PER_UA_K * loss_kw_k, area_m2)
    c_air = AIR_KWH_K_M2 * area_m2
    return RoomModel(
        name=name,
        emitter=emitter,
        c_screed_kwh_k=c_body,
        c_air_kwh_k=c_air,
        c_structure_kwh_k=_structure(area_m2, c_body + c_air, capacity_kwh_k),
        g_screed_air_kw_k=g_body,
        g_air_structure_kw_k=g_inside,
        g_air_outdoor_kw_k=direct * loss_kw_k,
        g_structure_outdoor_kw_k=_beyond((1.0 - direct) * loss_kw_k, g_inside),
        solar_m2=_solar_m2(area_m2, has_windows=has_windows) if solar_m2 is None else solar_m2,
        internal_kw=INTERNAL_KW_M2 * area_m2 if internal_kw is None else internal_kw,
    )


def heat_loss_kw_k(power_kw: float, volume_m3: float) -> float:
    """Estimate a room's total loss to outdoors [kW/K], from its power or else its volume."""
    if power_kw > 0.0:
        return power_kw / POWER_PER_UA_K
    return UA_KW_K_PER_M3 * volume_m3


def _emitter(emitter: Emitter, power_kw: float, area_m2: float) -> tuple[float, float]:
    if emitter is Emitter.FLOOR:
        return SCREED_KWH_K_M2 * area_m2, SCREED_AIR_KW_K_M2 * area_m2
    return PANEL_KWH_K_KW * power_kw, PANEL_AIR_KW_K_KW * power_kw


def _structure(area_m2: float, other_kwh_k: float, all_kwh_k: float | None) -> float:
    usual = STRUCTURE_KWH_K_M2 * area_m2
    return usual if all_kwh_k is None else max(all_kwh_k - other_kwh_k, 0.1 * usual)


def _solar_m2(area_m2: float, *, has_windows: bool) -> float:
    return SOLAR_M2_M2 * area_m2 if has_windows else 0.0


def _beyond(total_kw_k: float, inner_kw_k: float) -> float:
    """Find the conductance that gives `total` in series with `inner`, both positive."""
    return total_kw_k * inner_kw_k / max(inner_kw_k - total_kw_k, 0.05 * inner_kw_k)


def link_kw_k(between: str, volume_m3: float, other_volume_m3: float) -> float:
    """Estimate the conductance between two neighbouring rooms [kW/K].

    Without a floor plan the shared wall is one side of the smaller, square room, and the shared
    ceiling all of it.

    Args:
        between: `wall`, `door` (a wall with a door that is open at times), `open` or `floor`.
        volume_m3, other_volume_m3: air volumes of both rooms.
    Raises: ValueError for another word.
    """
    area_m2 = min(volume_m3, other_volume_m3) / ROOM_HEIGHT_M
    wall = WALL_KW_K_M2 * ROOM_HEIGHT_M * sqrt(area_m2)
    kinds = {
        "wall": wall,
        "door": wall + DOOR_KW_K,
        "open": wall + OPENING_KW_K,
        "floor": CEILING_KW_K_M2 * area_m2,
    }
    if between not in kinds:
        raise ValueError(f"between rooms is {between!r}; give one of {', '.join(kinds)}")
    return kinds[between]
