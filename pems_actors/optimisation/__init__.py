"""The plan: relaxed MPC, integer relays, battery modes, validation and explanation.

One question in (`PlanningProblem`), one answer out (`Plan` or `PlanRefused`). Read `solver.py`
first, it is the table of contents; then, in the order of the work: `grid` (the problem as arrays),
`thermal` (rooms by their slow modes), `formulation` (the sparse program and its duals), `relays`
(whole switches near in time), `modes` (what the inverter is told), `plan_maker` (what the house
then does), `validator` (a second opinion), `explain` (why).

Only `formulation` needs the solver library, and only the worker process loads it; the validator
and the strategies are light enough for the core.
"""
