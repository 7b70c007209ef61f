"""A reason for every action, in one short English sentence, from the same figures that chose it.

Order of telling: what is not ours to decide (block, service, dwell), then comfort, then what is
ahead (a block), then money: what a kWh of heat or charge is worth beside what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pems_actors.domain.house import BatteryMode
from pems_actors.optimisation.case import Case
from pems_actors.optimisation.flexible import resting, why
from pems_actors.optimisation.grid import Array
from pems_actors.optimisation.modes import ModeSlot
from pems_actors.optimisation.relaxed import Relaxed
from pems_actors.optimisation.switching import Commitments

_AHEAD_H = 3.0
_DAY_H = 24.0
_ON = 0.02  # duty from which a relaxed relay counts as heating
_COLD_K = 0.05


@dataclass(frozen=True)
class Reasons:
    """Everything needed to say why, for one plan."""

    case: Case
    relaxed: Relaxed
    commitments: Commitments
    duty: Array  # (K, relays)
    air_c: Array  # at slot starts, (K, R)
    modes: tuple[ModeSlot, ...]

    def of_slot(self, k: int) -> dict[str, str]:
        """Tell why each relay and load, battery and export switch do what they do in slot k."""
        said = self._relays(k)
        said["battery"] = self._battery(k)
        said["export"] = self._export(k)
        said |= why(self.case.wants, self.case.stages, self.case.loads_kw, self.prices, k)
        return said

    @cached_property
    def cheaper_share(self) -> list[float]:
        """Share of the following day's time that is cheaper than each slot, (K,)."""
        stages = self.case.stages
        ahead = stages.start_s[None, :] - stages.start_s[:, None]
        day = ((ahead >= 0.0) & (ahead < _DAY_H * 3600.0)) * stages.hours
        cheaper = stages.buy[None, :] < stages.buy[:, None] - 1e-9
        return _rows((day * cheaper).sum(axis=1) / day.sum(axis=1))

    @cached_property
    def hours_to_block(self) -> list[float]:
        """Hours until the next tariff block begins, infinite where none is ahead, (K,)."""
        stages = self.case.stages
        begins = stages.start_s[stages.blocked]
        ahead = (begins[None, :] - stages.start_s[:, None]) / 3600.0
        return _rows(np.where(ahead > 0.0, ahead, np.inf).min(axis=1, initial=np.inf))

    @cached_property
    def heat_worth(self) -> list[list[float]]:
        """Worth of a kWh through each relay, by the shares of its rooms, (K, relays)."""
        return _rows(self.relaxed.heat_price @ self.case.share.T)

    @cached_property
    def cold_k(self) -> list[list[float]]:
        """How far the neediest room of each relay is under its band at slot start, (K, relays)."""
        short = self.case.stages.low_c - self.air_c
        return _rows(np.array([short[:, m].max(axis=1) for m in self.case.share > 0.0]).T)

    @cached_property
    def heats(self) -> list[list[bool]]:
        """Whether each relay heats in each slot, (K, relays)."""
        return _rows(self.duty > _ON)

    @cached_property
    def not_ours(self) -> list[list[str | None]]:
        """What decided each relay in each slot before we could, (K, relays)."""
        case, near = self.case, self.commitments
        said = np.full(self.duty.shape, None, dtype=object)
        said[: len(near.off)][near.off] = "off: it has just stopped and rests for its minimum time"
        said[: len(near.on)][near.on] = "on: it has just started and stays for its minimum time"
        said[case.stages.blocked] = "off: the tariff blocks heating"
        out = [relay.name in case.problem.out_of_service for relay in case.problem.relays]
        said[:, np.array(out, dtype=bool)] = "off: out of service"
        return _rows(said)

    @cached_property
    def rests(self) -> list[bool]:
        """Whether the battery rests because a car is charged, (K,)."""
        return _rows(resting(self.case.wants, self.case.loads_kw))

    @cached_property
    def prices(self) -> list[str]:
        """The price of each slot and where it stands among the following day's, as text."""
        return [
            f"power at {buy:.2f} ({_standing(share)})"
            for buy, share in zip(self.case.stages.buy, self.cheaper_share, strict=True)
        ]

    def _relays(self, k: int) -> dict[str, str]:
        relays, decided, heats = self.case.problem.relays, self.not_ours[k], self.heats[k]
        return {
            relay.name: decided[m] or (self._why_on(k, m) if heats[m] else self._why_off(k, m))
            for m, relay in enumerate(relays)
        }

    def _why_on(self, k: int, m: int) -> str:
        cold, block = self.cold_k[k][m], self.hours_to_block[k]
        if cold > _COLD_K:
            return f"on: {cold:.1f} K under its band, {self.prices[k]}"
        if block <= _AHEAD_H:
            return f"on: pre-heats, the tariff blocks heating in {block:.1f} h"
        return f"on: heat is worth {self.heat_worth[k][m]:.2f}, {self.prices[k]}"

    def _why_off(self, k: int, m: int) -> str:
        worth, cost = self.heat_worth[k][m], self.relaxed.power_price[k]
        if self.cold_k[k][m] > _COLD_K:
            return f"off: under its band, but other rooms or a limit come first, {self.prices[k]}"
        if worth < cost:
            return f"off: warm enough, heat is worth {worth:.2f}, {self.prices[k]}"
        return "off: another quarter of an hour serves as well"

    def _battery(self, k: int) -> str:
        slot, worth = self.modes[k], self.relaxed.charge_price[k]
        price = self.prices[k]
        match slot.mode:
            case BatteryMode.CHARGE_GRID:
                return f"charges from the grid: a stored kWh is worth {worth:.2f}, {price}"
            case BatteryMode.SELL:
                return f"sells: export earns {self.case.stages.sell[k]:.2f}, stored {worth:.2f}"
            case BatteryMode.HOLD:
                if self.rests[k]:
                    return "holds its charge: it is not for the car that is charged meanwhile"
                return f"holds its charge for dearer hours, worth {worth:.2f}, {price}"
            case _:
                return _self_use(slot.flow.battery_kw, price)

    def _export(self, k: int) -> str:
        sell = self.case.stages.sell[k]
        if sell < 0.0:
            return f"off: exporting would cost {-sell:.2f} per kWh"
        return f"allowed: a kWh earns {sell:.2f}"


def _rows(table: NDArray[Any]) -> list[Any]:
    """Turn an array (K, ...) into plain values: they are much quicker to compare and to write."""
    return list(table.tolist())


def _self_use(battery_kw: float, price: str) -> str:
    if battery_kw > 0.05:
        return f"serves the house from storage, {price}"
    if battery_kw < -0.05:
        return "stores what the sun gives beyond the house's need"
    return f"ready for sun and load, {price}"


def _standing(cheaper_share: float) -> str:
    """Say where a price stands in its day."""
    if cheaper_share <= 0.0:
        return "the lowest of a day"
    if cheaper_share >= 0.75:
        return "among the dearest hours"
    if cheaper_share <= 0.25:
        return "among the cheapest hours"
    return "a middling hour"
