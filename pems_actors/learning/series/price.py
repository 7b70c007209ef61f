"""The price where the auction has not been published yet: an ensemble over the last days' curves.

Published prices pass through as they are; they are facts. Spikes and negative prices are kept.
"""

from __future__ import annotations

from pems_actors.learning.series.boosted import Boosted
from pems_actors.learning.series.day_ridge import DayRidge
from pems_actors.learning.series.ensemble import DayAhead
from pems_actors.learning.series.members import Smoothing
from pems_actors.learning.series.usual_trees import PRICE_LAG_DAYS, UsualTrees

USUAL_EUR_MWH = 100.0


def PriceModel() -> DayAhead:  # noqa: N802 - a recipe, used like the class of a model
    """Give the recipe of the price ensemble, not fitted yet."""
    return DayAhead(
        name="price",
        members=(
            Smoothing(),
            DayRidge("ridge"),
            DayRidge("ridge of a year", days=364),
            DayRidge("ridge fading", half_life=90.0),
            DayRidge("ridge squashed", squash=True, half_life=180.0),
            Boosted("trees"),
            Boosted("trees plain", plain=True),
            Boosted("trees median", objective="reg:absoluteerror"),
            UsualTrees(lag_days=PRICE_LAG_DAYS),
        ),
        published=True,
        guess=USUAL_EUR_MWH,
        half_life_days=120.0,
    )
