"""A planner that knows when people come home plans for a warm house then, and no sooner."""

from pems_actors.domain.events import HouseMode
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import HOUR_S
from pems_actors.optimisation.outlook import Outlook, comfort_bands
from tests.actors.kit import HOUSE, NOON

UNTIL_S = NOON + 6 * HOUR_S


def lows(**more: object) -> tuple[float, ...]:
    grid = TimeGrid.uniform(NOON, 48)
    outlook = Outlook(mode=HouseMode.AWAY, **more)  # type: ignore[arg-type]
    return comfort_bands(HOUSE, outlook, grid)["bath"][0]


def test_the_band_is_low_until_the_end_of_the_absence_and_ordinary_after_it():
    low = lows(mode_until_s=UNTIL_S)
    slots = round((UNTIL_S - NOON) / (TimeGrid.uniform(NOON, 48).edges_s[1] - NOON))
    assert max(low[:slots]) < 18.0
    assert min(low[slots : slots + 4]) > 19.0


def test_an_absence_without_an_end_stays_low():
    assert max(lows()) < 18.0
