"""What a device may do: pure decisions on frozen values. No clock, no messages, no I/O.

The order of rules, once and for all (order.py):

    breaker > overheat and floor limit > frost > tariff block > heating cap > relay dwell
            > user > plan > path > rules

Only the first three may break a dwell. Whoever comes later chooses inside what the earlier left.

Decisions:
- 2026-11: below the plan, relays follow a *duty* through a sigma-delta modulator (duty.py) rather
  than fixed 60-minute windows. It has the same period, needs no alignment, and it owes the heat
  that a tariff block or the power budget withheld, up to half an hour.
- 2026-11: the rules never lower a room by more than 0.8 K at night: a slow floor cannot climb 2.5 K
  in the three hours before a step at -10 °C.
- 2026-11: at level 2 heat goes where it is worth its cost (path.py), and the battery keeps to the
  last plan's modes while their prices are known. A duty that always led back to the path, with
  self-use after two hours, kept 27 % of what a planned January day saves, and heated in July.
- 2026-11: rooms keep to their path for 36 h, also beyond the known prices. The rules that followed
  where prices end warmed every room to its set-point at once: over 36 h without a planner that cost
  8 and 22 CZK more on two days in January, 113 and 147 on two in March, for as little cold.
- 2026-11: the battery asks the power budget before the house draws more for it (battery_leave.py).
  A charge that began by itself at the edge of a slot, a minute before the relays that were to make
  room for it went off, was 60 to 180 s over a phase in two January days. A charge that is shed
  rests: in self-use it was empty when its hour came.
"""
