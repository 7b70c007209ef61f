"""One core per state directory, reachable however deep the directory lies, never blocked."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pems_actors.gateways.control_socket import (
    AlreadyRunningError,
    ControlSocket,
    NotRunningError,
    Reply,
    call,
    socket_path,
    stream,
)

PATIENCE_S = 20.0


def done(request: dict[str, Any], reply: Reply) -> None:
    reply({"id": request["id"], "outcome": "done", "result": request.get("args")})


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ControlSocket]]:
    made: list[ControlSocket] = []

    def start(on_request: Callable[..., None] = done, state: Path = tmp_path) -> ControlSocket:
        server = ControlSocket(state)
        made.append(server)
        server.start(on_request)
        return server

    yield start
    for server in made:
        server.release()


def test_a_request_gets_its_answer(serve: Callable[..., ControlSocket], tmp_path: Path) -> None:
    serve()
    answer = call(
        tmp_path, {"id": "1", "path": "house", "verb": "status", "args": {"a": 1}}, PATIENCE_S
    )
    assert answer == {"id": "1", "outcome": "done", "result": {"a": 1}}


def test_an_accepted_line_comes_before_the_final_one(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    def later(request: dict[str, Any], reply: Reply) -> None:
        reply({"id": request["id"], "outcome": "accepted"})
        threading.Timer(0.01, lambda: done(request, reply)).start()

    serve(later)
    outcomes = [line["outcome"] for line in stream(tmp_path, {"id": "x"}, PATIENCE_S)]
    assert outcomes == ["accepted", "done"]


def test_a_watch_streams_until_its_reader_goes_and_then_learns_of_it(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    ended = threading.Event()

    def watch(request: dict[str, Any], reply: Reply) -> None:
        def tell() -> None:
            sent = 0
            while reply({"id": request["id"], "outcome": "update", "n": sent}):
                sent += 1
                ended.wait(0.001)
            ended.set()

        threading.Thread(target=tell).start()

    serve(watch)
    lines = stream(tmp_path, {"id": "w", "verb": "watch"}, PATIENCE_S)
    assert [next(lines)["n"] for _ in range(3)] == [0, 1, 2]
    lines.close()  # type: ignore[attr-defined]  # a generator
    assert ended.wait(PATIENCE_S)


def test_a_very_deep_state_directory_works(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 8)
    server = serve(done, deep)
    assert len(str(server.path)) < 100
    assert call(deep, {"id": "1"}, 2.0)["outcome"] == "done"


def test_the_socket_is_its_owners_alone(serve: Callable[..., ControlSocket]) -> None:
    server = serve()
    assert stat.S_IMODE(server.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600


def test_a_second_core_on_the_same_state_is_refused_with_a_sentence(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    serve()
    with pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}.*--state"):
        ControlSocket(tmp_path)
    assert call(tmp_path, {"id": "1"}, PATIENCE_S)["outcome"] == "done"


def test_two_states_have_two_sockets(serve: Callable[..., ControlSocket], tmp_path: Path) -> None:
    serve(done, tmp_path / "a")
    serve(lambda r, reply: reply({"id": r["id"], "outcome": "failed"}), tmp_path / "b")
    assert call(tmp_path / "a", {}, 2.0)["outcome"] == "done"
    assert call(tmp_path / "b", {}, 2.0)["outcome"] == "failed"


def test_a_dead_cores_socket_is_replaced(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    path = socket_path(tmp_path)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    serve()
    assert call(tmp_path, {}, PATIENCE_S)["outcome"] == "done"


def test_a_server_can_be_started_again_by_its_next_owner(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    server = serve(lambda r, reply: reply({"outcome": "failed"}))
    server.start(done)  # the first owner hangs: its successor takes the requests
    assert call(tmp_path, {}, PATIENCE_S)["outcome"] == "done"
    server.close()
    server.start(done)
    assert call(tmp_path, {}, PATIENCE_S)["outcome"] == "done"


def test_with_nobody_there_the_client_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="pems run"):
        call(tmp_path, {"id": "1"}, 0.5)


def test_a_house_that_does_not_answer_in_time_is_a_timeout(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    serve(lambda request, reply: None)
    with pytest.raises(TimeoutError, match="no answer within"):
        call(tmp_path, {"id": "1"}, 0.05)


def test_a_house_that_stops_in_mid_answer_is_told(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    asked = threading.Event()
    server = serve(lambda request, reply: asked.set())

    def stop() -> None:
        asked.wait(PATIENCE_S)
        server.close()

    threading.Thread(target=stop).start()
    with pytest.raises(NotRunningError, match="stopped"):
        call(tmp_path, {"id": "1"}, PATIENCE_S)


@pytest.mark.parametrize("line", [b"not json", b"[1]", b'{"a": NaN}', b"\xff\xfe", b"x" * 70_000])
def test_nonsense_is_refused_and_the_server_goes_on(
    serve: Callable[..., ControlSocket], tmp_path: Path, line: bytes
) -> None:
    server = serve()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(str(server.path))
        sock.sendall(line + b"\n")
        assert json.loads(sock.makefile().readline())["outcome"] == "rejected"
    assert call(tmp_path, {}, PATIENCE_S)["outcome"] == "done"


def test_a_callback_that_fails_is_an_answer_and_not_the_end(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    def broken(_request: dict[str, Any], _reply: Reply) -> None:
        raise RuntimeError("mailbox is full")

    server = serve(broken)
    answer = call(tmp_path, {"id": "1"}, PATIENCE_S)
    assert answer["outcome"] == "failed"
    assert "mailbox is full" in answer["reason"]
    assert server.alive()


def test_a_reader_that_never_reads_does_not_hold_the_others_up(
    serve: Callable[..., ControlSocket], tmp_path: Path
) -> None:
    gone = threading.Event()

    def flood(request: dict[str, Any], reply: Reply) -> None:
        if request.get("verb") != "flood":
            done(request, reply)
            return

        def tell() -> None:
            while reply({"outcome": "update", "pad": "x" * 60_000}):
                gone.wait(0.0005)
            gone.set()

        threading.Thread(target=tell).start()

    server = serve(flood)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(server.path))
        sock.sendall(b'{"verb": "flood"}\n')
        assert gone.wait(PATIENCE_S)
        assert call(tmp_path, {}, PATIENCE_S)["outcome"] == "done"
