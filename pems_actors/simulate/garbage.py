"""Garbage, looked for rarely: a tenth of the time of a simulation goes to finding none.

What is loaded stays for ever, and nearly all that a day makes is let go of by itself.
"""

from __future__ import annotations

import gc

OBJECTS = 50_000  # between two looks at the youngest; Python's own choice is 700


def rarely() -> None:
    """Let what is loaded be, and look at the rest less often, in this process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, 20, 100)
