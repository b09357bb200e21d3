"""Reading what Binance answers and streams: pure functions from bytes to candles, ticks, listings.

Shapes: klines, 24hr tickers and exchangeInfo of `/api/v3` (spot) and `/fapi/v1` (futures), and
kline events of combined streams (developers.binance.com, 2026-09). Whatever is not of these shapes
raises SourceChanged with the first odd fragment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from market.errors import SourceChanged
from market.facts import Listing
from market.types import Bar, Instrument, Kind, Tick, Timeframe, Venue, from_ms
from venues.binance_markets import FUTURES
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from market.types import InstrumentId
    from venues.binance_markets import Market

Row = dict[str, Any]

_KLINE_FIELDS = 11
_KLINE_KEYS = ("t", "o", "h", "l", "c", "v", "T", "q", "n")


@dataclass(frozen=True, slots=True)
class Candle:
    """One kline: [start_ms, end_ms); `is_closed` where the venue says that it is over.

    A stretch without a trade has a flat one with no volume, which is no bar.
    """

    start_ms: int
    end_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float
    trades: int
    is_closed: bool = False

    @property
    def has_traded(self) -> bool:
        """Tell whether there is a bar in it."""
        return self.volume > 0

    def bar(self, instrument: InstrumentId, timeframe: Timeframe, *, is_complete: bool) -> Bar:
        """Return the candle as a bar of an instrument."""
        return Bar(
            instrument=instrument,
            timeframe=timeframe,
            start=from_ms(self.start_ms),
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=self.volume,
            value=self.value,
            is_complete=is_complete,
        )


@dataclass(frozen=True, slots=True)
class Streamed:
    """A candle as a stream told it, with the venue's time."""

    symbol: str
    candle: Candle
    at_ms: int


def parse_klines(body: bytes) -> list[Candle]:
    """Return the candles of a klines answer, oldest first, the unfinished and flat ones too."""
    rows = _json(body)
    if not isinstance(rows, list):
        _odd("klines", "a list", body)
    candles = [_kline(row) for row in rows]
    starts = [candle.start_ms for candle in candles]
    if starts != sorted(set(starts)):
        _odd("klines", "rows that go forward", body)
    return candles


def parse_event(message: str | bytes) -> Streamed | None:
    """Return the candle of a combined stream's event, None for what is no kline.

    Answers to what we said have no candle; one that refuses it raises SourceChanged.
    """
    event = _json(message)
    if not isinstance(event, dict):
        _odd("stream", "an object", message)
    data = event.get("data")
    if "error" in event or "code" in event:
        _odd("stream", "no refusal of what was said", message)
    if not isinstance(data, dict) or data.get("e") != "kline":
        return None
    kline = data.get("k")
    if not isinstance(kline, dict) or not isinstance(data.get("s"), str):
        _odd("stream", "a kline of a symbol", message)
    is_closed = kline.get("x")
    if not isinstance(is_closed, bool) or kline.get("i") != "1m":
        _odd("stream", "a kline of 1m that says whether it is closed", message)
    candle = _candle([kline.get(key) for key in _KLINE_KEYS], is_closed)
    return Streamed(data["s"], candle, _whole(data.get("E"), data))


def parse_tickers(
    body: bytes, asked: Mapping[str, InstrumentId], seen_at: datetime
) -> dict[str, Tick]:
    """Return a tick for each asked symbol that 24hr tickers (one or a list) show.

    Their counts are of the last 24 hours: `volume` is the size of the last trade instead.
    """
    rows = {row["symbol"]: row for row in _rows("24hr ticker", body)}
    ticks = {
        symbol: _tick(rows[symbol], instrument, seen_at)
        for symbol, instrument in asked.items()
        if symbol in rows
    }
    return {symbol: tick for symbol, tick in ticks.items() if tick is not None}


def parse_listing(info: bytes, tickers: bytes, market: Market) -> list[Listing]:
    """Return what trades against USDT in a market, most traded value of 24 hours first."""
    answer = _json(info)
    if not isinstance(answer, dict) or not isinstance(answer.get("symbols"), list):
        _odd("exchangeInfo", "an object with a list 'symbols'", info)
    rows = {row["symbol"]: row for row in _rows("24hr ticker", tickers)}
    wanted = [symbol for symbol in answer["symbols"] if _is_wanted(symbol, market)]
    listings = [_listing(symbol, rows.get(symbol["symbol"]), market) for symbol in wanted]
    if not listings:
        _odd("exchangeInfo", "symbols that trade against USDT", info)
    return sorted(listings, key=lambda listing: (-(listing.value or 0), listing.instrument.code))


