"""When the next register write may go out: one at a time, a second apart, until confirmed.

No I/O and no clock: `now_s` (process time) is an argument and the write to publish comes out. A
newer command for the same device replaces the older one; what is left to write is worked out anew
from the registers that are confirmed, so a half-written plan never leaves its rest behind.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pems_actors.domain.commands import SetBatteryMode, SetExport, device_of
from pems_actors.domain.house import BatteryMode
from pems_actors.gateways.growatt import Growatt, cleanup_of, plan_writes
from pems_actors.gateways.growatt_registers import (
    CLOCK,
    COMMANDS,
    READS,
    Answer,
    Registers,
    Write,
    learned,
    read_clock,
    with_values,
)
from pems_actors.gateways.write_budget import WriteBudget

ANSWER_S = 10.0
TRIES = 10
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The command that waits for its answer. `write` is None for a read."""

    command: str
    write: Write | None
    due_s: float  # when the answer is late


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for the inverter, with the clean-up to journal before it goes out."""

    topic: str
    payload: str
    cleanup: tuple[Write, ...] | None = None  # None: a read, nothing to undo


@dataclass(slots=True)
class GrowattSender:
    """The queue of one inverter. `soc_frac` is kept live by the owner, for `hold`.

    A command that would take more writes than the day's `budget` bears is refused as a whole,
    unless it leads home.
    """

    device: Growatt = field(default_factory=Growatt)
    known: Registers = field(default_factory=Registers)
    budget: WriteBudget = field(default_factory=WriteBudget)
    soc_frac: float | None = None
    problem: str = ""  # why the inverter does not follow, or empty
    writes_sent: int = 0
    failures: int = 0
    _wanted: dict[str, SetBatteryMode | SetExport] = field(default_factory=dict)
    _unread: list[str] = field(default_factory=lambda: [CLOCK, *READS])
    _clock_read_s: float | None = None
    _sent: Sent | None = None
    _tries: int = 0
    _not_before_s: float = 0.0

    def submit(self, command: SetBatteryMode | SetExport) -> None:
        """Take a command; an older one for the same device is forgotten."""
        self._wanted[device_of(command)] = command
        self._tries = 0

    @property
    def settling(self) -> bool:
        """Whether registers are being written just now, and none of them was refused or lost.

        Until that is over they amount to nothing that anybody has ordered.
        """
        return self._tries == 0 and any(
            isinstance(c, SetBatteryMode) for c in self._wanted.values()
        )

    def due_in_s(self, now_s: float) -> float | None:
        """Tell how long nothing can happen, or None if there is nothing to do."""
        if self._sent is not None:
            return max(0.0, self._sent.due_s - now_s)
        return max(0.0, self._not_before_s - now_s) if self._wanted else None

    def step(self, now_s: float, house_s: float) -> Outgoing | None:
        """Give the message that may go out now, if any.

        `now_s` is process time (pauses, time-outs), `house_s` house time (slots of the day).
        """
        if self._sent is not None:
            if now_s < self._sent.due_s:
                return None
            self._failed(now_s, "gives no answer")
        if now_s < self._not_before_s or not self._wanted:
            return None
        if self._clock_read_s is not None and house_s - self._clock_read_s >= DAY_S:
            self._unread, self._clock_read_s = [CLOCK, *self._unread], None
        if self._unread:  # the first command reads the device before it writes
            return self._send(f"{COMMANDS}/{self._unread[0]}", "{}", None, now_s)
        return self._next_write(now_s, house_s)

    def _next_write(self, now_s: float, house_s: float) -> Outgoing | None:
        for device, command in list(self._wanted.items()):
            if command.lease_until_s <= house_s:
                del self._wanted[device]  # nobody renewed the decision behind it
                continue
            plan = plan_writes(command, self.known, house_s, self.soc_frac, self.device)
            if plan.writes and self._is_borne(command, len(plan.writes), house_s):
                write = plan.writes[0]
                self.budget.note(house_s)
                sent = self._send(write.topic, write.payload, write, now_s)
                return replace(sent, cleanup=plan.cleanup)
            del self._wanted[device]
        return None

    def _is_borne(self, command: SetBatteryMode | SetExport, writes: int, house_s: float) -> bool:
        if _leads_home(command, self.device) or self.budget.bears(writes, house_s):
            return True
        self.problem = f"inverter: {self.budget.most} register writes a day are spent"
        return False

    def _send(self, topic: str, payload: str, write: Write | None, now_s: float) -> Outgoing:
        self._sent = Sent(topic.removeprefix(f"{COMMANDS}/"), write, now_s + ANSWER_S)
        self._not_before_s = now_s + self.device.gap_s
        if write is not None:
            self.writes_sent += 1
            self.known = _doubted(self.known, write)
        return Outgoing(topic, payload)

    def answered(self, answer: Answer, now_s: float, house_s: float) -> None:
        """Hear one answer; one that nobody waits for is ignored."""
        sent = self._sent
        if sent is None or answer.command != sent.command:
            return
        if not answer.success:
            self._failed(now_s, f"refused {answer.command}: {answer.message}")
            return
        self._sent, self._tries, self.problem = None, 0, ""
        if sent.write is not None:
            self.known = with_values(self.known, ((sent.write.register, sent.write.value),))
        elif self._unread and self._unread[0] == sent.command:
            self._learn(answer, house_s)
            del self._unread[0]

    def _learn(self, answer: Answer, house_s: float) -> None:
        self.known = learned(self.known, answer)
        shown = read_clock(answer)
        if shown is not None:
            self.device, self._clock_read_s = self.device.with_clock(shown, house_s), house_s

    def _failed(self, now_s: float, why: str) -> None:
        """Back off and say so; after the last try give up what does not lead home."""
        command = self._sent.command if self._sent is not None else ""
        was_read = self._sent is not None and self._sent.write is None
        self._sent = None
        self._tries += 1
        self.failures += 1
        self.problem = f"inverter {why} ({command}, try {self._tries} of {TRIES})"
        pause_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** (self._tries - 1))
        self._not_before_s = now_s + pause_s
        if was_read and self._unread:  # a gateway without reads: go on with unknown registers
            del self._unread[0]
            self._tries = 0
        elif self._tries >= TRIES:
            self._wanted = {d: c for d, c in self._wanted.items() if _leads_home(c, self.device)}
            self._tries = TRIES - 1 if self._wanted else 0

    def settled_cleanup(self) -> tuple[Write, ...] | None:
        """Tell what the confirmed registers would need to be native again; None while in doubt."""
        doubtful = self._wanted or self._sent is not None or self.known == Registers()
        return None if doubtful else cleanup_of(self.known, self.device)

    def forget(self) -> None:
        """Doubt all registers: the inverter was away and somebody may have changed it."""
        self.known = Registers()
        self._unread = [CLOCK, *READS]
        self._sent = None


def _leads_home(command: SetBatteryMode | SetExport, device: Growatt) -> bool:
    """Tell if a command gives the inverter back to itself."""
    if isinstance(command, SetExport):
        return command.allowed is device.native_export
    return command.mode is BatteryMode.SELF_USE


def _doubted(known: Registers, write: Write) -> Registers:
    """Hold a register as unknown while its write is under way."""
    return replace(known, **{write.register: None})
