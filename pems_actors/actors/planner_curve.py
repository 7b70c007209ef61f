"""The planner's cost-comfort curve in hand: questions that are out, and what came of them.

They have tickets below zero, so that no answer to them is taken for the plan's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pems_actors.domain.events import Request
from pems_actors.domain.plan import Plan, PlanningProblem
from pems_actors.optimisation.curve import CurvePoint, problems_on_curve, told


class CurveInHand(NamedTuple):
    """Who asked for a curve, of which problem, and the plans so far by ticket (None: no plan)."""

    request: Request
    problem: PlanningProblem
    questions: dict[int, tuple[float, PlanningProblem]]
    plans: dict[int, Plan | None]

    @classmethod
    def asked(
        cls, request: Request, problem: PlanningProblem, price_level: float, serial: int
    ) -> CurveInHand:
        """Begin with all questions; `serial` keeps the tickets of one curve from another's."""
        on_curve = problems_on_curve(problem, price_level)
        first = -(serial + 1) * len(on_curve)
        return cls(request, problem, {first + k: each for k, each in enumerate(on_curve)}, {})

    def answered(self, ticket: int, answer: object) -> CurveInHand:
        """Note one answer; what belongs to another curve changes nothing."""
        if ticket not in self.questions:
            return self
        plan = answer if isinstance(answer, Plan) else None
        return self._replace(plans={**self.plans, ticket: plan})

    @property
    def complete(self) -> bool:
        """Whether all questions were answered."""
        return len(self.plans) == len(self.questions)

    def result(self) -> dict[str, Any]:
        """Tell the points that have a plan, the cheapest first as they lie on the curve."""
        points: list[CurvePoint] = [
            told(self.problem, self.questions[ticket][0], plan)
            for ticket, plan in sorted(self.plans.items())
            if plan is not None
        ]
        return {
            "currency": self.problem.currency,
            "points": [{name: round(v, 4) for name, v in p._asdict().items()} for p in points],
        }
