"""Stories full of faults with a car and a boiler in the house: no law is broken for them.

Each of these seeds once found something: relays started on the room of a car that was only told to
stop, an excess was left to a load that nobody could reach, a lost order was not said again, a
battery that the house has not was to rest beside the car and was said not to obey, a load that was
held back before it drew gave back nothing, and a relay went off in vain.
"""

from dataclasses import replace

import pytest

from pems_actors.soak import programmes
from pems_actors.soak.flexible import FLEXIBLE, with_loads
from pems_actors.soak.stories import Tale, plot_of
from pems_actors.soak.witness import Witness

LONGER = [pytest.param(seed, marks=pytest.mark.long) for seed in (77037, 77261, 78042)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [77008, 77009, 77022, 77028, 77051, 78083, *LONGER])
def test_a_story_full_of_faults_with_loads_that_can_wait_breaks_no_law(seed):
    plot = plot_of(Tale(seed, "heavy"))
    story = replace(plot.story, house=with_loads(plot.story.house, seed))
    witness = Witness(replace(plot, story=story))
    witness.tell()
    assert witness.violations == ()


@pytest.mark.parametrize("seed", range(5))
def test_a_story_with_loads_is_the_story_without_them_and_more(seed):
    without, plot = plot_of(Tale(seed, "none")).story, plot_of(Tale(seed, "none", house=FLEXIBLE))
    assert without.house.loads == ()
    assert [load.name for load in plot.story.house.loads] == ["car", "boiler"]
    assert replace(plot.story, house=without.house, armed=without.armed) == without


def test_people_give_orders_to_loads_and_faults_strike_them():
    plots = [plot_of(Tale(seed, "heavy", house=FLEXIBLE)) for seed in range(40)]
    assert {"loads/car", "loads/boiler"} <= {order.path for plot in plots for order in plot.orders}
    assert any("@loads/car:" in plot.story.faults for plot in plots)
    assert any("@loads/" in tale.faults for tale in programmes.each(0, 2, FLEXIBLE))


def test_the_command_that_tells_a_story_again_names_its_loads():
    assert "--house flexible" in Tale(7, "heavy", house=FLEXIBLE).replay


@pytest.mark.parametrize("seed", [910000, pytest.param(910001, marks=pytest.mark.long)])
def test_a_seeded_story_with_loads_breaks_no_law(seed):
    witness = Witness(plot_of(Tale(seed, "heavy", house=FLEXIBLE)))
    witness.tell()
    assert witness.violations == ()
