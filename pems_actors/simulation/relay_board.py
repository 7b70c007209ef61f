"""The relays of the simulated house: commanded while leased, their own masters afterwards.

Behind every relay sits the HDO contactor: while the tariff blocks heating, no contact carries
power, whatever was commanded. Counts starts, for wear and for judging a controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from pems_actors.control.comfort import is_day
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.house import House, HouseModel, Native
from pems_actors.physics.house_model import heat_shares_kw

Array = npt.NDArray[np.float64]

_BELOW_K, _ABOVE_K = 0.3, 0.1  # hysteresis of a room's own thermostat


class RelayBoard:
    """All relays, ordered as in the house. Heat goes to rooms ordered as in the model."""

    def __init__(self, house: House, model: HouseModel) -> None:
        relays = house.relays
        comfort = {room.name: room.comfort for room in house.rooms}
        row = {room.name: k for k, room in enumerate(model.rooms)}
        self.names = tuple(relay.name for relay in relays)
        self._index = {name: k for k, name in enumerate(self.names)}
        self._native = [relay.native for relay in relays]
        self._room = [row[relay.members[0][0]] for relay in relays]
        self._comfort = [comfort[relay.members[0][0]] for relay in relays]
        self._shares_kw = heat_shares_kw(model, relays)
        self._phases_kw = np.array([[r.power_kw * p for p in r.phases] for r in relays])
        self._power_kw = np.array([relay.power_kw for relay in relays])
        count = len(relays)
        self._wanted = [False] * count
        self._lease_until_s = [-inf] * count
        self._stuck: dict[int, bool] = {}
        self.closed = [False] * count
        self.since_s = [-inf] * count
        self.starts = [0] * count
        self.commands = 0
        self._next_expiry_s = -inf
        self._free: list[int] = []  # relays on their own
        self._carry()

    def apply(self, command: SetHeating) -> bool:
        """Take a command; False if it only renews a lease. Raises: ValueError if unknown."""
        k = self._index.get(command.relay)
        if k is None:
            raise ValueError(
                f"there is no relay {command.relay!r}; the house has {', '.join(self.names)}"
            )
        changed = self._wanted[k] != command.on
        self._wanted[k] = command.on
        self._lease_until_s[k] = command.lease_until_s
        if k in self._free or command.lease_until_s < self._next_expiry_s:
            self._next_expiry_s = -inf  # sort the free from the leased again
        self.commands += 1
        return changed

    def by_hand(self, name: str, on: bool) -> None:
        """Let a person switch a relay at the device; its lease runs on. Raises: KeyError."""
        self._wanted[self._index[name]] = on

    def stick(self, name: str, closed: bool | None) -> None:
        """Weld a contact closed or open, or (None) repair it; the relay must exist."""
        k = self._index[name]
        self._stuck.pop(k, None)
        if closed is not None:
            self._stuck[k] = closed

    def update(self, at_s: float, local_h: float, blocked: bool, air_c: Array) -> None:
        """Let contacts move: commands, ended leases, own thermostats, the HDO contactor.

        Args:
            at_s: now.    local_h: local hour.    blocked: the HDO contactor is open.
            air_c: air per room of the model, as the rooms' own thermostats feel it.
        """
        if at_s >= self._next_expiry_s:
            self._sort_out(at_s)
        for k in self._free:
            self._wanted[k] = self._alone(k, local_h, air_c)
        stuck = self._stuck
        wanted = self._wanted
        if stuck:
            wanted = [stuck.get(k, on) for k, on in enumerate(wanted)]
        closed = [False] * len(wanted) if blocked else list(wanted)
        if closed != self.closed:
            self._move(closed, at_s)

    def _sort_out(self, at_s: float) -> None:
        leases = self._lease_until_s
        self._free = [k for k, until_s in enumerate(leases) if until_s <= at_s]
        self._next_expiry_s = min((s for s in leases if s > at_s), default=inf)

    def _alone(self, k: int, local_h: float, air_c: Array) -> bool:
        native = self._native[k]
        if native is Native.OFF:
            return False
        if native is Native.KEEP:
            return self._wanted[k]
        wish = self._comfort[k]
        setpoint_c = wish.day_c if is_day(wish, local_h) else wish.night_c
        felt_c = float(air_c[self._room[k]])
        if felt_c < setpoint_c - _BELOW_K:
            return True
        return self._wanted[k] and felt_c < setpoint_c + _ABOVE_K

    def _move(self, closed: list[bool], at_s: float) -> None:
        for k, (before, after) in enumerate(zip(self.closed, closed, strict=True)):
            if before != after:
                self.since_s[k] = at_s
                self.starts[k] += after
        self.closed = closed
        self._carry()

    def _carry(self) -> None:
        on = np.array(self.closed, float)
        self.heat_kw: Array = self._shares_kw @ on
        self.total_kw = float(self._power_kw @ on)
        self.phase_kw: list[float] = (on @ self._phases_kw).tolist() if len(on) else [0.0] * 3

    def to_plain(self) -> dict[str, object]:
        """Give plain data for a snapshot."""
        return {
            "wanted": list(self._wanted),
            "lease_until_s": list(self._lease_until_s),
            "closed": list(self.closed),
            "since_s": list(self.since_s),
            "starts": list(self.starts),
            "commands": self.commands,
        }

    def load_plain(self, plain: Mapping[str, Any]) -> None:
        """Go on from a snapshot; stuck contacts come back with their faults."""
        self._wanted = [bool(on) for on in plain["wanted"]]
        self._lease_until_s = [float(s) for s in plain["lease_until_s"]]
        self.closed = [bool(on) for on in plain["closed"]]
        self.since_s = [float(s) for s in plain["since_s"]]
        self.starts = [int(n) for n in plain["starts"]]
        self.commands = int(plain["commands"])
        self._stuck = {}
        self._next_expiry_s = -inf
        self._carry()
