"""The proof page: made from kept runs and the matrix alone, and the README has the newest one."""

import json
from pathlib import Path

import pytest

from pems_actors.fault_matrix import ROWS
from pems_actors.soak.proof import BEGIN, END, FOLDER, Runs, page, renewed, span

ROOT = Path(__file__).parents[2]
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


def test_the_readme_has_the_page_of_the_kept_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert renewed(text, Runs.kept_in(ROOT / FOLDER)) == text, "run `pems proof --write README.md`"


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


def test_kept_files_are_read_and_others_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(soak("pems soak", crash={"stories": 1})))
    (tmp_path / "b.json").write_text(json.dumps({"name": "resilience", "figures": {"kills": 3}}))
    runs = Runs.kept_in(tmp_path)
    assert (len(runs.soaks), runs.processes) == (1, {"kills": 3})
    (tmp_path / "c.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="is no report"):
        Runs.kept_in(tmp_path)


def test_the_page_takes_the_place_of_the_one_before_and_of_nothing_else():
    text = f"above\n{BEGIN}\nold\n{END}\nbelow\n"
    new = renewed(text, Runs())
    assert new == f"above\n{page(Runs())}\nbelow\n"
    assert renewed(new, Runs()) == new
    with pytest.raises(ValueError, match="no place for the page"):
        renewed("nothing", Runs())


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, "0 s"), (0.08, "80 ms"), (12.0, "12 s"), (240.0, "4 min"), (5400.0, "1.5 h")],
)
def test_times_are_written_as_people_do(seconds, told):
    assert span(seconds) == told
