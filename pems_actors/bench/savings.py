"""The page of what planning saves: money against thermostats, and a peer, and figures with targets.

It is made from the reports of `pems bench closed-loop`, `mpc` and `peers` alone; what was not
measured is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pems_actors.bench.report import Target

Report = Mapping[str, Any]

BEGIN, END = "<!-- savings: made by `pems proof` -->", "<!-- end of savings -->"
UNKNOWN = "–"
_TARGETS_OF = ("closed-loop", "mpc")
_SEASONS = ("winter", "shoulder", "summer")
_CHANGED = ("powers", "one_mass", "no_phases", "no_estimator", "hedged")
_ORDER = ("hysteresis", "price_shift", "v1", "duty", "day_ahead", "ours", "exact", "bound_12")


def page(reports: Sequence[Report]) -> str:
    """Write the page in Markdown, between its marks.

    Of several runs of one benchmark the last one counts; what it lacks is told by those before.
    """
    found = _joined(reports)
    parts = [
        *(_closed_loop(found["closed-loop"]) if "closed-loop" in found else []),
        *([_peer(found["peers"])] if "peers" in found else []),
        _targets(found[name] for name in _TARGETS_OF if name in found),
    ]
    lines = [line for part in parts if part for line in (*part, "")]
    return "\n".join((BEGIN, "", *lines, END))


def _joined(reports: Iterable[Report]) -> dict[str, Report]:
    found: dict[str, Report] = {}
    for report in reports:
        before = found.get(report["name"], {"figures": {}})["figures"]
        known = {name: value for name, value in report["figures"].items() if value is not None}
        found[report["name"]] = {**report, "figures": {**before, **known}}
    return found


def _closed_loop(report: Report) -> tuple[list[str], ...]:
    return _money(report), _ablations(report)


def _ablations(report: Report) -> list[str]:
    """Tell what each part of the planner is worth: the product without it, in the same worlds."""
    controllers = report["figures"]["controllers"]
    heads = (
        "the product, but", "fortnights", "dearer by, CZK a fortnight",
        "cold, K·h per room and day", "s over a breaker, in all",
    )  # fmt: skip
    rows = [
        (
            of["told"],
            _told(of.get("runs"), "{:d}"),
            _told(of.get("dearer"), "{:,.0f}"),
            _told(of["cold_kh_room_day"], "{:.3f}"),
            _told(of.get("over_phase_limit_s"), "{:.0f}"),
        )
        for name in _CHANGED
        if (of := controllers.get(name)) is not None
    ]
    return _table(heads, rows) if rows else []


def _money(report: Report) -> list[str]:
    """Compare who decides: cost, comfort, and how much of what hindsight would save."""
    controllers = report["figures"]["controllers"]
    heads = (
        "who decides", "CZK a fortnight", "cold, K·h per room and day", *_SEASONS,
        "mode changes a day", "writes a day", "s over a breaker, in all",
    )  # fmt: skip
    return _table(heads, (_controller(controllers[name]) for name in _ORDER if name in controllers))


def _controller(of: Mapping[str, Any]) -> Sequence[str]:
    seasons = of.get("captured_by_season", {})
    return (
        of["told"],
        _told(of["settled"], "{:,.0f}"),
        _told(of["cold_kh_room_day"], "{:.3f}"),
        *(_told(seasons.get(season), "{:.0%}") for season in _SEASONS),
        _told(of.get("mode_changes_per_day"), "{:.1f}"),
        _told(of.get("writes_per_day"), "{:.1f}"),
        _told(of.get("over_phase_limit_s"), "{:.0f}"),
    )


def _peer(report: Report) -> list[str]:
    """Compare with another planner by number of rooms."""
    peer, rooms = report["figures"]["peer"], report["figures"]["rooms"]
    heads = (
        "rooms", "our CPU s", f"{peer} CPU s", "our cost, its battery", f"{peer}'s cost",
        f"{peer}'s relay orders that no relay can do",
    )  # fmt: skip
    return _table(heads, (_side_by_side(name, of) for name, of in rooms.items()))


def _side_by_side(rooms: str, of: Mapping[str, Any]) -> Sequence[str]:
    return (
        rooms,
        _told(of.get("ours_s"), "{:.3f}"),
        _told(of.get("peer_s"), "{:.1f}"),
        _told(of.get("ours_powers_cost"), "{:.2f}"),
        _told(of.get("peer_cost"), "{:.2f}"),
        _told(of.get("peer_fractional_frac"), "{:.0%}"),
    )


def _targets(reports: Iterable[Report]) -> list[str]:
    """List every target of some benchmarks, reached or not."""
    rows = [
        (f"`{report['name']}`", f"`{figure}`", f"{aim.op} {aim.value:g}", measured)
        for report in reports
        for figure, target in report.get("targets", {}).items()
        for aim in [Target(**target)]
        for measured in [_against(aim, report["figures"].get(figure))]
    ]
    return _table(("`pems bench`", "figure", "asked", "measured"), rows) if rows else []


def _against(aim: Target, figure: object) -> str:
    told = _told(figure, "{:.4g}")
    return told if aim.met_by(figure) or figure is None else f"**{told}**, missed"


def _told(figure: Any, how: str) -> str:
    """Write a figure; what is not known has no number."""
    return UNKNOWN if figure is None else how.format(figure).replace(",", "\u202f")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table; what stands behind the first column is aligned to the right."""
    lines = [heads, ("---", *("--:" for _ in heads[1:])), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
