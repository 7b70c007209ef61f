from dataclasses import replace

import pytest

from pems_actors.control.room import available_level, next_trim, room_need
from pems_actors.control.wishes import Override, override_problem
from pems_actors.domain.events import HouseMode, Outdoor
from pems_actors.domain.house import Emitter
from pems_actors.domain.levels import Level
from pems_actors.domain.readings import Quality
from tests.control.builders import FACTS, NOON, plan, view


def decide(seen):
    level, reason = available_level(seen)
    return room_need(FACTS, seen, level, reason)


def test_a_fresh_plan_decides_exactly():
    need = decide(view(plan=plan()))
    assert (need.duty, need.exact, need.level) == (1.0, True, Level.PLAN)
    assert need.reason == "cheap now"
    later = decide(view(plan=plan(), now_s=NOON + 1000.0))
    assert (later.duty, later.exact) == (0.0, True)


def test_the_relaxed_far_part_of_a_plan_is_a_duty():
    need = decide(view(plan=plan(valid_until_s=NOON + 5000.0), now_s=NOON + 2000.0))
    assert (need.duty, need.exact) == (0.4, False)


def test_a_late_plan_keeps_its_level():
    assert decide(view(plan=plan(level=Level.LATE))).level is Level.LATE


def test_an_expired_plan_leaves_its_path():
    mild = Outdoor(15.0, Quality.GOOD, "sensor")
    need = decide(view(plan=plan(), now_s=NOON + 1900.0, temp_c=22.0, outdoor=mild))
    assert need.level is Level.PATH
    assert need.duty == pytest.approx(0.4 + 0.2)
    assert "heat worth 2.20" in need.reason


def test_a_room_whose_relay_is_out_of_service_goes_by_its_rules():
    seen = view(plan=plan(level=Level.RULES, on=(False,) * 4), temp_c=20.0)
    need = decide(seen)
    assert need.level is Level.RULES
    assert need.duty > 0.5
    assert "out of service" in need.reason


def test_on_the_path_no_room_falls_deep_while_nobody_plans_its_way_up_again():
    low = plan(path_c=(20.5,) * 4, duty=(0.0,) * 4)
    need = decide(view(plan=low, now_s=NOON + 1900.0, temp_c=20.5))
    assert need.level is Level.PATH
    assert need.duty > 0.9
    assert "short beside its path" in need.reason


def test_on_the_path_an_unknown_temperature_follows_the_planned_duty():
    mild = Outdoor(15.0, Quality.GOOD, "sensor")
    seen = view(plan=plan(), now_s=NOON + 1900.0, temp_c=None, outdoor=mild)
    assert decide(seen).duty == pytest.approx(0.4)


def test_a_room_far_off_its_path_falls_to_the_rules():
    need = decide(view(plan=plan(), now_s=NOON + 1900.0, temp_c=21.0))
    assert need.level is Level.RULES
    assert "off the path" in need.reason


def test_the_path_ends_with_the_known_prices():
    ended = plan(path_until_s=NOON + 1800.0)
    assert decide(view(plan=ended, now_s=NOON + 1900.0)).level is Level.RULES


def test_a_cold_room_asks_for_heat_without_any_plan():
    need = decide(view(temp_c=20.0))
    assert need.level is Level.RULES
    assert need.duty > 0.9
    assert need.slack_k == pytest.approx(-1.5)


def test_a_warm_room_asks_for_less_than_a_cold_one():
    assert decide(view(temp_c=22.6)).duty < decide(view(temp_c=21.6)).duty


def test_coming_blocks_make_the_rules_preheat():
    assert decide(view(available_frac=0.67)).duty > decide(view()).duty
    told = decide(view(available_frac=0.67)).reason
    assert "ahead of blocked hours" in told


def test_a_panel_stores_heat_in_the_last_quarter_before_a_block_and_a_floor_does_not():
    seen = view(temp_c=22.3, available_frac=0.7, block=(NOON + 890.0, NOON + 4490.0))
    for emitter, stores in ((Emitter.PANEL, True), (Emitter.FLOOR, False)):
        facts = replace(FACTS, emitter=emitter)
        need = room_need(facts, seen, Level.RULES, "")
        assert ("topped up before a block" in need.reason) is stores
        assert (need.duty == 1.0) is stores
    mild = replace(seen.outdoor, temp_c=12.0)
    early = seen._replace(block=(NOON + 1000.0, NOON + 4600.0), outdoor=mild)
    assert room_need(replace(FACTS, emitter=Emitter.PANEL), early, Level.RULES, "").duty < 1.0


def test_the_colder_it_is_and_the_longer_the_block_the_earlier_a_panel_stores_heat():
    panel = replace(FACTS, emitter=Emitter.PANEL)

    def stores(outdoor_c: float, hours: float, before_h: float) -> bool:
        start_s = NOON + 3600.0 * before_h
        seen = view(temp_c=22.3, available_frac=0.7, block=(start_s, start_s + 3600.0 * hours),
                    outdoor=replace(view().outdoor, temp_c=outdoor_c))  # fmt: skip
        return "topped up before a block" in room_need(panel, seen, Level.RULES, "").reason

    assert stores(-12.0, 1.0, 1.0)
    assert stores(-12.0, 2.0, 1.5)
    assert not stores(-12.0, 1.0, 3.0)
    assert not stores(-25.0, 2.0, 3.1)
    assert not stores(5.0, 1.0, 1.0)


