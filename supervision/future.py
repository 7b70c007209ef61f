"""The answer to an ask: pykka's future, made safe.

The first answer wins and later ones are ignored, so a dying actor and its supervisor may both
resolve it. On the virtual runtime waiting means turning the virtual clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pykka


class Reply(pykka.ThreadingFuture[Any]):
    """One answer, given once; `get` may pump a runtime that has no threads."""

    def __init__(self) -> None:
        super().__init__()
        self.pump: Callable[[Reply, float | None], None] | None = None

    @property
    def done(self) -> bool:
        """Whether an answer is there."""
        return self._result is not None

    def get(self, *, timeout: float | None = None) -> Any:
        """Wait for the answer; raises pykka.Timeout, or what the other side raised."""
        if self.pump is not None and not self.done:
            self.pump(self, timeout)
            return super().get(timeout=0.0)
        return super().get(timeout=timeout)

    def set(self, value: Any | None = None) -> None:
        """Answer, unless somebody already did."""
        with self._condition:
            if not self.done:
                super().set(value)

    def set_exception(self, exc_info: Any = None) -> None:
        """Answer with an exception (an `exc_info` triple), unless somebody already answered."""
        with self._condition:
            if not self.done:
                super().set_exception(exc_info)

    def refuse(self, error: BaseException) -> None:
        """Answer with this exception."""
        self.set_exception((type(error), error, error.__traceback__))
