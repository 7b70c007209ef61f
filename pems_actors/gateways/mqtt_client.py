"""One MQTT connection that never blocks its callers, never dies of a callback, and loses knowingly.

Three threads: paho's network thread only hands messages over, one of our own calls the owner's
handlers, another one sends, a few at a time, so that what waits does so in our own bounded queues
(`mqtt_queues`). Our lock is never held across a call into paho: paho calls back with its own lock
held. The newest of every retained topic is told again after every reconnect, because the broker
may have lost its memory. This happens at the first acknowledgement after the connect and not in
`on_connect`: paho sends its unacknowledged old messages in between, and the newest must be the
last. What was lost is in `counters`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from pems_actors.gateways.mqtt_queues import Inbox, Incoming, Outbox
from pems_actors.gateways.wire import MAX_BYTES, Message

__all__ = ["Incoming", "MqttClient", "MqttSettings", "OnLink", "OnMessage"]

LONGEST_TOPIC = 1024
RECONNECT_S = (1, 5)  # back within 10 s of the broker's return, also where a try takes 5 s to fail
WINDOW = 20  # unacknowledged messages: as many as paho itself lets out


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is and who we are there. `status_topic` gets birth and last will.

    largest_bytes: of what is larger only the beginning is heard, one byte too much; counted.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "pems"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    status_topic: str = "pems/status"
    version: int = 4  # 4 is MQTT 3.1.1, 5 is MQTT 5
    inbox: int = 5000
    outbox: int = 1000
    keepalive_s: int = 10
    largest_bytes: int = MAX_BYTES


OnMessage = Callable[[Incoming], None]
OnLink = Callable[[bool], None]  # True: connected and told everything; False: lost


class MqttClient:
    """A connection to one broker.

    `on_message` and `on_link` are called from this object's own thread; an exception in them is
    counted and told by `last_error`, and nothing else happens.
    """

    def __init__(
        self,
        settings: MqttSettings,
        subscriptions: Sequence[str],
        on_message: OnMessage,
        on_link: OnLink | None = None,
    ) -> None:
        self.settings = settings
        self.counters: Counter[str] = Counter()
        self.last_error = ""
        self._subscriptions = tuple(subscriptions)
        self._on_message, self._on_link = on_message, on_link
        self._lock = threading.Lock()
        self._inbox, self._outbox = Inbox(settings.inbox), Outbox(settings.outbox)
        self._arrived = threading.Condition(self._lock)
        self._to_send = threading.Condition(self._lock)
        self._flying: dict[int, bool] = {}  # message id -> keep it when the link is lost
        self._landed: set[int] = set()  # acknowledged before we knew the id
        self._connected = self._settled = self._closing = False
        self._progress_s = time.monotonic()
        self._threads = (
            threading.Thread(target=self._handle_all, name="mqtt-handlers", daemon=True),
            threading.Thread(target=self._send_all, name="mqtt-sender", daemon=True),
        )
        self._client = self._make()

    def _make(self) -> paho.Client:
        settings = self.settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion(settings.version),
            clean_session=None if settings.version == MQTTProtocolVersion.MQTTv5 else True,
        )
        client.suppress_exceptions = True  # the second belt: each callback catches by itself
        client.reconnect_delay_set(*RECONNECT_S)
        client.will_set(settings.status_topic, "offline", qos=1, retain=True)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        client.on_connect, client.on_disconnect = self._connect, self._disconnect
        client.on_message = self._message
        client.on_publish, client.on_subscribe = self._published, self._subscribed
        client.on_socket_open = _no_delay
        return client

    # -- what the owner calls ------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once, whether the broker is there or not."""
        if self._threads[0].ident is not None:
            return
        for thread in self._threads:
            thread.start()
        settings = self.settings
        self._client.connect_async(settings.host, settings.port, keepalive=settings.keepalive_s)
        self._client.loop_start()

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Send a message, or keep it for the next connection. Never blocks.

        A retained message is kept as the newest of its topic, another one in a bounded queue;
        with `keep=False` it is dropped while there is no connection (an order must not be late).
        Returns: False if it was dropped.
        """
        with self._lock:
            if not (self._settled or keep or message.retain):
                self.counters["dropped_out"] += 1
                return False
            self.counters["dropped_out"] += self._outbox.put(message, keep=keep)
            self._to_send.notify()
            return True

    def connected(self) -> bool:
        """Tell if there is a session whose retained messages have all been sent."""
        return self._settled

    def alive(self, stale_s: float = 30.0) -> bool:
        """Tell if all threads live and the handler thread gets on with its messages."""
        network = self._client._thread  # noqa: SLF001 - paho tells nobody that its thread has died
        threads = (*self._threads, network)
        late = bool(self._inbox) and time.monotonic() - self._progress_s > stale_s
        return all(each is not None and each.is_alive() for each in threads) and not late

    def close(self, timeout_s: float = 2.0) -> None:
        """Say offline, disconnect and end all threads within the time given."""
        with self._lock:
            self._closing = True
            self._arrived.notify()
            self._to_send.notify()
        self._join(timeout_s / 4)
        if self._client.is_connected():  # the broker's will is silent about who says good-bye
            farewell = self._client.publish(self.settings.status_topic, "offline", 1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                farewell.wait_for_publish(timeout_s / 2)
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()  # noqa: SLF001 - paho leaves its wake-up sockets open
        with self._lock:
            self._settled = False  # a broker that no longer answers must not hold the sender
            self._to_send.notify()

    def _join(self, timeout_s: float) -> None:
        """Let our threads end; the sender first sends what still waits."""
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(timeout_s)

    # -- paho's thread: hand over and return ---------------------------------------------------

    def _connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _p: Any) -> None:
        with self._contained("on_connect"):
            if reason.is_failure:
                self.last_error = f"the broker refused the connection: {reason}"
                self.counters["refused"] += 1
                return
            self._connected = True
            self.counters["connects"] += 1
            for topic in self._subscriptions:
                client.subscribe(topic, qos=1)
            client.publish(self.settings.status_topic, "online", qos=1, retain=True)

    def _subscribed(self, *_args: Any) -> None:
        with self._contained("on_subscribe"), self._lock:
            self._settle()

    def _published(self, _client: paho.Client, _data: Any, mid: int, *_args: Any) -> None:
        with self._contained("on_publish"), self._lock:
            if self._flying.pop(mid, None) is None:
                self._landed.add(mid)
            self._settle()
            self._to_send.notify()

    def _settle(self) -> None:
        """Tell everything once the first answer shows that paho has sent its old messages."""
        if self._settled or not self._connected:
            return
        self._settled = True
        self._outbox.tell_all()
        self._to_send.notify()
        self._inbox.link(up=True)
        self._arrived.notify()

    def _disconnect(self, *_args: Any) -> None:
        with self._contained("on_disconnect"):
            with self._lock:
                was_settled, self._settled, self._connected = self._settled, False, False
                self.counters["disconnects"] += 1
                late = [mid for mid, keep in self._flying.items() if not keep]
                self._flying = {mid: keep for mid, keep in self._flying.items() if keep}
                self._landed.clear()
                self.counters["dropped_out"] += self._outbox.drop_orders() + len(late)
                if was_settled:
                    self._inbox.link(up=False)
                    self._arrived.notify()
                self._to_send.notify()
            self._forget(late)

    def _forget(self, mids: Sequence[int]) -> None:
        """Take back what paho would send again after a reconnect: an order must not be late."""
        with self._client._out_message_mutex:  # noqa: SLF001 - paho offers no way to take it back
            for mid in mids:
                self._client._out_messages.pop(mid, None)  # noqa: SLF001

    def _message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        with self._contained("on_message"):
            most = self.settings.largest_bytes
            endless = len(message.topic) > LONGEST_TOPIC
            self.counters["oversize"] += endless or len(message.payload) > most
            if endless:
                return
            payload = bytes(message.payload[: most + 1])  # enough to be refused with an answer
            arrival = Incoming(message.topic, payload, bool(message.retain))
            with self._lock:
                self.counters["dropped_in"] += self._inbox.put(arrival)
                self._arrived.notify()

    @contextlib.contextmanager
    def _contained(self, where: str) -> Any:
        """Keep an error out of paho's thread: it would end it while all looks connected."""
        try:
            yield
        except Exception as error:
            self.counters["callback_errors"] += 1
            self.last_error = f"{where}: {type(error).__name__}: {error}"[:300]

    # -- our own threads: the owner's handlers, and the sender ---------------------------------

    def _handle_all(self) -> None:
        while True:
            with self._lock:
                while not self._inbox and not self._closing:
                    self._arrived.wait()
                if self._closing:
                    return
                arrival = self._inbox.take()
            self._progress_s = time.monotonic()
            with self._contained("handler"):
                self._deliver(arrival)
            self._progress_s = time.monotonic()

    def _send_all(self) -> None:
        while True:
            with self._lock:
                while not self._may_send():
                    if self._closing and not (self._settled and self._outbox):
                        return
                    self._to_send.wait()
                message, keep = self._outbox.take()
            with self._contained("sender"):
                self._send(message, keep=keep)

    def _may_send(self) -> bool:
        return self._settled and bool(self._outbox) and len(self._flying) < WINDOW

    def _send(self, message: Message, *, keep: bool) -> None:
        info = self._client.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain
        )
        cut_off = info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS and not (cut_off and message.qos and keep):
            self.counters["dropped_out"] += 1
            self._forget([info.mid])
            return
        self.counters["sent"] += 1
        with self._lock:
            lost = not (self._settled or keep)  # the link was lost in between
            if message.qos and not lost and info.mid not in self._landed:
                self._flying[info.mid] = keep
            self._landed.discard(info.mid)
        if lost:
            self._forget([info.mid])

    def _deliver(self, arrival: Incoming | bool) -> None:
        if isinstance(arrival, Incoming):
            self.counters["received"] += 1
            self._on_message(arrival)
        elif self._on_link is not None:
            self._on_link(arrival)


def _no_delay(_client: paho.Client, _data: Any, sock: Any) -> None:
    """Switch Nagle off: with delayed acknowledgements it makes a reply 88 ms instead of 0.3."""
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
