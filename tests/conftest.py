"""What all tests share: one test's actors are not the next one's business."""

import gc
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pykka
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

ROOT = Path(__file__).parent.parent

# Bytecode is kept whatever the environment says: the many processes would compile the house anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # equal sums in equal order, however busy the machine

settings.register_profile("laws", deadline=None)  # a law is no race: speed is measured by benches
settings.load_profile("laws")


class Together(LoadGroupScheduling):
    """Keeps together what each worker would make anew.

    The files of one `xdist_group` stay in one worker, and so does each file whose tests share what
    one of them has made.
    pytest-xdist 3.8 reads groups off the ids of tests, where pytest 9.2 has no place for them.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid.partition("::")[0]) or nodeid


@cache
def _group_of(file: str) -> str | None:
    source = (ROOT / file).read_text(encoding="utf-8")
    named = re.search(r'xdist_group\("(.+?)"\)', source)
    shared = re.search(r'scope="module"|^@(lru_)?cache\b', source, re.MULTILINE)
    return named[1] if named else file if shared else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect no garbage where there is none: it is a third of the time of a collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)  # simulations make no circles: a tenth of their time
        gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    return Together(config, log)


@pytest.fixture(autouse=True)
def nobody_is_left_in_the_registry():
    """Forget actors of simulations that a test did not tell to the end."""
    yield
    for ref in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(ref)
