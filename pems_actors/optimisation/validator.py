"""A second opinion on a plan, by its own way of computing: the core asks it before adopting.

It steps the house with `HouseDynamics` and the inverter with `battery_power`, slot by slot, and
refuses what breaks a hard limit with one sentence. Comfort is not a limit: there it answers with
numbers. It knows nothing of how the plan was made and loads no solver.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pems_actors.domain.house import HouseModel, Relay
from pems_actors.domain.plan import Plan, PlanningProblem, PlanSlot, RelayHistory
from pems_actors.domain.units import HOUR_S, iso
from pems_actors.physics.balance import EVEN, excess_kw, grid_by_phase
from pems_actors.physics.battery_modes import battery_power
from pems_actors.physics.house_model import HouseDynamics, heat_shares_kw

_KW, _S, _SOC = 0.02, 1.0, 0.005
_LONG_OFF = RelayHistory(on=False, since_s=-math.inf)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the second opinion says. `refusal` is None where no hard limit is broken.

    `disagreement_k` is the largest difference between its air temperatures and the plan's,
    `cold_kh` and `warm_kh` are its own comfort figures over the horizon.
    """

    refusal: str | None
    disagreement_k: float = 0.0
    cold_kh: float = 0.0
    warm_kh: float = 0.0

    @property
    def accepted(self) -> bool:
        """Whether the plan may be used."""
        return self.refusal is None


def validate(problem: PlanningProblem, plan: Plan) -> Verdict:
    """Judge a plan against the problem it answers.

    Args:
        problem: state, forecasts and limits the plan was made for.
        plan: the answer; its slots must be the problem's.
    Returns: a refusal in one sentence, or the comfort figures of a plan that breaks no limit.
    """
    for check in (_form, _numbers, _relays, _loads, _battery, _power):
        sentence = next(check(problem, plan), None)
        if sentence is not None:
            return Verdict(sentence)
    return _comfort(problem, plan)


def _form(problem: PlanningProblem, plan: Plan) -> Iterator[str]:
    grid = problem.grid
    if len(plan.slots) != len(grid):
        yield f"the plan has {len(plan.slots)} slots for {len(grid)}"
        return
    relays = {relay.name for relay in problem.relays}
    rooms = {room.name for room in problem.model.rooms}
    loads = {task.load.name for task in problem.loads}
    for slot, start, width in zip(plan.slots, grid.starts_s, grid.durations_s, strict=True):
        if abs(slot.start_s - start) > _S or abs(slot.duration_s - width) > _S:
            yield f"the slot at {iso(start)} is elsewhere in the plan"
        if slot.relays.keys() != relays or slot.heat_kw.keys() != relays:
            yield f"the slot at {iso(start)} does not name every relay"
        if slot.loads_kw.keys() != loads:
            yield f"the slot at {iso(start)} does not name every flexible load"
        if slot.temps_c.keys() != rooms:
            yield f"the slot at {iso(start)} does not name every room"


def _numbers(_: PlanningProblem, plan: Plan) -> Iterator[str]:
    for slot in plan.slots:
        numbers = (slot.battery_kw, slot.grid_kw, slot.pv_kw, slot.base_load_kw, slot.soc_frac)
        more = (*slot.heat_kw.values(), *slot.temps_c.values(), *slot.loads_kw.values())
        several = (*numbers, slot.cost, *more)
        if not all(map(math.isfinite, several)):
            yield f"the slot at {iso(slot.start_s)} holds something that is not a number"


def _relays(problem: PlanningProblem, plan: Plan) -> Iterator[str]:
    most = problem.limits.heating_kw
    for slot, blocked in zip(plan.slots, problem.heating_blocked, strict=True):
        heating = sum(slot.heat_kw.values())
        if heating > most + _KW:
            yield f"heating takes {heating:.2f} kW at {iso(slot.start_s)}, more than {most:.2f} kW"
        for relay in problem.relays:
            fault = _relay_fault(problem, slot, relay, blocked=blocked)
            if fault is not None:
                yield f"{_named(relay, slot)} {fault}"
    for relay in problem.relays:
        yield from _dwell(problem, plan, relay)


def _named(relay: Relay, slot: PlanSlot) -> str:
    return f"relay {relay.name!r} at {iso(slot.start_s)}"


def _relay_fault(
    problem: PlanningProblem, slot: PlanSlot, relay: Relay, *, blocked: bool
) -> str | None:
    kw, on = slot.heat_kw[relay.name], slot.relays[relay.name]
    if not -_KW <= kw <= relay.power_kw + _KW:
        return f"heats with {kw:.2f} kW, outside 0 to {relay.power_kw:.2f} kW"
    if slot.binary and abs(kw - (relay.power_kw if on else 0.0)) > _KW:
        return f"heats with {kw:.2f} kW and is {'on' if on else 'off'}"
    if kw <= _KW and not (on and slot.binary):
        return None
    if blocked:
        return "heats although the tariff blocks heating"
    return "heats although it is out of service" if relay.name in problem.out_of_service else None


