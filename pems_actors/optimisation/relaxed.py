"""What the relaxed program says, in the house's words: powers, temperatures, and prices.

Duals become prices here, once, with their signs: what one more kWh would cost in a stage, what a
kWh in the battery and a kWh of heat in a room are worth. Everything later is priced with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.program import Layout, Program
from pems_actors.optimisation.thermal import AIR, REFERENCE_C, SCREED
from pems_actors.physics.house_model import SURFACE_FRAC


class Record(Protocol):
    """How a point came about."""

    @property
    def residual(self) -> float:
        """Largest violation of a row or bound."""

    @property
    def iterations(self) -> int:
        """Iterations taken, or -1 where the solver does not tell."""

    @property
    def status(self) -> str:
        """What the solver said."""

    @property
    def solver(self) -> str:
        """Which solver it was."""


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A relaxed plan and its prices. K stages, M relays, R rooms; powers in kW, prices per kWh.

    `power_price` is what one more kWh of consumption would cost, `import_price` what one more from
    the grid would, a peak that is paid included; `charge_price` what a kWh stored
    at the end of a stage saves; `heat_price` what a kWh of heat in a room's emitter saves, (K, R).
    `later_price` is the rise of cost beyond a stage per unit of each state at its end,
    (K, states).
    """

    layout: Layout
    duty: Array
    charge_kw: Array
    discharge_kw: Array
    grid_kw: Array
    pv_kw: Array
    stored_kwh: Array
    excess_kw: Array
    air_c: Array
    surface_c: Array
    power_price: Array
    import_price: Array
    charge_price: Array
    heat_price: Array
    later_price: Array
    loads_kw: Array  # of the flexible loads, (K, L)
    objective: float
    residual: float
    iterations: int
    status: str
    solver: str


def read_point(case: Case, program: Program, x: Array, row_price: Array, record: Record) -> Relaxed:
    """Read a solution and its duals.

    Args:
        x: all columns.
        row_price: rise of cost per unit of each row's right side.
    """
    layout, hours = program.layout, case.stages.hours
    balance, storage = layout.rows["balance"][:, 0], layout.rows["storage"][:, 0]
    air, surface = _temperatures(case, layout, x)
    return Relaxed(
        layout=layout,
        duty=np.clip(x[layout.columns["u"]], 0.0, 1.0),
        charge_kw=x[layout.charge],
        discharge_kw=x[layout.discharge],
        grid_kw=x[layout.grid_in] + x[layout.excess] - x[layout.grid_out],
        pv_kw=x[layout.pv],
        stored_kwh=x[layout.stored],
        excess_kw=x[layout.excess],
        air_c=air,
        surface_c=surface,
        power_price=row_price[balance] / hours,
        import_price=_import_price(case, layout, row_price),
        charge_price=-row_price[storage],
        heat_price=_heat_price(case, layout, row_price),
        later_price=_later_price(program, row_price),
        loads_kw=x[layout.columns["load"]],
        objective=float(program.cost @ x),
        residual=record.residual,
        iterations=record.iterations,
        status=record.status,
        solver=record.solver,
    )


def _temperatures(case: Case, layout: Layout, x: Array) -> tuple[Array, Array]:
    """Give air and floor surface of every room at stage ends, each (K, R) [°C]."""
    rooms = case.rooms
    modes = np.zeros((len(case.stages), *layout.kept.shape))
    modes[:, layout.kept] = x[layout.columns["z"]]
    emitted = (x[layout.columns["u"]] * case.power_kw) @ case.share
    nodes = np.einsum("rnm,krm->krn", rooms.to_node, modes) + case.weather.fast_c + REFERENCE_C
    echo = case.echo
    np.add.at(nodes, echo.stage, echo.gain_k_per_kw * emitted[echo.source][:, :, None])
    air, screed = nodes[:, :, AIR], nodes[:, :, SCREED]
    return air, air + SURFACE_FRAC * (screed - air)


def _import_price(case: Case, layout: Layout, row_price: Array) -> Array:
    """Price a kWh from the grid, (K,)."""
    price = case.stages.buy + case.problem.weights.import_extra_per_kwh
    if layout.shape.peak:
        price = price + np.abs(row_price[layout.rows["peak"][:, 0]]) / case.stages.hours
    return np.asarray(price)


def _heat_price(case: Case, layout: Layout, row_price: Array) -> Array:
    """Price a kWh into each room's emitter in each stage by all rows that it would touch."""
    rooms, hours = case.rooms, case.stages.hours
    state_price = np.zeros((len(hours), *layout.kept.shape))
    state_price[:, layout.kept] = row_price[layout.rows["dynamics"]]
    slow = np.einsum("krm,krm,rm->kr", state_price, case.weather.lasting, rooms.drive[:, :, SCREED])
    felt = case.echo.gain_k_per_kw[:, :, AIR] * row_price[layout.rows["comfort"]][case.echo.stage]
    fast = np.zeros_like(slow)
    np.add.at(fast, case.echo.source, felt)
    return np.asarray((fast - slow) / hours[:, None])


def _later_price(program: Program, row_price: Array) -> Array:
    """Price the states at each stage's end by the rows of later stages only, (K, states).

    A state's column has its own dynamics and comfort rows in its stage; the rest is the future.
    """
    layout = program.layout
    stages, states = layout.columns["z"].shape
    number = np.full(layout.width, -1)
    number[layout.columns["z"].ravel()] = np.arange(stages * states)
    rows_per_stage = layout.later_rows // stages
    entry = number[program.cols]
    later = (entry >= 0) & (program.rows // rows_per_stage > entry // max(states, 1))
    price = np.bincount(
        entry[later],
        -program.values[later] * row_price[program.rows[later]],
        minlength=stages * states,
    )
    return np.asarray(price.reshape(stages, states), dtype=float)
