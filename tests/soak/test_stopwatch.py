"""Times from a fault to its first sign, and from its end back to health, by hand-told events."""

from pems_actors.fault_table import Strike
from pems_actors.soak.stopwatch import SHOWS_WITHIN_S, Stopwatch, Timing
from supervision.events import (
    ChildFailed,
    ChildRestarted,
    HealthChanged,
    IncidentClosed,
    IncidentOpened,
)

BATH = "rooms/bath"


def failed(path: str = BATH) -> ChildFailed:
    return ChildFailed(0.0, path, 1, "InjectedCrash", "message", "")


def restarted(path: str = BATH) -> ChildRestarted:
    return ChildRestarted(0.0, path, 2, 0.0)


def health(path: str, state: str) -> HealthChanged:
    return HealthChanged(0.0, path, state, "because", None)


def opened(path: str) -> IncidentOpened:
    return IncidentOpened(0.0, path, f"{path}@1", "because", 1.0, None)


def closed(path: str) -> IncidentClosed:
    return IncidentClosed(0.0, path, f"{path}@1", "because", 1.0, 2.0, None)


def timed(strike: Strike, *told) -> Timing:
    watch = Stopwatch()
    watch.struck(strike, strike.after_s)
    for event, at_s in told:
        watch.heard(event, at_s)
    (timing,) = watch.timings
    return timing


def test_a_crash_is_timed_to_its_failure_and_from_there_to_its_successor():
    crash = Strike("crash", BATH, 100.0)
    assert timed(crash, (failed(), 102.0), (restarted(), 103.5)) == Timing("crash", 2.0, 1.5)


def test_what_happens_to_another_or_much_later_is_none_of_it():
    crash = Strike("crash", BATH, 100.0)
    late_s = 101.0 + SHOWS_WITHIN_S
    assert timed(crash, (failed("rooms/hall"), 102.0)) == Timing("crash", None, None)
    assert timed(crash, (failed(), late_s), (restarted(), late_s)) == Timing("crash", None, None)


def test_a_sensor_is_timed_by_its_incident_and_is_well_when_that_is_over():
    stale = Strike("sensor-stale", BATH, 100.0, 1000.0)
    signs = (
        (opened("rooms/bath/sensor-silent"), 290.0),
        (closed("rooms/bath/sensor-silent"), 1400.0),
    )
    assert timed(stale, *signs) == Timing("sensor-stale", 190.0, 300.0)
    assert timed(stale, (opened("rooms/hall/sensor-silent"), 290.0)).detect_s is None


def test_a_watcher_that_is_not_as_before_is_a_sign_and_its_old_state_the_end():
    down = Strike("broker-down", "broker", 100.0, 600.0)
    mqtt = "infrastructure/mqtt"
    signs = (health(mqtt, "degraded"), 130.0), (health(mqtt, "running"), 705.0)
    assert timed(down, *signs) == Timing("broker-down", 30.0, 5.0)


def test_of_two_signs_the_first_is_the_notice_and_the_last_end_the_recovery():
    lost = Strike("meter-lost", "meter", 100.0, 600.0)
    signs = (
        (health("devices/meter", "degraded"), 280.0),
        (opened("meter/silent"), 300.0),
        (health("devices/meter", "running"), 710.0),
        (closed("meter/silent"), 1000.0),
    )
    assert timed(lost, *signs) == Timing("meter-lost", 180.0, 300.0)


def test_nobody_can_notice_in_his_sleep():
    nap = Strike("suspend", "clock", 100.0, 900.0)
    signs = (opened("clock/jump"), 1012.0), (closed("clock/jump"), 1012.0)
    assert timed(nap, *signs) == Timing("suspend", 12.0, 12.0)


def test_a_second_fault_with_the_same_sign_is_not_measured():
    watch = Stopwatch()
    watch.struck(Strike("prices-down", "prices", 100.0, 900.0), 100.0)
    watch.struck(Strike("prices-nan", "prices", 200.0, 900.0), 200.0)
    assert [timing.fault for timing in watch.timings] == ["prices-down"]