def _loads(problem: PlanningProblem, plan: Plan) -> Iterator[str]:
    """Check flexible loads: within their power, not while the tariff blocks them."""
    for slot, blocked in zip(plan.slots, problem.heating_blocked, strict=True):
        for load in (task.load for task in problem.loads):
            kw, where = slot.loads_kw[load.name], f"load {load.name!r} at {iso(slot.start_s)}"
            if not -_KW <= kw <= load.power_kw + _KW:
                yield f"{where} draws {kw:.2f} kW, outside 0 to {load.power_kw:.2f} kW"
            if blocked and load.tariff_blocked and kw > _KW:
                yield f"{where} draws although the tariff blocks it"


def _other_kw(slot: PlanSlot) -> float:
    """All that is not heating: the base load and the flexible loads."""
    return slot.base_load_kw + sum(slot.loads_kw.values())


def _dwell(problem: PlanningProblem, plan: Plan, relay: Relay) -> Iterator[str]:
    """Follow one relay's switchings: dwell times and starts per hour."""
    past = problem.state.relays.get(relay.name, _LONG_OFF)
    on, since, starts = past.on, past.since_s, list(past.starts_s)
    for slot, blocked in zip(plan.slots, problem.heating_blocked, strict=True):
        if not slot.binary:
            return
        if slot.relays[relay.name] is on:
            continue
        lasted, at = slot.start_s - since, slot.start_s
        if (
            on
            and lasted < relay.min_on_s - _S
            and not _must_end(problem, slot, relay, blocked=blocked)
        ):
            yield (
                f"{_named(relay, slot)} switches off after {lasted:.0f} s on, "
                f"less than {relay.min_on_s:.0f} s"
            )
        if not on:
            starts = [*(s for s in starts if s > at - HOUR_S + _S), at]
            if lasted < relay.min_off_s - _S:
                yield (
                    f"{_named(relay, slot)} starts after {lasted:.0f} s off, "
                    f"less than {relay.min_off_s:.0f} s"
                )
            if len(starts) > relay.max_starts_per_h:
                yield f"{_named(relay, slot)} starts for the {len(starts)}th time in an hour"
        on, since = not on, at


def _must_end(problem: PlanningProblem, slot: PlanSlot, relay: Relay, *, blocked: bool) -> bool:
    """Whether something that ranks above dwell ends a relay's run."""
    out = relay.name in problem.out_of_service
    return blocked or out or _no_room(problem, slot, relay)


def _no_room(problem: PlanningProblem, slot: PlanSlot, relay: Relay) -> bool:
    """Whether a relay could not have stayed on without counting on the battery.

    What may not leave the house is not fed in: the inverter gives no more than is used.
    """
    limits = problem.limits
    heat = {**slot.heat_kw, relay.name: relay.power_kw}
    total = sum(heat.values())
    out_kw = limits.export_kw if slot.export_allowed else 0.0
    sun_kw = min(slot.pv_kw, problem.inverter.ac_limit_kw, _other_kw(slot) + total + out_kw)
    return (
        total > limits.heating_kw
        or _other_kw(slot) + total - sun_kw > limits.grid_kw
        or excess_kw(_phases(problem, slot, heat, sun_kw), limits) > 0.0
    )


def _phases(
    problem: PlanningProblem, slot: PlanSlot, heat_kw: Mapping[str, float], inverter_kw: float
) -> tuple[float, float, float]:
    first = second = third = 0.0
    for relay in problem.relays:
        kw, phases = heat_kw[relay.name], relay.phases
        first, second, third = (
            first + kw * phases[0],
            second + kw * phases[1],
            third + kw * phases[2],
        )
    for task in problem.loads:
        kw, phases = slot.loads_kw[task.load.name], task.load.phases
        first, second, third = (
            first + kw * phases[0],
            second + kw * phases[1],
            third + kw * phases[2],
        )
    split = problem.state.base_split or EVEN
    return grid_by_phase((first, second, third), slot.base_load_kw, inverter_kw, split)


def _battery(problem: PlanningProblem, plan: Plan) -> Iterator[str]:
    """Tell the inverter what the plan says, slot by slot, and compare."""
    soc = problem.state.soc_frac
    low = min(problem.battery.min_soc_frac, soc) - _SOC
    high = max(problem.battery.max_soc_frac, soc) + _SOC
    for slot, pv, base in zip(plan.slots, problem.pv_kw, problem.base_load_kw, strict=True):
        if not low <= slot.soc_frac <= high:
            at = iso(slot.start_s)
            yield f"the battery is at {slot.soc_frac:.2f} at {at}, outside its window"
        flow = battery_power(
            slot.battery_mode,
            max(pv, 0.0),
            max(base, 0.0) + sum(slot.heat_kw.values()) + sum(slot.loads_kw.values()),
            soc,
            problem.battery,
            problem.inverter,
            problem.limits,
            slot.duration_s,
            slot.battery_rate_kw,
            slot.battery_stop_soc_frac,
            slot.export_allowed,
        )
        for what, planned, real, most in (
            ("battery power", slot.battery_kw, flow.battery_kw, _KW),
            ("grid power", slot.grid_kw, flow.grid_kw, _KW),
            ("PV power", slot.pv_kw, flow.pv_kw, _KW),
            ("state of charge", slot.soc_frac, flow.soc_frac, _SOC),
        ):
            if abs(planned - real) > most:
                at = iso(slot.start_s)
                yield (
                    f"{what} at {at} is {planned:.2f} in the plan, but mode "
                    f"{slot.battery_mode} gives {real:.2f}"
                )
        soc = flow.soc_frac