def test_an_unknown_temperature_means_a_bounded_duty():
    freezing = decide(view(temp_c=None, outdoor=replace(view().outdoor, temp_c=-25.0)))
    assert 0.1 <= freezing.duty <= 0.7
    assert "unknown" in freezing.reason
    assert freezing.slack_k == 0.0


@pytest.mark.parametrize(("surely_c", "heats"), [(None, True), (20.0, True), (25.0, False)])
def test_a_room_of_unknown_temperature_is_not_heated_while_it_is_surely_warm(surely_c, heats):
    need = decide(
        view(temp_c=None, surely_c=surely_c, outdoor=replace(view().outdoor, temp_c=-9.0))
    )
    assert (need.duty >= 0.1) is heats
    assert need.duty == 0.0 or heats
    assert ("surely over" in need.reason) is not heats


def test_a_room_estimated_too_warm_is_not_heated_and_breaks_no_dwell():
    need = decide(view(temp_c=27.1, estimated=True, plan=plan()))
    assert (need.duty, need.exact, need.overheat) == (0.0, True, False)
    assert "estimate" in need.reason


@pytest.mark.parametrize("surely_c", [26.0, 28.0])
def test_a_room_of_unknown_temperature_surely_over_its_ceiling_seems_hot(surely_c: float):
    assert decide(view(temp_c=None, surely_c=surely_c)).seems_hot is (surely_c > 27.0)


def test_an_open_window_stops_the_heat_but_not_against_frost():
    assert decide(view(window_open=True, plan=plan())).duty == 0.0
    cold = decide(view(window_open=True, temp_c=6.0))
    assert cold.frost
    assert cold.duty > 0.0


def test_frost_and_overheat_are_flagged_from_the_reading_alone():
    assert decide(view(temp_c=11.9)).frost
    assert decide(view(temp_c=27.1)).overheat
    assert decide(view(floor_c=29.5)).overheat
    assert not decide(view()).frost
    assert not decide(view(temp_c=None)).overheat


def test_a_wish_beats_the_plan_until_it_ends():
    wish = Override(24.0, NOON + 3600.0, "user", "guests")
    need = decide(view(plan=plan(), override=wish))
    assert need.user
    assert need.target_c == 24.0
    assert "guests" in need.reason
    assert not decide(view(plan=plan(), override=replace(wish, until_s=NOON))).user


def test_emergency_means_rules():
    assert decide(view(plan=plan(), mode=HouseMode.EMERGENCY)).level is Level.RULES


def test_economy_lowers_what_the_rules_aim_at():
    assert decide(view(mode=HouseMode.ECONOMY)).target_c == 21.0


def learn(trim: float, *, held_back: bool = False, **seen) -> float:
    looked = view(**seen)
    return next_trim(looked, decide(looked), trim, 900.0, held_back=held_back)


def trim_after(hours: float, **seen) -> float:
    trim = 0.0
    for _ in range(int(hours * 4)):
        trim = learn(trim, **seen)
    return trim


def test_the_rules_learn_slowly_what_the_losses_on_paper_miss():
    assert trim_after(10.0, temp_c=21.65) == pytest.approx(0.15)
    assert trim_after(1000.0, temp_c=21.65) == 0.2
    assert decide(view(temp_c=21.9, trim=0.2)).duty > decide(view(temp_c=21.9)).duty


def test_what_was_learned_too_much_is_unlearned_faster():
    step = learn(0.1, temp_c=22.65)
    assert step == pytest.approx(0.1 - 3 * 0.03 * 0.5 / 4)


def test_the_rules_learn_nothing_from_what_says_nothing():
    assert trim_after(10.0, temp_c=None) == 0.0
    assert trim_after(10.0, temp_c=21.6, window_open=True) == 0.0
    assert trim_after(10.0, temp_c=19.0) == 0.0
    assert learn(0.1, temp_c=21.6, held_back=True) == 0.1
    assert learn(0.1, temp_c=21.6, plan=plan()) == 0.1
    wish = Override(21.6, NOON + 3600.0, "user", "cool")
    assert learn(0.1, temp_c=21.2, override=wish) == 0.1


@pytest.mark.parametrize(("temp_c", "lasts_s"), [(5.0, 3600.0), (30.0, 3600.0), (22.0, 1.0)])
def test_an_impossible_wish_is_told_in_a_sentence(temp_c: float, lasts_s: float):
    problem = override_problem(temp_c, lasts_s)
    assert problem is not None
    assert "give" in problem


def test_a_sensible_wish_has_no_problem():
    assert override_problem(22.0, 7200.0) is None
