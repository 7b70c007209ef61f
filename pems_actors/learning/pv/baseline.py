"""Physics with fitted figures alone: the baseline that everything learned has to beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import pandas as pd

from pems_actors.domain.house import Roof, Site
from pems_actors.learning.pv.ground import (
    PHYSICS_BAND,
    band_of,
    grounded,
    share_of,
    without_curtailed,
)
from pems_actors.learning.pv.model import PvModel, placed
from pems_actors.learning.pv.scene import scene
from pems_actors.learning.pv.view import view
from pems_actors.learning.tables.table import Table


@dataclass(frozen=True)
class PhysicsModel:
    """Physics with fitted figures alone, as a rival and a baseline; bands by its past errors."""

    site: Site | None = None
    roofs: tuple[Roof, ...] = ()
    limit_kw: float | None = None
    model: PvModel | None = None
    band: tuple[float, float] = PHYSICS_BAND

    @property
    def name(self) -> str:
        """Name of the model."""
        return "physics"

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was learned from."""
        return () if self.model is None else self.model.notes

    def fit(self, history: Table) -> Self:
        """Fit the figures of the roofs."""
        blank = PvModel(self.site, self.roofs, self.limit_kw)
        cleaned, said = without_curtailed(history)
        if not cleaned.rows:
            return replace(self, model=blank.fit(history))
        found, shift_s, told = placed(blank, cleaned)
        blank = replace(blank, found=found, shift_s=shift_s)
        seen = scene(blank.place, history.frame, history.step, shift_s)
        plant, measured, spoiled = grounded(blank.start, seen, cleaned)
        look = view(history.frame, {}, history.step, history.timezone, seen, plant, False)
        fitted = replace(
            blank, plant=plant, notes=(*said, *told, *spoiled), share=share_of(look, measured)
        )
        return replace(self, model=fitted, band=band_of(look, measured, fitted.share))

    def forecast(
        self, known: Table, issued_at: pd.Timestamp, hours: pd.DatetimeIndex
    ) -> pd.DataFrame:
        """Tell physics by the weather's light, or the usual share of clear sky without it."""
        model = self.model or PvModel(self.site, self.roofs, self.limit_kw)
        blind = known.as_known(known.index[0], known.index[-1] + known.step)
        told = model.forecast(blind, issued_at, hours)
        middle, (low, high) = told["mean"], self.band
        return told.assign(p10=low * middle, p50=middle, p90=high * middle)
