"""Inverter and meter at their posts."""

from itertools import pairwise

import pytest

from pems_actors.actors.base import CONTROL, INVERTER, METER, MQTT, PLAN_KEEPER, PRICES
from pems_actors.actors.inverter import RENEW_S, InverterActor
from pems_actors.actors.meter import MeterActor
from pems_actors.domain.events import HouseMode, ModeChanged, Outcome, Republish
from pems_actors.domain.forecasts import PriceCurve
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from pems_actors.domain.states import DeviceState, Value
from pems_actors.domain.time_grid import TimeGrid
from tests.actors.energy import energy_plan
from tests.actors.kit import NOON, Stage, energy_tick, order

SELF = BatteryMode.SELF_USE


def inverter() -> Stage:
    return Stage(INVERTER, InverterActor, leases=["inverter"])


def prices(*per_kwh: float, start_s: float = NOON) -> PriceCurve:
    grid = TimeGrid.uniform(start_s, len(per_kwh))
    return PriceCurve(NOON, grid, per_kwh, per_kwh, grid.end_s, (False,) * len(per_kwh))


def ticks(stage: Stage, minutes: int, **more) -> None:
    for _ in range(minutes):
        stage.tell(energy_tick(stage.now_s, **more))
        stage.run(60.0)


def permissions(stage: Stage) -> list[bool]:
    """Permissions commanded, without renewals."""
    said = [c.allowed for c in stage.commands]
    return [a for k, a in enumerate(said) if k == 0 or a is not said[k - 1]]


def test_it_asks_for_plan_prices_and_mode_when_it_starts():
    stage = inverter()
    assert all(stage.all_heard(path, Republish) for path in (PLAN_KEEPER, PRICES, CONTROL))


def test_without_plan_and_prices_export_is_allowed():
    stage = inverter()
    ticks(stage, 1)
    [command] = stage.commands
    assert (command.allowed, command.level) == (True, Level.RULES)
    assert "price unknown" in command.reason


def test_without_a_plan_the_price_decides():
    stage = inverter()
    stage.tell(prices(1.0, -0.5))
    ticks(stage, 16)
    assert permissions(stage) == [True, False]
    assert "export earns -0.50/kWh" in stage.commands[-1].reason


def test_prices_of_another_day_say_nothing():
    stage = inverter()
    stage.tell(prices(-1.0, start_s=NOON - 86400.0))
    ticks(stage, 1)
    assert permissions(stage) == [True]


def test_the_plan_goes_before_the_price():
    stage = inverter()
    stage.tell(prices(5.0, 5.0), energy_plan((0.0, SELF), export=False))
    ticks(stage, 1)
    [command] = stage.commands
    assert (command.allowed, command.level) == (False, Level.PLAN)
    assert stage.status.state == "running"


def test_a_person_goes_before_the_plan_for_a_time():
    stage = inverter()
    stage.tell(energy_plan((0.0, SELF), export=False, valid_s=7200.0))
    ticks(stage, 1)
    stage.tell(order(INVERTER, "export", allowed=True, for_s=600.0))
    assert stage.last(CONTROL, Outcome).reason == "export allowed"
    ticks(stage, 11)
    assert permissions(stage) == [False, True, False]


def test_release_ends_a_persons_choice():
    stage = inverter()
    stage.tell(order(INVERTER, "export", allowed=False))
    assert stage.last(CONTROL, Outcome).reason == "export forbidden"
    stage.tell(order(INVERTER, "release", id_="2"))
    assert permissions(stage) == [False, True]
    stage.tell(order(INVERTER, "dance", id_="3"))
    assert stage.last(CONTROL, Outcome).outcome == "rejected"


def test_emergency_mode_leaves_the_inverter_to_itself_and_says_so():
    stage = inverter()
    stage.tell(ModeChanged(HouseMode.EMERGENCY, NOON))
    ticks(stage, 1)
    assert not stage.commands
    assert stage.status.level == Level.NATIVE
    stage.tell(order(INVERTER, "export", allowed=False))
    assert "just now not so: emergency mode" in stage.last(CONTROL, Outcome).reason


