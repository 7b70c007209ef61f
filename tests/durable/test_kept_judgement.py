"""What is true of a kept value at a later time, or at an earlier one by a clock that was wrong."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pems_actors.control.battery import UserBattery
from pems_actors.control.order import ByHand, RelayMemory
from pems_actors.control.wishes import Override
from pems_actors.domain.events import HouseMode, PlanAdopted
from pems_actors.domain.house import BatteryMode
from pems_actors.domain.levels import Level
from pems_actors.domain.plan import Plan, PlanSlot, SolverRecord
from pems_actors.durable import kept
from pems_actors.forecasting.base_load import BaseLoad, Today
from tests.durable.kept_values import KEPT

NOW = 1_700_000_000.0
HOUR = 3600.0
WISH = Override(23.0, NOW + HOUR, "user", "guests")
RELAY = RelayMemory(
    on=True, since_s=NOW - 60.0, starts_s=(NOW - 60.0,), by_hand=ByHand(True, NOW + HOUR)
)
ROOM = kept.RoomKept(0.1, WISH, RELAY)


def test_a_wish_lasts_until_its_end_and_not_longer():
    assert kept.ROOM.judged(ROOM, NOW, NOW + HOUR - 1.0).override == WISH
    after = kept.ROOM.judged(ROOM, NOW, NOW + HOUR)
    assert after.override is None
    assert after.relay.by_hand is None
    assert after.trim == 0.1


def test_a_clock_set_back_leaves_wish_and_dwell_the_time_they_had():
    back = kept.ROOM.judged(ROOM, NOW, NOW - 5 * HOUR)
    assert back.override.until_s == NOW - 4 * HOUR
    assert back.relay.by_hand.until_s == NOW - 4 * HOUR
    assert back.relay.since_s == NOW - 5 * HOUR - 60.0
    assert back.relay.starts_s == (NOW - 5 * HOUR - 60.0,)


def test_clocks_that_differ_by_seconds_change_nothing():
    assert kept.ROOM.judged(ROOM, NOW, NOW - 59.0) == ROOM


def test_the_battery_keeps_its_changes_and_forgets_an_ended_choice():
    user = UserBattery(BatteryMode.HOLD, NOW + HOUR, None, None, "guests")
    battery = kept.BatteryKept(BatteryMode.HOLD, NOW, (NOW - HOUR, NOW), user=user)
    assert kept.BATTERY.judged(battery, NOW, NOW + 60.0) == battery
    later = kept.BATTERY.judged(battery, NOW, NOW + 2 * HOUR)
    assert later == replace(battery, user=None)
    earlier = kept.BATTERY.judged(battery, NOW, NOW - HOUR)
    assert earlier.changes_s == (NOW - 2 * HOUR, NOW - HOUR)
    assert earlier.user.until_s == NOW


def test_a_choice_about_export_ends():
    export = kept.InverterKept(user_allowed=False, user_until_s=NOW + HOUR)
    assert kept.INVERTER.judged(export, NOW, NOW) == export
    assert kept.INVERTER.judged(export, NOW, NOW + HOUR) is None


def test_the_last_start_is_never_ahead():
    assert kept.BUDGET.judged(kept.BudgetKept(NOW), NOW, NOW - HOUR).last_start_s == NOW - HOUR


def test_a_latched_house_mode_outlasts_everything():
    latched = kept.ModeKept(HouseMode.EMERGENCY)
    for now_s in (NOW - 1e6, NOW, NOW + 1e9):
        assert kept.MODE.judged(latched, NOW, now_s) == latched


def test_a_house_mode_with_an_end_ends():
    away = kept.ModeKept(HouseMode.AWAY, NOW + HOUR)
    assert kept.MODE.judged(away, NOW, NOW + 60.0) == away
    assert kept.MODE.judged(away, NOW, NOW + HOUR) is None
    assert kept.MODE.judged(away, NOW, NOW - HOUR).until_s == NOW


def _plan(slots) -> PlanAdopted:
    solver = SolverRecord("solved", "osqp", 1, 0.1, 0.1, 0.0, 0.0)
    plan = Plan(
        NOW, NOW + 1800.0, Level.PLAN, slots, {}, (), {}, solver, path_until_s=NOW + 36 * HOUR
    )
    return PlanAdopted(plan, NOW)


SLOTS = (
    PlanSlot(
        start_s=NOW,
        duration_s=10 * HOUR,
        relays={"living": True},
        heat_kw={"living": 1.2},
        battery_mode=BatteryMode.SELF_USE,
        battery_kw=0.4,
        grid_kw=1.1,
        pv_kw=0.0,
        base_load_kw=0.3,
        export_allowed=True,
        temps_c={"living": 21.0},
        soc_frac=0.5,
        cost=4.2,
        reasons={"living": "on: cold"},
    ),
)


def test_a_plan_stands_until_its_path_ends():
    adopted = _plan(SLOTS)
    assert kept.PLAN.judged(adopted, NOW, NOW + 9 * HOUR) is adopted
    assert kept.PLAN.judged(adopted, NOW, NOW + 10 * HOUR) is None


def test_a_plan_from_the_future_or_of_nothing_is_not_followed():
    assert kept.PLAN.judged(_plan(SLOTS), NOW, NOW - 2 * HOUR) is None
    assert kept.PLAN.judged(_plan(()), NOW, NOW + 60.0) is None


def test_a_learned_profile_from_the_future_forgets_only_today():
    profile = BaseLoad.prior("Europe/Prague").profile
    learned = BaseLoad(profile, Today(0.5, 7))
    assert kept.LOAD.judged(learned, NOW, NOW + HOUR) is learned
    assert kept.LOAD.judged(learned, NOW, NOW - HOUR) == BaseLoad(profile)


@given(KEPT["rooms/*"], st.floats(0.0, 3e9), st.floats(0.0, 3e9))
def test_nothing_that_has_ended_is_ever_given_back(value, kept_s, now_s):
    room = kept.ROOM.judged(value, kept_s, now_s)
    assert room.override is None or room.override.until_s > now_s
    assert room.relay is None or room.relay.by_hand is None or room.relay.by_hand.until_s > now_s


def test_who_keeps_nothing_has_no_kind():
    assert kept.kind_of("safety/guard") is None
    assert kept.kind_of("rooms/obyvak") is kept.ROOM
