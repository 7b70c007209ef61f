"""What a supervisor remembers about one of its children between two messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from supervision.child_spec import AnySpec, Park
from supervision.directory import Slot
from supervision.future import Reply
from supervision.life import Life
from supervision.sequence import Phase


@dataclass(slots=True)
class Child:
    """A child as its supervisor sees it; has the fields of a `sequence.Row`."""

    spec: AnySpec
    slot: Slot
    phase: Phase = Phase.DOWN
    wanted: bool = True  # should run
    must_stop: bool = False  # is to be stopped (and started again if `wanted`)
    waiting: bool = False  # for the end of its delay
    settled: bool = False
    parked: bool = False
    life: Life | None = None
    down_since_s: float | None = None  # process time; None: never ran
    starting: Reply | None = None  # an operator waits for its start
    added_now: bool = False  # and it is forgotten again if that start fails
    stopping: list[Reply] = field(default_factory=list)  # operators who wait for its end

    @property
    def name(self) -> str:
        """Name of the child."""
        return self.spec.name

    @property
    def may_park(self) -> bool:
        """Whether the house can do without this child."""
        return isinstance(self.spec.when_exhausted, Park)

    @property
    def running(self) -> bool:
        """Whether there is a life that was not yet asked to stop."""
        return self.phase in {Phase.STARTING, Phase.UP}
