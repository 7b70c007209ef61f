"""The power budget: relays ask before they switch on; it keeps every limit and the distance.

A frozen state with pure steps. Starts are at least `start_gap_s` apart, the least slack goes
first, and what was granted since the last meter reading counts as running already. An excess
sheds charging from the grid first, then the running relay with the most slack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pems_actors.control.limits import Headroom, blind_headroom, heating_kw, measured_headroom
from pems_actors.domain.events import ChargeShed, RelayGrant, RelayRequest, RelayShed
from pems_actors.domain.house import Limits, Relay
from pems_actors.domain.readings import MeterReading

METER_LOST_S = 180.0
SPARE_KW = 0.3  # left free at a switch-on, so that a kettle's flicker does not shed at once
REQUEST_LIFE_S = 150.0
GRANT_LIFE_S = 30.0


@dataclass(frozen=True)
class PowerBudget:
    """Who runs, who waits, what the meter said. `relays` and `limits` never change."""

    limits: Limits
    relays: Mapping[str, Relay]
    running: Mapping[str, float] = field(default_factory=dict)  # relay -> on since
    granted: Mapping[str, float] = field(default_factory=dict)  # not yet seen by the meter
    slack_k: Mapping[str, float] = field(default_factory=dict)
    waiting: Mapping[str, RelayRequest] = field(default_factory=dict)
    meter: MeterReading | None = None
    grid_charging: bool = False
    last_start_s: float = float("-inf")
    refusals: int = 0

    def heard(self, meter: MeterReading | None, *, grid_charging: bool) -> PowerBudget:
        """Take a meter reading; grants older than it are part of it now."""
        if meter is None or meter.grid_kw is None:
            return self
        unseen = {name: at for name, at in self.granted.items() if at >= meter.at_s}
        return replace(self, meter=meter, granted=unseen, grid_charging=grid_charging)

    def asked(self, request: RelayRequest) -> PowerBudget:
        """Queue a request; asking again only refreshes it."""
        if request.relay not in self.relays:
            return self
        waiting = {**self.waiting, request.relay: request}
        return replace(
            self, waiting=waiting, slack_k={**self.slack_k, request.relay: request.slack_k}
        )

    def switched(self, relay: str, on: bool, now_s: float) -> PowerBudget:
        """Note that an owner switched its relay."""
        running = {name: at for name, at in self.running.items() if name != relay}
        waiting = {name: r for name, r in self.waiting.items() if name != relay}
        granted = dict(self.granted)
        if on:
            running[relay] = now_s
        else:
            granted.pop(relay, None)
        return replace(self, running=running, waiting=waiting, granted=granted)

    def headroom(self, now_s: float) -> Headroom:
        """Room under every limit now, with all that was granted since the last reading."""
        meter = self.meter
        pledged = [n for n in self.granted if n not in self.running]
        if meter is None or meter.grid_kw is None or now_s - meter.at_s > METER_LOST_S:
            return blind_headroom(self.limits, (self.relays[n] for n in (*self.running, *pledged)))
        heating = heating_kw(self.relays, (*self.running, *pledged))
        room = measured_headroom(self.limits, meter.grid_kw, meter.phase_kw, heating)
        for name in self.granted:
            relay = self.relays[name]
            room = replace(room.after(relay), heating_kw=room.heating_kw)
        return room

    def next_grant(self, now_s: float) -> tuple[PowerBudget, RelayGrant | None]:
        """Grant the neediest waiting relay that fits, if the last start is long enough ago."""
        fresh = {n: r for n, r in self.waiting.items() if now_s - r.at_s <= REQUEST_LIFE_S}
        here = self if len(fresh) == len(self.waiting) else replace(self, waiting=fresh)
        if not fresh or now_s - here.last_start_s < here.limits.start_gap_s:
            return here, None
        room = here.headroom(now_s).less(SPARE_KW)
        for request in sorted(fresh.values(), key=lambda r: (not r.urgent, r.slack_k, r.relay)):
            if room.carries(here.relays[request.relay]):
                return here.granting(request.relay, now_s)
        return replace(here, refusals=here.refusals + 1), None

    def granting(self, relay: str, now_s: float) -> tuple[PowerBudget, RelayGrant]:
        """Pledge a relay's power to its owner."""
        waiting = {name: r for name, r in self.waiting.items() if name != relay}
        after = replace(
            self, waiting=waiting, granted={**self.granted, relay: now_s}, last_start_s=now_s
        )
        return after, RelayGrant(relay, now_s, now_s + GRANT_LIFE_S)

    def due(self, now_s: float) -> float | None:
        """When to look again: None if nobody waits, else seconds until the next possible start."""
        if not self.waiting:
            return None
        return max(0.0, self.last_start_s + self.limits.start_gap_s - now_s)

    def excess(self, now_s: float) -> tuple[RelayShed | ChargeShed, ...]:
        """What must go off now so that no limit is exceeded on the last reading."""
        room = self.headroom(now_s)
        why = room.exceeded
        if why is None:
            return ()
        orders: list[RelayShed | ChargeShed] = []
        if self.grid_charging:
            return (ChargeShed(why, now_s),)
        for name in sorted(self.running, key=lambda n: -self.slack_k.get(n, 0.0)):
            relay = self.relays[name]
            if _helps(room, relay):
                orders.append(RelayShed(name, f"over the {why}", now_s))
                room = room.after(replace(relay, power_kw=-relay.power_kw))
            if room.exceeded is None:
                break
        return tuple(orders)


def _helps(room: Headroom, relay: Relay) -> bool:
    over = any(
        left < 0 and share > 0 for left, share in zip(room.phase_kw, relay.phases, strict=True)
    )
    return over or room.import_kw < 0 or room.heating_kw < 0
