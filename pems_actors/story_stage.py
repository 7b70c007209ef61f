"""Virtual time on which faults can be played: a clock that can be wrong, a solver that can fail.

True time is the runtime's process time, by which the twin lives. House time, which the appliance
reads, is ahead of it by `ahead_s`. Decides nothing about when what goes wrong.
"""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any

from pems_actors.domain.plan import Plan, PlanRefused
from pems_actors.simulation.troubles import Trouble, Troubles
from supervision.clock import ClockLook
from supervision.runtimes.virtual import VirtualRuntime
from supervision.worker_spec import WorkerDone, WorkerFailed, WorkerSpec, over_deadline

if TYPE_CHECKING:
    from supervision.life import Life

PLANNER = "planning/planner"
SLOW_S = 15.0
DIES_AFTER_S = 1.0
ABSURD_KW = 99.0


class StoryRuntime(VirtualRuntime):
    """A virtual runtime on which the house clock can jump and the solver's answers go astray."""

    def __init__(self, seed: int, start_s: float, troubles: Troubles) -> None:
        super().__init__(seed, start_s)
        self.troubles = troubles
        self.ahead_s = 0.0
        self.slept_s = 0.0
        self._specs: dict[str, WorkerSpec] = {}

    def now_s(self) -> float:
        """House time [s], as the core's clock shows it."""
        return self._now_s + self.ahead_s

    def clocks(self) -> ClockLook:
        """Look at all clocks; like a real one the steady clock does not count a sleep."""
        return ClockLook(self.now_s(), self._now_s - self.slept_s, self.slept_s)

    def sleep(self, seconds: float) -> None:
        """Let the computer be suspended while the house lives on."""
        self.stand_still(seconds)
        self.slept_s += seconds

    def worker(self, life: Life, spec: WorkerSpec) -> Any:
        """Make a worker whose answers may suffer."""
        self._specs[spec.name] = spec
        return super().worker(life, spec)

    def _answer_later(self, life: Life, delay_s: float, message: object) -> None:
        if self.troubles and life.slot.path == PLANNER:
            bent = self._bent(delay_s, message)
            if bent is None:
                return
            delay_s, message = bent
        super()._answer_later(life, delay_s, message)

    def _bent(self, delay_s: float, message: object) -> tuple[float, object] | None:
        """Let the solver's answer suffer what is wrong with it; None: it never comes."""
        if not isinstance(message, WorkerDone):
            return delay_s, message
        on, ticket, worker = self.troubles.on, message.ticket, message.worker
        if on(Trouble.SOLVER_LOST):
            return None
        if on(Trouble.SOLVER_LATE):
            spec = self._specs[worker]
            return spec.deadline_s, over_deadline(spec, ticket, spec.deadline_s)
        if on(Trouble.SOLVER_CRASH):
            told = "its process died (signal 11)"
            return DIES_AFTER_S, WorkerFailed(worker, ticket, told, "crash", DIES_AFTER_S)
        answer = _spoilt(message.result, self.troubles)
        late_s = SLOW_S if on(Trouble.SOLVER_SLOW) else delay_s
        return late_s, replace(message, result=answer, took_s=late_s)


def _spoilt(answer: object, troubles: Troubles) -> object:
    if not isinstance(answer, Plan):
        return answer
    if troubles.on(Trouble.SOLVER_REFUSES):
        return PlanRefused("no sound point was found", answer.issued_at_s)
    if troubles.on(Trouble.SOLVER_NAN):
        slots = (
            replace(s, battery_kw=nan, soc_frac=nan, heat_kw=dict.fromkeys(s.heat_kw, nan))
            for s in answer.slots
        )
        return replace(answer, slots=tuple(slots))
    if troubles.on(Trouble.SOLVER_ABSURD):
        slots = (
            replace(s, battery_kw=-ABSURD_KW, relays=dict.fromkeys(s.relays, True))
            for s in answer.slots
        )
        return replace(answer, slots=tuple(slots))
    return answer
