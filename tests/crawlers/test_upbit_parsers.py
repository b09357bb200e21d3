"""Reading Upbit's answers and messages: the recorded shapes, and everything that is not them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from crawlers.upbit_parsers import (
    parse_candles,
    parse_markets,
    parse_message,
    parse_tickers,
)
from market.errors import SourceChanged, SourceUnavailable
from market.types import Timeframe, to_ms

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "upbit"


def fixture(name: str) -> bytes:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip("the shared fixtures are not beside this repository")
    return path.read_bytes()


def candle(**changes: Any) -> dict[str, Any]:
    row = {
        "market": "KRW-ZETA",
        "candle_date_time_utc": "2026-11-20T05:04:00",
        "candle_date_time_kst": "2026-11-20T14:04:00",
        "opening_price": 101.0,
        "high_price": 101.2,
        "low_price": 101,
        "trade_price": 101.1,
        "timestamp": 1795151095123,
        "candle_acc_trade_price": 50550.0,
        "candle_acc_trade_volume": 500.0,
        "unit": 1,
    }
    return {name: value for name, value in (row | changes).items() if value is not ...}


def message(**changes: Any) -> bytes:
    row = candle(market=..., unit=...)
    named = {"type": "candle.1m", "code": "KRW-ZETA", "stream_type": "REALTIME"}
    return orjson.dumps(
        {name: value for name, value in (row | named | changes).items() if value is not ...}
    )


def ticker(**changes: Any) -> dict[str, Any]:
    row = {
        "market": "KRW-BTC",
        "trade_timestamp": 1524046049000,
        "opening_price": 8450000.0,
        "high_price": 8679000.0,
        "low_price": 8445000.0,
        "trade_price": 8629000.0,
        "prev_closing_price": 8450000.0,
        "signed_change_rate": 0.021183432,
        "acc_trade_price": 105514711074.18726,
        "acc_trade_price_24h": 132484755304.0,
        "acc_trade_volume": 12312.36058857,
        "acc_trade_volume_24h": 15484.0,
    }
    return {name: value for name, value in (row | changes).items() if value is not ...}


def test_candles_of_the_documentation_are_read() -> None:
    body = fixture("candles_minutes_1.official_example.json")
    (found,) = parse_candles(body, "KRW-BTC")
    assert found.start_ms == to_ms(datetime(2025, 7, 1, 12, tzinfo=UTC))
    assert (found.open, found.high) == (145831000, 145831000)
    assert (found.low, found.close) == (145752000, 145759000)
    assert (found.volume, found.value) == (27.58904602, 4022470467.03403)


def test_candles_come_oldest_first_and_gaps_stay_gaps() -> None:
    body = fixture("candles_minutes_1_with_gap.shape.json")
    found = parse_candles(body, "KRW-ZETA")
    assert [one.start_ms // 60_000 % 60 for one in found] == [1, 4]


def test_a_candle_becomes_a_bar() -> None:
    (found,) = parse_candles(orjson.dumps([candle()]), "KRW-ZETA")
    bar = found.bar("UPBIT:KRW-ZETA", Timeframe.M1, is_complete=False)
    assert bar.start == datetime(2026, 11, 20, 5, 4, tzinfo=UTC)
    assert (bar.volume, bar.value, bar.is_complete) == (500, 50550, False)


def test_no_candle_is_no_trade() -> None:
    assert parse_candles(b"[]", "KRW-ZETA") == []


@pytest.mark.parametrize(
    "row",
    [
        candle(market="KRW-BTC"),
        candle(unit=3),
        candle(trade_price=...),
        candle(trade_price="101.1"),
        candle(trade_price=None),
        candle(trade_price=True),
        candle(trade_price=0),
        candle(trade_price=102),
        candle(low_price=101.05),
        candle(candle_acc_trade_volume=-1),
        candle(timestamp=...),
        candle(candle_date_time_utc="2026-11-20 05:04:00"),
        candle(candle_date_time_utc="2026-13-20T05:04:00"),
        candle(candle_date_time_utc=1795151040000),
    ],
)
def test_a_candle_of_another_shape_is_a_change(row: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged):
        parse_candles(orjson.dumps([row]), "KRW-ZETA")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b"[1]", b'{"error":{"name":404,"message":"Code not found"}}', b"\xff"],
)
def test_an_answer_of_another_shape_is_a_change(body: bytes) -> None:
    with pytest.raises(SourceChanged):
        parse_candles(body, "KRW-ZETA")
    with pytest.raises(SourceChanged):
        parse_tickers(body)
    with pytest.raises(SourceChanged):
        parse_markets(body)
    with pytest.raises(SourceChanged):
        parse_message(body)


def test_a_ticker_becomes_a_tick() -> None:
    (found,) = parse_tickers(orjson.dumps([ticker()]))
    seen_at = datetime(2026, 11, 20, tzinfo=UTC)
    tick = found.tick("UPBIT:KRW-BTC", seen_at)
    assert tick.at == datetime(2018, 4, 18, 10, 7, 29, tzinfo=UTC)
    assert (tick.price, tick.previous_close) == (8629000, 8450000)
    assert (tick.day_volume, tick.day_value) == (12312.36058857, 105514711074.18726)
    assert (tick.day_open, tick.day_high, tick.day_low) == (8450000, 8679000, 8445000)
    assert tick.volume is None
    assert tick.seen_at == seen_at


@pytest.mark.parametrize("name", sorted(ticker()))
def test_a_ticker_needs_each_of_its_fields(name: str) -> None:
    with pytest.raises(SourceChanged, match=name):
        parse_tickers(orjson.dumps([ticker(**{name: ...})]))


def test_no_ticker_at_all_is_a_change() -> None:
    with pytest.raises(SourceChanged):
        parse_tickers(b"[]")


def test_markets_under_a_warning_are_kept() -> None:
    rows = [
        {"market": "KRW-BTC", "korean_name": "비트코인", "market_event": {"warning": False}},
        {"market": "KRW-ZETA", "korean_name": "제타체인", "market_event": {"warning": True}},
    ]
    assert parse_markets(orjson.dumps(rows)) == {"KRW-BTC": "비트코인", "KRW-ZETA": "제타체인"}


@pytest.mark.parametrize("row", [{"market": "KRW-BTC"}, {"market": "", "korean_name": "비트코인"}])
def test_a_market_of_another_shape_is_a_change(row: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged):
        parse_markets(orjson.dumps([row]))


def test_the_recorded_message_is_read() -> None:
    body = fixture("ws_candle_1m.recorded.json")
    found = parse_message(body)
    assert found is not None
    assert (found.code, found.is_snapshot) == ("KRW-BTC", True)
    assert found.candle.start_ms == to_ms(datetime(2026, 7, 30, 7, 45, tzinfo=UTC))
    assert found.candle.at_ms == 1785397510000
    assert found.candle.volume == 0.15511395
    assert found == parse_message(body.decode())


def test_a_heartbeat_is_nothing() -> None:
    assert parse_message(b'{"status":"UP"}') is None


def test_errors_of_the_documentation_are_changes() -> None:
    rows = orjson.loads(fixture("ws_errors.names_official_texts_guessed.json"))
    errors = [row for row in rows if "error" in row]
    assert errors
    for row in errors:
        with pytest.raises(SourceChanged, match=row["error"]["name"]):
            parse_message(orjson.dumps(row))


@pytest.mark.parametrize("name", ["Too Many Requests", "I'm a teapot"])
def test_having_said_too_much_passes(name: str) -> None:
    with pytest.raises(SourceUnavailable):
        parse_message(orjson.dumps({"error": {"name": name, "message": ""}}))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "candle.2m"},
        {"type": ...},
        {"code": ...},
        {"code": ""},
        {"stream_type": "OTHER"},
        {"stream_type": ...},
        {"trade_price": ...},
        {"timestamp": "now"},
    ],
)
def test_a_message_of_another_shape_is_a_change(changes: dict[str, Any]) -> None:
    assert parse_message(message()) is not None
    with pytest.raises(SourceChanged):
        parse_message(message(**changes))
