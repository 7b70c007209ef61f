"""Relays of a plain thermostat, under the same protection as everybody's: budget, dwell, block.

A house with sixteen thermostats needs a load manager, or its main breaker trips; so the baselines
get the product's own power budget, and are not beaten by their own clumsiness.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.events import ChargeShed, RelayRequest, RelayShed
from pems_actors.domain.house import BatteryMode, House
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import HouseReading
from pems_actors.domain.units import MINUTE_S
from pems_actors.simulation.twin import Twin


class Wish(NamedTuple):
    """What a thermostat wants of its relay, and how far its room is above its floor [K]."""

    on: bool
    slack_k: float


class Switchboard:
    """Switches the relays of a twin as wished, as far as they may."""

    def __init__(self, house: House, twin: Twin) -> None:
        self._twin, self._house = twin, house
        self._relays = {relay.name: relay for relay in house.relays}
        self._on = dict(zip(twin.relays.names, twin.relays.closed, strict=True))
        self._since_s = dict.fromkeys(self._relays, -inf)
        self._shed_until_s = dict.fromkeys(self._relays, -inf)
        self._budget = PowerBudget(house.limits, self._relays)
        for name, on in self._on.items():
            self._switch(name, twin.at_s, on=on, slack_k=0.0)

    def serve(self, reading: HouseReading, wishes: Mapping[str, Wish]) -> bool:
        """Switch for one minute from a reading on; the twin may live part of it.

        Returns: whether charging from the grid is to stop, because a limit is exceeded.
        """
        now_s, blocked = reading.at_s, bool(reading.heating_blocked)
        charging = reading.battery is not None and reading.battery.mode is BatteryMode.CHARGE_GRID
        self._budget = self._budget.heard(reading.meter, grid_charging=charging)
        shed_charge = self._shed(now_s)
        for name, wish in wishes.items():
            on = wish.on and not blocked and now_s >= self._shed_until_s[name]
            dwelt = now_s - self._since_s[name] >= self._dwell_s(name)
            if self._on[name] and not on and (blocked or dwelt):
                self._switch(name, now_s, on=False, slack_k=wish.slack_k)
            elif on and not self._on[name] and dwelt:
                self._budget = self._budget.asked(
                    RelayRequest(name, now_s, wish.slack_k, urgent=False)
                )
            else:
                self._budget = self._budget.switched(name, self._on[name], now_s, wish.slack_k)
        self._grant(now_s, wishes)
        return shed_charge

    def _dwell_s(self, name: str) -> float:
        relay = self._relays[name]
        return relay.min_on_s if self._on[name] else relay.min_off_s

    def _shed(self, now_s: float) -> bool:
        """Let go off what exceeds a limit now. Returns: whether a grid charge is to stop."""
        orders = (*self._budget.excess(now_s), *self._budget.yields(now_s))
        self._budget = self._budget.shed(orders, now_s)
        for order in orders:
            if isinstance(order, RelayShed):
                self._shed_until_s[order.relay] = now_s + order.hold_s
                self._switch(order.relay, now_s, on=False, slack_k=0.0)
        return any(isinstance(order, ChargeShed) for order in orders)

    def _grant(self, now_s: float, wishes: Mapping[str, Wish]) -> None:
        """Switch on within the minute, one by one, whoever is granted."""
        at_s = now_s
        while at_s < now_s + MINUTE_S:
            self._budget, grant = self._budget.next_grant(at_s)
            if grant is not None:
                self._twin.step_to(at_s)
                self._switch(grant.relay, at_s, on=True, slack_k=wishes[grant.relay].slack_k)
            wait_s = self._budget.due(at_s)
            if wait_s is None or (grant is None and wait_s <= 0.0):
                return
            at_s += max(wait_s, self._house.limits.start_gap_s)

    def _switch(self, name: str, now_s: float, *, on: bool, slack_k: float) -> None:
        if on is not self._on[name]:
            self._since_s[name] = now_s
        self._on[name] = on
        self._budget = self._budget.switched(name, on, now_s, slack_k)
        self._twin.apply(SetHeating(name, on, "thermostat", Level.RULES, now_s, inf))
