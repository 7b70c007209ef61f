"""The equations of rooms: the same as the house's, with slopes that differences confirm."""

from __future__ import annotations

import numpy as np
import pytest

from pems_actors.domain.house import Emitter, HouseModel
from pems_actors.learning.rooms.balance import Means, anchors, losses_kw_k
from pems_actors.learning.rooms.beliefs import (
    GUESSED,
    Age,
    cold_room,
    house_model,
    parameters_of,
    precision,
    wet_panel,
)
from pems_actors.learning.rooms.network import HEAT_GAIN, KINDS, Layout, exact_steps
from pems_actors.learning.rooms.observer import Noise, Seen, gains_of, normal_equations, observe
from pems_actors.physics.house_model import HouseDynamics

FLOOR = cold_room("floor", Emitter.FLOOR, 1.5)
PANEL = cold_room("panel", Emitter.PANEL, 1.0)
LINKS = (("floor", "panel", 0.02),)
LAYOUT = Layout(2, ((0, 1),))
THETA = parameters_of([FLOOR, PANEL], [0.02])[None]


def test_a_step_is_that_of_the_house() -> None:
    ours = exact_steps(LAYOUT, THETA, 0.25, 0.9)
    theirs = HouseDynamics(HouseModel((FLOOR, PANEL), LINKS)).matrices(900.0)
    assert np.allclose(ours.a[0, :6, :6], theirs.a, atol=1e-12)
    assert np.allclose(ours.b[0, :6, :2], theirs.heat, atol=1e-12)
    assert np.allclose(ours.b[0, :6, 2], theirs.outdoor, atol=1e-12)
    assert np.allclose(ours.b[0, :6, 3], theirs.ghi, atol=1e-12)
    assert np.allclose(ours.b[0, :6, 4], theirs.internal, atol=1e-12)


@pytest.mark.parametrize(
    "layout",
    [
        LAYOUT,
        Layout(2, ((0, 1),), rest=True),
        Layout(2, ((0, 1),), blinds=True),
        Layout(2, rest=True, blinds=True),
    ],
)
def test_slopes_of_a_step_are_those_of_small_differences(layout: Layout) -> None:
    theta = np.concatenate([THETA, np.full((1, layout.count - LAYOUT.count), -4.0)], axis=1)
    slopes = exact_steps(layout, theta, 0.25, 0.9, slopes=True).da_db
    assert slopes is not None
    for k in range(layout.count):
        aside = np.zeros_like(theta)
        aside[0, k] = 1e-5
        more, less = (exact_steps(layout, theta + s * aside, 0.25, 0.9) for s in (1.0, -1.0))
        by_difference = np.hstack([(more.a - less.a)[0, :6], (more.b - less.b)[0, :6]]) / 2e-5
        assert np.allclose(slopes[0, k], by_difference, atol=1e-7), k


def test_the_gradient_of_all_surprises_is_that_of_small_differences() -> None:
    random = np.random.default_rng(1)
    air = 20.0 + random.normal(0.0, 0.3, (120, 1, 2))
    air[30:40, 0, 1] = np.nan
    inputs = np.abs(random.normal(1.0, 0.5, (120, 1, 5)))
    follows = np.zeros(air.shape, bool)
    follows[50:60, 0, 0] = True
    seen = Seen(0.25, inputs, air, ~follows, follows)
    gains = gains_of(
        exact_steps(LAYOUT, THETA, 0.25, 0.99),
        Noise(np.full((1, 2), 0.5), np.full((1, 2), 0.1)),
        0.25,
    )
    start = np.full((1, 8), 20.0)

    def cost(theta: np.ndarray) -> float:
        trail = observe(seen, exact_steps(LAYOUT, theta, 0.25, 0.99), gains, start)
        return 0.5 * float(np.nansum(np.where(seen.counts, trail.surprise_k, 0.0) ** 2))

    steps = exact_steps(LAYOUT, THETA, 0.25, 0.99, slopes=True)
    trail = observe(seen, steps, gains, start)
    weights = (seen.counts & np.isfinite(trail.surprise_k)).astype(float)
    _, gradients = normal_equations(seen, steps, gains, trail, weights)
    gradient = gradients.sum(axis=0)[0]
    for k in range(LAYOUT.count):
        aside = np.zeros_like(THETA)
        aside[0, k] = 1e-4
        by_difference = (cost(THETA + aside) - cost(THETA - aside)) / 2e-4
        assert gradient[k] == pytest.approx(by_difference, rel=2e-2, abs=2e-2), k


def test_parameters_come_back_as_the_house_they_were() -> None:
    house = house_model(["floor", "panel"], [Emitter.FLOOR, Emitter.PANEL], LAYOUT, THETA[0])
    assert house.rooms[0].c_screed_kwh_k == pytest.approx(FLOOR.c_screed_kwh_k)
    assert house.rooms[1].internal_kw == pytest.approx(PANEL.internal_kw)
    assert house.links[0][:2] == ("floor", "panel")
    assert house.links[0][2] == pytest.approx(0.02)


def test_balances_hold_where_a_house_rests() -> None:
    model = HouseModel((FLOOR, PANEL), LINKS)
    dynamics, air = HouseDynamics(model), np.array([21.0, 19.0])
    heat = dynamics.steady_heat(air, -2.0, 50.0)
    means = Means(
        heat=heat[None],
        air_c=air[None],
        rest_c=np.full((1, 2), 20.0),
        rise_k_h=np.zeros((1, 2)),
        outdoor_c=np.array([[-2.0]]),
        ghi_w_m2=np.array([[50.0]]),
    )
    balance = anchors(LAYOUT, means, np.full((1, 2), 0.5))
    residual, slopes = balance(THETA)
    assert np.allclose(residual, 0.0, atol=1e-9)
    assert slopes.shape == (1, 3, LAYOUT.count)
    more_loss = THETA.copy()
    more_loss[0, LAYOUT.index(0, "g_air_outdoor_kw_k")] += 0.5
    assert balance(more_loss)[0][0, 0] < -0.5


def test_older_buildings_are_believed_to_lose_more() -> None:
    rooms = [cold_room("r", Emitter.FLOOR, 1.0, 20.0, age) for age in Age]
    losses = [float(losses_kw_k(Layout(1), parameters_of([room])[None])[0, 0]) for room in rooms]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 2.5 * losses[-1]


def test_a_wet_panel_answers_later_than_an_electric_one() -> None:
    wet = wet_panel(PANEL)
    assert wet.c_screed_kwh_k / wet.g_screed_air_kw_k == pytest.approx(0.6)
    assert PANEL.c_screed_kwh_k / PANEL.g_screed_air_kw_k < 0.15


def test_what_is_believed_has_a_precision_for_every_kind_of_room() -> None:
    whole = precision([FLOOR, PANEL], GUESSED, 1, [1e-3, 1.5])
    assert whole.shape == (2 * KINDS + 1, 2 * KINDS + 1)
    assert np.linalg.eigvalsh(whole).min() > 0.0
    assert whole[HEAT_GAIN, HEAT_GAIN] > 1e5 > whole[KINDS + HEAT_GAIN, KINDS + HEAT_GAIN]
