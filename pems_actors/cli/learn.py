"""`pems train`: learn from anyone's CSV, or from what the house has recorded."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pems_actors.cli.options import AsJson, Config, State, state_dir
from pems_actors.cli.output import BAD_USAGE, native_noise_apart, refuse, say_json

if TYPE_CHECKING:
    from pems_actors.domain.house import House
    from pems_actors.gateways.sqlite_store import SqliteStore
    from pems_actors.learning.life.jobs import Place, Trained
    from pems_actors.learning.life.store import ModelStore
    from pems_actors.learning.tables.table import Table

HISTORY_FILE, MODELS_FOLDER = "history.sqlite", "models"
STORE = "store"
Trainable = Literal["pv", "load", "price", "rooms"]
Learnable = Literal["pv", "load", "price"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What to learn from, where it was measured, and where the models are kept."""

    source: str
    renamed: Mapping[str, str]
    timezone: str
    place: Place
    house: House
    folder: Path
    out: Path | None = None


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    app.command("train", rich_help_panel="Learn")(train)


def train(
    name: Annotated[Trainable | None, typer.Argument(help="What; all by default.")] = None,
    source: Annotated[
        str, typer.Option("--from", metavar="CSV|store", help="A file, or the house's own history.")
    ] = STORE,
    column: Annotated[
        str | None, typer.Option(help="CSV: the column to learn; its usual name by default.")
    ] = None,
    renamed: Annotated[
        str | None, typer.Option("--map", metavar="NEW=OLD,…", help="CSV: names of columns.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="CSV: of its times; the house's by default.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="CSV of pv: where its roofs stand.")
    ] = None,
    roof: Annotated[
        list[str] | None,
        typer.Option(metavar="KWP,TILT,AZIMUTH", help="CSV of pv: a roof; 180 is south. Repeat."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="rooms: write a `house_model` for the configuration."),
    ] = None,
    config: Config = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Train models and keep them in the registry; a running house lets them earn its trust."""
    if source == STORE and (column or renamed or timezone or site or roof):
        refuse("column, map, timezone, site and roof tell of a CSV; give --from FILE", BAD_USAGE)
    if source != STORE and name is None:
        refuse("say what a CSV is about: pems train load --from FILE", BAD_USAGE)
    if source != STORE and not Path(source).is_file():
        refuse(f"there is no file {source}; give a CSV, or `--from store`", BAD_USAGE)
    if out is not None and name != "rooms":
        refuse("only rooms are written to a file: pems train rooms --out FILE", BAD_USAGE)
    names: tuple[Trainable, ...] = (name,) if name else ("load", "pv", "price")
    house = _house(config)
    lesson = Lesson(
        source=source,
        renamed=_renamed(renamed, name, column),
        timezone=timezone or house.site.timezone,
        place=_place(house, site, roof or (), timezone),
        house=house,
        folder=state_dir(state),
        out=out,
    )
    with native_noise_apart():
        told = [_trained(each, lesson) for each in names]
    if as_json:
        say_json(told[0] if name else {"trained": told})
    else:
        print("\n".join(line for each in told for line in _training_lines(each)))
    if not any(each["models"] for each in told):
        raise typer.Exit(1)


def _trained(name: Trainable, lesson: Lesson) -> dict[str, Any]:
    from pems_actors.learning.life.store import ModelStore  # noqa: PLC0415

    began_s, store = time.process_time(), ModelStore(lesson.folder / MODELS_FOLDER)
    try:
        if name == "rooms":
            done = _trained_rooms(lesson, store)
        else:
            done = _trained_series(name, lesson, store)
    except (ValueError, OSError) as problem:
        return {"series": name, "models": [], "said": [str(problem)], "cpu_s": 0.0}
    return {
        "series": done.series,
        "models": [{"version": card.version, **card.plain()} for card in done.cards],
        "said": list(done.said),
        "cpu_s": round(time.process_time() - began_s, 2),
    }


def _trained_series(name: Learnable, lesson: Lesson, store: ModelStore) -> Trained:
    from pems_actors.learning.life.training import train_on  # noqa: PLC0415 - loads everything

    table = _read(name, lesson) if lesson.source != STORE else _recorded(name, lesson)
    return train_on(table, name, lesson.place, store, table.index[-1].timestamp())


def _trained_rooms(lesson: Lesson, store: ModelStore) -> Trained:
    from pems_actors.cli.learn_rooms import (  # noqa: PLC0415 - loads everything
        trained_from_csv,
        trained_from_history,
        write_model,
    )

    if lesson.source != STORE:
        file, zone = Path(lesson.source), lesson.timezone
        done = trained_from_csv(file, lesson.house, store, zone, lesson.renamed)
    else:
        done = trained_from_history(opened(lesson.folder), lesson.house, store)
    if lesson.out is None:
        return done
    return replace(done, said=(*done.said, write_model(store, done, lesson.out)))


def _read(name: Learnable, lesson: Lesson) -> Table:
    """Read a CSV; its other columns count where they are weather.

    Raises: ValueError in a sentence if it is no table.
    """
    from pems_actors.learning.life.columns import known_part  # noqa: PLC0415
    from pems_actors.learning.life.jobs import TARGETS, WEATHER  # noqa: PLC0415
    from pems_actors.learning.life.past import WITH_WEATHER  # noqa: PLC0415
    from pems_actors.learning.tables.reading import read_csv  # noqa: PLC0415

    table = read_csv(
        lesson.source,
        TARGETS[name],
        timezone=lesson.timezone,
        rename=lesson.renamed,
        kind=name,
        only=WEATHER if name in WITH_WEATHER else (),
    )
    return known_part(table)


def _recorded(name: Learnable, lesson: Lesson) -> Table:
    """Read what the house has recorded.

    Raises: ValueError in a sentence if it has nothing.
    """
    from pems_actors.actors.learner_past import whole_of  # noqa: PLC0415
    from pems_actors.learning.life.columns import known_part, table_of  # noqa: PLC0415
    from pems_actors.learning.life.jobs import TARGETS  # noqa: PLC0415

    columns = whole_of(opened(lesson.folder), name)
    if columns is None:
        raise ValueError(f"{name}: the history has nothing to learn from yet; let the house run")
    return known_part(table_of(columns, TARGETS[name], lesson.timezone))


def opened(folder: Path) -> SqliteStore:
    """Open the history of a house. Raises: Refusal if there is none."""
    from pems_actors.gateways.sqlite_store import SqliteStore  # noqa: PLC0415

    file = folder / HISTORY_FILE
    if not file.exists():
        refuse(f"there is no history at {file}; give the --state of a house that has run")
    return SqliteStore(file)


def _house(config: str | None) -> House:
    from pems_actors.blueprint import house_from  # noqa: PLC0415
    from pems_actors.cli.check import loaded_or_refused  # noqa: PLC0415

    return house_from(loaded_or_refused(config).system)


def _place(house: House, site: str | None, roofs: Sequence[str], timezone: str | None) -> Place:
    """Where a CSV was measured: as told, else as the house itself. Raises: Refusal."""
    from pems_actors.bench.forecast_question import (  # noqa: PLC0415
        roof_from,
        site_from,
        zone_from,
    )
    from pems_actors.domain.house import Roof, Site  # noqa: PLC0415
    from pems_actors.learning.life.jobs import Place  # noqa: PLC0415

    try:
        where, planes = site_from(site), [roof_from(text) for text in roofs]
        zone = zone_from(timezone) or house.site.timezone
    except ValueError as problem:
        refuse(str(problem), BAD_USAGE)
    stands = replace(house.site, timezone=zone)
    if where is not None:
        stands = Site(*where, timezone=zone)
    if planes:
        return Place(stands, tuple(Roof(f"roof {k}", *p) for k, p in enumerate(planes, start=1)))
    return Place(stands, house.roofs if where is None else ())


def _renamed(text: str | None, name: str | None, column: str | None) -> dict[str, str]:
    """Read `new=old,…`; `--column` names the target. Raises: Refusal."""
    from pems_actors.learning.life.jobs import TARGETS  # noqa: PLC0415

    renamed = {}
    for pair in text.split(",") if text else ():
        new, equals, old = pair.partition("=")
        if not equals or not new.strip() or not old.strip():
            refuse(f"--map {pair!r} is no pair; write --map temp_c=T_out,ghi_w_m2=sun", BAD_USAGE)
        renamed[new.strip()] = old.strip()
    if column is not None and name is not None and name in TARGETS:
        renamed[TARGETS[name]] = column
    return renamed


def _training_lines(told: Mapping[str, Any]) -> list[str]:
    lines = [f"{told['series']}: {said}" for said in told["said"]]
    for model in told["models"]:
        error = next((e for e in model["errors"] if e["horizon"] == "0-24 h"), None)
        judged = "no days left to judge it by"
        if error is not None:
            judged = (
                f"error {error['mae']:.4g} on unseen days, the floor's {error['floor_mae']:.4g}"
            )
        size = f"{model['source']['rows']} rows"
        lines.append(f"{told['series']}: {model['version']} learned from {size}, {judged}")
    return lines
