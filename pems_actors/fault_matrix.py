"""The fault matrix: what can break, what the house then does, how fast, and where that is proven.

Pure data, a row for each kind of fault. Times are targets from the fault to its detection and from
there to health, on a machine of its own; `comfort_k` is how much further than otherwise a room may
come under its band. The proofs are test ids; a test sees to it that each of them exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One row. Unknown targets are None: there is nothing to recover, or it is told in words.

    detect_s, recover_s: targets [s].    comfort_k: the most a room may lose [K].
    tests: ids of the tests that prove it.    soak_faults: names of the fault table that do
    this, in a soak, a drill or on real processes.
    """

    number: int
    fault: str
    expected: str
    detect_s: float | None
    recover_s: float | None
    comfort_k: float | None
    tests: tuple[str, ...]
    soak_faults: tuple[str, ...] = ()


MINUTE_S, HOUR_S = 60.0, 3600.0

_TREE = "tests/scenarios/test_matrix_tree.py::test_"
_PLANNING = "tests/scenarios/test_matrix_planning.py::test_"
_SENSORS = "tests/scenarios/test_matrix_sensors.py::test_"
_ACTUATORS = "tests/scenarios/test_matrix_actuators.py::test_"
_ENDS = "tests/scenarios/test_incidents_end.py::test_"
_BY_HAND = "tests/scenarios/test_person_at_device.py::test_"
_CLOCK = "tests/scenarios/test_matrix_clock.py::test_"
_PRICES = "tests/scenarios/test_matrix_prices.py::test_"
_CORE = "tests/scenarios/test_matrix_core.py::test_"
_LONG = "tests/scenarios/test_matrix_long.py::test_"
_ALONE = "tests/scenarios/test_house_left_alone.py::test_"
_RESTART = "tests/scenarios/test_restart.py::test_"
_THREADS = "tests/supervision/test_matrix_on_threads.py::test_"
_DRILLS = "tests/supervision/test_poison_and_faults.py::test_"
_PITFALLS = "tests/supervision/test_pykka_pitfalls.py::test_"
_RUNTIME = "tests/supervision/test_thread_runtime.py::test_"
_WORKER = "tests/supervision/test_worker.py::test_"
_GUARDIAN = "tests/supervision/test_guardian.py::test_"
_SYSTEM = "tests/supervision/test_system.py::test_"
_LEAK = "tests/supervision/test_leak_watch.py::test_"
_CRASHES = "tests/processes/test_core_dies.py::test_"
_GONE = "tests/processes/test_core_gone.py::test_"
_SOLVER = "tests/processes/test_solver_dies.py::test_"
_BAD_DAYS = "tests/processes/test_bad_days.py::test_"
_SOAK = "tests/scenarios/test_soak_sample.py::test_"


