"""The history's post: rows and records in, a committed store out. Control never waits for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pems_actors.actors.base import HouseActor, Record, Samples
from pems_actors.domain.events import Tick
from pems_actors.domain.ports import History
from supervision import Context, Health

LOOK_EVERY_S = 60.0


class HistoryActor(HouseActor):
    """The only writer of the store. It says what keeps the store from writing, and goes on."""

    def __init__(self, context: Context, store: History) -> None:
        super().__init__(context)
        self.store = store

    def on_start(self) -> None:
        """Begin to look after the store."""
        super().on_start()
        self.after(LOOK_EVERY_S, Tick(), process=True)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case Samples(rows=rows):
                self._hand_over(lambda: self.store.append(rows))
            case Record():
                body = json.dumps(dict(message.body), ensure_ascii=False, default=str)
                self._hand_over(lambda: self.store.record(message.kind, message.at_s, body))
            case Tick():
                self.after(LOOK_EVERY_S, Tick(), process=True)
                self._tell(self.store.problem())
            case _:
                return super().on_receive(message)
        return None

    def _hand_over(self, write: Callable[[], None]) -> None:
        """Hand rows to the store; one that refuses them loses them, which is told."""
        refused: list[OSError] = []

        def written() -> None:  # nothing is raised through the gate, which others use
            try:
                write()
            except OSError as error:
                refused.append(error)

        self.effect(written)
        told = f"the history takes nothing: {refused[0]}; free space or mend it" if refused else ""
        self._tell(told or self.store.problem())

    def _tell(self, problem: str) -> None:
        self.health(Health.DEGRADED if problem else Health.RUNNING, problem or "writes")
