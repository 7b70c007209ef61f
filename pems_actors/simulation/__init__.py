"""The twin: a house of equations that can stand in for the real one.

`scenario` is the world outside (weather, prices, base load), `truth` the house as it really is,
which differs from what the planner believes, `twin` both in motion, `twin_house` the twin behind
the door that a real house has. The twin shares the planner's equations, never its parameters.

Everything here is seeded: the same house, scenario and seed give the same minutes.
"""
