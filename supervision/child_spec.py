"""Children as data: what to start, when to restart it, what to do when restarting does not help.

Pure and frozen; every wrong value is refused at once with a sentence. Knows no actor and no thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from supervision.errors import SpecError


class Restart(Enum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"  # always
    TRANSIENT = "transient"  # only after a failure
    TEMPORARY = "temporary"  # never, not even with its siblings; its spec is then forgotten


class Strategy(Enum):
    """Who is restarted together with a failed child."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"
    DYNAMIC = "dynamic"  # many children added at run time, stopped all at once


class AutoShutdown(Enum):
    """Whether a supervisor ends itself when its significant children have ended."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class Policy(Enum):
    """What a mailbox does with a message type."""

    FIFO = "fifo"  # in order; the oldest is dropped when the bound is reached
    LATEST = "latest"  # the newest per key wins, in the place of the older one
    REJECT = "reject"  # refused when the bound is reached
    SAFETY = "safety"  # before everything else, never dropped


@dataclass(frozen=True, slots=True)
class MailboxSpec:
    """Bound of the data lane, and the policy of each message type that is not FIFO."""

    bound: int = 1000
    policies: Mapping[type, Policy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a mailbox that can hold nothing."""
        if self.bound < 1:
            raise SpecError(f"mailbox bound is {self.bound}; give at least 1, usually 1000")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays between restarts: none at first, then growing, back to none after a quiet time."""

    first_s: float = 0.1
    max_s: float = 30.0
    factor: float = 2.0
    jitter_frac: float = 0.2
    quiet_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse delays that shrink or jitter that could turn a delay negative."""
        if not 0.0 <= self.first_s <= self.max_s:
            raise SpecError(f"backoff {self.first_s} to {self.max_s} s must rise from 0 or more")
        if self.factor < 1.0 or not 0.0 <= self.jitter_frac < 1.0 or self.quiet_s < 0.0:
            raise SpecError("backoff needs factor >= 1, jitter_frac in [0, 1) and quiet_s >= 0")


@dataclass(frozen=True, slots=True)
class Escalate:
    """When restarting does not help: the supervisor ends too and its parent decides."""


@dataclass(frozen=True, slots=True)
class Park:
    """When restarting does not help: rest in state `fallback`, try again every `retry_s`."""

    retry_s: float = 300.0

    def __post_init__(self) -> None:
        """Refuse a retry that never waits."""
        if self.retry_s <= 0.0:
            raise SpecError(f"park retry is {self.retry_s} s; give more than 0, usually 300")


WhenExhausted = Escalate | Park

# A context goes in, an actor comes out. `Any`: this file must not know the actor's class.
Factory = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One actor: how to make it and how to look after it.

    shutdown_s: patience when stopping; None = infinite, 0 = cut off at once.
    deadline_s: busy longer than this on one message means hung; None = never.
    """

    name: str
    factory: Factory
    restart: Restart = Restart.PERMANENT
    significant: bool = False
    shutdown_s: float | None = 2.0
    deadline_s: float | None = 2.0
    mailbox: MailboxSpec = field(default_factory=MailboxSpec)
    backoff: Backoff = field(default_factory=Backoff)
    intensity: int = 5
    period_s: float = 60.0
    when_exhausted: WhenExhausted = field(default_factory=Escalate)
    args: tuple[object, ...] | Mapping[str, object] = ()

    def __post_init__(self) -> None:
        """Refuse an impossible child, naming it."""
        _check_common(self)
        if not callable(self.factory):
            raise SpecError(
                f"child {self.name!r}: factory {self.factory!r} is not callable; "
                "write `lambda context: MyActor(context)`"
            )
        if self.deadline_s is not None and self.deadline_s <= 0.0:
            raise SpecError(f"child {self.name!r}: deadline_s must be above 0, or None for never")


@dataclass(frozen=True, slots=True)
class SupervisorSpec:
    """A branch of the tree; itself a child of the branch above."""

    name: str
    strategy: Strategy = Strategy.ONE_FOR_ONE
    children: tuple[ChildSpec | SupervisorSpec, ...] = ()
    intensity: int = 5
    period_s: float = 60.0
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    when_exhausted: WhenExhausted = field(default_factory=Escalate)
    restart: Restart = Restart.PERMANENT
    significant: bool = False
    shutdown_s: float | None = None
    backoff: Backoff = field(default_factory=Backoff)
    deadline_s: float | None = 10.0

    def __post_init__(self) -> None:
        """Refuse an impossible branch, naming it."""
        _check_common(self)
        _check_children(self)


AnySpec = ChildSpec | SupervisorSpec


def _check_common(spec: AnySpec) -> None:
    name = spec.name
    if not isinstance(name, str) or not name or "/" in name:
        raise SpecError(f"name {name!r} must be text without '/', like 'obyvak'")
    for enum_name, kind in (("restart", Restart), ("when_exhausted", (Escalate, Park))):
        if not isinstance(getattr(spec, enum_name), kind):
            raise SpecError(f"child {name!r}: {enum_name} is {getattr(spec, enum_name)!r}")
    if spec.intensity < 0 or spec.period_s <= 0.0:
        raise SpecError(f"child {name!r}: needs intensity >= 0 and period_s > 0, like 5 in 60 s")
    if spec.shutdown_s is not None and spec.shutdown_s < 0.0:
        raise SpecError(f"child {name!r}: shutdown_s must be 0 or more, or None for infinite")
    if spec.significant and spec.restart is Restart.PERMANENT:
        raise SpecError(
            f"child {name!r}: a permanent child never ends, so it cannot be significant; "
            "make it transient or temporary"
        )


def _check_children(spec: SupervisorSpec) -> None:
    if not isinstance(spec.strategy, Strategy) or not isinstance(spec.auto_shutdown, AutoShutdown):
        raise SpecError(f"supervisor {spec.name!r}: strategy or auto_shutdown is not of its kind")
    for child in spec.children:
        check_child_of(spec, child)
    names = [child.name for child in spec.children]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(f"supervisor {spec.name!r}: two children are called {twice[0]!r}")
    if spec.strategy is Strategy.DYNAMIC and len(names) > 1:
        raise SpecError(
            f"supervisor {spec.name!r}: a dynamic supervisor has at most one child spec, its "
            "template; add the others at run time"
        )


def check_child_of(spec: SupervisorSpec, child: object) -> None:
    """Check that `child` may live under `spec`.

    Raises: SpecError if it is no spec, or is significant where nobody would act on it.
    """
    if not isinstance(child, ChildSpec | SupervisorSpec):
        raise SpecError(f"supervisor {spec.name!r}: {child!r} is no ChildSpec or SupervisorSpec")
    if child.significant and spec.auto_shutdown is AutoShutdown.NEVER:
        raise SpecError(
            f"supervisor {spec.name!r}: child {child.name!r} is significant, but auto_shutdown "
            "is never; choose any_significant or all_significant"
        )
