"""The plan: relaxed MPC, integer relays, battery modes, validation and explanation.

One question in (`PlanningProblem`), one answer out (`Plan` or `PlanRefused`). Read `solver` first,
it is the table of contents; then, in the order of the work:

    outlook               from belief and forecasts to the question
    grid, thermal, worth  the question as arrays, rooms by their modes, what the end is worth
    neighbours            what rooms will feel of each other
    case                  all of these together, before anything is decided
    program, assembly     the sparse linear program, and its numbers
    formulation, relaxed  its solution, and what powers, heat and charge are worth by its duals
    supply, amends        what power near in time costs by its source, and heat given too late
    switching, near, schedule, packing, relays    whole switches near in time
    mode_table, mode_search, modes    what the inverter is told
    shifted               the last plan's prices and promises, moved on in time
    plan_maker, explain   what the house then does and costs, and why
    validator             a second opinion by its own way of computing
    strategies, why       weights with names; reading a plan's reasons out
    quick_start           all of it in three lines, for a small house

Only `formulation` loads the solver library, and only the worker process loads `formulation`;
`outlook`, `validator`, `strategies` and `why` are light enough for the core.
"""

from pems_actors.optimisation.quick_start import Optimized, create_problem, optimize

__all__ = ["Optimized", "create_problem", "optimize"]
