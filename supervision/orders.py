"""The orders every actor understands: ping, snapshot, stop, and pykka's own stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pykka.messages import _ActorStop

from supervision.drill import inject
from supervision.messages import GetSnapshot, InjectFault, Ping, Pong, Snapshot, StopActor
from supervision.policy import Exit

if TYPE_CHECKING:
    from supervision.life import Life

T = TypeVar("T")
Order = Callable[["Life", Any, Any], object]


def _ping(life: Life, ping: Ping, _reply: Any) -> Pong:
    pong = Pong(life.slot.path, life.epoch, life.system.runtime.now_s(), ping.token)
    return _answer(life, ping.reply_to, pong)


def _show(life: Life, wish: GetSnapshot, _reply: Any) -> Snapshot:
    assert life.actor is not None
    shown = Snapshot(life.slot.path, life.epoch, life.actor.state, wish.token)
    return _answer(life, wish.reply_to, shown)


def _answer(life: Life, reply_to: str | None, answer: T) -> T:
    if reply_to is not None:
        life.system.tell(reply_to, answer)
    return answer


def _stop(life: Life, order: StopActor, _reply: Any) -> None:
    assert life.actor is not None
    life.actor.stop_requested(order.reason)


def _stop_by_pykka(life: Life, _order: object, reply: Any) -> None:
    """End normally; a blocking `ref.stop()` is answered when the life is over."""
    life.say_farewell_to(reply)
    life.end(Exit.NORMAL, "stopped itself")


ORDERS: dict[type, Order] = {
    Ping: _ping,
    GetSnapshot: _show,
    StopActor: _stop,
    InjectFault: inject,
    _ActorStop: _stop_by_pykka,
}
