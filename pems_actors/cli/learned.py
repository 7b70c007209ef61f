"""`pems models`, `forecast`, `features`: what the house has learned, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pems_actors.cli.learn import MODELS_FOLDER, opened
from pems_actors.cli.learned_rooms import rooms_of, rooms_table, use_of
from pems_actors.cli.options import AsJson, State, state_dir
from pems_actors.cli.output import BAD_USAGE, refuse, say_json, show
from pems_actors.cli.times import house_zone
from pems_actors.domain.units import DAY_S, iso

if TYPE_CHECKING:
    from pems_actors.gateways.sqlite_store import SqliteStore
    from pems_actors.learning.life.card import ModelCard
    from pems_actors.learning.life.champion import Ledger

UNITS = {"load": "kW", "pv": "kW", "price": "EUR/MWh", "weather": "°C"}
TRUTH = {"load": "load_kw", "pv": "pv_kw", "price": "price_eur_mwh", "weather": "temp_c"}


def add_to(app: typer.Typer) -> None:
    """Put this family's commands into the program."""
    for command in (models, forecast, features):
        app.command(command.__name__, rich_help_panel="Learn")(command)


def models(as_json: AsJson = False, state: State = None) -> None:
    """List the models: who serves, who is trusted with what, and by which numbers."""
    from pems_actors.learning.life.champion import ledgers_from  # noqa: PLC0415
    from pems_actors.learning.life.store import ModelStore  # noqa: PLC0415

    store = ModelStore(state_dir(state) / MODELS_FOLDER)
    plain, wrong = store.ledger()
    names = sorted({*store.series(), *plain})
    ledgers = ledgers_from(plain, names)
    told, problems = [], [wrong] if wrong else []
    for name in names:
        cards, broken = store.cards(name)
        problems += broken
        told += [_model(card, ledgers[name]) for card in cards]
    rooms, torn = rooms_of(store)
    problems += [torn] if torn else []
    told = [
        {**each, "used": use_of(each["version"], rooms)} if each["series"] == "rooms" else each
        for each in told
    ]
    if as_json:
        say_json({"models": told, "rooms": rooms, "problems": problems})
    elif told:
        show(_models_table(told))
        if rooms:
            show(rooms_table(rooms))
        print("\n".join(problems), end="\n" if problems else "")
    else:
        print(f"no models at {store.folder}; `pems train` makes some, and so does a running house")


def _model(card: ModelCard, ledger: Ledger) -> dict[str, Any]:
    from pems_actors.learning.life.trust import evidence, missing  # noqa: PLC0415

    standing = ledger.standings.get(card.recipe)
    used = standing is not None and standing.version == card.version
    seen = evidence(ledger.scores, standing, float("-inf")) if standing is not None else None
    now_s = ledger.scores[-1].issued_at_s + DAY_S if ledger.scores else card.trained_at_s
    return {
        "series": card.series,
        "version": card.version,
        "tier": str(standing.tier) if used and standing is not None else None,
        "serves": used and ledger.champion == card.recipe,
        "lacks": missing(ledger.scores, standing, now_s) if used and standing is not None else "",
        "trained_at": iso(card.trained_at_s),
        "unit": card.unit,
        "live": None
        if seen is None or not used
        else {"error": seen.error, "floor": seen.floor, "floor_name": seen.floor_name,
              "gain_frac": seen.gain_frac, "inside": seen.inside, "days": seen.days},
        **{key: value for key, value in card.plain().items() if key not in {"series", "number"}},
    }  # fmt: skip


def _models_table(told: Sequence[Mapping[str, Any]]) -> Any:
    from rich.table import Table as Drawn  # noqa: PLC0415 - draws

    drawn = Drawn(box=None, header_style="bold", pad_edge=False)
    for title in ("model", "tier", "learned from", "unseen days", "live", "next"):
        drawn.add_column(title, overflow="fold")
    for model in told:
        source, live, unit = model["source"], model["live"], model["unit"]
        error = next((e for e in model["errors"] if e["horizon"] == "0-24 h"), None)
        drawn.add_row(
            f"{model['series']} {model['version']}",
            model.get("used")
            or f"{model['tier'] or 'not in use'}{' · serves' if model['serves'] else ''}",
            f"{source['rows']} rows, {(source['end_s'] - source['start_s']) / DAY_S:.0f} d, "
            f"{source['gaps']} gaps",
            "-" if error is None else f"{error['mae']:.3g} {unit}, floor {error['floor_mae']:.3g}",
            "-"
            if live is None
            else f"{live['error']:.3g}, {live['floor_name']} "
            f"{live['floor']:.3g} ({100 * live['gain_frac']:+.0f} %, {live['days']:.0f} d)",
            model["lacks"],
        )
    return drawn


