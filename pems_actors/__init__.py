"""PEMS Actors: the energy brain of an all-electric house.

Read `house.py` first: it turns the configuration and a house into one supervision tree. The
packages below it are the rooms of this building, from the vocabulary upwards:

    domain        the words; these are the messages the actors exchange
    physics       what a room, a battery, an inverter and a roof are
    economics     the only place where money is computed
    control       what a device may do, as pure decisions on frozen values
    estimation    what we believe about states that nobody measures
    forecasting   what we expect of sun, load and prices
    optimisation  the plan: relaxed MPC, relays, battery modes, validation, explanation
    simulation    the twin: a house of equations that can stand in for the real one
    gateways      the outside: MQTT, SQLite, InfluxDB, price and weather feeds
    actors        thin shells: each carries the post of one noun
    cli, bench    the edge: commands and measurements
"""
