"""What can go wrong with a device of the simulated house. Switched by name, seen in readings.

Devices are named `rooms/<room>` (its sensor and its window), `relay/<name>`, `load/<name>`,
`outdoor`, `inverter` and `meter`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import inf


class FaultKind(StrEnum):
    """How a device misbehaves."""

    SENSOR_STALE = "sensor-stale"  # value and time stand still
    SENSOR_MISSING = "sensor-missing"  # no value
    SENSOR_STUCK = "sensor-stuck"  # the value stands still, its time goes on
    SENSOR_JUMP = "sensor-jump"  # the value is wrong by `amount` kelvins
    WINDOW_OPEN = "window-open"  # the room loses `amount` kW/K more
    RELAY_STUCK_ON = "relay-stuck-on"  # the contact is welded; only the HDO contactor opens it
    RELAY_STUCK_OFF = "relay-stuck-off"
    LOAD_IGNORES = "load-ignores"  # it draws whenever it wants, whoever holds it back
    INVERTER_IGNORES = "inverter-ignores"  # orders get lost
    METER_LOST = "meter-lost"  # no reading


_KINDS = {
    "rooms": {
        FaultKind.SENSOR_STALE,
        FaultKind.SENSOR_MISSING,
        FaultKind.SENSOR_STUCK,
        FaultKind.SENSOR_JUMP,
        FaultKind.WINDOW_OPEN,
    },
    "outdoor": {
        FaultKind.SENSOR_STALE,
        FaultKind.SENSOR_MISSING,
        FaultKind.SENSOR_STUCK,
        FaultKind.SENSOR_JUMP,
    },
    "relay": {FaultKind.RELAY_STUCK_ON, FaultKind.RELAY_STUCK_OFF},
    "load": {FaultKind.LOAD_IGNORES},
    "inverter": {FaultKind.INVERTER_IGNORES},
    "meter": {FaultKind.METER_LOST},
}


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """A fault in force until `until_s`. `held` keeps what a silent sensor said last."""

    kind: FaultKind
    amount: float = 0.0
    until_s: float = inf
    since_s: float = 0.0
    held: float | None = None

    def check(self, device: str) -> None:
        """Refuse a fault that a device cannot have. Raises: ValueError with those it can have."""
        possible = possible_faults(device)
        if self.kind not in possible:
            kinds = ", ".join(sorted(possible))
            raise ValueError(f"{device} cannot have {self.kind.value!r}; it can have {kinds}")

    def to_plain(self) -> dict[str, object]:
        """Give plain data for a snapshot."""
        return {**asdict(self), "kind": self.kind.value}


def fault_from(plain: dict[str, object]) -> DeviceFault:
    """Rebuild a fault from plain data."""
    fields = {**plain, "kind": FaultKind(str(plain["kind"]))}
    return DeviceFault(**fields)  # type: ignore[arg-type]  # written by `to_plain`


def possible_faults(device: str) -> frozenset[FaultKind]:
    """Name what can go wrong with a device; nothing for a device that no house has."""
    return frozenset(_KINDS.get(device.split("/", maxsplit=1)[0], ()))


def check_device(
    device: str, rooms: Collection[str], relays: Collection[str], loads: Collection[str] = ()
) -> None:
    """Refuse a device that the house has not. Raises: ValueError with the names to give."""
    family, _, name = device.partition("/")
    known = {"rooms": rooms, "relay": relays, "load": loads}
    alone = family in {"outdoor", "inverter", "meter"} and not name
    if not alone and name not in known.get(family, ()):
        raise ValueError(
            f"this house has no device {device!r}; "
            f"give rooms/<room>, relay/<relay>, load/<load>, outdoor, inverter or meter"
        )
