"""What stored models are made of and look at, as a short mark: it changes when they do."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256

from pems_actors.domain.house import RoomModel
from pems_actors.learning.features import roofs
from pems_actors.learning.pv.median import Median
from pems_actors.learning.pv.members import Members
from pems_actors.learning.pv.model import PvModel
from pems_actors.learning.pv.physics import Plant
from pems_actors.learning.pv.stack import Stack
from pems_actors.learning.rooms.house import Prior
from pems_actors.learning.rooms.identify import RoomsFound, Tested
from pems_actors.learning.rooms.network import KINDS, Layout
from pems_actors.learning.series.blend import Blend
from pems_actors.learning.series.boosted import FEATURES, PLAIN_FEATURES
from pems_actors.learning.series.ensemble import DayAhead
from pems_actors.learning.series.load import LoadModel
from pems_actors.learning.series.price import PriceModel
from pems_actors.learning.series.quantiles import Bands
from pems_actors.learning.series.record import Record

SHARED = (DayAhead, Record, Blend, Bands)


def made_of(series: str) -> str:
    """Mark the fields and features of what is stored for a series."""
    if series == "pv":
        looks = [each.name for each in roofs.FEATURES]
        return _mark((PvModel, Stack, Members, Median, Bands, Plant), looks)
    if series == "rooms":
        return _mark((RoomsFound, Tested, Layout, Prior, RoomModel), [KINDS])
    members = (LoadModel if series == "load" else PriceModel)().members
    kinds = {type(member): None for member in members}
    return _mark((*SHARED, *kinds), [*FEATURES, *PLAIN_FEATURES, *(m.name for m in members)])


def _mark(kinds: tuple[type, ...], looks: list[object]) -> str:
    parts = [(kind.__qualname__, [each.name for each in fields(kind)]) for kind in kinds]
    return sha256(repr((parts, looks)).encode()).hexdigest()[:12]
