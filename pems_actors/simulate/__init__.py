"""Stories of the whole appliance on virtual time.

`story.py` says what to tell, `performance.py` plays it before any plant with all that breaks,
`simulation.py` before the twin.
"""

from pems_actors.simulate.performance import KILL, Performance
from pems_actors.simulate.simulation import Observer, Result, Simulation
from pems_actors.simulate.story import (
    FAULTS_PER_DAY,
    VIRTUAL_HEARTBEAT_S,
    VIRTUAL_PUBLISH_S,
    Story,
    places_of,
    strikes_of,
    without_planner,
)

__all__ = [
    "FAULTS_PER_DAY",
    "KILL",
    "VIRTUAL_HEARTBEAT_S",
    "VIRTUAL_PUBLISH_S",
    "Observer",
    "Performance",
    "Result",
    "Simulation",
    "Story",
    "places_of",
    "strikes_of",
    "without_planner",
]
