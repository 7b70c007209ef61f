from pems_actors.control.ladder import BACK_ON_PATH_S, Ladder
from pems_actors.domain.levels import Level


def test_the_first_plan_after_a_start_is_adopted_at_once():
    ladder = Ladder().offer(Level.RULES, "no plan yet", 0.0)
    assert ladder.offer(Level.PLAN, "plan in force", 60.0, plan_s=50.0).level is Level.PLAN


def test_down_is_at_once():
    ladder = Ladder().offer(Level.PLAN, "plan", 0.0, plan_s=0.0)
    assert ladder.offer(Level.PATH, "planner away", 60.0, plan_s=0.0).level is Level.PATH
    assert ladder.offer(Level.RULES, "off the path", 60.0, plan_s=0.0).level is Level.RULES


def test_from_the_path_a_plan_leads_back_at_once():
    ladder = Ladder().offer(Level.PLAN, "plan", 0.0, plan_s=0.0)
    ladder = ladder.offer(Level.PATH, "planner away", 60.0, plan_s=0.0)
    assert ladder.offer(Level.PLAN, "plan", 120.0, plan_s=100.0).level is Level.PLAN


def test_from_the_rules_it_takes_two_good_plans_in_a_row():
    ladder = Ladder().offer(Level.PLAN, "plan", 0.0, plan_s=0.0)
    ladder = ladder.offer(Level.RULES, "path ended", 60.0, plan_s=0.0)
    once = ladder.offer(Level.PLAN, "plan", 120.0, plan_s=100.0)
    assert once.level is Level.RULES
    assert "two good plans" in once.reason or "2 good plans" in once.reason
    same = once.offer(Level.PLAN, "plan", 180.0, plan_s=100.0)
    assert same.level is Level.RULES
    assert same.offer(Level.PLAN, "plan", 240.0, plan_s=200.0).level is Level.PLAN


def test_a_relapse_forgets_the_first_good_plan():
    ladder = Ladder().offer(Level.PLAN, "plan", 0.0, plan_s=0.0)
    ladder = ladder.offer(Level.RULES, "path ended", 60.0)
    ladder = ladder.offer(Level.PLAN, "plan", 120.0, plan_s=100.0)
    ladder = ladder.offer(Level.RULES, "off again", 180.0)
    assert ladder.offer(Level.PLAN, "plan", 240.0, plan_s=200.0).level is Level.RULES


def test_since_when_is_kept_while_the_level_stays():
    ladder = Ladder().offer(Level.PLAN, "plan", 10.0, plan_s=0.0)
    later = ladder.offer(Level.PLAN, "another reason", 70.0, plan_s=60.0)
    assert later.since_s == 10.0
    assert later.reason == "another reason"
    again = later.offer(Level.PLAN, "another reason", 80.0, plan_s=60.0)
    assert again is later


def fallen() -> Ladder:
    """A room that left its path while the planner was away."""
    ladder = Ladder().offer(Level.PLAN, "plan", 0.0, plan_s=0.0)
    return ladder.offer(Level.RULES, "off the path", 60.0, plan_s=0.0)


def test_a_room_back_on_its_path_follows_it_again_after_a_quarter_of_an_hour():
    ladder = fallen().offer(Level.PATH, "on the path", 120.0, plan_s=0.0)
    assert ladder.level is Level.RULES
    assert "only just" in ladder.reason
    ladder = ladder.offer(Level.PATH, "on the path", 120.0 + BACK_ON_PATH_S - 60.0, plan_s=0.0)
    assert ladder.level is Level.RULES
    ladder = ladder.offer(Level.PATH, "on the path", 120.0 + BACK_ON_PATH_S, plan_s=0.0)
    assert (ladder.level, ladder.reason) == (Level.PATH, "on the path")
    assert ladder.since_s == 120.0 + BACK_ON_PATH_S


def test_a_room_that_is_on_its_path_only_now_and_then_stays_with_the_rules():
    ladder = fallen()
    for now_s in range(120, 7200, 600):
        ladder = ladder.offer(Level.PATH, "on the path", float(now_s), plan_s=0.0)
        ladder = ladder.offer(Level.RULES, "off the path", now_s + 300.0, plan_s=0.0)
    assert ladder.level is Level.RULES


def test_back_on_the_path_a_new_plan_leads_back_at_once():
    ladder = fallen().offer(Level.PATH, "on the path", 120.0, plan_s=0.0)
    ladder = ladder.offer(Level.PATH, "on the path", 120.0 + BACK_ON_PATH_S, plan_s=0.0)
    assert ladder.offer(Level.PLAN, "plan", 2000.0, plan_s=1900.0).level is Level.PLAN
