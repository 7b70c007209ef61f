"""A connection to the broker for a few seconds: publish and know that it arrived, ask and hear.

For programs that come, do one thing and go. Unlike `mqtt_client` it waits, always with a deadline,
and keeps nothing for later. Knows no topic and no device.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from pems_actors.gateways.mqtt_client import Incoming, MqttSettings
from pems_actors.gateways.wire import MAX_BYTES, Message

KEEPALIVE_S = 10
RETRY_S = 0.25


class BriefLink:
    """Connected and subscribed from `with` to its end.

    Raises: TimeoutError from `with` if that is not so by `due_s` (monotonic), with the reason.
    """

    def __init__(self, settings: MqttSettings, topics: Sequence[str], due_s: float) -> None:
        self._settings, self._topics, self._due_s = settings, tuple(topics), due_s
        self._heard: queue.SimpleQueue[Incoming] = queue.SimpleQueue()
        self._settled = threading.Event()
        self._problem = "no answer"
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=MQTTProtocolVersion(settings.version),
        )
        self._client.suppress_exceptions = True
        self._client.connect_timeout = max(0.1, due_s - time.monotonic())
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._settled.set()
        self._client.on_message = self._message

    def __enter__(self) -> Self:
        """Connect and subscribe."""
        while not self._connect():
            if time.monotonic() + RETRY_S >= self._due_s:
                raise TimeoutError(self._complaint())
            time.sleep(RETRY_S)  # nobody tells when a broker comes back
        self._client.loop_start()
        if not self._settled.wait(max(0.0, self._due_s - time.monotonic())):
            self.__exit__()
            raise TimeoutError(self._complaint())
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye and end the network thread."""
        self._client.disconnect()
        self._client.loop_stop()
        self._client._reset_sockets()  # noqa: SLF001 - paho leaves its wake-up sockets open

    def publish(self, message: Message, within_s: float) -> bool:
        """Send a message; whether the broker has acknowledged it in time."""
        sent = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        with contextlib.suppress(RuntimeError, ValueError):
            sent.wait_for_publish(within_s)
        return sent.is_published()

    def hear(self, within_s: float) -> Incoming | None:
        """Give the next message, None if there is none in time."""
        try:
            return self._heard.get(timeout=max(0.001, within_s))
        except queue.Empty:
            return None

    def _connect(self) -> bool:
        try:
            self._client.connect(self._settings.host, self._settings.port, KEEPALIVE_S)
        except OSError as error:
            self._problem = error.strerror or str(error)
            return False
        return True

    def _complaint(self) -> str:
        where = f"{self._settings.host}:{self._settings.port}"
        return f"the broker at {where} cannot be used ({self._problem})"

    def _connected(
        self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _p: Any
    ) -> None:
        if reason.is_failure:
            self._problem = str(reason)
        elif self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._settled.set()

    def _message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if len(message.payload) <= MAX_BYTES:
            self._heard.put(Incoming(message.topic, bytes(message.payload), bool(message.retain)))
