"""What the appliance is given: its doors to the outside, its pace, its workers.

A real house, the twin and the fakes of a story differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pems_actors.actors.control import Server
from pems_actors.actors.learner_school import Learning
from pems_actors.actors.mqtt import Connect
from pems_actors.actors.outbox import Exporter
from pems_actors.domain.ports import History, PriceSource, WeatherSource
from pems_actors.domain.ports import House as HousePort
from pems_actors.domain.units import HOUR_S
from pems_actors.durable.memory import Memory
from supervision.worker import WorkerSpec

SOLVER = WorkerSpec(
    name="planning/solver",
    target="pems_actors.optimisation.solver:factory",
    deadline_s=20.0,
    spare=True,
    memory_limit_mb=1024.0,  # of address space; a plan needs 200
)
TRAINER = WorkerSpec(
    name="forecasting/trainer", target="pems_actors.forecasting.pv_worker:factory", deadline_s=30.0
)


def nothing(_: object) -> None:
    """Listen to nobody."""


@dataclass(frozen=True)
class Surroundings:
    """The doors to the outside. `armed` None: all devices may be written to."""

    port: HousePort
    prices: PriceSource
    weather: WeatherSource
    store: History
    connect: Connect
    server: Server | None = None
    exporter: Exporter | None = None
    armed: frozenset[str] | None = None
    save_armed: Callable[[frozenset[str] | None], None] = field(default=nothing)
    memory: Memory = field(default_factory=Memory)
    clock_floor_s: float = float("-inf")  # house time cannot be earlier; none for a twin's


@dataclass(frozen=True)
class Pace:
    """How often things happen [s], and how the planner's worker is run."""

    control_tick_s: float = 60.0
    plan_every_s: float = 900.0
    horizon_s: float = 48 * HOUR_S
    heartbeat_s: float = 5.0
    publish_s: float = 60.0  # the meter's figures, which change all the time
    planning: bool = True
    demo: bool = False
    solver: WorkerSpec = SOLVER
    trainer: WorkerSpec = TRAINER
    learning: Learning | None = None  # None: the house forecasts with what needs no training
