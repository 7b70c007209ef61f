"""`arm` and `disarm`: which devices may be written to, and what becomes of them at either.

A device is given back before its door is closed, and taken over anew, as at a start, once the door
is open: nothing that was decided meanwhile has ever been real.
"""

from __future__ import annotations

from collections.abc import Callable

from pems_actors.actors.base import BATTERY, INVERTER, HouseActor, load_address, room_address
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.control.hand_back import last_orders
from pems_actors.domain.events import Armed
from pems_actors.domain.house import House

SaveArmed = Callable[[frozenset[str] | None], None]


class Arming:
    """Opens and closes the doors of devices for `actor`; `save` outlives the process."""

    def __init__(
        self, actor: HouseActor, house: House, writer: DeviceWriter, save: SaveArmed
    ) -> None:
        self.actor, self.house, self.writer, self.save = actor, house, writer, save
        relays = {f"relay/{relay.name}": room_address(relay.name) for relay in house.relays}
        loads = {f"load/{load.name}": load_address(load.name) for load in house.loads}
        self.addresses = {**relays, **loads, "battery": BATTERY, "inverter": INVERTER}

    def obey(self, verb: str, asked: str) -> tuple[str, str]:
        """Arm or disarm a device, or `all`; returns the outcome and what to say."""
        every = frozenset(self.addresses)
        chosen = every if asked == "all" else frozenset({_device_name(asked)}) & every
        if not chosen:
            return "rejected", f"there is no device {asked!r}; give all, or one like rooms/obyvak"
        if verb == "arm":
            self._open(chosen)
        elif not self._close(chosen, every):
            return (
                "failed",
                "nothing was closed, for the post of people is starting anew; try again",
            )
        told = f"{verb}ed {len(chosen)} device{'s' if len(chosen) > 1 else ''}"
        try:
            self.save(self.writer.armed)
        except OSError as error:
            told += f" until the next start, because it cannot be saved: {error}"
        return "done", told

    def _open(self, chosen: frozenset[str]) -> None:
        shut = [device for device in sorted(chosen) if not self.writer.is_armed(device)]
        self.writer.arm(chosen)
        for device in shut:
            self.actor.tell(self.addresses[device], Armed(self.actor.now_s()))

    def _close(self, chosen: frozenset[str], every: frozenset[str]) -> bool:
        """Give devices back and close their doors; False if the gate did not let that pass."""
        now_s = self.actor.now_s()
        armed = frozenset(filter(self.writer.is_armed, chosen))
        ordered = [device for device in armed if self.writer.journal.last(device) is not None]
        orders = last_orders(self.house, ordered, now_s)
        return self.actor.effect(lambda: self.writer.give_back(orders, armed, every, now_s))


def _device_name(path: str) -> str:
    """Turn an address (`rooms/obyvak`, `devices/battery`) into a device's name."""
    kind, _, name = path.partition("/")
    names = {"rooms": f"relay/{name}", "loads": f"load/{name}", "devices": name}
    return names.get(kind, path)
