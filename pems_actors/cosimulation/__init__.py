"""Co-simulation: any building simulator can be the house.

    from pems_actors.cosimulation import CoSimulation

    house = CoSimulation("flat3")
    commands = house.step({"seq": 0, "time": "2023-01-16T05:00:00Z",
                           "rooms": {"living": {"temp_c": 20.1, "relay_on": False}}})

The plant owns the time: each observation is one step of 1 to 15 minutes, and a step returns when
the whole appliance is quiet, its new plan included. Equal observations give equal commands.

    observation   what the plant says, checked                    feeds   its prices and weather
    plant         the plant as a house that is read and ordered   answer  what it is told
    stepping      the appliance in step with it                   server  the same over MQTT
    twin_plant    the twin as such a plant, to try a controller
"""

from pems_actors.cosimulation.observation import ObservationError
from pems_actors.cosimulation.stepping import CoSimulation, Doors
from pems_actors.cosimulation.twin_plant import TwinPlant

__all__ = ["CoSimulation", "Doors", "ObservationError", "TwinPlant"]
