"""All that a room's successor must know: of the room itself, and of the relay that it may own.

Plain values: whoever decides makes a new one, and what is kept after each message is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from types import MappingProxyType
from typing import NamedTuple

from pems_actors.control.floor import FloorHeat
from pems_actors.control.ladder import Ladder
from pems_actors.control.order import Decision, DutyAccount, RelayMemory
from pems_actors.control.reconcile import Look
from pems_actors.control.rest import Rest
from pems_actors.control.wishes import Override
from pems_actors.domain.events import GuardOrder, HouseMode, Need, RoomPlan, RoomTick
from pems_actors.domain.readings import Quality
from pems_actors.domain.units import DAY_S, HOUR_S
from pems_actors.estimation.freshness import FreshValue

ASK_AGAIN_S = 120.0  # the power budget forgets a request soon
NEED_LIFE_S = 300.0  # what a member said counts for so long
USABLE = frozenset({Quality.GOOD, Quality.ESTIMATED})
OFF_K, OFF_K_PER_H = 1.0, 0.5  # how far an estimate may be too high, and more for each hour


class Written(NamedTuple):
    """The last command that went out: until when it holds, when to write it again."""

    until_s: float = -inf
    again_s: float = -inf


class RelayMind(NamedTuple):
    """What the owner of a relay knows of it, and of what others want of it."""

    memory: RelayMemory | None = None  # None until it is found at the first tick
    account: DutyAccount = DutyAccount()
    wanted: Decision | None = None
    written: Written = Written()
    look: Look = Look()  # how the relay compares with our command
    needs: Mapping[str, Need] = MappingProxyType({})  # of the other members
    guard: GuardOrder | None = None
    kept: RelayMemory | None = None  # its history from before the restart, until it is found
    floors: FloorHeat = FloorHeat()
    asked_s: float = -inf  # when it last asked for power that it still waits for

    def wrote(self, written: Written, look: Look) -> RelayMind:
        """Note a command that went out."""
        return RelayMind(self.memory, self.account, self.wanted, written, look, *self[5:])

    def seen(self, memory: RelayMemory, look: Look, written: Written) -> RelayMind:
        """Note a look at the relay."""
        return RelayMind(memory, self.account, self.wanted, written, look, *self[5:])

    def knows(self, need: Need) -> bool:
        """Tell if a member says again what it said, and what still counts."""
        before = self.needs.get(need.room)
        return (
            before is not None
            and need[2:] == before[2:]
            and 0.0 <= need.at_s - before.at_s <= NEED_LIFE_S
        )

    def heard(self, need: Need) -> RelayMind:
        """Note what a member wants."""
        return self._replace(needs={**self.needs, need.room: need})

    def heard_until_s(self, now_s: float) -> float:
        """Tell until when all that counts now of the other members' words will count."""
        ends_s = [need.at_s + NEED_LIFE_S for need in self.needs.values()]
        return min((end_s for end_s in ends_s if end_s >= now_s), default=inf)

    def is_due(self, now_s: float) -> bool:
        """Tell if it is time to renew the lease, or to ask for power again."""
        return self.written.again_s <= now_s or -inf < self.asked_s <= now_s - ASK_AGAIN_S

    def anew(self) -> RelayMind:
        """Take the relay over as at a start: that it was on while disarmed was never real."""
        memory = self.memory
        if memory is not None and memory.on:
            memory = replace(memory, on=False, since_s=-inf)
        return self._replace(memory=None, kept=memory or self.kept, written=Written(), look=Look())

    @property
    def starved(self) -> bool:
        """Whether heat is wanted that the relay does not give."""
        memory, wanted = self.memory, self.wanted
        return memory is not None and wanted is not None and wanted.on and not memory.on

    def shifted(self, by_s: float) -> RelayMind:
        """Move along with a clock that was set; the lease is renewed by the new time at once."""
        account, guard = self.account, self.guard
        stepped_s = None if account.stepped_s is None else account.stepped_s + by_s
        return self._replace(
            memory=self.memory and self.memory.shifted(by_s),
            account=account._replace(stepped_s=stepped_s),
            written=Written(self.written.until_s + by_s),
            look=self.look.shifted(by_s),
            needs={name: n._replace(at_s=n.at_s + by_s) for name, n in self.needs.items()},
            guard=guard and replace(guard, until_s=guard.until_s + by_s),
            floors=self.floors.shifted(by_s),
        )


class RoomMind(NamedTuple):
    """What a room knows; `owned` is None where another room owns its relay, or nobody does."""

    sensor: FreshValue
    tick: RoomTick | None = None  # the last one: what the room saw
    plan: RoomPlan | None = None
    override: Override | None = None
    mode: HouseMode = HouseMode.NORMAL
    mode_until_s: float | None = None
    ladder: Ladder = Ladder()
    trim: float = 0.0
    owned: RelayMind | None = None
    decided_s: float | None = None  # when it last decided
    rest: Rest | None = None  # until when that stands, as far as it does
    said: Need | None = None  # what it last told the owner of its relay

    def saw(self, tick: RoomTick) -> RoomMind:
        """See one more tick at which the decision stands."""
        return RoomMind(self.sensor, tick, *self[2:])

    def kept_up(self, tick: RoomTick, owned: RelayMind) -> RoomMind:
        """See one more tick, at which the decision was kept up."""
        return RoomMind(self.sensor, tick, *self[2:8], owned, *self[9:])

    @property
    def relay(self) -> RelayMemory | None:
        """The relay's history, once it was found."""
        return None if self.owned is None else self.owned.memory

    @property
    def wanted(self) -> Decision | None:
        """What the relay should be, by the last tick."""
        return None if self.owned is None else self.owned.wanted

    def shifted(self, by_s: float) -> RoomMind:
        """Move along with a clock that was set."""
        tick = self.tick
        return self._replace(
            sensor=self.sensor.shifted(by_s),
            tick=tick and tick._replace(at_s=tick.at_s + by_s),
            owned=self.owned and self.owned.shifted(by_s),
            decided_s=None if self.decided_s is None else self.decided_s + by_s,
            rest=None,
        )


def believed(tick: RoomTick, sensor: FreshValue) -> tuple[float | None, Quality]:
    """Give a room's temperature as it can best be believed: as measured, else as estimated.

    The model stands in for a sensor that was believed within the last two hours, never for one
    that was never heard.
    """
    quality = sensor.quality(tick.at_s)
    if tick.estimate_c is None or sensor.value is None or quality not in USABLE:
        return sensor.value, quality
    return tick.estimate_c, Quality.ESTIMATED


def surely_c(tick: RoomTick, sensor: FreshValue) -> float | None:
    """Give the temperature that a room still has for sure, for a day after it was last known."""
    age_s = sensor.age_s(tick.at_s)
    if tick.estimate_c is None or sensor.value is None or age_s > DAY_S:
        return None
    return tick.estimate_c - OFF_K - OFF_K_PER_H * age_s / HOUR_S
