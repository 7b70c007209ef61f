"""Start a program fast: `python -m supervision.quick_start MODULE ARGUMENTS...` runs its `main`.

Loading takes most of the time until a big program lives, and a fifth of that goes to the garbage
collector, which looks for waste among classes that stay for ever. So it is off until the program is
loaded, and what was loaded is never looked at again. Knows nothing of the program.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module


def main(argv: list[str]) -> int:
    """Load the module named first and hand the rest to its `main`; gives the exit code."""
    gc.disable()
    program = import_module(argv[0])
    gc.freeze()
    gc.enable()
    return int(program.main(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
