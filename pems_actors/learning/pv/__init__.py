"""The PV forecast: physics for the roofs, and what physics misses."""
