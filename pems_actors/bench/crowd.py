"""Fifty actors that talk to each other: the load under which supervision is measured.

They know nothing of a house. Each tells its neighbour something every 10 ms; on demand one
crashes, or hangs beyond its deadline and then goes on acting as if nobody had replaced it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from supervision import (
    ActorSystem,
    Backoff,
    ChildSpec,
    Context,
    SupervisedActor,
    SupervisorSpec,
    ThreadRuntime,
)

BRANCHES, PER_BRANCH = 5, 10
TALK_EVERY_S = 0.01
DEADLINE_S = 0.3
OFTEN = 1_000_000  # a budget that no measurement exhausts
AT_ONCE = Backoff(quiet_s=0.0)  # every failure is the first one in a quiet time
PATHS = tuple(f"branch{b}/member{m}" for b in range(BRANCHES) for m in range(PER_BRANCH))


@dataclass(frozen=True, slots=True)
class Talk:
    """Time to tell the neighbour something."""


@dataclass(frozen=True, slots=True)
class Word:
    """Something told."""

    number: int


@dataclass(frozen=True, slots=True)
class Crash:
    """Fail at this message."""


@dataclass(frozen=True, slots=True)
class HangAndAct:
    """Be busy beyond the deadline, then act until `late` effects were refused."""

    late: int


@dataclass(frozen=True, slots=True)
class WhichEpoch:
    """Say which life answers."""


@dataclass
class Tally:
    """Effects of lives that were over: those that came through, and those that were refused."""

    accepted: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, accepted: int, refused: int) -> None:
        """Count what one life did after its end."""
        with self.lock:
            self.accepted += accepted
            self.refused += refused


class Member(SupervisedActor):
    """One of fifty."""

    state: int

    def __init__(self, context: Context, neighbour: str, tally: Tally, *, talks: bool) -> None:
        super().__init__(context)
        self.neighbour, self.tally, self.talks = neighbour, tally, talks

    def on_start(self) -> None:
        """Begin to talk."""
        self.state = self.state or 0
        if self.talks:
            self.after(TALK_EVERY_S, Talk(), process=True)

    def on_receive(self, message: object) -> object:
        """Do what a message asks."""
        match message:
            case Talk():
                self.tell(self.neighbour, Word(self.state))
                self.after(TALK_EVERY_S, Talk(), process=True)
            case Word():
                self.state += 1
            case WhichEpoch():
                return self.context.epoch
            case Crash():
                raise RuntimeError("asked to crash")
            case HangAndAct(late=late):
                self._hang_and_act(late)
            case _:
                return super().on_receive(message)
        return None

    def _hang_and_act(self, late: int) -> None:
        """Act from just before the deadline on; every effect after the replacement is late.

        An effect that runs although this life is over, or that is not refused after one was, has
        slipped through the gate.
        """
        gate, epoch = self.context.system.gate, self.context.epoch
        slipped: list[int] = []

        def act() -> None:
            if not gate.is_current(self.path, epoch):
                slipped.append(epoch)

        time.sleep(0.9 * DEADLINE_S)
        refused = through = 0
        give_up_s = time.monotonic() + 10.0
        while refused < late and time.monotonic() < give_up_s:
            if not self.effect(act):
                refused += 1
            elif refused:
                through += 1
        self.tally.add(len(slipped) + through, refused)


def crowd(tally: Tally, *, talks: bool = True) -> SupervisorSpec:
    """Fifty members under five supervisors, each beside the next one's neighbour."""
    branches = tuple(
        SupervisorSpec(
            f"branch{b}",
            children=tuple(_member(b * PER_BRANCH + m, tally, talks) for m in range(PER_BRANCH)),
            intensity=OFTEN,
        )
        for b in range(BRANCHES)
    )
    return SupervisorSpec("root", children=branches, intensity=OFTEN)


def _member(index: int, tally: Tally, talks: bool) -> ChildSpec:
    neighbour = PATHS[(index + PER_BRANCH) % len(PATHS)]  # one in another branch
    factory: Callable[[Context], SupervisedActor] = lambda context: Member(  # noqa: E731 - closes over its neighbour
        context, neighbour, tally, talks=talks
    )
    return ChildSpec(
        PATHS[index].rpartition("/")[2],
        factory,
        backoff=AT_ONCE,
        intensity=OFTEN,
        deadline_s=DEADLINE_S,
    )


def started(tally: Tally, *, talks: bool = True) -> ActorSystem:
    """Start the crowd on threads."""
    system = ActorSystem(ThreadRuntime(seed=1), zombie_budget=OFTEN)
    system.start(crowd(tally, talks=talks))
    return system
