"""From a checked problem to the numbers of its linear program, row family by row family.

Everything is soft except physics, the breaker and what is blocked: comfort, floor temperature and
remaining heat have slacks; what the base load alone draws over the grid limit is `excess`, priced
so dearly that heating never causes it. So the program always has a solution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pems_actors.optimisation.case import Case, floor_limits_c
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.program import Index, Layout, Mask, Program, Triplets
from pems_actors.optimisation.thermal import AIR, REFERENCE_C, SCREED, STRUCTURE
from pems_actors.optimisation.worth import grid_excess_price
from pems_actors.physics.house_model import SURFACE_FRAC

_TIE_PER_KWH = 1e-4  # decides between equals: rather curtail than export for nothing
_FLOOR_PRICE_FACTOR = 20.0
_IDLE_KW = 1e-9
_CLEAR_KW = 0.1

Decided = tuple[Mask | Array, Array]


def assemble(case: Case, layout: Layout, decided: Decided | None = None) -> Program:
    """Fill a layout with the numbers of one case.

    Args:
        case: the problem and what is derived from it.    layout: of the case's shape.
        decided: a mask and duties, each (stages, relays), of what is no longer free.
    """
    matrix = Triplets()
    row_low = np.full(layout.height, -np.inf)
    row_high = np.full(layout.height, np.inf)
    _dynamics(case, layout, matrix, row_low, row_high)
    _temperatures(case, layout, matrix, row_low, row_high)
    _remains(case, layout, matrix, row_low)
    _pulls(case, layout, matrix, row_low, row_high)
    _electricity(case, layout, matrix, row_low, row_high)
    _caps(case, layout, matrix, row_high)
    _tasks(case, layout, matrix, row_low, row_high)
    rows, cols, values = matrix.joined()
    low, high = _bounds(case, layout)
    program = Program(
        layout, rows, cols, values, _costs(case, layout), low, high, row_low, row_high
    )
    _decide_the_obvious(case, program)
    if decided is not None:
        chosen = decided[0] > 0
        program.fix(layout.columns["u"][chosen], decided[1][chosen])
        _bear_what_is_decided(case, program)
    _decide_excess(case, program)
    return program


class _Kept(NamedTuple):
    """Room and mode number of every state of the program."""

    room: NDArray[np.intp]
    mode: NDArray[np.intp]


def _kept(layout: Layout) -> _Kept:
    return _Kept(*np.nonzero(layout.kept))


def _dynamics(
    case: Case, layout: Layout, matrix: Triplets, row_low: Array, row_high: Array
) -> None:
    room, mode = _kept(layout)
    rooms, weather = case.rooms, case.weather
    z, rows = layout.columns["z"], layout.rows["dynamics"]
    left, lasting = weather.left[:, room, mode], weather.lasting[:, room, mode]
    matrix.add(rows, z, 1.0)
    matrix.add(rows[1:], z[:-1], -left[1:])
    relay, state = np.nonzero(case.share[:, room] > 0.0)
    heat = case.power_kw[relay] * case.share[relay, room[state]]
    gain = rooms.drive[room[state], mode[state], SCREED] * heat
    matrix.add(rows[:, state], layout.columns["u"][:, relay], -lasting[:, state] * gain)
    known = weather.push[:, room, mode].copy()
    known[0] += left[0] * weather.first[room, mode]
    felt = lasting * rooms.drive[room, mode, STRUCTURE]
    near = case.neighbours
    known += felt * near.expected_kw[:, room]
    later = near.spell > 0
    feels = felt[later][:, :, None] * near.feel[room]
    at = near.spell[later] - 1
    matrix.add(rows[later][:, :, None], layout.pull[at][:, None, :], -feels)
    row_low[rows] = row_high[rows] = known


def _pulls(case: Case, layout: Layout, matrix: Triplets, row_low: Array, row_high: Array) -> None:
    """Read by how much structures are warmer than expected in the middle of each spell."""
    room, mode = _kept(layout)
    rooms, rows, near = case.rooms, layout.pulls, case.neighbours
    view, state = np.nonzero(near.look[:, room])
    reading = rooms.to_node[room[state], STRUCTURE, mode[state]] * near.look[view, room[state]]
    matrix.add(rows, layout.pull, 1.0)
    matrix.add(rows[:, view], layout.columns["z"][near.middle][:, state], -reading)
    known = case.weather.fast_c[near.middle][:, :, STRUCTURE] - near.expected_k[near.middle]
    row_low[rows] = row_high[rows] = known @ near.look.T


def _temperatures(
    case: Case, layout: Layout, matrix: Triplets, row_low: Array, row_high: Array
) -> None:
    rows = layout.rows["comfort"]
    everywhere = np.arange(len(case.rooms.names))
    _read_node(case, layout, matrix, rows, everywhere, np.array([0.0, 1.0, 0.0]))
    matrix.add(rows, layout.columns["below"], 1.0)
    matrix.add(rows, layout.columns["above"], -1.0)
    known = case.weather.fast_c[:, :, AIR] + REFERENCE_C
    row_low[rows] = case.stages.low_c - known
    row_high[rows] = case.stages.high_c - known
    rows, watched = layout.rows["floor"], layout.watched
    surface = np.array([SURFACE_FRAC, 1.0 - SURFACE_FRAC, 0.0])
    _read_node(case, layout, matrix, rows, watched, surface)
    matrix.add(rows, layout.columns["hot"], -1.0)
    limits = (floor_limits_c(case) - REFERENCE_C - case.weather.fast_c @ surface)[:, watched]
    row_high[rows] = limits


def _read_node(
    case: Case, layout: Layout, matrix: Triplets, rows: Index, told: Index, mix: Array
) -> None:
    """Write a mix of the node temperatures of some rooms into rows (stages, those rooms)."""
    place = np.full(len(case.rooms.names), -1)
    place[told] = np.arange(len(told))
    room, mode = _kept(layout)
    states = np.nonzero(place[room] >= 0)[0]
    reading = np.einsum("n,rnm->rm", mix, case.rooms.to_node)[room[states], mode[states]]
    matrix.add(rows[:, place[room[states]]], layout.columns["z"][:, states], reading)
    echo, heard = case.echo, ~case.rooms.kept.all(axis=1) & (place >= 0)
    relay, heated = np.nonzero((case.share > 0.0) & heard)
    gain = (echo.gain_k_per_kw @ mix)[:, heated] * case.power_kw[relay] * case.share[relay, heated]
    duty = layout.columns["u"][echo.source][:, relay]
    matrix.add(rows[echo.stage][:, place[heated]], duty, gain)


def _remains(case: Case, layout: Layout, matrix: Triplets, row_low: Array) -> None:
    room, mode = _kept(layout)
    last = layout.columns["z"][-1]
    rows = layout.remains.reshape(2, -1)
    for half, node in enumerate((SCREED, STRUCTURE)):
        matrix.add(rows[half, room], last, case.rooms.to_node[room, node, mode])
    matrix.add(layout.remains, layout.short, 1.0)
    row_low[layout.remains] = case.worth.wanted_k.ravel()


def _electricity(
    case: Case, layout: Layout, matrix: Triplets, row_low: Array, row_high: Array
) -> None:
    rows = layout.rows["balance"][:, 0]
    for column, sign in (
        (layout.grid_in, 1.0),
        (layout.excess, 1.0),
        (layout.grid_out, -1.0),
        (layout.charge, -1.0),
        (layout.discharge, 1.0),
        (layout.pv, 1.0),
    ):
        matrix.add(rows, column, sign)
    matrix.add(rows[:, None], layout.columns["heat"], -1.0)
    matrix.add(rows[:, None], layout.columns["load"], -1.0)
    row_low[rows] = row_high[rows] = case.stages.base_kw

    rows = layout.rows["heat"]
    matrix.add(rows, layout.columns["heat"], -1.0)
    matrix.add(rows[:, case.wiring], layout.columns["u"], case.power_kw)
    row_low[rows] = row_high[rows] = 0.0

    rows = layout.rows["storage"][:, 0]
    leg, hours = case.problem.battery.leg_frac, case.stages.hours
    matrix.add(rows, layout.stored, 1.0)
    matrix.add(rows[1:], layout.stored[:-1], -1.0)
    matrix.add(rows, layout.charge, -leg * hours)
    matrix.add(rows, layout.discharge, hours / leg)
    row_low[rows] = row_high[rows] = np.where(np.arange(len(rows)) == 0, case.first_kwh, 0.0)


def _tasks(case: Case, layout: Layout, matrix: Triplets, row_low: Array, row_high: Array) -> None:
    """Give each flexible load the energy that it wants, or let it come too late."""
    hours = case.stages.hours[:, None]
    matrix.add(layout.tasks, layout.columns["load"], hours)
    matrix.add(layout.tasks, layout.late, 1.0)
    row_low[layout.tasks] = row_high[layout.tasks] = case.wants.energy_kwh


def _caps(case: Case, layout: Layout, matrix: Triplets, row_high: Array) -> None:
    limits = case.problem.limits
    rows = layout.rows["ac"][:, 0]
    for column, sign in ((layout.pv, 1.0), (layout.discharge, 1.0), (layout.charge, -1.0)):
        matrix.add(rows, column, sign)
    row_high[rows] = case.problem.inverter.ac_limit_kw
    heat = layout.columns["heat"]
    if layout.shape.heating_row:
        rows = layout.rows["heating"]
        matrix.add(rows, heat, 1.0)
        row_high[rows] = limits.heating_kw
    if layout.shape.phase_rows:
        rows = layout.rows["phase"]
        matrix.add(rows, layout.grid_in[:, None], 1.0 / 3.0)
        matrix.add(rows, layout.grid_out[:, None], -1.0 / 3.0)
        for wiring, share in enumerate(case.wirings):
            matrix.add(rows, heat[:, wiring, None], share - 1.0 / 3.0)
        for k, uneven in enumerate(case.wants.uneven):
            matrix.add(rows, layout.columns["load"][:, k, None], uneven)
        over = most_draw_kw(case)[1] > limits.phase_kw
        room_kw = np.maximum(limits.phase_kw - case.stages.skew_kw, 0.0)  # the rest is excess
        row_high[rows] = np.where(over, room_kw, np.inf)
    _whole_switches(case, layout, matrix, row_high)
    if layout.shape.peak:
        rows = layout.rows["peak"][:, 0]
        matrix.add(rows, layout.grid_in, 1.0)
        matrix.add(rows, np.full(len(rows), layout.peak), -1.0)
        row_high[rows] = 0.0


def _whole_switches(case: Case, layout: Layout, matrix: Triplets, row_high: Array) -> None:
    """Keep the relays under each cap to what whole switches reach by taking turns.

    What sun and battery give lifts the cap, up to where all relays fit at once.
    """
    rows = layout.rows["whole"]
    for c, (use, share, room_kw, lift) in enumerate(_shared_caps(case, layout)):
        able_kw = np.where(_closed(case), 0.0, use)
        over = able_kw.sum(axis=1) - np.maximum(room_kw, 0.0)
        fill = by_turns_kw(able_kw, over)
        rise = (able_kw.sum(axis=1) - fill) / np.maximum(over, _IDLE_KW)
        matrix.add(rows[:, c, None], layout.columns["heat"], share)
        for column, sign in ((layout.pv, 1.0), (layout.discharge, 1.0), (layout.charge, -1.0)):
            matrix.add(rows[:, c], column, -sign * lift * rise)
        for k, taken in enumerate(_taken(case, layout)[c]):
            matrix.add(rows[:, c], layout.columns["load"][:, k], taken * rise)
        row_high[rows[:, c]] = np.where(over > _IDLE_KW, fill, np.inf)


def _bear_what_is_decided(case: Case, program: Program) -> None:
    """Let relays that have to be on be on, whoever's turn it is."""
    rows, duty = program.layout.rows["whole"], program.decided[program.layout.columns["u"]]
    for c, (use, *_) in enumerate(_shared_caps(case, program.layout)):
        least = np.nan_to_num(duty) @ use
        program.row_high[rows[:, c]] = np.maximum(program.row_high[rows[:, c]], least)


