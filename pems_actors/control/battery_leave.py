"""Leave for the battery to make the house draw more: first to be shed, and so the last to be let.

A charge from the grid is a switch-on like any other, on all phases at once. It is let when no relay
waits and all of it fits, with more to spare than a relay needs: what is shed at the next kettle
wears the inverter. A discharge may end as soon as the house bears it, and one that is about to end
because the battery is empty counts as ended. What was let is kept free until it is drawn.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from pems_actors.control.battery import BatteryChoice
from pems_actors.control.limits import Headroom
from pems_actors.domain.events import BatteryGrant, BatteryRequest
from pems_actors.domain.house import BatteryMode, BatteryModel
from pems_actors.domain.readings import BatteryReading
from pems_actors.domain.units import HOUR_S

REST_SPARE_KW = 0.1  # of each phase, left free at the end of a discharge
CHARGE_SPARE_KW = 0.4  # and at the beginning of a charge: more than at the start of a relay
LITTLE_KW = 0.1  # what an order may draw more without leave
_NOTHING_KW = 1e-9
REQUEST_LIFE_S = 90.0
GRANT_LIFE_S = 30.0
BEGINS_WITHIN_S = 150.0
ENDS_WITHIN_S = 180.0  # two looks at the battery, and what a contact needs


class BatteryLeave(NamedTuple):
    """The power budget's side: what the battery asked for, and what it was let and is to come."""

    asked: BatteryRequest | None = None
    granted: BatteryGrant | None = None
    battery_kw: float = 0.0  # as last measured, positive when it feeds the house
    granted_at_kw: float = 0.0  # what it gave when it was let
    left_kwh: float = inf  # what it can still give

    def heard(self, reading: BatteryReading | None, battery: BatteryModel) -> BatteryLeave:
        """Take in what the battery gives; a silent one is taken as giving what it gave."""
        if reading is None or reading.power_kw is None:
            return self
        left_kwh = inf
        if reading.soc_frac is not None:
            left_frac = max(reading.soc_frac - battery.min_soc_frac, 0.0)
            left_kwh = left_frac * battery.capacity_kwh * battery.leg_frac
        return self._replace(battery_kw=reading.power_kw, left_kwh=left_kwh)

    def ending_kw(self, within_s: float) -> float:
        """Tell what the battery gives and will not give for so long, as it is empty before."""
        gives_kw = max(self.battery_kw, 0.0)
        return gives_kw if gives_kw * within_s / HOUR_S >= self.left_kwh else 0.0

    def asking(self, request: BatteryRequest) -> BatteryLeave:
        """Take a request; it counts from what is drawn, so that an older leave is part of it."""
        return self._replace(asked=request, granted=None)

    def waiting(self, now_s: float) -> BatteryRequest | None:
        """Give what the battery has asked for and still waits for."""
        asked = self.asked
        return asked if asked is not None and now_s - asked.at_s <= REQUEST_LIFE_S else None

    @property
    def charge_kw(self) -> float:
        """What a charge draws."""
        return max(-self.battery_kw, 0.0)

    def reserved(self, room: Headroom, now_s: float) -> Headroom:
        """Keep free what was let and is not drawn yet."""
        coming_kw = self._let_kw(now_s)
        return room.beside_inverter(coming_kw) if coming_kw > 0.0 else room

    def more_kw(self, now_s: float, within_s: float = ENDS_WITHIN_S) -> float:
        """Tell what an empty battery will not give for so long, beside what is kept free [kW]."""
        return max(self.ending_kw(within_s) - self._let_kw(now_s), 0.0)

    def _let_kw(self, now_s: float) -> float:
        granted = self.granted
        if granted is None or now_s - granted.at_s > BEGINS_WITHIN_S:
            return 0.0
        return max(granted.rise_kw - max(self.granted_at_kw - self.battery_kw, 0.0), 0.0)

    def next_grant(
        self, room: Headroom, now_s: float, ending_kw: float = 0.0
    ) -> tuple[BatteryLeave, BatteryGrant | None]:
        """Let the battery draw what it asked for, if all of it fits into a headroom.

        ending_kw: what the headroom is without already, since the battery will not give it.
        """
        asked = self.waiting(now_s)
        if asked is None:
            return self, None
        spare_kw = CHARGE_SPARE_KW if asked.charge else REST_SPARE_KW
        more_kw = max(asked.rise_kw - ending_kw, 0.0)
        after = room.less(spare_kw).beside_inverter(more_kw)
        if min(after.import_kw, *after.phase_kw) < -_NOTHING_KW:
            return self, None
        grant = BatteryGrant(now_s, now_s + GRANT_LIFE_S, asked.rise_kw)
        return self._replace(asked=None, granted=grant, granted_at_kw=self.battery_kw), grant

    def shifted(self, by_s: float) -> BatteryLeave:
        """Move along with a clock that was set; who waits asks again."""
        granted = self.granted and self.granted._replace(at_s=self.granted.at_s + by_s)
        return self._replace(asked=None, granted=granted)


def rise_kw(choice: BatteryChoice, reading: BatteryReading | None, battery: BatteryModel) -> float:
    """Tell how much more than now the house would draw from the grid by a choice [kW].

    A battery that says nothing is taken as resting; in self-use it gives what it can.
    """
    gives_kw = (reading and reading.power_kw) or 0.0
    match choice.mode:
        case BatteryMode.SELF_USE:
            return 0.0
        case BatteryMode.HOLD:
            more_kw = gives_kw
        case BatteryMode.CHARGE_GRID:
            more_kw = gives_kw + _rate_kw(choice, battery.max_charge_kw)
        case BatteryMode.SELL:
            more_kw = gives_kw - _rate_kw(choice, battery.max_discharge_kw)
    return max(more_kw, 0.0)


def lets(leave: BatteryGrant | None, more_kw: float, now_s: float) -> bool:
    """Tell if a choice that draws so much more may be taken now."""
    let_kw = leave.rise_kw if leave is not None and now_s <= leave.valid_until_s else 0.0
    return more_kw <= let_kw + LITTLE_KW


def waiting(choice: BatteryChoice, before: BatteryChoice) -> BatteryChoice:
    """Go on as before, to its stop, while a choice waits for leave."""
    return choice._replace(
        mode=before.mode,
        rate_kw=before.rate_kw,
        stop_soc_frac=before.stop_soc_frac,
        reason=f"waits for power, then {choice.mode}: {choice.reason}",
    )


def _rate_kw(choice: BatteryChoice, most_kw: float) -> float:
    return most_kw if choice.rate_kw is None else choice.rate_kw
