"""The vocabulary of the house: small frozen values that *are* the messages between actors.

Nothing here knows actors, brokers, databases or files. Facts are nouns or past participles
(`RoomReading`, `PlanExpired`), orders are imperatives (`SetHeating`) and carry their reason.

Conventions, written once:
- Instants are `float` seconds since 1970-01-01T00:00Z, named `*_s` with `at`, `start`, `until`
  (`at_s`, `lease_until_s`): cheap to compare and the same on virtual time. Local time and ISO
  strings exist only at the edges (2026-11, measured: a `datetime` per message doubled the cost
  of a simulated day).
- Units are in names: `_kw _kwh _c _k _w_m2 _s _per_kwh`; `soc_frac` and every share is 0..1.
- Power that feeds the house is positive: `grid_kw + battery_kw + pv_kw == load_kw` and
  `load_kw = base_load_kw + heating_kw`. So import and discharge are positive, export and charge
  negative. Other signs are turned at the edge.
- Unknown is `None`, never 0.
"""