def test_emergency_mode_gives_back_an_inverter_that_was_forbidden_to_export():
    stage = inverter()
    stage.tell(order(INVERTER, "export", allowed=False))
    stage.tell(ModeChanged(HouseMode.EMERGENCY, NOON))
    ticks(stage, 11)
    assert permissions(stage) == [False, True]
    assert stage.status.level == Level.NATIVE
    assert stage.commands[-1].level == Level.NATIVE


def test_the_permission_is_written_again_every_five_minutes():
    stage = inverter()
    ticks(stage, 21)
    assert [b.at_s - a.at_s for a, b in pairwise(stage.commands)] == [RENEW_S] * 4


def test_without_the_lease_nothing_is_written():
    stage = inverter()
    stage.system.gate.revoke("inverter")
    ticks(stage, 2)
    assert not stage.commands


def test_the_inverter_publishes_its_power_or_that_it_is_missing():
    stage = inverter()
    ticks(stage, 6, pv_kw=2.5)
    states = stage.all_heard(MQTT, DeviceState)
    assert [s.at_s - NOON for s in states] == [0.0, 300.0]
    assert dict(states[0].values)["pv_kw"].value == 2.5
    silent = inverter()
    ticks(silent, 1, pv_kw=None)
    assert dict(silent.last(MQTT, DeviceState).values)["pv_kw"].quality is Quality.MISSING


def test_unknown_messages_are_counted():
    for stage in (inverter(), meter()):
        stage.tell("what is this?")
        assert stage.system.counters()["unexpected"] == 1


def meter() -> Stage:
    return Stage(METER, lambda c, _: MeterActor(c, 60.0))


def meter_values(stage: Stage) -> dict:
    return dict(stage.last(MQTT, DeviceState).values)


def test_the_meter_publishes_what_it_reads():
    stage = meter()
    stage.tell(energy_tick(NOON, grid_kw=3.0, phase_kw=(1.0, 1.5, 0.5)))
    values = meter_values(stage)
    assert (values["grid_kw"].value, values["l2_kw"].value) == (3.0, 1.5)
    assert values["grid_kw"].quality is Quality.GOOD


def test_a_meter_without_phases_says_that_it_does_not_know_them():
    stage = meter()
    stage.tell(energy_tick(NOON, grid_kw=3.0))
    assert meter_values(stage)["l1_kw"].value is None


def test_a_meter_is_lost_after_three_minutes_and_found_again():
    stage = meter()
    ticks(stage, 1)
    ticks(stage, 3, grid_kw=None)
    assert stage.status.state == "running"
    ticks(stage, 1, grid_kw=None)
    assert stage.status.state == "degraded"
    assert meter_values(stage)["grid_kw"].quality is Quality.STALE
    assert meter_values(stage)["grid_kw"].age_s == 240.0
    ticks(stage, 1)
    assert stage.status.state == "running"
    assert stage.last(MQTT, DeviceState).reason == "as read"


def test_a_meter_that_never_spoke_is_missing_from_boot_on():
    stage = meter()
    ticks(stage, 5, grid_kw=None)
    assert stage.status.state == "degraded"
    assert meter_values(stage)["grid_kw"].quality is Quality.MISSING


def test_what_went_through_the_meter_is_counted_and_survives_a_crash():
    stage = meter()
    ticks(stage, 31, grid_kw=2.0)
    assert meter_values(stage)["import_kwh"].value == pytest.approx(1.0)
    stage.crash()
    ticks(stage, 1, grid_kw=2.0)
    values = meter_values(stage)
    assert values["import_kwh"].value >= 1.0
    assert values["export_kwh"].value == 0.0


def test_before_the_first_reading_nothing_is_counted_and_that_is_said():
    stage = meter()
    ticks(stage, 1, grid_kw=None)
    assert meter_values(stage)["import_kwh"] == Value(None, "kWh", Quality.MISSING)


def test_the_last_reading_survives_a_crash():
    stage = meter()
    ticks(stage, 1, grid_kw=3.0)
    stage.crash()
    ticks(stage, 1, grid_kw=None)
    assert meter_values(stage)["grid_kw"].value == 3.0
