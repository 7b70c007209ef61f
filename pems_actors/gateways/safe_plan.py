"""`STATE/safe_state.json`: what is to be done with each device once the core is gone. Plain data.

The core writes it before its first write to a device and whenever a device is armed or disarmed;
`pems_actors.safe_state` reads it. A device that may not be written to is not in it, so an empty
plan means: not a byte. It is replaced as a whole, and what cannot be read is no plan at all.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pems_actors.domain.house import House, Native
from pems_actors.gateways.growatt_registers import Write

NAME = "safe_state.json"
VERSION = 1
SHORTEST_LEASE_S = 60.0  # devices count whole minutes
LEASES_END_OVER_S = 300.0  # so that sixteen thermostats do not start in one moment

State = Literal["as found", "off"]


@dataclass(frozen=True, slots=True)
class RelayFallback:
    """How one relay comes to its native behaviour.

    `state` is what is published with a lease of `lease_s`; None publishes nothing: the lease that
    runs is left to its end.
    """

    relay: str
    native: Native
    state: State | None
    lease_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SafePlan:
    """What may be done without the core: relays, and whose registers of the inverter are ours."""

    prefix: str = "pems"
    timezone: str = "UTC"
    relays: tuple[RelayFallback, ...] = ()
    battery: bool = False
    inverter: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing may be written."""
        return not (self.relays or self.battery or self.inverter)

    def allows(self, write: Write) -> bool:
        """Tell if a register may be written: `export` is the inverter's, the rest the battery's."""
        return self.inverter if write.register == "export" else self.battery


def plan_of(house: House, armed: frozenset[str] | None, prefix: str) -> SafePlan:
    """Plan for the armed devices of a house; `armed` None: all of them."""
    relays = [r for r in house.relays if armed is None or f"relay/{r.name}" in armed]
    step_s = LEASES_END_OVER_S / max(1, len(relays))
    return SafePlan(
        prefix,
        house.site.timezone,
        tuple(_fallback(r.name, r.native, k * step_s) for k, r in enumerate(relays)),
        battery=armed is None or "battery" in armed,
        inverter=armed is None or "inverter" in armed,
    )


def held_words(plan: SafePlan, noted: Iterable[Write]) -> str:
    """Say what an inverter holds of our orders and may not be told to let go of; else nothing."""
    held = [write for write in noted if not plan.allows(write)]
    names = ", ".join(write.register for write in held)
    whose = sorted({"inverter" if write.register == "export" else "battery" for write in held})
    arm = " and ".join(f"`pems arm devices/{name}`" for name in whose)
    said = f"it still holds {names} of ours, but is not armed; see to it by hand, or by {arm}"
    return said if held else ""


def _fallback(relay: str, native: Native, later_s: float) -> RelayFallback:
    """Choose what is safe for a relay.

    A thermostat may take over now: the relay is left as it is, with the shortest lease. One that
    goes off by itself heats as long as its lease lasts, and the core may be back by then. One that
    never forgets must not be left on.
    """
    match native:
        case Native.THERMOSTAT:
            return RelayFallback(relay, native, "as found", SHORTEST_LEASE_S + later_s)
        case Native.OFF:
            return RelayFallback(relay, native, None)
        case Native.KEEP:
            return RelayFallback(relay, native, "off", SHORTEST_LEASE_S)


def write(state: Path, plan: SafePlan) -> None:
    """Replace the plan on disk, durably; one that says the same stands. Raises: OSError."""
    if read(state) == plan:
        return  # a full disk does not take from us what is there
    body = {
        "version": VERSION,
        "prefix": plan.prefix,
        "timezone": plan.timezone,
        "relays": [
            {"relay": r.relay, "native": r.native.value, "state": r.state, "lease_s": r.lease_s}
            for r in plan.relays
        ],
        "battery": plan.battery,
        "inverter": plan.inverter,
    }
    file, fresh = state / NAME, state / f"{NAME}.new"
    with fresh.open("w", encoding="utf-8") as stream:
        json.dump(body, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


def forget(state: Path) -> None:
    """Have no plan, which writes to no relay; works on a full disk."""
    with contextlib.suppress(OSError):
        (state / NAME).unlink(missing_ok=True)


def read(state: Path) -> SafePlan | None:
    """Read the plan; None if there is none that can be trusted."""
    try:
        body = json.loads((state / NAME).read_text(encoding="utf-8"))
        if body["version"] != VERSION:
            return None
        return SafePlan(
            str(body["prefix"]),
            str(body["timezone"]),
            tuple(_read_relay(row) for row in body["relays"]),
            battery=body["battery"] is True,
            inverter=body["inverter"] is True,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _read_relay(row: dict[str, Any]) -> RelayFallback:
    state = row["state"]
    if state not in {"as found", "off", None}:
        raise ValueError(f"a relay cannot be left {state!r}")
    return RelayFallback(str(row["relay"]), Native(row["native"]), state, float(row["lease_s"]))
