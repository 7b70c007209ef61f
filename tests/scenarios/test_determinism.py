import pytest

from tests.scenarios.stories import rules_only, story, told


@pytest.mark.slow
def test_the_same_seed_tells_the_same_story_byte_for_byte():
    tale = rules_only(0.5, seed=3, faults="heavy")
    first, second = told(tale), told(tale)
    assert first.lines == second.lines
    assert any("ChildFailed" in line for line in first.lines)


def test_another_seed_tells_another_story():
    first, second = told(rules_only(0.1, seed=3)), told(rules_only(0.1, seed=4))
    assert first.lines != second.lines


def test_planning_is_deterministic_too():
    tale = story(0.04, seed=5, preset="flat3", faults="crash@planning/planner")
    assert told(tale).lines == told(tale).lines
