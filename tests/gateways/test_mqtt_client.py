"""The connection survives brokers and handlers, never blocks, and loses nothing unknowingly."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings
from pems_actors.gateways.wire import MAX_BYTES, Message
from tests.gateways.brokers import PATIENCE_S, RealBroker, wait

pytestmark = pytest.mark.broker
Make = Callable[..., MqttClient]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    made = RealBroker(tmp_path_factory.mktemp("broker"))
    yield made
    made.kill()


class Heard:
    """Everything that one client heard, as a dictionary of the newest per topic and a list."""

    def __init__(self) -> None:
        self.all: list[Incoming] = []

    def __call__(self, message: Incoming) -> None:
        self.all.append(message)

    def newest(self, topic: str) -> str | None:
        found = [m.payload.decode() for m in self.all if m.topic == topic]
        return found[-1] if found else None


@pytest.fixture
def make(broker: RealBroker, request: pytest.FixtureRequest) -> Iterator[Make]:
    clients: list[MqttClient] = []
    test = str(abs(hash(request.node.nodeid)) % 10**8)

    def one(
        name: str,
        hears: tuple[str, ...] = (),
        on_message: Callable[[Incoming], None] = lambda message: None,
        **changes: object,
    ) -> MqttClient:
        settings = MqttSettings(
            port=broker.port, client_id=f"{name}-{test}", status_topic=f"{test}/{name}/status"
        )
        client = MqttClient(replace(settings, **changes), hears, on_message)  # type: ignore[arg-type]
        clients.append(client)
        return client

    yield one
    for client in clients:
        client.close()


def connected(client: MqttClient) -> MqttClient:
    client.start()
    wait(client.connected, "connection")
    return client


@pytest.mark.parametrize("version", [4, 5])
def test_a_message_arrives_as_it_was_sent(make: Make, version: int) -> None:
    heard = Heard()
    connected(make("ear", (f"v{version}/#",), heard, version=version))
    mouth = connected(make("mouth", version=version))
    assert mouth.publish(Message(f"v{version}/a", "žluť 21.5"))
    wait(lambda: heard.newest(f"v{version}/a") == "žluť 21.5")


def test_a_reply_takes_no_nagle_pause(make: Make) -> None:
    heard = Heard()
    client = connected(make("echo", ("echo/#",), heard))
    took_s = []
    for k in range(20):
        began_s = time.perf_counter()
        client.publish(Message("echo/a", str(k)))
        wait(lambda k=k: heard.newest("echo/a") == str(k))  # type: ignore[misc]  # bound by default
        took_s.append(time.perf_counter() - began_s)
    assert sorted(took_s)[5] < 0.04  # all but a few would wait so long; the machine may be busy


def test_what_was_retained_before_the_first_connection_is_told(make: Make) -> None:
    client, heard = make("early"), Heard()
    client.publish(Message("early/a", "old", retain=True))
    client.publish(Message("early/a", "new", retain=True))
    client.publish(Message("early/b", "kept"))
    connected(make("ear", ("early/#",), heard))
    connected(client)
    wait(lambda: heard.newest("early/b") == "kept")
    assert [m.payload for m in heard.all if m.topic == "early/a"] == [b"new"]


def test_an_order_is_dropped_and_counted_while_there_is_no_connection(make: Make) -> None:
    client = make("late")
    assert not client.publish(Message("late/order", "on"), keep=False)
    assert client.counters["dropped_out"] == 1


def test_a_full_queue_drops_the_oldest_and_counts(make: Make) -> None:
    client, heard = make("full", outbox=3), Heard()
    for k in range(5):
        client.publish(Message(f"full/{k}", "x"))
    assert client.counters["dropped_out"] == 2
    connected(make("ear", ("full/#",), heard))
    connected(client)
    wait(lambda: len(heard.all) == 3)
    assert {m.topic for m in heard.all} == {"full/2", "full/3", "full/4"}


def test_a_broker_that_lost_its_memory_is_told_the_newest_of_everything(
    make: Make, broker: RealBroker
) -> None:
    client = connected(make("state"))
    client.publish(Message("state/a", "1", retain=True))
    client.publish(Message("state/b", "1", retain=True))
    broker.kill()
    wait(lambda: not client.connected())
    client.publish(Message("state/a", "2", retain=True))
    client.publish(Message("state/event", "happened"))
    broker.start()
    heard = Heard()
    connected(make("ear", ("state/#",), heard))
    wait(client.connected, "reconnection")
    wait(lambda: heard.newest("state/a") == "2" and heard.newest("state/b") == "1")
    wait(lambda: client.counters["connects"] == 2)
    assert client.alive()


def test_birth_and_will_tell_if_we_are_there(make: Make) -> None:
    heard = Heard()
    client = make("life")
    topic = client.settings.status_topic
    connected(make("ear", (topic,), heard))
    connected(client)
    wait(lambda: heard.newest(topic) == "online")
    sock = client._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)  # as if the cable were cut
    wait(lambda: "offline" in [m.payload.decode() for m in heard.all])
    wait(lambda: heard.newest(topic) == "online", "birth after the cut")
    client.close()
    wait(lambda: heard.newest(topic) == "offline", "farewell")


def test_a_handler_that_fails_is_counted_and_the_next_message_arrives(make: Make) -> None:
    heard = Heard()

    def fragile(message: Incoming) -> None:
        if message.payload == b"bomb":
            raise RuntimeError("boom")
        heard(message)

    client = connected(make("fragile", ("fragile/#",), fragile))
    client.publish(Message("fragile/a", "bomb"))
    client.publish(Message("fragile/a", "fine"))
    wait(lambda: heard.newest("fragile/a") == "fine")
    assert client.counters["callback_errors"] == 1
    assert "boom" in client.last_error
    assert client.alive()


def test_a_slow_handler_does_not_stop_the_network_and_its_overflow_is_counted(make: Make) -> None:
    go, heard = threading.Event(), Heard()

    def slow(message: Incoming) -> None:
        go.wait(PATIENCE_S)
        heard(message)

    client = connected(make("slow", ("slow/#",), slow, inbox=5))
    for k in range(20):
        client.publish(Message("slow/a", str(k)))
    wait(lambda: client.counters["dropped_in"] >= 14)
    assert client.connected()
    assert not client.alive(stale_s=0.0)
    go.set()
    wait(lambda: heard.newest("slow/a") == "19")
    assert client.alive()


def test_of_a_huge_message_only_as_much_is_heard_as_shows_that_it_is_one(make: Make) -> None:
    heard = Heard()
    client = connected(make("huge", ("huge/#",), heard))
    client.publish(Message("huge/b", "x" * (5 * MAX_BYTES)))
    client.publish(Message("huge/a", "small"))
    wait(lambda: heard.newest("huge/a") == "small")
    assert len(heard.newest("huge/b")) == MAX_BYTES + 1
    assert client.counters["oversize"] == 1


def test_publishing_never_blocks_even_if_the_broker_is_a_black_hole() -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(1)  # accepts, and never says a word
        client = MqttClient(MqttSettings(port=hole.getsockname()[1]), (), lambda message: None)
        client.start()
        began = time.perf_counter()
        for k in range(2000):
            client.publish(Message(f"hole/{k % 7}", "x", retain=k % 2 == 0))
        assert time.perf_counter() - began < 5.0
        assert not client.connected()
        client.close()
