"""The rooms in `pems models`: their versions, how far each is trusted, and what it still lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pems_actors.domain.units import DAY_S

if TYPE_CHECKING:
    from pems_actors.learning.life.champion import Ledger
    from pems_actors.learning.life.store import ModelStore
    from pems_actors.learning.life.trust import Standing


def rooms_of(store: ModelStore) -> tuple[list[dict[str, Any]], str]:
    """List the rooms that are being learned, and what is wrong with their record."""
    from pems_actors.learning.life.champion import ledgers_from  # noqa: PLC0415
    from pems_actors.learning.life.store import ROOMS_LEDGER  # noqa: PLC0415

    plain, wrong = store.ledger(ROOMS_LEDGER)
    ledgers = ledgers_from(plain, sorted(plain))
    found = [(ledger, each) for ledger in ledgers.values() for each in ledger.standings.values()]
    return [_room(ledger, standing) for ledger, standing in found], wrong


def _room(ledger: Ledger, standing: Standing) -> dict[str, Any]:
    from pems_actors.learning.life.contest import HOUSE  # noqa: PLC0415
    from pems_actors.learning.life.trust import evidence, missing  # noqa: PLC0415

    seen = evidence(ledger.scores, standing, float("-inf"), HOUSE)
    now_s = ledger.scores[-1].issued_at_s + DAY_S if ledger.scores else standing.since_s
    return {
        "room": ledger.series.partition("/")[2],
        "version": standing.version,
        "tier": str(standing.tier),
        "serves": ledger.serving is standing,
        "lacks": missing(ledger.scores, standing, now_s),
        "unit": ledger.unit,
        "error": None if seen is None else seen.error,
        "as_configured": None if seen is None else seen.floor,
        "days": 0.0 if seen is None else seen.days,
    }


def use_of(version: str, rooms: Sequence[Mapping[str, Any]]) -> str:
    """Say how many rooms go by a version."""
    own = [room for room in rooms if room["version"] == version]
    serving = sum(room["serves"] for room in own)
    return f"{serving} rooms go by it, {len(own) - serving} watch it" if own else "not in use"


def rooms_table(rooms: Sequence[Mapping[str, Any]]) -> Any:
    """Draw the rooms."""
    from rich.table import Table as Drawn  # noqa: PLC0415 - draws

    drawn = Drawn(box=None, header_style="bold", pad_edge=False)
    for title in ("room", "version", "tier", "24 h ahead", "as configured", "next"):
        drawn.add_column(title, overflow="fold")
    for room in rooms:
        known = room["error"] is not None
        drawn.add_row(
            room["room"],
            room["version"],
            f"{room['tier']}{' · steers' if room['serves'] else ''}",
            f"{room['error']:.2f} {room['unit']} ({room['days']:.0f} d)" if known else "-",
            f"{room['as_configured']:.2f} {room['unit']}" if known else "-",
            room["lacks"],
        )
    return drawn
