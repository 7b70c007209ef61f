"""The product's planner before several futures: the mean of what each of them would pay.

Six futures about the forecast, in pairs of opposite errors of weather, light and load, which grow
with the time ahead as those of a weather service do. Each is relaxed by itself, and plan and
prices are averaged; all that follows is the product's own. What this is worth against the forecast
alone is measured, so it is here and not in the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.assembly import Decided
from pems_actors.optimisation.case import Case, case_of
from pems_actors.optimisation.formulation import Formulation
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.solver import Planner, SolveOptions
from pems_actors.simulation.randomness import smooth_noise
from pems_actors.simulation.weather_service import ISSUE_S

Array = npt.NDArray[np.float64]

PAIRS = 3
_LEADS_H = (0.0, 6.0, 48.0)
_TEMP_K = (0.25, 0.5, 2.0)
_LIGHT = (0.10, 0.25, 0.50)  # of the logarithm
_LOAD = (0.15, 0.30, 0.35)
_LASTS_S = {"temp": 6 * HOUR_S, "light": 6 * HOUR_S, "load": 2 * HOUR_S}
_MEANS = (
    "duty", "charge_kw", "discharge_kw", "grid_kw", "pv_kw", "stored_kwh", "excess_kw", "air_c",
    "surface_c", "power_price", "import_price", "charge_price", "heat_price", "later_price",
    "loads_kw",
)  # fmt: skip


class HedgedPlanner(Planner):
    """The product's planner with a relaxation that is the mean over futures."""

    def __init__(self, options: SolveOptions) -> None:
        """Start cold."""
        super().__init__(options)
        self._formulation = Hedged(options.limits)


class Hedged(Formulation):
    """Relaxes a case in several futures, and gives the mean of plan and prices."""

    def solve(self, case: Case, decided: Decided | None = None) -> Relaxed | None:
        """Solve all futures of a case; one without a sound point is left out."""
        solve = super().solve
        found = [solve(future, decided) for future in futures(case)]
        sound = [relaxed for relaxed in found if relaxed is not None]
        return mean_of(sound) if sound else None


def futures(case: Case) -> Iterator[Case]:
    """Give the futures of a case; those of one issue of the weather have the same errors."""
    stages, issue = case.stages, int(case.stages.start_s[0] // ISSUE_S)
    lead_h = (stages.start_s - stages.start_s[0]) / HOUR_S
    for pair in range(PAIRS):
        chill, haze, use = (
            np.interp(lead_h, _LEADS_H, sigma)
            * smooth_noise(issue, f"{name} {pair}", stages.start_s, _LASTS_S[name])
            for name, sigma in (("temp", _TEMP_K), ("light", _LIGHT), ("load", _LOAD))
        )
        for sign in (1.0, -1.0):
            yield case_of(
                case.problem,
                replace(
                    stages,
                    outdoor_c=stages.outdoor_c + sign * chill,
                    ghi_w_m2=stages.ghi_w_m2 * _times(sign * haze),
                    pv_kw=stages.pv_kw * _times(sign * haze),
                    base_kw=stages.base_kw * _times(sign * use),
                ),
            )


def _times(log: Array) -> Array:
    """Give factors of mean one over a pair of opposite errors."""
    return np.asarray(np.exp(log) / np.cosh(log))


def mean_of(found: Sequence[Relaxed]) -> Relaxed:
    """Average relaxed plans of one layout: powers, temperatures and prices alike."""
    means = {name: np.mean([getattr(each, name) for each in found], axis=0) for name in _MEANS}
    return replace(found[0], **means)
