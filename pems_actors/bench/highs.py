"""HiGHS by its own C interface: a program, some columns whole, a point to start from, a time.

It is the library that comes with CasADi. CasADi's own interface hands no start on, and the measure
that counts is what branch and bound makes of a plan that is good already. For benches only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import casadi
import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.grid import Array

_ROWWISE, _MINIMISE = 2, 1
_DOUBLES, _INTEGERS = ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_int)
Options = Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """min cost'x with row_low <= A x <= row_high and low <= x <= high; `whole` marks integers.

    The matrix is given by its entries: `rows`, `cols`, `values`.
    """

    cost: Array
    low: Array
    high: Array
    rows: NDArray[np.intp]
    cols: NDArray[np.intp]
    values: Array
    row_low: Array
    row_high: Array
    whole: NDArray[np.bool_]


def minimised(numbers: Numbers, options: Options, start: Array | None = None) -> Array:
    """Return the best point that HiGHS has when it is done or its time is up, not checked.

    Args:
        options: of HiGHS, by name; `time_limit` in seconds.    start: a point to begin with.
    """
    library = _library()
    highs = ctypes.c_void_p(library.Highs_create())
    try:
        library.Highs_setBoolOptionValue(highs, b"output_flag", 0)
        for name, value in {"threads": 1, **options}.items():
            _set(library, highs, name.encode(), value)
        _pass(library, highs, numbers)
        if start is not None:
            begun = _doubles(start)
            library.Highs_setSolution(highs, _at(begun), None, None, None)
        library.Highs_run(highs)
        x = np.zeros(len(numbers.cost))
        library.Highs_getSolution(highs, _at(x), None, None, None)
    finally:
        library.Highs_destroy(highs)
    return x


def _set(library: ctypes.CDLL, highs: ctypes.c_void_p, name: bytes, value: float | str) -> None:
    match value:
        case str():
            library.Highs_setStringOptionValue(highs, name, value.encode())
        case int():
            library.Highs_setIntOptionValue(highs, name, ctypes.c_int(value))
        case float():
            library.Highs_setDoubleOptionValue(highs, name, ctypes.c_double(value))


def _pass(library: ctypes.CDLL, highs: ctypes.c_void_p, numbers: Numbers) -> None:
    order = np.argsort(numbers.rows, kind="stable")
    height = len(numbers.row_low)
    counts = np.bincount(numbers.rows, minlength=height)
    first = np.append(0, np.cumsum(counts)[:-1]).astype(np.intc)
    index, whole = numbers.cols[order].astype(np.intc), numbers.whole.astype(np.intc)
    money = [_doubles(each) for each in (numbers.cost, numbers.low, numbers.high)]
    bounds = [_doubles(each) for each in (numbers.row_low, numbers.row_high)]
    values = _doubles(numbers.values[order])
    library.Highs_passMip(
        highs,
        *(ctypes.c_int(n) for n in (len(numbers.cost), height, len(index), _ROWWISE, _MINIMISE)),
        ctypes.c_double(0.0),
        *map(_at, money),
        *map(_at, bounds),
        first.ctypes.data_as(_INTEGERS),
        index.ctypes.data_as(_INTEGERS),
        _at(values),
        whole.ctypes.data_as(_INTEGERS),
    )


def _doubles(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)


def _at(values: Array) -> ctypes._Pointer[ctypes.c_double]:
    return values.ctypes.data_as(_DOUBLES)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(Path(casadi.__file__).parent / "libhighs.so"))
    library.Highs_create.restype = ctypes.c_void_p
    return library
