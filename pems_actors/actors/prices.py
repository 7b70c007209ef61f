"""The prices: asks the market every quarter hour, fills what is not published, adds the tariff.

What is published is never touched. The tail beyond it is last week's, or a trained model's where
one is trusted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from pems_actors.actors.as_issued import keep_issue
from pems_actors.actors.base import (
    BATTERY,
    HISTORY,
    INVERTER,
    METRICS,
    PLANNER,
    HouseActor,
    Samples,
)
from pems_actors.actors.feed_health import feed_health
from pems_actors.domain.events import ForecastWanted, Republish, Tick
from pems_actors.domain.forecasts import Forecast, LearnedForecast
from pems_actors.domain.ports import PriceSource
from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, QUARTER_S
from pems_actors.durable.kept import PricesKept
from pems_actors.economics.tariff import Tariff
from pems_actors.forecasting.learned import Learned
from pems_actors.forecasting.prices import PriceLadder, SpotSeries
from supervision import Context, Health

AHEAD_QUARTERS = 50 * 4
LEARNED_QUARTERS = 4 * 96  # from now: the published day and a half, and two days beyond
WEEK_S = 7 * DAY_S
LEARNED_FROM = "learn.price_eur_mwh"  # the series of accepted prices in the history


class PricesMind(NamedTuple):
    """Every accepted price of the last nine days, and what a trained model says of the tail."""

    ladder: PriceLadder
    learned: Learned = Learned()


class PricesActor(HouseActor):
    """Always has a curve: published where it is, otherwise a guess that says so."""

    state: PricesMind

    def __init__(self, context: Context, source: PriceSource, tariff: Tariff) -> None:
        super().__init__(context)
        self.source, self.tariff = source, tariff
        self.told_s = float("-inf")
        self.kept = -1.0

    def on_start(self) -> None:
        """Learn the past week first: the unpublished tail is filled from it."""
        super().on_start()
        self.tell(self.path, Tick())

    def first_state(self) -> PricesMind:
        """Begin with the prices accepted before a restart."""
        kept = self.recall() or PricesKept()
        return PricesMind(PriceLadder(self.tariff.timezone, known=kept.known))

    def on_receive(self, message: object) -> Any:
        """Carry each message to its handler."""
        match message:
            case Tick():
                now_s = self.now_s()
                self.after(QUARTER_S - now_s % QUARTER_S, Tick())
                self._ask(now_s)
            case Republish():
                self._tell()
            case LearnedForecast():
                self.state = self.state._replace(learned=self.state.learned.heard(message))
            case ForecastWanted(by=by):
                now_s = self.now_s()
                start_s = now_s - now_s % QUARTER_S
                grid = TimeGrid.uniform(start_s, LEARNED_QUARTERS)
                self.tell(by, self.state.ladder.spot(grid, now_s))
            case _:
                return super().on_receive(message)
        return None

    def _ask(self, now_s: float) -> None:
        before = self.state.ladder
        back_s = 0.0 if before.known else WEEK_S
        grid = self._grid(now_s, back_s)
        try:
            published = self.source.spot_eur_mwh(grid, now_s)
        except OSError as problem:
            self.health(Health.DEGRADED, f"price source: {problem}")
        else:
            ladder = before.observe(grid, published, now_s)
            self.state = self.state._replace(ladder=ladder)
            if ladder.known is not before.known:
                self._accepted(before, ladder)
            feed_health(self, self.source, ladder.lacking(now_s), "as published")
        if self.state.ladder is not before or now_s // HOUR_S != self.told_s // HOUR_S:
            self._tell()

    def _accepted(self, before: PriceLadder, ladder: PriceLadder) -> None:
        """Keep what is new: for a restart, and for whoever trains."""
        self.remember(PricesKept(ladder.known))
        rows = tuple(
            (LEARNED_FROM, quarter * QUARTER_S, price)
            for quarter, price in sorted(ladder.known.items())
            if before.known.get(quarter) != price
        )
        if rows:
            self.tell(HISTORY, Samples(rows))

    def _tell(self) -> None:
        """Tell the curve; it is the same within the hour unless the market has news."""
        now_s = self.told_s = self.now_s()
        grid = self._grid(now_s, 0.0)
        spot = self.state.ladder.spot(grid, now_s)
        told = self._with_tail(spot)
        curve = self.tariff.price_curve(grid, told.p50, now_s, spot.published_until_s, told.source)
        self.kept = keep_issue(self, "price", told, self.kept)
        for address in (PLANNER, BATTERY, INVERTER, METRICS):
            self.tell(address, curve)

    def _with_tail(self, spot: SpotSeries) -> Forecast:
        """Lay a trained model over what is not published, if one is trusted."""
        now_s = spot.issued_at_s
        own = Forecast("price_eur_mwh", now_s, spot.grid, spot.eur_mwh, source=spot.source)
        laid = self.state.learned.over(own, now_s)
        kept = [start_s < spot.published_until_s for start_s in spot.grid.starts_s]
        if laid is own or all(kept):
            return own

        def tail(learned: tuple[float, ...] | None) -> tuple[float, ...]:
            rows = zip(kept, spot.eur_mwh, learned or laid.p50, strict=True)
            return tuple(known if published else told for published, known, told in rows)

        return replace(laid, p50=tail(laid.p50), p10=tail(laid.p10), p90=tail(laid.p90))

    @staticmethod
    def _grid(now_s: float, back_s: float) -> TimeGrid:
        start_s = now_s - now_s % QUARTER_S - back_s
        return TimeGrid.uniform(start_s, AHEAD_QUARTERS + round(back_s / QUARTER_S))
