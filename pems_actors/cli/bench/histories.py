"""Benches on histories: forecasts and rooms of anyone's data, and a house that learns its own."""

from __future__ import annotations

from typing import Annotated

import typer

from pems_actors.cli.bench.measured import Quick, Strict, measure, several
from pems_actors.cli.options import AsJson

Csv = Annotated[str | None, typer.Option(metavar="FILE", help="A history of your own.")]
TrainUntil = Annotated[str | None, typer.Option(metavar="DATE", help="End of training, exclusive.")]
TestUntil = Annotated[str | None, typer.Option(metavar="DATE", help="End of the test, exclusive.")]
Zone = Annotated[str | None, typer.Option(metavar="ZONE", help="Such as Europe/Prague.")]


def add_to(group: typer.Typer) -> None:
    """Put the benches of this family into `pems bench`."""
    group.command("forecast")(forecast)
    group.command("forecast-house")(forecast_house)
    group.command("rooms")(rooms)
    group.command("learning")(learning)
    group.command("training")(training)


def forecast(
    series: Annotated[
        str | None, typer.Option(metavar="pv|load|price", help="What the column is.")
    ] = None,
    csv: Csv = None,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="The column to forecast.")
    ] = None,
    train_until: TrainUntil = None,
    test_from: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day of the test.")
    ] = None,
    test_until: TestUntil = None,
    site: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Where the roofs stand.")
    ] = None,
    roof: Annotated[
        list[str] | None,
        typer.Option(metavar="KWP,TILT,AZIMUTH", help="A roof; 180 is south. Repeat."),
    ] = None,
    weather: Annotated[
        str | None,
        typer.Option(metavar="temp=COL,ghi=COL", help="Columns taken as forecast."),
    ] = None,
    timezone: Zone = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Day-ahead forecasts of anyone's series beside the forecasts to beat."""
    measure(
        "forecast",
        strict=strict,
        as_json=as_json,
        quick=quick,
        series=series,
        csv=csv,
        column=column,
        train_until=train_until,
        test_from=test_from,
        test_until=test_until,
        site=site,
        roof=tuple(roof) if roof else None,
        weather=weather,
        timezone=timezone,
    )


def forecast_house(
    days: Annotated[float | None, typer.Option(min=30.0, help="Days to train on.")] = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """All predictors trained, and a full forecast of the house timed in its worker."""
    measure("forecast-house", strict=strict, as_json=as_json, quick=quick, days=days)


def rooms(
    csv: Csv = None,
    train_until: TrainUntil = None,
    test_until: TestUntil = None,
    rename: Annotated[
        str | None, typer.Option("--map", metavar="NEW=OLD,…", help="Names of columns.")
    ] = None,
    timezone: Zone = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Rooms identified from anyone's CSV, run free for 24 h, beside their rivals."""
    measure(
        "rooms",
        strict=strict,
        as_json=as_json,
        quick=quick,
        csv=csv,
        train_until=train_until,
        test_until=test_until,
        rename=several(rename),
        timezone=timezone,
    )


def learning(
    days: Annotated[float | None, typer.Option(min=0.1, help="Simulated days.")] = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="No plans: the rooms' own rules heat. Half the time.")
    ] = False,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Two months of a house that begins with an empty history."""
    measure("learning", strict=strict, as_json=as_json, quick=quick, rules=rules, days=days)


def training(
    only: Annotated[
        str | None, typer.Option(metavar="A,B", help="Some of load, pv, price and rooms; else all.")
    ] = None,
    quick: Quick = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """All predictors and rooms trained on two years of quarter hours: time and memory."""
    measure("training", strict=strict, as_json=as_json, quick=quick, only=several(only))
