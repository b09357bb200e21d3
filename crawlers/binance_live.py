"""The minutes of one Binance market as they form: its streams, and requests for what they lack."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from crawlers.binance_candles import GRACE_MS, Candles, Shown, minute_of
from crawlers.binance_http import UnknownSymbol
from crawlers.binance_parsers import parse_event
from crawlers.binance_streams import Streams
from crawlers.venue_time import VenueTime
from market.errors import SourceChanged, SourceUnavailable
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from config.settings import BinanceSettings
    from crawlers.binance_parsers import Candle
    from market.clock import Clock
    from venues.binance_markets import Market
    from venues.live_socket import Connect

    HearShown = Callable[[str, Shown], None]
    Ask = Callable[[str, int, int], Awaitable[list[Candle]]]

logger = logging.getLogger(__name__)

POLLED_AT_ONCE = 8
"""Without a connection so many present minutes are asked for in each call, in turn."""
HEARING_TURNS = 10
"""Turns of the event loop in which what has arrived by now, also a goodbye, is heard first."""
LONGEST_WAIT_SECONDS = 5.0
"""For a minute to end by the venue's clock, where ours is ahead."""
MOST_ODD = 20
"""So many messages in a row that cannot be read are a change of the venue, fewer an accident."""


class LiveMarket:
    """Minute candles of any number of symbols, without holes.

    `ask` requests the minutes of a symbol (start and end in ms, UTC) from the venue.
    """

    def __init__(
        self,
        market: Market,
        settings: BinanceSettings,
        clock: Clock,
        ask: Ask,
        connect: Connect,
    ) -> None:
        self._clock = clock
        self._ask = ask
        self._candles = Candles()
        self._time = VenueTime()
        self._odd: SourceChanged | None = None
        self._odd_in_row = 0
        self._polled = 0
        self._over_ms = 0
        self._all_closed = asyncio.Event()
        self._unknown: set[str] = set()
        self._hearers: list[HearShown] = []
        self._told_ms: dict[str, int] = {}
        self._streams = Streams(
            f"binance {market.segment}",
            market.socket_url,
            self._on_message,
            silence_seconds=settings.silence_seconds,
            connect=connect,
        )

    async def refresh(self, symbols: Sequence[str]) -> None:
        """Follow these symbols and no others, and ask for the minutes that the streams lack.

        Every minute that was over by our clock is known then. Raises SourceUnavailable where that
        cannot be made sure of, SourceChanged.
        """
        self._over_ms = over_ms = minute_of(to_ms(self._clock.now()))
        self._candles.follow(symbols, self._now_ms())
        await self._streams.follow(symbols)
        for _ in range(HEARING_TURNS):
            await asyncio.sleep(0)
        await self._wait_for_end(over_ms)
        polled = {symbol: self._candles.lacking(symbol) for symbol in self._next_unheard()}
        behind = polled | self._candles.behind(self._now_ms())
        fillings = [self._fill(symbol, start_ms) for symbol, start_ms in behind.items()]
        for error in await asyncio.gather(*fillings, return_exceptions=True):
            if isinstance(error, BaseException):
                raise error
        self._raise_odd()
        if self._candles.lacks(over_ms):
            ahead = self._time.ahead_ms / 1000
            raise SourceUnavailable(f"this machine's clock is {ahead:.1f} s ahead of binance's")

    def news(self) -> list[tuple[str, Shown]]:
        """Return once what changed since it was last asked for, oldest first per symbol."""
        return self._candles.news()

    def listen(self, hear: HearShown) -> None:
        """Tell what the streams show of a symbol as it comes."""
        self._hearers.append(hear)

    def live(self) -> list[str]:
        """Return the symbols whose connection is open now."""
        return self._streams.heard()

    async def close(self) -> None:
        """Close the connections; may be called twice."""
        await self._streams.close()

    def _now_ms(self) -> int:
        return to_ms(self._clock.now()) - self._time.ahead_ms

    async def _wait_for_end(self, over_ms: int) -> None:
        """Let the streams close the minute that has just ended, for as long as that may take."""
        wait_ms = over_ms + GRACE_MS - self._now_ms()
        if wait_ms <= 0 or not self._candles.lacks(over_ms):
            return
        self._all_closed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(wait_ms / 1000 + 0.005, LONGEST_WAIT_SECONDS)):
                await self._all_closed.wait()

    def _next_unheard(self) -> list[str]:
        """Return those whose turn it is of the symbols that no connection tells of now."""
        unheard = self._streams.unheard()
        first = self._polled if self._polled < len(unheard) else 0
        self._polled = first + POLLED_AT_ONCE
        return unheard[first : self._polled]

    async def _fill(self, symbol: str, start_ms: int) -> None:
        asked_ms = self._now_ms()
        try:
            candles = await self._ask(symbol, start_ms, asked_ms)
            self._unknown.discard(symbol)
        except UnknownSymbol as error:
            candles = []  # it does not trade, so there is nothing to miss
            if symbol not in self._unknown:
                self._unknown.add(symbol)
                logger.warning("%s", error)
        self._candles.fill(symbol, candles, asked_ms)
        if symbol in self._candles.behind(asked_ms):
            raise SourceUnavailable(f"binance answered an older minute of {symbol} than it streams")

    def _on_message(self, message: str | bytes) -> None:
        try:
            streamed = parse_event(message)
        except SourceChanged as error:
            self._odd, self._odd_in_row = error, self._odd_in_row + 1
            raise
        if streamed is None:
            return
        self._odd_in_row = 0
        candle, seen_ms = streamed.candle, to_ms(self._clock.now())
        self._time.note(streamed.at_ms, seen_ms)
        shown = Shown(candle, min(streamed.at_ms, candle.end_ms - 1), seen_ms)
        self._candles.stream(streamed.symbol, shown)
        self._tell(streamed.symbol, shown)
        is_waited_for = candle.is_closed and not self._all_closed.is_set()
        if is_waited_for and not self._candles.lacks(self._over_ms):
            self._all_closed.set()

    def _tell(self, symbol: str, shown: Shown) -> None:
        if shown.at_ms < self._told_ms.get(symbol, 0):
            return  # the minute before may be told once more after the next has begun
        self._told_ms[symbol] = shown.at_ms
        for hear in self._hearers:
            hear(symbol, shown)

    def _raise_odd(self) -> None:
        """Tell where nothing that comes can be read any more; what it lacked is asked for."""
        if self._odd is not None and self._odd_in_row >= MOST_ODD:
            self._odd_in_row = 0
            raise self._odd
