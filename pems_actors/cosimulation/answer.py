"""What the plant is told at the end of a step: every relay, the battery, export, who decided, why.

Pure: from the orders in force to plain data, as it goes out as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pems_actors.cosimulation.plant import PlantPort, ordered
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.physics.battery_modes import battery_power

NATIVE_WHY = "no order in force: the device's own control"


class Said(NamedTuple):
    """Who decides about something just now, and why it is as it is."""

    level: Level
    reason: str


UNTOLD = dict.fromkeys(("battery", "export"), Said(Level.NATIVE, NATIVE_WHY))


def answer(
    house: House,
    port: PlantPort,
    said: Mapping[str, Said],
    notes: Mapping[str, str],
    at_s: float,
    step_s: float,
) -> dict[str, Any]:
    """Tell the plant what to do until its next step.

    Args:
        house: which relays there are.    port: what was seen and ordered.
        said: what each room, `battery` and `export` say of themselves.
        notes: what degraded forecasts and planner have to say, by name, and what is wrong with
            the plant's sensors and relays, by path.
        at_s: the instant from which it holds.    step_s: how long it is likely to hold.
    Returns: `relays` (every one), `battery_mode`, `battery_kw` (positive feeds the house; None if
        sun, load or charge are unknown), `export_allowed`, `levels` and `reasons` by room,
        `battery` and `export`; notes stand in `reasons` under their names.
    """
    held = {relay.name: ordered(port.orders.heating, relay.name, at_s) for relay in house.relays}
    relays = {name: _is_on(port, name, order) for name, order in held.items()}
    alone = {name: Said(Level.NATIVE, NATIVE_WHY) for name, order in held.items() if order is None}
    told = {**UNTOLD, **said, **alone}
    battery, export = port.orders.battery, port.orders.export
    return {
        "seq": port.seen.seq,
        "relays": relays,
        "battery_mode": (BatteryMode.SELF_USE if battery is None else battery.mode).value,
        "battery_kw": _battery_kw(house, port, relays, step_s),
        "export_allowed": True if export is None else export.allowed,
        "levels": {name: int(each.level) for name, each in told.items()},
        "reasons": {**{name: each.reason for name, each in told.items()}, **notes},
    }


def _is_on(port: PlantPort, relay: str, order: SetHeating | None) -> bool:
    return bool(port.contact(relay)) if order is None else order.on


def _battery_kw(
    house: House, port: PlantPort, relays: Mapping[str, bool], step_s: float
) -> float | None:
    """What the mode makes of sun and load, for plants that take powers and know no modes."""
    seen, order = port.seen, port.orders.battery
    if seen.pv_kw is None or seen.base_load_kw is None or seen.soc_frac is None:
        return None
    heating_kw = sum(relay.power_kw for relay in house.relays if relays[relay.name])
    export = port.orders.export
    flow = battery_power(
        BatteryMode.SELF_USE if order is None else order.mode,
        seen.pv_kw,
        seen.base_load_kw + heating_kw,
        seen.soc_frac,
        house.battery,
        house.inverter,
        house.limits,
        step_s,
        None if order is None else order.rate_kw,
        None if order is None else order.stop_soc_frac,
        export_allowed=export is None or export.allowed,
    )
    return round(flow.battery_kw, 4)
