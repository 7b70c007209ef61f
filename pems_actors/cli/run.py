"""`pems run`: check everything, say what will run and where to look, and become the guardian."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pems_actors.cli import launch, processes
from pems_actors.cli.options import CLONE, MOST_SHIFT_K, Config, State, state_dir
from pems_actors.cli.output import BAD_USAGE, complain, refuse
from pems_actors.cli.run_file import RunFile, write

if TYPE_CHECKING:
    from config import LoadedConfig


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("run", rich_help_panel="Live")(run)


def run(
    house: Annotated[
        Literal["twin", "mqtt", "cosim"],
        typer.Option(help="A simulated house, a real one behind a broker, or an outside plant."),
    ] = "twin",
    speed: Annotated[
        float | None,
        typer.Option(help="House seconds per second, up to 180; 60 for the simulated house."),
    ] = None,
    advisory: Annotated[
        bool, typer.Option("--advisory", help="Decide everything, write nothing to devices.")
    ] = False,
    drills: Annotated[
        bool, typer.Option("--drills", help="Allow `pems drill` to inject faults.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Stop then: house time, or a length of it, like 6h."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="House time at which the simulated house begins."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulated world.")] = 0,
    weather_shift_k: Annotated[
        float,
        typer.Option(
            min=-MOST_SHIFT_K,
            max=MOST_SHIFT_K,
            help="Added to the simulated outdoor temperature [K].",
        ),
    ] = 0.0,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of our own broker.")
    ] = None,
    config: Config = None,
    state: State = None,
) -> None:
    """Run the appliance until Ctrl-C: broker, simulated house if wanted, and core."""
    folder = state_dir(state)
    loaded = _house_to_run(config, folder)
    order = launch.Order(
        house, launch.checked_speed(house, speed), seed, weather_shift_k, advisory, drills
    )
    launch.check_for_plant(order)
    begin = launch.origin(house, folder, start, time.time())
    stop_after_s = launch.stop_after_s(until, begin, order.speed)
    broker = launch.choose_broker(loaded.settings, loaded.sources, house, port)
    lock = launch.take_state(folder)
    facts = _facts(loaded, order, begin, broker, folder, stop_after_s)
    for warning in loaded.warnings:
        complain(f"note: {warning}")
    print(banner(facts, loaded, folder, continued=begin.continued), flush=True)
    _become_guardian(write(folder, facts))
    lock.close()


def _house_to_run(config: str | None, folder: Path) -> LoadedConfig:
    """Load the house. Where nobody is there to mend a broken file, as it was last in force.

    Raises: Refusal with one sentence per problem.
    """
    from config import ConfigError, load_or_last_good  # noqa: PLC0415 - half of a second
    from pems_actors.cli.check import loaded_or_refused  # noqa: PLC0415

    if "NOTIFY_SOCKET" not in os.environ:  # a person started us, and can mend it
        return loaded_or_refused(config)
    try:
        loaded, problems = load_or_last_good(config, folder)
    except ConfigError as error:
        refuse(str(error), BAD_USAGE)
    for problem in problems:
        complain(f"{problem} The last good configuration is in force.")
    return loaded


def _facts(
    loaded: LoadedConfig,
    order: launch.Order,
    begin: launch.Origin,
    broker: launch.Broker,
    state: Path,
    stop_after_s: float | None,
) -> RunFile:
    system = loaded.system
    config = loaded.path.resolve()
    return RunFile(
        house=order.house,
        speed=order.speed,
        config=str(config),
        broker_host=broker.host,
        broker_port=broker.port,
        own_broker=broker.own,
        origin_wall_s=begin.wall_s,
        origin_house_s=begin.house_s,
        timezone=system.system.site.timezone,
        drills=order.drills,
        advisory=order.advisory,
        frost_c=system.limits.frost_c,
        ceiling_c=system.limits.ceiling_c,
        import_kw=system.grid.import_kw,
        stop_after_s=stop_after_s,
        children=processes.children(order, begin, broker, state, config),
    )


def _become_guardian(run_file: Path) -> None:
    """Replace this process; the lock on the state directory goes along."""
    os.environ["PYTHONSAFEPATH"] = "1"  # a stranger's config.py in the working directory
    argv = [sys.executable, "-m", "pems_actors.cli.guard", str(run_file)]
    os.execv(sys.executable, argv)  # noqa: S606 - our own program, no shell wanted


# -- what is said before ---------------------------------------------------------------------------


def banner(facts: RunFile, loaded: LoadedConfig, state: Path, *, continued: bool) -> str:
    """Say what runs, where to look and what to try."""
    own = "our own" if facts.own_broker else "yours"
    lines = [
        f"PEMS Actors: {_house_words(loaded)}",
        "",
        *(f"  {line}" for line in _kind_words(facts, continued=continued)),
        "",
        f"  state   {state}",
        f"  broker  {facts.broker_host}:{facts.broker_port} ({own})",
        "",
        *_advice(facts, loaded, state),
        "",
    ]
    return "\n".join(lines)


def _house_words(loaded: LoadedConfig) -> str:
    system = loaded.system
    heat_kw = sum(relay.power.effective_kw for relay in system.relays.values())
    return (
        f"{system.system.name}, {len(system.rooms)} rooms, {len(system.relays)} relays with "
        f"{heat_kw:.1f} kW, battery {system.battery.capacity_kwh:g} kWh"
    )


def _kind_words(facts: RunFile, *, continued: bool) -> list[str]:
    from pems_actors.cli.words import zone  # noqa: PLC0415
    from pems_actors.domain.units import utc  # noqa: PLC0415

    begin = utc(facts.origin_house_s).astimezone(zone(facts.timezone))
    if facts.house == "cosim":
        words = [
            "This is a CO-SIMULATION: the house is a plant of yours, and nothing real is switched.",
            "Its time is the plant's; each step waits for the appliance, and the other way round.",
        ]
    elif facts.demo:
        does = "goes on" if continued else "begins"
        when = f"{begin:%a %d %b %Y %H:%M} ({facts.timezone})"
        words = [
            "This is a DEMO: the house is simulated and nothing real is switched.",
            f"Its time {does} at {when} and runs {facts.speed:g} times as fast as yours.",
        ]
    else:
        words = ["This is a REAL house. Devices are written to only once they are armed."]
    if facts.advisory:
        words.append("Advisory: everything is decided, nothing is written to any device.")
    return words


def _advice(facts: RunFile, loaded: LoadedConfig, state: Path) -> list[str]:
    pems, room = _program_name(), _a_room(loaded)
    look = [f"{pems} status --watch", f"{pems} plan"]
    if shutil.which("mosquitto_sub"):
        host = "" if facts.broker_host in launch.LOOPBACK else f"-h {facts.broker_host} "
        topics = f"'{loaded.system.topics.prefix}/#'"
        look.append(f"mosquitto_sub {host}-p {facts.broker_port} -t {topics} -v")
    act = [f"{pems} tell rooms/{room} override temp_c=22 for=2h", f"{pems} explain {room}"]
    if facts.house == "cosim":
        plant = f"{sys.executable} -m pems_actors.examples.plant"
        act.insert(0, f"{plant} {facts.broker_host} {facts.broker_port}")
    if facts.drills:
        act.append(f"{pems} drill crash rooms/{room}")
    if not facts.demo or facts.advisory:
        act += [f"{pems} report shadow", f"{pems} arm rooms/{room}"]
    first = [] if state == CLONE / "var" else [f"export PEMS_STATE_DIR={state}"]
    return [
        *_titled("look", [*first, *look]),
        *_titled("try", act),
        *_titled("stop", ["Ctrl-C"]),
    ]


def _titled(title: str, lines: list[str]) -> list[str]:
    return [f"  {title if k == 0 else '':<8}{line}" for k, line in enumerate(lines)]


def _a_room(loaded: LoadedConfig) -> str:
    """Name a room to play with: the living room of the reference house, else the first relay's."""
    return "obyvak" if "obyvak" in loaded.system.rooms else next(iter(loaded.system.relays))


def _program_name() -> str:
    """Name this program the way it can be typed just now."""
    if shutil.which("pems"):
        return "pems"
    beside = Path(sys.executable).with_name("pems")
    if not beside.exists():
        return f"{sys.executable} -m pems_actors"
    here = Path.cwd()
    return str(beside.relative_to(here)) if beside.is_relative_to(here) else str(beside)
