"""What happened in the house, told to whoever keeps it: log, history, metrics, MQTT.

Hears every command at the write gate, every event of the supervision tree and every problem of the
remembered state. It decides nothing and waits for nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from pems_actors.actors.base import HISTORY, METRICS, MQTT, Record
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.metrics import Withheld
from pems_actors.domain.commands import (
    DeviceCommand,
    SetBatteryMode,
    SetExport,
    SetHeating,
    SetLoad,
    device_of,
)
from pems_actors.domain.events import TreeChanged
from pems_actors.domain.units import iso
from pems_actors.durable.incident_book import IncidentBook
from pems_actors.durable.memory import Phase, StateProblem
from supervision import ActorSystem, Event
from supervision.events import (
    ChildFailed,
    ChildHung,
    ChildParked,
    ChildRestarted,
    HealthChanged,
    IncidentClosed,
    IncidentOpened,
)


class HouseRecord:
    """Hands on what happened; `system` is set before anything does."""

    system: ActorSystem

    def __init__(
        self, log: Callable[[str], None], watch: Callable[[Event], None], book: IncidentBook
    ) -> None:
        self.log, self.watch, self.book = log, watch, book
        self.chronicle = Chronicle()
        self._decided: dict[str, tuple[object, ...]] = {}
        self._doing: dict[str, tuple[str, int | None]] = {}
        self._state_since: dict[str, tuple[float, str]] = {}

    def command(self, command: DeviceCommand, written: bool) -> None:
        """Record each command; called under the gate's lock, so it only hands over."""
        device, orders = device_of(command), _orders(command)
        self.log(_line(command, device, orders, written=written))
        told = (written, command.level, orders)
        if self._decided.get(device) == told:
            return  # a renewal of the lease: the same order again
        self._decided[device] = told
        body = {
            "device": device,
            "written": written,
            "level": int(command.level),
            "reason": command.reason,
            "lease_until": iso(command.lease_until_s),
            "command": repr(command),
        }
        self.system.tell(HISTORY, Record("decision", command.at_s, body))
        if not written:
            self.system.tell(METRICS, Withheld(command.at_s, device, repr(command)))

    def state_problem(self, problem: StateProblem) -> None:
        """Tell what is wrong with the remembered state, as an incident and as a record."""
        now_s, where = self.system.runtime.now_s(), f"state/{problem.name}"
        said = {"name": problem.name, "reason": problem.reason, "phase": problem.phase.value}
        self.system.tell(HISTORY, Record("state_problem", now_s, said))
        start_s, cause = self._state_since.pop(where, (now_s, problem.reason))
        emit = self.system.journal.emit
        if problem.phase is not Phase.OVER:
            emit(IncidentOpened(now_s, where, f"{where}@{now_s:.0f}", cause, start_s, None))
        if problem.phase is Phase.BEGINS:
            self._state_since[where] = (start_s, cause)
        else:
            emit(
                IncidentClosed(now_s, where, f"{where}@{start_s:.0f}", cause, start_s, now_s, None)
            )

    def event(self, event: Event) -> None:
        """Log an event of the tree, and tell those whom it concerns."""
        if isinstance(event, IncidentOpened | IncidentClosed):
            if self.book.knows(event):
                return  # its actor has lost its mind, and tells it anew
            self._note_incident(event)
        line = event.line()
        self.log(line)
        self.watch(event)
        self.chronicle.note(self.system.runtime.process_s(), event.path, type(event).__name__, line)
        if isinstance(event, IncidentOpened | IncidentClosed):
            self.system.tell(METRICS, event)
            self.system.tell(MQTT, event)
        elif self._changes_the_tree(event):
            self.system.tell(MQTT, TreeChanged())

    def close_incidents_left_open(self) -> None:
        """End the incidents of an earlier process that no actor of this one has taken over."""
        for end in self.book.left_open(self.system.runtime.now_s()):
            self.system.journal.emit(end)

    def _note_incident(self, event: IncidentOpened | IncidentClosed) -> None:
        before = self.book.replaced_by(event)
        if before is not None:
            self.system.journal.emit(before)
        self.book.note(event)

    def _changes_the_tree(self, event: Event) -> bool:
        """Tell if somebody does better or worse than before; a new reason alone is no news."""
        if isinstance(event, HealthChanged):
            before, now = self._doing.get(event.path), (event.state, event.level)
            self._doing[event.path] = now
            return now != before and event.path != MQTT  # which has just told its own
        return isinstance(event, ChildFailed | ChildHung | ChildRestarted | ChildParked)


def _line(command: DeviceCommand, device: str, orders: tuple[object, ...], *, written: bool) -> str:
    """Write a command as one line of the log: time, device, what was ordered, until when, why."""
    verb, what = "write" if written else "withhold", " ".join(map(str, orders))
    return (
        f"{command.at_s:.3f} {device} {verb} {what} level={int(command.level)} "
        f"until={command.lease_until_s:.0f} {command.reason}"
    )


def _orders(command: DeviceCommand) -> tuple[object, ...]:
    """What a command orders, without its reason and times."""
    match command:
        case SetHeating(on=on):
            return (on,)
        case SetBatteryMode(mode=mode, rate_kw=rate_kw, stop_soc_frac=stop_soc_frac):
            return (mode, rate_kw, stop_soc_frac)
        case SetExport(allowed=allowed):
            return (allowed,)
        case SetLoad(on=on):
            return (on,)
