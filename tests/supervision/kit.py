"""Actors and a small world for the tests of supervision: a puppet does what it is told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from supervision import ActorSystem, ChildSpec, Strategy, SupervisedActor, SupervisorSpec


@dataclass(frozen=True)
class Do:
    """Have the puppet run this with itself; what it returns is the reply."""

    act: Callable[[Any], Any]
    content: object = None


@dataclass(frozen=True)
class Note:
    """A fact the puppet remembers in its state."""

    text: object


@dataclass(frozen=True)
class Recall:
    """The puppet replies with its state."""


def fail(message: str = "boom") -> Do:
    """A message that crashes its reader."""
    return Do(lambda _: raise_(ValueError(message)))


def raise_(error: BaseException) -> None:
    raise error


class Puppet(SupervisedActor):
    """Remembers notes in its state and does what `Do` says."""

    state: tuple = ()

    def __init__(self, context, at_start=None, at_stop=None, log=None):
        super().__init__(context)
        self._at_start, self._at_stop = at_start, at_stop
        self.log = log if log is not None else []

    def on_start(self):
        self.log.append(("start", self.path))
        if self._at_start is not None:
            self._at_start(self)

    def on_stop(self):
        self.log.append(("stop", self.path))
        if self._at_stop is not None:
            self._at_stop(self)

    def on_receive(self, message):
        match message:
            case Do(act):
                return act(self)
            case Note(text):
                self.state = (*self.state, text)
            case Recall():
                return self.state
            case _:
                return super().on_receive(message)
        return None


class World:
    """A system with its events; `puppet` makes child specs whose starts and stops are logged."""

    def __init__(self, runtime, **options):
        self.runtime = runtime
        self.events = []
        self.log = []
        self.system = ActorSystem(runtime, on_event=self.events.append, drills=True, **options)

    def puppet(self, name, at_start=None, at_stop=None, **options):
        def factory(context):
            return Puppet(context, at_start, at_stop, self.log)

        return ChildSpec(name, factory, **options)

    def grow(self, *children, strategy=Strategy.ONE_FOR_ONE, **options):
        """Start a root with these children (names become puppets)."""
        specs = tuple(self.puppet(c) if isinstance(c, str) else c for c in children)
        self.system.start(SupervisorSpec("root", strategy, specs, **options))
        return self.system

    def crash(self, *paths):
        for path in paths:
            assert self.system.tell(path, fail())
        self.settle()

    def settle(self):
        self.runtime.run_until_quiet()

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def lines(self):
        return [event.line() for event in self.events]

    @property
    def epochs(self):
        return {status.path: status.epoch for status in self.system.tree()}

    @property
    def states(self):
        return {status.path: status.state for status in self.system.tree()}

    def recall(self, path):
        return self.system.ask(path, Recall())

    def starts(self):
        return [path for what, path in self.log if what == "start"]

    def stops(self):
        return [path for what, path in self.log if what == "stop"]


def branch(name, *children, **options):
    return SupervisorSpec(name, children=tuple(children), **options)


def respecified(spec, **changes):
    return replace(spec, **changes)
