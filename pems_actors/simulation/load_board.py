"""The flexible loads of the simulated house: a car that comes and goes, a boiler that is used.

Each draws its whole power while it may and wants to. It may unless a leased order holds it back, or
the tariff's contactor does. What a day really takes is drawn from the seed: nobody is told.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from pems_actors.domain.commands import SetLoad
from pems_actors.domain.flexible_load import (
    WATER_KWH_L_K,
    FlexibleLoad,
    LoadKind,
    LoadReading,
)
from pems_actors.domain.units import HOUR_S

HOME_H = 17.0  # a car comes home at this local hour
COLD_C, TAP_C, WARM_C, BAND_K = 12.0, 50.0, 62.0, 6.0
LITRES = 150.0  # of a boiler that does not say
LOSS_KW = 0.06


@dataclass
class _Device:
    """One load as it is: what it still takes, and who holds it back."""

    load: FlexibleLoad
    dice: random.Random
    lease_until_s: float = -inf
    held: bool = False
    ignores: bool = False  # whoever holds it back
    draws: bool = False
    home: bool = False
    takes_kwh: float = 0.0
    temp_c: float = TAP_C
    drawn_kwh: float = 0.0
    hour: float = field(default=-1.0)

    @property
    def litres(self) -> float:
        return self.load.volume_l or LITRES

    def live(self, hour: float) -> None:
        """Let the car come and go."""
        home = hour >= HOME_H or hour < self.load.by_h
        if self.load.kind is LoadKind.CAR and home is not self.home:
            usual_kwh = self.load.every_day_kwh or 10.0
            self.takes_kwh = usual_kwh * self.dice.uniform(1.1, 1.6) if home else 0.0
            self.home = home
        self.hour = hour

    def wants(self) -> bool:
        """Whether it would draw if it may: a car that is not full, a boiler under its heat."""
        if self.load.kind is LoadKind.CAR:
            return self.home and self.takes_kwh > 0.0
        return self.temp_c < (WARM_C if self.draws else WARM_C - BAND_K)

    def pass_time(self, dt_s: float) -> None:
        """Take in what is drawn, and lose what is used."""
        hours = dt_s / HOUR_S
        got_kwh = self.load.power_kw * hours if self.draws else 0.0
        self.drawn_kwh += got_kwh
        if self.load.kind is LoadKind.CAR:
            self.takes_kwh = max(self.takes_kwh - got_kwh, 0.0)
            return
        used_kw = self.load.every_day_kwh / 4.0 if 6.0 <= self.hour % 12.0 < 8.0 else 0.0
        warm_kwh = got_kwh - (used_kw + LOSS_KW) * hours
        self.temp_c = max(self.temp_c + warm_kwh / (self.litres * WATER_KWH_L_K), COLD_C)


class LoadBoard:
    """All flexible loads of a house."""

    def __init__(self, loads: Sequence[FlexibleLoad], seed: int) -> None:
        self.loads = tuple(
            _Device(load, random.Random(f"load {load.name} {seed}")) for load in loads
        )
        self.total_kw = 0.0

    def apply(self, command: SetLoad) -> None:
        """Take an order. Raises: ValueError for an unknown load."""
        for device in self.loads:
            if device.load.name == command.load:
                device.held, device.lease_until_s = not command.on, command.lease_until_s
                return
        raise ValueError(f"there is no load {command.load!r}; see the house's loads")

    def ignore(self, load: str, ignores: bool) -> None:
        """Break a load so that nobody holds it back, or repair it."""
        for device in self.loads:
            if device.load.name == load:
                device.ignores = ignores

    def update(self, at_s: float, local_h: float, blocked: bool) -> None:
        """Let contacts move and people come and go."""
        for device in self.loads:
            device.live(local_h)
            held = device.held and at_s < device.lease_until_s and not device.ignores
            free = not held and not (blocked and device.load.tariff_blocked)
            device.draws = free and device.wants()
        self.total_kw = sum(device.load.power_kw for device in self.loads if device.draws)

    def pass_time(self, dt_s: float) -> None:
        """Let all draw for a while."""
        for device in self.loads:
            device.pass_time(dt_s)

    def on_top_of(self, phase_kw: Sequence[float]) -> tuple[float, float, float]:
        """Add the loads to the power of each phase."""
        l1, l2, l3 = phase_kw
        for device in self.loads:
            if device.draws:
                kw, (s1, s2, s3) = device.load.power_kw, device.load.phases
                l1, l2, l3 = l1 + kw * s1, l2 + kw * s2, l3 + kw * s3
        return l1, l2, l3

    def readings(self, at_s: float) -> tuple[LoadReading, ...]:
        """Read all loads: power, whether it could draw at all, and a boiler's heat."""
        return tuple(
            LoadReading(
                device.load.name,
                at_s,
                device.load.power_kw if device.draws else 0.0,
                device.home if device.load.kind is LoadKind.CAR else None,
                round(device.temp_c, 1) if device.load.kind is LoadKind.BOILER else None,
            )
            for device in self.loads
        )

    def figures(self) -> dict[str, float]:
        """Give the energy that each load has drawn; nothing where there is none."""
        return {f"{each.load.name}_kwh": each.drawn_kwh for each in self.loads}

    def to_plain(self) -> dict[str, Any]:
        """Give everything that changes as plain data."""
        return {
            each.load.name: {
                "held": each.held,
                "lease_until_s": each.lease_until_s if each.lease_until_s > -inf else None,
                "home": each.home,
                "takes_kwh": each.takes_kwh,
                "temp_c": each.temp_c,
                "drawn_kwh": each.drawn_kwh,
            }
            for each in self.loads
        }

    def load_plain(self, plain: Mapping[str, Any]) -> None:
        """Go on from plain data; a load that is not in it begins anew."""
        for each in self.loads:
            kept = plain.get(each.load.name)
            if kept is not None:
                until_s = kept["lease_until_s"]
                each.held, each.home = bool(kept["held"]), bool(kept["home"])
                each.lease_until_s = -inf if until_s is None else float(until_s)
                each.takes_kwh, each.temp_c = float(kept["takes_kwh"]), float(kept["temp_c"])
                each.drawn_kwh = float(kept["drawn_kwh"])