def _power(problem: PlanningProblem, plan: Plan) -> Iterator[str]:
    for slot, export_price in zip(plan.slots, problem.export_per_kwh, strict=True):
        fault = _power_fault(problem, slot, export_price)
        if fault is not None:
            yield f"{fault} at {iso(slot.start_s)}"


def _power_fault(problem: PlanningProblem, slot: PlanSlot, export_price: float) -> str | None:
    """Check balance, grid and phases; what the base load alone exceeds is not the plan's doing."""
    limits = problem.limits
    heating = sum(slot.heat_kw.values())
    gap = slot.grid_kw + slot.battery_kw + slot.pv_kw - _other_kw(slot) - heating
    if abs(gap) > _KW:
        return f"powers do not balance by {gap:.2f} kW"
    if slot.export_allowed and export_price < 0.0:
        return f"export is allowed at a price of {export_price:.2f}, below 0,"
    if slot.grid_kw < -_KW - (limits.export_kw if slot.export_allowed else 0.0):
        return f"{-slot.grid_kw:.2f} kW are exported, more than allowed,"
    idle_sun_kw = max(slot.pv_kw - problem.inverter.ac_limit_kw, 0.0)  # to the battery or nowhere
    ours = heating + sum(slot.loads_kw.values()) + max(-slot.battery_kw - idle_sun_kw, 0.0)
    return _overload(problem, slot) if ours > _KW else None


def _overload(problem: PlanningProblem, slot: PlanSlot) -> str | None:
    limits = problem.limits
    if slot.grid_kw > limits.grid_kw + _KW:
        return f"{slot.grid_kw:.2f} kW are imported, more than {limits.grid_kw:.2f} kW,"
    inverter_kw = slot.battery_kw + slot.pv_kw
    over = excess_kw(_phases(problem, slot, slot.heat_kw, inverter_kw), limits)
    if slot.grid_kw > 0.0 and over > _KW:
        return f"a phase carries {over:.2f} kW more than its breaker"
    return None


@lru_cache(maxsize=4)
def _dynamics(model: HouseModel) -> HouseDynamics:
    return HouseDynamics(model)


def _comfort(problem: PlanningProblem, plan: Plan) -> Verdict:
    air, names = _air_c(problem, plan), _dynamics(problem.model).names
    low = np.array([problem.comfort_low_c[name] for name in names]).T
    high = np.array([problem.comfort_high_c[name] for name in names]).T
    planned = np.array([[slot.temps_c[name] for name in names] for slot in plan.slots])
    hours = np.array([slot.duration_s for slot in plan.slots]) / HOUR_S
    return Verdict(
        None,
        disagreement_k=float(np.abs(planned - air).max()),
        cold_kh=float(hours @ np.maximum(low - air, 0.0).sum(axis=1)),
        warm_kh=float(hours @ np.maximum(air - high, 0.0).sum(axis=1)),
    )


def _air_c(problem: PlanningProblem, plan: Plan) -> Array:
    """Step the house through a plan; air at slot ends, (K, rooms) [°C]."""
    dynamics = _dynamics(problem.model)
    heat_kw = np.array([[slot.heat_kw[r.name] for r in problem.relays] for slot in plan.slots])
    full_kw = np.maximum([relay.power_kw for relay in problem.relays], 1e-9)
    emitted_kw = heat_kw / full_kw @ heat_shares_kw(problem.model, problem.relays).T
    drift_kw = [problem.state.disturbance_kw.get(name, 0.0) for name in dynamics.names]
    temps = dynamics.pack(problem.state.rooms)
    ends = np.empty((len(plan.slots), len(temps)))
    for width, slots in _by_width(plan):
        step = dynamics.matrices(width)
        ends[slots] = emitted_kw[slots] @ step.heat.T + step.gain @ drift_kw + step.internal
        ends[slots] += np.outer(np.array(problem.outdoor_c)[slots], step.outdoor)
        ends[slots] += np.outer(np.maximum(problem.ghi_w_m2, 0.0)[slots], step.ghi)
    for k, slot in enumerate(plan.slots):
        temps = ends[k] = ends[k] + dynamics.matrices(slot.duration_s).a @ temps
    return ends[:, dynamics.rooms : 2 * dynamics.rooms]


def _by_width(plan: Plan) -> Iterator[tuple[float, list[int]]]:
    """Group slots of equal length."""
    slots: dict[float, list[int]] = {}
    for k, slot in enumerate(plan.slots):
        slots.setdefault(slot.duration_s, []).append(k)
    yield from slots.items()
