"""The power budget: relays ask before they switch on; it keeps every limit and the distance.

A frozen state with pure steps. Starts are at least `start_gap_s` apart, the least slack goes
first, and what was granted since the last meter reading counts as running already. Charging from
the grid is shed close to a limit, so that a cloud does not lead beyond it; an excess sheds the
running relay with the most slack. A needy relay that does not fit is not passed by better-off ones
for ever: those wait behind it, and such that run and have had their time make room for it (a large
relay on three phases would starve otherwise).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.control.contacts import Contacts
from pems_actors.control.limits import (
    Headroom,
    blind_headroom,
    heating_kw,
    likely_phases,
    measured_headroom,
)
from pems_actors.domain.events import ChargeShed, RelayGrant, RelayRequest, RelayShed
from pems_actors.domain.house import Limits, Relay
from pems_actors.domain.readings import MeterReading, RoomReading

METER_LOST_S = 180.0
CHARGE_CLEAR_KW = 0.2  # of each phase; a charge that leaves less free goes off before there is harm
SPARE_KW = 0.4  # left free at a switch-on: a kettle sheds nobody (0.3: thrice the excess, 2026-11)
REQUEST_LIFE_S = 150.0
GRANT_LIFE_S = 30.0
BETTER_OFF_K = 0.3
YIELD_S = 600.0
OBEYS_WITHIN_S = 90.0  # a charge that goes on longer after it was told to stop does not obey


class PowerBudget(NamedTuple):
    """Who runs, who waits, what the meter said. `relays` and `limits` never change."""

    limits: Limits
    relays: Mapping[str, Relay]
    running: Mapping[str, float] = MappingProxyType({})  # relay -> on since
    granted: Mapping[str, float] = MappingProxyType({})  # not yet seen by the meter
    slack_k: Mapping[str, float] = MappingProxyType({})
    waiting: Mapping[str, RelayRequest] = MappingProxyType({})
    meter: MeterReading | None = None
    grid_charging: bool = False
    last_start_s: float = float("-inf")
    pledged: str | None = None  # the relay whose owner has not answered to its grant yet
    refusals: int = 0
    dead: frozenset[str] = frozenset()  # draws nothing, whatever was ordered
    welded: frozenset[str] = frozenset()  # draws always
    free: frozenset[str] = frozenset()  # nobody may write to these
    fed_kw: float | None = None  # by battery and sun, when the meter was last read
    lost_kw: float = 0.0  # of it since, while the meter is silent
    contacts: Contacts = Contacts()
    charge_shed_s: float | None = None  # when a grid charge was told to stop, while it goes on

    def heard(
        self, meter: MeterReading | None, fed_kw: float | None = None, *, grid_charging: bool
    ) -> PowerBudget:
        """Take a meter reading; grants older than it are part of it now.

        Without one, what battery and sun feed less than they did comes from the grid.

        Args:
            fed_kw: of battery and sun together; None if one of them is unknown.
        """
        if meter is None or meter.grid_kw is None:
            if fed_kw is None or self.fed_kw is None:
                return self
            return self._replace(lost_kw=max(self.fed_kw - fed_kw, 0.0))
        unseen = {name: at for name, at in self.granted.items() if at >= meter.at_s}
        shed_s = self.charge_shed_s if grid_charging else None
        return self._replace(
            meter=meter, granted=unseen, grid_charging=grid_charging, charge_shed_s=shed_s,
            fed_kw=fed_kw, lost_kw=0.0,
        )  # fmt: skip

    def looked(self, rooms: Sequence[RoomReading], *, metered: bool) -> PowerBudget:
        """Take in what was read of the contacts; `metered` tells if the meter was read as well."""
        return self._replace(contacts=self.contacts.heard(rooms, metered=metered))

    def asked(self, request: RelayRequest) -> PowerBudget:
        """Queue a request; asking again only refreshes it."""
        if request.relay not in self.relays:
            return self
        waiting = {**self.waiting, request.relay: request}
        return self._replace(
            waiting=waiting, slack_k={**self.slack_k, request.relay: request.slack_k}
        )

    def switched(
        self,
        relay: str,
        on: bool,
        now_s: float,
        slack_k: float | None = None,
        heard_s: float | None = None,
    ) -> PowerBudget:
        """Note what an owner says of its relay; one that was on already keeps its since-when.

        heard_s: when it was heard, if later: an owner may be slow to do as it says.
        """
        if relay == self.pledged:
            return self._replace(pledged=None).switched(relay, on, now_s, slack_k, heard_s)
        slacks = self.slack_k
        if slack_k is not None and slacks.get(relay) != slack_k:
            slacks = {**slacks, relay: slack_k}
        held = relay in self.running
        if not on:
            held = held or relay in self.waiting or relay in self.granted
        if on is held:  # a renewal
            return self if slacks is self.slack_k else self._replace(slack_k=slacks)
        running = {name: at for name, at in self.running.items() if name != relay}
        waiting = {name: r for name, r in self.waiting.items() if name != relay}
        granted, last_s, contacts = dict(self.granted), self.last_start_s, self.contacts
        if on:
            running[relay] = now_s
            last_s = max(last_s, now_s, heard_s or now_s)
        else:
            granted.pop(relay, None)
            contacts = contacts.switched_off(relay, now_s)
        return self._replace(
            running=running, waiting=waiting, granted=granted, slack_k=slacks, last_start_s=last_s,
            contacts=contacts,
        )  # fmt: skip

    def obeying(self, relay: str, *, ours: bool) -> PowerBudget:
        """Note whether an order to a relay would be obeyed."""
        if ours is (relay not in self.free):
            return self
        return self._replace(free=self.free - {relay} if ours else self.free | {relay})

    def out_of_service(self, dead: frozenset[str], welded: frozenset[str]) -> PowerBudget:
        """Note the relays that do not obey; those that draw nothing free their share."""
        return self._replace(dead=dead, welded=welded)

    def shifted(self, by_s: float) -> PowerBudget:
        """Move along with a clock that was set."""
        meter = self.meter
        return self._replace(
            running={name: at_s + by_s for name, at_s in self.running.items()},
            granted={name: at_s + by_s for name, at_s in self.granted.items()},
            waiting={n: r._replace(at_s=r.at_s + by_s) for n, r in self.waiting.items()},
            meter=None if meter is None else meter._replace(at_s=meter.at_s + by_s),
            contacts=self.contacts.shifted(by_s),
            last_start_s=self.last_start_s + by_s,
        )

    def headroom(self, now_s: float) -> Headroom:
        """Room under every limit now, with all that was granted since the last reading."""
        meter = self.meter
        drawing = self._drawing()
        if meter is None or meter.grid_kw is None or now_s - meter.at_s > METER_LOST_S:
            return blind_headroom(self.limits, (self.relays[n] for n in drawing))
        heating = heating_kw(self.relays, drawing)
        unseen = self.granted.keys() | self.contacts.come
        phase_kw = meter.phase_kw
        if phase_kw is None:
            seen = {*drawing, *self.contacts.gone} - unseen - self.dead
            phase_kw = likely_phases(meter.grid_kw, self._of(seen))
        room = measured_headroom(self.limits, meter.grid_kw, phase_kw, heating)
        for relay in self._of(unseen):
            room = room.after(relay)._replace(heating_kw=room.heating_kw)
        return room.beside_inverter(self.lost_kw) if self.lost_kw > 0.0 else room

    def relieved(self, room: Headroom, now_s: float) -> Headroom:
        """Give back what went off, as the contacts show, since the meter was last read.

        Nobody starts on that: it only spares others from going off in vain.
        """
        if self.meter is None or now_s - self.meter.at_s > METER_LOST_S:
            return room  # it is not reckoned by the meter
        for relay in self._of(self.contacts.gone - self.granted.keys() - self.dead):
            room = room.without(relay)._replace(heating_kw=room.heating_kw)
        return room

    def _of(self, names: AbstractSet[str]) -> list[Relay]:
        """List relays by name, in their lasting order."""
        return [relay for name, relay in self.relays.items() if name in names] if names else []

    def closed(self) -> list[Relay]:
        """List the relays that draw as far as their owners and the inspector say."""
        on = {*self.running, *self.welded} - self.dead
        return [relay for name, relay in self.relays.items() if name in on]

    def _drawing(self) -> tuple[str, ...]:
        """List the relays that draw power, or will in a moment.

        What runs in the mind of an owner who may not write draws only if its contact is closed.
        One that does not obey may have come to its senses when it was let start just now.
        """
        on = {*self.running, *self.welded, *self.contacts.closed} - self.dead
        on |= self.granted.keys()
        on -= self.free & self.contacts.open
        return tuple([name for name in self.relays if name in on])

    def next_grant(
        self, now_s: float, spare: Headroom | None = None
    ) -> tuple[PowerBudget, RelayGrant | None]:
        """Grant the neediest waiting relay that fits, if the last start is long enough ago.

        spare: the headroom, if it is known already.
        """
        fresh = {n: r for n, r in self.waiting.items() if now_s - r.at_s <= REQUEST_LIFE_S}
        here = self if len(fresh) == len(self.waiting) else self._replace(waiting=fresh)
        if not fresh or now_s < here.next_start_s:
            return here, None
        room = (spare or here.headroom(now_s)).less(SPARE_KW)
        queue = _by_need(fresh.values())
        first = next((r for r in queue if r.relay not in self.dead), queue[0])
        for request in queue:
            if request.slack_k > first.slack_k + BETTER_OFF_K and not request.urgent:
                break  # behind somebody who is worse off and does not fit yet
            if room.carries(here.relays[request.relay]):
                return here.granting(request.relay, now_s)
        return here._replace(refusals=here.refusals + 1), None

    def yields(self, now_s: float, spare: Headroom | None = None) -> tuple[RelayShed, ...]:
        """Find better-off running relays that must make room for the neediest waiting one.

        spare: the headroom, if it is known already.
        """
        fresh = [
            r
            for r in self.waiting.values()
            if now_s - r.at_s <= REQUEST_LIFE_S and r.relay not in self.dead and not r.planned
        ]
        if not fresh:
            return ()
        first = _by_need(fresh)[0]
        relay, room = self.relays[first.relay], (spare or self.headroom(now_s)).less(SPARE_KW)
        if room.carries(relay):
            return ()
        orders: list[RelayShed] = []
        for name, since_s in self._best_off():
            if room.carries(relay) or self.slack_k[name] <= first.slack_k + BETTER_OFF_K:
                break
            if now_s - since_s >= self.relays[name].min_on_s:
                orders.append(RelayShed(name, f"makes room for {relay.name}", now_s, YIELD_S))
                room = room.without(self.relays[name])
        return tuple(orders) if room.carries(relay) else ()

    def neediest(self, now_s: float) -> RelayRequest | None:
        """Find the request of whoever waits and needs heat most, planned or not."""
        fresh = [
            r
            for r in self.waiting.values()
            if now_s - r.at_s <= REQUEST_LIFE_S and r.relay not in self.dead
        ]
        return _by_need(fresh)[0] if fresh else None

    def well_off(self, now_s: float, slack_k: float) -> list[Relay]:
        """List the running relays that have had their time and more slack, the best-off first."""
        return [
            self.relays[name]
            for name, since_s in self._best_off()
            if self.slack_k[name] > slack_k and now_s - since_s >= self.relays[name].min_on_s
        ]

    def _best_off(self) -> list[tuple[str, float]]:
        """List the running relays whose slack is known, the best-off first."""
        able = [(n, since) for n, since in self.running.items() if n not in self.dead]
        known = [(n, since) for n, since in able if n in self.slack_k]
        return sorted(known, key=lambda item: -self.slack_k[item[0]])

    def granting(self, relay: str, now_s: float) -> tuple[PowerBudget, RelayGrant]:
        """Pledge a relay's power to its owner."""
        waiting = {name: r for name, r in self.waiting.items() if name != relay}
        after = self._replace(
            waiting=waiting,
            granted={**self.granted, relay: now_s},
            last_start_s=now_s,
            pledged=relay,
        )
        return after, RelayGrant(relay, now_s, now_s + GRANT_LIFE_S)

    def due(self, now_s: float) -> float | None:
        """When to look again: None if nobody waits, else seconds until the next possible start."""
        if not self.waiting:
            return None
        return max(0.0, self.next_start_s - now_s)

    @property
    def next_start_s(self) -> float:
        """When the next relay may start; one with a grant may start as late as that ends."""
        late_s = 0.0 if self.pledged is None else GRANT_LIFE_S
        return self.last_start_s + late_s + self.limits.start_gap_s

    def shed(self, orders: Iterable[object], now_s: float) -> PowerBudget:
        """Note since when a grid charge is told to stop."""
        if self.charge_shed_s is None and any(isinstance(o, ChargeShed) for o in orders):
            return self._replace(charge_shed_s=now_s)
        return self

    def excess(
        self,
        now_s: float,
        spare: Headroom | None = None,
        charge_kw: float = inf,
        coming_kw: float = 0.0,
    ) -> tuple[RelayShed | ChargeShed, ...]:
        """What must go off now so that no limit is exceeded on the last reading.

        spare: the headroom, if it is known already.    charge_kw: what ends with a grid charge.
        coming_kw: what the inverter is about to draw more; for that only who has dwelt goes off.
        """
        room = spare or self.headroom(now_s)
        orders: list[RelayShed | ChargeShed] = []
        close = room.less(CHARGE_CLEAR_KW).exceeded if self.grid_charging else None
        if close is not None:
            orders.append(ChargeShed(room.exceeded or f"close to the {_limit(close)}", now_s))
            shed_s = self.charge_shed_s
            if shed_s is None or now_s - shed_s < OBEYS_WITHIN_S:
                room = room.beside_inverter(-charge_kw)  # else it does not obey, and relays must go
        able = [name for name in self.running if name not in self.dead]
        able.sort(key=lambda name: (name in self.free, -self.slack_k.get(name, 0.0)))
        over, room = self._relieving(room, able, now_s, "over")
        if coming_kw <= 0.0:
            return (*orders, *over)
        gone = {shed.relay for shed in over}
        dwelt = [n for n in able if now_s - self.running[n] >= self.relays[n].min_on_s]
        rest = [name for name in dwelt if name not in gone]
        soon, _ = self._relieving(room.beside_inverter(coming_kw), rest, now_s, "soon over")
        return (*orders, *over, *soon)

    def _relieving(
        self, room: Headroom, names: Sequence[str], now_s: float, how: str
    ) -> tuple[list[RelayShed], Headroom]:
        """Take one relay after the other off until no limit is exceeded."""
        why, sheds = room.exceeded, []
        for name in names:
            if room.exceeded is None:
                break
            if _helps(room, self.relays[name]):
                sheds.append(RelayShed(name, f"{how} the {why}", now_s))
                room = room.without(self.relays[name])
        return sheds, room


def _limit(exceeded: str) -> str:
    """Take the name of a limit from how far it is exceeded."""
    return exceeded.partition(" by ")[0]


def _by_need(requests: Iterable[RelayRequest]) -> list[RelayRequest]:
    return sorted(requests, key=lambda r: (not r.urgent, r.slack_k, r.relay))


def _helps(room: Headroom, relay: Relay) -> bool:
    over = any(
        left < 0 and share > 0 for left, share in zip(room.phase_kw, relay.phases, strict=True)
    )
    return over or room.import_kw < 0 or room.heating_kw < 0
