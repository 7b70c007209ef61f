"""`pems proof`: the README has the newest pages, each in its own place."""

import json
from pathlib import Path

import pytest

from pems_actors.cli.proof import KEPT, pages_of, renewed
from tests.cli.conftest import Pems

ROOT = Path(__file__).parents[2]


def test_the_readme_has_the_pages_of_the_kept_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in pages_of(ROOT / KEPT):
        assert renewed(text, page) == text, "run `pems proof --write README.md`"


def test_a_page_takes_the_place_of_the_one_before_and_of_nothing_else():
    text = "above\n<!-- a -->\nold\n<!-- end -->\nbelow\n"
    page = "<!-- a -->\nnew\n<!-- end -->"
    new = renewed(text, page)
    assert new == f"above\n{page}\nbelow\n"
    assert renewed(new, page) == new
    with pytest.raises(ValueError, match="no place for the page"):
        renewed("nothing", page)


def test_what_is_no_report_is_refused(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"name": "mpc", "figures": {}}))
    assert len(pages_of(tmp_path)) == 2
    (tmp_path / "b.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="is no report"):
        pages_of(tmp_path)


def test_pages_are_printed_and_written_where_they_belong(pems: Pems, tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no place\n", encoding="utf-8")
    assert pems("proof", "--from", tmp_path).out.count("\n| ") > 38
    said = pems("proof", "--from", tmp_path, "--write", page)
    assert said.code == 1
    assert "no place for the page" in said.err