def by_turns_kw(able_kw: Array, over_kw: Array) -> Array:
    """Tell how much relays draw under a cap that they exceed together, when they take turns.

    While one of them is off at least `over` is left unused, so none counts for more than that: the
    tightening of a knapsack's coefficients. Here all have the same duty.

    Args:
        able_kw: powers of the relays that may be on, (K, relays).    over_kw: by how much, (K,).
    Returns: the most that they draw on average, (K,).
    """
    counted = np.minimum(able_kw, np.maximum(over_kw, 0.0)[:, None]).sum(axis=1)
    duty = 1.0 - over_kw / np.maximum(counted, _IDLE_KW)
    return np.asarray(np.maximum(duty, 0.0) * able_kw.sum(axis=1))


def _shared_caps(case: Case, layout: Layout) -> list[tuple[Array, Array, Array, float]]:
    """List the caps that relays share: kW of each under it, share of each wiring, room, lift.

    `lift` is the share of sun and battery that makes room under it.
    """
    limits, power, base = case.problem.limits, case.power_kw, case.stages.base_kw
    every = np.ones(layout.shape.wirings)
    caps = [(power, every, limits.grid_kw - base, 1.0)]
    if layout.shape.phase_rows:
        room = limits.phase_kw - base[:, None] / 3.0 - case.stages.skew_kw
        caps = [
            (power * case.phases[:, p], case.wirings[:, p], room[:, p], 1.0 / 3.0) for p in range(3)
        ]
    if layout.shape.heating_row:
        caps.append((power, every, np.full(len(base), limits.heating_kw), 0.0))
    return caps


