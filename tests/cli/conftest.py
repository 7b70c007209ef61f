"""A house that answers at a real control socket, and a way to type commands."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from pems_actors.cli.main import main
from pems_actors.domain.events import Outcome
from pems_actors.gateways.control_socket import ControlSocket
from pems_actors.gateways.payloads import outcome_json
from tests.cli.told import NOON_S

NOT_OURS = ("MQTT_BROKER", "MQTT_PORT", "PEMS_STATE_DIR", "PEMS_CONFIG_PATH")


@dataclass
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Pems = Callable[..., Said]


def drawn(what: RenderableType, width: int = 120) -> str:
    """What a drawing looks like on a terminal without colours."""
    text = StringIO()
    Console(file=text, width=width, no_color=True).print(what)
    return text.getvalue()


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of this machine, a quiet terminal of fixed width, short socket paths."""
    for name in [*NOT_OURS, *(n for n in os.environ if n.startswith("PEMS_"))]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    with tempfile.TemporaryDirectory(prefix="pems-test-", dir="/tmp") as sockets:
        monkeypatch.setenv("XDG_RUNTIME_DIR", sockets)
        yield


@pytest.fixture
def pems(capsys: pytest.CaptureFixture[str]) -> Pems:
    def typed(*args: object) -> Said:
        capsys.readouterr()
        code = main([str(each) for each in args])
        heard = capsys.readouterr()
        assert "Traceback" not in heard.err
        return Said(code, heard.out, heard.err)

    return typed


@dataclass
class CannedHouse:
    """Answers each request by its verb: with a result, or with what a function makes of it."""

    state: Path
    results: dict[str, Any] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, verb: str, reason: str) -> None:
        self.results[verb] = ("rejected", reason)

    def serve(self, request: Mapping[str, Any], reply: Callable[[Mapping[str, Any]], bool]) -> None:
        self.heard.append(dict(request))
        verb = request["verb"]
        told = self.results.get(verb, ("rejected", f"no such order: {verb!r}"))
        if callable(told):
            told = told(request)
        outcome, reason = told if isinstance(told, tuple) else ("done", "")
        result = {} if isinstance(told, tuple) else told
        final = Outcome(request["id"], request["path"], verb, outcome, reason, NOON_S, result)
        reply(outcome_json(final))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[CannedHouse]:
    canned = CannedHouse(tmp_path / "state")
    server = ControlSocket(canned.state)
    server.start(canned.serve)
    yield canned
    server.release()
