"""The processes of the appliance as data, in the order of their start: broker, twin, core.

With an outside plant one process stands for the core: the appliance in step with the plant.

The only place that knows the command lines of these programs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pems_actors.cli.launch import Broker, Order, Origin
from pems_actors.cli.run_file import Child
from pems_actors.domain.units import iso

CORE_STOPS_WITHIN_S = 16.0  # five for the tree, ten to bring the devices into their safe state
QUIET_S = 60.0
DRILLED_QUIET_S = 2.0  # where a person kills the core on purpose, it is back at once every time
# Libraries keep to one thread; the C library makes two heaps for sixty actors, not eight a core.
THRIFTY = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
COMES_FIRST = -10  # control does not wait for other programs, where the system lets us say so
HASTY = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}  # there are none; looking for them takes 20 ms


def children(
    order: Order, begin: Origin, broker: Broker, state: Path, config: Path
) -> tuple[Child, ...]:
    """List the processes of the appliance in the order of their start."""
    own = (_broker_child(broker, state),) if broker.own else ()
    if order.house == "cosim":
        return (*own, _cosim_child(order, broker, state, config))
    twin = (_twin_child(order, begin, broker, state, config),) if order.house == "twin" else ()
    return (*own, *twin, _core_child(order, begin, broker, state, config))


def _broker_child(broker: Broker, state: Path) -> Child:
    from pems_actors.gateways.broker import BrokerSpec  # noqa: PLC0415

    argv = BrokerSpec(broker.port, state / "broker").argv
    return Child("broker", argv, ready_timeout_s=30.0, ping_timeout_s=60.0)


def _twin_child(order: Order, begin: Origin, broker: Broker, state: Path, config: Path) -> Child:
    argv = (
        *_program("pems_actors.gateways.twin_server"),
        *("--host", broker.host, "--port", str(broker.port)),
        *("--state", str(state), "--config", str(config)),
        *_clock(order, begin),
        *_world(order),
    )
    return Child("twin", argv, ready_timeout_s=60.0, ping_timeout_s=30.0, env=THRIFTY)


def _cosim_child(order: Order, broker: Broker, state: Path, config: Path) -> Child:
    argv = (
        *_program("pems_actors.cosimulation.server"),
        *("--config", str(config), "--state", str(state)),
        *("--broker", str(broker), "--seed", str(order.seed)),
    )
    return Child(
        "cosim",
        argv,
        ready_timeout_s=60.0,
        ping_timeout_s=60.0,  # a step's plan is made in this process
        significant=True,
        stop_timeout_s=CORE_STOPS_WITHIN_S,
        env=THRIFTY,
    )


def _core_child(order: Order, begin: Origin, broker: Broker, state: Path, config: Path) -> Child:
    simulated = (
        *_clock(order, begin),
        *("--start", iso(begin.house_s)),
        *_world(order),
    )
    argv = (
        *_program("supervision.quick_start"),
        "pems_actors.core",
        *("--config", str(config), "--state", str(state)),
        *("--house", order.house, "--broker", str(broker)),
        *(simulated if order.house == "twin" else ()),
        *(("--advisory",) if order.advisory else ()),
        *(("--drills",) if order.drills else ()),
    )
    return Child(
        "core",
        argv,
        ready_timeout_s=30.0,
        ping_timeout_s=15.0,
        significant=True,
        stop_timeout_s=CORE_STOPS_WITHIN_S,
        on_give_up=_safe_state(order, begin, broker, state),
        quiet_s=DRILLED_QUIET_S if order.drills else QUIET_S,
        nice=COMES_FIRST,
        env={**THRIFTY, **HASTY},
    )


def _safe_state(order: Order, begin: Origin, broker: Broker, state: Path) -> tuple[str, ...]:
    """What makes the devices safe when the core will not come up."""
    return (
        *_program("pems_actors.safe_state"),
        *("--state", str(state), "--broker", str(broker)),
        *(_clock(order, begin) if order.house == "twin" else ()),
    )


def _program(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def _clock(order: Order, begin: Origin) -> tuple[str, ...]:
    return (
        *("--speed", f"{order.speed!r}"),
        *("--origin-wall", f"{begin.wall_s!r}", "--origin-house", f"{begin.house_s!r}"),
    )


def _world(order: Order) -> tuple[str, ...]:
    return ("--seed", str(order.seed), "--weather-shift-k", f"{order.weather_shift_k!r}")
