"""The last order to a device that is written to no more. Pure.

Most devices come to themselves when our lease ends. What never forgets an order would be left in
it for ever: such a device is told to be on its own before the door is closed.
"""

from __future__ import annotations

from collections.abc import Collection

from pems_actors.domain.commands import DeviceCommand, SetBatteryMode, SetExport, SetHeating
from pems_actors.domain.house import BatteryMode, House, Native
from pems_actors.domain.levels import Level
from pems_actors.domain.units import DAY_S

STANDS_S = DAY_S  # an inverter that is away just now is told when it is back
WHY = "disarmed: on its own from now on"


def last_orders(house: House, devices: Collection[str], now_s: float) -> tuple[DeviceCommand, ...]:
    """Give the orders after which these devices may be left alone.

    Args:
        devices: names such as `relay/obyvak`, `battery`, `inverter`.
    """
    until_s = now_s + STANDS_S
    relays = tuple(
        SetHeating(relay.name, False, WHY, Level.NATIVE, now_s, until_s)
        for relay in house.relays
        if relay.native is Native.KEEP and f"relay/{relay.name}" in devices
    )
    home = SetBatteryMode(BatteryMode.SELF_USE, WHY, Level.NATIVE, now_s, until_s)
    free = SetExport(True, WHY, Level.NATIVE, now_s, until_s)
    return (
        *relays,
        *((home,) if "battery" in devices else ()),
        *((free,) if "inverter" in devices else ()),
    )
