"""Laws of the appliance itself: incidents, answers, heartbeats, kept rows."""

from __future__ import annotations

from pems_actors.simulation.invariants.facts import (
    Asked,
    Beat,
    Broke,
    Kept,
    Life,
    Outage,
    Told,
    Truth,
    Turn,
)
from pems_actors.simulation.invariants.law import Law
from pems_actors.simulation.invariants.notes import Notes

FINAL = frozenset({"done", "rejected", "failed", "timeout"})
ANSWER_WITHIN_S = 30.0
BEATS_MISSED = 2.5
SPEAKERS = ("infrastructure", "infrastructure/mqtt", "broker", "clock", "core")
CORE = "core"
SPEAKERS_BACK_S = 900.0
MUTE = ("kill-core", "suspend", "broker-down")
TAKEN_OVER_WITHIN_S = 60.0
_GRACE_S = 1.0


class OneIncident(Law):
    """Every outage is one incident with a start and an end, its own or that of a branch above.

    One that is open when the core dies has to be taken over by the next core under the same name,
    or ended by it.
    """

    name = "every outage is one incident"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._open: dict[str, Outage] = {}
        self._left: dict[str, Outage] = {}  # open when the core died
        self._left_until_s: float | None = None
        self._down: dict[str, float] = {}  # path -> failed at, its incident not yet seen
        self._alive: dict[str, float] = {}

    def on_outage(self, outage: Outage) -> None:
        """Match beginnings and ends."""
        before = self._open.get(outage.path) or self._left.get(outage.path)
        if outage.end_s is None:
            if before is not None and not self._is_taken_over(outage):
                self.accuse(outage.at_s, f"{outage.path}: {outage.id} opened, {before.id} open")
            self._open[outage.path] = outage
            self._left.pop(outage.path, None)
            self._down.pop(outage.path, None)
            return
        if before is None or before.id != outage.id or before.start_s != outage.start_s:
            self.accuse(outage.at_s, f"{outage.path}: {outage.id} closed, never opened")
        elif outage.at_s < before.at_s:
            self.accuse(outage.at_s, f"{outage.path}: {outage.id} ends before it starts")
        self._open.pop(outage.path, None)
        self._left.pop(outage.path, None)

    def _is_taken_over(self, outage: Outage) -> bool:
        left = self._left.get(outage.path)
        return left is not None and left.id == outage.id and left.start_s == outage.start_s

    def on_broke(self, broke: Broke) -> None:
        """Put aside what is open when the core itself is gone: its successor has to see to it."""
        if broke.target == CORE:
            self._left.update(self._open)
            self._left_until_s = None
            self._open.clear()
            self._down.clear()
            self._alive.clear()

    def on_life(self, life: Life) -> None:
        """Note who is down and who is back."""
        if self._left_until_s is None:
            self._left_until_s = life.at_s + TAKEN_OVER_WITHIN_S
        if life.turn in {Turn.FAILED, Turn.HUNG}:
            self._alive.pop(life.path, None)
            if not self._is_covered(life.path):
                self._down.setdefault(life.path, life.at_s)
        elif life.turn is Turn.READY:
            self._alive[life.path] = life.at_s
        elif life.turn is Turn.ENDED:
            self._alive.pop(life.path, None)
            self._down.pop(life.path, None)

    def on_truth(self, truth: Truth) -> None:
        """Judge, once the instant of a failure or a return is over."""
        self._judge(truth.at_s)

    def close(self, at_s: float) -> None:
        """Judge what is left."""
        self._judge(at_s + 2 * _GRACE_S)

    def _judge(self, at_s: float) -> None:
        if self._left and self._left_until_s is not None and at_s > self._left_until_s:
            for path, outage in self._left.items():
                self.accuse(at_s, f"{path}: the core died and {outage.id} never ended")
            self._left.clear()
        for path, failed_s in list(self._down.items()):
            if self._is_covered(path):
                del self._down[path]
            elif at_s - failed_s > _GRACE_S:
                self.accuse(failed_s, f"{path} failed without an incident")
                del self._down[path]
        for path, outage in list(self._open.items()):
            back_s = self._alive.get(path)
            if back_s is not None and at_s - back_s > _GRACE_S and back_s > outage.at_s:
                self.accuse(back_s, f"{path} is back and {outage.id} is still open")
                del self._open[path]

    def _is_covered(self, path: str) -> bool:
        parts = path.split("/")
        return any("/".join(parts[: k + 1]) in self._open for k in range(len(parts)))


