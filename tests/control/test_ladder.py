from pems_actors.control.ladder import Ladder
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
