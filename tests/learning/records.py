"""Records of errors made by hand, for tests of trust."""

from __future__ import annotations

from collections.abc import Sequence

from pems_actors.domain.units import HOUR_S
from pems_actors.learning.life.card import HorizonError, ModelCard, Source
from pems_actors.learning.life.champion import Ledger
from pems_actors.learning.life.contest import Score
from pems_actors.learning.life.trust import Standing

BEGAN_S = 1_700_006_400.0
SIX_H = 6 * HOUR_S


def at(days: float) -> float:
    return BEGAN_S + days * 24 * HOUR_S


def scores(
    errors: Sequence[float],
    floors: Sequence[float] | float = 1.0,
    inside: float = 0.8,
    recipe: str = "ridge",
    **others: float,
) -> tuple[Score, ...]:
    """One score every six hours from the beginning on."""
    told = [floors] * len(errors) if isinstance(floors, int | float) else list(floors)
    return tuple(
        Score(
            at(k / 4), at(k / 4), 96, {recipe: error, "persistence": floor, **others},
            {recipe: inside, "persistence": 0.0, **dict.fromkeys(others, inside)},
        )
        for k, (error, floor) in enumerate(zip(errors, told, strict=True))
    )  # fmt: skip


def now_after(record: Sequence[Score]) -> float:
    """When the last of them is known."""
    return record[-1].issued_at_s + 24 * HOUR_S


def card(recipe: str = "ridge", number: int = 1, mae: float = 0.5, **more: float) -> ModelCard:
    error = HorizonError("0-24 h", 96, mae, mae, 1.0, 0.8, **more)
    return ModelCard(
        "load", recipe, number, BEGAN_S, Source(960, at(-10), BEGAN_S, 900.0), (error,)
    )


def ledger(record: Sequence[Score] = (), *standings: Standing, champion: str = "") -> Ledger:
    return Ledger("load", tuple(record), {each.recipe: each for each in standings}, champion)
