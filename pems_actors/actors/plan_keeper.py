"""The plan keeper: holds the plan in force, gives each device its part, and says when it ends."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from pems_actors.actors.base import (
    BATTERY,
    INSPECTOR,
    INVERTER,
    METRICS,
    MQTT,
    HouseActor,
    load_address,
    room_address,
)
from pems_actors.control.plan_views import energy_plan, fits, load_plan, room_plan
from pems_actors.domain.events import PlanAdopted, PlanFailed, Republish, Tick
from pems_actors.domain.findings import ClockJumped, OutOfService
from pems_actors.domain.house import House
from pems_actors.domain.plan import Plan
from supervision import Context, Health


@dataclass(frozen=True, slots=True)
class KeeperMind:
    """The plan in force, the last reason why a newer one did not come, and who does not obey."""

    adopted: PlanAdopted | None = None
    failure: PlanFailed | None = None
    disobey: frozenset[str] = frozenset()  # relays that are out of service


class PlanKeeperActor(HouseActor):
    """An older plan never replaces a newer one."""

    state: KeeperMind

    def __init__(self, context: Context, house: House) -> None:
        super().__init__(context)
        self.house = house

    def on_start(self) -> None:
        """Begin with what the predecessor held, and hand it out again."""
        super().on_start()
        self.tell(INSPECTOR, Republish())
        if self.state.adopted is not None:
            self._hand_out(self.state.adopted)

    def first_state(self) -> KeeperMind:
        """Begin with the plan that was in force before a restart, if it is of this house."""
        adopted = self.recall()
        if adopted is None or not fits(adopted.plan, self.house):
            return KeeperMind()
        return KeeperMind(adopted)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case PlanAdopted():
                self._adopt(message)
            case PlanFailed():
                self.state = replace(self.state, failure=message)
                self.keep("plan_failed", {"reason": message.reason})
                self.tell(METRICS, message)
            case Republish():
                if self.state.adopted is not None:
                    self._hand_out(self.state.adopted)
            case OutOfService():
                self._on_service(message.relays)
            case Tick():
                self._on_expiry()
            case ClockJumped():  # what was issued by another time must not hold back a newer plan
                self.state = replace(self.state, adopted=None)
            case _:
                return super().on_receive(message)
        return None

    def _adopt(self, news: PlanAdopted) -> None:
        current = self.state.adopted
        if current is not None and news.plan.issued_at_s < current.plan.issued_at_s:
            return
        if not self.effect(lambda: None):  # a late adoption by a fenced predecessor ends here
            return
        self.state = replace(self.state, adopted=news, failure=None)
        self._hand_out(news)
        self.remember(news)
        self.keep("plan", _summary(news.plan))

    def _hand_out(self, adopted: PlanAdopted) -> None:
        plan = adopted.plan
        now_s = self.now_s()
        self._tell_rooms(plan)
        for load in self.house.loads:
            self.tell(load_address(load.name), load_plan(plan, load.name))
        energy = energy_plan(plan)
        for address in (BATTERY, INVERTER):
            self.tell(address, energy)
        for address in (MQTT, METRICS):
            self.tell(address, adopted)
        fresh = now_s < plan.valid_until_s
        self.health(
            Health.RUNNING if fresh else Health.FALLBACK,
            "plan in force" if fresh else "the plan has expired",
            int(plan.level) if fresh else 2,
        )
        if fresh:
            self.after(plan.valid_until_s - now_s, Tick())

    def _on_service(self, disobey: frozenset[str]) -> None:
        """Let the rooms of relays that do not obey go by their rules, and no others."""
        turned, adopted = disobey ^ self.state.disobey, self.state.adopted
        self.state = replace(self.state, disobey=disobey)
        if adopted is not None:
            self._tell_rooms(adopted.plan, turned)

    def _tell_rooms(self, plan: Plan, relays: Collection[str] | None = None) -> None:
        """Give each room its part, or only those heated by some relays."""
        for room in self.house.rooms:
            relay = self.house.relay_of(room.name)
            name = relay.name if relay is not None else ""
            if relays is None or name in relays:
                part = room_plan(plan, room.name, relay, obeys=name not in self.state.disobey)
                self.tell(room_address(room.name), part)

    def _on_expiry(self) -> None:
        adopted, failure = self.state.adopted, self.state.failure
        if adopted is None or self.now_s() < adopted.plan.valid_until_s:
            return
        why = failure.reason if failure is not None else "no newer plan came"
        self.health(Health.FALLBACK, f"the plan has expired: {why}", 2)
        self.keep("plan_expired", {"reason": why})


def _summary(plan: Plan) -> dict[str, object]:
    return {
        "issued_at_s": plan.issued_at_s,
        "level": int(plan.level),
        "totals": dict(plan.totals),
        "softened": [[s.limit, s.by] for s in plan.softened],
        "status": plan.solver.status,
    }
