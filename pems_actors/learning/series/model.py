"""What every learned series model can do: learn from a table, forecast from what was known.

A fitted model is frozen and picklable, so it can be stored, sent to a worker and compared with its
rivals. It never fails on thin or bad history: then its floor serves, and `notes` say so.
"""

from __future__ import annotations

from typing import Protocol, Self

import pandas as pd

from pems_actors.learning.tables.table import Table

BAND = ("p10", "p50", "p90")


class SeriesModel(Protocol):
    """A model of one series: the PV power, the base load or the price."""

    @property
    def name(self) -> str:
        """Name of the model, such as `load`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was learned from and what serves; empty before `fit`."""

    def fit(self, history: Table) -> Self:
        """Learn from all rows of `history` and give the fitted model; this one stays as it is.

        Called on a fitted model it may go on from what it knows (its record of true errors).
        """

    def forecast(
        self, known: Table, issued_at: pd.Timestamp, hours: pd.DatetimeIndex
    ) -> pd.DataFrame:
        """Tell the target's means over the slots that start at `hours` (UTC, evenly spaced).

        Args:
            known: all that was known at the issue: the target up to then (missing after it), the
                weather columns as forecast, over the target slots too.
            issued_at: when the forecast is made, aware.    hours: starts of the slots wanted.
        Returns: columns `p10 p50 p90` (never crossing, always finite), indexed by `hours`; may
            have a column `mean`, the best guess by squared error, where it differs from `p50`.
        """
