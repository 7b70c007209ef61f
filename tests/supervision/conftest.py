"""Worlds for the tests of supervision; after each of them no actor is left alive."""

from functools import partial

import pykka
import pytest
from kit import World

from supervision import ThreadRuntime, VirtualRuntime

PATIENCE_S = 20.0


@pytest.fixture
def world():
    """A world in virtual time."""
    before = pykka.ActorRegistry.get_all()
    world = World(VirtualRuntime(seed=1))
    yield world
    world.system.stop()
    assert pykka.ActorRegistry.get_all() == before


@pytest.fixture
def real_world():
    """A world on real threads; who asks there has patience, for the machine may be busy."""
    before = pykka.ActorRegistry.get_all()
    world = World(ThreadRuntime())
    world.system.ask = partial(world.system.ask, timeout_s=PATIENCE_S)
    yield world
    world.system.stop(timeout_s=PATIENCE_S)
    assert pykka.ActorRegistry.get_all() == before