def _is_wanted(symbol: object, market: Market) -> bool:
    if not isinstance(symbol, dict):
        _odd("exchangeInfo", "objects in 'symbols'", orjson.dumps(symbol))
    names = ("symbol", "status", "baseAsset", "quoteAsset")
    if not all(isinstance(symbol.get(name), str) for name in names):
        _odd("exchangeInfo", "symbol, status and assets", orjson.dumps(symbol))
    if market.segment == FUTURES:
        is_ours = symbol.get("contractType") == "PERPETUAL"
    else:
        is_ours = symbol.get("isSpotTradingAllowed", True)
    return bool(is_ours and symbol["status"] == "TRADING" and symbol["quoteAsset"] == "USDT")


def _listing(symbol: Row, ticker: Row | None, market: Market) -> Listing:
    name = f"{symbol['baseAsset']}/{symbol['quoteAsset']}"
    instrument = Instrument(
        venue=Venue.BINANCE,
        code=f"{symbol['symbol']}{market.code_end}",
        name=f"{name} perpetual" if market.segment == FUTURES else name,
        segment=market.segment,
        kind=Kind.COIN,
    )
    if ticker is None:
        return Listing(instrument)
    return Listing(
        instrument=instrument,
        price=_field(ticker, "lastPrice") or None,
        volume=_field(ticker, "volume"),
        value=_field(ticker, "quoteVolume"),
        change=_field(ticker, "priceChangePercent") / 100,
    )


def _tick(row: Row, instrument: InstrumentId, seen_at: datetime) -> Tick | None:
    price, size = _field(row, "lastPrice"), _field(row, "lastQty")
    if price == 0:
        return None  # nothing has traded there within a day
    if price < 0 or size < 0:
        _odd("24hr ticker", "a price above zero", orjson.dumps(row))
    at = from_ms(_whole(row.get("closeTime"), row))
    return Tick(instrument, min(at, seen_at), seen_at, price, volume=size, value=price * size)


def _rows(what: str, body: bytes) -> list[Row]:
    answer = _json(body)
    rows = answer if isinstance(answer, list) else [answer]
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("symbol"), str):
            _odd(what, "objects with a symbol", orjson.dumps(row))
    if not rows:
        _odd(what, "symbols", body)
    return rows


def _kline(row: object) -> Candle:
    if not isinstance(row, list) or len(row) < _KLINE_FIELDS:
        _odd("klines", f"rows of {_KLINE_FIELDS} and more", orjson.dumps(row))
    return _candle(row[:9])


def _candle(row: list[Any], is_closed: bool = False) -> Candle:
    start, *texts, end, value, trades = row
    opening, high, low, close, volume = (_number(text, row) for text in texts)
    if not low <= min(opening, close) <= max(opening, close) <= high or min(low, volume) < 0:
        _odd("kline", "a low, an opening, a close, a high", orjson.dumps(row))
    if low == 0 and volume > 0:
        _odd("kline", "prices above zero", orjson.dumps(row))
    return Candle(
        start_ms=_whole(start, row),
        end_ms=_whole(end, row) + 1,
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
        value=_number(value, row),
        trades=_whole(trades, row),
        is_closed=is_closed,
    )


def _field(row: Row, name: str) -> float:
    return _number(row.get(name), {"symbol": row["symbol"], name: row.get(name)})


def _number(text: object, row: object) -> float:
    try:
        number = float(text) if isinstance(text, str) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        _odd("numbers", "a number as text", orjson.dumps(row))
    return number


def _whole(number: object, row: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        _odd("numbers", "a whole number", orjson.dumps(row))
    return number


def _json(body: bytes | str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SourceChanged(f"binance: expected JSON, got {fragment(body)}") from error


def _odd(what: str, expected: str, body: bytes | str) -> NoReturn:
    raise SourceChanged(f"binance {what}: expected {expected}, got {fragment(body)}")