def _taken(case: Case, layout: Layout) -> Array:
    """Tell what each flexible load takes of each of the shared caps, a share each, (caps, L)."""
    wants = case.wants
    taken = wants.phases.T if layout.shape.phase_rows else np.ones((1, len(wants)))
    if layout.shape.heating_row:
        taken = np.vstack([taken, np.zeros(len(wants))])
    return np.asarray(taken)


def _costs(case: Case, layout: Layout) -> Array:
    problem, stages, weights = case.problem, case.stages, case.problem.weights
    hours = stages.hours
    buy = stages.buy + weights.import_extra_per_kwh
    sell = np.minimum(stages.sell, buy)  # never buy and sell at once
    wear = problem.battery.wear_per_kwh * weights.wear_factor
    cost = np.zeros(layout.width)
    cost[layout.grid_in] = hours * buy
    cost[layout.excess] = hours * (buy + grid_excess_price(stages, weights))
    cost[layout.grid_out] = hours * (_TIE_PER_KWH - sell)
    cost[layout.charge] = hours * _TIE_PER_KWH
    cost[layout.discharge] = hours * (wear + _TIE_PER_KWH)
    cost[layout.stored[-1]] -= case.worth.charge_per_kwh
    cost[layout.columns["below"]] = hours[:, None] * weights.cold_per_kh
    cost[layout.columns["above"]] = hours[:, None] * weights.warm_per_kh
    cost[layout.columns["hot"]] = hours[:, None] * weights.cold_per_kh * _FLOOR_PRICE_FACTOR
    capacity = case.rooms.capacity_kwh_k[:, (SCREED, STRUCTURE)].T
    cost[layout.short] = capacity.ravel() * case.worth.heat_per_kwh
    if layout.shape.peak:
        cost[layout.peak] = weights.peak_per_kw
    cost[layout.late] = [task.load.missed_per_kwh for task in case.wants.tasks]
    return cost


