"""One MQTT connection that never blocks its callers, never dies of a callback, and loses knowingly.

Three threads: paho's network thread only hands messages over, one of our own calls the owner's
handlers, another one sends. Our lock is never held across a call into paho: paho calls back with
its own lock held. Retained messages are kept here, newest per topic, and told again after every
reconnect, because the broker may have lost its memory. This happens at the first acknowledgement
after the connect and not in `on_connect`: paho sends its unacknowledged old messages in between,
and the newest must be the last. What was lost is in `counters`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from pems_actors.gateways.wire import MAX_BYTES, Message

KEEPALIVE_S = 10
LONGEST_TOPIC = 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came: bytes of a stranger."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is and who we are there. `status_topic` gets birth and last will."""

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "pems"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    status_topic: str = "pems/status"
    version: int = 4  # 4 is MQTT 3.1.1, 5 is MQTT 5
    inbox: int = 5000
    outbox: int = 1000


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
        self._inbox: deque[Incoming | bool] = deque()
        self._arrived = threading.Condition(self._lock)
        self._retained: dict[str, Message] = {}
        self._outbox: deque[tuple[Message, bool]] = deque()  # (message, keep while disconnected)
        self._to_send = threading.Condition(self._lock)
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
        client.max_queued_messages_set(settings.outbox)
        client.reconnect_delay_set(1, 10)
        client.will_set(settings.status_topic, "offline", qos=1, retain=True)
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        client.on_connect, client.on_disconnect = self._connect, self._disconnect
        client.on_message = self._message
        client.on_publish, client.on_subscribe = self._acknowledged, self._acknowledged
        client.on_socket_open = _no_delay
        return client

    # -- what the owner calls ------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once, whether the broker is there or not."""
        if self._threads[0].ident is not None:
            return
        for thread in self._threads:
            thread.start()
        self._client.connect_async(self.settings.host, self.settings.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Send a message, or keep it for the next connection. Never blocks.

        A retained message is kept as the newest of its topic, another one in a bounded queue;
        with `keep=False` it is dropped while there is no connection (an order must not be late).
        Returns: False if it was dropped.
        """
        with self._lock:
            if message.retain:
                self._retained[message.topic] = message
            if not self._settled and (message.retain or not keep):
                self.counters["dropped_out"] += not message.retain
                return message.retain
            self._outbox.append((message, keep))
            if len(self._outbox) > self.settings.outbox:
                self._outbox.popleft()
                self.counters["dropped_out"] += 1
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
            self._closing, was_settled = True, self._settled
            self._arrived.notify()
            self._to_send.notify()
        self._join(timeout_s / 4)
        if was_settled:
            farewell = self._client.publish(self.settings.status_topic, "offline", 1, retain=True)
            with contextlib.suppress(RuntimeError, ValueError):
                farewell.wait_for_publish(timeout_s / 2)
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()  # noqa: SLF001 - paho leaves its wake-up sockets open

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

    def _acknowledged(self, *_args: Any) -> None:
        """Tell everything once the first answer shows that paho has sent its old messages."""
        with self._contained("on_publish"), self._lock:
            if self._settled or not self._connected:
                return
            self._settled = True
            others = [each for each in self._outbox if not each[0].retain]
            self._outbox = deque([(each, True) for each in self._retained.values()] + others)
            self._to_send.notify()
            self._hand_over(arrival=True)

    def _disconnect(self, *_args: Any) -> None:
        with self._contained("on_disconnect"), self._lock:
            was_settled, self._settled, self._connected = self._settled, False, False
            self.counters["disconnects"] += 1
            kept = deque(each for each in self._outbox if each[1] and not each[0].retain)
            self.counters["dropped_out"] += sum(not keep for _, keep in self._outbox)
            self._outbox = kept
            if was_settled:
                self._hand_over(arrival=False)

    def _message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        with self._contained("on_message"):
            payload = bytes(message.payload)
            if len(payload) > MAX_BYTES or len(message.topic) > LONGEST_TOPIC:
                self.counters["oversize"] += 1
                return
            with self._lock:
                self._hand_over(Incoming(message.topic, payload, bool(message.retain)))

    def _hand_over(self, arrival: Incoming | bool) -> None:
        """Put one arrival before our own thread; the oldest message gives way when it is full."""
        self._inbox.append(arrival)
        if len(self._inbox) > self.settings.inbox:
            self._inbox.popleft()
            self.counters["dropped_in"] += 1
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
                arrival = self._inbox.popleft()
            self._progress_s = time.monotonic()
            with self._contained("handler"):
                self._deliver(arrival)
            self._progress_s = time.monotonic()

    def _send_all(self) -> None:
        while True:
            with self._lock:
                while not (self._outbox and self._settled) and not self._closing:
                    self._to_send.wait()
                if not (self._outbox and self._settled):
                    return
                message, _ = self._outbox.popleft()
            with self._contained("sender"):
                self._send(message)

    def _send(self, message: Message) -> None:
        info = self._client.publish(
            message.topic, message.payload, qos=message.qos, retain=message.retain
        )
        queued_anyway = info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN and message.qos > 0
        sent = info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS or queued_anyway
        self.counters["sent" if sent else "dropped_out"] += 1

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
