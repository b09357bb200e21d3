"""The shapes in which Upbit shows candles, tickers and markets: REST and websocket.

Field names after docs.upbit.com (2026-08) and recorded answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from market.sessions import KST
from market.types import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.coin_market import CoinCandle, CoinTrade
    from sandbox.coin_trades import Coin

Row = dict[str, Any]

WARNED = 7
"""Every so many-th market carries a warning, as some always do."""


def market_row(coin: Coin, place: int) -> Row:
    """Return a line of `/v1/market/all?is_details=true`."""
    caution = ("PRICE_FLUCTUATIONS", "TRADING_VOLUME_SOARING", "DEPOSIT_AMOUNT_SOARING")
    others = ("GLOBAL_PRICE_DIFFERENCES", "CONCENTRATION_OF_SMALL_ACCOUNTS")
    is_warned = place % WARNED == WARNED - 1
    return {
        "market": coin.symbol,
        "korean_name": coin.name or coin.symbol.partition("-")[2],
        "english_name": coin.symbol.partition("-")[2].title(),
        "market_event": {
            "warning": is_warned,
            "caution": {name: is_warned and name == caution[1] for name in (*caution, *others)},
        },
    }


def candle_row(code: str, candle: CoinCandle, unit: int) -> Row:
    """Return a line of `/v1/candles/minutes/{unit}`."""
    return {"market": code, **_candle(candle), "unit": unit}


def day_row(code: str, candle: CoinCandle, before: float) -> Row:
    """Return a line of `/v1/candles/days`."""
    change = candle.close - before
    return {
        "market": code,
        **_candle(candle),
        "prev_closing_price": before,
        "change_price": change,
        "change_rate": change / before,
    }


def candle_message(code: str, candle: CoinCandle, stream: str) -> Row:
    """Return a message of the candle stream."""
    fields = _candle(candle)
    at = fields.pop("timestamp")
    return {
        "type": "candle.1m",
        "code": code,
        **fields,
        "timestamp": at,
        "stream_type": stream,
    }


def ticker_row(coin: Coin, last: CoinTrade, day: CoinCandle | None, more: Row) -> Row:
    """Return a line of `/v1/ticker`: `day` is the UTC day, None where nothing traded in it yet."""
    before = more["prev_closing_price"]
    change = last.price - before
    utc, korean = last.at, last.at.astimezone(KST)
    return {
        "market": coin.symbol,
        "trade_date": f"{utc:%Y%m%d}",
        "trade_time": f"{utc:%H%M%S}",
        "trade_date_kst": f"{korean:%Y%m%d}",
        "trade_time_kst": f"{korean:%H%M%S}",
        "trade_timestamp": to_ms(last.at),
        "opening_price": before if day is None else day.open,
        "high_price": before if day is None else day.high,
        "low_price": before if day is None else day.low,
        "trade_price": last.price,
        "change": "RISE" if change > 0 else "FALL" if change < 0 else "EVEN",
        "change_price": abs(change),
        "change_rate": abs(change) / before,
        "signed_change_price": change,
        "signed_change_rate": change / before,
        "trade_volume": last.volume,
        "acc_trade_price": 0.0 if day is None else day.value,
        "acc_trade_volume": 0.0 if day is None else day.volume,
        "highest_52_week_price": coin.price * 1.8,
        "highest_52_week_date": "2026-05-22",
        "lowest_52_week_price": coin.price * 0.4,
        "lowest_52_week_date": "2026-02-03",
        "timestamp": to_ms(last.at) + 25,
        **more,
    }


def renamed(row: Row) -> Row:
    """Return a row as after a redesign: prices under other names."""
    return {name.replace("trade_price", "last_price"): row[name] for name in row}


def _candle(candle: CoinCandle) -> Row:
    return {
        "candle_date_time_utc": _time(candle.start),
        "candle_date_time_kst": _time(candle.start.astimezone(KST)),
        "opening_price": candle.open,
        "high_price": candle.high,
        "low_price": candle.low,
        "trade_price": candle.close,
        "timestamp": to_ms(candle.last_at),
        "candle_acc_trade_price": candle.value,
        "candle_acc_trade_volume": candle.volume,
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"
