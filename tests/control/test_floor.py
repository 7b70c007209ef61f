"""The warmth of a floor that nobody measures."""

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.floor import COOLER_K, MARGIN_K, Floor, FloorHeat, floors_of, too_warm
from pems_actors.control.order import DutyAccount, RelayMemory, settle
from pems_actors.soak.stories import house_and_tariff
from tests.control.builders import NOON, RELAY, need

LIVING = Floor("obyvak", rise_k=8.0, tau_s=4 * 3600.0, limit_c=29.0)
FLOORS = (LIVING, Floor("kuchyne", rise_k=6.0, tau_s=4 * 3600.0, limit_c=29.0))
COLD = FloorHeat((0.0, 0.0), NOON)


def heated(hours: float, heat: FloorHeat = COLD, *, on: bool = True) -> FloorHeat:
    assert heat.stepped_s is not None
    return heat.after(FLOORS, heat.stepped_s + hours * 3600.0, was_on=on)


def hot(heat: FloorHeat, temp_c: float | None = 22.0, **more: object) -> str:
    options = {"on": True, "measured": None, **more}
    needs = [need(temp_c=temp_c), need("kuchyne", temp_c=20.0)]
    return too_warm(FLOORS, heat, needs, **options)  # type: ignore[arg-type]


def test_a_floor_warms_up_with_its_time_constant_and_cools_down_again():
    warm = heated(4.0)
    assert 0.62 < warm.shares[0] < 0.64
    assert heated(100.0).shares[0] > 0.999
    assert heated(100.0, warm, on=False).shares[0] < 0.001


@given(st.lists(st.tuples(st.floats(0.0, 1e5), st.booleans()), max_size=20), st.floats(0.0, 1.0))
def test_a_share_stays_between_nothing_and_endless_heating(steps, share):
    heat = FloorHeat((share, 1.0 - share), NOON)
    for dt_s, on in steps:
        heat = heat.after(FLOORS, (heat.stepped_s or 0.0) + dt_s, was_on=on)
        assert all(0.0 <= x <= 1.0 for x in heat.shares)


def test_steps_of_any_length_come_to_the_same():
    by_minutes = COLD
    for _ in range(60):
        by_minutes = heated(1 / 60, by_minutes)
    assert abs(by_minutes.shares[0] - heated(1.0).shares[0]) < 1e-9


def test_a_floor_is_not_heated_when_its_estimate_nears_the_limit():
    under, over = (LIVING.limit_c - MARGIN_K - 22.0 + by for by in (-0.05, 0.05))
    assert not hot(FloorHeat((under / 8.0, 0.0)))
    says = hot(FloorHeat((over / 8.0, 0.0)))
    assert says == "floor of obyvak estimated 28.6 °C, 28.5 without sensor"


def test_a_floor_that_was_too_warm_waits_until_it_is_cooler():
    most_k = LIVING.limit_c - MARGIN_K - 22.0
    just_under = FloorHeat(((most_k - COOLER_K / 2) / 8.0, 0.0))
    assert not hot(just_under, on=True)
    assert hot(just_under, on=False)
    assert not hot(FloorHeat(((most_k - 2 * COOLER_K) / 8.0, 0.0)), on=False)


def test_every_member_of_a_relay_is_judged_by_its_own_air():
    needs = [need(temp_c=20.0), need("kuchyne", temp_c=26.0)]
    says = too_warm(FLOORS, FloorHeat((0.6, 0.6)), needs, on=True, measured=None)
    assert says.startswith("floor of kuchyne")


def test_a_floor_with_a_sensor_is_left_to_its_sensor():
    assert hot(FloorHeat((1.0, 0.0)))
    assert not hot(FloorHeat((1.0, 0.0)), measured="obyvak")


def test_the_target_stands_in_for_a_temperature_that_nobody_knows():
    assert "29.6" in hot(FloorHeat((0.95, 0.0)), temp_c=None)


def test_a_clock_that_was_set_cools_no_floor():
    assert heated(0.0, heated(4.0).shifted(-7200.0)).shares == heated(4.0).shares


def test_a_floor_that_is_too_warm_stops_a_relay_after_its_dwell_and_keeps_it_off():
    long_on = RelayMemory(on=True, since_s=NOON - 900.0)
    short_on = RelayMemory(on=True, since_s=NOON - 60.0)
    says = "floor of obyvak estimated 27.1 °C, 27 without sensor"

    def verdict(memory: RelayMemory, floor_hot: str = says) -> tuple[bool, str]:
        after = settle(
            RELAY, memory, DutyAccount(), [need()], NOON, blocked=False, floor_hot=floor_hot
        )[1]
        return after.on, after.rule

    assert verdict(long_on) == (False, "floor")
    assert verdict(short_on)[0]
    assert verdict(RelayMemory(since_s=NOON - 900.0)) == (False, "floor")
    assert verdict(long_on, "")[0]


def test_frost_is_above_a_warm_floor():
    cold = need(frost=True)
    off = RelayMemory(since_s=NOON - 900.0)
    assert settle(RELAY, off, DutyAccount(), [cold], NOON, blocked=False, floor_hot="hot")[1].on


def test_the_floors_of_the_reference_house_can_pass_their_limit_and_baths_may_be_warmer():
    house, _ = house_and_tariff("house17", nameplate=False)
    floors = {f.room: f for relay in house.relays for f in floors_of(house, relay)}
    assert len(floors) == 17
    assert floors["obyvak"].rise_k + 22.5 > 29.0
    assert floors["koupelna_dole"].limit_c == 33.0
    assert floors["obyvak"].limit_c == 29.0
