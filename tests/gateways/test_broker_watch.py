"""The guardian hears of a broker for as long as that answers, and of nothing else."""

import contextlib
import socket
import threading

import pytest

from pems_actors.gateways import broker_watch
from supervision.guardian_link import GuardianLink

PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(broker_watch, "EVERY_S", 0.01)
    monkeypatch.setattr(broker_watch, "PATIENCE_S", 0.2)


class Broker:
    """Answers so many packets of each connection, and then keeps still, or hangs up."""

    def __init__(self, answers, polite):
        self.answers, self.polite, self.heard = answers, polite, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.tired = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                line, _ = self.listening.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                self._answer(line)

    def _answer(self, line):
        replies = [broker_watch.WELCOME + b"\x00\x00", *[broker_watch.PONG] * 1000]
        for reply in replies[: self.answers]:
            packet = line.recv(100)
            if not packet:
                return
            self.heard.append(packet)
            line.sendall(reply)
        self.tired.set()
        while self.polite and line.recv(100):
            pass


@contextlib.contextmanager
def watched(answers, polite=True):
    broker, (ours, theirs) = Broker(answers, polite), socket.socketpair()
    ours.settimeout(PATIENCE_S)
    link = GuardianLink(theirs)
    watch = threading.Thread(target=broker_watch.watch, args=(broker.port, link), daemon=True)
    watch.start()
    yield broker, ours
    ours.close()
    watch.join(PATIENCE_S)
    assert not watch.is_alive(), "the watch outlives its guardian"
    broker.listening.close()
    link.close()


def heard(ours, lines):
    told = b""
    while told.count(b"\n") < lines:
        told += ours.recv(100)
    return told.split(b"\n")[:-1]


def test_each_answer_of_the_broker_is_a_ping_on_one_connection():
    with watched(answers=1000) as (broker, ours):
        assert set(heard(ours, 3)) == {b"ping"}
    assert broker.heard[0] == broker_watch.greeting()
    assert set(broker.heard[1:]) == {broker_watch.PING}


@pytest.mark.parametrize("answers", [0, 1])
def test_a_broker_that_stands_still_behind_its_open_port_is_not_told_of(answers):
    with watched(answers) as (broker, ours):
        assert broker.tired.wait(PATIENCE_S)
        ours.settimeout(3 * broker_watch.PATIENCE_S)
        with pytest.raises(TimeoutError):
            ours.recv(100)


def test_a_connection_that_breaks_is_made_anew():
    with watched(answers=3, polite=False) as (broker, ours):
        heard(ours, 5)
    assert broker.heard.count(broker_watch.greeting()) > 1
