"""A plan as its users need it: one view per room, one for battery and inverter."""

from __future__ import annotations

from pems_actors.domain.events import BatteryStep, EnergyPlan, PowerOutlook, RoomPlan
from pems_actors.domain.flexible_load import LoadPlan
from pems_actors.domain.house import House, Relay
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan
from pems_actors.domain.time_grid import TimeGrid

_NOTHING = 1e-6


def room_plan(plan: Plan, room: str, relay: Relay | None, *, obeys: bool = True) -> RoomPlan:
    """Cut out what concerns one room: its relay's slots and its own temperature path.

    obeys: whether its relay does what it is told. One that does not is planned without, and could
    still be accused wrongly: its room goes on by its rules, which harms nobody if it is dead.
    """
    slots = plan.slots
    path = plan.paths.get(room)
    temps = tuple(slot.temps_c[room] for slot in slots)
    prices = path.heat_price_per_kwh if path is not None else ()
    name, power_kw = (relay.name, relay.power_kw) if relay is not None else ("", 1.0)
    price = tuple(prices[min(k, len(prices) - 1)] if prices else 0.0 for k in range(len(slots)))
    return RoomPlan(
        issued_at_s=plan.issued_at_s,
        valid_until_s=plan.valid_until_s,
        path_until_s=plan.path_until_s if obeys else plan.issued_at_s,
        level=plan.level if obeys else Level.RULES,
        start_s=tuple(slot.start_s for slot in slots),
        on=tuple(slot.relays.get(name) if slot.binary else None for slot in slots),
        duty=tuple(slot.heat_kw.get(name, 0.0) / power_kw for slot in slots),
        reasons=tuple(slot.reasons.get(name, "as planned") for slot in slots),
        path_c=temps,
        heat_price_per_kwh=price,
        end_s=slots[-1].start_s + slots[-1].duration_s,
        worth_frac=_worth_frac(plan, relay) if relay is not None else (),
    )


def _worth_frac(plan: Plan, relay: Relay) -> tuple[float, ...]:
    """Compare, as far as paths reach, what heat through a relay is worth with what it costs."""
    paths = [
        (plan.paths[room].heat_price_per_kwh, share)
        for room, share in relay.members
        if room in plan.paths
    ]
    reach = min((len(prices) for prices, _ in paths), default=0)
    told: list[float] = []
    for k, slot in enumerate(plan.slots[:reach]):
        worth, cost = sum(share * prices[k] for prices, share in paths), slot.power_price_per_kwh
        most = max(abs(worth), abs(cost or 0.0))
        told.append((worth - cost) / most if cost is not None and most > _NOTHING else 0.0)
    return tuple(told)


def load_plan(plan: Plan, load: str) -> LoadPlan:
    """Cut out what concerns one flexible load; nothing for one that wanted nothing."""
    slots = plan.slots
    return LoadPlan(
        issued_at_s=plan.issued_at_s,
        valid_until_s=plan.valid_until_s,
        level=plan.level,
        start_s=tuple(slot.start_s for slot in slots),
        power_kw=tuple(slot.loads_kw.get(load, 0.0) for slot in slots),
        reasons=tuple(slot.reasons.get(load, "off: nothing was wanted") for slot in slots),
        end_s=slots[-1].start_s + slots[-1].duration_s,
    )


def fits(plan: Plan, house: House) -> bool:
    """Tell if a plan speaks of this house: one from before a change of its rooms does not."""
    rooms = {room.name for room in house.rooms}
    relays = {relay.name for relay in house.relays}
    return bool(plan.slots) and all(
        rooms <= slot.temps_c.keys() and relays >= slot.relays.keys() for slot in plan.slots
    )


def energy_plan(plan: Plan) -> EnergyPlan:
    """Cut out what concerns battery and inverter; equal neighbours become one step."""
    steps: list[BatteryStep] = []
    for slot in plan.slots:
        step = BatteryStep(
            start_s=slot.start_s,
            mode=slot.battery_mode,
            rate_kw=slot.battery_rate_kw,
            stop_soc_frac=slot.battery_stop_soc_frac,
            export_allowed=slot.export_allowed,
            reason=slot.reasons.get("battery", "as planned"),
            export_reason=slot.reasons.get("export", "as planned"),
        )
        if not steps or _orders(steps[-1]) != _orders(step):
            steps.append(step)
    last = plan.slots[-1]
    return EnergyPlan(
        plan.issued_at_s,
        plan.valid_until_s,
        plan.level,
        tuple(steps),
        last.start_s + last.duration_s,
        plan.known_until_s,
        _outlook(plan),
    )


def _outlook(plan: Plan) -> PowerOutlook:
    """Tell battery and inverter what the plan expects of everything else."""
    slots = plan.slots
    last = slots[-1]
    return PowerOutlook(
        TimeGrid((*(slot.start_s for slot in slots), last.start_s + last.duration_s)),
        tuple(slot.pv_kw for slot in slots),
        tuple(
            slot.base_load_kw + sum(slot.heat_kw.values()) + sum(slot.loads_kw.values())
            for slot in slots
        ),
        tuple(slot.charge_price_per_kwh or 0.0 for slot in slots),
    )


def _orders(step: BatteryStep) -> tuple[object, ...]:
    return step.mode, step.rate_kw, step.stop_soc_frac, step.export_allowed
