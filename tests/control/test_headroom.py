"""What is left under the limits, however little the meter tells."""

from __future__ import annotations

import pytest

from pems_actors.control.limits import blind_headroom, measured_headroom
from pems_actors.domain.house import Limits, Relay

ONE_PHASE = Limits(phases=1, breaker_a=25.0, import_kw=20.0)  # 5.75 kW, whatever is contracted
STRONG = Relay("living", 1.5, 1.5, (("living", 1.0),), (1.0, 0.0, 0.0))


@pytest.mark.parametrize(("grid_kw", "fits"), [(4.2, True), (4.3, False), (9.0, False)])
def test_a_house_on_one_phase_has_all_of_its_import_on_its_breaker(
    grid_kw: float, fits: bool
) -> None:
    room = measured_headroom(ONE_PHASE, grid_kw, None, 0.0)
    assert room.carries(STRONG) is fits


def test_a_house_on_one_phase_that_draws_too_much_says_so() -> None:
    assert measured_headroom(ONE_PHASE, 6.0, None, 0.0).exceeded == "import limit by 0.2 kW"


def test_without_a_meter_too_one_breaker_carries_everything() -> None:
    running = [STRONG, STRONG]
    assert blind_headroom(ONE_PHASE, running).import_kw == pytest.approx(5.75 - 2.0 - 3.0)
