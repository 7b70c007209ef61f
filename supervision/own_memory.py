"""How much memory this process holds. Stdlib only: the small processes ask too."""

from __future__ import annotations

import resource
from pathlib import Path


def rss_mb() -> float | None:
    """Return this process's resident memory [MB], None where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * resource.getpagesize() / 2**20
