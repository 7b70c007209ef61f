"""The one object that writes to devices. In advisory mode its door is closed: nothing gets out.

Only the supervision gate calls `apply`, under its lock, so that epoch, lease and door are judged
in the same moment as the command is queued. Every command is recorded, written or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pems_actors.domain.commands import DeviceCommand, device_of
from pems_actors.domain.ports import House
from pems_actors.durable.order_journal import OrderJournal

Witness = Callable[[DeviceCommand, bool], None]


@dataclass
class DeviceWriter:
    """Commands pass to the house for armed devices only; `witness` hears of every one.

    `armed` holds device names (`relay/obyvak`, `battery`, `inverter`); None arms them all.
    `journal` notes each order before it goes out.
    """

    house: House
    witness: Witness
    armed: frozenset[str] | None = None
    written: int = 0
    withheld: int = 0
    journal: OrderJournal = field(default_factory=OrderJournal)

    def apply(self, command: DeviceCommand) -> None:
        """Write a command if its device is armed, and tell the witness either way."""
        if self.is_armed(device_of(command)):
            self.journal.note(command)
            self.house.apply(command)
            self.written += 1
            self.witness(command, True)
        else:
            self.withheld += 1
            self.witness(command, False)

    def is_armed(self, device: str) -> bool:
        """Tell if a device may be written to."""
        return self.armed is None or device in self.armed

    def arm(self, devices: Iterable[str]) -> None:
        """Open the door for some devices."""
        if self.armed is not None:
            self.armed |= frozenset(devices)

    def give_back(
        self,
        last_orders: Iterable[DeviceCommand],
        devices: frozenset[str],
        every: frozenset[str],
        now_s: float,
    ) -> None:
        """Write the last orders to some devices out of `every` one, then close their door."""
        for command in last_orders:
            self.apply(command)
        for device in devices:
            self.journal.release(device, now_s)
        self.armed = (every if self.armed is None else self.armed) - devices
