"""The power budget at its post: who may start, when, and who must go."""

from dataclasses import replace

import pytest

from pems_actors.actors.base import BATTERY, MQTT, POWER_BUDGET
from pems_actors.actors.power_budget import PowerBudgetActor
from pems_actors.domain.events import (
    BatteryGrant,
    BatteryRequest,
    ChargeShed,
    EnergyTick,
    RelayGrant,
    RelayRequest,
    RelayShed,
    RelaySwitched,
    Republish,
)
from pems_actors.domain.flexible_load import FlexibleLoad, LoadKind, LoadReading, LoadSwitched
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.readings import BatteryReading
from pems_actors.domain.states import DeviceState
from tests.actors.kit import HOUSE, NOON, Stage, energy_tick

CHARGING = BatteryReading(NOON, 0.5, -3.0, BatteryMode.CHARGE_GRID)


def budget() -> Stage:
    stage = Stage(POWER_BUDGET, lambda c, _: PowerBudgetActor(c, HOUSE))
    stage.tell(energy_tick(NOON, grid_kw=1.0))
    return stage


def asks(stage: Stage, relay: str, slack_k: float = 0.0, *, urgent: bool = False) -> None:
    stage.tell(RelayRequest(relay, stage.now_s, slack_k, urgent))


def grants(stage: Stage, relay: str) -> list[RelayGrant]:
    return stage.all_heard(f"rooms/{relay}", RelayGrant)


def test_a_relay_that_fits_is_granted_for_half_a_minute():
    stage = budget()
    asks(stage, "bath")
    [grant] = grants(stage, "bath")
    assert grant.valid_until_s == NOON + 30.0


def test_starts_are_ten_seconds_apart_and_nobody_is_forgotten():
    stage = budget()
    asks(stage, "bath")
    asks(stage, "living")
    assert not grants(stage, "living")
    stage.tell(RelaySwitched("bath", True, NOON))
    stage.run(9.0)
    assert not grants(stage, "living")
    stage.run(1.0)
    [grant] = grants(stage, "living")
    assert grant.at_s == NOON + 10.0


def test_the_neediest_goes_first_and_an_urgent_one_before_all():
    stage = budget()
    stage.tell(RelaySwitched("bath", False, NOON))
    asks(stage, "bath", 1.0)
    stage.forget()
    stage.tell(RelaySwitched("bath", False, NOON))
    asks(stage, "bath", 0.5)
    asks(stage, "living", -1.0)
    stage.run(10.0)
    assert grants(stage, "living")
    assert not grants(stage, "bath")
    stage.tell(RelaySwitched("living", False, stage.now_s))
    stage.run(10.0)
    assert grants(stage, "bath")
    stage.tell(RelaySwitched("bath", False, stage.now_s))
    asks(stage, "living", -1.0)
    asks(stage, "bath", 2.0, urgent=True)
    stage.forget()
    stage.run(10.0)
    assert grants(stage, "bath")
    assert not grants(stage, "living")


def test_a_relay_that_does_not_fit_waits_until_it_does():
    stage = budget()
    stage.tell(energy_tick(NOON, grid_kw=4.0, phase_kw=(4.0, 0.0, 0.0)))
    asks(stage, "living")
    stage.run(60.0)
    assert not grants(stage, "living")
    stage.tell(energy_tick(stage.now_s, grid_kw=1.0, phase_kw=(1.0, 0.0, 0.0)))
    asks(stage, "living")
    assert grants(stage, "living")


def test_a_request_that_is_not_renewed_is_forgotten():
    stage = budget()
    stage.tell(energy_tick(NOON, grid_kw=4.0, phase_kw=(4.0, 0.0, 0.0)))
    asks(stage, "living")
    stage.run(200.0)
    stage.tell(energy_tick(stage.now_s, grid_kw=1.0, phase_kw=(1.0, 0.0, 0.0)))
    stage.run(60.0)
    assert not grants(stage, "living")


def test_an_excess_sheds_the_relay_with_the_most_slack_at_the_next_tick():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, -1.0), RelaySwitched("bath", True, NOON, 2.0))
    stage.tell(energy_tick(NOON + 60.0, grid_kw=20.5, phase_kw=(5.0, 5.0, 5.0)))
    [shed] = stage.all_heard("rooms/bath", RelayShed)
    assert "import limit" in shed.reason
    assert not stage.all_heard("rooms/living", RelayShed)


def test_a_phase_in_excess_sheds_only_a_relay_on_that_phase():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, -1.0), RelaySwitched("bath", True, NOON, 2.0))
    stage.tell(energy_tick(NOON + 60.0, grid_kw=8.0, phase_kw=(6.5, 1.0, 0.5)))
    assert stage.all_heard("rooms/living", RelayShed)
    assert not stage.all_heard("rooms/bath", RelayShed)


def test_charging_from_the_grid_is_shed_before_any_heating():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, 1.0))
    phases = (6.1, 6.2, 6.2)
    stage.tell(energy_tick(NOON + 60.0, grid_kw=18.5, phase_kw=phases, battery=CHARGING))
    assert stage.all_heard(BATTERY, ChargeShed)
    assert not stage.all_heard("rooms/living", RelayShed)


