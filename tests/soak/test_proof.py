"""The proof page: made from kept runs and the matrix alone."""

import pytest

from pems_actors.fault_matrix import ROWS
from pems_actors.soak.proof import Runs, page, span

TIMES = {
    "noticed": 5,
    "detect_s_p50": 190.0,
    "detect_s_p99": 230.0,
    "recover_s_p50": None,
    "recover_s_p99": None,
}
FIGURES = {"stories": 5, "days": 1.25, "faults": 5, "violations": 0, "cpu_s_per_story_p50": 0.4}


def soak(run: str, **faults: dict) -> dict:
    named = {
        name.replace("_", "-"): {**TIMES, "violations": 0, **of} for name, of in faults.items()
    }
    return {"name": "soak", "run": run, "figures": FIGURES, "faults": named}


def row(text: str, number: int) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| {number} |"))


def test_every_row_of_the_matrix_has_a_line():
    text = page(Runs())
    for each in ROWS:
        assert each.fault in row(text, each.number)
    assert "by tests: 4" in row(text, 1)


def test_a_fault_is_told_with_its_times_violations_and_seeds():
    runs = Runs((soak("pems soak --each 5", sensor_stale={"stories": 5}),))
    told = row(page(runs), 18)
    assert "noticed after 3 min (p99 4 min); 0 violations" in told
    assert told.endswith("| 5 |")
    assert "`pems soak --each 5` | 5 | 1.25 | 5 | 0 | 0.4" in page(runs)


def test_times_are_those_of_the_fault_by_itself_and_seeds_those_of_all_runs():
    many = soak(
        "pems soak --faults heavy", crash={"stories": 90, "noticed": 90, "detect_s_p99": 9.0}
    )
    alone = soak("pems soak --each 5", crash={"stories": 5, "detect_s_p99": 2.0})
    stories, times = Runs((many, alone)).of_fault("crash")
    assert (stories, times["detect_s_p99"]) == (95, 2.0)


def test_pairs_are_counted_in_their_own_row():
    run = soak("pems soak --seed 0 --faults pairs", crash={"stories": 5})
    assert "0 violations in 5 pairs" in row(page(Runs((run,))), 38)


def test_what_takes_real_processes_is_told_from_their_figures():
    runs = Runs((), {"rules_live_s_p99": 1.4, "kills": 200, "torn_snapshots": 0})
    assert "rules live 1.4 s after SIGKILL (p99)" in row(page(runs), 33)
    assert row(page(runs), 34).endswith("| 200 |")


def test_reports_are_sorted_by_what_they_are():
    processes = {"name": "resilience", "figures": {"kills": 3}}
    runs = Runs.of([soak("pems soak", crash={"stories": 1}), processes, {"name": "mpc"}])
    assert (len(runs.soaks), runs.processes) == (1, {"kills": 3})


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "0 s"), (0.08, "80 ms"), (12.0, "12 s"), (240.0, "4 min"), (5400.0, "1.5 h")],
)
def test_times_are_written_as_people_do(seconds, told):
    assert span(seconds) == told
