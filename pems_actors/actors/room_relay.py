"""The relay that a room owns: asked for, switched, and its lease renewed by writing.

What it should be is decided in `control/order.py`, how it compares with the device in
`room_reconcile.py`. Each step takes what is known of the relay and gives what is known after it.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from pems_actors.actors.base import POWER_BUDGET, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.room_mind import NEED_LIFE_S, RelayMind, Written
from pems_actors.actors.room_reconcile import RENEW_S, RelayReconciler
from pems_actors.control.duty import steady_duty
from pems_actors.control.floor import FloorHeat, too_warm
from pems_actors.control.order import Decision, RelayMemory, neediest, settle
from pems_actors.control.rest import relay_rests_until_s
from pems_actors.control.room import RoomFacts
from pems_actors.domain.commands import SetHeating
from pems_actors.domain.events import (
    Need,
    RelayGrant,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    RoomTick,
)
from pems_actors.domain.house import Relay
from pems_actors.domain.units import QUARTER_S
from pems_actors.economics.local_hours import local_day
from pems_actors.estimation.freshness import FreshValue

LEASE_S = 900.0
TELL_AGAIN_S = 900.0  # the budget is told again what it knows, in case that it missed it
URGENT = frozenset({"frost", "guard"})


class RoomRelay:
    """Carries out what is decided about one relay; `actor` is the room that owns it."""

    def __init__(
        self,
        actor: HouseActor,
        facts: RoomFacts,
        relay: Relay,
        writer: DeviceWriter,
        stagger_s: float,
    ) -> None:
        """Own a relay; stagger_s: how much longer than others its leases last."""
        self.actor, self.facts, self.relay, self.writer = actor, facts, relay, writer
        self.device = f"relay/{relay.name}"
        self.lease_s = LEASE_S + stagger_s
        self.reconciler = RelayReconciler(actor, facts, relay, writer, stagger_s)
        self.told: RelaySwitched | None = None  # what the budget last heard at a renewal

    # --- deciding

    def on_tick(self, mind: RelayMind, need: Need, tick: RoomTick, sensor: FreshValue) -> RelayMind:
        """Look at the relay, settle what it should be and see to it."""
        if mind.memory is None:
            mind, memory = self.reconciler.found(mind, tick)
            look, written = mind.look, mind.written
        else:
            memory, look, written = self.reconciler.looked(mind, mind.memory, tick, sensor)
        needs = _heard(mind, need, tick.at_s)
        measured = tick.reading is not None and tick.reading.floor_c is not None
        floors = self._floors(mind, memory, need, tick)
        account, decision = settle(
            self.relay,
            memory,
            mind.account,
            needs,
            tick.at_s,
            blocked=tick.blocked,
            guard=mind.guard,
            floor_measured=measured or not self.facts.floors,
            floor_hot=too_warm(
                self.facts.floors,
                floors,
                needs,
                on=memory.on,
                measured=self.facts.name if measured else None,
            ),
        )
        mind = RelayMind(
            memory, account, decision, written, look, mind.needs, mind.guard, floors=floors
        )
        if decision.on and not memory.on:
            if decision.rule == "guard" and tick.reading is not None and tick.reading.relay_on:
                # the guard has done it already: take it over
                return self._switched(mind, memory, decision, tick, on=True)
            return self._asked(mind, memory, decision, tick.at_s)
        if memory.on and not decision.on:
            return self._switched(mind, memory, decision, tick, on=False)
        return self.renewed(mind, tick.at_s)

    def kept_up(self, mind: RelayMind, now_s: float) -> RelayMind:
        """Keep up what stands: ask for power again, renew the lease."""
        memory, decision = mind.memory, mind.wanted
        if memory is None or decision is None:
            return mind
        if decision.on and not memory.on:
            return self._asked(mind, memory, decision, now_s)
        return self.renewed(mind, now_s)

    def renewed(self, mind: RelayMind, now_s: float) -> RelayMind:
        """Renew the lease of what is wanted, if it is time; the budget hears what is new of it."""
        memory, decision = mind.memory, mind.wanted
        if memory is None or decision is None:
            return mind
        after = self._renewed(mind, memory, decision, now_s)
        if after is None:
            return mind
        news = self._told(decision, now_s, on=memory.on)
        if self.told is None or not news.repeats(self.told, TELL_AGAIN_S):
            self._tell_budget(news)
        return after

    def _floors(
        self, mind: RelayMind, memory: RelayMemory, need: Need, tick: RoomTick
    ) -> FloorHeat:
        """Reckon how warm the floors are; at first, as warm as the weather makes them."""
        facts, heat = self.facts, mind.floors
        if len(heat.shares) != len(facts.floors):
            usual = steady_duty(
                facts.loss_kw_k, need.target_c, tick.outdoor.temp_c, facts.free_kw, facts.power_kw
            )
            heat = FloorHeat((usual,) * len(facts.floors), tick.at_s)
        return heat.after(facts.floors, tick.at_s, was_on=memory.on)

    def seen(self, mind: RelayMind, tick: RoomTick, sensor: FreshValue) -> RelayMind:
        """Look at the relay without deciding anything."""
        if mind.memory is None:
            return mind
        return mind.seen(*self.reconciler.looked(mind, mind.memory, tick, sensor))

    def rests_until_s(self, mind: RelayMind, need: Need, now_s: float) -> float:
        """Tell until when nothing is to be done while the needs stay as they are."""
        memory, decision, guard = mind.memory, mind.wanted, mind.guard
        guarded = guard is not None and now_s < guard.until_s
        if memory is None or decision is None or guarded or mind.look.seen_s != now_s:
            return -inf  # not seen as ordered in this very moment
        needs = _heard(mind, need, now_s)
        turns_s = relay_rests_until_s(
            memory, decision, mind.account.modulator, neediest(needs), now_s
        )
        if memory.on and turns_s > now_s:
            turns_s = min(turns_s, now_s + self._cool_s(mind, needs, now_s))
        return turns_s

    def _cool_s(self, mind: RelayMind, needs: list[Need], now_s: float) -> float:
        """Tell for how long a relay may stay on without too warm a floor, in coarse steps [s]."""
        floors = self.facts.floors
        for ahead_s in (QUARTER_S, QUARTER_S / 3):
            heat = mind.floors.after(floors, now_s + ahead_s, was_on=True)
            if not too_warm(floors, heat, needs, on=True, measured=None):
                return ahead_s
        return -inf

    def _asked(
        self, mind: RelayMind, memory: RelayMemory, decision: Decision, now_s: float
    ) -> RelayMind:
        """Ask for power, and hold the relay off meanwhile: its own thermostat must not start it."""
        urgent, planned = decision.rule in URGENT, decision.rule == "plan"
        slack_k = decision.slack_k
        request = RelayRequest(self.relay.name, now_s, slack_k, urgent, planned)
        self.actor.tell(POWER_BUDGET, request)
        self.told = None  # it has to hear when nothing is wanted any more
        waits = decision._replace(rule="budget", why="waits for power")
        mind = mind._replace(asked_s=now_s)
        return self._renewed(mind, memory, waits, now_s) or mind

    # --- what the power budget says

    def on_grant(self, mind: RelayMind, grant: RelayGrant, tick: RoomTick | None) -> RelayMind:
        """Switch on by leave, or give the leave back if it is not needed any more."""
        wanted, memory, now_s = mind.wanted, mind.memory, self.actor.now_s()
        if memory is None:
            return mind
        still = wanted is not None and wanted.on and now_s <= grant.valid_until_s
        if wanted is not None and still and not memory.on:
            return self._switched(mind, memory, wanted, tick, on=True)
        self.actor.tell(POWER_BUDGET, RelaySwitched(self.relay.name, memory.on, now_s))
        return mind

    def on_shed(self, mind: RelayMind, shed: RelayShed, tick: RoomTick | None) -> RelayMind:
        """Switch off at once, and stay off for as long as is ordered."""
        memory, wanted = mind.memory, mind.wanted
        if memory is None or wanted is None:
            return mind
        until_s = shed.at_s + shed.hold_s
        memory = replace(memory, shed_until_s=until_s, shed_reason=shed.reason)
        mind = mind._replace(memory=memory)
        if not memory.on:
            return mind
        short = self.actor.now_s() - memory.since_s < self.relay.min_on_s
        off = wanted._replace(rule="breaker", why=shed.reason, breaks_dwell=short)
        return self._switched(mind, memory, off, tick, on=False)

    def tell_again(self, mind: RelayMind) -> None:
        """Tell a budget that has just started what this relay is."""
        if mind.memory is not None and mind.wanted is not None:
            now_s = self.actor.now_s()
            self._tell_budget(self._told(mind.wanted, now_s, on=mind.memory.on))

    def _told(self, decision: Decision, now_s: float, *, on: bool) -> RelaySwitched:
        """Say what the relay is, and whether it would obey."""
        ours = self.writer.is_armed(self.device)
        return RelaySwitched(self.relay.name, on, now_s, decision.slack_k, ours)

    def _tell_budget(self, news: RelaySwitched) -> None:
        self.told = news
        self.actor.tell(POWER_BUDGET, news)

    # --- writing

    def _switched(
        self,
        mind: RelayMind,
        memory: RelayMemory,
        decision: Decision,
        tick: RoomTick | None,
        *,
        on: bool,
    ) -> RelayMind:
        """Switch the relay, if the write gate lets it pass."""
        now_s = self.actor.now_s()
        after = self._write(mind, decision, now_s, on=on)
        if after is None:
            return mind
        self._tell_budget(self._told(decision, now_s, on=on))
        memory = memory.switched(on, now_s, broke_dwell=decision.breaks_dwell)
        memory = memory.counted(local_day(now_s, self.facts.timezone)) if on else memory
        shown = tick.reading.relay_on if tick is not None and tick.reading else None
        look = after.look.ordered(now_s, moves=shown is not on)
        return after._replace(memory=memory, look=look)

    def _renewed(
        self, mind: RelayMind, memory: RelayMemory, decision: Decision, now_s: float
    ) -> RelayMind | None:
        """Renew the lease by writing, and write again what the relay did not take.

        One that heats on against our order is told at every look. None if nothing was written.
        """
        waits_s = mind.written.again_s - now_s  # longer than a period: by another clock
        heats_on = not memory.on and mind.look.strays_on()
        if 0.0 < waits_s <= RENEW_S and not (mind.look.disobeyed() or heats_on):
            return None
        if mind.look.suspects(now_s, mind.written.until_s):
            return None  # one more look: a write now would cover up what a person did
        return self._write(mind, decision, now_s, on=memory.on)

    def _write(
        self, mind: RelayMind, decision: Decision, now_s: float, *, on: bool
    ) -> RelayMind | None:
        """Write a command with its lease; None if the gate did not let it pass."""
        command = SetHeating(
            relay=self.relay.name,
            on=on,
            reason=f"{decision.rule}: {decision.why}",
            level=decision.level,
            at_s=now_s,
            lease_until_s=now_s + self.lease_s,
            target_temp_c=min(decision.target_c, self.facts.limits.ceiling_c),
        )
        if not self.actor.effect(lambda: self.writer.apply(command), resource=self.device):
            return None
        until_s = command.lease_until_s if self.writer.is_armed(self.device) else -inf
        written = Written(until_s, now_s + RENEW_S)
        return mind.wrote(written, mind.look.repeated(now_s))


def _heard(mind: RelayMind, need: Need, now_s: float) -> list[Need]:
    """List the needs that count: the owner's, and those of members that were heard of lately."""
    return [need, *(n for n in mind.needs.values() if now_s - n.at_s <= NEED_LIFE_S)]