def let_kw(stage: Stage) -> list[float]:
    """What the battery was let draw, oldest first."""
    return [grant.rise_kw for grant in stage.all_heard(BATTERY, BatteryGrant)]


def test_the_battery_draws_more_only_when_all_of_it_fits():
    stage = budget()
    stage.tell(energy_tick(NOON, grid_kw=15.0))
    stage.tell(BatteryRequest(stage.now_s, 5.0, charge=True))
    assert not let_kw(stage)
    stage.tell(energy_tick(NOON, grid_kw=10.0))
    assert let_kw(stage) == [5.0]


def test_the_battery_draws_no_more_without_a_meter():
    stage = budget()
    stage.run(181.0)
    stage.tell(BatteryRequest(stage.now_s, 1.0, charge=True))
    assert not let_kw(stage)


def test_a_relay_that_waits_goes_before_the_battery():
    stage = budget()
    stage.tell(energy_tick(NOON, grid_kw=7.0, phase_kw=(4.0, 2.0, 1.0)))
    asks(stage, "living")
    stage.tell(BatteryRequest(stage.now_s, 1.0, charge=True))
    assert not grants(stage, "living")
    assert not let_kw(stage)
    stage.tell(BatteryRequest(stage.now_s, 0.9, charge=False))
    assert let_kw(stage) == [0.9]  # a discharge that ends is no start
    stage.forget()
    stage.tell(BatteryRequest(stage.now_s, 1.0, charge=True))
    assert not let_kw(stage)
    stage.tell(energy_tick(NOON, grid_kw=4.0, phase_kw=(1.0, 2.0, 1.0)))
    assert grants(stage, "living")
    assert let_kw(stage) == [1.0]


def test_a_relay_does_not_start_on_what_the_battery_was_just_let():
    stage = budget()
    stage.tell(energy_tick(NOON, grid_kw=3.0, phase_kw=(1.0, 1.0, 1.0)))
    stage.tell(BatteryRequest(stage.now_s, 6.0, charge=True))
    assert let_kw(stage) == [6.0]
    asks(stage, "living")
    assert not grants(stage, "living")
    stage.run(60.0)
    stopped = BatteryReading(stage.now_s, 0.5, 0.0, BatteryMode.SELF_USE)
    stage.run(120.0)
    stage.tell(energy_tick(stage.now_s, grid_kw=3.0, phase_kw=(1.0,) * 3, battery=stopped))
    asks(stage, "living")
    assert grants(stage, "living")


def test_relays_go_at_once_where_the_end_of_a_charge_is_not_enough():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, 1.0))
    little = BatteryReading(NOON, 0.5, -0.6, BatteryMode.CHARGE_GRID)
    stage.tell(energy_tick(NOON + 60.0, grid_kw=8.0, phase_kw=(7.0, 0.5, 0.5), battery=little))
    assert stage.all_heard(BATTERY, ChargeShed)
    assert stage.all_heard("rooms/living", RelayShed)


@pytest.mark.parametrize(("on_for_s", "sheds"), [(900.0, 1), (300.0, 0)])
def test_before_the_battery_is_empty_who_has_dwelt_and_leans_on_it_goes_off(on_for_s, sheds):
    stage, since_s = budget(), NOON - on_for_s
    for room, slack_k in (("living", 1.0), ("bath", 2.0)):
        stage.tell(RelaySwitched(room, True, since_s, slack_k))
    gives = BatteryReading(NOON, 0.2, 3.0, BatteryMode.SELF_USE)
    stage.tell(energy_tick(NOON, grid_kw=15.0, phase_kw=(5.0, 5.0, 5.0), battery=gives))
    assert not stage.all_heard("rooms/bath", RelayShed)
    ends = BatteryReading(NOON + 60.0, 0.11, 3.0, BatteryMode.SELF_USE)
    stage.tell(energy_tick(NOON + 60.0, grid_kw=15.0, phase_kw=(5.0, 5.0, 5.0), battery=ends))
    told = stage.all_heard("rooms/bath", RelayShed)
    assert [shed.reason.partition(" the ")[0] for shed in told] == ["soon over"] * sheds


@pytest.mark.parametrize(("soc_frac", "starts"), [(0.11, 0), (0.20, 0), (0.25, 1)])
def test_nobody_starts_on_a_battery_that_is_empty_before_who_starts_may_stop(soc_frac, starts):
    """The battery gives 5 kW: at 20 % for eleven minutes more, and at 25 % for a quarter hour."""
    stage = budget()
    gives = BatteryReading(NOON + 60.0, soc_frac, 5.0, BatteryMode.SELF_USE)
    stage.tell(energy_tick(NOON + 60.0, grid_kw=12.0, phase_kw=(4.0, 4.0, 4.0), battery=gives))
    asks(stage, "bath")
    assert len(grants(stage, "bath")) == starts


