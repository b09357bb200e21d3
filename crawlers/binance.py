"""Binance: spot and USDT-M futures; klines for exact bars, streams of klines for live ones."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from crawlers.binance_candles import GRACE_MS
from crawlers.binance_http import BinanceHttp, UnknownSymbol
from crawlers.binance_live import LiveMarket
from crawlers.binance_parsers import parse_klines, parse_listing, parse_tickers
from crawlers.source import SOURCES, Update
from market.errors import SourceError
from market.types import Tick, Timeframe, from_ms, to_ms
from venues.binance_markets import binance_markets, split_id
from venues.live_socket import connect as connect_in_earnest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from datetime import datetime

    import httpx

    from config.settings import BinanceSettings, Settings
    from crawlers.binance_candles import Shown
    from crawlers.binance_parsers import Candle
    from crawlers.source import Hear
    from market.clock import Clock
    from market.facts import Listing
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Venue
    from venues.binance_markets import Market
    from venues.live_socket import Connect

Answer = TypeVar("Answer")

ASKED_ALONE = 5
"""So many quotes are asked for one by one; the answer for all symbols is one, but a large one."""


@SOURCES.register("binance")
class BinanceSource:
    """Coins against USDT as Binance shows them: `BINANCE:BTCUSDT`, perpetuals `BINANCE:BTCUSDT.P`.

    Its days are those of UTC.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],  # noqa: ARG002  it never closes
        *,
        connect: Connect = connect_in_earnest,
    ) -> None:
        self._clock = clock
        self._markets = {
            segment: _MarketSource(market, http, settings.binance, clock, connect)
            for segment, market in binance_markets(settings.binance).items()
        }

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest price of each instrument that Binance knows, one sweep.

        `volume` is the size of the last trade. A sweep is whole or an error; ids of other venues
        are left out.
        """
        asked = [
            one.ticks(_symbols(segment, instruments)) for segment, one in self._markets.items()
        ]
        found = {tick.instrument: tick for ticks in await _all(*asked) for tick in ticks}
        return [found[one] for one in dict.fromkeys(instruments) if one in found]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the 1-minute bars with start <= bar.start < end, oldest first; any years back.

        One that is over only just now is not complete. An instrument of another venue is a
        SourceError, one that does not exist SourceChanged.
        """
        return await self._bars(instrument, Timeframe.M1, start, end)

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily bars (UTC) with start <= bar.start < end, oldest first."""
        return await self._bars(instrument, Timeframe.D1, start, end)

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        """Return what changed since the last call, oldest minute first per instrument."""
        markets = self._markets.items()
        await _all(*(one.live.refresh(_symbols(name, instruments)) for name, one in markets))
        # only now, when nothing can fail any more: what is told once must not get lost
        return [update for _, market in markets for update in market.news()]

    async def listing(self, segment: str) -> list[Listing]:
        """Return what trades in USDT or USDT-M, most traded value of 24 hours first."""
        if segment not in self._markets:
            raise SourceError(f"binance has {' and '.join(self._markets)}, not {segment}")
        return await self._markets[segment].listing()

    def listen(self, hear: Hear) -> None:
        """Tell prices of the symbols that are followed as they come."""
        for market in self._markets.values():
            market.listen(hear)

    def live(self) -> frozenset[InstrumentId]:
        """Return the instruments that the streams tell of right now."""
        return frozenset(one for market in self._markets.values() for one in market.heard())

    async def close(self) -> None:
        """Close the live connections; may be called twice."""
        for market in self._markets.values():
            await market.live.close()

    async def _bars(
        self, instrument: InstrumentId, timeframe: Timeframe, start: datetime, end: datetime
    ) -> list[Bar]:
        split = split_id(instrument)
        if split is None:
            raise SourceError(f"binance knows BINANCE instruments only, not {instrument}")
        segment, symbol = split
        asked_ms = to_ms(self._clock.now())
        market = self._markets[segment]
        candles = await market.candles(symbol, timeframe, to_ms(start), to_ms(end))
        bars = [
            candle.bar(instrument, timeframe, is_complete=candle.end_ms + GRACE_MS <= asked_ms)
            for candle in candles
            if candle.has_traded
        ]
        return [bar for bar in bars if start <= bar.start < end]


class _MarketSource:
    """What Binance does in one of its markets."""

    def __init__(
        self,
        market: Market,
        http: httpx.AsyncClient,
        settings: BinanceSettings,
        clock: Clock,
        connect: Connect,
    ) -> None:
        self._market = market
        self._http = BinanceHttp(http, market, settings)
        self._clock = clock
        self.live = LiveMarket(market, settings, clock, self._minutes, connect)

    async def ticks(self, symbols: Sequence[str]) -> list[Tick]:
        """Return the newest tick of each symbol that is known."""
        asked = {symbol: self._market.instrument_id(symbol) for symbol in symbols}
        seen_at = self._clock.now()
        if len(asked) <= ASKED_ALONE:
            bodies = await _all(*(self._ticker(symbol) for symbol in asked))
        else:
            bodies = [await self._http.get("/ticker/24hr", {})]
        # thousands of tickers take 10 ms and more to read
        read = [
            await asyncio.to_thread(parse_tickers, body, asked, seen_at) for body in bodies if body
        ]
        return [tick for ticks in read for tick in ticks.values()]

    async def candles(
        self, symbol: str, timeframe: Timeframe, start_ms: int, end_ms: int
    ) -> list[Candle]:
        """Return the candles that start in [start_ms, end_ms), flat ones too, page by page."""
        length_ms = timeframe.length // timedelta(milliseconds=1)
        found: list[Candle] = []
        at_ms = -(-start_ms // length_ms) * length_ms
        while at_ms < end_ms:
            limit = min(self._market.candles_a_page, -(-(end_ms - at_ms) // length_ms))
            params = {
                "symbol": symbol,
                "interval": timeframe.value,
                "startTime": str(at_ms),
                "endTime": str(end_ms - 1),
                "limit": str(limit),
            }
            page = parse_klines(await self._http.get("/klines", params))
            found += page
            if len(page) < limit:
                break
            at_ms = page[-1].start_ms + length_ms
        return found

    def news(self) -> list[Update]:
        """Return once what is new of the live minutes."""
        return [self._update(symbol, shown) for symbol, shown in self.live.news()]

    def listen(self, hear: Hear) -> None:
        """Tell prices as they come."""

        def tell(symbol: str, shown: Shown) -> None:
            at, seen_at = from_ms(shown.at_ms), from_ms(shown.seen_ms)
            instrument = self._market.instrument_id(symbol)
            hear([Tick(instrument, at, seen_at, shown.candle.close, volume=0.0)])

        self.live.listen(tell)

    def heard(self) -> list[InstrumentId]:
        """Return the instruments that the streams tell of right now."""
        return [self._market.instrument_id(symbol) for symbol in self.live.live()]

    async def listing(self) -> list[Listing]:
        """Return all that trades."""
        asked = self._http.get("/exchangeInfo", dict(self._market.info))
        info, tickers = await _all(asked, self._http.get("/ticker/24hr", {}))
        # many megabytes take longer to read than the event loop may be held up
        return await asyncio.to_thread(parse_listing, info, tickers, self._market)

    async def _ticker(self, symbol: str) -> bytes:
        try:
            return await self._http.get("/ticker/24hr", {"symbol": symbol})
        except UnknownSymbol:
            return b""

    async def _minutes(self, symbol: str, start_ms: int, end_ms: int) -> list[Candle]:
        return await self.candles(symbol, Timeframe.M1, start_ms, end_ms)

    def _update(self, symbol: str, shown: Shown) -> Update:
        instrument = self._market.instrument_id(symbol)
        bar = shown.candle.bar(instrument, Timeframe.M1, is_complete=shown.candle.is_closed)
        return Update(bar, from_ms(shown.at_ms), from_ms(shown.seen_ms))


def _symbols(segment: str, instruments: Sequence[InstrumentId]) -> list[str]:
    """Return the symbols of the instruments that belong to a market."""
    splits = (split_id(instrument) for instrument in instruments)
    return [split[1] for split in splits if split is not None and split[0] == segment]


async def _all(*asked: Awaitable[Answer]) -> list[Answer]:
    """Return all answers; the first error is raised when none is waited for any more."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
