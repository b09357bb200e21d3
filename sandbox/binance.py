"""A pretend Binance: klines as spot or futures show and stream them, of a pretend coin market.

A stream's minute is closed when its last trade has been shown, and is final then, as are the rows
of klines from that moment on. Minutes without a trade have flat klines; spot streams those too,
futures stay silent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from market.types import from_ms, to_ms
from sandbox.coin_market import LONGEST_LAG_MS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sandbox.coin_market import CoinCandle, CoinMarket

MINUTE_MS = 60_000
INTERVALS = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "1h": 60 * MINUTE_MS, "1d": 1440 * MINUTE_MS}

Row = list[Any]
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """How far a stream has come: the minute it is in, and how many trades it has told of it."""

    minute_ms: int
    count: int


class PretendBinance:
    """One market of Binance: `is_futures` decides limits, number formats and what is streamed."""

    def __init__(self, market: CoinMarket, *, is_futures: bool = False) -> None:
        self.market = market
        self.is_futures = is_futures
        self.most_rows = 1500 if is_futures else 1000

    def klines(
        self, symbol: str, interval: str, start_ms: int, end_ms: int, limit: int, at: datetime
    ) -> list[Row]:
        """Return the klines with start_ms <= open time <= end_ms, oldest first, the first ones."""
        length_ms = INTERVALS[interval]
        first = -(-start_ms // length_ms) * length_ms
        last = min(end_ms, to_ms(at), first + (limit - 1) * length_ms)
        if last < first:
            return []
        length = timedelta(milliseconds=length_ms)
        traded = self.market.candles(symbol, from_ms(first), from_ms(last + 1), at, length)
        candles = {to_ms(candle.start): candle for candle in traded}
        rows, price = [], self._price_before(symbol, first)
        for start in range(first, last + 1, length_ms):
            candle = candles.get(start)
            price = price if candle is None else candle.close
            if price is not None:
                rows.append(self._row(symbol, start, start + length_ms - 1, candle, price))
        return rows

    def told(self, symbol: str, at: datetime) -> Told:
        """Return how far a stream is that begins now: futures tell only what changes after it."""
        minute = _shown_minute(to_ms(at))
        candle = self._candle(symbol, minute, at) if self.is_futures else None
        return Told(minute, 0 if candle is None else candle.count)

    def events(self, symbol: str, told: Told, at: datetime) -> tuple[list[Event], Told]:
        """Return what a stream tells now, and how far it has come then.

        Minutes that closed since it told something come one by one, each as it was at its end.
        """
        minute = _shown_minute(to_ms(at))
        found: list[Event] = []
        for start in range(told.minute_ms, minute, MINUTE_MS):
            closed_at = from_ms(start + MINUTE_MS + LONGEST_LAG_MS)
            candle = self._candle(symbol, start, closed_at)
            found += self._event(symbol, start, candle, at, is_closed=True)
        candle = self._candle(symbol, minute, at)
        count = 0 if candle is None else candle.count
        if candle is not None and Told(minute, count) != told:
            found += self._event(symbol, minute, candle, at, is_closed=False)
        return found, Told(minute, count)

    def price_text(self, symbol: str, price: float) -> str:
        """Return a price as this market writes it."""
        places = _decimals(self.market.coin(symbol).tick) if self.is_futures else 8
        return f"{price:.{places}f}"

    def volume_text(self, symbol: str, volume: float) -> str:
        """Return a volume as this market writes it."""
        places = _decimals(self.market.coin(symbol).step) if self.is_futures else 8
        return f"{volume:.{places}f}"

    def _candle(self, symbol: str, start_ms: int, at: datetime) -> CoinCandle | None:
        start = from_ms(start_ms)
        found = self.market.candles(symbol, start, start + timedelta(minutes=1), at)
        return found[0] if found else None

    def _price_before(self, symbol: str, at_ms: int) -> float | None:
        trade = self.market.last(symbol, from_ms(at_ms))
        return None if trade is None else trade.price

    def _row(
        self, symbol: str, start: int, end: int, candle: CoinCandle | None, price: float
    ) -> Row:
        prices = [price] * 4
        if candle is not None:
            prices = [candle.open, candle.high, candle.low, candle.close]
        return [
            start,
            *(self.price_text(symbol, one) for one in prices),
            self.volume_text(symbol, 0.0 if candle is None else candle.volume),
            end,
            f"{0.0 if candle is None else candle.value:.8f}",
            0 if candle is None else candle.count,
            self.volume_text(symbol, 0.0 if candle is None else candle.bought_volume),
            f"{0.0 if candle is None else candle.bought_value:.8f}",
            "0",
        ]

    def _event(
        self, symbol: str, start: int, candle: CoinCandle | None, at: datetime, *, is_closed: bool
    ) -> Iterator[Event]:
        price = self._price_before(symbol, start)
        if candle is None and (self.is_futures or price is None):
            return
        row = self._row(symbol, start, start + MINUTE_MS - 1, candle, price or 0.0)
        names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
        kline = dict(zip(names, row, strict=True))
        kline |= {
            "s": symbol,
            "i": "1m",
            "f": -1 if candle is None else candle.first_id,
            "L": -1 if candle is None else candle.last_id,
            "x": is_closed,
        }
        yield {"e": "kline", "E": to_ms(at), "s": symbol, "k": kline}


def _shown_minute(at_ms: int) -> int:
    """Return the minute that streams are in: the one before until its last trade is shown."""
    return (at_ms - LONGEST_LAG_MS) // MINUTE_MS * MINUTE_MS


def _decimals(unit: float) -> int:
    return max(0, -math.floor(math.log10(unit) + 1e-9))
