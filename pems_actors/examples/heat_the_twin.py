"""Six winter hours of a simulated flat under our control; put a function of your own for `step`."""

from pems_actors.cosimulation import CoSimulation, TwinPlant

flat, controller = TwinPlant("flat3", "2023-01-16T00:00:00Z"), CoSimulation("flat3")
for _ in range(24):
    flat.live(controller.step(flat.observation()), minutes=15)
print(flat.figures())
