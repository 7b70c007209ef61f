"""The fault matrix has 38 rows; each is a promise with its times and the tests that prove it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from pems_actors.fault_matrix import MATRIX, ROWS, MatrixRow
from pems_actors.fault_table import TABLE, VIRTUAL

ROOT = Path(__file__).parents[1]
TOLD_ELSEWHERE = {23, 27, 36, 37, 38}  # no single fault of the table: floods, files, memory, many


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_all_38_rows_are_there_in_order() -> None:
    assert [row.number for row in ROWS] == list(range(1, 39))
    assert len(MATRIX) == 38


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row.number}")
def test_each_test_that_a_row_names_exists(row: MatrixRow) -> None:
    assert row.tests
    assert len(set(row.tests)) == len(row.tests)
    for test in row.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert name in names_in(file), test


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row.number}")
def test_each_row_says_what_happens_and_how_fast(row: MatrixRow) -> None:
    assert row.fault
    assert len(row.expected) > 20
    targets = (row.detect_s, row.recover_s, row.comfort_k)
    assert all(target is None or target >= 0.0 for target in targets)
    assert row.number == 38 or any(target is not None for target in targets)


def test_each_fault_of_a_row_is_in_the_table_and_knows_its_row() -> None:
    for row in ROWS:
        for name in row.soak_faults:
            assert name in TABLE, (row.number, name)
            assert row.number in TABLE[name].matrix, (row.number, name)


def test_each_fault_of_the_table_that_names_a_row_is_named_by_it() -> None:
    for fault in TABLE.values():
        for number in fault.matrix:
            assert fault.name in MATRIX[number].soak_faults, (fault.name, number)


def test_every_row_with_a_virtual_fault_is_soaked() -> None:
    soaked = {number for fault in VIRTUAL for number in fault.matrix}
    assert set(range(1, 39)) - soaked <= TOLD_ELSEWHERE | {35}


def test_rows_named_by_a_scenario_are_those_of_the_matrix() -> None:
    """A test called `row_18_…` is a proof of row 18, so the matrix must know it."""
    named = {test for row in ROWS for test in row.tests}
    for file in sorted((ROOT / "tests" / "scenarios").glob("test_matrix_*.py")):
        path = file.relative_to(ROOT).as_posix()
        ours = {n for n in names_in(path) if n.startswith(("test_row_", "test_rows_"))}
        assert {n for n in ours if f"{path}::{n}" not in named} == set()
