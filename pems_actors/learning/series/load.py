"""The base load of the house: an ensemble that knows weekdays, holidays and what is usual lately.

Feed it the load without what we switch ourselves: heating, battery and car are subtracted before
(`base_load`), so that our own decisions never come back as somebody's habits.
"""

from __future__ import annotations

from pems_actors.learning.series.boosted import Boosted
from pems_actors.learning.series.day_ridge import DayRidge
from pems_actors.learning.series.ensemble import DayAhead
from pems_actors.learning.series.members import Seasonal, Smoothing
from pems_actors.learning.series.usual_trees import UsualTrees

USUAL_KW = 0.47


def LoadModel() -> DayAhead:  # noqa: N802 - a recipe, used like the class of a model
    """Give the recipe of the load ensemble, not fitted yet."""
    return DayAhead(
        name="load",
        members=(
            Seasonal(),
            Seasonal("kind_mean_28d", "seasonal sharp"),
            Smoothing(),
            DayRidge("ridge"),
            DayRidge("ridge squashed", squash=True),
            Boosted("trees"),
            Boosted("trees plain", plain=True),
            Boosted("trees median", objective="reg:absoluteerror"),
            UsualTrees(),
        ),
        never_below=0.0,
        guess=USUAL_KW,
    )
