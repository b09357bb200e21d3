"""A pretend coin market: the same seed gives the same trades, at any hour, in any order asked.

It never closes. A trade is shown a moment after it happened, so that the candle of a minute that
is over may still change; a minute without a trade has no candle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from market.types import from_ms, to_ms
from sandbox.coin_trades import HOUR_MS, CoinHour, trade_hour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sandbox.coin_trades import Coin

LONGEST_LAG_MS = 1200
"""No trade is shown later than so long after it happened."""
MINUTE = timedelta(minutes=1)
_MINUTE_MS = 60_000
_KEPT_HOURS = 512
_LOOK_BACK_HOURS = 240


@dataclass(frozen=True, slots=True)
class CoinTrade:
    """One trade: `id` grows with time, `is_buy` where the buyer was the one who came."""

    id: int
    at: datetime
    price: float
    volume: float
    is_buy: bool

    @property
    def value(self) -> float:
        """Return what was paid."""
        return self.price * self.volume


@dataclass(frozen=True, slots=True)
class CoinCandle:
    """What traded from `start` on: `count` trades.

    `bought` is the part in which the buyer was the one who came; ids may leave out some.
    """

    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float
    bought_volume: float
    bought_value: float
    first_id: int
    last_id: int
    count: int
    last_at: datetime


class CoinMarket:
    """Coins with an invented but plausible life; pure, deterministic by seed."""

    def __init__(self, coins: Sequence[Coin], seed: int) -> None:
        self._coins = {coin.symbol: coin for coin in coins}
        self._seed = seed
        self._hour = lru_cache(maxsize=_KEPT_HOURS)(self._traded)
        self._sums: dict[tuple[str, int], CoinCandle | None] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols in their order."""
        return tuple(self._coins)

    def coin(self, symbol: str) -> Coin:
        """Return a coin; KeyError where there is none of this symbol."""
        return self._coins[symbol]

    def candles(
        self,
        symbol: str,
        start: datetime,
        end: datetime,
        at: datetime,
        length: timedelta = MINUTE,
    ) -> list[CoinCandle]:
        """Return the candles with start <= candle.start < end as shown at `at`, oldest first.

        `length` divides an hour, or is whole hours; candles are aligned to UTC.
        """
        length_ms = length // timedelta(milliseconds=1)
        first = -(-to_ms(start) // length_ms) * length_ms
        last = min(-(-to_ms(end) // length_ms) * length_ms, to_ms(at) + 1)
        if first >= last:
            return []
        end_ms = -(-last // length_ms) * length_ms
        hours = range(first // HOUR_MS, -(-end_ms // HOUR_MS))
        if length_ms < HOUR_MS:
            span = first, end_ms
            return [one for hour in hours for one in self._parts(symbol, hour, at, length_ms, span)]
        sums = (self._sum(symbol, hour, at) for hour in hours)
        return _joined([one for one in sums if one is not None], length_ms)

    def shown(self, symbol: str, after: datetime, until: datetime) -> list[CoinTrade]:
        """Return the trades that came to be shown with after < moment <= until, oldest first."""
        after_ms, until_ms = to_ms(after), to_ms(until)
        found: list[CoinTrade] = []
        for hour in range((after_ms - LONGEST_LAG_MS) // HOUR_MS, until_ms // HOUR_MS + 1):
            traded = self._hour(symbol, hour)
            first, last = np.searchsorted(traded.shown_ms, (after_ms, until_ms), side="right")
            found += [_trade(traded, index) for index in range(int(first), int(last))]
        return found

    def last(self, symbol: str, at: datetime) -> CoinTrade | None:
        """Return the newest trade shown at `at`, None where there was none for ten days."""
        at_ms = to_ms(at)
        newest = at_ms // HOUR_MS
        for hour in range(newest, newest - _LOOK_BACK_HOURS, -1):
            traded = self._hour(symbol, hour)
            seen = int(np.searchsorted(traded.shown_ms, at_ms, side="right"))
            if seen:
                return _trade(traded, seen - 1)
        return None

    def _traded(self, symbol: str, hour: int) -> CoinHour:
        return trade_hour(self._coins[symbol], hour, self._seed, LONGEST_LAG_MS)

    def _parts(
        self, symbol: str, hour: int, at: datetime, length_ms: int, span: tuple[int, int]
    ) -> Iterator[CoinCandle]:
        """Yield the candles of an hour, of what traded within the span and is shown."""
        traded = self._hour(symbol, hour)
        seen = int(np.searchsorted(traded.shown_ms, to_ms(at), side="right"))
        first, last = np.searchsorted(traded.at_ms[:seen], span)
        slots = traded.at_ms[first:last] // length_ms
        bounds = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(slots)]
        for begin, end in pairwise(bounds):
            if begin < end:
                part = slice(int(first) + begin, int(first) + end)
                yield _candle(traded, part, int(slots[begin]) * length_ms)

    def _sum(self, symbol: str, hour: int, at: datetime) -> CoinCandle | None:
        is_over = (hour + 1) * HOUR_MS + LONGEST_LAG_MS <= to_ms(at)
        key = symbol, hour
        if is_over and key in self._sums:
            return self._sums[key]
        span = hour * HOUR_MS, (hour + 1) * HOUR_MS
        found = next(self._parts(symbol, hour, at, HOUR_MS, span), None)
        if is_over:
            self._sums[key] = found
        return found


def _trade(hour: CoinHour, index: int) -> CoinTrade:
    return CoinTrade(
        id=hour.first_id + index,
        at=from_ms(int(hour.at_ms[index])),
        price=float(hour.price[index]),
        volume=float(hour.volume[index]),
        is_buy=bool(hour.is_buy[index]),
    )


def _candle(hour: CoinHour, part: slice, start_ms: int) -> CoinCandle:
    price, volume, is_buy = hour.price[part], hour.volume[part], hour.is_buy[part]
    value = price * volume
    # exact sums: the same trades give the same candle however they are asked for
    return CoinCandle(
        start=from_ms(start_ms),
        open=float(price[0]),
        high=float(price.max()),
        low=float(price.min()),
        close=float(price[-1]),
        volume=_sum_of(volume),
        value=_sum_of(value),
        bought_volume=_sum_of(volume[is_buy]),
        bought_value=_sum_of(value[is_buy]),
        first_id=hour.first_id + part.start,
        last_id=hour.first_id + part.stop - 1,
        count=part.stop - part.start,
        last_at=from_ms(int(hour.at_ms[part.stop - 1])),
    )


def _joined(parts: list[CoinCandle], length_ms: int) -> list[CoinCandle]:
    groups = groupby(parts, lambda part: to_ms(part.start) // length_ms * length_ms)
    return [_join(start, list(group)) for start, group in groups]


def _join(start_ms: int, parts: list[CoinCandle]) -> CoinCandle:
    return CoinCandle(
        start=from_ms(start_ms),
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=_sum_of([part.volume for part in parts]),
        value=_sum_of([part.value for part in parts]),
        bought_volume=_sum_of([part.bought_volume for part in parts]),
        bought_value=_sum_of([part.bought_value for part in parts]),
        first_id=parts[0].first_id,
        last_id=parts[-1].last_id,
        count=sum(part.count for part in parts),
        last_at=parts[-1].last_at,
    )


def _sum_of(numbers: np.ndarray | list[float]) -> float:
    return round(math.fsum(numbers), 8)
