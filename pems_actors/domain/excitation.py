"""A planned excitation of one room: a set-point that wanders a little, so that it shows what it is.

How such plans are drawn is in `learning/rooms/excitation.py`; here is only what is agreed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Excitation:
    """Shifts of one room's set-point: `shift_k[k]` from `start_s + k · step_s` on."""

    room: str
    start_s: float
    step_s: float
    shift_k: tuple[float, ...]

    def at(self, at_s: float) -> float:
        """Give the shift at an instant; none outside the plan."""
        k = int((at_s - self.start_s) // self.step_s)
        return self.shift_k[k] if 0 <= k < len(self.shift_k) else 0.0

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.start_s + self.step_s * len(self.shift_k)
