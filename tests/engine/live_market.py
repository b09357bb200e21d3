"""The pretend coin market as a live source, in memory; it can fail, and makes up for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crawlers.source import Update
from market.types import Bar, Instrument, Kind, Tick, Timeframe, Venue
from sandbox.coin_market import CoinMarket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.clock import ManualClock
    from market.errors import SourceError
    from market.types import InstrumentId
    from sandbox.coin_market import CoinCandle
    from sandbox.coin_trades import Coin

MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BTC = Instrument(Venue.UPBIT, "KRW-BTC", "Bitcoin", "KRW", Kind.COIN)
XRP = Instrument(Venue.UPBIT, "KRW-XRP", "XRP", "KRW", Kind.COIN)


class LiveMarket:
    """Tells every candle that changed since the last answer, as the port promises."""

    def __init__(self, clock: ManualClock, coins: Sequence[Coin], seed: int = 3) -> None:
        self.clock = clock
        self.market = CoinMarket(coins, seed)
        self.error: SourceError | None = None
        self.asked: list[InstrumentId] = []
        self._told: dict[InstrumentId, dict[datetime, CoinCandle]] = {}

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        if self.error is not None:
            raise self.error
        return [one for name in instruments for one in self._changed(name)]

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        raise AssertionError("a live source is not polled")

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        self.asked.append(instrument)
        return [_bar(instrument, one) for one in self.candles(instrument, start, end)]

    def candles(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[CoinCandle]:
        """Return what the venue shows now."""
        symbol = instrument.partition(":")[2]
        return self.market.candles(symbol, start, end, self.clock.now())

    def _changed(self, name: InstrumentId) -> list[Update]:
        now = self.clock.now()
        minute = now.replace(second=0, microsecond=0)
        told = self._told.setdefault(name, {})
        start = max(told) - 2 * MINUTE if told else minute - MINUTE
        found = []
        for one in self.candles(name, start, now + MINUTE):
            if told.get(one.start) != one:
                told[one.start] = one
                found.append(Update(_bar(name, one), one.last_at, now))
        return found


def _bar(name: InstrumentId, one: CoinCandle) -> Bar:
    prices = (one.open, one.high, one.low, one.close)
    return Bar(name, Timeframe.M1, one.start, *prices, one.volume, one.value)
