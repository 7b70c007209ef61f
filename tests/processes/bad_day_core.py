"""The core, as its guardian starts it, that is not allowed much memory for long."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pems_actors import core
from supervision.leak_watch import MemoryLimits


def main(argv: list[str]) -> int:
    """Run the core; gives its exit code."""
    if Path(os.environ["MEMORY_TROUBLE"]).exists():
        core.MEMORY = MemoryLimits(restart_mb=5.0, lives_s=2.0, every_s=0.5)
    return core.main(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
