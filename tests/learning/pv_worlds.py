"""Plants whose sun, clouds and flaws are known, as histories to learn from."""

import numpy as np
import pandas as pd

from pems_actors.domain.house import Roof, Site
from pems_actors.learning.pv.physics import plant_of, power
from pems_actors.learning.pv.scene import scene
from pems_actors.learning.tables.table import Table

SITE = Site(50.08, 14.43, 250.0, "Europe/Prague")
ROOFS = (Roof("south", 6.0, 35.0, 180.0), Roof("west", 4.0, 35.0, 265.0))
STEP = pd.Timedelta(hours=1)


def skies(days: int, seed: int = 1, start: str = "2024-04-01", step: pd.Timedelta = STEP):
    """Clear sky times clouds that hang together over hours and days: `ghi_w_m2`, `temp_c`."""
    rows = int(pd.Timedelta(days=days) / step)
    index = pd.date_range(start, periods=rows, freq=step, tz="UTC")
    rng = np.random.default_rng(seed)
    hourly = pd.Series(rng.normal(size=rows)).ewm(halflife=4).mean().to_numpy()
    daily = np.repeat(rng.normal(size=days + 1), rows // days + 1)[:rows]
    cloud = 1.0 / (1.0 + np.exp(-(0.6 + 1.5 * daily + 3.0 * hourly)))
    blank = pd.DataFrame(index=index)
    clear = scene(SITE, blank, step).clear.ghi.mean(axis=1)
    warm = 15.0 + 8.0 * np.sin(2 * np.pi * (index.hour - 9) / 24)
    return pd.DataFrame({"ghi_w_m2": clear * (0.12 + 0.88 * cloud), "temp_c": warm}, index=index)


def world(
    days: int = 60,
    *,
    roofs=ROOFS,
    gain: float = 0.9,
    shade: float = 1.0,
    noise: float = 0.03,
    weather: bool = True,
    seed: int = 1,
    start: str = "2024-04-01",
    step: pd.Timedelta = STEP,
) -> Table:
    """Make a history of a plant that gives `gain` of what was told, and `shade` before 10 UTC."""
    sky = skies(days, seed, start, step)
    seen = scene(SITE, sky, step)
    kw = gain * power(seen, plant_of(SITE, roofs))
    kw *= np.where(sky.index.hour < 10, shade, 1.0)
    rng = np.random.default_rng(seed + 100)
    kw = np.maximum(kw * (1.0 + noise * rng.normal(size=len(kw))), 0.0)
    frame = sky.assign(pv_kw=kw) if weather else pd.DataFrame({"pv_kw": kw}, index=sky.index)
    return Table(frame, "pv_kw", SITE.timezone)


def asked(table: Table, day: str, hour: int = 12, ahead_h: int = 48):
    """Take an issue on a local day: what was known, when, and the slots of the next two days."""
    issued = pd.Timestamp(f"{day} {hour:02d}:00", tz=SITE.timezone).tz_convert("UTC")
    midnight = (pd.Timestamp(day) + pd.Timedelta(days=1)).tz_localize(SITE.timezone)
    hours = pd.date_range(
        midnight.tz_convert("UTC"),
        periods=int(pd.Timedelta(hours=ahead_h) / table.step),
        freq=table.step,
    )
    return table.as_known(issued, hours[-1] + table.step), issued, hours
