"""The thermal model of a house as identified or written by hand: three masses per room.

In a configuration it stands under `house_model`, as an object or as the name of a file beside the
configuration's own. Rooms that it does not name keep what is believed of them by their size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from config.base import Good, Key, Part
from config.files import read_json
from config.problems import Problem

SECTION = "house_model"

Capacity = Annotated[float, Field(gt=0, le=1000), Good("kWh per K above 0, usually 0.01 to 10")]
Conductance = Annotated[float, Field(ge=0, le=100), Good("kW per K, usually 0.005 to 1")]
Coupling = Annotated[float, Field(gt=0, le=100), Good("kW per K above 0, usually 0.01 to 1")]


class RoomBody(Part):
    """One room: screed or panel, air with furniture, structure, and what joins them."""

    emitter: Literal["floor", "panel"]
    c_screed_kwh_k: Capacity
    c_air_kwh_k: Capacity
    c_structure_kwh_k: Capacity
    g_screed_air_kw_k: Coupling
    g_air_structure_kw_k: Coupling
    g_air_outdoor_kw_k: Conductance
    g_structure_outdoor_kw_k: Conductance
    solar_m2: Annotated[float, Field(ge=0, le=100), Good("0 to 100 m², usually 0 to 2")] = 0.0
    internal_kw: Annotated[float, Field(ge=-5, le=5), Good("-5 to 5 kW, usually 0.02 to 0.2")] = 0.0


class HouseModel(Part):
    """Rooms by their keys, and `[room, room, kW per K]` between the structures of neighbours."""

    rooms: dict[Key, RoomBody] = Field(default_factory=dict)
    links: tuple[tuple[Key, Key, Conductance], ...] = ()


def inlined(raw: dict[str, Any], beside: Path) -> list[Problem]:
    """Put a model that is named by its file into a raw configuration, in its place.

    Args:
        raw: the configuration; changed.    beside: its own file.
    Returns: what is wrong with the file of the model.
    """
    named = raw.get(SECTION)
    if not isinstance(named, str):
        return []
    model, problems = read_json(beside.parent / Path(named).expanduser())
    raw[SECTION] = model
    return problems
