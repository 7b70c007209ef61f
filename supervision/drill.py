"""How a life suffers the faults of a drill, and how it is kept from poison.

Looked at only in slots that are `wary`: where a fault was injected or a message is under suspicion.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from supervision.child_spec import Policy
from supervision.errors import NobodyThere
from supervision.events import FaultInjected, Quarantined
from supervision.faults import Fault, FaultKind, Filler, InjectedCrash, Poisoned
from supervision.messages import InjectFault

if TYPE_CHECKING:
    from supervision.life import Life

AT_ONCE = frozenset({FaultKind.CRASH, FaultKind.CRASH_BASE, FaultKind.HANG, FaultKind.SPIN})
STALLS = frozenset({FaultKind.HANG, FaultKind.SPIN, FaultKind.SLOW})


def inject(life: Life, order: InjectFault, _reply: Any) -> None:
    """Take a fault in: suffer it now, send its messages, or keep it for its message."""
    fault, slot = order.fault, life.slot
    at_s = life.system.runtime.now_s()
    life.system.journal.emit(FaultInjected(at_s, slot.path, fault.kind.value))
    slot.wary = True
    if fault.kind is FaultKind.FLOOD:
        _send_itself(life, (Filler(number) for number in range(fault.count)))
    elif fault.kind is FaultKind.POISON:
        _send_itself(life, (Poisoned() for _ in range(fault.count)))
    elif fault.at_message is None and fault.kind in AT_ONCE:
        suffer(life, fault)
    else:
        slot.faults = slot.faults.add(fault)


def _send_itself(life: Life, messages: Iterable[object]) -> None:
    for message in messages:
        life.system.tell(life.slot.path, message)


def suffer(life: Life, fault: Fault) -> None:
    """Let the fault happen in the message that is being handled."""
    if fault.kind is FaultKind.CRASH:
        raise InjectedCrash("a drill asked for this crash")
    if fault.kind is FaultKind.CRASH_BASE:
        raise SystemExit("a drill asked for this exit")
    if fault.kind in STALLS:
        life.system.runtime.stall(life, fault.seconds, burn=fault.kind is FaultKind.SPIN)


def suffer_at_start(life: Life) -> None:
    """Fail this start if a drill wants it so."""
    life.slot.faults, fault = life.slot.faults.at_start()
    if fault is not None:
        raise InjectedCrash("a drill makes this start fail")


def keeps_away(life: Life, message: object, reply: Any) -> bool:
    """Whether the actor must not see this message; suffers what is due at it."""
    slot = life.slot
    mark = slot.quarantine.holds(message, life.system.runtime.process_s())
    if mark is not None:
        _put_aside(life, message, mark, reply)
        return True
    if isinstance(message, Poisoned):
        raise InjectedCrash("a poisoned message")
    if isinstance(message, Filler):
        return True
    slot.faults, fault = slot.faults.at_message()
    if fault is None:
        return False
    suffer(life, fault)
    kind = message.__class__
    is_safe = slot.lanes.get(kind) is Policy.SAFETY or kind in life.own_kinds  # its own timers
    return fault.kind is FaultKind.DROP and not is_safe  # what must never be lost is not, here too


def _put_aside(life: Life, message: object, mark: str, reply: Any) -> None:
    kind, path = type(message).__name__, life.slot.path
    life.system.journal.count("quarantined")
    life.system.journal.emit(Quarantined(life.system.runtime.now_s(), path, kind, mark))
    if reply is not None:
        error = NobodyThere(f"this {kind} crashed its reader before; it was put aside")
        reply.set_exception((NobodyThere, error, None))
