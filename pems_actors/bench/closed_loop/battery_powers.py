"""The ablation of battery modes: plan powers, and put each into the nearest mode afterwards.

That is how a planner with a freely controlled battery meets a hybrid inverter: what it wants is a
power, what the device takes is a mode, and the power that comes of it is another.
"""

from __future__ import annotations

from pems_actors.bench.closed_loop.retelling import Order, retold
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.optimisation.case import case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.grid import stages_of

_NOTHING_KW = 0.1
_STEP_KW = 0.1  # a register knows no finer rate


def by_powers(problem: PlanningProblem, plan: Plan) -> Plan:
    """Replace a plan's modes by those nearest to the powers of the relaxed program."""
    relaxed = Formulation().solve(case_of(problem, stages_of(problem)))
    if relaxed is None:
        return plan
    wanted = (relaxed.discharge_kw - relaxed.charge_kw).tolist()
    orders = []
    for k, slot in enumerate(plan.slots):
        spare_kw = problem.pv_kw[k] - problem.base_load_kw[k] - sum(slot.heat_kw.values())
        orders.append(_nearest(wanted[k], spare_kw))
    return retold(problem, plan, orders)


def _nearest(power_kw: float, spare_kw: float) -> Order:
    """Choose a mode for a power (discharge positive) where so much sun is to spare."""
    rate_kw = max(round(abs(power_kw) / _STEP_KW) * _STEP_KW, _STEP_KW)
    own_kw = -spare_kw  # what self-use would give
    if abs(power_kw - own_kw) <= max(_NOTHING_KW, 0.2 * abs(own_kw)):
        return BatteryMode.SELF_USE, None, None
    if power_kw > _NOTHING_KW:
        return BatteryMode.SELL, rate_kw, None
    if power_kw < -_NOTHING_KW:
        return BatteryMode.CHARGE_GRID, rate_kw, None
    return BatteryMode.HOLD, None, None
