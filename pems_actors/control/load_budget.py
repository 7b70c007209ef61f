"""Flexible loads under the hard limits: the last to be let go, the first to be held back.

A frozen state with pure steps, beside the relays' own budget. A load that was let go may begin at
any moment, so until it is seen to draw its whole power is kept free. Without a meter none may draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.control.limits import Headroom
from pems_actors.control.power_budget import PowerBudget
from pems_actors.domain.events import RelayShed
from pems_actors.domain.flexible_load import (
    FlexibleLoad,
    LoadGrant,
    LoadReading,
    LoadRequest,
    LoadShed,
    LoadSwitched,
)
from pems_actors.domain.house import Relay

BEGINS_WITHIN_S = 300.0  # a load that draws nothing for so long does not want to
REQUEST_LIFE_S = 150.0
GRANT_LIFE_S = 30.0
DRAWS_KW = 0.1
OBEYS_WITHIN_S = 30.0  # a load that draws longer after it was told to stop does not obey
YIELD_S = 900.0
WARM_K = 0.4  # slack of a room that can wait a quarter of an hour without being missed
NONE: Mapping[str, float] = MappingProxyType({})


class LoadBudget(NamedTuple):
    """Which loads were let go and since when, who waits, and what each draws."""

    loads: Mapping[str, FlexibleLoad]
    running: Mapping[str, float] = NONE
    waiting: Mapping[str, LoadRequest] = MappingProxyType({})
    drawn_kw: Mapping[str, float] = NONE  # as last measured; a load not named is unknown
    metered_kw: Mapping[str, float] = NONE  # the same when the house's meter was last read
    shed: Mapping[str, float] = NONE  # told to stop, while they still draw
    free: frozenset[str] = frozenset()  # nobody can hold them back just now
    lent_kw: float = 0.0  # what the battery gives, and will not beside a car

    def lent(self, battery_kw: float | None) -> LoadBudget:
        """Note what the battery gives; a silent one is taken as giving nothing."""
        lent_kw = max(battery_kw or 0.0, 0.0)
        return self if lent_kw == self.lent_kw else self._replace(lent_kw=lent_kw)

    def heard(self, readings: Iterable[LoadReading], *, metered: bool = True) -> LoadBudget:
        """Take the loads' own meters; one that has stopped obeys again.

        metered: the house's meter was read as well, so that what they draw is part of that.
        """
        known = {r.load: r.power_kw for r in readings if r.power_kw is not None}
        part = known if metered else self.metered_kw
        stopped = {name for name, kw in known.items() if kw <= DRAWS_KW}
        shed = {name: at for name, at in self.shed.items() if name not in stopped}
        if known == self.drawn_kw and part == self.metered_kw and len(shed) == len(self.shed):
            return self
        return self._replace(drawn_kw=known, metered_kw=part, shed=shed)

    def told(self, orders: Iterable[LoadShed], now_s: float) -> LoadBudget:
        """Note who was told to stop, and since when."""
        new = {order.load: now_s for order in orders if order.load not in self.shed}
        return self._replace(shed={**self.shed, **new}) if new else self

    def unheard(self, names: Iterable[str]) -> LoadBudget:
        """Note loads whose owners are not there to hold them back."""
        return self._replace(free=self.free | frozenset(names))

    def asked(self, request: LoadRequest) -> LoadBudget:
        """Queue a request; asking again only refreshes it."""
        if request.load not in self.loads:
            return self
        return self._replace(waiting={**self.waiting, request.load: request})

    def switched(self, said: LoadSwitched) -> LoadBudget:
        """Note what an owner says of its load."""
        if said.load not in self.loads:
            return self
        free = self.free - {said.load} if said.ours else self.free | {said.load}
        if (said.load in self.running) is said.on:
            return self if free == self.free else self._replace(free=free)
        running = {name: at for name, at in self.running.items() if name != said.load}
        if said.on:
            running[said.load] = said.at_s
        return self._replace(running=running, free=free)

    def reserved(self, room: Headroom, now_s: float) -> Headroom:
        """Take away what loads draw beside the meter's reading, and what they may in a moment.

        Who serves itself may begin at any time: heat does not make room for that in advance.
        """
        for name, load in self.loads.items():
            room = drawn(room, load, self._unmetered_kw(name, now_s))
            if self._may_begin(name, now_s):
                room = self._without_battery(room, load)
        return room

    def _may_begin(self, name: str, now_s: float) -> bool:
        """Tell if a load was just let go."""
        since_s = self.running.get(name)
        return since_s is not None and now_s - since_s < BEGINS_WITHIN_S and name not in self.free

    def _unmetered_kw(self, name: str, now_s: float) -> float:
        """What a load draws, or may in a moment, and did not when the meter was read."""
        kw = self.drawn_kw.get(name, 0.0)
        if self._may_begin(name, now_s):
            kw = max(kw, self.loads[name].power_kw)
        return max(kw - self.metered_kw.get(name, 0.0), 0.0)

    def _held_back(self, room: Headroom, name: str, now_s: float) -> Headroom:
        """Give back all that counts for a load, which is to draw nothing from now on."""
        load = self.loads[name]
        if name not in self.drawn_kw:
            return drawn(room, load, -load.power_kw)
        if self._may_begin(name, now_s) and load.rests_battery:
            room = room.beside_inverter(-self.lent_kw)
        kw = self.metered_kw.get(name, 0.0) + self._unmetered_kw(name, now_s)
        return drawn(room, load, -kw)

    def _without_battery(self, room: Headroom, load: FlexibleLoad) -> Headroom:
        """Count the house's own need as drawn from the grid where the battery will rest."""
        return room.beside_inverter(self.lent_kw) if load.rests_battery else room

    def excess(
        self, room: Headroom, now_s: float, *, blind: bool = False
    ) -> tuple[tuple[LoadShed, ...], Headroom]:
        """Hold loads back until no limit is exceeded, or all that draw are held back.

        blind: there is no meter, so that nothing may be let go.
        Returns: the orders, and the headroom once they are obeyed.
        """
        orders: list[LoadShed] = []
        for name in self._largest_first(now_s):
            why = "no meter" if blind else room.exceeded
            if why is None:
                break
            load = self.loads[name]
            if blind or _helps(room, load):
                why = why if blind else f"over the {why}"
                orders.append(LoadShed(name, why, now_s))
                if self._may_obey(name):
                    room = self._held_back(room, name, now_s)
        return tuple(orders), room

    def _may_obey(self, name: str) -> bool:
        """Tell if an order can stop a load: one that was held back before draws in spite of it."""
        return name in self.running or name in self.shed or name not in self.drawn_kw

    def yields(self, room: Headroom, relay: Relay, now_s: float) -> tuple[LoadShed, ...]:
        """Make room for a relay that waits, if that is enough for it."""
        orders: list[LoadShed] = []
        for name in self._largest_first(now_s):
            if room.carries(relay):
                break
            orders.append(LoadShed(name, f"makes room for {relay.name}", now_s, YIELD_S))
            room = self._held_back(room, name, now_s)
        return tuple(orders) if room.carries(relay) else ()

    def claims(self, room: Headroom, relays: PowerBudget, now_s: float) -> tuple[RelayShed, ...]:
        """Let warm rooms wait for a load that would miss its hour, if that is enough for it."""
        late = [r for r in self._fresh(now_s).values() if r.late]
        load = self.loads[late[0].load] if late else None
        orders: list[RelayShed] = []
        for relay in relays.well_off(now_s, WARM_K) if load is not None else ():
            if load is None or fits(self._without_battery(room, load), load):
                break
            orders.append(RelayShed(relay.name, f"makes room for {load.name}", now_s, YIELD_S))
            room = room.without(relay)
        enough = load is not None and fits(self._without_battery(room, load), load)
        return tuple(orders) if enough else ()

    def _fresh(self, now_s: float) -> dict[str, LoadRequest]:
        return {n: r for n, r in self.waiting.items() if now_s - r.at_s <= REQUEST_LIFE_S}

    def next_grant(self, room: Headroom, now_s: float) -> tuple[LoadBudget, LoadGrant | None]:
        """Let the load go that has waited longest and fits."""
        fresh = self._fresh(now_s)
        for name in fresh:
            load = self.loads[name]
            if fits(self._without_battery(room, load), load):
                left = {n: r for n, r in fresh.items() if n != name}
                after = self._replace(waiting=left, running={**self.running, name: now_s})
                return after, LoadGrant(name, now_s, now_s + GRANT_LIFE_S)
        return self._replace(waiting=fresh), None

    def shifted(self, by_s: float) -> LoadBudget:
        """Move along with a clock that was set."""
        return self._replace(
            running={n: at + by_s for n, at in self.running.items()}, waiting=MappingProxyType({})
        )

    def _largest_first(self, now_s: float) -> list[str]:
        """List the loads that draw, or may begin to, and obey, the largest first."""
        names = {name for name, kw in self.drawn_kw.items() if kw > DRAWS_KW and name in self.loads}
        names |= {n for n, since_s in self.running.items() if now_s - since_s < BEGINS_WITHIN_S}
        names |= self.running.keys() - self.drawn_kw.keys()
        names -= self.free
        names -= {name for name, at_s in self.shed.items() if now_s - at_s > OBEYS_WITHIN_S}
        return sorted(names, key=lambda name: (-self.loads[name].power_kw, name))


def drawn(room: Headroom, load: FlexibleLoad, power_kw: float) -> Headroom:
    """Take a load's power from the headroom; it is no heating."""
    (l1, l2, l3), (s1, s2, s3) = room.phase_kw, load.phases
    phase_kw = (l1 - power_kw * s1, l2 - power_kw * s2, l3 - power_kw * s3)
    return Headroom(phase_kw, room.import_kw - power_kw, room.heating_kw)


def fits(room: Headroom, load: FlexibleLoad) -> bool:
    """Tell if a load's whole power fits into phases and import."""
    after = drawn(room, load, load.power_kw)
    return after.import_kw >= 0.0 and min(after.phase_kw) >= 0.0


def _helps(room: Headroom, load: FlexibleLoad) -> bool:
    """Tell if holding a load back eases a limit that is exceeded; the heating cap is none."""
    over = any(
        left < 0.0 and share > 0.0 for left, share in zip(room.phase_kw, load.phases, strict=True)
    )
    return over or room.import_kw < 0.0
