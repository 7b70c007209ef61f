"""A plan for two rooms and a battery, six hours ahead."""

from pems_actors.optimisation import create_problem, optimize

plan = optimize(create_problem(rooms=2, hours=6))
print(plan.status, plan.cost, plan.solve_time_s, len(plan.slots))