def _bounds(case: Case, layout: Layout) -> tuple[Array, Array]:
    problem, stages = case.problem, case.stages
    low, high = np.zeros(layout.width), np.full(layout.width, np.inf)
    for free in (layout.columns["z"], layout.columns["heat"], layout.pull):
        low[free] = -np.inf
    high[layout.columns["u"]] = 1.0
    high[layout.charge] = problem.battery.max_charge_kw
    high[layout.discharge] = problem.battery.max_discharge_kw
    high[layout.grid_in] = _grid_bound_kw(case, layout)
    high[layout.grid_out] = problem.limits.export_kw
    high[layout.pv] = stages.pv_kw
    high[layout.columns["load"]] = case.wants.most_kw
    low[layout.stored], high[layout.stored] = case.soc_window_kwh
    return low, high


def _grid_bound_kw(case: Case, layout: Layout) -> Array:
    """Bound the import where it could reach its limit and no phase's row says so already, (K,)."""
    limits = case.problem.limits
    by_phase = layout.shape.phase_rows and limits.grid_kw >= 3.0 * limits.phase_kw - _IDLE_KW
    reachable = (most_draw_kw(case)[0] > limits.grid_kw) & (not by_phase)
    return np.where(reachable, limits.grid_kw, np.inf)


def most_draw_kw(case: Case) -> tuple[Array, Array]:
    """Give the most that the house could draw in all, (K,), and on each phase, (K, 3) [kW]."""
    other = case.stages.base_kw + case.problem.battery.max_charge_kw
    may_heat = (~case.stages.blocked)[:, None]
    loads = case.wants.most_kw
    in_all = other + (may_heat * case.power_kw).sum(axis=1) + loads.sum(axis=1)
    by_phase = other[:, None] / 3.0 + case.stages.skew_kw + loads @ case.wants.phases
    return in_all, by_phase + may_heat * (case.power_kw @ case.phases)


