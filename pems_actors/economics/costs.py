"""What a stretch of time cost: import, export, battery wear and relay starts.

Energy is metered in periods, import and export each on its own register; the contract says at
which price a period is settled. A plan, a simulated fortnight and a bill go through the same sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pems_actors.domain.units import HOUR_S, kwh
from pems_actors.economics.tariff import Netting, Settlement, Tariff


@dataclass(frozen=True, slots=True)
class CostTerms:
    """Money by term, in the tariff's currency; `total` is what was paid in the end."""

    import_cost: float = 0.0
    export_income: float = 0.0
    wear: float = 0.0
    starts: float = 0.0

    @property
    def total(self) -> float:
        """Costs less income."""
        return self.import_cost - self.export_income + self.wear + self.starts

    def __add__(self, other: CostTerms) -> CostTerms:
        return CostTerms(
            self.import_cost + other.import_cost,
            self.export_income + other.export_income,
            self.wear + other.wear,
            self.starts + other.starts,
        )


@dataclass(frozen=True, slots=True)
class Metered:
    """Energy of one period, and the market's price in it. All energies are zero or more."""

    start_s: float
    duration_s: float
    import_kwh: float
    export_kwh: float
    discharged_kwh: float
    spot_eur_mwh: float


def slot_cost(
    grid_kw: float,
    battery_kw: float,
    import_per_kwh: float,
    export_per_kwh: float,
    duration_s: float,
    wear_per_kwh: float = 0.0,
    starts_cost: float = 0.0,
) -> CostTerms:
    """Price constant powers over one slot at all-in prices (as a `PriceCurve` gives them)."""
    energy_kwh = kwh(grid_kw, duration_s)
    return CostTerms(
        import_cost=max(energy_kwh, 0.0) * import_per_kwh,
        export_income=max(-energy_kwh, 0.0) * export_per_kwh,
        wear=max(kwh(battery_kw, duration_s), 0.0) * wear_per_kwh,
        starts=starts_cost,
    )


def metered(
    start_s: float,
    duration_s: float,
    grid_kw: float,
    battery_kw: float,
    spot_eur_mwh: float,
    netting: Netting = Netting.SUM,
    phase_kw: Sequence[float] | None = None,
) -> Metered:
    """Read a meter over constant powers, signs as in the house (import, discharge positive).

    Raises: ValueError if phases are netted one by one but not known.
    """
    if netting is Netting.PER_PHASE and phase_kw is None:
        raise ValueError("netting per phase needs the power of each phase")
    registers = phase_kw if netting is Netting.PER_PHASE and phase_kw else (grid_kw,)
    return Metered(
        start_s=start_s,
        duration_s=duration_s,
        import_kwh=sum(kwh(max(power, 0.0), duration_s) for power in registers),
        export_kwh=sum(kwh(max(-power, 0.0), duration_s) for power in registers),
        discharged_kwh=kwh(max(battery_kw, 0.0), duration_s),
        spot_eur_mwh=spot_eur_mwh,
    )


def settle(
    periods: Iterable[Metered],
    tariff: Tariff,
    wear_per_kwh: float = 0.0,
    starts_cost: float = 0.0,
) -> CostTerms:
    """Settle metered periods by the contract.

    Args:
        periods: in rising order; none longer than a quarter hour if bands change on quarters.
        tariff: prices, settlement period.    wear_per_kwh: per kWh discharged.
        starts_cost: all relay starts together.
    """
    total = CostTerms(starts=starts_cost)
    rows = list(periods)
    for row, spot in zip(rows, _settled_spot(rows, tariff.settlement), strict=True):
        total += CostTerms(
            import_cost=row.import_kwh * tariff.import_per_kwh(spot, row.start_s),
            export_income=row.export_kwh * tariff.export_per_kwh(spot),
            wear=row.discharged_kwh * wear_per_kwh,
        )
    return total


def _settled_spot(rows: Sequence[Metered], settlement: Settlement) -> list[float]:
    """Average the market price over what the contract settles together, weighted by time."""
    if settlement is Settlement.QUARTER_HOUR:
        return [row.spot_eur_mwh for row in rows]
    by_hour = settlement is Settlement.HOUR
    keys = [row.start_s // HOUR_S if by_hour else 0.0 for row in rows]
    money: dict[float, float] = {}
    time_s: dict[float, float] = {}
    for key, row in zip(keys, rows, strict=True):
        money[key] = money.get(key, 0.0) + row.spot_eur_mwh * row.duration_s
        time_s[key] = time_s.get(key, 0.0) + row.duration_s
    return [money[key] / time_s[key] for key in keys]
