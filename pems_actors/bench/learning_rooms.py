"""What `pems bench learning` says of rooms whose house was rebuilt: who was let go, and how soon.

A room has drifted where its learned model tells the days after the rebuild clearly worse than
before, and worse than the room as configured. One that still does better keeps its trust by right:
what would serve in its place is worse. One within what nobody feels is not told from noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.learning.life.champion import Ledger, ledgers_from
from pems_actors.learning.life.contest import HOUSE, Score
from pems_actors.learning.life.drift import is_drift
from pems_actors.learning.life.store import ROOMS_LEDGER, ModelStore
from pems_actors.learning.life.trust import IDENTIFIED, UNFELT

WITHIN_H = 48.0
_LAG_H = 1.0  # a day is judged some minutes after its end


def rooms_figures_of(
    decisions: Sequence[Mapping[str, Any]], start_s: float, drift_s: float
) -> dict[str, Any]:
    """How many rooms steered when the house was rebuilt, and how soon they were let go.

    A room that is still told better than as configured rightly keeps its trust.
    """
    trusted: set[str] = set()
    let_go: dict[str, float] = {}
    first = None
    for each in decisions:
        if not each["series"].startswith("rooms/"):
            continue
        room, at_s = each["series"], each["at_s"]
        if each["what"] == "champion":
            first = at_s if first is None else first
            trusted |= {room} if at_s < drift_s else set()
        elif each["what"] == "dethroned" and at_s < drift_s:
            trusted -= {room}
        elif each["what"] == "dethroned":
            let_go.setdefault(room, (at_s - drift_s) / HOUR_S)
    hours = [let_go[room] for room in sorted(trusted) if room in let_go]
    return {
        "rooms_control_after_days": None if first is None else round((first - start_s) / DAY_S, 2),
        "rooms_in_control": len(trusted),
        "rooms_first_demoted_after_h": min(hours, default=None),
        "rooms_demoted_48h": sum(each <= WITHIN_H for each in hours),
        "rooms_demoted": len(hours),
    }


def rooms_ledgers(folder: Path) -> dict[str, Ledger]:
    """Read the rooms' records from a registry."""
    plain, _ = ModelStore(folder).ledger(ROOMS_LEDGER)
    return ledgers_from(plain, sorted(plain))


def worse_figures_of(
    ledgers: Mapping[str, Ledger], decisions: Sequence[Mapping[str, Any]], drift_s: float
) -> dict[str, Any]:
    """Count the rooms that had become worse by two days after the rebuild, and those still kept."""
    until_s = drift_s + (WITHIN_H + _LAG_H) * HOUR_S
    let_go = {d["series"] for d in decisions if d["what"] == "dethroned" and d["at_s"] <= until_s}
    steered = {d["series"] for d in decisions if d["what"] == "champion" and d["at_s"] < drift_s}
    worse = {room for room in steered if room in ledgers and _is_worse(ledgers[room], drift_s)}
    return {
        "rooms_worse_48h": len(worse),
        "rooms_worse_kept_48h": len(worse - let_go),
        "rooms_worse_kept": sorted(worse - let_go),
    }


def _is_worse(ledger: Ledger, drift_s: float) -> bool:
    """Whether the whole days that were over two days after the rebuild speak of a drift."""
    last_s = drift_s + WITHIN_H * HOUR_S - DAY_S
    known = [score for score in ledger.scores if {IDENTIFIED, HOUSE} <= set(score.error)]
    after = [score for score in known if drift_s <= score.start_s <= last_s]
    before = [score for score in known if score.start_s + DAY_S <= drift_s]
    if not after or not before:
        return False
    error, floor = _mean(after, IDENTIFIED), _mean(after, HOUSE)
    usual = median(score.error[IDENTIFIED] for score in before)
    return is_drift(error, usual, floor, UNFELT[IDENTIFIED])


def _mean(scores: Sequence[Score], name: str) -> float:
    return fmean(score.error[name] for score in scores)
