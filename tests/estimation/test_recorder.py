"""What of a picture is worth keeping: what was said, and nothing in place of what was not."""

from dataclasses import replace

import pytest

from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind, LoadReading
from pems_actors.domain.house import House, HouseModel, Relay, Site
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    InverterReading,
    MeterReading,
    OutdoorReading,
    RoomReading,
)
from pems_actors.estimation.recorder import Recorder

AT_S = 1_768_435_200.0
HOUSE = House(
    name="one relay and a car",
    site=Site(49.95, 14.60),
    rooms=(),
    relays=(Relay("living", 2.0, 2.0, (("living", 1.0),)),),
    model=HouseModel(()),
    loads=(FlexibleLoad("car", LoadKind.CAR, 11.0),),
)
RECORDER = Recorder(HOUSE)
WHOLE = HouseReading(
    AT_S,
    rooms=(RoomReading("living", AT_S, 21.0, True), RoomReading("shed", AT_S, 4.0)),
    battery=BatteryReading(AT_S, 0.5, -1.0),
    inverter=InverterReading(AT_S, 3.0, export_allowed=True),
    meter=MeterReading(AT_S, 1.0, 5.0),
    outdoor=OutdoorReading(AT_S, -3.0),
    loads=(LoadReading("car", AT_S, 2.5),),
)


def test_all_that_was_said_becomes_a_row():
    assert {series: value for series, _, value in RECORDER.rows(WHOLE)} == {
        "temp_c.living": 21.0,
        "relay.living": 1.0,
        "temp_c.shed": 4.0,
        "outdoor_c": -3.0,
        "grid_kw": 1.0,
        "load_kw": 5.0,
        "pv_kw": 3.0,
        "soc_frac": 0.5,
        "battery_kw": -1.0,
        "flexible_kw.car": 2.5,
    }


def test_a_house_that_says_nothing_gives_no_row():
    assert RECORDER.rows(HouseReading(AT_S)) == ()
    mute = HouseReading(
        AT_S,
        rooms=(RoomReading("living", AT_S, None),),
        battery=BatteryReading(AT_S, None, None),
        inverter=InverterReading(AT_S, None),
        meter=MeterReading(AT_S, None),
        outdoor=OutdoorReading(AT_S, None),
        loads=(LoadReading("car", AT_S, None),),
    )
    assert RECORDER.rows(mute) == ()


def test_the_base_load_is_what_remains_beside_relays_and_loads():
    assert RECORDER.base_load_kw(WHOLE) == pytest.approx(5.0 - 2.0 - 2.5)


@pytest.mark.parametrize(
    "silent",
    [
        {"meter": None},
        {"meter": MeterReading(AT_S, 1.0)},
        {"rooms": (RoomReading("living", AT_S, 21.0, None),)},
        {"loads": ()},
        {"loads": (LoadReading("car", AT_S, None),)},
        {"loads": (LoadReading("car", AT_S, 40.0),)},
    ],
    ids=["no meter", "no load", "no contact", "no car", "a mute car", "an absurd car"],
)
def test_the_base_load_is_unknown_while_any_part_of_it_is(silent):
    assert RECORDER.base_load_kw(replace(WHOLE, **silent)) is None


def test_a_base_load_is_never_below_nothing():
    meter = MeterReading(AT_S, 0.0, 1.0)
    assert RECORDER.base_load_kw(replace(WHOLE, meter=meter)) == 0.0


def test_a_load_of_another_house_is_not_believed():
    stranger = (*WHOLE.loads, LoadReading("sauna", AT_S, 3.0))
    assert RECORDER.sound_loads(replace(WHOLE, loads=stranger)) == WHOLE.loads


def test_sun_is_curtailed_at_the_limit_or_with_nowhere_to_go():
    full, shut = BatteryReading(AT_S, 0.9, 0.0), InverterReading(AT_S, 1.0, export_allowed=False)
    at_limit = InverterReading(AT_S, HOUSE.inverter.ac_limit_kw, export_allowed=True)
    assert not RECORDER.is_curtailed(WHOLE)
    assert RECORDER.is_curtailed(replace(WHOLE, inverter=at_limit))
    assert RECORDER.is_curtailed(replace(WHOLE, inverter=shut, battery=full))
    assert not RECORDER.is_curtailed(replace(WHOLE, inverter=shut))
    assert not RECORDER.is_curtailed(replace(WHOLE, battery=full))


def test_without_an_inverter_nothing_is_curtailed():
    assert not RECORDER.is_curtailed(replace(WHOLE, inverter=None))
