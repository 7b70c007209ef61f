"""How much more or less this roof gives than the physics says: lasting, today, and how surely.

Ratios of energies, not means of ratios, so that dawn counts little and noon counts much. Both
start at 1 with some weight, so that one odd hour moves nothing far.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from pems_actors.domain.units import HOUR_S

_QUARTER_H = 0.25
_PRIOR_KWH_PER_KWP = 6.0  # the lasting scale believes in 1 like in two sunny days
_MEMORY_KWH_PER_KWP = 45.0  # and remembers about ten of them
_TODAY_PRIOR_H = 0.3  # weight of "as usual" in the scale of today [h at peak]
_TODAY_MEMORY_S = 1.5 * HOUR_S
_TODAY_FADES_S = 4.0 * HOUR_S
_DARK_FRAC = 0.03  # below this share of the peak the ratio says nothing
_STEP = 0.03


@dataclass(frozen=True, slots=True)
class PvScale:
    """Energies [kWh per kWp] measured and expected, with long and with short memory."""

    measured: float = 0.0
    expected: float = 0.0
    today_measured: float = 0.0
    today_expected: float = 0.0
    heard_s: float = 0.0
    low_frac: float = 0.45  # P10 and P90 as shares of the mean
    high_frac: float = 1.55

    @property
    def lasting(self) -> float:
        """Scale of this roof against the physics, about 1."""
        prior = _PRIOR_KWH_PER_KWP
        return min(1.5, max(0.3, (self.measured + prior) / (self.expected + prior)))

    def today(self, now_s: float) -> float:
        """Scale of the last hours against the lasting one; 1 when nothing was heard for long."""
        kept = exp(-abs(now_s - self.heard_s) / _TODAY_MEMORY_S)
        usual = self.today_expected * self.lasting * kept + _TODAY_PRIOR_H
        return min(2.0, max(0.2, (self.today_measured * kept + _TODAY_PRIOR_H) / usual))

    def at(self, at_s: float, now_s: float) -> float:
        """Factor on the physics for a coming instant: today's part fades with the lead time."""
        fade = exp(-max(0.0, at_s - now_s) / _TODAY_FADES_S)
        return self.lasting * (1.0 + (self.today(now_s) - 1.0) * fade)

    def band(self, *, wide: bool) -> tuple[float, float]:
        """P10 and P90 as shares of the mean; wider when the rung is worse."""
        if wide:
            return 0.6 * self.low_frac, 1.0 + 1.4 * (self.high_frac - 1.0)
        return self.low_frac, self.high_frac

    def learn(self, at_s: float, pv_kw: float, expected_kw: float, peak_kw: float) -> PvScale:
        """Take the mean of an uncurtailed quarter hour and what the physics had expected of it."""
        if peak_kw <= 0.0 or expected_kw < _DARK_FRAC * peak_kw:
            return self
        got, hoped = pv_kw / peak_kw * _QUARTER_H, expected_kw / peak_kw * _QUARTER_H
        keep = 1.0 - hoped / _MEMORY_KWH_PER_KWP
        fade = exp(-abs(at_s - self.heard_s) / _TODAY_MEMORY_S)
        ratio = pv_kw / (expected_kw * self.lasting)
        below = 1.0 - self.low_frac
        below += _STEP * (0.9 if ratio < self.low_frac else -0.1)
        above = self.high_frac - 1.0
        above += _STEP * (0.9 if ratio > self.high_frac else -0.1)
        return PvScale(
            measured=self.measured * keep + got,
            expected=self.expected * keep + hoped,
            today_measured=self.today_measured * fade + got,
            today_expected=self.today_expected * fade + hoped,
            heard_s=at_s,
            low_frac=1.0 - min(1.0, max(0.05, below)),
            high_frac=1.0 + min(3.0, max(0.05, above)),
        )
