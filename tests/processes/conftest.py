"""Houses for one file of tests; after it nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes.houses import Houses


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    made = Houses(tmp_path_factory.mktemp("houses"))
    yield made
    made.end()
