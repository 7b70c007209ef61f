"""The last words with the devices: what they say and are told while they are made safe.

One conversation over one brief link, with one deadline. Register writes go out one at a time, a
second apart, each after its answer; before them the registers are read, so that nothing is written
that is native already, and afterwards they are read back. Decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from pems_actors.gateways import loxone
from pems_actors.gateways.brief_link import BriefLink
from pems_actors.gateways.growatt_registers import (
    COMMANDS,
    READS,
    RESULTS,
    Answer,
    Registers,
    Write,
    learned,
    read_answer,
    with_values,
)
from pems_actors.gateways.mqtt_client import Incoming
from pems_actors.gateways.wire import Message, Rejected

TOPICS = (loxone.STATUS, loxone.heating_status_topic("+"), RESULTS)
GAP_S = 1.0  # between two commands to the inverter
ANSWER_S = 2.0
ACKNOWLEDGED_S = 2.0
OLD_S = 900.0  # a relay that was last told of longer ago is unknown


@dataclass(slots=True)
class Conversation:
    """What was said so far. `problem` is why the inverter does not follow, or empty."""

    link: BriefLink
    due_s: float  # monotonic
    zone: tzinfo = UTC  # of times that the devices tell without an offset
    problem: str = ""
    _relays: dict[str, tuple[bool, float | None]] = field(default_factory=dict)
    _answers: list[Answer] = field(default_factory=list)
    _asked_s: float = float("-inf")

    # -- relays ------------------------------------------------------------------------------------

    def wait_for_relays(self, names: Iterable[str], within_s: float) -> None:
        """Listen until each of these relays was told of, or the time is over."""
        wanted = set(names)
        self._listen(lambda: wanted <= set(self._relays), within_s)

    def relay_state(self, name: str, now_s: float) -> bool | None:
        """Tell if a relay is on; None if that is unknown or too long ago (`now_s` house time)."""
        on, at_s = self._relays.get(name, (None, None))
        return None if at_s is None or now_s - at_s > OLD_S else on

    def not_off(self, names: Iterable[str], within_s: float) -> set[str]:
        """Listen until these relays say that they are off; gives those that do not."""
        wanted = set(names)

        def left() -> set[str]:
            return {name for name in wanted if self._relays.get(name, (True, None))[0]}

        self._listen(lambda: not left(), within_s)
        return left()

    def order_relay(self, message: Message) -> bool:
        """Send an order to a relay; whether the broker took it."""
        return self.link.publish(message, min(ACKNOWLEDGED_S, self._left_s()))

    # -- the inverter ------------------------------------------------------------------------------

    def clean_up(self, cleanup: tuple[Write, ...]) -> tuple[Write, ...]:
        """Write what does not stand yet. Gives the writes that are not confirmed."""
        known = self._read(Registers())
        todo = [write for write in cleanup if getattr(known, write.register) != write.value]
        for write in todo:
            answer = self._ask(write.command, write.payload)
            if answer is None or not answer.success:
                self.problem = "it gives no answer" if answer is None else answer.message
                break
            known = with_values(known, ((write.register, write.value),))
        if todo and not self.problem:
            known = self._read(known)
        return tuple(write for write in cleanup if getattr(known, write.register) != write.value)

    def _read(self, known: Registers) -> Registers:
        """Read what can be read; a silent or simple inverter leaves it as it was."""
        for command in READS:
            answer = self._ask(command, "{}")
            if answer is None:
                return known
            known = learned(known, answer)
        return known

    def _ask(self, command: str, payload: str) -> Answer | None:
        """Send one command and wait for its answer."""
        self._listen(lambda: False, self._asked_s + GAP_S - time.monotonic())
        self._asked_s = time.monotonic()
        self._answers.clear()
        if not self.link.publish(Message(f"{COMMANDS}/{command}", payload), self._left_s()):
            return None
        self._listen(lambda: self._answer_to(command) is not None, ANSWER_S)
        return self._answer_to(command)

    def _answer_to(self, command: str) -> Answer | None:
        return next((each for each in self._answers if each.command == command), None)

    # -- hearing -----------------------------------------------------------------------------------

    def _left_s(self) -> float:
        return max(0.0, self.due_s - time.monotonic())

    def _listen(self, done: Callable[[], bool], within_s: float) -> None:
        until_s = min(time.monotonic() + within_s, self.due_s)
        while not done() and (left_s := until_s - time.monotonic()) > 0.0:
            message = self.link.hear(left_s)
            if message is not None:
                self._hear(message)

    def _hear(self, message: Incoming) -> None:
        if message.topic == RESULTS:
            answer = read_answer(message.payload)
            if isinstance(answer, Answer) and not message.retained:
                self._answers.append(answer)
        elif message.topic == loxone.STATUS:
            status = loxone.read_status(message.payload, self.zone)
            if not isinstance(status, Rejected):
                self._relays |= {name: (on, status.at_s) for name, on in status.relays.items()}
        else:
            told = loxone.read_relay_status(message.topic, message.payload, self.zone)
            if isinstance(told, loxone.RelayStatus):
                self._relays[told.relay] = told.on, told.at_s
