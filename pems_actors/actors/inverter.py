"""The inverter: export allowed or not, by plan, else by price."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any, NamedTuple

from pems_actors.actors.base import CONTROL, PLAN_KEEPER, PRICES, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.control.inverter import ExportChoice, choose_export
from pems_actors.control.reconcile import Finding, export_text, found_at_start
from pems_actors.control.rest import next_change_s
from pems_actors.domain.commands import SetExport
from pems_actors.domain.events import (
    Armed,
    EnergyPlan,
    EnergyTick,
    HouseMode,
    ModeChanged,
    Outcome,
    Republish,
    Request,
)
from pems_actors.domain.findings import ClockJumped
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import InverterReading, Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.durable.kept import InverterKept
from supervision import Context, Health

LEASE_S = 900.0
RENEW_S = 300.0
REPUBLISH_S = 300.0
CHOICE_S = 3600.0


class InverterMind(NamedTuple):
    """All that the inverter actor remembers."""

    plan: EnergyPlan | None = None
    prices: PriceCurve | None = None
    mode: HouseMode = HouseMode.NORMAL
    user_allowed: bool = True
    user_until_s: float = -inf
    reading: InverterReading | None = None
    choice: ExportChoice | None = None
    renew_at_s: float = -inf
    since_s: float = -inf
    told_s: float = -inf
    told: tuple[object, ...] = ()
    clock_trusted: bool = True

    def permission(self) -> bool:
        """What the inverter is allowed just now: as read, else as last ordered, else all."""
        if self.reading is not None and self.reading.export_allowed is not None:
            return self.reading.export_allowed
        return self.choice.allowed if self.choice is not None else True


class InverterActor(HouseActor):
    """Decides on export once per tick."""

    state: InverterMind

    def __init__(self, context: Context, writer: DeviceWriter) -> None:
        super().__init__(context)
        self.writer = writer
        self.decide_s = -inf  # when it must decide anew, if nothing else happens
        self.decided_on: tuple[object, ...] = ()

    def on_start(self) -> None:
        """Begin without a plan; ask for the one in force and for prices."""
        super().on_start()
        for address in (PLAN_KEEPER, PRICES, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> InverterMind:
        """Begin with a person's choice from before a restart, if it still stands."""
        kept = self.recall()
        if kept is None:
            return InverterMind()
        return InverterMind(user_allowed=kept.user_allowed, user_until_s=kept.user_until_s)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case EnergyTick():
                self._on_tick(message)
            case EnergyPlan():
                self.decide_s = -inf
                self.state = self.state._replace(plan=message)
            case PriceCurve():
                self.decide_s = -inf
                self.state = self.state._replace(prices=message)
            case ModeChanged():
                self._on_mode(message.mode)
            case ClockJumped():
                self.decide_s = -inf
                self.state = self.state._replace(renew_at_s=-inf)
            case Armed():
                self.decide_s = -inf
                self.state = self.state._replace(choice=None, renew_at_s=-inf)
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _on_tick(self, tick: EnergyTick) -> None:
        """Decide anew when something has changed that the last decision rests on."""
        reading, trusted = tick.inverter or self.state.reading, tick.clock_trusted
        self.state = self.state._replace(reading=reading, clock_trusted=trusted)
        if self.state.choice is None:
            self._adopt(tick.at_s)
        rests_on = (trusted, self.state.permission())
        if tick.at_s >= self.decide_s or rests_on != self.decided_on:
            self._decide(tick.at_s)
            self.decided_on = rests_on
            mind = self.state
            ends_s = (mind.told_s + REPUBLISH_S, mind.user_until_s)
            self.decide_s = min(mind.renew_at_s, next_change_s(mind.plan, tick.at_s, *ends_s))

    def _adopt(self, now_s: float) -> None:
        """Leave the device alone after a restart if it still is as we last ordered."""
        last, reading = self.last_order("inverter"), self.state.reading
        allowed = reading.export_allowed if reading is not None else None
        if last is None or allowed is None:
            return
        if found_at_start(last, export_text(allowed), now_s, None) is Finding.ADOPT:
            as_found = ExportChoice(allowed, Level.RULES, "as found")
            self.state = self.state._replace(choice=as_found, renew_at_s=last.at_s + RENEW_S)

    def _on_mode(self, mode: HouseMode) -> None:
        """Take a new mode; the next write comes at once, whatever was written before it."""
        before = self.state
        if mode is before.mode:
            return
        self.decide_s = -inf
        self.state = before._replace(mode=mode, renew_at_s=-inf)
        if before.choice is not None:
            self._decide(self.now_s())

    def _decide(self, now_s: float) -> None:
        mind = self.state
        choice = choose_export(
            mind.plan,
            mind.prices,
            mind.user_until_s,
            mind.user_allowed,
            mind.mode,
            now_s,
            as_it_is=mind.permission(),
            clock_trusted=mind.clock_trusted,
        )
        changed = mind.choice is None or choice.allowed != mind.choice.allowed
        ours = choice.level is not Level.NATIVE or not mind.permission()  # it must be given back
        if ours and (changed or now_s >= mind.renew_at_s):
            command = SetExport(choice.allowed, choice.reason, choice.level, now_s, now_s + LEASE_S)
            if self.effect(lambda: self.writer.apply(command), resource="inverter"):
                self.state = self.state._replace(renew_at_s=now_s + RENEW_S)
        begins = not isfinite(mind.since_s)  # also where a choice outlived a restart
        climbed = begins or mind.choice is None or mind.choice.level is not choice.level
        if climbed or choice != mind.choice:
            since_s = now_s if climbed else mind.since_s
            self.state = self.state._replace(choice=choice, since_s=since_s)
        self._tell_state(choice, now_s)

    def _on_request(self, request: Request) -> Outcome:
        outcome, reason = self._obey(request)
        return Outcome(request.id, self.path, request.verb, outcome, reason, self.now_s())

    def _obey(self, request: Request) -> tuple[str, str]:
        now_s = self.now_s()
        if request.verb == "release":
            self.state = self.state._replace(user_until_s=-inf)
            self.remember(InverterKept(True, -inf))
            self._decide(now_s)
            return "done", "export follows the plan again"
        if request.verb != "export":
            return "rejected", f"the inverter knows no {request.verb!r}; try export or release"
        args: Mapping[str, Any] = request.args
        allowed, until_s = args["allowed"], now_s + args.get("for_s", CHOICE_S)
        self.state = self.state._replace(user_allowed=allowed, user_until_s=until_s)
        self.remember(InverterKept(allowed, until_s))
        self._decide(now_s)
        word, now = "allowed" if allowed else "forbidden", self.state.choice
        if now is not None and now.allowed != allowed:
            return "done", f"export {word} is noted; just now not so: {now.reason}"
        return "done", f"export {word}"

    def _tell_state(self, choice: ExportChoice, now_s: float) -> None:
        mind = self.state
        summary = (choice.level, choice.allowed, choice.reason)
        if summary == mind.told and now_s - mind.told_s < REPUBLISH_S:
            return
        if summary != mind.told:
            state = Health.RUNNING if choice.level <= Level.LATE else Health.FALLBACK
            self.health(state, choice.reason, int(choice.level))
        self.state = mind._replace(told=summary, told_s=now_s)
        reading = mind.reading
        age_s = now_s - reading.at_s if reading else 0.0
        pv_kw = reading.pv_kw if reading else None
        quality = Quality.GOOD if pv_kw is not None else Quality.MISSING
        values = (
            ("pv_kw", Value(pv_kw, "kW", quality, age_s)),
            ("export_allowed", Value(choice.allowed, "")),
        )
        self.publish(
            DeviceState(self.path, now_s, choice.level, choice.reason, values, mind.since_s)
        )
