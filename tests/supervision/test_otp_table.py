"""OTP's suite of supervisors has 88 cases; each is a promise here, or has a reason why not."""

import ast
from pathlib import Path

CASES = {
    1: "test_a_tree_without_children_starts_and_ends",
    2: "n/a: a supervisor is data, it has no init of its own that could say ignore",
    3: "test_a_child_with_nothing_to_run_keeps_its_spec",
    4: "test_a_temporary_child_with_nothing_to_run_is_forgotten",
    5: "test_a_child_added_later_may_have_nothing_to_run",
    6: "test_a_dynamic_child_with_nothing_to_run_is_forgotten",
    7: "test_a_dynamic_child_with_nothing_to_run_is_forgotten",
    8: "test_a_factory_that_gives_no_actor_fails_the_start_with_a_sentence",
    9: "test_a_start_that_raises_fails_the_tree_and_stops_what_had_started",
    10: "test_a_child_added_later_whose_start_fails_is_not_added",
    11: "test_a_restart_by_hand_that_fails_leaves_the_child_stopped",
    12: "test_a_dynamic_child_whose_start_fails_is_not_added",
    13: "test_defaults_of_a_spec_read_back_right",
    14: "test_defaults_of_a_dynamic_child_read_back_right",
    15: "test_a_spec_without_its_parts_or_of_another_kind_is_rejected",
    16: "test_an_infinite_patience_waits_for_the_end",
    17: "test_a_finite_patience_cuts_a_sleeper_off",
    18: "test_a_dynamic_sleeper_is_cut_off_after_its_patience",
    19: "test_a_brutal_stop_does_not_ask",
    20: "test_a_brutal_stop_of_dynamic_children_does_not_ask",
    21: "test_a_child_that_fails_while_the_tree_stops_is_told_once",
    22: "test_children_that_fail_while_stopping_are_told_and_the_stop_goes_on",
    23: "test_every_call_in_every_state_of_a_child_has_its_answer",
    24: "test_dynamic_children_are_ended_by_name_and_never_restarted_by_hand",
    25: "test_a_faulty_child_is_rejected_with_its_reason",
    26: "test_a_faulty_part_of_a_spec_is_rejected_with_its_reason",
    27: "n/a: a start gives no extra information; what a child wants known it tells",
    28: "test_faulty_flags_of_a_supervisor_are_rejected_with_their_reason",
    29: "test_restarts_below_the_limit_leave_a_healthy_tree",
    30: "test_one_for_one_restarts_only_the_failed_one",
    31: "test_one_for_one_escalates_past_its_limit",
    32: "test_one_for_all_restarts_all",
    33: "test_one_for_all_escalates_past_its_limit",
    34: "test_a_sibling_whose_restart_fails_is_tried_again_and_all_ends_well",
    35: "test_a_dynamic_child_is_restarted_alone",
    36: "test_dynamic_children_stop_side_by_side_each_in_its_own_time",
    37: "test_arguments_given_at_the_start_survive_a_restart",
    38: "test_a_dynamic_supervisor_escalates_past_its_limit",
    39: "test_bad_calls_do_not_harm_the_table",
    40: "test_rest_for_one_leaves_the_earlier_ones_alone",
    41: "test_rest_for_one_escalates_past_its_limit",
    42: "test_rest_for_one_tries_a_later_sibling_again_without_the_earlier_ones",
    43: "test_fate_after_a_normal_end",
    44: "test_fate_after_a_normal_end",
    45: "test_fate_after_a_normal_end",
    46: "test_fate_after_a_shutdown_with_a_reason",
    47: "test_fate_after_a_shutdown_with_a_reason",
    48: "test_fate_after_a_shutdown_with_a_reason",
    49: "test_an_application_whose_child_keeps_failing_ends_with_the_reason",
    50: "test_fate_after_a_failure",
    51: "test_fate_after_a_failure",
    52: "test_fate_after_a_failure",
    53: "test_a_temporary_bystander_is_not_restarted_with_its_siblings",
    54: "test_a_temporary_child_without_significance_ends_nothing",
    55: "test_a_transient_child_without_significance_ends_nothing",
    56: "test_a_significant_temporary_child_ends_its_branch",
    57: "test_a_significant_transient_child_ends_its_branch_unless_it_failed",
    58: "test_a_significant_dynamic_child_ends_its_branch",
    59: "test_a_significant_child_stopped_by_hand_or_with_its_siblings_ends_nothing",
    60: "test_the_last_of_several_significant_children_ends_the_branch",
    61: "test_a_significant_child_that_uses_up_its_restarts_escalates_instead",
    62: "test_auto_shutdown_can_be_changed_while_running",
    63: "test_auto_shutdown_can_be_changed_while_running",
    64: "test_auto_shutdown_can_be_changed_while_running",
    65: "test_auto_shutdown_can_be_changed_while_running",
    66: "test_auto_shutdown_can_be_changed_while_running",
    67: "test_auto_shutdown_can_be_changed_while_running",
    68: "test_the_significance_of_a_child_can_be_changed_while_running",
    69: "test_a_child_that_leaves_the_registry_is_still_stopped",
    70: "test_a_failing_branch_is_restarted_with_just_its_own_children",
    71: "test_children_are_counted_right",
    72: "test_a_restarting_child_is_counted_as_not_active",
    73: "test_a_restarting_branch_is_counted_as_not_active",
    74: "test_the_spec_of_a_branch_can_be_asked_for",
    75: "test_the_arguments_of_an_ended_temporary_child_are_not_kept",
    76: "test_the_specs_of_ended_temporary_children_are_not_kept",
    77: "test_the_cost_of_thousands_of_temporary_children_stays_linear",
    78: "test_a_restarted_branch_is_found_under_its_name_again",
    79: "test_a_child_that_fails_to_start_again_and_again_does_not_hold_up_its_supervisor",
    80: "test_a_child_that_fails_to_start_again_and_again_does_not_hold_up_its_supervisor",
    81: "test_a_child_that_fails_to_start_again_and_again_does_not_hold_up_its_supervisor",
    82: "test_the_limits_can_be_changed_while_running",
    83: "test_the_strategy_can_be_changed_while_running",
    84: "test_a_child_spec_changed_while_running_counts_from_the_next_start",
    85: "test_a_child_new_in_a_changed_configuration_is_kept_down_until_asked_for",
    86: "test_children_stay_in_start_order_through_deletes_and_additions",
    87: "test_many_children_start_and_stop_in_little_time",
    88: "test_a_failure_is_told_in_one_stable_line",
}


def named_tests():
    files = Path(__file__).parent.glob("test_otp_*.py")
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in files)
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_case_has_its_number():
    assert list(CASES) == list(range(1, 89))


def test_every_named_test_exists():
    names = {name for name in CASES.values() if not name.startswith("n/a: ")}
    assert names - named_tests() == set()


def test_a_case_that_does_not_apply_says_why():
    reasons = [case for case in CASES.values() if case.startswith("n/a")]
    assert len(reasons) <= 3
    assert all(len(reason) > len("n/a: ") + 20 for reason in reasons)
