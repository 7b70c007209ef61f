"""Who is compared: the product, the product with one part taken away, thermostats, hindsight.

A controller is named in one word, with `+0.3` or `-0.3` behind it where its set-points are moved
by so many kelvins. Nothing is run here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from pems_actors.domain.house import House, HouseModel, RoomModel
from pems_actors.physics.balance import EVEN


class Kind(StrEnum):
    """How a controller is run."""

    PRODUCT = "product"  # the appliance itself, on virtual time
    THERMOSTAT = "thermostat"  # a loop of its own
    HINDSIGHT = "hindsight"


@dataclass(frozen=True, slots=True)
class Variant:
    """One controller. Fields that say nothing leave the product as it is.

    `away_after_h` counts from the beginning of the span; from then on no new plan is made, and
    with `forgets` the last one is forgotten too.
    """

    name: str
    kind: Kind
    offset_k: float = 0.0
    plans: bool = True
    exact: bool = False
    one_mass: bool = False
    no_phases: bool = False
    no_estimator: bool = False
    powers: bool = False
    hedged: bool = False
    once_a_day: bool = False
    away_after_h: float | None = None
    forgets: bool = False
    cold_per_kh: float = 0.0  # hindsight only
    told: str = ""

    @property
    def label(self) -> str:
        """Name it with what its set-points are moved by."""
        return f"{self.name}{self.offset_k:+g}" if self.offset_k else self.name


AWAY_AFTER_H = 24.0
_STIFF = 50.0  # a screed so closely bound to the air is one mass with it

_PLAIN = (
    Variant("hysteresis", Kind.THERMOSTAT, told="tuned hysteresis per room, battery in self-use"),
    Variant("price_shift", Kind.THERMOSTAT, told="the same, set-points by the day's price rank"),
    Variant("v1", Kind.THERMOSTAT, told="hysteresis; battery and export by the original's v1 rule"),
    Variant("duty", Kind.PRODUCT, plans=False, told="the product's own rules, no planner"),
    Variant(
        "day_ahead", Kind.PRODUCT, once_a_day=True, told="one schedule a day, followed blindly"
    ),
    Variant("ours", Kind.PRODUCT, told="the product"),
    Variant("exact", Kind.PRODUCT, exact=True, told="the product with exact forecasts"),
    Variant("powers", Kind.PRODUCT, powers=True, told="battery powers put into modes afterwards"),
    Variant("hedged", Kind.PRODUCT, hedged=True, told="mean plan and prices of six futures"),
    Variant("one_mass", Kind.PRODUCT, one_mass=True, told="rooms of two states: heat into the air"),
    Variant("no_phases", Kind.PRODUCT, no_phases=True, told="relays planned as if on all phases"),
    Variant("no_estimator", Kind.PRODUCT, no_estimator=True, told="floors taken as at rest"),
    Variant("level2", Kind.PRODUCT, away_after_h=AWAY_AFTER_H, told="planner away from day two on"),
    Variant(
        "level3",
        Kind.PRODUCT,
        away_after_h=AWAY_AFTER_H,
        forgets=True,
        told="planner away and its plan forgotten from day two on",
    ),
    Variant("bound", Kind.HINDSIGHT, cold_per_kh=200.0, told="hindsight, no cold"),
    Variant("bound_12", Kind.HINDSIGHT, cold_per_kh=12.0, told="hindsight, cold as we price it"),
    Variant("bound_3", Kind.HINDSIGHT, cold_per_kh=3.0, told="hindsight, cold at a quarter of it"),
)
KNOWN = {variant.name: variant for variant in _PLAIN}

BASELINES = ("hysteresis", "duty")
SWEEP_K = {"hysteresis": (-0.8, -0.6, -0.4, -0.2, 0.0, 0.2), "duty": (-0.6, -0.3, 0.0)}
BOUNDS = ("bound", "bound_12", "bound_3")
MAIN = ("hysteresis", "duty", "bound", "bound_12", "bound_3", "ours", "price_shift", "v1",
        "day_ahead", "exact", "level2")  # fmt: skip
ABLATIONS = ("powers", "hedged", "one_mass", "no_phases", "no_estimator", "level3")

_LABEL = re.compile(r"(?P<name>[a-z0-9_]+?)(?P<offset>[+-]\d+(\.\d+)?)?")


def variant_of(label: str) -> Variant:
    """Read a controller's label. Raises: ValueError with the known names."""
    found = _LABEL.fullmatch(label)
    if found is None or found["name"] not in KNOWN:
        raise ValueError(f"controller is {label!r}; give some of {', '.join(KNOWN)}")
    return replace(KNOWN[found["name"]], offset_k=float(found["offset"] or 0.0))


def with_sweeps(names: tuple[str, ...]) -> tuple[Variant, ...]:
    """List the controllers of some names; a baseline comes at several set-points."""
    return tuple(
        variant
        for name in names
        for variant in (
            [replace(KNOWN[name], offset_k=by_k) for by_k in SWEEP_K[name]]
            if name in SWEEP_K
            else [variant_of(name)]
        )
    )


def believed(house: House, variant: Variant) -> House:
    """Give the house as a variant of the product believes it to be."""
    model = HouseModel(tuple(map(_one_mass, house.model.rooms)), house.model.links)
    relays = tuple(replace(relay, phases=EVEN) for relay in house.relays)
    return replace(
        house,
        model=model if variant.one_mass else house.model,
        relays=relays if variant.no_phases else house.relays,
    )


def _one_mass(room: RoomModel) -> RoomModel:
    """Bind screed and air so closely that heat is in the air at once."""
    return replace(room, g_screed_air_kw_k=_STIFF * room.g_screed_air_kw_k)
