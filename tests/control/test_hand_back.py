"""What is written to no more is left in nothing that it would never forget."""

from __future__ import annotations

from dataclasses import replace

from pems_actors.control.hand_back import last_orders
from pems_actors.domain.commands import SetBatteryMode, SetExport, SetHeating, device_of
from pems_actors.domain.house import BatteryMode, House, Native
from pems_actors.domain.levels import Level
from tests.gateways.houses import NOW_S, two_rooms

ALL = frozenset({"relay/obyvak", "relay/loznice", "battery", "inverter"})


def house_of(native: Native) -> House:
    house = two_rooms()
    return replace(house, relays=tuple(replace(r, native=native) for r in house.relays))


def test_battery_and_export_are_told_to_be_on_their_own():
    told = last_orders(house_of(Native.THERMOSTAT), ALL, NOW_S)
    battery, export = told
    assert isinstance(battery, SetBatteryMode)
    assert isinstance(export, SetExport)
    assert battery.mode is BatteryMode.SELF_USE
    assert export.allowed
    assert {order.level for order in told} == {Level.NATIVE}


def test_a_relay_that_never_forgets_is_switched_off_and_others_are_left_to_their_lease():
    kept = last_orders(house_of(Native.KEEP), ALL, NOW_S)
    relays = [order for order in kept if isinstance(order, SetHeating)]
    assert {device_of(order) for order in relays} == {"relay/obyvak", "relay/loznice"}
    assert not any(order.on for order in relays)
    for native in (Native.THERMOSTAT, Native.OFF):
        told = last_orders(house_of(native), ALL, NOW_S)
        assert not [order for order in told if isinstance(order, SetHeating)]


def test_only_the_given_devices_are_told():
    told = last_orders(house_of(Native.KEEP), {"relay/loznice"}, NOW_S)
    assert [device_of(order) for order in told] == ["relay/loznice"]
    assert last_orders(house_of(Native.KEEP), frozenset(), NOW_S) == ()
