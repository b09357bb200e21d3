"""A pretend Upbit, without its wires: what the venue answers and streams at a moment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from sandbox.coin_market import MINUTE
from sandbox.upbit_rows import (
    Row,
    candle_message,
    candle_row,
    day_row,
    market_row,
    ticker_row,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from market.clock import Clock
    from sandbox.coin_market import CoinCandle, CoinMarket

UNITS = (1, 3, 5, 10, 15, 30, 60, 240)
MOST_CANDLES = 200
DAY = timedelta(days=1)
REQUESTS_A_SECOND = 10
"""Requests that each group of the quotation API allows (docs.upbit.com, 2026-09)."""
_PATIENCE = 5
"""So many refusals in a row, and the address is shut out."""
_FIRST_BLOCK = timedelta(seconds=10)
_LONGEST_LOOK = timedelta(days=1200)


class UnknownMarket(Exception):
    """A code that the venue does not trade."""


class Upbit:
    """The venue at the time of its clock; pure but for that."""

    def __init__(self, market: CoinMarket, clock: Clock) -> None:
        self.market = market
        self.clock = clock

    def markets(self) -> list[Row]:
        """Return all markets with their warnings."""
        return [
            market_row(self.market.coin(symbol), place)
            for place, symbol in enumerate(self.market.symbols)
        ]

    def tickers(self, codes: Iterable[str]) -> list[Row]:
        """Return a ticker for each code; UnknownMarket where there is no such one."""
        return [self._ticker(code) for code in dict.fromkeys(codes)]

    def tickers_of(self, quotes: Sequence[str]) -> list[Row]:
        """Return the tickers of everything that is paid in these currencies."""
        symbols = self.market.symbols
        return self.tickers(one for one in symbols if one.partition("-")[0] in quotes)

    def candles(self, code: str, unit: int, to: datetime | None, count: int) -> list[Row]:
        """Return candles of so many minutes that start before `to`, newest first."""
        found = self._newest(code, unit * MINUTE, to, count)
        return [candle_row(code, candle, unit) for candle in found]

    def days(self, code: str, to: datetime | None, count: int) -> list[Row]:
        """Return daily candles (UTC) that start before `to`, newest first."""
        found = self._newest(code, DAY, to, count + 1)
        before = [candle.close for candle in found[1:]] + [found[-1].open] if found else []
        pairs = zip(found, before, strict=True)
        return [day_row(code, candle, close) for candle, close in pairs][:count]

    def snapshot(self, code: str) -> Row | None:
        """Return the newest candle of a code as a new subscription gets it."""
        found = self._newest(code, MINUTE, None, 1)
        return candle_message(code, found[0], "SNAPSHOT") if found else None

    def changed(self, code: str, after: datetime, until: datetime) -> list[Row]:
        """Return the candles that changed in (after, until], oldest first."""
        trades = self.market.shown(code, after, until)
        starts = sorted({_minute(trade.at) for trade in trades})
        return [
            candle_message(code, candle, "REALTIME")
            for start in starts
            for candle in self.market.candles(code, start, start + MINUTE, until)
        ]

    def knows(self, code: str) -> bool:
        """Tell whether a market exists."""
        return code in self.market.symbols

    def _newest(
        self, code: str, length: timedelta, to: datetime | None, count: int
    ) -> list[CoinCandle]:
        if not self.knows(code):
            raise UnknownMarket(code)
        now = self.clock.now()
        end = now + length if to is None else min(to, now + length)
        span = count * length
        found: list[CoinCandle] = []
        while len(found) < count and now - end < _LONGEST_LOOK:
            # minutes without a trade have no candle: look further back
            found = self.market.candles(code, end - span, end, now, length)[-count:] + found
            end -= span
            span = min(4 * span, DAY * 30)
        return found[-count:][::-1]

    def _ticker(self, code: str) -> Row:
        if not self.knows(code):
            raise UnknownMarket(code)
        now = self.clock.now()
        last = self.market.last(code, now)
        if last is None:
            raise UnknownMarket(code)
        midnight = datetime.combine(now.date(), time(), UTC)
        before = self.market.last(code, midnight)
        hours = self.market.candles(code, now - DAY, now, now, timedelta(hours=1))
        today = self.market.candles(code, midnight, now, now, DAY)
        more = {
            "prev_closing_price": last.price if before is None else before.price,
            "acc_trade_price_24h": sum(hour.value for hour in hours),
            "acc_trade_volume_24h": sum(hour.volume for hour in hours),
        }
        return ticker_row(self.market.coin(code), last, today[0] if today else None, more)


@dataclass(slots=True)
class Allowance:
    """How much of each group of requests is left in this second, and who is shut out.

    Who is refused is shut out (418) after a while of going on, each time for longer.
    """

    a_second: int = REQUESTS_A_SECOND
    refusals: int = 0
    blocks: int = 0
    blocked_until: datetime | None = None
    _second: datetime | None = None
    _spent: dict[str, int] = field(default_factory=dict)

    def spend(self, group: str, now: datetime) -> int:
        """Return what is left after one more request; -1: too many, -2: shut out."""
        if self.blocked_until is not None and now < self.blocked_until:
            return -2
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second, self._spent = second, {}
        spent = self._spent[group] = self._spent.get(group, 0) + 1
        if spent <= self.a_second:
            self.refusals = 0
            return self.a_second - spent
        self.refusals += 1
        if self.refusals < _PATIENCE:
            return -1
        self.refusals = 0
        self.blocked_until = now + _FIRST_BLOCK * 2**self.blocks
        self.blocks += 1
        return -2


def read_to(text: str) -> datetime | None:
    """Return the moment of a `to` as Upbit reads it: UTC where no zone is given; None if odd."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", text) is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
