"""The market's chart is read with suspicion, and a good day is never forgotten."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pems_actors.domain.time_grid import TimeGrid
from pems_actors.domain.units import DAY_S, HOUR_S, MINUTE_S, seconds
from pems_actors.gateways.http_feed import FeedError, http_get
from pems_actors.gateways.prices import CachedPrices, OteClient, parse_day

PRAGUE = ZoneInfo("Europe/Prague")
DAY = date(2026, 1, 15)
NEXT_DAY = date(2026, 1, 16)


def chart(prices: list[object], day: date = DAY, title: str | None = None) -> bytes:
    """Write a day's chart as the operator publishes it: volumes first, then prices."""
    points = [{"x": str(k + 1), "y": price} for k, price in enumerate(prices)]
    volumes = [{"x": str(k + 1), "y": 900.5} for k in range(len(prices))]
    told = f"Day-ahead market results CZ - {day:%d.%m.%Y}" if title is None else title
    return json.dumps(
        {
            "axis": {"x": {"legend": "Period"}, "y": {"legend": "Price (EUR/MWh)"}},
            "data": {
                "dataLine": [
                    {"title": "Volume (MWh)", "point": volumes},
                    {"title": "15min price (EUR/MWh)", "point": points},
                ]
            },
            "graph": {"title": told},
        }
    ).encode()


@pytest.mark.parametrize(
    ("day", "count"), [(DAY, 96), (date(2026, 3, 29), 92), (date(2026, 10, 25), 100)]
)
def test_quarter_hours_are_read_for_days_of_any_length(day: date, count: int) -> None:
    prices = [float(k) for k in range(count)]
    assert parse_day(chart([*prices], day), day) == tuple(prices)


