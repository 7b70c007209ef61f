"""From a raw history to the plant behind it and the samples that may be learned from.

The plant shows which samples are spoiled (limits, plateaus, dead days), and what is left shows the
plant: fitted, cleaned, fitted again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pems_actors.domain.units import HOUR_S
from pems_actors.learning.pv import curtailed
from pems_actors.learning.pv.physics import Plant, fit_clear, fit_plant, power
from pems_actors.learning.pv.scene import Array, Scene
from pems_actors.learning.pv.view import View
from pems_actors.learning.tables.table import Table

CLOUDY_FRAC = 0.45  # of clear sky, for a day of which nothing is known
PHYSICS_BAND = (0.55, 1.35)  # P10 and P90 around physics before anything was measured


def without_curtailed(history: Table, max_soc_frac: float = 0.9) -> tuple[Table, list[str]]:
    """Hide the rows that the history itself calls curtailed, and powers below zero."""
    spoiled = curtailed.told_curtailed(history.frame, max_soc_frac)
    measured = history.series.clip(lower=0.0).mask(spoiled)
    cleaned = replace(history, frame=history.frame.assign(**{history.target: measured}))
    said = curtailed.sentences({"curtailed": int(spoiled.sum())}, len(spoiled))
    return cleaned, list(said)


def grounded(start: Plant, seen: Scene, history: Table) -> tuple[Plant, Array, list[str]]:
    """Fit the plant, and leave out what it shows to be spoiled.

    Returns: the plant, its power with NaN where nothing may be learned, sentences.
    """
    measured: Array = np.asarray(history.series, np.float64)
    rows = int(np.isfinite(measured).sum())
    plant = _fitted(seen, measured, start)
    expected, clear = power(seen, plant), power(seen, replace(plant, limit=None), clear=True)
    limit = plant.limit or curtailed.found_limit(measured, clear)
    local = days_of(history)
    step_h = history.step / pd.Timedelta(hours=1)
    spoiled = {
        "at the limit of the inverter": curtailed.at_limit(measured, limit),
        "steadier than any sky": curtailed.plateaus(measured, expected, plant.peak, step_h),
        "days without power (snow, outage)": curtailed.dead_days(
            measured, expected, local, 0.6 * plant.peak / step_h
        )
        if seen.known.any()
        else np.zeros(len(measured), bool),
    }
    left_out = np.logical_or.reduce(list(spoiled.values()))
    said = list(
        curtailed.sentences({what: int(each.sum()) for what, each in spoiled.items()}, rows)
    )
    if left_out.any() or limit != plant.limit:
        measured = np.where(left_out, np.nan, measured)
        plant = replace(_fitted(seen, measured, start), limit=limit)
    return plant, measured, said


def _fitted(seen: Scene, measured: Array, start: Plant) -> Plant:
    good = np.isfinite(measured)
    if (good & seen.known & seen.lit).sum() >= (good & seen.lit).sum() / 3:
        return fit_plant(seen, measured, good, start)
    return fit_clear(seen, measured, good, start)


def days_of(history: Table) -> Array:
    """Local day of each row, as a number."""
    local = history.index.tz_convert(history.timezone).tz_localize(None)
    return np.asarray(local.as_unit("s").asi8 // 86400)


def share_of(look: View, measured: Array) -> float:
    """Find the usual share of clear sky, drawn to a cautious one while little is known."""
    good = np.isfinite(measured) & look.seen.lit
    prior = 8.0 * look.plant.peak * HOUR_S / look.step_s
    got = float(measured[good].sum()) + CLOUDY_FRAC * prior
    return got / (float(look.clear[good].sum()) + prior)


def band_of(look: View, measured: Array, share: float) -> tuple[float, float]:
    """P10 and P90 as shares of the mean, from all past errors by daylight."""
    mean = np.where(look.seen.known, look.expected, share * look.clear)
    good = np.isfinite(measured) & (mean > 0.05 * look.plant.peak)
    if good.sum() < 200:
        return PHYSICS_BAND
    low, high = np.quantile(measured[good] / mean[good], (0.1, 0.9))
    return float(min(low, 1.0)), float(max(high, 1.0))
