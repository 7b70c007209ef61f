"""What the scenario tests look at: the true house at every tick, and the commands in the log.

Nothing here uses the code that decides: limits and times are judged by their own arithmetic.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from pems_actors.simulate import Simulation

_HEATING = re.compile(
    r"(?P<at>[\d.]+) relay/(?P<relay>\w+) (?P<door>write|withhold) (?P<on>True|False) "
    r"level=\d until=\d+ (?P<rule>\w+):"
)


@dataclass(frozen=True)
class Switch:
    """One commanded change of a relay, and the rule behind it."""

    at_s: float
    relay: str
    on: bool
    rule: str


def switches(lines: Iterable[str]) -> list[Switch]:
    """Read every commanded change out of a log, leaving renewals out."""
    state: dict[str, bool] = {}
    found: list[Switch] = []
    for line in lines:
        seen = _HEATING.match(line)
        if seen is None:
            continue
        relay, on = seen["relay"], seen["on"] == "True"
        if state.get(relay, False) is not on:
            found.append(Switch(float(seen["at"]), relay, on, seen["rule"]))
        state[relay] = on
    return found


def by_relay(found: Iterable[Switch]) -> dict[str, list[Switch]]:
    parted: dict[str, list[Switch]] = defaultdict(list)
    for switch in found:
        parted[switch.relay].append(switch)
    return parted


def commands(lines: Iterable[str]) -> list[str]:
    """All lines of commands that reached their device."""
    return [line for line in lines if line.split(maxsplit=3)[2] == "write"]


def withheld(lines: Iterable[str]) -> list[str]:
    """All lines of commands that advisory mode kept back."""
    return [line for line in lines if line.split(maxsplit=3)[2] == "withhold"]


@dataclass(frozen=True)
class Look:
    """The true house at one tick, as a meter would show it."""

    at_s: float
    phase_kw: tuple[float, ...]
    grid_kw: float
    heating_kw: float
    blocked: bool
    closed: frozenset[str]


@dataclass
class Witness:
    """Keeps a look of every tick, and the extremes of every room's true air temperature."""

    looks: list[Look] = field(default_factory=list)
    coldest_c: dict[str, float] = field(default_factory=dict)
    warmest_c: dict[str, float] = field(default_factory=dict)

    def __call__(self, simulation: Simulation) -> None:
        twin = simulation.twin
        meter = twin.reading().meter
        for name, room in twin.true_state().items():
            self.coldest_c[name] = min(self.coldest_c.get(name, 99.0), room.air_c)
            self.warmest_c[name] = max(self.warmest_c.get(name, -99.0), room.air_c)
        if meter is None or meter.phase_kw is None or meter.grid_kw is None:
            return
        closed = frozenset(
            n for n, on in zip(twin.relays.names, twin.relays.closed, strict=True) if on
        )
        blocked = simulation.story.tariff.blocked(twin.at_s)
        self.looks.append(
            Look(twin.at_s, meter.phase_kw, meter.grid_kw, twin.relays.total_kw, blocked, closed)
        )

    def longest_run_s(self, over: Iterable[bool]) -> float:
        """Longest time for which something held at consecutive looks [s]."""
        longest = run = 0.0
        step_s = self.looks[1].at_s - self.looks[0].at_s
        for holds in over:
            run = run + step_s if holds else 0.0
            longest = max(longest, run)
        return longest


def gaps(times: Iterable[float]) -> list[float]:
    return [b - a for a, b in pairwise(times)]
