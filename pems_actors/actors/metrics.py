"""The board: the latest state of everything, for `pems status`, `pems plan` and the dashboards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from pems_actors.actors.base import (
    BATTERY,
    CONTROL,
    INVERTER,
    MQTT,
    PLAN_KEEPER,
    PRICES,
    HouseActor,
)
from pems_actors.actors.device_writer import DeviceWriter
from pems_actors.actors.incidents import lost_news
from pems_actors.control.alarm import Outages, Trouble, next_s, rooms_on_rules, standing
from pems_actors.domain.events import (
    AlarmChanged,
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
from pems_actors.domain.house import Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan
from pems_actors.domain.states import DeviceState
from pems_actors.domain.units import QUARTER_S, iso
from pems_actors.durable.kept import OpenIncident
from pems_actors.gateways.payloads import (
    actor_json,
    alarm_json,
    in_mode,
    plan_json,
    state_json,
)
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


@dataclass(frozen=True, slots=True)
class Outage:
    """An incident that is still open, as it is shown."""

    start_s: float
    told: dict[str, Any]


@dataclass
class Board:
    """What is shown. The same board serves the successor after a crash: it only shows."""

    started_s: float
    devices: dict[str, DeviceState] = field(default_factory=dict)
    plan: Plan | None = None
    failure: PlanFailed | None = None
    prices: PriceCurve | None = None
    mode: HouseMode = HouseMode.NORMAL
    incidents: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_INCIDENTS))
    open_incidents: dict[str, Outage] = field(default_factory=dict)
    withheld: deque[Withheld] = field(default_factory=lambda: deque(maxlen=1000))
    until_s: float | None = None  # of the mode
    outages: Outages = field(default_factory=Outages)
    alarm: AlarmChanged | None = None


class MetricsActor(HouseActor):
    """Hears everything and answers questions; decides nothing but when to raise the alarm.

    relays: of the house, for explanations.    edge: what the connection to the broker has counted.
    """

    state: Board

    def __init__(
        self,
        context: Context,
        writer: DeviceWriter,
        *,
        demo: bool,
        relays: tuple[Relay, ...] = (),
        edge: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        super().__init__(context)
        self.writer, self.demo, self.edge = writer, demo, edge
        self.relays = {relay.name: relay for relay in relays}
        self.counted = -1.0  # the quarter hour of the last counters kept
        self.watch_s = -inf  # when the alarm may change next, unless something happens

    def on_start(self) -> None:
        """Ask for the plan in force, the prices and the mode that stands."""
        super().on_start()
        self.after(SAMPLE_S, Tick())
        for address in (PLAN_KEEPER, PRICES, CONTROL):
            self.tell(address, Republish())

    def first_state(self) -> Board:
        """Begin with an empty board; it fills with the next messages."""
        return Board(self.now_s())

    @property
    def board(self) -> Board:
        """What is shown."""
        return self.state

    def on_receive(self, message: object) -> Any:
        """Carry each message to its place on the board."""
        match message:
            case IncidentOpened() | IncidentClosed():
                self.watch_s = -inf
                self._on_incident(message)
            case Tick():
                self.after(SAMPLE_S, Tick())
                self._keep_counters(self.now_s())
                self._look_for_lost_news()
                self._watch()
            case Republish():
                if self.board.alarm is not None:
                    self.tell(MQTT, self.board.alarm)
            case Request():
                return self.answer(self._on_request(message))
            case _ if not self._shown(message):
                return super().on_receive(message)
        return None

    def _keep_counters(self, now_s: float) -> None:
        """Keep the counts once a quarter hour; they only ever grow."""
        quarter = now_s // QUARTER_S
        if quarter != self.counted:
            self.counted = quarter
            self.keep("counters", dict(self.context.system.counters()))

    def _shown(self, news: object) -> bool:
        """Put news on the board; False if it has no place there."""
        board = self.board
        match news:
            case DeviceState():
                before = board.devices.get(news.path)
                if before is None or (before.level, before.since_s) != (news.level, news.since_s):
                    self.watch_s = -inf
                board.devices[news.path] = news
                board.outages = board.outages.heard(news)
            case PlanAdopted(plan=plan):
                board.plan, board.failure = plan, None
            case PlanFailed():
                board.failure = news
            case PriceCurve():
                board.prices = news
            case ModeChanged(mode=mode, until_s=until_s):
                board.mode, board.until_s = mode, until_s
            case Withheld():
                board.withheld.append(news)
            case _:
                return False
        return True

    def _on_incident(self, event: IncidentOpened | IncidentClosed) -> None:
        told = {
            "id": event.id,
            "path": event.path,
            "cause": event.cause,
            "start": iso(event.start_s),
            "end": None,
            "level": event.level,
        }
        board = self.board
        if isinstance(event, IncidentOpened):
            board.outages = board.outages.opened(event.id, event.level)
            board.open_incidents[event.id] = Outage(event.start_s, told)
            return
        if event.id not in board.open_incidents and event.id in {t["id"] for t in board.incidents}:
            return  # its end was taken from the book already
        board.open_incidents.pop(event.id, None)
        board.outages, told["level"] = board.outages.closed(event.id, event.level)
        told["end"] = iso(event.end_s)
        board.incidents.append(told)
        self.keep("incident", told)

    def _look_for_lost_news(self) -> None:
        """Show no incident that is over, and miss none: a message to the board may get lost."""
        shown = (
            OpenIncident(outage.told["path"], name, outage.told["cause"], outage.start_s)
            for name, outage in self.board.open_incidents.items()
        )
        for event in lost_news(self, shown):
            self.watch_s = -inf
            self._on_incident(event)

    def _watch(self) -> None:
        """Raise the alarm when something has been wrong for half an hour, and end it again."""
        board, now_s = self.board, self.now_s()
        if now_s < self.watch_s:
            return
        out = (
            Trouble(
                outage.start_s,
                outage.told["path"],
                outage.told["cause"],
                _level(board.outages.reached.get(outage_id)),
            )
            for outage_id, outage in board.open_incidents.items()
        )
        rooms = rooms_on_rules(board.devices.values(), board.started_s)
        troubles = (*out, *rooms)
        self.watch_s = next_s(troubles, now_s)
        found, before = standing(troubles, now_s), board.alarm
        since_s, level = (None, None) if found is None else (found.since_s, found.level)
        if before is not None and before.since_s == since_s and before.level == level:
            return  # the words of a reason change all the time
        reason = "" if found is None else in_mode(found.reason, board.mode)
        alarm = board.alarm = AlarmChanged(now_s, since_s, reason, level)
        self.tell(MQTT, alarm)
        if found is not None or before is not None:
            self.keep("alarm", alarm_json(alarm))

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
        """The worst level of any device, its reason and since when.

        A house has a level since the first device went there; all follow the plan since the last.
        """
        acting = [
            device
            for path, device in self.board.devices.items()
            if path.startswith("rooms/") or path in {BATTERY, INVERTER}
        ]
        if not acting:
            return Level.RULES, "just started", self.now_s()
        level = max(device.level for device in acting)
        there = sorted((d for d in acting if d.level is level), key=lambda d: d.since_s)
        worst = there[-1] if level is Level.PLAN else there[0]
        reason = in_mode(worst.reason, self.board.mode)
        return worst.level, f"{worst.path}: {reason}", worst.since_s

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
            "mode_until": None if board.until_s is None else iso(board.until_s),
            "alarm": None
            if board.alarm is None or board.alarm.since_s is None
            else alarm_json(board.alarm),
            "demo": self.demo,
            "armed": sorted(self.writer.armed) if self.writer.armed is not None else "all",
            "tree": [actor_json(status) for status in self.context.system.tree()],
            "devices": {
                path: state_json(state, board.mode) for path, state in sorted(board.devices.items())
            },
            "counters": dict(self.context.system.counters()),
            "writes": {
                "this_life": self.writer.written,
                "all_lives": self.writer.journal.writes,
                "withheld": self.writer.withheld,
            },
            "edge": dict(self.edge()),
            "incidents": [
                *(outage.told for outage in board.open_incidents.values()),
                *list(board.incidents)[-20:],
            ],
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
        try:
            at_s = float(str(request.args.get("at_s", self.now_s())))
        except ValueError:
            raise LookupError("at_s is no time; give seconds since 1970, or leave it out") from None
        places = (f"{branch}/{subject}" for branch in ("rooms", "devices", "loads"))
        state = next((s for s in map(self.board.devices.get, places) if s is not None), None)
        relay = self.relays.get(subject)
        return dict(explain(self.board.plan, self.board.prices, subject, at_s, state, relay))

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


def _level(reached: int | None) -> Level | None:
    return None if reached is None else Level(reached)
