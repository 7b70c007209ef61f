"""Who is missed outside the rooms, and since when."""

from dataclasses import replace
from math import nan

from pems_actors.domain.house import BatteryMode
from pems_actors.domain.readings import (
    BatteryReading,
    HouseReading,
    MeterReading,
    OutdoorReading,
)
from pems_actors.estimation.heard import Heard, missed_since


def picture(at_s: float, *, soc_frac: float | None = 0.5) -> HouseReading:
    return HouseReading(
        at_s,
        battery=BatteryReading(at_s, soc_frac, 0.0, BatteryMode.SELF_USE),
        meter=MeterReading(at_s, 1.0),
        outdoor=OutdoorReading(at_s, 3.0),
        heating_blocked=False,
    )


def missed(heard: Heard, now_s: float) -> dict[str, float]:
    return dict(heard.missed(now_s))


def test_what_was_never_heard_is_not_missed():
    assert missed(Heard().by(HouseReading(0.0)), 1e6) == {}


def test_whoever_spoke_is_missed_after_his_time():
    heard = Heard().by(picture(0.0))
    assert missed(heard, 180.0) == {}
    assert missed(heard, 181.0) == {"meter": 0.0, "inverter": 0.0}
    late = {"meter", "inverter", "outdoor", "tariff/contact"}
    assert missed(heard, 1801.0).keys() == late


def test_what_is_no_number_was_not_said():
    mad = replace(
        picture(60.0, soc_frac=nan),
        meter=MeterReading(60.0, nan),
        outdoor=OutdoorReading(60.0, nan),
    )
    heard = Heard().by(picture(0.0)).by(mad)
    assert missed(heard, 1801.0)["meter"] == 0.0
    assert missed(heard, 1801.0)["outdoor"] == 0.0
    assert missed(heard, 200.0)["battery/charge"] == 0.0


def test_a_silent_inverter_is_one_outage_and_a_lost_charge_another():
    heard = Heard().by(picture(0.0)).by(picture(60.0, soc_frac=None))
    assert missed(heard.by(picture(240.0, soc_frac=None)), 241.0) == {"battery/charge": 0.0}
    assert missed(heard.by(picture(240.0)), 241.0) == {}


def test_a_clock_that_was_set_makes_nobody_silent():
    heard = Heard().by(picture(0.0)).shifted(7200.0)
    assert missed(heard, 7260.0) == {}


def test_who_was_missed_before_a_restart_is_missed_again():
    heard = missed_since(frozenset({"outdoor", "meter"}), 100.0)
    assert heard.outdoor == heard.meter == 100.0
    assert heard.inverter is None
    assert missed(heard, 300.0) == {"meter": 100.0}