ROWS: tuple[MatrixRow, ...] = (
    MatrixRow(
        1,
        "an actor raises an exception",
        "it is replaced with the state it had; what waited for it is read by the successor, and "
        "nobody else notices",
        0.010,
        0.100,
        0.0,
        (
            f"{_TREE}rows_1_and_2_whoever_crashes_is_replaced_with_its_state_and_nobody_else",
            f"{_TREE}row_1_what_waits_behind_a_crash_is_read_by_the_successor",
            f"{_TREE}rows_1_and_2_a_crash_a_minute_all_over_the_house_costs_no_comfort",
            f"{_THREADS}rows_1_and_2_a_crash_is_known_in_ten_milliseconds_and_mended_in_a_hundred",
        ),
        ("crash",),
    ),
    MatrixRow(
        2,
        "an actor raises what is no ordinary exception, such as SystemExit",
        "the same; no other actor and not the process is touched",
        0.010,
        0.100,
        0.0,
        (
            f"{_TREE}rows_1_and_2_whoever_crashes_is_replaced_with_its_state_and_nobody_else",
            f"{_TREE}rows_1_and_2_a_crash_a_minute_all_over_the_house_costs_no_comfort",
            f"{_THREADS}rows_1_and_2_a_crash_is_known_in_ten_milliseconds_and_mended_in_a_hundred",
            f"{_PITFALLS}a_base_exception_in_a_handler_stops_no_other_actor",
        ),
        ("crash-base",),
    ),
    MatrixRow(
        3,
        "an actor stands still in a message",
        "at its deadline it is cut off and replaced; what it does later reaches nobody",
        2.0,
        0.25,
        0.0,
        (
            f"{_TREE}rows_3_and_4_whoever_hangs_is_replaced_at_its_deadline_and_nobody_else",
            f"{_TREE}row_3_what_a_hung_room_decides_late_reaches_no_device",
            f"{_TREE}rows_3_and_4_hanging_rooms_cost_no_comfort",
            f"{_THREADS}row_3_a_hang_is_known_at_its_deadline_and_mended_a_quarter_second_later",
            f"{_RUNTIME}a_hung_actor_is_replaced_and_its_late_effect_is_refused",
        ),
        ("hang",),
    ),
    MatrixRow(
        4,
        "an actor stands still burning the processor",
        "the same, and its thread is ended; one that burns on for ten seconds costs a restart of "
        "the process, which the guardian makes",
        2.0,
        5.0,
        0.0,
        (
            f"{_TREE}rows_3_and_4_whoever_hangs_is_replaced_at_its_deadline_and_nobody_else",
            f"{_TREE}rows_3_and_4_hanging_rooms_cost_no_comfort",
            f"{_THREADS}row_4_a_zombie_that_burns_is_given_ten_seconds_and_then_the_process_is_given_up",
            f"{_RUNTIME}a_spinning_actor_is_replaced_and_its_thread_ended",
            f"{_RUNTIME}a_zombie_that_burns_on_ends_the_process",
        ),
        ("spin",),
    ),
    MatrixRow(
        5,
        "the process is frozen, from outside or by one thread that lets no other run",
        "it falls silent, so the guardian kills it and starts another; leases bridge the time",
        15.0,
        20.0,
        0.05,
        (
            f"{_CRASHES}a_frozen_core_is_killed_at_its_deadline_and_comes_back",
            f"{_GUARDIAN}a_frozen_child_is_killed_and_started_again",
            f"{_GUARDIAN}a_child_whose_threads_all_wait_for_one_is_killed_and_started_again",
            f"{_CORE}row_5_a_core_frozen_for_twenty_seconds_costs_nothing",
            f"{_CORE}row_5_a_frozen_core_that_thaws_blames_nobody",
            f"{_CORE}rows_5_33_and_35_a_core_that_is_killed_every_half_hour_costs_no_comfort",
        ),
        ("suspend", "stop-core"),
    ),
    MatrixRow(
        6,
        "an actor is slow",
        "after three slow messages it is shown as degraded; it is not restarted, and newer "
        "readings take the place of older ones",
        None,
        None,
        0.0,
        (
            f"{_TREE}row_6_a_slow_actor_is_degraded_at_its_third_message_and_never_restarted",
            f"{_DRILLS}a_slow_actor_is_shown_as_degraded_and_not_restarted",
        ),
        ("slow",),
    ),
    MatrixRow(
        7,
        "a message crashes whoever reads it",
        "at its second crash it is put aside by its content; the actor goes on",
        None,
        0.2,
        0.0,
        (
            f"{_TREE}row_7_a_poison_is_put_aside_at_its_second_crash",
            f"{_DRILLS}a_message_that_crashed_its_reader_twice_is_put_aside",
            f"{_DRILLS}a_message_that_hung_its_reader_twice_is_put_aside",
        ),
        ("poison",),
    ),
    MatrixRow(
        8,
        "an actor fails in its start",
        "it is tried again with growing pauses of 0.1 to 30 s; the others go on, its devices do "
        "what their leases say",
        0.010,
        None,
        0.0,
        (
            f"{_TREE}row_8_a_start_that_fails_is_tried_again_with_pauses_and_the_others_go_on",
            f"{_THREADS}row_8_a_start_that_fails_is_known_at_once_and_told_as_restarting",
            f"{_DRILLS}a_start_that_fails_twice_is_tried_until_it_works",
        ),
        ("crash-start",),
    ),
    MatrixRow(
        9,
        "an actor crashes again and again",
        "past five restarts in a minute it rests in its fallback and is tried every five minutes, "
        "as one incident; only safety and devices escalate",
        MINUTE_S,
        1.0,
        0.3,
        (
            f"{_TREE}row_9_a_crash_loop_ends_in_a_rest_within_the_minute_and_costs_little",
            f"{_TREE}row_9_rooms_in_crash_loops_stay_within_three_tenths_of_a_kelvin",
            f"{_THREADS}row_9_a_crash_loop_rests_within_a_second_of_its_last_try",
            "tests/scenarios/test_trouble_in_the_tree.py::test_a_child_in_a_crash_loop_rests_and_nobody_else_notices",
            "tests/scenarios/test_trouble_in_the_tree.py::test_while_a_room_rests_its_relay_is_its_own_master",
        ),
        ("crash-loop",),
    ),
    MatrixRow(
        10,
        "a supervisor dies or hangs",
        "its own supervisor starts it again with all under it; epochs only go up",
        1.0,
        2.0,
        0.0,
        (
            f"{_TREE}row_10_a_supervisor_that_dies_is_restarted_with_all_under_it",
            f"{_TREE}row_10_a_supervisor_that_hangs_is_replaced_too",
            f"{_TREE}row_10_dying_supervisors_cost_no_comfort",
            f"{_RUNTIME}a_branch_that_crashes_on_threads_takes_its_children_along",
            f"{_SYSTEM}a_root_that_hangs_ends_the_process",
        ),
        ("branch-crash",),
    ),
    MatrixRow(
        11,
        "a mailbox is flooded with a hundred thousand messages",
        "it stays within its bound and 20 MB, drops are counted, a look at it takes under 50 ms, "
        "and no order of safety is lost",
        0.1,
        1.0,
        0.0,
        (
            "tests/actors/test_mailbox_floods.py::test_a_flood_is_bounded_and_counted_and_stops_neither_safety_nor_a_look",
            "tests/actors/test_mailbox_floods.py::test_of_orders_each_is_taken_for_good_or_refused_at_once",
            f"{_TREE}row_11_a_flood_is_bounded_counted_and_stops_no_order_of_safety",
        ),
        ("flood",),
    ),
    MatrixRow(
        12,
        "an answer is lost, or who should give it is dead",
        "who asked has a typed error in the time it gave, and goes on without",
        2.0,
        None,
        0.2,
        (
            f"{_THREADS}row_12_who_gets_no_answer_has_a_typed_error_in_the_time_it_gave",
            f"{_TREE}row_12_five_messages_lost_every_hour_cost_a_room_a_fifth_of_a_kelvin",
            f"{_PITFALLS}every_ask_is_answered_while_its_actor_keeps_dying",
            f"{_PITFALLS}an_ask_for_nobody_says_so",
            "tests/actors/test_orders_in_trouble.py::test_an_order_without_an_answer_ends_once_also_when_the_desk_was_replaced",
            "tests/scenarios/test_orders_and_broker.py::test_an_order_that_the_actor_of_mqtt_loses_is_answered_in_time",
            "tests/scenarios/test_orders_and_broker.py::test_while_the_actor_of_mqtt_rests_an_order_is_refused_in_a_sentence",
        ),
        ("drop", "solver-lost"),
    ),
    MatrixRow(
        13,
        "the solver's process dies",
        "its spare takes over and the next plan comes from it; the last plan stands meanwhile",
        0.010,
        0.050,
        0.0,
        (
            f"{_WORKER}a_process_that_dies_costs_one_ticket_only",
            f"{_WORKER}a_ready_spare_takes_over_and_a_new_one_is_started",
            f"{_SOLVER}a_solver_in_trouble_at_its_work_costs_one_plan",
            f"{_SOLVER}an_idle_solver_that_is_struck_is_replaced",
            f"{_SOLVER}through_all_of_this_no_control_tick_was_missed",
        ),
        ("solver-crash", "kill"),
    ),
    MatrixRow(
        14,
        "the solver takes too long, or never answers",
        "it is killed at its deadline of 20 s; the last plan stands, then its path is tracked; a "
        "lost answer is given up after 50 s and asked for anew",
        30.0,
        0.1,
        0.1,
        (
            f"{_PLANNING}row_14_a_solver_over_its_time_is_told_within_half_a_minute_and_the_plan_stands",
            f"{_PLANNING}row_14_once_the_solver_is_back_it_is_planned_again",
            f"{_PLANNING}row_14_a_solver_away_for_two_hours_costs_a_tenth_of_a_kelvin",
            f"{_WORKER}a_job_beyond_its_deadline_is_killed",
            f"{_SOLVER}a_solver_in_trouble_at_its_work_costs_one_plan",
        ),
        ("solver-slow", "solver-late", "solver-lost"),
    ),
    MatrixRow(
        15,
        "there is no plan",
        "the problem is softened first; then the last plan, its path, and the rules, each with "
        "its reason",
        None,
        1.0,
        0.2,
        (
            f"{_PLANNING}row_15_without_any_plan_the_house_lives_by_its_rules_and_says_why",
            f"{_PLANNING}row_15_a_refused_problem_leaves_the_last_plan_then_its_path_each_with_a_reason",
            f"{_PLANNING}row_15_two_hours_of_refusals_cost_a_fifth_of_a_kelvin",
            "tests/scenarios/test_planner_away.py::test_a_winter_day_without_a_planner_and_back",
            "tests/scenarios/test_planner_away.py::test_three_winter_days_without_a_planner_and_back",
        ),
        ("solver-refuses",),
    ),
    MatrixRow(
        16,
        "a plan holds no numbers, or more than there is",
        "the validator refuses it before any device; the plan in force stands",
        0.0,
        0.0,
        0.0,
        (
            f"{_PLANNING}row_16_a_plan_that_raves_is_refused_before_any_device",
            f"{_PLANNING}row_16_from_the_start_too_it_never_becomes_a_plan",
            "tests/actors/test_planner_actor.py::test_what_is_no_sound_plan_is_not_passed_on_but_told",
        ),
        ("solver-nan", "solver-absurd"),
    ),
    MatrixRow(
        17,
        "a forecast is no number, absurd, missing or late",
        "it is refused at receipt; the last good issue, the climate or the persistence of now "
        "stand in, with wider bands and a word about it",
        0.0,
        1.0,
        0.2,
        (
            f"{_PLANNING}row_17_a_forecast_that_raves_or_is_gone_is_replaced_and_planned_with",
            f"{_PLANNING}row_17_a_bad_forecast_costs_a_fifth_of_a_kelvin",
            "tests/forecasting/test_weather_ladder.py::test_no_story_of_sensor_and_provider_spoils_a_forecast",
        ),
        ("weather-down", "weather-missing", "weather-nan", "weather-absurd", "weather-stale"),
    ),
    MatrixRow(
        18,
        "a sensor's reading grows old",
        "flagged after three periods; estimated by the model for two hours, then a bounded duty "
        "by the outdoor temperature",
        3 * MINUTE_S,
        1.0,
        0.5,
        (
            f"{_SENSORS}row_18_a_stale_sensor_is_flagged_in_three_periods_and_estimated_for_two_hours",
            f"{_SENSORS}row_18_a_sensor_that_speaks_again_is_believed_and_the_outage_has_an_end",
            "tests/scenarios/test_blind_house.py::test_six_hours_without_any_room_sensor_in_the_cold",
        ),
        ("sensor-stale", "sensor-missing", "outdoor-missing"),
    ),
    MatrixRow(
        19,
        "a sensor is missing from the start",
        "the same timer runs from the start; unknown never means full heat",
        3 * MINUTE_S,
        1.0,
        None,
        (
            f"{_SENSORS}row_19_a_sensor_missing_from_boot_is_flagged_and_never_means_full_heat",
            "tests/estimation/test_sensor_findings.py::test_a_sensor_that_was_never_heard_is_missing_by_the_same_timer_from_boot",
        ),
        ("sensor-missing",),
    ),
    MatrixRow(
        20,
        "a sensor says the same for ever",
        "found when the model says that it had to move; a steady room accuses nobody",
        2 * HOUR_S,
        None,
        0.5,
        (
            f"{_SENSORS}row_20_a_stuck_sensor_is_found_within_two_hours_of_having_to_move",
            f"{_SENSORS}row_20_a_steady_day_accuses_nobody",
        ),
        ("sensor-stuck",),
    ),
    MatrixRow(
        21,
        "a sensor jumps, or says what cannot be",
        "dropped at receipt; a jump that is said three times and that the model can follow is "
        "believed",
        0.0,
        0.0,
        0.0,
        (
            f"{_SENSORS}row_21_a_jump_is_dropped_at_receipt_and_costs_nothing",
            f"{_SENSORS}row_21_nonsense_is_dropped_and_the_room_lives_on_its_estimate",
            "tests/estimation/test_freshness.py::test_no_story_makes_a_sensor_say_what_cannot_be",
        ),
        ("sensor-jump", "sensor-nan", "sensor-absurd", "outdoor-jump"),
    ),
    MatrixRow(
        22,
        "the broker is down for an hour, comes and goes, or is slow",
        "no command changes; heartbeats go to the log, the newest of every state and all events "
        "wait, and are right ten seconds after its return",
        20.0,
        10.0,
        0.0,
        (
            "tests/scenarios/test_orders_and_broker.py::test_an_hour_without_a_broker_changes_no_command",
            "tests/gateways/test_mqtt_floods.py::test_a_broker_that_comes_and_goes_ends_with_the_newest_of_everything",
            "tests/gateways/test_mqtt_floods.py::test_a_broker_that_stands_still_gets_the_newest_of_everything_when_it_goes_on",
            "tests/gateways/test_mqtt_floods.py::test_a_broker_that_was_killed_and_restarted_empty_knows_the_house_within_ten_seconds",
            "tests/processes/test_broker_dies.py::test_all_that_is_retained_is_right_again_soon_after_the_broker_is",
            "tests/processes/test_broker_dies.py::test_a_broker_killed_for_half_a_minute_knows_the_house_ten_seconds_after_its_return",
        ),
        ("broker-down",),
    ),
    MatrixRow(
        23,
        "a message from outside is broken, huge or hostile",
        "refused in a sentence and counted; the connection stays",
        0.0,
        0.0,
        0.0,
        (
            "tests/gateways/test_codec_floods.py::test_twenty_thousand_broken_messages_are_read_or_refused_in_bounded_memory",
            "tests/gateways/test_codec_floods.py::test_a_million_broken_messages_are_read_or_refused_in_bounded_memory",
            "tests/gateways/test_mqtt_floods.py::test_ten_thousand_broken_orders_do_not_keep_a_good_one_waiting",
            "tests/gateways/test_mqtt_client.py::test_of_a_huge_message_only_as_much_is_heard_as_shows_that_it_is_one",
            "tests/scenarios/test_poisoned_house.py::test_nonsense_from_the_house_crashes_nobody_and_is_never_obeyed",
        ),
    ),
    MatrixRow(
        24,
        "the database is down, slow or full",
        "the local store goes on; rows wait in order and are sent at 50 000 a second when it is "
        "back",
        5.0,
        None,
        0.0,
        (
            "tests/gateways/test_backfill.py::test_a_hundred_thousand_waiting_rows_are_back_filled_in_order_at_fifty_thousand_a_second",
            "tests/gateways/test_backfill.py::test_new_rows_go_on_being_kept_while_a_slow_database_takes_the_old_ones",
            "tests/gateways/test_backfill.py::test_what_was_sent_before_a_crash_of_the_sender_is_sent_once_more_at_most",
            "tests/gateways/test_influx.py::test_a_busy_or_lost_server_keeps_the_rows_waiting",
            "tests/actors/test_board_and_store_actors.py::test_the_outbox_sends_every_few_seconds_and_says_what_is_wrong",
        ),
        ("store-refuses",),
    ),
    MatrixRow(
        25,
        "the disk is full",
        "the reserve is given back, measurements are thinned, decisions are kept, control goes "
        "on; all of it is over once there is room",
        MINUTE_S,
        None,
        0.0,
        (
            "tests/gateways/test_full_disk.py::test_on_a_full_disk_decisions_go_on_and_measurements_are_thinned",
            "tests/gateways/test_full_disk.py::test_when_there_is_room_again_everything_is_kept_again",
            "tests/scenarios/test_link_and_disk.py::test_a_full_disk_changes_no_command_and_is_told_in_one_sentence",
            f"{_RESTART}on_a_full_disk_control_goes_on_and_it_is_told_once",
            "tests/durable/test_memory.py::test_a_full_disk_is_told_once_and_again_when_it_is_mended",
        ),
        ("store-refuses",),
    ),
    MatrixRow(
        26,
        "the clock jumps, sleeps, leaps years, or changes to summer time",
        "known within a tick; no timer rings wrongly, everything is planned anew; a clock that "
        "cannot be right has no prices",
        MINUTE_S,
        None,
        0.0,
        (
            f"{_CLOCK}row_26_an_hours_jump_is_told_in_a_tick_and_no_lease_runs_out",
            f"{_CLOCK}row_26_no_dwell_is_cut_short_or_stretched_by_a_jump",
            f"{_CLOCK}row_26_an_hour_ahead_has_everything_planned_anew_at_once",
            f"{_CLOCK}row_26_an_hour_back_means_rules_and_self_use_until_the_clock_is_sane",
            f"{_CLOCK}row_26_a_leap_of_years_and_back_ends_in_a_plan_of_this_year",
            f"{_CLOCK}row_26_a_sensor_that_was_doubted_is_doubted_on_after_a_jump",
            f"{_CLOCK}row_26_a_few_seconds_are_an_event_and_change_nothing",
            f"{_CLOCK}row_26_a_clock_from_before_it_can_be_plans_nothing_and_keeps_the_rooms_warm",
            f"{_ENDS}a_doubted_clock_stays_doubted_whoever_dies_until_it_has_caught_up",
            f"{_CLOCK}row_26_a_block_goes_on_where_neither_the_contact_nor_the_clock_can_tell",
            "tests/scenarios/test_days_of_any_length.py::test_a_day_of_another_length_is_lived_through_whole",
        ),
        ("clock-forward", "clock-back", "suspend"),
    ),
    MatrixRow(
        27,
        "the configuration is broken or half written",
        "a reload keeps the last good one; a start that nobody attends takes it too, says "
        "precisely what is wrong, and looks at the file again at the next start",
        0.0,
        0.0,
        0.0,
        (
            "tests/config/test_config_live.py::test_a_broken_reload_keeps_the_last_good_and_tells_the_problems",
            "tests/config/test_config_last_good.py::test_whatever_byte_the_power_was_lost_at_the_house_is_the_last_good_one",
            "tests/config/test_config_last_good.py::test_any_other_damage_too_with_a_precise_message",
            "tests/cli/test_cli_run.py::test_a_service_with_a_broken_file_starts_with_the_last_good_one_and_says_so",
            f"{_BAD_DAYS}a_core_whose_file_was_half_written_goes_on_with_the_last_good_one",
            f"{_GUARDIAN}a_child_that_says_bye_with_a_complaint_is_made_safe",
        ),
    ),
    MatrixRow(
        28,
        "prices are missing, negative or a hundredfold",
        "the last known day or a flat tariff; a sign is a sign; a wrong unit is refused and told",
        0.0,
        1.0,
        None,
        (
            f"{_PRICES}row_28_a_feed_that_dies_leaves_the_last_known_prices_in_force",
            f"{_PRICES}row_28_a_feed_that_never_came_gives_a_flat_price_and_a_plan",
            f"{_PRICES}row_28_a_hundredfold_day_is_refused_as_a_wrong_unit",
            f"{_PRICES}row_28_a_negative_price_keeps_its_sign_and_closes_the_export",
        ),
        ("prices-down", "prices-missing", "prices-nan", "prices-absurd", "prices-stale"),
    ),
    MatrixRow(
        29,
        "a relay is stuck on",
        "power and contact contradict the order: an alarm, the budget counts it as running, and "
        "every other room keeps its ceiling",
        15 * MINUTE_S,
        None,
        None,
        (
            f"{_ACTUATORS}row_29_a_relay_that_welds_under_load_is_found_in_a_quarter_of_an_hour",
            f"{_ACTUATORS}row_29_the_ceiling_holds_for_every_other_room_and_the_alarm_stands",
            f"{_ACTUATORS}rows_29_and_30_an_inspector_that_loses_messages_accuses_no_relay",
            f"{_BY_HAND}however_often_somebody_presses_no_relay_is_called_stuck",
        ),
        ("relay-stuck-on", "load-ignores"),
    ),
    MatrixRow(
        30,
        "a relay is stuck off, or its valve is dead",
        "an alarm; plan and budget do without it until it works again; a tariff block accuses "
        "nobody",
        HOUR_S,
        None,
        None,
        (
            f"{_ACTUATORS}row_30_a_relay_that_does_not_close_leaves_plan_and_budget_within_the_hour",
            f"{_ACTUATORS}row_30_a_tariff_block_is_no_stuck_relay",
            f"{_ACTUATORS}rows_29_and_30_an_inspector_that_loses_messages_accuses_no_relay",
            f"{_BY_HAND}however_often_somebody_presses_no_relay_is_called_stuck",
            "tests/estimation/test_relay_findings.py::test_a_floor_that_stays_cold_is_found_although_its_contact_claims_heat",
        ),
        ("relay-stuck-off",),
    ),
    MatrixRow(
        31,
        "the inverter is silent",
        "it is left alone and falls back by its own lease; on its return it is told anew",
        3 * MINUTE_S,
        MINUTE_S,
        0.0,
        (f"{_ACTUATORS}row_31_a_silent_inverter_is_left_alone_and_told_anew_at_its_return",),
        ("inverter-silent",),
    ),
    MatrixRow(
        32,
        "the inverter answers and obeys nothing",
        "after three looks that contradict the order it is an incident, and planned around",
        3 * MINUTE_S,
        None,
        None,
        (
            f"{_ACTUATORS}row_32_an_inverter_that_ignores_is_found_in_three_cycles_and_planned_around",
            f"{_ACTUATORS}row_32_an_inverter_that_obeys_again_is_planned_with_again",
            f"{_ENDS}an_inverter_that_is_asked_for_what_it_does_anyway_has_no_open_incident",
            f"{_ENDS}an_inverter_that_still_ignores_a_battery_without_its_state_is_still_the_same_incident",
        ),
        ("inverter-ignores",),
    ),
    MatrixRow(
        33,
        "the core is killed",
        "the guardian starts it at once; it goes on from its snapshots and switches nothing "
        "twice: rules live in 2 s, a plan in 10 s",
        0.1,
        2.0,
        0.0,
        (
            f"{_CRASHES}a_core_killed_at_random_moments_is_back_before_anybody_feels_it",
            f"{_CRASHES}two_hundred_kills_lose_nothing",
            f"{_RESTART}killed_again_and_again_it_keeps_every_dwell_and_all_starts_apart",
            f"{_CORE}row_33_no_killed_core_makes_its_successor_switch_a_relay_within_its_dwell",
            f"{_CORE}rows_5_33_and_35_a_core_that_is_killed_every_half_hour_costs_no_comfort",
        ),
        ("kill-core",),
    ),
    MatrixRow(
        34,
        "power is lost in the middle of a write",
        "the old state or the new one, never a torn one; the log of the store is taken up; no "
        "row that was acknowledged in full is lost",
        None,
        5.0,
        0.0,
        (
            "tests/durable/test_power_loss.py::test_whenever_the_power_goes_the_old_or_the_new_state_is_read",
            "tests/durable/test_power_loss.py::test_the_data_is_on_the_disk_before_its_name_and_the_name_before_the_save_is_done",
            "tests/durable/test_power_loss.py::test_a_save_after_a_power_loss_works_as_ever",
            f"{_SYSTEM}a_snapshot_torn_at_any_byte_is_never_taken",
            "tests/durable/test_order_journal.py::test_whatever_is_torn_out_of_the_file_no_other_device_is_lost",
            "tests/gateways/test_sqlite_history.py::test_a_killed_process_loses_no_acknowledged_row",
            f"{_RESTART}a_file_that_cannot_be_trusted_costs_a_generation_and_is_told_once",
        ),
        ("kill-core",),
    ),
    MatrixRow(
        35,
        "the guardian is killed",
        "its children notice it at once and end, the core after its last orders to the devices; "
        "the service manager starts all of it again",
        1.0,
        5.0,
        0.05,
        (
            f"{_GONE}a_killed_guardian_takes_its_house_along_and_the_devices_are_left_safe",
            f"{_GUARDIAN}children_die_with_the_guardian",
            f"{_GUARDIAN}a_child_that_outlives_the_guardian_notices_that_it_is_gone",
            f"{_CORE}rows_5_33_and_35_a_core_that_is_killed_every_half_hour_costs_no_comfort",
        ),
        ("kill-guardian",),
    ),
    MatrixRow(
        36,
        "memory leaks",
        "an incident when it grows hour after hour for six hours; workers are replaced when they "
        "have grown; a core past its limit starts anew with all leases kept",
        6 * HOUR_S,
        2.0,
        0.0,
        (
            f"{_LEAK}a_leak_is_known_after_six_hours_and_two_to_warm_up",
            f"{_LEAK}what_is_no_leak_is_never_called_one",
            f"{_WORKER}a_process_that_grew_is_replaced",
            f"{_BAD_DAYS}a_core_with_too_much_memory_starts_anew_and_keeps_all_leases",
        ),
    ),
    MatrixRow(
        37,
        "planner, forecasts, broker and database are dead for seven winter days",
        "rules alone keep every room within half a kelvin of its band, without frost; with the "
        "host dead each device does what is declared of it",
        1.0,
        None,
        0.5,
        (
            f"{_LONG}row_37_two_winter_days_with_planner_forecasts_broker_and_database_dead",
            f"{_LONG}row_37_seven_winter_days_with_planner_forecasts_broker_and_database_dead",
            f"{_ALONE}native_thermostat_every_room_is_held_at_its_own_set_point",
            f"{_ALONE}native_off_nothing_heats_and_the_rooms_cool_slowly",
            f"{_ALONE}native_keep_the_last_order_stands_until_somebody_comes",
            f"{_ALONE}a_forced_battery_mode_is_over_with_its_lease",
        ),
    ),
    MatrixRow(
        38,
        "any two of these at once",
        "every law of the judge holds",
        None,
        None,
        None,
        (
            f"{_SOAK}a_seeded_story_breaks_no_law",
            f"{_SOAK}each_virtual_fault_is_suffered_and_passes",
            "tests/soak/test_stories.py::test_pairs_are_all_pairs_and_each_twice",
            "tests/soak/test_stories.py::test_the_two_faults_of_a_pair_overlap",
        ),
    ),
)  # fmt: skip

MATRIX: Mapping[int, MatrixRow] = {row.number: row for row in ROWS}
