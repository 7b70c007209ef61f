"""What is promised of models here does not hang on the last of their trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import xgboost

MOST_TREES = 40


@pytest.fixture(scope="module", autouse=True)
def fewer_trees() -> Iterator[None]:
    """Grow two fifths of the trees: most of the time of these tests goes into them."""
    grow = xgboost.train

    def grow_fewer(settings: dict[str, Any], data: Any, rounds: int) -> xgboost.Booster:
        return grow(settings, data, min(rounds, MOST_TREES))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xgboost, "train", grow_fewer)
        yield
