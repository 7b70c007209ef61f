"""Whatever happens to whom began an incident, it has one end."""

from __future__ import annotations

from collections import Counter

from pems_actors.actors.metrics import Board
from pems_actors.domain.house import BatteryMode
from pems_actors.simulate import Simulation
from pems_actors.simulation.device_faults import FaultKind as DeviceKind
from supervision import Event, Fault, FaultKind
from supervision.events import IncidentClosed, IncidentOpened
from tests.scenarios.outages import HOUR, Outages, break_, flat, order_battery, until
from tests.scenarios.stories import NOON, rules_only


class Ledger:
    """Incidents of a story by their ids: how often each began and ended, and what is open."""

    def __init__(self, faults: str, hours: float, **more) -> None:
        self.began, self.ended = Counter[str](), Counter[str]()
        simulation = Simulation(rules_only(hours / 24.0, preset="flat3", faults=faults, **more))
        simulation.listen = self.hear
        simulation.run()

    def hear(self, event: Event) -> None:
        if isinstance(event, IncidentOpened):
            self.began[event.id] += 1
        elif isinstance(event, IncidentClosed):
            self.ended[event.id] += 1

    def of(self, path: str) -> set[str]:
        return {name for name in self.began if name.startswith(f"{path}@")}


def resets(actor: str, *after_s: float) -> str:
    """Starts that fail, after which an actor begins without its state."""
    return ",".join(f"crash-start@devices/{actor}:{at_s:g}" for at_s in after_s)


def test_a_finding_outlives_an_inspector_that_has_lost_its_state_as_one_incident():
    starts = resets("inspector", 1800)
    told = Ledger(f"meter-lost@meter:600/3600,{starts}", 2.0)
    assert len(told.of("meter/silent")) == 1
    assert told.began == told.ended


def test_a_jump_outlives_a_core_as_one_incident_and_the_truth_is_believed_after_it():
    """The next core goes by what was believed in the place of the sensor, not by its first word."""
    faults = "sensor-jump@rooms/living:1200/9000,kill-core:4000/60"
    told = Ledger(faults, 3.5)
    assert len(told.of("rooms/living/sensor-jump")) == 1
    assert all(told.ended[name] == 1 for name in told.of("rooms/living"))


def test_a_finding_whose_inspector_has_lost_state_and_memory_is_ended():
    """A memory with which an actor does not live is not given to it for a third time."""
    starts = resets("inspector", 1500, 1800, 2100)
    told = Ledger(f"meter-lost@meter:600/7200,{starts}", 3.0)
    assert told.of("state/devices/inspector")
    assert told.of("meter/silent")
    assert told.began == told.ended


def test_a_clock_that_is_doubted_outlives_a_gateway_that_has_lost_its_state_as_one_incident():
    starts = resets("gateway", 2400, 3600)
    told = Ledger(f"clock-back@clock:1800/5400,{starts}", 4.0)
    assert len(told.of("clock/untrusted")) == 1
    assert told.began == told.ended


def test_a_doubted_clock_stays_doubted_whoever_dies_until_it_has_caught_up():
    faults = f"clock-back@clock:1800/5400,{resets('gateway', 2400)},kill-core:3000/20"
    simulation = Simulation(rules_only(2.5 / 24.0, preset="flat3", faults=faults))
    trusted = {}

    def look(running: Simulation) -> None:
        minute = (running.runtime.process_s() - running.story.start_s) / 60.0
        mind = running.appliance.system.state_of("devices/gateway")
        if mind is not None:  # between two lives
            trusted[minute] = mind.clock.trusted

    simulation.run(look)
    doubted = [minute for minute, is_trusted in trusted.items() if not is_trusted]
    assert 30 <= min(doubted) <= 32
    assert not any(is_trusted for minute, is_trusted in trusted.items() if 32 <= minute < 90)
    assert trusted[max(trusted)]


def ignored_and_reset(*, heals: bool) -> Outages:
    """An inverter that ignores an order, and a battery that begins without its state meanwhile."""
    simulation, outages = flat(seed=3)
    until(simulation, 20)
    break_(simulation, "inverter", DeviceKind.INVERTER_IGNORES)
    order_battery(simulation, BatteryMode.HOLD)
    until(simulation, 27)
    assert "battery/ignores" in outages.opened
    system = simulation.appliance.system
    if heals:
        simulation.twin.fault("inverter", None)
    system.inject("devices/battery", Fault(FaultKind.CRASH_START, count=2))
    system.restart("devices/battery")
    until(simulation, 38)
    return outages


def test_a_battery_that_has_forgotten_who_ignored_it_leaves_no_open_incident():
    assert "battery/ignores" in ignored_and_reset(heals=True).closed


def test_an_inverter_that_still_ignores_a_battery_without_its_state_is_still_the_same_incident():
    outages = ignored_and_reset(heals=False)
    assert "battery/ignores" not in outages.closed
    assert len(outages.ids("battery/ignores")) == 1


def test_an_inverter_that_is_asked_for_what_it_does_anyway_has_no_open_incident():
    """It has proved nothing, though: nothing else is planned until it is tried again."""
    simulation, outages = flat(seed=3)
    until(simulation, 20)
    break_(simulation, "inverter", DeviceKind.INVERTER_IGNORES)
    order_battery(simulation, BatteryMode.HOLD, hours=0.25)
    until(simulation, 34)
    assert "battery/ignores" not in outages.closed
    until(simulation, 44)
    assert "battery/ignores" in outages.closed
    assert not simulation.appliance.system.state_of("devices/battery").path.usable


def shown(simulation: Simulation) -> set[str]:
    """Paths of the incidents that the board shows as open."""
    board = simulation.appliance.system.state_of("infrastructure/metrics")
    assert isinstance(board, Board)
    return {outage.told["path"] for outage in board.open_incidents.values()}


def loses_messages(simulation: Simulation) -> None:
    loses = Fault(FaultKind.DROP, at_message=1, count=100)
    simulation.appliance.system.inject("infrastructure/metrics", loses)


def test_the_board_that_lost_the_beginning_or_the_end_of_an_incident_still_learns_of_it():
    simulation, outages = flat(seed=3)
    until(simulation, 20)
    break_(simulation, "meter", DeviceKind.METER_LOST)
    until(simulation, 22)
    loses_messages(simulation)
    until(simulation, 40)
    assert "meter/silent" in outages.opened
    assert shown(simulation) == {"meter/silent"}
    simulation.twin.fault("meter", None)
    until(simulation, 43)
    loses_messages(simulation)
    until(simulation, 60)
    assert "meter/silent" in outages.closed
    assert shown(simulation) == set()
    [told] = simulation.store.records("incident", NOON, NOON + HOUR)
    assert "meter/silent" in told[1]
