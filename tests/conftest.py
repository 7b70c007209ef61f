"""What all tests share: one test's actors are not the next one's business."""

import pykka
import pytest


@pytest.fixture(autouse=True)
def nobody_is_left_in_the_registry():
    """Forget actors of simulations that a test did not tell to the end."""
    yield
    for ref in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(ref)
