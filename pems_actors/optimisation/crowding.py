"""Relays and battery together where caps keep many out and floors have to rest for a while.

What each relay's being on is worth in each slot is known from a schedule. With rests priced instead
of forbidden, slots have nothing to do with each other but the battery's charge, and the best relays
and powers are found at once. Prices of rests rise where one is missing; every answer is mended
until all rest in time, and the best one is kept. What relays are worth follows the answers slowly,
for a room that is warm wants no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from pems_actors.optimisation.feeding import Feeding, feeds_of
from pems_actors.optimisation.fitting import Fitting, fitting_of
from pems_actors.optimisation.flexible import resting
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import changes_left
from pems_actors.optimisation.near import Near
from pems_actors.optimisation.program import Index
from pems_actors.optimisation.relays import whole_relays
from pems_actors.optimisation.sequences import MOST_SLOTS, Bits, Bools, bits_of
from pems_actors.optimisation.switching import caps_of

_ANSWERS = 36
_STEPS = (1.0, 0.5, 0.3)  # of a relay's mean worth: by how much the first prices of a rest change
_STEPS_AGAIN = (0.3, 0.5) * 4  # of those that begin at the best so far (2026-11, measured)
_ASTRAY = 0.2  # of each relay's worth in each slot, as a standard deviation
_SAME = 4  # answers alike are enough
_FOLLOWS = 0.1  # of the way to what relays are worth after an answer
_MOST_MENDED = 64
_TURN_SHARE = 0.05  # of the mean price of a kWh, per change between taking, resting and giving
_DEARER, _CHEAPER = 3.0, 0.9  # after an answer that changes modes too often, and any other
_ALWAYS = 1e5


class Crowd(NamedTuple):
    """Who is on in the near slots, (slots, relays), and what the battery gives, (slots,) [kW]."""

    on: Bools
    feed_kw: Array


def crowd_of(near: Near, sun_kw: Array, first: Bools) -> Crowd | None:
    """Find relays and powers of the battery that are good together, in a plan of near slots alone.

    Where others follow, prices say too little of the charge and the changes that those want.

    Args:
        sun_kw: what the roofs give without any plan, (K,).    first: relays that keep the rules.
    Returns: None for other plans, where too many relays hang together, where the battery takes no
        orders, and where nothing that was found keeps the rules.
    """
    case, orders = near.case, near.case.problem.battery_obeys
    rests = resting(case.wants, case.loads_kw).any()
    if not (near.is_all and near.slots <= MOST_SLOTS and orders) or rests:
        return None
    caps = caps_of(case, sun_kw)
    missing_kw = caps.lift[:, None] * (caps.use.sum(axis=1)[:, None] - caps.room_kw)
    feeds_kw = feeds_of(case.problem.battery, float(missing_kw.max()))
    most_kw = np.maximum(case.problem.inverter.ac_limit_kw - sun_kw, 0.0)
    fitting = fitting_of(caps, np.minimum(feeds_kw, most_kw[:, None]))
    if fitting is None:
        return None
    return _Search(near, sun_kw, fitting, Feeding(near, feeds_kw)).found(first)


class _Tried(NamedTuple):
    """Where a course has led: what it costs, who is on, and which feed there is in each slot."""

    cost: float
    on: Bools
    feed: Index


def _cost_of(tried: _Tried) -> float:
    return tried.cost


@dataclass(frozen=True)
class _Search:
    """One house in near slots, what fits under its caps, and its battery."""

    near: Near
    sun_kw: Array
    fitting: Fitting
    feeding: Feeding

    def found(self, first: Bools) -> Crowd | None:
        """Take the best of several courses: some from where it begins, others from the best so far.

        Those others begin a little astray, for what has been found lies in a hollow of its own.
        """
        worth = self._worth(first, self.near.air_c(first))
        tries = [tried for step in _STEPS if (tried := self._tried(worth, step)) is not None]
        if not tries:
            return None
        best, chance = min(tries, key=_cost_of), np.random.default_rng(0)
        for step in _STEPS_AGAIN:
            worth = self._worth(best.on, self.near.air_c(best.on))
            astray = 1.0 + _ASTRAY * chance.standard_normal(worth.shape)
            tried = self._tried(worth * astray, step)
            best = best if tried is None else min(best, tried, key=_cost_of)
        return Crowd(best.on, self.feeding.feeds_kw[best.feed])

    def _tried(self, worth: Array, step: float) -> _Tried | None:
        """Go one course, and let all relays answer each other where it ends."""
        answer = self._course(worth, step)
        if answer is None:
            return None
        on = self._settled(*answer)
        return _Tried(self._cost(on, answer[1], self.near.air_c(on)), on, answer[1])

    def _settled(self, on: Bools, feed: Index) -> Bools:
        """Let every relay answer to all others beside what the battery gives."""
        supply_kw = self.sun_kw + self.feeding.feeds_kw[feed]
        near = self.near.under(caps_of(self.near.case, supply_kw), np.zeros_like(supply_kw))
        return whole_relays(near, 1, on)

    def _course(self, worth: Array, step: float) -> tuple[Bools, Index] | None:
        """Answer prices of rests that rise where one is missing; tell the best answer."""
        price, turn_price = np.zeros(self._runs.shape), self._turn_price
        best, least, again, left = None, np.inf, 0, changes_left(self.near.case)
        for n in range(_ANSWERS):
            rest_price = np.einsum("ml,mlk->km", price, self._in_run)
            on, feed = self._answered(worth - rest_price, turn_price)
            change = step / np.sqrt(1.0 + n) * np.abs(worth).mean(axis=0)
            price = self._corrected(price, on, change)
            on = self._mended(on, feed, worth)
            air_c = self.near.air_c(on)
            cost, often = self._cost(on, feed, air_c), self.feeding.turns(feed) > left
            turn_price *= _DEARER if often else _CHEAPER
            again += cost == least
            if cost < least and not often and self._allowed(on):
                best, least, again = (on, feed), cost, 0
            if again == _SAME:
                break
            worth = worth + _FOLLOWS * (self._worth(on, air_c) - worth)
        return best

    @cached_property
    def _turn_price(self) -> float:
        return _TURN_SHARE * float(np.abs(self.feeding.buy).mean())

    def _answered(self, worth: Array, turn_price: float) -> tuple[Bools, Index]:
        """Find the best relays and powers where slots share the battery alone."""
        best = self.fitting.best(self._decided(worth), np.arange(self.near.slots))
        feed = self.feeding.best(best.value, turn_price)
        return best.on(feed), feed

    def _corrected(self, price: Array, on: Bools, step: Array) -> Array:
        """Raise the prices of runs without a rest, and lower those of runs with several."""
        rests = (~on.T[:, None, :] & self._in_run).sum(axis=2)
        sign = self._counts * ((rests == 0) - 0.5 * (rests > 1))
        return np.asarray(np.maximum(price + step[:, None] * sign / self._overlap, 0.0))

    def _mended(self, on: Bools, feed: Index, worth: Array) -> Bools:
        """Let the largest relay that misses a rest have it where that costs least, and so on."""
        on, resting, decided = on.copy(), np.zeros_like(on), self._decided(worth)
        for _ in range(_MOST_MENDED):
            missed = self._missed(bits_of(on.T))
            if not missed.any():
                break
            m = int(np.argmax(missed.any(axis=1) * self.near.case.power_kw))
            helps = self._in_run[m][missed[m]].sum(axis=0)
            at = np.nonzero(helps == helps.max())[0]
            kept = np.where(resting[at] | self._needs_rest(on, at), -_ALWAYS, decided[at])
            kept[:, m] = -_ALWAYS
            best = self.fitting.best(kept, at, feed[at])
            loss = (worth[at] * on[at]).sum(axis=1) - best.value[:, 0]
            least = int(loss.argmin())
            resting[at[least], m] = True
            on[at[least]] = best.on(np.zeros_like(at))[least]
        return on

    def _needs_rest(self, on: Bools, at: Index) -> Bools:
        """Mark relays that are off in a slot for the sake of a run, (n, relays)."""
        turned_on = bits_of(on.T) | (1 << at)[:, None]
        return np.asarray(self._missed(turned_on).any(axis=2) & ~on[at])

    def _missed(self, bits: Bits) -> Bools:
        """Mark the runs in which relays do not rest, (..., relays, runs)."""
        return np.asarray((bits[..., None] & self._runs == self._runs) & self._counts)

    def _decided(self, worth: Array) -> Array:
        """Let commitments outweigh everything."""
        on, off = self.near.commitments.on, self.near.commitments.off
        never = off | self.near.closed[: self.near.slots]
        return np.where(on, _ALWAYS, np.where(never, -_ALWAYS, worth))

    def _allowed(self, on: Bools) -> bool:
        bits = bits_of(on.T)
        return all(self.near.allowed(m, bits[[m]])[0] for m in range(len(bits)))

    @cached_property
    def _runs(self) -> Bits:
        """List the runs in which each relay has to rest, as whole numbers, (relays, runs)."""
        runs = [rule.too_long for rule in self.near.rules]
        most = max(map(len, runs))
        return np.array([[*run, *[0] * (most - len(run))] for run in runs], dtype=np.int64)

    @cached_property
    def _counts(self) -> Bools:
        """Mark the runs that there are, (relays, runs)."""
        return self._runs > 0

    @cached_property
    def _in_run(self) -> Bools:
        """Mark the slots of each run, (relays, runs, slots)."""
        return np.asarray(self._runs[:, :, None] >> np.arange(self.near.slots) & 1 > 0)

    @cached_property
    def _overlap(self) -> int:
        """Count the runs that a slot may be in: they share a price."""
        return max(int(self._in_run.sum(axis=1).max(initial=1)), 1)

    def _worth(self, on: Bools, air_c: Array) -> Array:
        """Tell what a relay's being on saves in a slot, all else as it is, (slots, relays)."""
        near = self.near
        relay, room, answer = near.pairs
        rise, air = answer.transpose(2, 0, 1), air_c.T[room]  # (slot, pairs, end)
        without = air - rise * on[:, relay, None]
        felt = self._felt(without + rise, room) - self._felt(without, room)
        cost = near.later_cost.T.copy()
        np.add.at(cost.T, relay, felt.T)
        each, weight = np.arange(on.shape[1]), near.weights[:, None]
        off = near.levels(on.T) - weight * on
        cost += near.remainder_cost[each, off + weight] - near.remainder_cost[each, off]
        beside = np.vstack([near.on_before, on, np.zeros_like(on[:1])]).astype(float)
        cost += near.start_cost * (1.0 - beside[:-2] - beside[2:])
        drawn = self._net_kw(on) > 0.0
        price = np.where(drawn, self.feeding.buy, near.case.stages.sell[: near.slots])
        return np.asarray(-cost - (near.hours * price)[:, None] * near.case.power_kw)

    def _felt(self, air: Array, room: Index) -> Array:
        """Price the air of rooms at slot ends, (..., rooms, ends), over the ends."""
        stages, weights = self.near.case.stages, self.near.case.problem.weights
        low, high = stages.low_c[:, room].T, stages.high_c[:, room].T
        cold = np.maximum(low - air, 0.0) * weights.cold_per_kh
        warm = np.maximum(air - high, 0.0) * weights.warm_per_kh
        return np.asarray((cold + warm) @ self.near.hours)

    def _cost(self, on: Bools, feed: Index, air_c: Array) -> float:
        """Price relays and powers of the battery together."""
        near, each = self.near, np.arange(on.shape[1])
        before = np.vstack([near.on_before, on[:-1]])
        return float(
            self.feeding.cost(self._net_kw(on), feed)
            + (near.later_cost.T * on).sum()
            + near.remainder_cost[each, near.levels(on.T)].sum()
            + near.discomfort_of(air_c, np.arange(len(near.case.rooms.names))).sum()
            + near.start_cost @ (on & ~before).sum(axis=0)
        )

    def _net_kw(self, on: Bools) -> Array:
        """Tell what the house draws beside its sun, (slots,)."""
        return np.asarray(
            self.near.case.stages.base_kw - self.sun_kw + on @ self.near.case.power_kw
        )