def forecast(
    name: Annotated[
        Literal["load", "pv", "price", "weather"], typer.Argument(help="Which forecast.")
    ],
    plot: Annotated[bool, typer.Option("--plot", help="Draw it, with what came true.")] = False,
    as_json: AsJson = False,
    state: State = None,
) -> None:
    """Show the newest forecast that is kept as it was issued, beside what has come true since."""
    from pems_actors.cli.forecast_view import plot as drawn  # noqa: PLC0415

    folder = state_dir(state)
    store = opened(folder)
    found = store.last_record(f"issued.{name}")
    if found is None:
        refuse(f"no forecast of {name} is kept yet; the first is kept as soon as the house runs")
    told = json.loads(found[1])
    if name == "weather":
        told = {**told, "p50": told["temp_c"], "p10": None, "p90": None}
    truth = _truth(store, name, told)
    if as_json:
        say_json({"name": name, "unit": UNITS[name], **told, "truth": truth})
        return
    print(f"{name} as issued at {iso(told['issued_at_s'])} by: {told['source']}")
    if plot:
        print("\n".join(drawn(told, truth, house_zone(folder), UNITS[name])))
    else:
        print("\n".join(_figures(name, told, truth)))


def _truth(store: SqliteStore, name: str, told: Mapping[str, Any]) -> list[float | None]:
    from pems_actors.learning.life.past import kept_as  # noqa: PLC0415

    step_s, start_s, slots = told["step_s"], told["start_s"], len(told["p50"])
    series = "outdoor_c" if name == "weather" else kept_as(TRUTH[name])
    rows = store.range(series, start_s, start_s + slots * step_s, step_s)
    found = {round((at_s - start_s) / step_s): value for at_s, value in rows}
    return [found.get(k) for k in range(slots)]


def _figures(name: str, told: Mapping[str, Any], truth: Sequence[float | None]) -> list[str]:
    """Tell a forecast in six-hour means."""
    unit, step_s = UNITS[name], told["step_s"]
    every = max(1, round(6 * 3600.0 / step_s))
    low, high = told["p10"] or told["p50"], told["p90"] or told["p50"]
    lines = []
    for k in range(0, len(told["p50"]), every):
        part = slice(k, k + every)
        known = [value for value in truth[part] if value is not None]
        means = [sum(values[part]) / len(values[part]) for values in (told["p50"], low, high)]
        came = f"  came true {sum(known) / len(known):.3g}" if known else ""
        band = f"{means[0]:9.3g} {unit}  (P10 {means[1]:.3g}, P90 {means[2]:.3g})"
        lines.append(f"{iso(told['start_s'] + k * step_s)}  {band}{came}")
    return lines


def features(
    family: Annotated[str | None, typer.Argument(help="Only this family.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every feature that a forecast may use, by family, and from when on it is known."""
    from pems_actors.learning.features.registry import CATALOGUE  # noqa: PLC0415 - loads pandas

    found = [
        {"name": each.name, "family": each.family, "about": each.about, "known": each.known}
        for each in CATALOGUE.values()
        if family in {None, each.family}
    ]
    if not found:
        names = sorted({each.family for each in CATALOGUE.values()})
        refuse(f"there is no family {family!r}; there are {', '.join(names)}", BAD_USAGE)
    if as_json:
        say_json({"count": len(found), "features": found})
        return
    before = ""
    for each in sorted(found, key=lambda row: row["family"]):
        if each["family"] != before:
            before = each["family"]
            print(f"\n{before}" if before != found[0]["family"] else before)
        print(f"  {each['name']:<24} {each['known']:<12} {each['about']}")
    print(f"\n{len(found)} features")
