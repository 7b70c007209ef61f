"""The proof page: what was promised of each fault, what was measured, and in how many stories.

It is made from the reports of kept runs (`pems soak --json`, `pems bench resilience --json`) and
from the matrix, and from nothing else: the same reports give the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pems_actors.fault_matrix import ROWS, MatrixRow

BEGIN, END = "<!-- proof: made by `pems proof` -->", "<!-- end of proof -->"
ALONE = "--each"
PAIRS, PAIRS_ROW = "--faults pairs", 38
# matrix row -> figures of `pems bench resilience` that measure it, and their words
ON_PROCESSES: Mapping[int, tuple[tuple[str, str], ...]] = {
    5: (("frozen_core_killed_s_max", "a frozen core killed after {} s at most"),),
    13: (("missed_control_ticks", "{} control ticks missed"),),
    22: (("broker_states_right_s", "states right {} s after its return"),),
    24: (("writer_rows_lost", "{} acknowledged rows lost"),),
    33: (
        ("rules_live_s_p99", "rules live {} s after SIGKILL (p99)"),
        ("plan_s_p99", "a plan in force after {} s (p99)"),
        ("double_actuations", "{} double actuations"),
    ),
    34: (("torn_snapshots", "{} torn snapshots"), ("rows_lost", "{} acknowledged rows lost")),
}
KILLS: Mapping[int, str] = {5: "freezes", 24: "writer_kills", 33: "kills", 34: "kills"}


@dataclass(frozen=True, slots=True)
class Runs:
    """The kept runs: soaks in their order, and the figures on real processes."""

    soaks: tuple[Mapping[str, Any], ...] = ()
    processes: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, reports: Sequence[Mapping[str, Any]]) -> Runs:
        """Take from some reports what belongs on the page."""
        soaks = tuple(each for each in reports if each["name"] == "soak")
        others = [each["figures"] for each in reports if each["name"] == "resilience"]
        return cls(soaks, {k: v for figures in others for k, v in figures.items()} or None)

    def of_fault(self, name: str) -> tuple[int, Mapping[str, Any] | None]:
        """Count the stories of a fault, and give its times where it was most by itself."""
        found = [(run["run"], run["faults"][name]) for run in self.soaks if name in run["faults"]]
        best = max(found, key=lambda f: (ALONE in f[0], f[1]["noticed"]), default=None)
        return sum(of["stories"] for _, of in found), None if best is None else best[1]


def page(runs: Runs) -> str:
    """Write the page in Markdown, between its marks."""
    return "\n".join((BEGIN, "", *_runs(runs), "", *_matrix(runs), "", END))


def _runs(runs: Runs) -> Iterable[str]:
    yield "| run | stories | simulated days | faults | violations | CPU s a story |"
    yield "|---|--:|--:|--:|--:|--:|"
    for run in runs.soaks:
        of = run["figures"]
        counts = (of["stories"], of["days"], of["faults"], of["violations"])
        told = " | ".join(f"{count:,}".replace(",", "\u202f") for count in counts)
        yield f"| `{run['run']}` | {told} | {of['cpu_s_per_story_p50']} |"


def _matrix(runs: Runs) -> Iterable[str]:
    yield "| # | what breaks | what the house does | measured | seeds |"
    yield "|--:|---|---|---|--:|"
    for row in ROWS:
        cells = (str(row.number), row.fault, _expected(row), _measured(row, runs))
        yield f"| {' | '.join(cells)} | {_seeds(row, runs) or '–'} |"


def _expected(row: MatrixRow) -> str:
    aims = [
        f"{word} {span(target_s)}"
        for word, target_s in (("noticed in", row.detect_s), ("well in", row.recover_s))
        if target_s is not None
    ]
    return f"{row.expected} ({', '.join(aims)})" if aims else row.expected


def _measured(row: MatrixRow, runs: Runs) -> str:
    told = [*_on_virtual_time(row, runs), *_on_processes(row, runs)]
    return "; ".join(told) or f"by tests: {len(row.tests)}"


def _on_virtual_time(row: MatrixRow, runs: Runs) -> Iterable[str]:
    if row.number == PAIRS_ROW:
        told = [run["figures"] for run in runs.soaks if PAIRS in run["run"]]
        yield from (f"{of['violations']} violations in {of['stories']} pairs" for of in told)
        return
    found = [times for _, times in map(runs.of_fault, row.soak_faults) if times is not None]
    for word, figure in (("noticed", "detect_s"), ("well again", "recover_s")):
        worst = _worst(found, figure)
        if worst is not None:
            yield f"{word} after {span(worst[0])} (p99 {span(worst[1])})"
    if found:
        yield f"{sum(times['violations'] for times in found)} violations"


def _worst(found: Sequence[Mapping[str, Any]], figure: str) -> tuple[float, float] | None:
    known = [
        (times[f"{figure}_p50"], times[f"{figure}_p99"])
        for times in found
        if times[f"{figure}_p50"] is not None
    ]
    return max(known, key=lambda pair: pair[1], default=None)


def _on_processes(row: MatrixRow, runs: Runs) -> Iterable[str]:
    figures = runs.processes or {}
    for name, words in ON_PROCESSES.get(row.number, ()):
        if figures.get(name) is not None:
            yield words.format(f"{figures[name]:g}")


def _seeds(row: MatrixRow, runs: Runs) -> int:
    """Count the stories, or else the real deaths, that a row was measured in."""
    if row.number == PAIRS_ROW:
        return sum(run["figures"]["stories"] for run in runs.soaks if PAIRS in run["run"])
    stories = sum(runs.of_fault(name)[0] for name in row.soak_faults)
    return stories or int((runs.processes or {}).get(KILLS.get(row.number, ""), 0))


def span(seconds: float) -> str:
    """Write a length of time as people do: 80 ms, 12 s, 4 min, 1.5 h."""
    if seconds < 1.0:
        return f"{1000.0 * seconds:.0f} ms" if seconds else "0 s"
    if seconds < 100.0:
        return f"{seconds:.3g} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
