"""`pems soak`: seeded stories of the whole appliance with everything breaking, each one judged."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import count, islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pems_actors.cli.options import AsJson
from pems_actors.cli.output import BAD_USAGE, complain, native_noise_apart, refuse, say_json
from pems_actors.domain.units import iso

if TYPE_CHECKING:
    from pems_actors.soak.figures import Sums
    from pems_actors.soak.stories import Tale
    from pems_actors.soak.telling import Told

TOLD_EVERY = 100
TOLD_AT_ONCE = 20
SHOWN = 5
PAIRS = "pairs"


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("soak", rich_help_panel="Measure")(soak)


def soak(
    stories: Annotated[
        int | None, typer.Option(min=1, help="How many stories; of a programme, how many of it.")
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(min=0.01, help="How many days in all; with --stories, how long each one is."),
    ] = None,
    each: Annotated[
        int | None,
        typer.Option(min=1, help="Each fault that can be virtual by itself, over so many seeds."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the first story; each next has the next.")] = 0,
    faults: Annotated[
        str,
        typer.Option(
            help="none, light, heavy, or NAME@TARGET:AFTER_S/LASTS_S,...; "
            "pairs: all pairs of faults, over two seeds each."
        ),
    ] = "light",
    house: Annotated[
        str,
        typer.Option(
            metavar="HOUSE",
            help="Where: a file, or house17, flat3, house6-climate; the shipped ones by turns. "
            "flexible: those with a car and a boiler.",
        ),
    ] = "",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that tell stories.")] = 2,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a law was broken.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell seeded stories of the house and judge each by laws that share nothing with control.

    A story that breaks a law is told again with ever fewer faults; the one command that replays
    the least of them is printed.

    `--stories 10000 --faults heavy` tells ten thousand stories of 2 to 24 hours, `--each 200` every
    fault by itself, `--faults pairs` all pairs of faults, `--stories 1 --days 365` a whole year.
    Keep the JSON of a run under docs/proof, and `pems proof` makes the page of it.
    """
    tales = _tales(stories, days, each, seed, faults, house)
    with native_noise_apart():
        began = time.monotonic()
        sums = _told(tales, None if stories else days, min(workers, stories or workers))
        wall_s = time.monotonic() - began
        replay = _replay(sums)
    figures = sums.figures(wall_s, replay)
    if as_json:
        run = _words(stories, days, each, seed, faults, house)
        say_json({**_report(figures), "run": run, "faults": sums.faults_figures()})
    else:
        print("\n".join((*lines(figures), *broken_lines(sums.failing), *_replay_line(figures))))
    if strict and sums.violations:
        raise typer.Exit(1)


def _words(
    stories: int | None, days: float | None, each: int | None, seed: int, faults: str, house: str
) -> str:
    """Write the command that this run was."""
    given = {"each": each, "stories": stories, "days": days, "seed": seed}
    options = [f"--{name} {value:g}" for name, value in given.items() if value is not None]
    options += [f"--house {shlex.quote(house)}"] if house else []
    return " ".join(("pems soak", *options, *([] if each else [f"--faults {faults}"])))


def _tales(
    stories: int | None, days: float | None, each: int | None, seed: int, faults: str, house: str
) -> Iterable[Tale]:
    """List the stories that are wanted. Raises: Refusal for words that cannot be read."""
    from pems_actors.soak import programmes  # noqa: PLC0415 - loads everything
    from pems_actors.soak.stories import Tale  # noqa: PLC0415

    if each is not None or faults == PAIRS:
        if days is not None or (each is not None and faults == PAIRS):
            refuse("give --each, or --faults pairs, or --days: each is a run of its own", BAD_USAGE)
        _check(Tale(seed, "none", house=house))
        told = (
            programmes.pairs(seed, house=house)
            if each is None
            else programmes.each(seed, each, house)
        )
        return islice(told, stories)
    _check(Tale(seed, faults, house=house))
    if stories is not None:
        return (Tale(seed + k, faults, days, house) for k in range(stories))
    seeds = range(seed, seed + TOLD_EVERY) if days is None else count(seed)
    return (Tale(own, faults, house=house) for own in seeds)


def _check(tale: Tale) -> None:
    """Refuse faults and houses that cannot be read."""
    from config import ConfigError  # noqa: PLC0415
    from pems_actors.simulate import strikes_of  # noqa: PLC0415
    from pems_actors.soak.stories import plot_of  # noqa: PLC0415

    try:
        strikes_of(plot_of(tale).story)
    except (ValueError, ConfigError) as problem:
        refuse(str(problem), BAD_USAGE)


def _told(tales: Iterable[Tale], days: float | None, workers: int) -> Sums:
    """Tell stories until they or the days are over, and say now and then how far it is."""
    from pems_actors.soak.crew import tell_all  # noqa: PLC0415
    from pems_actors.soak.figures import Sums  # noqa: PLC0415

    sums = Sums()
    telling: Iterator[tuple[int, Told]] = tell_all(tales, workers)
    for worker, told in telling:
        sums.add(worker, told)
        if told.violations and len(sums.failing) <= TOLD_AT_ONCE:
            complain("\n".join(broken_lines([told])))
        if sums.stories % TOLD_EVERY == 0:
            said = f"{sums.stories} stories, {sums.days:.0f} days, {sums.violations} violations"
            print(f"pems: {said}", file=sys.stderr, flush=True)
        if days is not None and sums.days >= days:
            break
    telling.close()  # type: ignore[attr-defined]  # a generator: lets the workers go
    return sums


def _replay(sums: Sums) -> str:
    """Find the one command that replays the first failing story with the least faults."""
    from pems_actors.soak.figures import shrunk  # noqa: PLC0415

    if not sums.failing:
        return ""
    first = min(sums.failing, key=lambda told: told.strikes)
    return shrunk(first).replay


def _report(figures: Mapping[str, object]) -> dict[str, Any]:
    from pems_actors.bench.report import Target, report  # noqa: PLC0415

    targets = {"violations": Target("<=", 0.0)}
    if isinstance(figures["rss_slope_mb_per_day"], float):
        targets["rss_slope_mb_per_day"] = Target("<=", 1.0)
    return report("soak", figures, targets)


def lines(figures: Mapping[str, object]) -> list[str]:
    """Tell the figures in words."""

    def known(name: str, unit: str) -> str:
        value = figures.get(name)
        return "unknown" if value is None else f"{value} {unit}".rstrip()

    return [
        f"{figures['stories']} stories, {figures['days']} days, in {figures['wall_s']} s",
        f"broken      {figures['faults']} faults, {figures['incidents']} incidents",
        f"mended      {figures['restarts']} restarts of actors",
        f"noticed     within {known('detect_s_p99', 's')} (p99)",
        f"well again  after {known('recover_s_p99', 's')} (p99)",
        f"comfort     {figures['cold_kh']} Kh too cold, all rooms and stories together",
        f"memory      {known('rss_slope_mb_per_day', 'MB')} per simulated day",
        f"violations  {figures['violations']} in {figures['failing_stories']} stories",
    ]


def _replay_line(figures: Mapping[str, object]) -> list[str]:
    return [f"least that fails: {figures['replay']}"] if figures["replay"] else []


def broken_lines(failing: list[Told]) -> list[str]:
    """Tell which laws were broken, and how to see it again."""
    told = []
    for each in failing[:SHOWN]:
        first = each.violations[0]
        told.append(f"  {first.invariant}: {first.detail}, at {iso(first.at_s)}")
        told.append(f"    {each.written_out.replay}")
    if len(failing) > SHOWN:
        told.append(f"  and {len(failing) - SHOWN} stories more")
    return told
