"""What a drill saw: events and looks in, times and violations out. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pems_actors.cli.words import level_name, value_of

FAILURES = frozenset({"ChildFailed", "ChildHung", "WorkerFailed"})
OVERFLOWS = frozenset({"MailboxOverflow"})
ANEW = "ChildReady"  # the first start in a core's life
RETURNS = frozenset({"ChildRestarted", ANEW, "ChildUnparked", "WorkerReady"})
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the house that must hold whatever breaks."""

    frost_c: float = 7.0
    ceiling_c: float = 27.0
    import_kw: float = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A drill as data. Times are process seconds from the injection; None: did not happen."""

    fault: str
    target: str
    detect_s: float | None
    recover_s: float | None
    level_reached: int | None
    violations: int
    looks: int

    @property
    def well(self) -> bool:
        """Whether all limits held and what was noticed was mended."""
        return self.violations == 0 and (self.detect_s is None or self.recover_s is not None)


@dataclass
class Looks:
    """What was seen of the house while it was disturbed."""

    limits: Limits
    target: str
    count: int = 0
    level: int | None = None
    broken: dict[str, None] = field(default_factory=dict)  # in the order they were seen

    def take(self, status: Told) -> None:
        """Note the level and every limit that does not hold in one look."""
        self.count += 1
        own = [each.get("level") for each in status.get("tree", []) if each["path"] == self.target]
        levels = [x for x in (status.get("level"), self.level, *own) if x is not None]
        self.level = max(levels, default=None)
        self.broken.update(dict.fromkeys(broken_limits(status, self.limits)))


def broken_limits(status: Told, limits: Limits) -> list[str]:
    """Say which limits do not hold: a cold room unheated, a hot one heated, too much import."""
    found = []
    devices = status.get("devices", {})
    for path, device in devices.items():
        temp_c, on = value_of(device, "temp_c"), value_of(device, "relay_on")
        if not path.startswith("rooms/") or temp_c is None or on is None:
            continue
        if temp_c < limits.frost_c and not on:
            found.append(f"{path} is below {limits.frost_c:g} °C and not heated")
        if temp_c > limits.ceiling_c and on:
            found.append(f"{path} is above {limits.ceiling_c:g} °C and heated")
    grid_kw = value_of(devices.get("devices/meter"), "grid_kw")
    if grid_kw is not None and grid_kw > limits.import_kw:
        found.append(f"the house takes more than {limits.import_kw:g} kW")
    return found


@dataclass
class Drill:
    """A fault, when it was injected, and what followed at its target."""

    fault: str
    target: str
    injected_s: float
    looks: Looks
    events: list[Told] = field(default_factory=list)

    def hear(self, events: Sequence[Told]) -> bool:
        """Add what happened at the target since the injection; whether something was new.

        A core that was started anew begins a new list of events; what was heard before is kept.
        """
        fresh = [
            each
            for each in events
            if each["process_s"] >= self.injected_s
            and each["path"] == self.target
            and each not in self.events
        ]
        self.events.extend(fresh)
        return bool(fresh)

    @property
    def core_anew(self) -> bool:
        """Whether the core ended over it, with its news, and the guardian started another."""
        told = [e["kind"] for e in self.events if e["kind"] in FAILURES | {ANEW}]
        return told[:1] == [ANEW]

    @property
    def detect_s(self) -> float | None:
        """Time until the fault was noticed [s]; at the latest, where a core ended with its news."""
        noticed = [e for e in self.events if e["kind"] in FAILURES | OVERFLOWS | {ANEW}]
        return self._after(noticed[0]) if noticed else None

    @property
    def recover_s(self) -> float | None:
        """Time until the target ran again for good [s]."""
        counted = [e for e in self.events if e["kind"] in FAILURES | RETURNS]
        broken = any(e["kind"] in FAILURES | {ANEW} for e in counted)
        if not broken or counted[-1]["kind"] not in RETURNS:
            return None
        return self._after(counted[-1])

    @property
    def only_overflowed(self) -> bool:
        """Whether all there was to see is a full mailbox, which needs no restart."""
        return not any(e["kind"] in FAILURES | {ANEW} for e in self.events)

    def _after(self, event: Told) -> float:
        return max(0.0, round(float(event["process_s"]) - self.injected_s, 4))

    def outcome(self) -> Outcome:
        """Sum the drill up. What needed no restart recovered when it was noticed."""
        recover_s = self.recover_s
        if recover_s is None and self.only_overflowed:
            recover_s = self.detect_s
        return Outcome(
            self.fault,
            self.target,
            self.detect_s,
            recover_s,
            self.looks.level,
            len(self.looks.broken),
            self.looks.count,
        )


def report_lines(drill: Drill) -> list[str]:
    """Tell a drill in words, with the lines of the events."""
    told = drill.outcome()
    level = told.level_reached
    return [
        *(f"  {event['line']}" for event in drill.events),
        f"detected   {_time(told.detect_s, 'nobody had to notice: it was ridden out')}",
        f"recovered  {_time(told.recover_s, _not_recovered(told))}",
        *(["           the core ended over it; the guardian started another"] * drill.core_anew),
        f"level      {'-' if level is None else f'{level} ({level_name(level)})'} at worst",
        f"violations {told.violations} in {told.looks} looks",
        *(f"  {each}" for each in drill.looks.broken),
    ]


def _not_recovered(told: Outcome) -> str:
    return "no restart was needed" if told.detect_s is None else "NOT within a minute"


def _time(seconds: float | None, otherwise: str) -> str:
    if seconds is None:
        return otherwise
    return f"after {1000 * seconds:.0f} ms" if seconds < 1.0 else f"after {seconds:.2f} s"
