"""What a factory is given: who the new actor is, and the system it lives in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervision.life import Life
    from supervision.system import ActorSystem


@dataclass(frozen=True, slots=True)
class Context:
    """Identity of one life. `arguments` come from the child spec (and a dynamic start)."""

    path: str
    epoch: int
    system: ActorSystem
    arguments: tuple[object, ...] | Mapping[str, object]
    life: Life = field(repr=False)
