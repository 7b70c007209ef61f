"""The simulated house's meters: energy by quarter hour, ready to be settled.

Import and export stand on two registers, also per phase, because contracts differ in what they
net (`economics/costs.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pems_actors.domain.units import HOUR_S, QUARTER_S
from pems_actors.economics.costs import Metered
from pems_actors.economics.tariff import Netting
from pems_actors.physics.battery_modes import BatteryFlow

Phases = tuple[float, float, float]


class LedgerRow(NamedTuple):
    """Energies of (a part of) one quarter hour [kWh], none negative; `peak_kw` is of import."""

    start_s: float
    duration_s: float
    import_kwh: float
    export_kwh: float
    phase_import_kwh: float
    phase_export_kwh: float
    charged_kwh: float
    discharged_kwh: float
    heating_kwh: float
    base_load_kwh: float
    pv_kwh: float
    curtailed_kwh: float
    peak_kw: float


_ENERGIES = LedgerRow._fields[2:-1]


class EnergyLedger:
    """Adds up steps into quarter hours. `rows` are closed quarters, oldest first.

    A twin that lives for months hands its rows over with `drain`; the sums remain.
    """

    def __init__(self) -> None:
        self.rows: list[LedgerRow] = []
        self._open: list[float] | None = None
        self._totals = [0.0] * len(_ENERGIES)
        self._peak_kw = 0.0

    def add(
        self,
        at_s: float,
        dt_s: float,
        flow: BatteryFlow,
        phase_kw: Phases,
        heating_kw: float,
        base_load_kw: float,
    ) -> None:
        """Count one step of constant powers that begins at `at_s` and crosses no quarter."""
        row = self._open
        start_s = at_s - at_s % QUARTER_S
        if row is None or row[0] - row[0] % QUARTER_S != start_s:
            self.close()
            row = self._open = [at_s] + [0.0] * (len(LedgerRow._fields) - 1)
        battery, grid, pv, curtailed, _ = flow
        hours = dt_s / HOUR_S
        row[1] += dt_s
        row[2 if grid > 0.0 else 3] += abs(grid) * hours
        for power in phase_kw:
            row[4 if power > 0.0 else 5] += abs(power) * hours
        row[7 if battery > 0.0 else 6] += abs(battery) * hours
        row[8] += heating_kw * hours
        row[9] += base_load_kw * hours
        row[10] += pv * hours
        row[11] += curtailed * hours
        row[12] = max(row[12], grid)

    def close(self) -> None:
        """Close the open quarter, so that it shows in `rows`; a later step opens a new row."""
        if self._open is not None:
            self.rows.append(LedgerRow(*self._open))
            self._totals, self._peak_kw = self._summed()
            self._open = None

    def drain(self) -> list[LedgerRow]:
        """Hand over the closed quarters and forget them."""
        rows, self.rows = self.rows, []
        return rows

    def figures(self) -> dict[str, float]:
        """Sum up everything metered so far."""
        totals, peak_kw = self._summed()
        return {**dict(zip(_ENERGIES, totals, strict=True)), "peak_kw": peak_kw}

    def _summed(self) -> tuple[list[float], float]:
        if self._open is None:
            return self._totals, self._peak_kw
        pairs = zip(self._totals, self._open[2:-1], strict=True)
        return [total + part for total, part in pairs], max(self._peak_kw, self._open[-1])

    def to_plain(self) -> dict[str, object]:
        """Give plain data for a snapshot."""
        return {
            "rows": [list(row) for row in self.rows],
            "open": [] if self._open is None else list(self._open),
            "totals": list(self._totals),
            "peak_kw": self._peak_kw,
        }

    def load_plain(self, plain: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        self.rows = [LedgerRow(*row) for row in plain["rows"]]
        self._open = list(plain["open"]) or None
        self._totals = list(plain["totals"])
        self._peak_kw = float(plain["peak_kw"])


def metered_rows(
    rows: Sequence[LedgerRow], spot_eur_mwh: Iterable[float], netting: Netting = Netting.SUM
) -> list[Metered]:
    """Turn ledger rows into what `economics.costs.settle` takes.

    Args:
        rows: quarter hours.    spot_eur_mwh: the market's price in each.
        netting: the contract's.
    """
    apart = netting is Netting.PER_PHASE
    return [
        Metered(
            start_s=row.start_s,
            duration_s=row.duration_s,
            import_kwh=row.phase_import_kwh if apart else row.import_kwh,
            export_kwh=row.phase_export_kwh if apart else row.export_kwh,
            discharged_kwh=row.discharged_kwh,
            spot_eur_mwh=spot,
        )
        for row, spot in zip(rows, spot_eur_mwh, strict=True)
    ]
