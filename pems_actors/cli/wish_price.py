"""`pems tell rooms/ROOM ... --price`: what a wish would cost, before it is done.

The running house tells where its plan leads the room and what heat and power are worth on the way;
the configuration tells what the room is. Here both are put together; nothing is ordered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pems_actors.cli import house_line, run_file
from pems_actors.cli.output import BAD_USAGE, refuse
from pems_actors.cli.words import clock, figure
from pems_actors.domain.units import iso, seconds

if TYPE_CHECKING:
    from pems_actors.control.wish_price import PricedPath
    from pems_actors.control.wishes import Override
    from pems_actors.domain.house import House, Room

PRICED = ("override", "boost", "away")


def priced(folder: Path, path: str, verb: str, args: Mapping[str, object]) -> dict[str, Any]:
    """Price a wish.

    Returns: `{room, temp_c, until, cost, currency, extra_kwh, left_kwh, reached_at, short_k}`.
    Raises: Refusal where a wish has no price, cannot be taken, or nobody can be asked.
    """
    kind, _, name = path.partition("/")
    if kind != "rooms" or verb not in PRICED:
        refuse(f"{verb} of {path} has no price; priced are {', '.join(PRICED)} of a room", 2)
    house = _house(folder)
    room = next((room for room in house.rooms if room.name == name), None)
    if room is None:
        refuse(f"there is no room {name!r}; `pems status` lists what there is", BAD_USAGE)
    told = house_line.result(folder, "explain", {"subject": name})
    led, relay = told.get("path"), house.relay_of(name)
    if led and relay is not None and relay.name != name:  # heat comes from another room's relay
        others = house_line.result(folder, "explain", {"subject": relay.name})["path"]
        told["path"] = {**led, "heat_kw": others["heat_kw"]}
    now_s = seconds(told["time"])
    wish = _wish(house, room, verb, args, now_s)
    return {
        "room": name,
        "currency": told.get("currency"),
        **_price(house, room, wish, told, now_s),
    }


def words(told: Mapping[str, Any], local: tzinfo) -> list[str]:
    """Tell a price in three lines."""
    cost, money = float(told["cost"]), told.get("currency") or ""
    does = "costs about" if cost >= 0.0 else "saves about"
    until = clock(told["until"], local)
    reached = told.get("reached_at")
    gets = (
        f"reached at {clock(reached, local)}"
        if reached
        else f"not reached by then: {figure(told['short_k'], 1)} K are missing"
    )
    extra, left = float(told["extra_kwh"]), float(told["left_kwh"])
    more = "more" if extra >= 0.0 else "less"
    outlast = f"{figure(abs(left), 1)} kWh of it outlast the wish"
    wish = f"{told['room']} at {figure(told['temp_c'], 1)} °C until {until}"
    return [
        f"{wish} {does} {figure(abs(cost), 2)} {money}; {gets}",
        f"{figure(abs(extra), 1)} kWh {more} heat, {outlast}",
        "nothing has been ordered; leave --price out to do it",
    ]


def _house(folder: Path) -> House:
    """Load the house that runs, or the one that is configured."""
    from pems_actors.blueprint import house_from  # noqa: PLC0415 - loads everything
    from pems_actors.cli.check import loaded_or_refused  # noqa: PLC0415

    facts = run_file.of_state(folder)
    return house_from(loaded_or_refused(None if facts is None else facts.config).system)


def _wish(
    house: House, room: Room, verb: str, args: Mapping[str, object], now_s: float
) -> Override:
    """Read the wish as the room itself would. Raises: Refusal."""
    from pems_actors.actors.room_orders import answered  # noqa: PLC0415
    from pems_actors.domain.events import Request  # noqa: PLC0415
    from pems_actors.gateways.orders import check_order  # noqa: PLC0415
    from pems_actors.gateways.wire import Rejected  # noqa: PLC0415
    from pems_actors.house import room_facts  # noqa: PLC0415

    path = f"rooms/{room.name}"
    checked = check_order(path, verb, args, frozenset({path}))
    if isinstance(checked, Rejected):
        refuse(checked.reason, BAD_USAGE)
    asked = Request("price", path, verb, checked, "", now_s)
    answer = answered(asked, room_facts(house, room), now_s)
    if answer.wish is None:
        refuse(answer.reason, BAD_USAGE)
    return answer.wish


def _price(
    house: House, room: Room, wish: Override, told: Mapping[str, Any], now_s: float
) -> dict[str, Any]:
    from pems_actors.control.wish_price import price_of_wish  # noqa: PLC0415
    from pems_actors.physics.house_model import HouseDynamics  # noqa: PLC0415

    relay = house.relay_of(room.name)
    share = 0.0 if relay is None else dict(relay.members)[room.name]
    power_kw = 0.0 if relay is None else relay.power_kw * share
    try:
        price = price_of_wish(
            HouseDynamics(house.model), room.name, power_kw, _path(told, share), wish.temp_c,
            now_s, wish.until_s,
        )  # fmt: skip
    except ValueError as problem:
        refuse(str(problem))
    return {
        "temp_c": wish.temp_c,
        "until": iso(wish.until_s),
        "cost": round(price.cost, 3),
        "extra_kwh": round(price.extra_kwh, 3),
        "left_kwh": round(price.left_kwh, 3),
        "reached_at": None if price.reached_s is None else iso(price.reached_s),
        "short_k": None if price.short_k is None else round(price.short_k, 2),
    }


def _path(told: Mapping[str, Any], share: float) -> PricedPath:
    """Read where the plan leads the room. Raises: Refusal where it leads nowhere."""
    from pems_actors.control.wish_price import PricedPath  # noqa: PLC0415

    path = told.get("path")
    if not path:
        refuse("the plan in force leads this room nowhere, so a wish for it has no price yet")
    heat = [float(price) for price in path["heat_per_kwh"]]
    power = [
        heat[k] if price is None else float(price) for k, price in enumerate(path["power_per_kwh"])
    ]
    starts = tuple(seconds(text) for text in path["start"])
    return PricedPath(
        starts,
        tuple(map(float, path["temp_c"])),
        tuple(heat),
        tuple(power),
        tuple(share * float(kw or 0.0) for kw in path["heat_kw"]),
        tuple(map(bool, path["blocked"])),
    )