def _decide_the_obvious(case: Case, program: Program) -> None:
    """Take what has no choice out of the program."""
    layout, stages, closed = program.layout, case.stages, _closed(case)
    program.fix(layout.columns["u"][closed])
    for wiring in range(layout.shape.wirings):
        idle = closed[:, case.wiring == wiring].all(axis=1)
        program.fix(layout.columns["heat"][idle, wiring])
    program.fix(layout.pull[:, ~case.neighbours.feel.any(axis=0)])
    for column, idle in (
        (layout.pv, stages.pv_kw < _IDLE_KW),
        (layout.grid_out, ~stages.export_allowed),
        (layout.charge, program.high[layout.charge] < _IDLE_KW),
        (layout.discharge, program.high[layout.discharge] < _IDLE_KW),
        (layout.columns["load"], case.wants.most_kw < _IDLE_KW),
    ):
        program.fix(column[idle])
    low, high = case.soc_window_kwh
    if high - low < _IDLE_KW:
        program.fix(np.concatenate([layout.charge, layout.discharge]))
        program.fix(layout.stored, case.first_kwh)


def _closed(case: Case) -> Mask:
    """Mark where a relay may not heat for a block or out of service, (K, relays)."""
    out = [relay.name in case.problem.out_of_service for relay in case.problem.relays]
    return np.asarray(case.stages.blocked[:, None] | np.array(out, dtype=bool))


def _decide_excess(case: Case, program: Program) -> None:
    """Take the excess over the grid limit out where base load and decided relays stay under it."""
    layout, limits = program.layout, case.problem.limits
    duty = np.nan_to_num(program.decided[layout.columns["u"]])
    forced, base = duty * case.power_kw, case.stages.base_kw
    fits = base + forced.sum(axis=1) < limits.grid_kw - _CLEAR_KW
    if layout.shape.phase_rows:
        by_phase = base[:, None] / 3.0 + case.stages.skew_kw + forced @ case.phases
        fits &= (by_phase < limits.phase_kw - _CLEAR_KW).all(axis=1)
    program.fix(layout.excess[fits])