class OneOutcome(Law):
    """Every order that was heard has exactly one final answer, in good time."""

    name = "one outcome per order"

    def __init__(self, notes: Notes) -> None:
        super().__init__(notes)
        self._asked: dict[str, Asked] = {}
        self._finals: dict[str, int] = {}

    def on_asked(self, asked: Asked) -> None:
        """Begin to wait for an answer."""
        self._asked[asked.id] = asked

    def on_told(self, told: Told) -> None:
        """Count final answers."""
        if told.outcome not in FINAL or told.id not in self._asked:
            return
        count = self._finals[told.id] = self._finals.get(told.id, 0) + 1
        asked = self._asked[told.id]
        if count > 1:
            self.accuse(told.at_s, f"order {told.id} has {count} final answers")
        elif told.at_s - asked.at_s > ANSWER_WITHIN_S:
            self.accuse(told.at_s, f"order {told.id} waited {told.at_s - asked.at_s:.0f} s")

    def close(self, at_s: float) -> None:
        """Find the orders without an answer."""
        for order_id, asked in self._asked.items():
            waited_s = at_s - asked.at_s
            if asked.heard and order_id not in self._finals and waited_s > ANSWER_WITHIN_S:
                self.accuse(asked.at_s, f"order {order_id} has no final answer")


class HeartBeats(Law):
    """The heartbeat falls silent by a fault of who speaks and only then, and counts without a gap.

    Who cannot speak must not be heard: a beat of a dead core, or past a dead broker, is a lie.
    """

    name = "a heartbeat is silent only by a fault"

    def __init__(self, notes: Notes, interval_s: float) -> None:
        super().__init__(notes)
        self._interval_s = interval_s
        self._last: Beat | None = None
        self._excused_until_s = float("-inf")
        self._mute: dict[str, float] = {}  # who cannot speak, and until when

    def on_broke(self, broke: Broke) -> None:
        """Excuse a silence that was made."""
        if broke.target in SPEAKERS:
            until_s = broke.until_s + SPEAKERS_BACK_S
            self._excused_until_s = max(self._excused_until_s, until_s)
        if broke.name in MUTE and self._mute.get(broke.name, broke.at_s) <= broke.at_s:
            self._mute[broke.name] = broke.until_s - _GRACE_S  # one who is dead dies no second time

    def on_beat(self, beat: Beat) -> None:
        """Look at the time since the last one, at its number, and if it can be at all."""
        self._judge(beat.at_s)
        mute = next((name for name, until_s in self._mute.items() if until_s > beat.at_s), None)
        if mute is not None:
            self.accuse(beat.at_s, f"heartbeat {beat.sequence} in spite of {mute}")
        last, self._last = self._last, beat
        if last is None or beat.at_s < self._excused_until_s:
            return
        if beat.sequence != last.sequence + 1:
            self.accuse(beat.at_s, f"heartbeat {beat.sequence} after {last.sequence}")

    def close(self, at_s: float) -> None:
        """Look at the silence before the end."""
        self._judge(at_s)

    def _judge(self, at_s: float) -> None:
        if self._last is None or at_s < self._excused_until_s:
            return
        silent_s = at_s - self._last.at_s
        if silent_s > BEATS_MISSED * self._interval_s:
            self.accuse(at_s, f"no heartbeat for {silent_s:.0f} s")


class RowsKept(Law):
    """No acknowledged row is lost."""

    name = "no acknowledged row lost"

    def on_kept(self, kept: Kept) -> None:
        """Compare what was acknowledged with what is there."""
        if kept.found != kept.acknowledged:
            lost = kept.acknowledged - kept.found
            self.accuse(kept.at_s, f"{lost} of {kept.acknowledged} records are gone")