def test_nobody_starts_in_a_dip_of_the_base_load():
    stage = budget()
    for minute, each_kw in enumerate((5.0, 5.1, 5.1, 4.3), start=1):
        at_s = NOON + 60.0 * minute
        phases = (each_kw, each_kw, each_kw)
        stage.tell(energy_tick(at_s, grid_kw=3.0 * each_kw, phase_kw=phases))
    asks(stage, "bath")
    assert not grants(stage, "bath")
    stage.tell(energy_tick(NOON + 900.0, grid_kw=12.9, phase_kw=(4.3, 4.3, 4.3)))
    asks(stage, "bath")
    assert grants(stage, "bath")


def test_a_battery_that_runs_empty_while_the_meter_is_silent_is_reckoned_with():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, 1.0), RelaySwitched("bath", True, NOON, 2.0))
    gives = BatteryReading(NOON, 0.2, 3.0, BatteryMode.SELF_USE)
    stage.tell(energy_tick(NOON, grid_kw=16.5, phase_kw=(5.5, 5.5, 5.5), battery=gives))
    stage.forget()
    silent = energy_tick(NOON + 60.0, grid_kw=None, battery=gives._replace(at_s=NOON + 60.0))
    stage.tell(silent)
    assert not stage.all_heard("rooms/bath", RelayShed)
    empty = BatteryReading(NOON + 120.0, 0.1, 0.0, BatteryMode.SELF_USE)
    stage.tell(energy_tick(NOON + 120.0, grid_kw=None, battery=empty))
    [shed] = stage.all_heard("rooms/bath", RelayShed)
    assert "breaker" in shed.reason


def test_for_what_one_picture_asked_nobody_goes_off_twice():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, 1.0), RelaySwitched("bath", True, NOON, 2.0))
    stage.tell(energy_tick(NOON, grid_kw=18.0, phase_kw=(6.0, 6.0, 6.0)))
    assert stage.all_heard("rooms/bath", RelayShed)
    stage.tell(RelaySwitched("bath", False, NOON + 1.0, 2.0))
    stage.forget()
    for after_s in (60.0, 120.0):
        stage.tell(EnergyTick(NOON + after_s, None, None, None))
    assert not stage.all_heard("rooms/living", RelayShed)


def test_a_better_off_relay_makes_room_for_a_needy_one():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON - 1200.0, 2.0))
    stage.tell(energy_tick(NOON, grid_kw=19.5, phase_kw=(5.5, 2.0, 5.0)))
    asks(stage, "bath", -1.0)
    stage.run(60.0)
    stage.tell(energy_tick(stage.now_s, grid_kw=19.5, phase_kw=(5.5, 2.0, 5.0)))
    [shed] = stage.all_heard("rooms/living", RelayShed)
    assert "makes room for bath" in shed.reason


def test_a_successor_knows_who_runs_and_who_waits():
    stage = budget()
    stage.tell(RelaySwitched("living", True, NOON, 0.0))
    asks(stage, "bath")
    stage.crash()
    assert set(stage.state.relays.running) == {"living"}
    assert stage.state.relays.last_start_s == NOON


def test_a_successor_knows_which_load_may_draw_and_how_the_base_load_hangs():
    car = FlexibleLoad("car", LoadKind.CAR, 11.0)
    house = replace(HOUSE, loads=(car,))
    stage = Stage(POWER_BUDGET, lambda c, _: PowerBudgetActor(c, house), house=house)
    stage.tell(LoadSwitched("car", True, NOON))
    for minute in range(180):
        read = LoadReading("car", NOON + 60.0 * minute, 0.0)
        tick = energy_tick(read.at_s, grid_kw=1.0, phase_kw=(0.6, 0.3, 0.1))
        stage.tell(tick._replace(loads=(read,)))
    before = stage.state
    stage.crash()
    assert set(stage.state.loads.running) == {"car"}
    assert stage.state.split == before.split
    assert stage.state.split.shares == pytest.approx((0.6, 0.3, 0.1))


def test_a_budget_that_starts_afresh_asks_every_owner_what_its_relay_is():
    stage = budget()
    assert stage.all_heard("rooms/living", Republish)
    assert stage.all_heard("rooms/bath", Republish)
    assert not stage.all_heard("rooms/kitchen", Republish)


def test_it_publishes_the_room_under_the_limits_every_five_minutes():
    stage = budget()
    for minute in range(1, 11):
        stage.tell(energy_tick(NOON + 60.0 * minute, grid_kw=2.0, phase_kw=(1.0, 0.5, 0.5)))
    states = stage.all_heard(MQTT, DeviceState)
    assert [s.at_s - NOON for s in states] == [0.0, 300.0, 600.0]
    values = dict(states[-1].values)
    assert values["import_headroom_kw"].value == 18.0
    assert values["phase_headroom_kw"].value == 4.75


def test_an_unknown_message_is_counted():
    stage = budget()
    stage.tell("what is this?")
    assert stage.system.counters()["unexpected"] == 1
