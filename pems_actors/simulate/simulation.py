"""A whole appliance against the twin on virtual time: the same actors, one thread, seeded.

The twin lives in a scenario of weather, prices and people. Equal seeds give equal logs, byte for
byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pems_actors.domain.ports import History, PriceSource
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S
from pems_actors.durable.memory import Memory
from pems_actors.economics.costs import CostTerms, settle
from pems_actors.gateways.memory_mqtt import MemoryMqtt
from pems_actors.simulate.performance import Performance
from pems_actors.simulate.story import Story
from pems_actors.simulation.energy_ledger import metered_rows
from pems_actors.simulation.scenario import Scenario
from pems_actors.simulation.truth import true_model
from pems_actors.simulation.twin import Twin


@dataclass
class Result:
    """What came of it: figures for machines, the log's hash, and the log if it was kept."""

    figures: dict[str, float | int | str]
    lines: list[str]


Observer = Callable[["Simulation"], None]


class Simulation(Performance):
    """One story being told. `run` tells it to the end; `run_until` as far as asked."""

    def __init__(
        self,
        story: Story,
        *,
        keep_log: bool = False,
        mqtt: MemoryMqtt | None = None,
        memory: Callable[[], Memory] | None = None,
        history: History | None = None,
        prices: Callable[[Scenario], PriceSource] | None = None,
    ) -> None:
        """Build the house and set the stage.

        memory: opens what outlives a restart of the core; None: one memory for the whole story.
        history: where rows are kept; None: all of them in memory.
        prices: who tells them; None: the scenario does, as they are published.

        Raises: ValueError for a fault or a target that there is not.
        """
        self.scenario, self.twin = scene_of(story)
        super().__init__(
            story,
            self.twin,
            self.scenario if prices is None else prices(self.scenario),
            self.scenario,
            keep_log=keep_log,
            mqtt=mqtt,
            memory=memory,
            history=history,
        )

    def run(self, observe: Observer | None = None) -> Result:
        """Tell the whole story and stop in order."""
        began = time.process_time()
        self.start()
        self.run_until(self.story.start_s + self.story.days * DAY_S, observe)
        if self.alive:
            self.appliance.stop()
        return self.result(time.process_time() - began)

    def result(self, cpu_s: float) -> Result:
        """Collect the figures of `pems simulate --json`."""
        figures: dict[str, float | int | str] = {
            **seen_figures(self.story, self.scenario, self.twin),
            "wall_s": round(cpu_s, 3),
            "plans": self.mqtt.count("pems/plan"),
            **{f"level_h_{n}": round(s / 3600.0, 2) for n, s in enumerate(self.level_s)},
            "restarts": self.counters()["restarts"],
            "log_sha256": self._digest.hexdigest(),
        }
        return Result(figures, self.lines)


def scene_of(story: Story) -> tuple[Scenario, Twin]:
    """Make the weather, prices and people of a story, and its true house."""
    scenario = Scenario.reference(
        story.house,
        story.start_s,
        story.days,
        weather_shift_k=story.weather_shift_k,
        seed=story.seed,
    )
    truth = true_model(story.house.model, story.seed)
    blocked, start_s = story.tariff.blocked, story.start_s
    return scenario, Twin(story.house, truth, scenario, blocked, start_s, story.seed)


def seen_figures(story: Story, scenario: Scenario, twin: Twin) -> dict[str, float | int | str]:
    """Tell what the true meters have counted, and what it costs."""
    seen = twin.figures()
    return {
        "cost": round(_cost(story, scenario, twin).total, 4),
        "currency": story.tariff.currency,
        "energy_kwh": round(seen["import_kwh"], 3),
        **{name: round(value, 4) for name, value in seen.items()},
    }


def _cost(story: Story, scenario: Scenario, twin: Twin) -> CostTerms:
    """Settle what the twin's meters counted."""
    ledger = twin.ledger
    ledger.close()
    edges = [row.start_s for row in ledger.rows]
    grid = TimeGrid((*edges, edges[-1] + ledger.rows[-1].duration_s))
    rows = metered_rows(ledger.rows, scenario.traded_eur_mwh(grid), story.tariff.netting)
    starts = sum(twin.starts[relay.name] * relay.start_cost for relay in story.house.relays)
    return settle(rows, story.tariff, story.house.battery.wear_per_kwh, starts)
