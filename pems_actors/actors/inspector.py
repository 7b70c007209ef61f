"""The inspector: looks at every picture for what cannot be true, and tells those whom it concerns.

Control does not need it: without it rooms go by their own sensors' timers. So it may crash and
park, and what it last said is forgotten after three ticks.
"""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import GATEWAY, PLAN_KEEPER, PLANNER, POWER_BUDGET, HouseActor
from pems_actors.actors.incidents import begin_with, close_incident, open_incident
from pems_actors.control.reconcile import LastOrder
from pems_actors.domain.events import Republish
from pems_actors.domain.findings import (
    OF_THE_CLOCK,
    ClockJumped,
    Finding,
    FindingKind,
    Inspected,
    OutOfService,
    ToInspect,
)
from pems_actors.domain.forecasts import WeatherForecast
from pems_actors.domain.house import House
from pems_actors.domain.levels import Level
from pems_actors.domain.states import DeviceState, Value
from pems_actors.estimation.heard import missed_since
from pems_actors.estimation.inspection import Inspection, Inspector, Open
from pems_actors.estimation.wording import Speaker
from supervision import Context, Health

REPUBLISH_S = 900.0
OURS = frozenset(FindingKind) - OF_THE_CLOCK - {FindingKind.IGNORES}


class InspectorActor(HouseActor):
    """Its state is the inspection so far; a successor goes on with it."""

    state: Inspection

    def __init__(self, context: Context, house: House, tick_s: float) -> None:
        super().__init__(context)
        self.inspector = Inspector(house, tick_s)
        self.speaker = Speaker(self.inspector)
        self.published_s = float("-inf")
        self.devices = tuple(f"relay/{relay}" for relay in self.inspector.relays)
        self.noted: list[LastOrder | None] = [None] * len(self.devices)  # orders that it knows

    def on_start(self) -> None:
        """Tell again what has stood since before a restart: it is one incident, not two."""
        begins = self.state is None
        super().on_start()
        if begins:
            begin_with(self, OURS, self.state.findings)

    def first_state(self) -> Inspection:
        """Begin with nothing heard: the clocks of all sensors run from now on.

        Findings from before a restart stand until they are not found again. Who was
        missed is missed at once again, though nothing was ever heard of it; a sensor that was
        refused has to fit to what was believed in its place.
        """
        now_s, kept = self.now_s(), self.recall() or ()
        missed = {finding.device for finding in kept if finding.what is FindingKind.SILENT}
        held_c = {f.device.partition("/")[2]: f.held_c for f in kept if f.held_c is not None}
        return self.inspector.first(now_s, held_c)._replace(
            open={finding.path: Open(finding, now_s) for finding in kept},
            heard=missed_since(frozenset(missed), now_s),
        )

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case ToInspect():
                self._on_picture(message)
            case WeatherForecast():
                self.state = self.state.with_forecast(message)
            case ClockJumped(by_s=by_s):
                self.state = self.state.shifted(by_s)
            case Republish():
                self._tell_service(self.speaker.out_of_service(self.state))
            case _:
                return super().on_receive(message)
        return None

    def _on_picture(self, picture: ToInspect) -> None:
        before, reading = self._commanded(self.state), picture.reading
        after = self.inspector.look(before, reading, blocked=picture.blocked)
        after = self.state = self.speaker.told(after, reading)
        self._tell_gateway(after, reading.at_s)
        if after.relays is not before.relays:
            service = self.speaker.out_of_service(after)
            if service.relays != self.speaker.out_of_service(before).relays:
                self._tell_service(service)
        if after.open is not before.open and after.open.keys() != before.open.keys():
            self._tell_findings(before, after)
            self.remember(self._kept(after, reading.at_s))
            self._publish(reading.at_s)
        elif reading.at_s - self.published_s >= REPUBLISH_S:
            kept = self._kept(after, reading.at_s)
            if any(finding.held_c is not None for finding in kept):
                self.remember(kept)
            self._publish(reading.at_s)

    def _kept(self, here: Inspection, now_s: float) -> tuple[Finding, ...]:
        """List what stands, with what is believed in the place of refused sensors."""
        inspected = self.speaker.inspected(here, now_s) or Inspected(now_s)
        held_c = {f"rooms/{name}": inspected.estimates_c[name] for name in inspected.refused}
        return tuple(f._replace(held_c=held_c.get(f.device)) for f in here.findings)

    def _commanded(self, here: Inspection) -> Inspection:
        """Take in what was ordered since the last picture: by the journal, which misses nothing.

        Orders from before this inspection may have been given back to a person since.
        """
        if self.memory is None:
            return here
        orders = self.memory.journal.orders(self.devices)
        if orders == self.noted:
            return here
        news = {
            relay: last
            for relay, last, before in zip(self.inspector.relays, orders, self.noted, strict=True)
            if last is not None and last is not before and last.at_s >= here.born_s
        }
        self.noted = orders
        return self.inspector.commanded(here, news)

    def _tell_gateway(self, here: Inspection, now_s: float) -> None:
        """Say whom not to believe, as long as there is somebody."""
        inspected = self.speaker.inspected(here, now_s)
        if inspected is not None:
            self.tell(GATEWAY, inspected)

    def _tell_service(self, service: OutOfService) -> None:
        for address in (PLANNER, PLAN_KEEPER, POWER_BUDGET):
            self.tell(address, service)

    def _tell_findings(self, before: Inspection, after: Inspection) -> None:
        for path in sorted(before.open.keys() - after.open.keys()):
            close_incident(self, before.open[path].finding)
        for path in sorted(after.open.keys() - before.open.keys()):
            finding = after.open[path].finding
            open_incident(self, finding)
            said = {"device": finding.device, "kind": finding.what, "reason": finding.reason}
            self.keep("finding", said)

    def _publish(self, now_s: float) -> None:
        """Tell all findings that stand; they are what a person should look at."""
        self.published_s = now_s
        findings = sorted(self.state.findings)
        told = "; ".join(f"{f.device}: {f.reason}" for f in findings)
        state = Health.DEGRADED if findings else Health.RUNNING
        self.health(state, told[:300] or "nothing found")
        values = (
            ("findings", Value(len(findings), "")),
            *((f.path, Value(f.reason, "", age_s=now_s - f.since_s)) for f in findings),
        )
        since_s = min((f.since_s for f in findings), default=self.state.born_s)
        reason = f"{len(findings)} findings" if findings else "nothing found"
        self.publish(DeviceState(self.path, now_s, Level.PLAN, reason, values, since_s))
