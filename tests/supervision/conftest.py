"""Worlds for the tests of supervision; after each of them no actor is left alive."""

import pykka
import pytest
from kit import World

from supervision import ThreadRuntime, VirtualRuntime


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
    """A world on real threads."""
    before = pykka.ActorRegistry.get_all()
    world = World(ThreadRuntime())
    yield world
    world.system.stop(timeout_s=5.0)
    assert pykka.ActorRegistry.get_all() == before
