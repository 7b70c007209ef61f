"""How a feed from outside does: what it lacks, and why as far as it says."""

from __future__ import annotations

from pems_actors.actors.base import HouseActor
from supervision import Health


def feed_health(actor: HouseActor, source: object, lacking: str, well: str) -> None:
    """Tell the health of the actor of a feed.

    Args:
        source: where it comes from; one that keeps the last answer says in `last_error` why there
            is no newer one.
        lacking: what is wrong with what is known; empty if nothing is.    well: what to say then.
    """
    error = getattr(source, "last_error", None)
    cause = f" ({error})" if error and lacking else ""
    actor.health(Health.DEGRADED if lacking else Health.RUNNING, f"{lacking}{cause}" or well)
