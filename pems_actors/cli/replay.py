"""`pems replay`: a recorded day of the history through the same actors, with faults if wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pems_actors.cli.options import AsJson, Config, State, state_dir
from pems_actors.cli.output import BAD_USAGE, native_noise_apart, refuse, say_json
from pems_actors.domain.units import DAY_S, seconds

if TYPE_CHECKING:
    from pathlib import Path

    from pems_actors.simulate.story import Story

HISTORY_FILE = "history.sqlite"
LONGEST_DAYS = 31.0
WHOLE_FRAC = 0.99


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("replay", rich_help_panel="Measure")(replay)


def replay(
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="A date (from midnight UTC) or ISO time.")
    ],
    end: Annotated[
        str, typer.Option("--to", metavar="TIME", help="A date (to midnight UTC) or ISO time.")
    ],
    faults: Annotated[
        str, typer.Option(help="none, or NAME@TARGET:AFTER_S/LASTS_S,... of actors and links.")
    ] = "none",
    controller: Annotated[
        Literal["mpc", "thermostat"],
        typer.Option(help="The planner, on the twin's weather and prices; or the rules alone."),
    ] = "thermostat",
    seed: Annotated[int, typer.Option(help="Seed of the order of messages, and of the twin.")] = 0,
    config: Config = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Decide a recorded span anew, on what was seen then, and compare with what was done."""
    story = _story(start, end, faults, controller, seed, config)
    file = state_dir(state) / HISTORY_FILE
    if not file.exists():
        refuse(f"there is no history at {file}; give the --state of a house that has run")
    with native_noise_apart():
        figures = _replayed(story, file)
    if as_json:
        say_json({"name": "replay", "figures": figures})
    else:
        print("\n".join(lines(figures)))


def _story(
    start: str, end: str, faults: str, controller: str, seed: int, config: str | None
) -> Story:
    from pems_actors.blueprint import house_from, tariff_from  # noqa: PLC0415 - loads everything
    from pems_actors.cli.check import loaded_or_refused  # noqa: PLC0415
    from pems_actors.simulate import Story, without_planner  # noqa: PLC0415

    start_s, end_s = _instant(start, "--from"), _instant(end, "--to")
    days = (end_s - start_s) / DAY_S
    if not 0.0 < days <= LONGEST_DAYS:
        refuse(f"--to must be after --from, by at most {LONGEST_DAYS:g} days", BAD_USAGE)
    system = loaded_or_refused(config).system
    house, tariff = house_from(system), tariff_from(system)
    story = Story(house, tariff, start_s, days, seed, faults=faults)
    return without_planner(story) if controller == "thermostat" else story


def _instant(text: str, option: str) -> float:
    """Read a date or an instant; a date begins at midnight UTC."""
    try:
        return seconds(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        refuse(f"{option} {text!r} is no time; write 2026-01-15 or 2026-01-15T06:00Z", BAD_USAGE)


def _replayed(story: Story, file: Path) -> Mapping[str, float | int | str | None]:
    from pems_actors.gateways.sqlite_store import SqliteStore  # noqa: PLC0415
    from pems_actors.simulate.replay import Replay  # noqa: PLC0415
    from pems_actors.simulation.scenario import Scenario  # noqa: PLC0415

    scenario = Scenario.reference(story.house, story.start_s, story.days, seed=story.seed)
    store = SqliteStore(file)
    try:
        return Replay(story, store, scenario, scenario).run()
    except ValueError as problem:  # nothing recorded, or a fault that there is not
        refuse(str(problem), BAD_USAGE)
    finally:
        store.close()


def lines(figures: Mapping[str, float | int | str | None]) -> list[str]:
    """Tell the figures in words."""

    def share(name: str) -> str:
        value = figures[name]
        return "nothing to compare" if value is None else f"{100.0 * float(value):.1f} %"

    told = [
        f"{figures['hours']} hours decided anew in {figures['wall_s']} CPU seconds",
        f"relays      {share('relays_equal_frac')} of {figures['compared']} looks as recorded",
        f"battery     {share('battery_equal_frac')} of the time in the recorded mode",
    ]
    if float(figures["recorded_frac"] or 0.0) < WHOLE_FRAC:
        known = share("recorded_frac")
        told.insert(1, f"recorded    {known} of the time; the rest was decided without a picture")
    if figures["least_alike"] is not None:
        told.append(f"least alike {figures['least_alike']}, {share('least_alike_frac')}")
    if figures["faults"]:
        told.append(f"broken      {figures['faults']} faults, {figures['restarts']} restarts")
    return told
