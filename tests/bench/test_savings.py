"""The page of what planning saves: told from reports alone, what was missed said so."""

from pems_actors.bench.savings import BEGIN, END, page

THERMOSTAT = {"told": "a thermostat", "settled": 5980.8, "cold_kh_room_day": 0.01}
OURS = {
    "told": "the product",
    "settled": 5208.5,
    "cold_kh_room_day": 0.02,
    "captured_by_season": {"winter": 0.771, "summer": None},
    "mode_changes_per_day": 3.3,
    "writes_per_day": 8.6,
    "over_phase_limit_s": 60.0,
}
CLOSED_LOOP = {
    "name": "closed-loop",
    "figures": {"controllers": {"ours": OURS, "hysteresis": THERMOSTAT}, "over_phase_limit_s": 60},
    "targets": {"over_phase_limit_s": {"op": "<=", "value": 0.0}},
}
PEERS = {
    "name": "peers",
    "figures": {
        "peer": "other",
        "rooms": {
            "0": {"ours_s": 0.08, "ours_powers_cost": 41.5},
            "2": {
                "ours_s": 0.1,
                "peer_s": 9.0,
                "ours_powers_cost": 50.0,
                "peer_cost": 50.1,
                "peer_fractional_frac": 0.25,
            },
        },
    },
    "targets": {"slower_than_peer": {"op": "<=", "value": 0.0}},
}


def test_without_a_run_there_is_nothing_to_tell():
    assert page([]) == f"{BEGIN}\n\n{END}"


def test_the_controllers_stand_one_under_the_other_from_the_simplest_on():
    lines = page([CLOSED_LOOP]).splitlines()
    rules, ours = (line for line in lines if line.startswith(("| a therm", "| the prod")))
    assert rules == "| a thermostat | 5\u202f981 | 0.010 | – | – | – | – | – | – |"
    assert ours == "| the product | 5\u202f208 | 0.020 | 77% | – | – | 3.3 | 8.6 | 60 |"


def test_what_a_part_of_the_planner_is_worth_stands_in_a_table_of_its_own():
    blind = {"told": "without eyes", "settled": 5400.0, "cold_kh_room_day": 0.25, "runs": 2,
             "dearer": 101.6, "over_phase_limit_s": 4560.0}  # fmt: skip
    controllers = {"ours": OURS, "no_phases": blind}
    report = {**CLOSED_LOOP, "figures": {"controllers": controllers, "over_phase_limit_s": 60}}
    text = page([report])
    assert "| the product, but | fortnights |" in text
    assert "| without eyes | 2 | 102 | 0.250 | 4560 |" in text
    assert "the product, but" not in page([CLOSED_LOOP])


def test_a_target_that_was_missed_is_told_as_missed():
    assert "| `over_phase_limit_s` | <= 0 | **60**, missed |" in page([CLOSED_LOOP])
    reached = {**CLOSED_LOOP, "figures": {"controllers": {}, "over_phase_limit_s": 0}}
    assert "| `over_phase_limit_s` | <= 0 | 0 |" in page([reached])


def test_a_peer_stands_beside_us_by_number_of_rooms():
    text = page([PEERS])
    assert "| 0 | 0.080 | – | 41.50 | – | – |" in text
    assert "| 2 | 0.100 | 9.0 | 50.00 | 50.10 | 25% |" in text


def test_what_a_run_has_not_measured_is_told_by_another_of_the_same_benchmark():
    target = {"level2_kept_frac": {"op": ">=", "value": 0.7}}
    short = {"name": "closed-loop", "figures": {"level2_kept_frac": 0.8}, "targets": target}
    figures = {"controllers": {"ours": OURS}, "level2_kept_frac": None}
    text = page([short, {"name": "closed-loop", "figures": figures, "targets": target}])
    assert "| `level2_kept_frac` | >= 0.7 | 0.8 |" in text
    assert "the product" in text
