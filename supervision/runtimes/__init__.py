"""Where actors live: on threads (production) or in virtual time (tests, simulation).

Both keep the same promises to actors and supervisors; `Runtime` lists what the rest of the package
asks of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from supervision.child_spec import Policy
    from supervision.clock import ClockLook
    from supervision.directory import Slot
    from supervision.future import Reply
    from supervision.life import Life
    from supervision.mailbox import Mailbox
    from supervision.system import ActorSystem


class Runtime(Protocol):
    """What a runtime does for the tree."""

    rng: random.Random

    @property
    def now_s(self) -> Callable[[], float]:
        """House time [s since the epoch, UTC]."""

    @property
    def process_s(self) -> Callable[[], float]:
        """Process time [s], monotonic."""

    def clocks(self) -> ClockLook:
        """Look at all clocks at once."""

    def bind(self, system: ActorSystem) -> None:
        """Serve this system."""

    def mailbox(self, lanes: Mapping[type, Policy], bound: int) -> Mailbox:
        """Make a mailbox."""

    def post(self, slot: Slot, message: object, reply: Reply | None = None) -> bool:
        """Put a message into a slot's mailbox and wake its reader; False if it was not taken."""

    def launch(self, life: Life) -> None:
        """Let a life begin."""

    def arm(
        self, life: Life, key: Hashable, delay_s: float, message: object, *, process: bool
    ) -> None:
        """Arm the one timer of this key."""

    def call_later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Call something quick after a delay in process time."""

    def watch(self, life: Life) -> None:
        """Look at a busy life when its deadline is over."""

    def stall(self, life: Life, seconds: float, *, burn: bool) -> None:
        """Make the message being handled take long."""

    def worker(self, life: Life, spec: Any) -> Any:
        """Start a worker whose answers go to this life."""

    def wait(self, reply: Reply, timeout_s: float | None) -> Any:
        """Wait for a reply from outside the tree; raises pykka.Timeout."""

    def inside_actor(self) -> bool:
        """Whether the caller is an actor."""

    def is_zombie(self, life: Life) -> bool:
        """Whether a life is still at something."""

    def mind_zombie(self, life: Life) -> None:
        """Watch a life that was cut off while it was busy."""

    def stack(self, life: Life) -> str:
        """Where a hung life stands, as text; empty if that is unknown."""

    def let_through(self, error: BaseException) -> None:
        """Raise what must not be contained here."""

    def close(self) -> None:
        """End timers."""
