"""The ladder: who decides about a device just now. A published state, never silent."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """From the best decision to none of ours; lower numbers are better."""

    PLAN = 0  # fresh plan, solved and validated
    LATE = 1  # best feasible plan at the deadline, or a softened problem
    PATH = 2  # the last plan's temperature path with its price of heat
    RULES = 3  # duty from outdoor temperature; battery in self-use
    NATIVE = 4  # the device's own control: our lease ran out
