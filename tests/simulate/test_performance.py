"""What breaks in a story, when it heals, and how a core dies and is born again."""

from itertools import pairwise

import pytest

from pems_actors.domain.levels import Level
from pems_actors.domain.units import HOUR_S, MINUTE_S
from pems_actors.simulate import Simulation, strikes_of
from pems_actors.simulate.performance import RESTARTED_AFTER_S
from supervision.events import ChildReady, FaultInjected, IncidentClosed, IncidentOpened
from tests.scenarios.stories import NOON, replace, rules_only


def playing(faults: str, hours: float = 2.0) -> Simulation:
    tale = rules_only(hours / 24.0, preset="flat3", seed=4, faults=faults, weather_shift_k=-5.0)
    simulation = Simulation(tale, keep_log=True)
    simulation.start()
    return simulation


def test_a_trouble_lasts_as_long_as_it_was_told_to():
    simulation = playing("broker-down@broker:605/1200")
    up = {}
    for minute in (9, 11, 29, 31):
        simulation.run_until(NOON + minute * MINUTE_S)
        up[minute] = simulation.mqtt.up
    assert up == {9: True, 11: False, 29: False, 31: True}
    assert not simulation.troubles


def test_a_device_is_broken_at_its_instant_and_repaired_by_itself():
    simulation = playing("meter-lost@meter:600/600")
    simulation.run_until(NOON + 15 * MINUTE_S)
    assert "meter" in simulation.twin.faults
    simulation.run_until(NOON + 25 * MINUTE_S)
    assert not simulation.twin.faults


def test_a_start_that_fails_is_asked_for():
    simulation = playing("crash-start@rooms/bath:600/0")
    heard = []
    simulation.listen = heard.append
    simulation.run_until(NOON + 15 * MINUTE_S)
    assert [e.fault for e in heard if isinstance(e, FaultInjected)] == ["crash-start"]
    assert simulation.appliance.system.counters()["crashes"] == 2


def test_a_clock_that_is_set_shows_another_time_and_comes_back():
    simulation = playing("clock-forward@clock:600/600")
    simulation.run_until(NOON + 15 * MINUTE_S)
    assert simulation.runtime.now_s() - simulation.runtime.process_s() == HOUR_S
    simulation.run_until(NOON + 25 * MINUTE_S)
    assert simulation.runtime.now_s() == simulation.runtime.process_s()


def test_a_sleeping_computer_hears_nothing_while_the_house_lives_on():
    simulation = playing("suspend@clock:600/1800")
    readings = []
    simulation.port.on_reading = readings.append
    simulation.run_until(NOON + 45 * MINUTE_S)
    times = [reading.at_s - NOON for reading in readings]
    assert max(b - a for a, b in pairwise(times)) >= 1800.0
    assert simulation.runtime.clocks().slept_s == 1800.0
    assert simulation.twin.at_s == NOON + 45 * MINUTE_S


def test_what_befalls_a_sleeping_computer_begins_when_it_wakes():
    simulation = playing("suspend@clock:600/1800,suspend@clock:610/900")
    begun = []
    simulation.on_strike = lambda strike, at_s: begun.append(at_s - NOON)
    simulation.run_until(NOON + 60 * MINUTE_S)
    assert begun == [600.0, 2400.0]
    assert simulation.runtime.clocks().slept_s == 2700.0


def test_a_killed_core_is_silent_and_its_successor_begins_with_higher_epochs():
    simulation = playing("kill-core@core:1205/300")
    commands, births, ready = [], [], []
    simulation.port.on_command = lambda command, _: commands.append(command.at_s - NOON)
    simulation.on_birth = births.append
    simulation.listen = lambda event: ready.append(event) if isinstance(event, ChildReady) else None
    simulation.run_until(NOON + 22 * MINUTE_S)
    assert not simulation.alive
    simulation.run_until(NOON + 60 * MINUTE_S)
    assert simulation.alive
    assert births == [simulation.appliance]
    assert not [at_s for at_s in commands if 1205.0 < at_s < 1505.0]
    assert [at_s for at_s in commands if at_s > 1505.0]
    assert min(event.epoch for event in ready) > 1000


def test_a_fault_that_strikes_a_dead_core_strikes_nobody():
    simulation = playing("kill-core@core:600/600,crash@rooms/bath:900/0,kill-core@core:960/600")
    simulation.run_until(NOON + HOUR_S)
    assert simulation.alive
    assert simulation.appliance.system.counters()["crashes"] == 0


def test_a_core_that_gives_up_is_started_again_as_the_guardian_would():
    simulation = playing("none")
    simulation.run_until(NOON + 600.0)
    simulation.appliance.system.give_up("too many restarts")
    simulation.run_until(NOON + 660.0 + RESTARTED_AFTER_S)
    assert simulation.given_up == ["too many restarts"]
    simulation.run_until(NOON + HOUR_S)
    assert simulation.alive
    assert set(simulation.levels.values()) == {Level.RULES}


def test_seeded_faults_are_those_of_the_story_and_come_in_order():
    tale = rules_only(0.5, preset="flat3", seed=3, faults="heavy")
    strikes = strikes_of(tale)
    assert len(strikes) == 24
    assert [s.after_s for s in strikes] == sorted(s.after_s for s in strikes)
    assert strikes_of(replace(tale, faults=",".join(map(str, strikes)))) == strikes
    assert strikes_of(replace(tale, faults="none")) == ()


def test_a_fault_that_there_is_not_is_refused_before_the_story_begins():
    tale = rules_only(0.1, preset="flat3", faults="crash@planning/planner")
    with pytest.raises(ValueError, match="there is no 'planning/planner'"):
        Simulation(tale)


def test_an_incident_that_is_open_when_the_core_dies_goes_on_under_its_name():
    simulation = playing("window-open@rooms/bath:600/3600,kill-core@core:1805/120", hours=2.5)
    told = []
    simulation.listen = told.append
    simulation.run_until(NOON + 2.5 * HOUR_S)
    path = "rooms/bath/window-open"
    opened = [e for e in told if isinstance(e, IncidentOpened) and e.path == path]
    closed = [e for e in told if isinstance(e, IncidentClosed) and e.path == path]
    assert len({(e.id, e.start_s) for e in (*opened, *closed)}) == 1
    assert (len(opened), len(closed)) == (2, 1)
    assert opened[1].at_s >= NOON + 1925.0
    assert closed[0].end_s >= NOON + 4200.0


def test_an_incident_that_nobody_takes_over_ends_with_the_next_core():
    simulation = playing("crash-loop@rooms/bath:600/0,kill-core@core:705/120")
    told = []
    simulation.listen = told.append
    simulation.run_until(NOON + HOUR_S)
    opened = [e.id for e in told if isinstance(e, IncidentOpened)]
    late = [e.end_s - e.start_s for e in told if isinstance(e, IncidentClosed)]
    assert max(late) >= 120.0
    assert sorted(e.id for e in told if isinstance(e, IncidentClosed)) == sorted(opened)


def test_counts_go_on_over_the_lives_of_the_core():
    simulation = playing("crash@rooms/bath:600/0,kill-core@core:900/60,crash@rooms/living:1500/0")
    simulation.run_until(NOON + HOUR_S)
    assert simulation.counters()["crashes"] == 2
    assert simulation.appliance.system.counters()["crashes"] == 1
