"""The rooms as the house has learned to know them: what steers, and since which version.

One message carries one house model for all who reckon with rooms, so that estimate, plan and check
can never stand on different ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pems_actors.domain.house import HouseModel


@dataclass(frozen=True, slots=True)
class LearnedRooms:
    """The thermal model to go by from now on; None: what the configuration believes.

    `serving` names the version of each room that is trusted; the others are as configured.
    """

    model: HouseModel | None
    serving: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
