"""What the battery is to give or take in each half hour, where each power lets other relays in.

Exact but for a grid of charge: a dynamic programme over the charge and over what the battery was
told last, for a change of mode has its price. What is worth what is known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from pems_actors.domain.house import BatteryMode, BatteryModel
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import decision_slots
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.program import Index

_STEP_KW = 0.1
_TAKES_KW = 3.0
_CHARGE_KWH = 0.05
_KEPT_SOC = 0.021  # a battery weaker than believed must not stop while relays count on it
_TAKES, _RESTS, _GIVES = range(3)
_KIND = {BatteryMode.CHARGE_GRID: _TAKES, BatteryMode.HOLD: _RESTS, BatteryMode.SELL: _GIVES}
_SLIGHT = 1e-6


def feeds_of(battery: BatteryModel, missing_kw: float) -> Array:
    """List what a battery may be told to give, below zero what it takes, (feeds,) [kW].

    Args:
        missing_kw: what it takes to let everybody in.
    """
    takes = np.arange(0.0, min(battery.max_charge_kw, _TAKES_KW) + _SLIGHT, 2 * _STEP_KW)
    most_kw = min(battery.max_discharge_kw, missing_kw + _STEP_KW)
    gives = np.arange(_STEP_KW, most_kw + _SLIGHT, _STEP_KW)
    return np.concatenate([-takes[::-1], gives]).round(1) + 0.0


@dataclass(frozen=True)
class Feeding:
    """A battery in the near slots that may be told some powers, (feeds,) [kW]."""

    near: Near
    feeds_kw: Array

    def best(self, value: Array, turn_price: float) -> Index:
        """Find the feed of each slot, (slots,).

        Args:
            value: what the relays beside each feed are worth, (slots, feeds).
            turn_price: of each change between taking, resting and giving.
        """
        turns = turn_price * (np.arange(3)[:, None] != self._kind)  # (told last, feeds)
        gains = [(value[half] + self._spared[half]).sum(axis=0) for half in self._halves]
        onward = [_beyond(np.tile(self.end_price * self._charges, (3, 1)))]
        for gain, place in zip(gains[::-1], self._places[::-1], strict=True):
            after = onward[-1].take(place) + gain  # (points, feeds)
            best = np.maximum.reduceat(after, self._kinds_begin, axis=1).T  # (kinds, points)
            others = best - turn_price
            onward.append(_beyond(np.maximum(best, others.max(axis=0))))
        return self._followed(gains, onward[-2::-1], turns)

    def _followed(self, gains: list[Array], onward: list[Array], turns: Array) -> Index:
        """Go through the half hours with the real charge.

        Args:
            gains: what each feed gives at once.    onward: what charge is worth at each end.
            turns: the price of being told another kind, (told last, feeds).
        """
        charge, kind, feeds = self._case.first_kwh, _RESTS, []
        for n, half in enumerate(self._halves):
            point = int((charge - self._charges[0]) / _CHARGE_KWH + _SLIGHT)
            point = min(max(point, 0), len(self._charges) - 1)
            after = onward[n].take(self._places[n][point]) + gains[n] - turns[kind]
            feed = int(after.argmax())
            charge, kind = charge + float(self._stored[n, feed]), int(self._kind[feed])
            feeds.append(np.full(len(half), feed))
        return np.concatenate(feeds)

    def turns(self, feed: Index) -> int:
        """Count the changes of mode up to the last feed that is not nothing."""
        kinds = self._kind[feed]
        until = int(np.max(np.nonzero(kinds != _RESTS)[0], initial=-1)) + 1
        now = _KIND.get(self._case.problem.state.battery_mode, -1)
        return sum(a != b for a, b in pairwise([now, *kinds[:until].tolist()]))

    def cost(self, net_kw: Array, feed: Index) -> float:
        """Price what is drawn, (slots,), less what is fed, the wear, and the charge it takes."""
        near, feed_kw = self.near, self.feeds_kw[feed]
        grid_kw = net_kw - feed_kw
        money = np.where(grid_kw > 0.0, self.buy, self._case.stages.sell[: near.slots]) * grid_kw
        money += self._wear * np.maximum(feed_kw, 0.0) - self.end_price * self._stored_kw(feed_kw)
        return float(near.hours @ money)

    @property
    def _case(self) -> Case:
        return self.near.case

    @cached_property
    def buy(self) -> Array:
        """Price of a kWh from the grid, (slots,)."""
        return self.near.relaxed.import_price[: self.near.slots]

    @cached_property
    def end_price(self) -> float:
        """Price of a stored kWh at the end of the near slots."""
        return float(self.near.relaxed.charge_price[self.near.slots - 1])

    @cached_property
    def _wear(self) -> float:
        return self._case.problem.battery.wear_per_kwh * self._case.problem.weights.wear_factor

    @cached_property
    def _kind(self) -> Index:
        """Tell of each feed whether the battery takes, rests or gives, (feeds,)."""
        return np.sign(self.feeds_kw).astype(np.intp) + _RESTS

    @cached_property
    def _kinds_begin(self) -> Index:
        """Tell with which feed each kind begins: taking, resting, giving.

        A kind without a feed begins with resting, which is as good from wherever it is looked at.
        """
        begin = np.searchsorted(self._kind, range(3))
        return np.where(begin < len(self._kind), begin, begin[_RESTS])

    @cached_property
    def _halves(self) -> list[Index]:
        """List the slots between which orders may change."""
        may = decision_slots(self._case)[: self.near.slots]
        return np.split(np.arange(self.near.slots), np.nonzero(may[1:])[0] + 1)

    @cached_property
    def _charges(self) -> Array:
        """Give the points of charge that are looked at, from what is always kept [kWh]."""
        low, most = self._case.soc_window_kwh
        kept = low + _KEPT_SOC * self._case.problem.battery.capacity_kwh
        return np.arange(min(kept, self._case.first_kwh), most + _SLIGHT, _CHARGE_KWH)

    @cached_property
    def _places(self) -> list[Index]:
        """Tell per half hour where each feed leads to from each point, (points, feeds).

        A place counts through the charges after each kind; one beyond all is out of the window.
        """
        points, places = len(self._charges), []
        for more in self._stored:
            there = np.floor(np.arange(points)[:, None] + more / _CHARGE_KWH + _SLIGHT)
            inside = (there >= 0) & (there < points)
            places.append(np.where(inside, self._kind * points + there, 3 * points).astype(np.intp))
        return places

    @cached_property
    def _spared(self) -> Array:
        """Give what each feed saves of the grid's power, less wear, (slots, feeds)."""
        saved = self.buy[:, None] * self.feeds_kw - self._wear * np.maximum(self.feeds_kw, 0.0)
        return np.asarray(self.near.hours[:, None] * saved)

    @cached_property
    def _stored(self) -> Array:
        """Give what each feed stores in each half hour, (halves, feeds) [kWh]."""
        hours = np.array([self.near.hours[half].sum() for half in self._halves])
        return hours[:, None] * self._stored_kw(self.feeds_kw)

    def _stored_kw(self, feed_kw: Array) -> Array:
        leg = self._case.problem.battery.leg_frac
        return np.where(feed_kw > 0.0, -feed_kw / leg, -feed_kw * leg)


def _beyond(onward: Array) -> Array:
    """Put what charge is worth, (kinds, points), in one row; at its end, what leads nowhere."""
    return np.append(onward.ravel(), -np.inf)
