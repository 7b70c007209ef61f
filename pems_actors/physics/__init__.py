"""Equations of the house: what things *are*, never what they may or should do.

Rooms (`house_model`, `priors`), battery behind a hybrid inverter (`battery_modes`), sky and roofs
(`sun`, `solar`), phases (`balance`). Everything here is pure and works on the domain's data; twin,
planner, validator and identification share it.

Only `solar` needs pvlib, and imports it inside its functions, so that the core stays small.
"""
