"""Is one sensor to be believed just now? A value with its own timers, which start at boot.

good: a plausible reading within three periods. estimated: silent for longer, and a model may stand
in for up to two hours. stale: silent for longer than that. missing: never heard since boot. A
sensor that was never heard is missing, never cold: unknown does not mean heat.
"""

from __future__ import annotations

from enum import IntEnum
from math import inf, isfinite
from typing import NamedTuple

from pems_actors.domain.readings import Quality
from pems_actors.domain.units import HOUR_S, MINUTE_S

PERIODS_TO_STALE = 3.0
ESTIMATED_S = 2.0 * HOUR_S
READINGS_TO_BELIEVE_A_JUMP = 3
_NUMBER = (float, int)  # as a tuple, because it is asked for every reading


class Sensor(NamedTuple):
    """What a sensor can say: its range, its period, and how fast the truth can move.

    A reading farther from the last one than `jump` plus `per_hour` for the time between must be
    said `READINGS_TO_BELIEVE_A_JUMP` times before it is believed.
    """

    low: float
    high: float
    jump: float = inf
    per_hour: float = 0.0
    period_s: float = MINUTE_S


ROOM_C = Sensor(low=-10.0, high=50.0, jump=1.5, per_hour=6.0)
OUTDOOR_C = Sensor(low=-50.0, high=60.0, jump=4.0, per_hour=10.0)
FLOOR_C = Sensor(low=-10.0, high=70.0, jump=3.0, per_hour=15.0)
SOC_FRAC = Sensor(low=0.0, high=1.0, jump=0.1, per_hour=1.5)
POWER_KW = Sensor(low=-50.0, high=50.0)
IRRADIANCE_W_M2 = Sensor(low=-20.0, high=1600.0)


class Refusal(IntEnum):
    """Why the last reading was not believed."""

    NONE = 0
    NOT_A_NUMBER = 1
    OUT_OF_RANGE = 2
    JUMP = 3
    OLD = 4


class Doubt(NamedTuple):
    """What was not believed: how many readings, why the last one, and a jump that waits."""

    refused: int = 0
    why: Refusal = Refusal.NONE
    jump_to: float = 0.0
    times: int = 0
    said_s: float = -inf


_NO_DOUBT = Doubt()


class FreshValue(NamedTuple):
    """The last believed value of one sensor and when it was said."""

    sensor: Sensor
    born_s: float
    value: float | None = None
    heard_s: float = -inf
    doubt: Doubt = _NO_DOUBT

    def heard(self, reading: object, at_s: float | None, now_s: float) -> FreshValue:
        """Judge one reading, said at `at_s` and received at `now_s`; None is silence."""
        if reading is None:
            return self
        last, sensor = self.value, self.sensor
        if (  # the common case first, as it is met for every reading: the next sound value
            type(reading) is float
            and last is not None
            and at_s is not None
            and self.heard_s < at_s <= now_s
            and sensor.low <= reading <= sensor.high
            and abs(reading - last) <= sensor.jump
            and not self.doubt.why
        ):
            return FreshValue(sensor, self.born_s, reading, at_s, self.doubt)
        return self._judge(reading, at_s, now_s)

    def quality(self, now_s: float) -> Quality:
        """How far the value may be trusted at an instant."""
        timeout_s = PERIODS_TO_STALE * self.sensor.period_s
        if self.value is None:
            return Quality.MISSING if now_s - self.born_s > timeout_s else Quality.ESTIMATED
        age_s = now_s - self.heard_s
        if -timeout_s <= age_s <= timeout_s:
            return Quality.GOOD
        return Quality.ESTIMATED if timeout_s < age_s <= ESTIMATED_S else Quality.STALE

    def good(self, now_s: float) -> float | None:
        """Give the value while it is good, else None."""
        return self.value if self.quality(now_s) is Quality.GOOD else None

    def shifted(self, by_s: float) -> FreshValue:
        """Move along with a clock that was set."""
        doubt = self.doubt._replace(said_s=self.doubt.said_s + by_s)
        return self._replace(born_s=self.born_s + by_s, heard_s=self.heard_s + by_s, doubt=doubt)

    def age_s(self, now_s: float) -> float:
        """Time since the value was said, or since boot if none ever was [s]."""
        return max(0.0, now_s - (self.born_s if self.value is None else self.heard_s))

    def _judge(self, reading: object, at_s: float | None, now_s: float) -> FreshValue:
        why = self._unsound(reading)
        if why is not Refusal.NONE:
            return self._refuse(why)
        assert isinstance(reading, _NUMBER)
        said_s = now_s if at_s is None else min(at_s, now_s)
        if said_s <= self.heard_s <= now_s:
            return self if said_s == self.heard_s else self._refuse(Refusal.OLD)
        if self._believable(reading, said_s):
            return self._believe(float(reading), said_s)
        return self._wait(float(reading), said_s)

    def _believe(self, reading: float, said_s: float) -> FreshValue:
        doubt = self.doubt
        if doubt.why is not Refusal.NONE:
            doubt = Doubt(doubt.refused)
        return FreshValue(self.sensor, self.born_s, reading, said_s, doubt)

    def _unsound(self, reading: object) -> Refusal:
        """Tell what is wrong with a reading by itself."""
        if not isinstance(reading, _NUMBER) or isinstance(reading, bool) or not isfinite(reading):
            return Refusal.NOT_A_NUMBER
        if not self.sensor.low <= reading <= self.sensor.high:
            return Refusal.OUT_OF_RANGE
        return Refusal.NONE

    def _believable(self, reading: float, said_s: float) -> bool:
        """Tell if the truth can have moved this far; after hours of silence it can be anywhere."""
        if self.value is None:
            return True
        passed_s = said_s - self.heard_s
        reach = self.sensor.jump + self.sensor.per_hour * max(0.0, passed_s) / HOUR_S
        return abs(reading - self.value) <= reach or abs(passed_s) > ESTIMATED_S

    def _wait(self, reading: float, said_s: float) -> FreshValue:
        """Keep a jump waiting; the same story told often enough is believed."""
        doubt = self.doubt
        if said_s <= doubt.said_s:
            return self
        again = doubt.times > 0 and abs(reading - doubt.jump_to) <= self.sensor.jump
        times = doubt.times + 1 if again else 1
        if times >= READINGS_TO_BELIEVE_A_JUMP:
            return self._believe(reading, said_s)
        waiting = Doubt(doubt.refused + 1, Refusal.JUMP, reading, times, said_s)
        return self._replace(doubt=waiting)

    def _refuse(self, why: Refusal) -> FreshValue:
        doubt = self.doubt._replace(why=why, refused=self.doubt.refused + 1)
        return self._replace(doubt=doubt)
