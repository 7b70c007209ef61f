"""The recipes: which models compete for a series, by name. A name is for good, versions follow.

Imported by workers and commands only. Adding a rival is a line here: it begins at `observe`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pems_actors.learning.life.jobs import Place
from pems_actors.learning.series.floor import Persistence, SeasonalMean
from pems_actors.learning.series.model import SeriesModel

Recipe = Callable[[Place], SeriesModel]


def _load(_: Place) -> SeriesModel:
    from pems_actors.learning.series.load import LoadModel  # noqa: PLC0415 - heavy, only if wanted

    return LoadModel()


def _price(_: Place) -> SeriesModel:
    from pems_actors.learning.series.price import PriceModel  # noqa: PLC0415 - heavy

    return PriceModel()


def _pv(place: Place) -> SeriesModel:
    from pems_actors.learning.pv.model import PvModel  # noqa: PLC0415 - heavy, only if wanted

    return PvModel(site=place.site, roofs=place.roofs)


PERSISTENCE = Persistence()
RECIPES: Mapping[str, Mapping[str, Recipe]] = {
    "load": {"seasonal": lambda _: SeasonalMean(), "ensemble": _load},
    "pv": {
        "seasonal": lambda _: SeasonalMean(local=False),
        "ensemble": _pv,
    },
    "price": {"seasonal": lambda _: SeasonalMean(), "ensemble": _price},
}


def recipe(series: str, name: str, place: Place) -> SeriesModel:
    """Make an untrained model.

    Raises: ValueError for a series or a recipe that there is not.
    """
    known = RECIPES.get(series)
    if known is None:
        raise ValueError(f"there is no series {series!r}; there are {', '.join(RECIPES)}")
    if name not in known:
        raise ValueError(f"there is no recipe {name!r} for {series}; there are {', '.join(known)}")
    return known[name](place)
