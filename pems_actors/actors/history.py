"""The history's post: rows and records in, a committed store out. Control never waits for it."""

from __future__ import annotations

import json
from typing import Any

from pems_actors.actors.base import HouseActor, Record, Samples
from pems_actors.domain.ports import History
from supervision import Context


class HistoryActor(HouseActor):
    """The only writer of the store."""

    def __init__(self, context: Context, store: History) -> None:
        super().__init__(context)
        self.store = store

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case Samples(rows=rows):
                self.effect(lambda: self.store.append(rows))
            case Record():
                body = json.dumps(dict(message.body), ensure_ascii=False, default=str)
                self.effect(lambda: self.store.record(message.kind, message.at_s, body))
            case _:
                return super().on_receive(message)
        return None
