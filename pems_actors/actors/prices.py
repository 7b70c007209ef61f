"""The prices: asks the market every quarter hour, fills what is not published, adds the tariff."""

from __future__ import annotations

from typing import Any

from pems_actors.actors.base import INVERTER, METRICS, PLANNER, HouseActor
from pems_actors.domain.events import Republish, Tick
from pems_actors.domain.ports import PriceSource
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.durable.kept import PricesKept
from pems_actors.economics.tariff import Tariff
from pems_actors.forecasting.prices import PriceLadder
from supervision import Context, Health

AHEAD_QUARTERS = 50 * 4
WEEK_S = 7 * DAY_S


class PricesActor(HouseActor):
    """Its state is every accepted price of the last nine days."""

    state: PriceLadder

    def __init__(self, context: Context, source: PriceSource, tariff: Tariff) -> None:
        super().__init__(context)
        self.source, self.tariff = source, tariff
        self.told_s = float("-inf")

    def on_start(self) -> None:
        """Learn the past week first: the unpublished tail is filled from it."""
        super().on_start()
        self.tell(self.path, Tick())

    def first_state(self) -> PriceLadder:
        """Begin with the prices accepted before a restart."""
        kept = self.recall() or PricesKept()
        return PriceLadder(self.tariff.timezone, known=kept.known)

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case Tick():
                now_s = self.now_s()
                self.after(QUARTER_S - now_s % QUARTER_S, Tick())
                self._ask(now_s)
            case Republish():
                self._tell()
            case _:
                return super().on_receive(message)
        return None

    def _ask(self, now_s: float) -> None:
        before = self.state
        back_s = 0.0 if before.known else WEEK_S
        grid = self._grid(now_s, back_s)
        try:
            published = self.source.spot_eur_mwh(grid, now_s)
        except OSError as problem:
            self.health(Health.DEGRADED, f"price source: {problem}")
        else:
            self.state = before.observe(grid, published, now_s)
            if self.state.known is not before.known:
                self.remember(PricesKept(self.state.known))
            flags = self.state.flags
            self.health(
                Health.DEGRADED if flags else Health.RUNNING, "; ".join(flags) or "as published"
            )
        if self.state is not before or now_s // HOUR_S != self.told_s // HOUR_S:
            self._tell()

    def _tell(self) -> None:
        """Tell the curve; it is the same within the hour unless the market has news."""
        now_s = self.told_s = self.now_s()
        grid = self._grid(now_s, 0.0)
        spot = self.state.spot(grid, now_s)
        curve = self.tariff.price_curve(
            grid, spot.eur_mwh, now_s, spot.published_until_s, spot.source
        )
        for address in (PLANNER, INVERTER, METRICS):
            self.tell(address, curve)

    @staticmethod
    def _grid(now_s: float, back_s: float) -> TimeGrid:
        start_s = now_s - now_s % QUARTER_S - back_s
        return TimeGrid.uniform(start_s, AHEAD_QUARTERS + round(back_s / QUARTER_S))
