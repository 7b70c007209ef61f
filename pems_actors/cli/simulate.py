"""`pems simulate`: days of a whole house in seconds, on virtual time, with faults if wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from pems_actors.cli.options import MOST_SHIFT_K, AsJson, Config
from pems_actors.cli.output import BAD_USAGE, refuse, say_json
from pems_actors.cli.words import LEVELS
from pems_actors.domain.units import DAY_S, seconds, utc

if TYPE_CHECKING:
    from pems_actors.simulate import Result, Simulation, Story

DEFAULT_START = "2023-01-16"
CPU_S_PER_DAY = {"mpc": 15.0, "thermostat": 1.0, "v1": 1.0, "day_ahead": 15.0, "perfect": 15.0}
Controller = Literal["mpc", "thermostat", "v1", "day_ahead", "perfect"]


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("simulate", rich_help_panel="Measure")(simulate)


def simulate(
    days: Annotated[float, typer.Option(min=0.01, max=400, help="How long.")] = 1.0,
    start: Annotated[
        str, typer.Option(metavar="DATE", help="A date, from midnight UTC, or an ISO time.")
    ] = DEFAULT_START,
    controller: Annotated[
        Controller,
        typer.Option(
            help="The planner, the rules alone, the original's v1 rule, one schedule a day, or the "
            "planner with perfect forecasts."
        ),
    ] = "mpc",
    seed: Annotated[int, typer.Option(help="Seed of the world and of the faults.")] = 0,
    faults: Annotated[
        str, typer.Option(help="none, light, heavy, or NAME@PATH,... one an hour.")
    ] = "none",
    weather_shift_k: Annotated[
        float,
        typer.Option(
            min=-MOST_SHIFT_K, max=MOST_SHIFT_K, help="Added to the outdoor temperature [K]."
        ),
    ] = 0.0,
    nameplate: Annotated[
        bool, typer.Option("--nameplate", help="Printed powers of the relays, not effective ones.")
    ] = False,
    log: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all events here.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Simulate the appliance against the twin. Equal seeds give equal figures and logs."""
    story = _story(config, days, _start_s(start), seed, faults, weather_shift_k, nameplate)
    with _opened(log) as file:
        result = _told(story, controller, keep_log=log is not None)
        file.writelines(f"{line}\n" for line in result.lines)
    if as_json:
        say_json(_report(result, controller, days))
    else:
        print("\n".join(lines(result.figures, days)))


def _start_s(text: str) -> float:
    """Read a date or an instant; a date begins at midnight UTC."""
    try:
        return seconds(f"{text}T00:00:00Z" if len(text) == len(DEFAULT_START) else text)
    except ValueError:
        refuse(f"--start {text!r} is no date; write it like {DEFAULT_START}", BAD_USAGE)


def _story(
    config: str | None,
    days: float,
    start_s: float,
    seed: int,
    faults: str,
    weather_shift_k: float,
    nameplate: bool,
) -> Story:
    from pems_actors.blueprint import house_from, tariff_from  # noqa: PLC0415 - loads everything
    from pems_actors.cli.check import loaded_or_refused  # noqa: PLC0415
    from pems_actors.simulate import Story  # noqa: PLC0415

    system = loaded_or_refused(config).system
    return Story(
        house_from(system, nameplate=nameplate),
        tariff_from(system),
        start_s,
        days,
        seed,
        weather_shift_k,
        faults,
    )


@dataclass
class Progress:
    """Tells the end of each simulated day on stderr."""

    start_s: float
    days: float
    told: int = field(default=0)

    def __call__(self, simulation: Simulation) -> None:
        """Look once a tick."""
        gone = (simulation.runtime.now_s() - self.start_s) / DAY_S
        if gone < self.told + 1:
            return
        self.told += 1
        day = utc(self.start_s + (self.told - 1) * DAY_S)
        plans = simulation.mqtt.count("pems/plan")
        said = f"day {self.told} of {self.days:g} is over ({day:%d %b %Y}), {plans} plans so far"
        print(f"pems: {said}", file=sys.stderr, flush=True)


def _told(story: Story, controller: str, *, keep_log: bool) -> Result:
    from pems_actors.bench.other_controllers import OTHERS  # noqa: PLC0415 - loads everything
    from pems_actors.simulate import Simulation, garbage, without_planner  # noqa: PLC0415

    garbage.rarely()
    progress = Progress(story.start_s, story.days)
    try:
        if controller in OTHERS:
            return OTHERS[controller](story, keep_log, progress)
        told = without_planner(story) if controller == "thermostat" else story
        simulation = Simulation(told, keep_log=keep_log)
    except ValueError as problem:  # an unknown fault or target
        refuse(str(problem), BAD_USAGE)
    return simulation.run(progress)


def _opened(log: Path | None) -> TextIO:
    """Open the log before the work begins. Raises: Refusal."""
    try:
        return (log or Path(os.devnull)).open("w", encoding="utf-8")
    except OSError as problem:
        refuse(f"{log} cannot be written ({problem.strerror}); give another --log")


def _report(result: Result, controller: str, days: float) -> dict[str, Any]:
    from pems_actors.bench.report import Target, report  # noqa: PLC0415

    figures = {**result.figures, "controller": controller}
    most_s = CPU_S_PER_DAY[controller] * max(1.0, days)
    return report("simulate", figures, {"wall_s": Target("<=", most_s)})


def lines(figures: Mapping[str, float | int | str], days: float) -> list[str]:
    """Tell the figures in words."""

    def number(name: str) -> float:
        return float(figures.get(name, 0.0))

    levels = ", ".join(
        f"{LEVELS[n]} {number(f'level_h_{n}'):.1f} h" for n in range(5) if number(f"level_h_{n}")
    )
    counts = ", ".join(
        f"{name} {number(key):.0f}"
        for name, key in (("plans", "plans"), ("relay starts", "starts"), ("restarts", "restarts"))
    )
    cold, warm = f"{number('cold_kh'):.1f} Kh too cold", f"{number('warm_kh'):.1f} Kh too warm"
    money = f"{number('cost'):.1f} {figures.get('currency', '')}"
    return [
        f"{days:g} days in {number('wall_s'):.1f} CPU seconds",
        f"cost        {money}, {number('energy_kwh'):.0f} kWh from the grid",
        f"comfort     {cold}, {warm}, all rooms together",
        f"decided by  {levels or 'rules of its own'}",
        f"counted     {counts}",
        f"log         {figures.get('log_sha256')}",
    ]
