"""Plain columns to tables and back: the border between the core's data and the models' own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pems_actors.learning.life.card import Source
from pems_actors.learning.life.jobs import Columns
from pems_actors.learning.tables.table import Table


def table_of(columns: Columns, target: str, timezone: str) -> Table:
    """Make a table of plain columns; weather that was never known is left out."""
    start = pd.Timestamp(columns.start_s, unit="s", tz="UTC")
    step = pd.Timedelta(seconds=columns.step_s)
    index = pd.date_range(start, periods=len(columns), freq=step)
    frame = pd.DataFrame({n: np.array(v, float) for n, v in columns.series.items()}, index=index)
    empty = [name for name in frame.columns if name != target and frame[name].isna().all()]
    return Table(frame.drop(columns=empty), target, timezone)


def known_part(table: Table) -> Table:
    """Cut off what lies before the first and after the last known value of the target."""
    first, last = table.series.first_valid_index(), table.series.last_valid_index()
    if table.rows == 0:
        return Table(table.frame.iloc[:0], table.target, table.timezone, table.notes)
    return Table(table.frame.loc[first:last], table.target, table.timezone, table.notes)


def source_of(table: Table) -> Source:
    """Count rows and gaps of a table's target."""
    step_s = table.step.total_seconds()
    if not len(table.index):
        return Source(0, 0.0, 0.0, step_s)
    missing = table.series.isna()
    starts = missing & ~missing.shift(fill_value=False)
    lengths = missing.groupby(starts.cumsum()).sum()
    longest = float(lengths.max()) if bool(missing.any()) else 0.0
    return Source(
        rows=table.rows,
        start_s=table.index[0].timestamp(),
        end_s=table.index[-1].timestamp() + step_s,
        step_s=step_s,
        gaps=int(starts.sum()),
        longest_gap_s=longest * step_s,
    )
