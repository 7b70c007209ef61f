"""The control actor on its stage, with a person at the local socket."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import CONTROL
from pems_actors.actors.chronicle import Chronicle
from pems_actors.actors.control import ControlActor, SocketRequest
from pems_actors.domain.events import Outcome, Request
from pems_actors.house import actor_paths
from tests.actors.kit import HOUSE, Stage


class Desk:
    """The control actor with a person at the local socket."""

    def __init__(self, **more: Any) -> None:
        self.saved: list[frozenset[str] | None] = []
        self.disk_problem = ""
        self.chronicle = Chronicle()
        self.replies: list[dict[str, Any]] = []
        self.stage = Stage(
            CONTROL,
            lambda c, w: ControlActor(c, HOUSE, actor_paths(HOUSE), w, self._save, self.chronicle),
            **more,
        )

    def says(self, path: str = "", verb: str = "", **body: Any) -> dict[str, Any] | None:
        """Send a request over the socket; the newest reply to it, if there is one already."""
        before = len(self.replies)
        self.stage.tell(SocketRequest({"path": path, "verb": verb, **body}, self._reply))
        return self.replies[-1] if len(self.replies) > before else None

    def _save(self, armed: frozenset[str] | None) -> None:
        if self.disk_problem:
            raise OSError(self.disk_problem)
        self.saved.append(armed)

    def _reply(self, body: Any) -> bool:
        self.replies.append(dict(body))
        return True

    def ends(self, request: Request, outcome: str = "done", reason: str = "") -> None:
        """Let the actor concerned answer."""
        self.stage.tell(
            Outcome(request.id, request.path, request.verb, outcome, reason, self.stage.now_s)
        )
