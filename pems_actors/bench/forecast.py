"""`pems bench forecast`: day-ahead forecasts of anyone's series beside the forecasts to beat.

Issued at noon for the next local day, refitted weekly, on the terms of `learning.day_ahead`. RMSE
and R² judge the mean, MAE and pinball the median and the band; what has no mean of its own is
judged by its median throughout. Rows without truth do not count.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pems_actors.bench.forecast_question import (
    Question,
    roof_from,
    series_from,
    site_from,
    weather_from,
    zone_from,
)
from pems_actors.bench.report import Target, report
from pems_actors.domain.house import Roof, Site
from pems_actors.learning.series.baselines import PRICE_LAGS_H, Persistence, PlainBoosted
from pems_actors.learning.series.day_ahead import Issue, issues, roll
from pems_actors.learning.series.load import LoadModel
from pems_actors.learning.series.model import BAND, SeriesModel
from pems_actors.learning.series.price import PriceModel
from pems_actors.learning.series.quantiles import LEVELS, pinball
from pems_actors.learning.tables.reading import read_csv
from pems_actors.learning.tables.table import Table
from pems_actors.physics.sun import sun_at

Array = npt.NDArray[np.float64]
DAYLIGHT_DEG = 3.0
_LIT_DAYS, _LIT_SHARE = 15, 0.02


def run(
    *,
    quick: bool = False,
    series: str | None = None,
    csv: str | None = None,
    column: str | None = None,
    train_until: str | None = None,
    test_from: str | None = None,
    test_until: str | None = None,
    site: str | None = None,
    roof: Sequence[str] = (),
    weather: str | None = None,
    timezone: str | None = None,
) -> dict[str, Any]:
    """Measure one series of one file. `quick` refits every four weeks instead of every one.

    Raises: ValueError with a sentence if an option is missing or cannot be read.
    """
    needed = {"series": series, "csv": csv, "column": column,
              "train-until": train_until, "test-from": test_from}  # fmt: skip
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise ValueError(f"bench forecast needs --{missing[0]}; see `pems bench forecast --help`")
    question = Question(
        series=series_from(str(series)),
        csv=Path(str(csv)),
        column=str(column),
        train_until=str(train_until),
        test_from=str(test_from),
        test_until=test_until,
        site=site_from(site),
        roofs=tuple(roof_from(text) for text in roof),
        weather=weather_from(weather),
        timezone=zone_from(timezone),
    )
    return measure(question, refit_days=28 if quick else 7)


def measure(question: Question, refit_days: int = 7) -> dict[str, Any]:
    """Forecast the whole test span with ours and with all baselines, and compare."""
    table = _table(question)
    zone = question.zone
    train_until, test_from = (
        question.instant(question.train_until),
        question.day(question.test_from),
    )
    _refuse_outside(question, table, test_from)
    test_until, cut = _test_until(question, table)
    todo = list(issues(table, test_from, test_until, published=question.series == "price"))
    if not todo:
        raise ValueError(
            f"no day from {test_from:%Y-%m-%d} to {test_until:%Y-%m-%d}; give a later --test-until"
        )
    _refuse_overlap(train_until, todo[0])
    began_s, learned = time.process_time(), list[str]()
    told = {"ours": roll(_ours(question), table, todo, train_until, refit_days, learned)}
    ours_s = time.process_time() - began_s
    for rival in _rivals(question):
        told[rival.name] = roll(rival, table, todo, train_until, refit_days)
    counts = _counts(question, table)
    figures = _figures(table, told, counts)
    figures |= {
        "days": len(todo),
        "refit_days": refit_days,
        "timezone": zone,
        "seconds_of_ours": round(ours_s, 1),
        "seen": [*table.notes, *cut],
        "learned": learned,
    }
    return report(f"forecast {question.series}", figures, _targets(question))


def _table(question: Question) -> Table:
    renamed = dict(question.weather)
    if question.column in renamed.values():
        raise ValueError(f"--weather names {question.column}, which is to be forecast; name others")
    return read_csv(
        question.csv,
        question.column,
        timezone=question.zone,
        rename=renamed,
        kind=question.series,
        only=tuple(renamed),
    )


def _test_until(question: Question, table: Table) -> tuple[pd.Timestamp, list[str]]:
    """End of the test (exclusive): as given, but not after the last local day with a truth.

    Returns: the end, and a sentence where it is earlier than was asked for.
    """
    if not table.rows:
        raise ValueError(f"{question.column} has no value at all; give another --column")
    known = table.index[table.series.notna().to_numpy()]
    local = known[-1].tz_convert(question.zone).tz_localize(None)
    end = local.normalize() + pd.Timedelta(days=1)
    asked = end if question.test_until is None else question.day(question.test_until)
    if asked <= end:
        return asked, []
    return end, [f"{question.column} ends on {local:%Y-%m-%d}, and so does the test"]


def _refuse_overlap(train_until: pd.Timestamp, first: Issue) -> None:
    if train_until > first.hours[0]:
        raise ValueError("--train-until lies after --test-from: the test would have been learned")


def _refuse_outside(question: Question, table: Table, test_from: pd.Timestamp) -> None:
    """Raises: ValueError if the file tells nothing of the days to be tested."""
    if not len(table.index):
        return
    first, last = (
        at.tz_convert(question.zone).tz_localize(None) for at in (table.index[0], table.index[-1])
    )
    ends = None if question.test_until is None else question.day(question.test_until)
    if test_from > last or (ends is not None and ends <= first):
        raise ValueError(
            f"{question.column} is told from {first:%Y-%m-%d} to {last:%Y-%m-%d}; "
            "give a --test-from and --test-until inside"
        )


# --- who takes part --------------------------------------------------------------------------


def _ours(question: Question) -> SeriesModel:
    if question.series == "load":
        return LoadModel()
    if question.series == "price":
        return PriceModel()
    from pems_actors.learning.pv.model import PvModel  # noqa: PLC0415 - brings pvlib along

    site, roofs = _plant(question)
    return PvModel(site=site, roofs=roofs)


def _rivals(question: Question) -> list[SeriesModel]:
    lags = PRICE_LAGS_H if question.series == "price" else PlainBoosted().lags_h
    rivals: list[SeriesModel] = [
        Persistence(),
        Persistence("weekly", every_days=7),
        PlainBoosted(lags_h=lags),
    ]
    if question.series == "pv" and question.site is not None:
        from pems_actors.learning.pv.baseline import PhysicsModel  # noqa: PLC0415 - brings pvlib along

        site, roofs = _plant(question)
        rivals.append(PhysicsModel(site=site, roofs=roofs))
    return rivals


def _plant(question: Question) -> tuple[Site | None, tuple[Roof, ...]]:
    """Give the site and its roofs; the losses of a roof are fitted, not assumed."""
    if question.site is None:
        return None, ()
    site = Site(question.site[0], question.site[1], timezone=question.zone)
    roofs = tuple(
        Roof(f"roof {k + 1}", power, tilt, azimuth)
        for k, (power, tilt, azimuth) in enumerate(question.roofs)
    )
    return site, roofs


# --- figures ---------------------------------------------------------------------------------


def _counts(question: Question, table: Table) -> pd.Series[bool]:
    """Mark the slots at which the band is judged: for PV those in daylight."""
    if question.series != "pv":
        return pd.Series(True, index=table.index)
    if question.site is None:
        return _lit(table)
    site = Site(*question.site)
    middles = table.index + table.step / 2
    zenith = sun_at(site, middles.as_unit("s").asi8.astype(float)).zenith_deg
    return pd.Series(90.0 - zenith > DAYLIGHT_DEG, index=table.index)


def _lit(table: Table) -> pd.Series[bool]:
    """Tell daylight where no site is given: the time of day at which there lately was power."""
    slot = (table.index - table.index.normalize()) // table.step
    most = table.series.groupby(slot).transform(
        lambda days: days.rolling(_LIT_DAYS, center=True, min_periods=1).max()
    )
    return most > _LIT_SHARE * table.series.quantile(0.995)


def _figures(
    table: Table, told: Mapping[str, pd.DataFrame], counts: pd.Series[bool]
) -> dict[str, Any]:
    """Judge all forecasts of the next day, and of both days together."""
    judged = {name: _judged(rows[rows["day"] == 1], table, counts) for name, rows in told.items()}
    both = {name: _judged(rows, table, counts) for name, rows in told.items()}
    ours = judged.pop("ours")
    figures: dict[str, Any] = {"ours": ours, "baselines": judged}
    figures["48h"] = {"ours": both.pop("ours"), "baselines": both}
    for name, theirs in judged.items():
        for score in ("rmse", "mae"):
            figures[f"{score}_under_{name}"] = _gain(ours[score], theirs[score])
    figures["pinball_under_best"] = min(
        _gain(ours["pinball"], theirs["pinball"]) or 0.0 for theirs in judged.values()
    )
    figures["r2"], figures["coverage"] = ours["r2"], ours["coverage"]
    figures["coverage_off"] = (
        None if ours["coverage"] is None else round(abs(ours["coverage"] - 0.8), 4)
    )
    return figures


def _gain(ours: float | None, theirs: float | None) -> float | None:
    """How far ours lies under theirs, as a share."""
    return None if ours is None or not theirs else round(1.0 - ours / theirs, 4)


def _judged(rows: pd.DataFrame, table: Table, counts: pd.Series[bool]) -> dict[str, float | None]:
    """Compute all scores over the rows whose truth is known."""
    truth: Array = np.asarray(table.series.reindex(rows.index), np.float64)
    known = np.isfinite(truth)
    if not known.any():
        return dict.fromkeys(("rmse", "mae", "r2", "pinball", "coverage", "rows"))
    rows = rows[known]
    truth = truth[known]
    told: dict[str, Array] = {name: rows[name].to_numpy(float) for name in (*BAND, "mean")}
    square, spread = ((truth - told["mean"]) ** 2).mean(), truth.var()
    counted = counts.reindex(rows.index).to_numpy(bool)
    inside = ((truth >= told["p10"]) & (truth <= told["p90"]))[counted]
    losses = [pinball(truth, told[name], level) for name, level in zip(BAND, LEVELS, strict=True)]
    return {
        "rmse": round(float(np.sqrt(square)), 5),
        "mae": round(float(np.abs(truth - told["p50"]).mean()), 5),
        "r2": round(float(1.0 - square / spread), 4) if spread > 0.0 else None,
        "pinball": round(float(np.mean(losses)), 5),
        "coverage": round(float(inside.mean()), 4) if len(inside) else None,
        "rows": len(rows),
    }


def _targets(question: Question) -> dict[str, Target]:
    """Tell what the figures should reach."""
    targets = {"coverage_off": Target("<=", 0.03), "pinball_under_best": Target(">=", 0.0)}
    if question.series == "pv":
        if question.weather and question.site is not None:
            targets |= {"r2": Target(">=", 0.91), "rmse_under_physics": Target(">=", 0.05)}
        else:
            targets["rmse_under_xgboost"] = Target(">=", 0.08)
        return targets
    share = 0.20 if question.series == "price" else 0.05
    return targets | {f"{score}_under_xgboost": Target(">=", share) for score in ("rmse", "mae")}
