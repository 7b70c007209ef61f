"""The board: the latest state of everything, for `pems status`, `pems plan` and the dashboards."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from pems_actors.actors.base import BATTERY, INVERTER, PLAN_KEEPER, HouseActor
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.domain.events import (
    HouseMode,
    ModeChanged,
    Outcome,
    PlanAdopted,
    PlanFailed,
    Republish,
    Request,
    Tick,
)
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import iso
from pems_actors.gateways.payloads import actor_json, plan_json, state_json
from pems_actors.optimisation.why import explain
from supervision import Context
from supervision.events import IncidentClosed, IncidentOpened

SAMPLE_S = 60.0
KEPT_INCIDENTS = 200


@dataclass(frozen=True, slots=True)
class Withheld:
    """A command that advisory mode kept from its device."""

    at_s: float
    device: str
    said: str


@dataclass
class Board:
    """What is shown; it is rebuilt from the next messages after a restart."""

    devices: dict[str, DeviceState] = field(default_factory=dict)
    plan: Plan | None = None
    failure: PlanFailed | None = None
    prices: PriceCurve | None = None
    mode: HouseMode = HouseMode.NORMAL
    incidents: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_INCIDENTS))
    open_incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    withheld: deque[Withheld] = field(default_factory=lambda: deque(maxlen=1000))


class MetricsActor(HouseActor):
    """Hears everything and answers questions; decides nothing."""

    def __init__(self, context: Context, writer: DeviceWriter, *, demo: bool) -> None:
        super().__init__(context)
        self.writer, self.demo = writer, demo
        self.board = Board()

    def on_start(self) -> None:
        """Ask for the plan in force."""
        self.after(SAMPLE_S, Tick())
        self.tell(PLAN_KEEPER, Republish())

    def on_receive(self, message: object) -> Any:
        """Carry each message to its place on the board."""
        board = self.board
        match message:
            case DeviceState():
                board.devices[message.path] = message
            case PlanAdopted(plan=plan):
                board.plan, board.failure = plan, None
            case PlanFailed():
                board.failure = message
            case PriceCurve():
                board.prices = message
            case ModeChanged(mode=mode):
                board.mode = mode
            case Withheld():
                board.withheld.append(message)
            case IncidentOpened() | IncidentClosed():
                self._on_incident(message)
            case Tick():
                self.after(SAMPLE_S, Tick())
                self.keep("counters", dict(self.context.system.counters()))
            case Request():
                return self.answer(self._on_request(message))
            case _:
                return super().on_receive(message)
        return None

    def _on_incident(self, event: IncidentOpened | IncidentClosed) -> None:
        told = {
            "id": event.id,
            "path": event.path,
            "cause": event.cause,
            "start": iso(event.start_s),
            "end": None,
            "level": event.level,
        }
        if isinstance(event, IncidentOpened):
            self.board.open_incidents[event.id] = told
            return
        self.board.open_incidents.pop(event.id, None)
        told["end"] = iso(event.end_s)
        self.board.incidents.append(told)
        self.keep("incident", told)

    def _on_request(self, request: Request) -> Outcome:
        shows = {
            "status": self._status,
            "plan": self._plan,
            "explain": lambda: self._explain(request),
            "shadow": self._shadow,
            "prices": self._prices,
        }
        try:
            result = shows[request.verb]()
        except LookupError as problem:
            reason = str(problem.args[0]) if problem.args else "not known"
            return Outcome(request.id, self.path, request.verb, "rejected", reason, self.now_s())
        return Outcome(request.id, self.path, request.verb, "done", "", self.now_s(), result)

    def _level(self) -> tuple[Level, str, float]:
        """The worst level of any device, its reason and since when."""
        acting = [
            device
            for path, device in self.board.devices.items()
            if path.startswith("rooms/") or path in {BATTERY, INVERTER}
        ]
        if not acting:
            return Level.RULES, "just started", self.now_s()
        worst = max(acting, key=lambda d: (d.level, -d.since_s))
        return worst.level, f"{worst.path}: {worst.reason}", worst.since_s

    def _status(self) -> dict[str, Any]:
        now_s, board = self.now_s(), self.board
        level, reason, since_s = self._level()
        plan = board.plan
        return {
            "time": iso(now_s),
            "level": int(level),
            "reason": reason,
            "since": iso(since_s),
            "plan_age_s": None if plan is None else round(now_s - plan.issued_at_s, 1),
            "plan_cost": None if plan is None else plan.totals.get("cost"),
            "planner": board.failure.reason if board.failure else "ok",
            "mode": board.mode.value,
            "demo": self.demo,
            "armed": sorted(self.writer.armed) if self.writer.armed is not None else "all",
            "tree": [actor_json(status) for status in self.context.system.tree()],
            "devices": {path: state_json(state) for path, state in sorted(board.devices.items())},
            "counters": dict(self.context.system.counters()),
            "incidents": [*board.open_incidents.values(), *list(board.incidents)[-20:]],
        }

    def _plan(self) -> dict[str, Any]:
        if self.board.plan is None:
            why = self.board.failure.reason if self.board.failure else "the first one is on its way"
            raise LookupError(f"no plan in force: {why}")
        shown = plan_json(self.board.plan)
        return {**shown, "prices": self._prices() if self.board.prices else None}

    def _explain(self, request: Request) -> dict[str, Any]:
        if self.board.plan is None:
            raise LookupError("no plan in force, so the rules decide; see pems status")
        subject = str(request.args.get("subject", ""))
        at_s = float(str(request.args.get("at_s", self.now_s())))
        state = self.board.devices.get(f"rooms/{subject}") or self.board.devices.get(
            f"devices/{subject}"
        )
        return dict(explain(self.board.plan, self.board.prices, subject, at_s, state))

    def _shadow(self) -> dict[str, Any]:
        rows = [
            {"at": iso(w.at_s), "device": w.device, "would": w.said} for w in self.board.withheld
        ]
        return {"withheld": self.writer.withheld, "written": self.writer.written, "last": rows}

    def _prices(self) -> dict[str, Any]:
        prices = self.board.prices
        if prices is None:
            raise LookupError("no prices yet")
        return {
            "currency": prices.currency,
            "source": prices.source,
            "published_until": iso(prices.published_until_s),
            "start": [iso(s) for s in prices.grid.starts_s],
            "import_per_kwh": prices.import_per_kwh,
            "export_per_kwh": prices.export_per_kwh,
            "blocked": prices.blocked,
        }
