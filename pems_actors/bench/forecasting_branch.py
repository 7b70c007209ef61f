"""The forecasting branch by itself on virtual time: its actors and the history, and no house.

A scenario stands in for meters, market and weather service. Sixty days take a minute, because no
room is heated meanwhile: the forecasters cannot tell the difference.
"""

from __future__ import annotations

from dataclasses import replace

from pems_actors.actors.base import LOAD, PV
from pems_actors.actors.history import HistoryActor
from pems_actors.actors.learner import LearnerActor
from pems_actors.actors.learner_school import Learning
from pems_actors.actors.load import LoadActor
from pems_actors.actors.prices import PricesActor
from pems_actors.actors.pv import PvActor
from pems_actors.actors.weather import WeatherActor
from pems_actors.domain.events import LoadSample, PvSample
from pems_actors.domain.house import House
from pems_actors.domain.ports import History
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, QUARTER_S
from pems_actors.economics.tariff import Tariff
from pems_actors.house import MAILBOX, PARK
from pems_actors.simulation.scenario import Scenario
from pems_actors.surroundings import TRAINER
from supervision import ActorSystem, ChildSpec, SupervisorSpec, VirtualRuntime

DEADLINE_S = 60.0


class ForecastingBranch:
    """Weather, prices, PV, load and the learner, fed from a scenario."""

    def __init__(
        self,
        house: House,
        tariff: Tariff,
        scenario: Scenario,
        history: History,
        learning: Learning,
        seed: int = 0,
    ) -> None:
        self.scenario = scenario
        self.runtime = VirtualRuntime(seed=seed, start_s=scenario.start_s)
        self.system = ActorSystem(self.runtime)
        children = (
            ChildSpec("weather", lambda c: WeatherActor(c, house, scenario)),
            ChildSpec("prices", lambda c: PricesActor(c, scenario, tariff)),
            ChildSpec("pv", lambda c: PvActor(c, house, TRAINER)),
            ChildSpec("load", lambda c: LoadActor(c, house.site.timezone)),
            ChildSpec("learner", lambda c: LearnerActor(c, house, history, learning)),
        )
        writer = ChildSpec("history", lambda c: HistoryActor(c, history))
        ready = tuple(
            replace(child, mailbox=MAILBOX, when_exhausted=PARK, deadline_s=DEADLINE_S)
            for child in children
        )
        branches = (
            SupervisorSpec("infrastructure", children=(writer,)),
            SupervisorSpec("forecasting", children=ready),
        )
        self.system.start(SupervisorSpec("root", children=branches))

    def run(self, days: float) -> None:
        """Live on for some days."""
        until_s = self.runtime.now_s() + days * DAY_S
        while (now_s := self.runtime.now_s()) < until_s:
            quarter = TimeGrid.uniform(now_s, 1)
            load_kw, pv_kw = (
                self.scenario.actual(name, quarter)[0] for name in ("base_load_kw", "pv_kw")
            )
            self.system.tell(LOAD, LoadSample(now_s, load_kw))
            self.system.tell(PV, PvSample(now_s, pv_kw, curtailed=False))
            self.runtime.run_until(now_s + QUARTER_S)

    def stop(self) -> None:
        """End in order."""
        self.system.stop(10.0)
