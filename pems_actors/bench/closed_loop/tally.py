"""What a run comes to: money settled from the true meters, comfort, wear of relays and registers.

Marks are taken at the beginning and at every midnight. Between two marks lie energy, money and
cold; at each, the state in which the house is left is priced by hindsight (`later_cost`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pems_actors.bench.closed_loop.hindsight import later_cost
from pems_actors.bench.closed_loop.world import World
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S
from pems_actors.economics.costs import CostTerms, settle
from pems_actors.simulation.energy_ledger import EnergyLedger, LedgerRow, metered_rows
from pems_actors.simulation.kpis import ComfortMeter
from pems_actors.simulation.twin import Twin

_TWIN_FIGURES = (
    "import_kwh", "export_kwh", "heating_kwh", "base_load_kwh", "pv_kwh", "curtailed_kwh",
    "discharged_kwh", "peak_kw", "cold_kh", "warm_kh", "coldest_c", "floor_max_c",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """The house at a midnight: what it has cost since counting began, and what it is left with."""

    at_s: float
    cost: float
    cold_kh: float
    later: float  # least cost of the two days from here on
    soc_frac: float
    stored_heat_kwh: float

    @property
    def settled(self) -> float:
        """Cost so far with the state settled; only differences of it mean something."""
        return self.cost + self.later


class Tally:
    """Counts one run on its twin from the instant at which it is made."""

    def __init__(self, world: World, twin: Twin) -> None:
        """Begin to count: meters of energy, comfort and phases start anew."""
        self.world, self.twin = world, twin
        twin.ledger = EnergyLedger()
        twin.comfort = ComfortMeter(world.house.rooms, world.truth, world.house.model)
        twin.over_breaker_s = 0.0
        self._rows: list[LedgerRow] = []
        self._starts = dict(twin.starts)
        self._writes = (twin.inverter.mode_changes, twin.inverter.writes)
        self.marks: list[Mark] = []
        self.mark()

    def mark(self) -> None:
        """Note how the house stands now."""
        twin = self.twin
        figures, rooms = twin.figures(), twin.true_state()
        self.marks.append(
            Mark(
                at_s=twin.at_s,
                cost=self.paid().total,
                cold_kh=figures["cold_kh"],
                later=later_cost(self.world, twin.at_s, rooms, twin.inverter.soc_frac),
                soc_frac=twin.inverter.soc_frac,
                stored_heat_kwh=figures["stored_heat_kwh"],
            )
        )

    def paid(self) -> CostTerms:
        """Settle what the meters have counted so far."""
        twin, house = self.twin, self.world.house
        twin.ledger.close()
        self._rows += twin.ledger.drain()
        starts = sum(
            (twin.starts[relay.name] - self._starts[relay.name]) * relay.start_cost
            for relay in house.relays
        )
        if not self._rows:
            return CostTerms(starts=starts)
        edges = [row.start_s for row in self._rows]
        grid = TimeGrid((*edges, edges[-1] + self._rows[-1].duration_s))
        spot = self.world.market.traded_eur_mwh(grid)
        rows = metered_rows(self._rows, spot, self.world.tariff.netting)
        return settle(rows, self.world.tariff, house.battery.wear_per_kwh, starts)

    def figures(self) -> dict[str, object]:
        """Give the figures of the whole run."""
        twin, first, last = self.twin, self.marks[0], self.marks[-1]
        days = (last.at_s - first.at_s) / DAY_S
        seen, money, names = twin.figures(), self.paid(), twin.comfort.names
        changes, writes = twin.inverter.mode_changes, twin.inverter.writes
        starts = sum(twin.starts.values()) - sum(self._starts.values())
        return {
            "cost": money.total,
            "money": {term: getattr(money, term) for term in asdict(money)},
            "settled": last.settled - first.settled,
            **{name: seen[name] for name in _TWIN_FIGURES if name in seen},
            "energy_kwh": seen["import_kwh"],
            "self_consumption_frac": _share(seen["pv_kwh"] - seen["export_kwh"], seen["pv_kwh"]),
            "cold_kh_room_day": seen["cold_kh"] / len(names) / days,
            "cold_kh_by_room_day": _by_room(names, twin.comfort.cold_kh.tolist(), days),
            "starts_per_room_day": starts / len(twin.starts) / days,
            "mode_changes_per_day": (changes - self._writes[0]) / days,
            "writes_per_day": (writes - self._writes[1]) / days,
            "over_phase_limit_s": twin.over_breaker_s,
            "marks": [asdict(mark) for mark in self.marks],
        }


def _share(part: float, whole: float) -> float | None:
    return max(part, 0.0) / whole if whole > 0.0 else None


def _by_room(names: Sequence[str], kh: Sequence[float], days: float) -> dict[str, float]:
    return {name: round(value / days, 4) for name, value in zip(names, kh, strict=True)}
