"""What people may ask of an actor: verbs, their arguments and the limits of these. Pure.

MQTT and the local control socket check orders by this one table, so that a wish is accepted or
refused alike on both ways in. Arguments come out normalised: durations and instants in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.units import DAY_S, HOUR_S, MINUTE_S, seconds
from pems_actors.gateways.wire import Rejected, number

STRATEGIES = ("economic", "comfort", "environmental", "balanced")
HOUSE_MODES = ("normal", "economy", "comfort", "away", "emergency")
LONGEST_S = 60 * DAY_S
_LONGEST_NAME = 64
_UNITS_S = {"s": 1.0, "m": MINUTE_S, "min": MINUTE_S, "h": HOUR_S, "d": DAY_S}
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|min|m|h|d)")

Check = Callable[[object], Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a verb: its name outside, its name inside, its check, and if it must be."""

    name: str
    check: Check
    inside: str = ""
    needed: bool = False


def duration_s(value: object) -> float:
    """Read a duration: `"90m"`, `"2h"`, `"1.5d"`, or a plain number of minutes.

    Raises: ValueError with a sentence if it is no duration of 1 s to 60 days.
    """
    minutes = number(value)
    found = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if minutes is None and found is None:
        raise ValueError("is no duration; write it like 90m, 2h or 1d, or as minutes")
    length = minutes * MINUTE_S if minutes is not None else float(found[1]) * _UNITS_S[found[2]]  # type: ignore[index]  # one of the two is there
    if not 1.0 <= length <= LONGEST_S:
        raise ValueError("must be from 1 s to 60 days")
    return length


def instant_s(value: object) -> float:
    """Read an instant: ISO 8601 with an offset, or seconds since 1970.

    Raises: ValueError with a sentence.
    """
    at_s = number(value)
    if at_s is not None and 0.0 <= at_s < 1e11:
        return at_s
    if isinstance(value, str):
        try:
            return seconds(value)
        except (ValueError, OverflowError):
            pass
    raise ValueError("is no time; write it like 2026-01-15T06:00:00Z")


def _between(low: float, high: float, unit: str) -> Check:
    def check(value: object) -> float:
        figure = number(value)
        if figure is None or not low <= figure <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g} {unit}".rstrip())
        return figure

    return check


def _one_of(*names: str) -> Check:
    def check(value: object) -> str:
        if isinstance(value, str) and value.lower() in names:
            return value.lower()
        raise ValueError(f"must be one of {', '.join(names)}")

    return check


def _yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def _name(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME:
        return value
    raise ValueError("must be a name")


FOR = Argument("for", duration_s, "for_s")
UNTIL = Argument("until", instant_s, "until_s", needed=True)
VERBS: Mapping[str, Mapping[str, tuple[Argument, ...]]] = {
    "rooms": {
        "override": (Argument("temp_c", _between(10.0, 30.0, "°C"), needed=True), FOR),
        "boost": (FOR,),
        "release": (),
        "away": (UNTIL,),
        "party": (UNTIL,),
    },
    "loads": {
        "departure": (
            Argument("energy_kwh", _between(0.0, 300.0, "kWh"), needed=True),
            Argument("at", instant_s, "at_s", needed=True),
        ),
        "boost": (FOR,),
        "release": (),
    },
    "devices/battery": {
        "mode": (
            Argument("mode", _one_of(*BatteryMode), needed=True),
            Argument("rate_kw", _between(0.1, 20.0, "kW")),
            Argument("stop_soc_frac", _between(0.0, 1.0, "")),
            FOR,
        ),
        "release": (),
    },
    "devices/inverter": {
        "export": (Argument("allowed", _yes_no, needed=True), FOR),
        "release": (),
    },
    "planning/planner": {
        "replan": (),
        "strategy": (Argument("name", _one_of(*STRATEGIES), needed=True),),
        "point": (Argument("point", _between(0.0, 1.0, "(cheap to warm)"), needed=True),),
        "curve": (),
        "excite": (Argument("room", _name, needed=True), FOR),
        "calm": (),
    },
    "house": {
        "mode": (
            Argument("mode", _one_of(*HOUSE_MODES), needed=True),
            Argument("until", instant_s, "until_s"),
        ),
        "party": (UNTIL,),
        "presence": (Argument("home", _yes_no, needed=True),),
    },
}
EVERYWHERE: Mapping[str, tuple[Argument, ...]] = {"restart": (), "snapshot": ()}


def verbs_of(path: str) -> Mapping[str, tuple[Argument, ...]]:
    """Find the verbs that the actor at `path` knows."""
    if path == "house":
        return VERBS["house"]
    branch = path.partition("/")[0]
    own = VERBS[branch] if branch in {"rooms", "loads"} else VERBS.get(path, {})
    return {**own, **EVERYWHERE}


def check_order(
    path: str, verb: str, args: Mapping[str, object], paths: frozenset[str]
) -> dict[str, Any] | Rejected:
    """Check an order against the actors that there are, and normalise its arguments.

    Args: paths: the addresses of all actors; `house` is always known.
    """
    if path != "house" and path not in paths:
        return Rejected(f"there is no {path[:80]!r}; `pems status` lists what there is")
    known = verbs_of(path)
    if verb not in known:
        return Rejected(f"{path} knows no {verb[:40]!r}; it knows {', '.join(sorted(known))}")
    strangers = set(args) - {argument.name for argument in known[verb]}
    if strangers:
        return Rejected(f"{verb} takes no {min(strangers)[:40]!r}; leave it out")
    return _normalised(verb, known[verb], args)


def _normalised(
    verb: str, arguments: tuple[Argument, ...], args: Mapping[str, object]
) -> dict[str, Any] | Rejected:
    checked: dict[str, Any] = {}
    for argument in arguments:
        if args.get(argument.name) is None:
            if argument.needed:
                return Rejected(f"{verb} needs {argument.name!r}; give it in args")
            continue
        try:
            checked[argument.inside or argument.name] = argument.check(args[argument.name])
        except ValueError as error:
            return Rejected(f"{verb}: {argument.name} {error}")
    return checked