@pytest.mark.parametrize(
    ("day", "count"), [(DAY, 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_hours_hold_for_their_four_quarters(day: date, count: int) -> None:
    read = parse_day(chart([float(k) for k in range(count)], day), day)
    assert read is not None
    assert len(read) == 4 * count
    assert read[4:8] == (1.0,) * 4


def test_negative_prices_are_prices() -> None:
    read = parse_day(chart([-12.5] * 96), DAY)
    assert read is not None
    assert set(read) == {-12.5}


def test_the_finest_price_line_is_taken_by_its_title() -> None:
    body = json.loads(chart([1.0] * 96))
    hours = [{"x": k + 1, "y": 7.0} for k in range(24)]
    body["data"]["dataLine"].insert(1, {"title": "60min price (EUR/MWh)", "point": hours})
    assert parse_day(json.dumps(body).encode(), DAY) == (1.0,) * 96


def test_without_titles_the_second_line_is_the_price() -> None:
    body = json.loads(chart([2.0] * 96))
    for line in body["data"]["dataLine"]:
        del line["title"]
    assert parse_day(json.dumps(body).encode(), DAY) == (2.0,) * 96


def test_an_empty_chart_is_not_published_yet() -> None:
    body = json.loads(chart([]))
    assert parse_day(json.dumps(body).encode(), DAY) is None
    body["data"]["dataLine"] = []
    assert parse_day(json.dumps(body).encode(), DAY) is None


@pytest.mark.parametrize("title", ["Results - 14.01.2026", "Results 14. 1. 2026", "2026-01-14"])
def test_yesterdays_chart_under_todays_name_is_refused(title: str) -> None:
    with pytest.raises(FeedError, match="asked for the prices of 2026-01-15"):
        parse_day(chart([1.0] * 96, title=title), DAY)


def test_a_chart_without_a_date_is_read() -> None:
    assert parse_day(chart([1.0] * 96, title="Day-ahead market"), DAY) is not None


@pytest.mark.parametrize("count", [1, 23, 25, 92, 95, 100, 200])
def test_a_wrong_number_of_points_is_refused(count: int) -> None:
    with pytest.raises(FeedError, match="has 96 quarter hours"):
        parse_day(chart([1.0] * count), DAY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        chart([10**400] * 96),
        b"<html>Service unavailable</html>",
        b"[]",
        b'{"data": null}',
        b'{"data": {"dataLine": [{"point": []}]}}',
        b'{"data": {"dataLine": 5}}',
        chart([None] * 96),
        chart(["dear"] * 96),
        chart([float("nan")] * 96),
    ],
)
def test_what_is_no_chart_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(FeedError, match=str(DAY)):
        parse_day(body, DAY)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["data", "dataLine", "point", "x", "y"]), inner, max_size=3
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_do_anything_but_parse_or_be_refused(body: bytes) -> None:
    try:
        read = parse_day(body, DAY)
    except FeedError:
        return
    assert read is None or len(read) == 96


def test_the_client_asks_for_the_day_in_quarter_hours() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return chart([5.0] * 96)

    assert OteClient(fetch).day(DAY) == (5.0,) * 96
    assert asked[0].startswith("https://www.ote-cr.cz/")
    assert "report_date=2026-01-15&time_resolution=PT15M" in asked[0]


class Market:
    """A market whose days can be published, withheld or broken; it counts the calls."""

    def __init__(self) -> None:
        self.days: dict[date, tuple[float, ...]] = {}
        self.broken: Exception | None = None
        self.asked: list[date] = []

    def day(self, day: date) -> tuple[float, ...] | None:
        self.asked.append(day)
        if self.broken:
            raise self.broken
        return self.days.get(day)


def prices_of(day: date) -> tuple[float, ...]:
    return tuple(day.toordinal() % 50 + 0.1 * k for k in range(96))


NOON_S = seconds("2026-01-15T12:00:00+01:00")
BOTH = TimeGrid.uniform(seconds("2026-01-15T00:00:00+01:00"), 192)


def test_today_is_read_at_once_and_tomorrow_when_it_can_be_out() -> None:
    market = Market()
    market.days = {DAY: prices_of(DAY), NEXT_DAY: prices_of(NEXT_DAY)}
    cache = CachedPrices(market)
    told = cache.spot_eur_mwh(BOTH, NOON_S)
    assert told[:96] == pytest.approx(prices_of(DAY))
    assert told[96:] == (None,) * 96
    told = cache.spot_eur_mwh(BOTH, NOON_S + 1.1 * HOUR_S)
    assert told[96:] == pytest.approx(prices_of(NEXT_DAY))
    assert market.asked == [DAY, NEXT_DAY]


def test_a_known_day_is_not_asked_for_again() -> None:
    market = Market()
    market.days = {DAY: prices_of(DAY)}
    cache = CachedPrices(market)
    for minute in range(30):
        cache.spot_eur_mwh(BOTH, NOON_S + minute * MINUTE_S)
    assert market.asked == [DAY]


def test_a_day_that_is_late_is_asked_for_every_quarter_hour() -> None:
    market = Market()
    market.days = {DAY: prices_of(DAY)}
    cache = CachedPrices(market)
    for minute in range(120, 240):
        cache.spot_eur_mwh(BOTH, NOON_S + minute * MINUTE_S)
    assert market.asked.count(NEXT_DAY) == 8


def test_a_broken_market_is_asked_less_and_less_and_never_raises() -> None:
    market = Market()
    market.broken = FeedError("the market is down")
    cache = CachedPrices(market)
    for minute in range(180):
        assert cache.spot_eur_mwh(BOTH, NOON_S - 2 * HOUR_S + minute * MINUTE_S) == (None,) * 192
    assert cache.last_error == "the market is down"
    assert market.asked.count(DAY) < 12


def test_a_market_that_asks_for_patience_is_given_it() -> None:
    market = Market()
    market.broken = FeedError("429 too many requests", retry_after_s=2 * HOUR_S)
    cache = CachedPrices(market)
    for minute in range(110):
        cache.spot_eur_mwh(BOTH, NOON_S - 3 * HOUR_S + minute * MINUTE_S)
    assert market.asked.count(DAY) == 1


def test_good_prices_outlive_a_market_that_breaks_later() -> None:
    market = Market()
    market.days = {DAY: prices_of(DAY)}
    cache = CachedPrices(market)
    cache.spot_eur_mwh(BOTH, NOON_S)
    market.broken = FeedError("down")
    assert cache.spot_eur_mwh(BOTH, NOON_S + 3 * HOUR_S)[:96] == pytest.approx(prices_of(DAY))


def test_tomorrow_with_all_of_todays_prices_is_refused() -> None:
    market = Market()
    market.days = {DAY: prices_of(DAY), NEXT_DAY: prices_of(DAY)}
    cache = CachedPrices(market)
    cache.spot_eur_mwh(BOTH, NOON_S)
    told = cache.spot_eur_mwh(BOTH, NOON_S + 2 * HOUR_S)
    assert told[96:] == (None,) * 96
    assert "those of the day before" in str(cache.last_error)


def test_the_past_is_filled_in_a_few_days_per_call() -> None:
    market = Market()
    market.days = {DAY - timedelta(days=k): prices_of(DAY - timedelta(days=k)) for k in range(9)}
    cache = CachedPrices(market)
    grid = TimeGrid.uniform(BOTH.start_s - 7 * DAY_S, 8 * 96)
    told = cache.spot_eur_mwh(grid, NOON_S)
    assert len(market.asked) == 2
    for _ in range(5):
        told = cache.spot_eur_mwh(grid, NOON_S)
    assert None not in told


def test_a_slot_that_is_only_half_known_is_unknown() -> None:
    market = Market()
    market.days = {DAY: prices_of(DAY)}
    end_s = BOTH.edges_s[96]
    over_midnight = TimeGrid((end_s - HOUR_S, end_s, end_s + HOUR_S))
    told = CachedPrices(market).spot_eur_mwh(over_midnight, NOON_S)
    assert told == (pytest.approx(sum(prices_of(DAY)[92:]) / 4.0), None)


def test_remembered_days_must_be_whole() -> None:
    with pytest.raises(ValueError, match="96 quarter hours, 24 prices"):
        CachedPrices(Market()).remember(DAY, (1.0,) * 24)


@contextmanager
def site(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """Serve one answer on the loopback address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/feed"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_page_is_read_whole() -> None:
    with site(200, b"prices") as url:
        assert http_get(url) == b"prices"


def test_a_refusing_server_is_told_with_its_wish_for_patience() -> None:
    with site(429, b"", Retry_After="120") as url, pytest.raises(FeedError, match="429") as caught:
        http_get(url)
    assert caught.value.retry_after_s == 120.0


def test_a_flood_is_cut_off() -> None:
    with site(200, b"x" * 5_000_001) as url, pytest.raises(FeedError, match="more than 5 MB"):
        http_get(url)


def test_only_web_addresses_are_read() -> None:
    with pytest.raises(FeedError, match="begins with https"):
        http_get("file:///etc/passwd")


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    with site(200, b"") as url:
        pass
    with pytest.raises(FeedError, match="cannot be read"):
        http_get(url)
