"""The minutes of one Binance market as they form: its streams, and requests for what they lack."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from crawlers.binance_candles import Candles, Shown
from crawlers.binance_http import UnknownSymbol
from crawlers.binance_parsers import parse_event
from crawlers.binance_streams import Streams
from crawlers.venue_time import VenueTime
from market.errors import SourceChanged, SourceUnavailable
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from config.settings import BinanceSettings
    from crawlers.binance_markets import Market
    from crawlers.binance_parsers import Candle
    from crawlers.live_socket import Connect
    from market.clock import Clock

    Ask = Callable[[str, int, int], Awaitable[list[Candle]]]

logger = logging.getLogger(__name__)


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
        self._unknown: set[str] = set()
        self._streams = Streams(
            f"binance {market.segment}",
            market.socket_url,
            self._on_message,
            silence_seconds=settings.silence_seconds,
            connect=connect,
        )

    async def refresh(self, symbols: Sequence[str]) -> None:
        """Follow these symbols and no others, and ask for the minutes that the streams lack.

        Raises SourceUnavailable where a minute that is over cannot be made sure of, SourceChanged.
        """
        self._candles.follow(symbols, self._now_ms())
        await self._streams.follow(symbols)
        behind = self._candles.behind(self._now_ms())
        fillings = [self._fill(symbol, start_ms) for symbol, start_ms in behind.items()]
        for error in await asyncio.gather(*fillings, return_exceptions=True):
            if isinstance(error, BaseException):
                raise error
        self._raise_odd()

    def news(self) -> list[tuple[str, Shown]]:
        """Return once what changed since it was last asked for, oldest first per symbol."""
        return self._candles.news()

    async def close(self) -> None:
        """Close the connections; may be called twice."""
        await self._streams.close()

    def _now_ms(self) -> int:
        return to_ms(self._clock.now()) - self._time.ahead_ms

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
            self._odd = error
            raise
        if streamed is None:
            return
        candle, seen_ms = streamed.candle, to_ms(self._clock.now())
        self._time.note(streamed.at_ms, seen_ms)
        shown = Shown(candle, min(streamed.at_ms, candle.end_ms - 1), seen_ms)
        self._candles.stream(streamed.symbol, shown)

    def _raise_odd(self) -> None:
        """Tell once of a message that could not be read; what it lacked is asked for."""
        odd, self._odd = self._odd, None
        if odd is not None:
            raise odd
