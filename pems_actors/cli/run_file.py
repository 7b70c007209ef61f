"""`STATE/run.json`: what `pems run` started, for the guardian and for the other commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

NAME = "run.json"


@dataclass(frozen=True, slots=True)
class Child:
    """One process of the appliance, as the guardian is to run it.

    After `quiet_s` of readiness the next restart is immediate again. With `nice` below 0 it comes
    before other programs of a busy machine, where that is allowed.
    """

    name: str
    argv: tuple[str, ...]
    ready_timeout_s: float
    ping_timeout_s: float | None
    significant: bool = False
    stop_timeout_s: float = 5.0
    on_give_up: tuple[str, ...] | None = None
    quiet_s: float = 60.0
    nice: int = 0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFile:
    """What runs with a state directory.

    House time is `origin_house_s` when the wall said `origin_wall_s` and passes `speed` times as
    fast. `stop_after_s` is process time, None for ever. Limits are those a drill watches.
    """

    house: str
    speed: float
    config: str
    broker_host: str
    broker_port: int
    own_broker: bool
    origin_wall_s: float
    origin_house_s: float
    timezone: str
    drills: bool
    advisory: bool
    frost_c: float
    ceiling_c: float
    import_kw: float
    stop_after_s: float | None
    children: tuple[Child, ...]

    @property
    def demo(self) -> bool:
        """Whether the house is a simulated one, ours or a plant's."""
        return self.house in {"twin", "cosim"}


def write(state: Path, facts: RunFile) -> Path:
    """Replace the run file of a state directory as a whole. Raises OSError."""
    file, fresh = state / NAME, state / f"{NAME}.new"
    fresh.write_text(json.dumps(asdict(facts), indent=2), encoding="utf-8")
    return fresh.replace(file)


def read(file: Path) -> RunFile:
    """Read a run file. Raises OSError, or ValueError if it is of another version."""
    body = json.loads(file.read_text(encoding="utf-8"))
    try:
        children = tuple(_child(each) for each in body.pop("children"))
        return RunFile(children=children, **body)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"{file} is of another version ({problem}); start pems again") from None


def of_state(state: Path) -> RunFile | None:
    """Read the run file of a state directory; None if there is none that can be read."""
    try:
        return read(state / NAME)
    except (OSError, ValueError):
        return None


def _child(body: dict[str, object]) -> Child:
    lists = {name: tuple(value) for name, value in body.items() if isinstance(value, list)}
    return Child(**{**body, **lists})  # type: ignore[arg-type]  # a wrong one is a TypeError
