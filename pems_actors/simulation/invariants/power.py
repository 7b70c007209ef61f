"""Laws of power: a switch-on fits on the last reading, an excess ends within a control tick.

Limits are the breaker per phase, the import and all heating together. Reckoned here anew from the
pictures and the relays' powers; the control code's own arithmetic is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

from pems_actors.domain.commands import SetHeating, SetLoad
from pems_actors.domain.flexible_load import FlexibleLoad
from pems_actors.domain.house import BatteryMode, House, Relay
from pems_actors.domain.readings import HouseReading
from pems_actors.simulation.invariants.facts import Truth, Wrote
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes, contacts

TICK_S = 60.0
_EPS_KW = 1e-6
_FELT_KW = 0.01
NOBODY: frozenset[str] = frozenset()


def worst(
    house: House, phase_kw: Iterable[float], import_kw: float, heating_kw: float
) -> tuple[float, str]:
    """Find the limit that is exceeded most; a negative figure is what is left under the nearest."""
    limits = house.limits
    over = [(kw - limits.phase_kw, f"L{k}") for k, kw in enumerate(phase_kw, start=1)]
    over += [(import_kw - limits.import_kw, "import"), (heating_kw - limits.heating_kw, "heating")]
    return max(over)


def overload(
    house: House, reading: HouseReading, added: Sequence[Relay] = (), spare_kw: float = 0.0
) -> str | None:
    """Name the limit that a picture shows exceeded, `meter lost` without a meter, else None.

    added: relays that were switched on after the picture was taken, which the meter will feel.
    spare_kw: what less than that is left under counts as exceeded too.
    """
    heating_kw = sum(relay.power_kw for relay in house.relays if contacts(reading).get(relay.name))
    heating_kw += sum_kw(added)
    meter = reading.meter
    if meter is None or meter.grid_kw is None or isnan(meter.grid_kw):
        return "meter lost"
    phases = meter.phase_kw or (meter.grid_kw / 3.0,) * 3
    import_kw = meter.grid_kw + sum_kw(added)
    over_kw, limit = worst(house, with_relays(phases, added), import_kw, heating_kw)
    return limit if over_kw > _EPS_KW - spare_kw else None


def is_over_reserve(notes: Notes, added: Sequence[Relay]) -> bool:
    """Tell if what was last seen on, and what was added, is too much beside the reserved base load.

    The reserve is what counts without a meter: the base load of a busy hour, on any phase.
    """
    on = [relay for name, relay in notes.relays.items() if notes.contact(name)]
    on += [relay for relay in added if relay not in on]
    base_kw, drawn_kw = notes.house.limits.base_load_p95_kw, sum_kw(on)
    over_kw, _ = worst(notes.house, with_relays((base_kw,) * 3, on), base_kw + drawn_kw, drawn_kw)
    return over_kw > _EPS_KW


def was_crowded(notes: Notes, spare_kw: float = 0.0) -> bool:
    """Whether one of the last two pictures showed an excess, or no meter at all.

    What was switched on since the newest one will be felt, so it counts as well.
    """
    if any(
        overload(notes.house, each.reading, (), spare_kw) is not None for each in notes.pictures
    ):
        return True
    seen = notes.seen
    if seen is None:
        return False
    added = [notes.relays[name] for name in notes.on_since(seen.at_s)]
    return overload(notes.house, seen.reading, added, spare_kw) is not None


class SwitchOnFits(Law):
    """A switch-on never exceeds a limit on the last reading; without a meter, on the reserve."""

    name = "a switch-on fits"

    def on_wrote(self, wrote: Wrote) -> None:
        """Reckon what the house would draw with one more relay."""
        turned = self.notes.turn_of(wrote)
        if turned is None or not (turned.changed and turned.on):
            return
        on = self.notes.believed_on() | {turned.relay.name}
        heating_kw = sum(self.notes.relays[name].power_kw for name in on)
        meter = self.notes.meter(wrote.at_s)
        if meter is None or meter.grid_kw is None:
            base_kw = self.house.limits.base_load_p95_kw
            phase_kw, import_kw = (base_kw,) * 3, base_kw
            added = [self.notes.relays[name] for name in on]
        else:
            phase_kw, import_kw = meter.phase_kw or (meter.grid_kw / 3.0,) * 3, meter.grid_kw
            added = [self.notes.relays[name] for name in self.notes.on_since(meter.at_s)]
            added.append(turned.relay)
        over_kw, limit = worst(
            self.house, with_relays(phase_kw, added), import_kw + sum_kw(added), heating_kw
        )
        if over_kw > _EPS_KW:
            detail = f"relay/{turned.relay.name} puts {limit} {over_kw:.2f} kW over"
            self.accuse(wrote.at_s, f"{detail} ({wrote.command.reason})")


def sum_kw(relays: Iterable[Relay | FlexibleLoad]) -> float:
    """Add up what relays and flexible loads draw [kW]."""
    return sum(relay.power_kw for relay in relays)


def with_relays(phase_kw: tuple[float, ...], relays: Iterable[Relay]) -> list[float]:
    """Add what relays draw to each phase [kW]."""
    relays = list(relays)
    return [kw + sum(r.power_kw * r.phases[k] for r in relays) for k, kw in enumerate(phase_kw)]


class ExcessEnds(Law):
    """An excess that was to be seen ends within a control tick, as far as anything can be shed.

    What was on then and is off now must have been enough for the excess of then; a new excess by
    other loads is a new one.
    """

    name = "an excess ends within a tick"

    def __init__(self, notes: Notes, armed: frozenset[str] | None) -> None:
        super().__init__(notes)
        self._armed = armed
        self._seen_over: Truth | None = None
        self._base_kw = 0.0  # of other loads, when the meter was last read

    def on_truth(self, truth: Truth) -> None:
        """Judge the answer to the last picture's excess, then look for one in this."""
        then, self._seen_over = self._seen_over, None
        if then is not None and truth.at_s - then.at_s <= TICK_S + 1.0:
            self._judge(then, truth)
        over_kw, _ = self._over(truth, frozenset(), 0.0)
        if over_kw > _FELT_KW + self._unseen_kw(truth) and self._was_shown(truth):
            self._seen_over = truth

    def _unseen_kw(self, truth: Truth) -> float:
        """What other loads have begun to draw since a meter that is silent was last read."""
        if self.notes.seen is None:
            return 0.0
        inverter, meter = self.notes.seen.reading.inverter, self.notes.seen.reading.meter
        fed_kw = truth.grid_kw + truth.battery_kw + ((inverter and inverter.pv_kw) or 0.0)
        ours = [relay for relay in self.house.relays if truth.closed[relay.name]]
        loads = [load for load in self.house.loads if load.name in truth.drawing]
        base_kw = fed_kw - sum_kw(ours) - sum_kw(loads)
        if meter is not None and meter.grid_kw is not None and not isnan(meter.grid_kw):
            self._base_kw = base_kw
        return max(base_kw - self._base_kw, 0.0)

    def _was_shown(self, truth: Truth) -> bool:
        """Whether the appliance could know: a picture of now with a meter, and orders pass."""
        seen, notes = self.notes.seen, self.notes
        if seen is None or seen.at_s < truth.at_s - 1.0 or notes.meter(truth.at_s) is None:
            return False
        return not any(notes.is_broken(name, truth.at_s) for name in ("house-deaf", "suspend"))

    def _over(
        self, truth: Truth, without: frozenset[str], less_kw: float, held: frozenset[str] = NOBODY
    ) -> tuple[float, str]:
        """Find the worst limit without some relays and flexible loads, and with less drawn."""
        loads = [load for load in self.house.loads if load.name in held]
        relays = [self.notes.relays[name] for name in without]
        gone: list[Relay | FlexibleLoad] = [*relays, *loads]
        phases = [
            kw - sum(r.power_kw * r.phases[k] for r in gone) - less_kw / 3.0
            for k, kw in enumerate(truth.phase_kw)
        ]
        heating_kw = sum(
            relay.power_kw
            for relay in self.house.relays
            if truth.closed[relay.name] and relay.name not in without
        )
        return worst(self.house, phases, truth.grid_kw - sum_kw(gone) - less_kw, heating_kw)

    def _judge(self, then: Truth, now: Truth) -> None:
        gone = frozenset(
            name
            for name, on in then.closed.items()
            if on and (not now.closed[name] or self._welded(name, then))
        )
        charging_kw = -then.battery_kw if then.mode is BatteryMode.CHARGE_GRID else 0.0
        stopped = now.mode is not BatteryMode.CHARGE_GRID
        freed_kw = now.battery_kw - then.battery_kw  # it may even feed the house from now on
        freed_kw = max(0.0, charging_kw, freed_kw) if stopped and charging_kw > 0.0 else 0.0
        held = {load for load in then.drawing if load not in now.drawing or self._deaf(load, then)}
        over_kw, limit = self._over(then, gone, freed_kw, frozenset(held))
        left = self._sheddable(then, now, limit)
        charges_on = charging_kw > _FELT_KW and not stopped and not now.deaf
        if over_kw > _FELT_KW and (left or charges_on):
            what = ", ".join(sorted(left)) or "the battery's grid charge"
            self.accuse(now.at_s, f"{limit} was {over_kw:.2f} kW over and {what} stayed on")

    def _welded(self, relay: str, then: Truth) -> bool:
        """Whether a relay was ordered off in time and could not obey: more could not be known."""
        last = self.notes.last.get(f"relay/{relay}")
        if relay not in then.stuck or last is None or not isinstance(last.command, SetHeating):
            return False
        return not last.command.on and last.at_s >= then.at_s

    def _deaf(self, load: str, then: Truth) -> bool:
        """Whether a flexible load was held back in time and drew on: more could not be known."""
        last = self.notes.last.get(f"load/{load}")
        if load not in then.unheld or last is None or not isinstance(last.command, SetLoad):
            return False
        return not last.command.on and last.at_s >= then.at_s

    def _sheddable(self, then: Truth, now: Truth, limit: str) -> set[str]:
        """Relays and flexible loads that could have gone off and would have helped."""
        stuck = then.stuck | now.stuck
        on = [
            relay
            for relay in self.house.relays
            if then.closed[relay.name] and now.closed[relay.name] and relay.name not in stuck
        ]
        drew = (then.drawing & now.drawing) - then.unheld - now.unheld
        draw = [load for load in self.house.loads if load.name in drew]
        left = {f"relay/{relay.name}" for relay in on if _eases(limit, relay)}
        left |= {f"load/{load.name}" for load in draw if _eases(limit, load)}
        return left if self._armed is None else left & self._armed


def _eases(limit: str, each: Relay | FlexibleLoad) -> bool:
    """Whether a limit is eased when one goes off."""
    if limit == "heating":
        return isinstance(each, Relay)
    return not limit.startswith("L") or each.phases[int(limit[1]) - 1] > 0.0
