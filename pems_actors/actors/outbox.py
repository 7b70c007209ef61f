"""The outbox: carries finished rows from the local store to InfluxDB, when there is one."""

from __future__ import annotations

from typing import Any, Protocol

from pems_actors.actors.base import HouseActor
from pems_actors.domain.events import Tick
from supervision import Context, Health

LOOK_EVERY_S = 10.0


class Exporter(Protocol):
    """Sends what waits; never loses a row that was not acknowledged."""

    def run_once(self) -> str | None:
        """Send one batch; returns what is wrong in a sentence, or None if all is well."""

    def close(self) -> None:
        """Let go of the connection."""


class OutboxActor(HouseActor):
    """Tries every few seconds; a database that is away costs nothing but disk."""

    def __init__(self, context: Context, exporter: Exporter | None) -> None:
        super().__init__(context)
        self.exporter = exporter

    def on_start(self) -> None:
        """Begin to look, or say that there is nowhere to send to."""
        if self.exporter is None:
            self.health(Health.RUNNING, "no InfluxDB configured; all rows stay in the local store")
        else:
            self.after(LOOK_EVERY_S, Tick(), process=True)

    def on_stop(self) -> None:
        """Let go of the connection."""
        if self.exporter is not None:
            self.exporter.close()

    def on_receive(self, message: object) -> Any:
        """Look for rows at each tick."""
        if not isinstance(message, Tick) or self.exporter is None:
            return super().on_receive(message)
        self.after(LOOK_EVERY_S, Tick(), process=True)
        problem = self.exporter.run_once()
        self.health(Health.DEGRADED if problem else Health.RUNNING, problem or "rows sent")
        return None
