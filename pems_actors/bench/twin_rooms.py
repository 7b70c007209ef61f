"""A history of rooms from the twin, as a logger would have kept it, with the truth beside it.

The shipped house with its own seeded parameters: sensors of 0.1 K with noise, values lost, windows
opened and the tariff's blocks; floors, or panels in their place. Rows are quarter hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import config
from pems_actors.blueprint import house_from, tariff_from
from pems_actors.domain.house import Emitter, House, HouseModel, RoomModel
from pems_actors.domain.units import MINUTE_S, QUARTER_S
from pems_actors.physics.priors import PANEL_AIR_KW_K_KW, PANEL_KWH_K_KW, POWER_PER_UA_K
from pems_actors.simulation.device_faults import DeviceFault, FaultKind
from pems_actors.simulation.randomness import generator
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin

_MINUTES = round(QUARTER_S / MINUTE_S)


@dataclass(frozen=True, slots=True)
class Troubles:
    """What a logger's history suffers: per room and day, and as a share of its values."""

    windows_per_day: float = 0.15
    window_kw_k: tuple[float, float] = (0.02, 0.08)
    window_s: tuple[float, float] = (600.0, 3600.0)
    missing_frac: float = 0.02


NO_TROUBLES = Troubles(windows_per_day=0.0, missing_frac=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class TwinHistory:
    """Columns as `pems bench rooms` reads them, what was believed, and what is true."""

    frame: pd.DataFrame
    believed: HouseModel
    truth: HouseModel


def twin_history(
    start_s: float,
    days: float,
    *,
    seed: int = 0,
    panels: bool = False,
    rooms: tuple[str, ...] | None = None,
    troubles: Troubles | None = None,
) -> TwinHistory:
    """Let the shipped house live by its own thermostats, and log it.

    Args:
        panels: panels instead of floors.    rooms: columns to keep; None: all of them.
    """
    troubles = troubles or Troubles()
    system = config.load(env={}).system
    house, tariff = house_from(system), tariff_from(system)
    if panels:
        house = _with_panels(house)
    scenario = Scenario.reference(house, start_s, days, seed=seed)
    truth = true_model(house.model, seed)
    twin = Twin(house, truth, scenario, tariff.blocked, start_s, seed)
    frame = _logged(twin, scenario, round(days * 96), troubles, seed)
    kept = twin.dynamics.names if rooms is None else rooms
    columns = ["outdoor_c", "ghi_w_m2"]
    columns += [f"{what}_{room}" for what in ("temp_c", "heat_kw") for room in kept]
    return TwinHistory(frame[columns], house.model, truth)


def _with_panels(house: House) -> House:
    power = {room: share * r.power_kw for r in house.relays for room, share in r.members}
    rooms = tuple(_panel(room, power.get(room.name, 0.0)) for room in house.model.rooms)
    return replace(house, model=replace(house.model, rooms=rooms))


def _panel(room: RoomModel, power_kw: float) -> RoomModel:
    loss = room.g_air_outdoor_kw_k + room.g_structure_outdoor_kw_k
    power_kw = power_kw or POWER_PER_UA_K * loss
    return replace(
        room,
        emitter=Emitter.PANEL,
        c_screed_kwh_k=PANEL_KWH_K_KW * power_kw,
        g_screed_air_kw_k=PANEL_AIR_KW_K_KW * power_kw,
    )


def _logged(
    twin: Twin, scenario: Scenario, quarters: int, troubles: Troubles, seed: int
) -> pd.DataFrame:
    random = generator(seed, "logger", 0)
    names = twin.dynamics.names
    index = pd.date_range(
        pd.Timestamp(twin.at_s, unit="s", tz="UTC"), periods=quarters, freq="15min"
    )
    rows = []
    for _ in range(quarters):
        said = [reading.temp_c for reading in twin.reading().rooms]
        _open_windows(twin, troubles, random)
        heat, weather = np.zeros(len(names)), np.zeros(2)
        for _ in range(_MINUTES):
            now = scenario.at(twin.at_s)
            twin.step_to(twin.at_s + MINUTE_S)
            heat += twin.relays.heat_kw / _MINUTES
            weather += np.array([now.outdoor_c, now.ghi_w_m2]) / _MINUTES
        rows.append([*weather.round(2), *said, *heat.round(4)])
    columns = [
        "outdoor_c",
        "ghi_w_m2",
        *(f"temp_c_{n}" for n in names),
        *(f"heat_kw_{n}" for n in names),
    ]
    frame = pd.DataFrame(rows, index, columns, dtype=float).rename_axis("time_utc")
    for name in names:
        lost = _lost(quarters, troubles.missing_frac, random)
        frame.loc[lost, f"temp_c_{name}"] = np.nan
    return frame


def _open_windows(twin: Twin, troubles: Troubles, random: np.random.Generator) -> None:
    for name in twin.dynamics.names:
        device = f"rooms/{name}"
        if random.random() < troubles.windows_per_day / 96.0 and device not in twin.faults:
            amount = float(random.uniform(*troubles.window_kw_k))
            until_s = twin.at_s + float(random.uniform(*troubles.window_s))
            twin.fault(device, DeviceFault(FaultKind.WINDOW_OPEN, amount, until_s))


def _lost(quarters: int, share: float, random: np.random.Generator) -> np.ndarray:
    """Lose values in runs of up to four hours."""
    lost = np.zeros(quarters, bool)
    while lost.mean() < share:
        start = int(random.integers(quarters))
        lost[start : start + int(random.integers(1, 17))] = True
    return lost
