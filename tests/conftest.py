"""What all tests share: one test's actors are not the next one's business."""

import pykka
import pytest
from hypothesis import settings

settings.register_profile("laws", deadline=None)  # a law is no race: speed is measured by benches
settings.load_profile("laws")


@pytest.fixture(autouse=True)
def nobody_is_left_in_the_registry():
    """Forget actors of simulations that a test did not tell to the end."""
    yield
    for ref in pykka.ActorRegistry.get_all():
        pykka.ActorRegistry.unregister(ref)
