"""A house that talks nonsense in between: no actor falls over it, and no limit either.

What it says passes the same reader as in real life (`mqtt_picture`), so whatever that lets through
reaches rooms, guard, battery, budget, history and estimator.
"""

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from pems_actors.gateways import loxone
from pems_actors.gateways.growatt import Growatt
from pems_actors.gateways.growatt_registers import TELEMETRY, Registers
from pems_actors.gateways.growatt_twin import Counters, telemetry
from pems_actors.gateways.mqtt_picture import MqttPicture
from pems_actors.simulate import Simulation
from supervision.events import ChildFailed
from tests.gateways.mutants import Mutant, Mutants
from tests.scenarios.stories import NOON, rules_only
from tests.scenarios.witness import Witness

MINUTES, PER_MINUTE = 240, 12


class Liar:
    """A house's voice on MQTT: once a minute the truth, and nonsense around it."""

    def __init__(self, simulation: Simulation, seed: int) -> None:
        self.simulation, self.seed = simulation, seed
        house = simulation.story.house
        self.device = Growatt.of(house)
        self.picture = MqttPicture(house, self.device)
        self.counters = Counters()
        self.mutants: Iterator[Mutant] | None = None

    def truth(self) -> tuple[tuple[str, dict], ...]:
        reading = self.simulation.twin.reading()
        solar = telemetry(reading, self.counters, self.device)
        status = json.loads(loxone.status_message(reading).payload)
        return (TELEMETRY, solar), (loxone.STATUS, status)

    def minute(self, now_s: float) -> None:
        told = self.truth()
        self.mutants = self.mutants or iter(Mutants(self.seed, (*told, (loxone.OUTDOOR, -7.5))))
        for topic, body in told:
            self.hear(Mutant(topic, json.dumps(body).encode(), retained=False), now_s)
        for mutant in islice(self.mutants, PER_MINUTE):
            self.hear(mutant, now_s)
        reading = self.picture.reading(now_s, Registers())
        self.simulation.appliance._on_reading(reading)

    def hear(self, mutant: Mutant, now_s: float) -> None:
        self.picture.hear(mutant.topic, mutant.payload, retained=mutant.retained, now_s=now_s)


@pytest.mark.parametrize("seed", [1, 2])
def test_nonsense_from_the_house_crashes_nobody_and_is_never_obeyed(seed):
    failed: list[ChildFailed] = []
    simulation = Simulation(rules_only(0.3, preset="flat3", seed=seed, weather_shift_k=-10.0))
    simulation.listen = lambda e: failed.append(e) if isinstance(e, ChildFailed) else None
    simulation.start()
    liar, witness = Liar(simulation, seed), Witness()
    for minute in range(1, MINUTES + 1):
        now_s = NOON + 60.0 * minute
        simulation.runtime.run_until(now_s)
        simulation.twin.step_to(now_s)
        liar.minute(now_s)
        witness(simulation)
    simulation.runtime.run_until(NOON + 60.0 * (MINUTES + 1))
    assert not failed, failed[0].traceback
    assert liar.picture.counters["refused"] > MINUTES
    limits = simulation.story.house.limits
    assert max(look.heating_kw for look in witness.looks) <= limits.heating_kw + 1e-6
    assert min(witness.coldest_c.values()) > limits.building_floor_c
    for message in simulation.mqtt.newest.values():
        if message.topic.startswith("pems/state/"):
            json.loads(message.payload, parse_constant=pytest.fail)
