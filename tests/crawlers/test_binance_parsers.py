"""What Binance's answers and events mean, and that anything else is a change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings_sources import BinanceSettings
from crawlers.binance_parsers import (
    Streamed,
    parse_event,
    parse_klines,
    parse_listing,
    parse_tickers,
)
from market.errors import SourceChanged
from market.types import Timeframe
from venues.binance_answers import error_code
from venues.binance_markets import binance_markets, split_id

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "binance"
needs_fixtures = pytest.mark.skipif(not FIXTURES.exists(), reason="the fixtures are not here")

MARKETS = binance_markets(BinanceSettings())
SEEN = datetime(2026, 9, 9, 10, 30, tzinfo=UTC)
ROW = [0, "10.0", "12.0", "9.0", "11.0", "5.5", 59_999, "60.5", 3, "1", "2", "0"]
TICKER = {
    "symbol": "BTCUSDT",
    "lastPrice": "61000.10",
    "lastQty": "0.020",
    "volume": "1000.0",
    "quoteVolume": "61000000.0",
    "priceChangePercent": "-2.500",
    "closeTime": 1_788_949_799_000,
}
SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "contractType": "PERPETUAL",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
}


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def dumped(content: Any) -> bytes:
    return json.dumps(content).encode()


def kline(**changes: Any) -> dict[str, Any]:
    names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    inner = dict(zip(names, ROW, strict=True)) | {"s": "BTCUSDT", "i": "1m", "x": False}
    return {"e": "kline", "E": 30_000, "s": "BTCUSDT", "k": inner | changes}


def event(**changes: Any) -> bytes:
    return dumped({"stream": "btcusdt@kline_1m", "data": kline(**changes)})


@needs_fixtures
def test_klines_of_the_documents() -> None:
    (candle,) = parse_klines(fixture("fapi_klines.shape.json"))
    assert (candle.start_ms, candle.end_ms) == (1499040000000, 1499644800000)
    bar = candle.bar("BINANCE:X", Timeframe.M1, is_complete=True)
    assert (bar.open, bar.high, bar.low, bar.close) == (0.0163479, 0.8, 0.015758, 0.015771)
    assert (bar.volume, bar.value, candle.trades) == (148976.11427815, 2434.19055334, 308)


@needs_fixtures
def test_a_combined_event_of_the_documents() -> None:
    streamed = parse_event(fixture("ws_kline_combined.shape.json"))
    assert streamed is not None
    assert (streamed.symbol, streamed.at_ms) == ("BTCUSDT", 1795150860005)
    assert streamed.candle.is_closed
    assert (streamed.candle.close, streamed.candle.trades) == (61010.1, 101)


@needs_fixtures
def test_a_single_event_is_read_within_a_combined_one() -> None:
    inner = json.loads(fixture("ws_kline_public.official_example.json"))
    streamed = parse_event(dumped({"stream": "ethbtc@kline_1m", "data": inner}))
    assert streamed is not None
    assert (streamed.symbol, streamed.candle.is_closed) == ("ETHBTC", False)


@needs_fixtures
def test_the_list_of_the_documents() -> None:
    info = fixture("fapi_exchangeInfo_BTCUSDT.shape.json")
    (listing,) = parse_listing(info, dumped([TICKER]), MARKETS["USDT-M"])
    assert listing.instrument.id == "BINANCE:BTCUSDT.P"
    assert listing.instrument.name == "BTC/USDT perpetual"
    assert (listing.price, listing.value, listing.change) == (61000.1, 61_000_000.0, -0.025)


@needs_fixtures
def test_codes_of_errors_are_read() -> None:
    for bodies in json.loads(fixture("errors.json")).values():
        for body in bodies:
            assert error_code(dumped(body)) == body["code"]


def test_what_is_no_error_has_no_code() -> None:
    for body in (b"<html>", b"[]", b'{"code":"x"}', b"{}"):
        assert error_code(body) is None


def test_a_ticker_is_a_quote_with_the_size_of_the_last_trade() -> None:
    tick = parse_tickers(dumped(TICKER), {"BTCUSDT": "BINANCE:BTCUSDT"}, SEEN)["BTCUSDT"]
    assert (tick.price, tick.volume, tick.day_volume) == (61000.1, 0.02, None)
    assert tick.at <= tick.seen_at == SEEN


def test_a_ticker_without_a_trade_is_no_quote() -> None:
    silent = {**TICKER, "lastPrice": "0.00", "lastQty": "0.00"}
    assert parse_tickers(dumped([silent]), {"BTCUSDT": "BINANCE:BTCUSDT"}, SEEN) == {}


@pytest.mark.parametrize(
    ("changes", "is_listed"),
    [
        ({}, True),
        ({"status": "BREAK"}, False),
        ({"status": "SETTLING"}, False),
        ({"quoteAsset": "USDC"}, False),
        ({"contractType": "CURRENT_QUARTER"}, False),
    ],
)
def test_only_what_trades_against_usdt_is_listed(changes: dict[str, str], is_listed: bool) -> None:
    other = {**SYMBOL, "symbol": "ETHUSDT", "baseAsset": "ETH"}
    info = dumped({"symbols": [other, {**SYMBOL, **changes}]})
    listings = parse_listing(info, dumped([TICKER]), MARKETS["USDT-M"])
    assert len(listings) == 1 + is_listed
    assert (listings[0].instrument.code == "BTCUSDT.P") == is_listed
    assert listings[-1].price is None or is_listed


def test_spot_lists_what_spot_may_trade() -> None:
    shut = {**SYMBOL, "symbol": "XUSDT", "isSpotTradingAllowed": False}
    spot = {**SYMBOL, "isSpotTradingAllowed": True}
    (listing,) = parse_listing(dumped({"symbols": [shut, spot]}), dumped([TICKER]), MARKETS["USDT"])
    assert (listing.instrument.id, listing.instrument.name) == ("BINANCE:BTCUSDT", "BTC/USDT")


def test_what_is_no_kline_has_no_candle() -> None:
    for text in (
        b'{"result":null,"id":1}',
        b'{"stream":"x","data":{"e":"serverShutdown","E":1}}',
        b'{"e":"serverShutdown","E":1}',
        b'{"stream":"!ticker@arr","data":[]}',
    ):
        assert parse_event(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"error":{"code":2,"msg":"Invalid request"},"id":1}',
        b'{"code":2,"msg":"Invalid request"}',
        b'{"stream":"x","data":{"e":"kline"}}',
        event(x="true"),
        event(i="5m"),
        event(c=None),
        event(c="NaN"),
        event(c="1e400"),
        event(h="1"),
        event(l="0", o="0", c="0"),
        event(v="-1"),
        event(n=True),
        event(t="0"),
    ],
)
def test_an_odd_event_is_a_change(text: bytes) -> None:
    with pytest.raises(SourceChanged, match="binance"):
        parse_event(text)


@pytest.mark.parametrize(
    "rows",
    [{}, [[]], [ROW[:8]], [ROW, ROW], [[*ROW[:4], 11.0, *ROW[5:]]], [{"t": 0}]],
)
def test_odd_klines_are_a_change(rows: Any) -> None:
    with pytest.raises(SourceChanged, match="binance"):
        parse_klines(dumped(rows))


@pytest.mark.parametrize(
    "rows",
    [[], {}, [1], {**TICKER, "lastPrice": 1.0}, {**TICKER, "closeTime": "x"}, "BTCUSDT"],
)
def test_odd_tickers_are_a_change(rows: Any) -> None:
    with pytest.raises(SourceChanged, match="binance"):
        parse_tickers(dumped(rows), {"BTCUSDT": "BINANCE:BTCUSDT"}, SEEN)


@pytest.mark.parametrize("info", [[], {}, {"symbols": []}, {"symbols": [1]}, {"symbols": [{}]}])
def test_an_odd_list_is_a_change(info: Any) -> None:
    with pytest.raises(SourceChanged, match="binance"):
        parse_listing(dumped(info), dumped([TICKER]), MARKETS["USDT"])


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(dumped))
def test_any_bytes_are_read_or_a_change(body: bytes) -> None:
    for parse in (
        parse_klines,
        parse_event,
        lambda odd: parse_tickers(odd, {"X": "BINANCE:X"}, SEEN),
        lambda odd: parse_listing(odd, odd, MARKETS["USDT"]),
    ):
        try:
            found = parse(body)
        except SourceChanged:
            continue
        assert found in ([], None, {}) or isinstance(found, Streamed)


def test_ids_name_a_market_and_its_symbol() -> None:
    assert split_id("BINANCE:BTCUSDT") == ("USDT", "BTCUSDT")
    assert split_id("BINANCE:BTCUSDT.P") == ("USDT-M", "BTCUSDT")
    assert split_id("BINANCE:币安人生USDT.P") == ("USDT-M", "币安人生USDT")
    for other in ("UPBIT:KRW-BTC", "KRX:005930", "BINANCE:", "BINANCE:BTCUSDT.X", "XBINANCE:A"):
        assert split_id(other) is None
    for segment, market in MARKETS.items():
        assert split_id(market.instrument_id("BTCUSDT")) == (segment, "BTCUSDT")
