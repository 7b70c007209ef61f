"""One connection per process, whoever owns it: what outlives the actor that uses it."""

from __future__ import annotations

from collections.abc import Sequence

from pems_actors.gateways.mqtt_client import Incoming, MqttClient, MqttSettings, OnMessage
from pems_actors.gateways.wire import Message


class MqttConnector:
    """Gives the one connection of a process to whoever owns it now.

    An actor that hangs is replaced without closing its link; a second client of the same name
    would throw the first out, for ever and in turns. So the connection stays and the handler is
    exchanged; it ends only when its present owner closes it.
    """

    def __init__(self, settings: MqttSettings, subscriptions: Sequence[str]) -> None:
        self._settings, self._subscriptions = settings, tuple(subscriptions)
        self._client: MqttClient | None = None
        self._owner: OwnedLink | None = None

    def connect(self, on_message: OnMessage) -> OwnedLink:
        """Give the connection a new owner."""
        if self._client is None:
            self._client = MqttClient(self._settings, self._subscriptions, self._deliver)
        self._owner = OwnedLink(self, self._client, on_message)
        return self._owner

    def _deliver(self, message: Incoming) -> None:
        if self._owner is not None:
            self._owner.on_message(message)

    def let_go(self, link: OwnedLink) -> None:
        """Close the connection if `link` is still its owner's."""
        if link is self._owner and self._client is not None:
            client, self._client, self._owner = self._client, None, None
            client.close()


class OwnedLink:
    """The connection as one owner sees it."""

    def __init__(self, connector: MqttConnector, client: MqttClient, on_message: OnMessage) -> None:
        self._connector, self._client, self.on_message = connector, client, on_message

    def start(self) -> None:
        """Begin to connect, unless that has happened already."""
        self._client.start()

    def publish(self, message: Message, *, keep: bool = True) -> bool:
        """Hand a message over; False if it was dropped."""
        return self._client.publish(message, keep=keep)

    def connected(self) -> bool:
        """Tell if the broker is there."""
        return self._client.connected()

    def alive(self) -> bool:
        """Tell if the connection's threads get on with their work."""
        return self._client.alive()

    def close(self) -> None:
        """Let go of the connection; if somebody else owns it by now, nothing happens."""
        self._connector.let_go(self)
