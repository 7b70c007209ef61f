"""`pems bench forecast-house`: its figures tell how paths hang together."""

import numpy as np

from pems_actors.bench import forecast_house
from pems_actors.learning.life.house_jobs import HouseTold


def paths(values):
    return tuple(map(tuple, values.tolist()))


def test_paths_of_one_day_hang_together_and_against_each_other():
    felt = np.repeat(np.random.default_rng(1).standard_normal((20, 1)), 48, axis=1)
    told = HouseTold({}, {"pv": paths(np.repeat(felt, 4, axis=1)), "price": paths(-felt)})
    figures = forecast_house._hanging(told)
    assert figures["next_hour_pv"] > 0.99
    assert figures["price_with_pv"] < -0.99


def test_nights_and_published_prices_in_which_all_paths_agree_are_left_out():
    noise = np.random.default_rng(2).standard_normal((20, 48))
    noise[:, :24] = 0.0
    figures = forecast_house._hanging(HouseTold({}, {"pv": paths(noise), "load": paths(noise)}))
    assert figures["load_with_pv"] > 0.99
    assert abs(figures["next_hour_pv"]) < 0.3
