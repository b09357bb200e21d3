"""Upbit: tickers, candles over REST, live candles over its websocket; coins, day and night."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from crawlers.source import SOURCES
from crawlers.upbit_live import UpbitLive
from crawlers.upbit_minutes import SETTLE_MS
from crawlers.upbit_rest import UpbitRest
from market.errors import SourceError
from market.facts import Listing
from market.types import Instrument, Kind, Timeframe, Venue
from venues.live_socket import connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import httpx

    from config.settings import Settings
    from crawlers.source import Hear, Update
    from crawlers.upbit_parsers import Candle
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick
    from venues.live_socket import Connect

SEGMENTS = ("KRW", "BTC", "USDT")
_ID = re.compile(rf"UPBIT:((?:{'|'.join(SEGMENTS)})-[0-9A-Z]+)")


@SOURCES.register("upbit")
class UpbitSource:
    """Upbit's quotation API, which needs no key (docs.upbit.com).

    Minutes and days are aligned to UTC; what did not trade has no candle. A bar is complete once
    its time is over by the venue's clock and a moment has passed in which it may still change.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],  # noqa: ARG002  coins have no hours
        connect: Connect = connect,
    ) -> None:
        self._clock = clock
        self._rest = UpbitRest(http, settings.upbit, clock)
        self._live = UpbitLive(self._rest, settings.upbit, clock, connect)

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest tick of each market that Upbit knows; ids of others are left out."""
        known = _codes(instruments)
        seen_at = self._clock.now()
        tickers = await self._rest.tickers(list(known)) if known else []
        return [ticker.tick(known[ticker.code], seen_at) for ticker in tickers]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the minute chart's bars with start <= bar.start < end, oldest first.

        The chart reaches back for years; an instrument of another venue is a SourceError.
        """
        now_ms = self._live.now_ms()
        candles = await self._rest.minutes(_code(instrument), start, end)
        return [_bar(one, instrument, Timeframe.M1, now_ms) for one in candles]

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily chart's bars (from midnight UTC) with start <= bar.start < end."""
        now_ms = self._live.now_ms()
        candles = await self._rest.days(_code(instrument), start, end)
        return [_bar(one, instrument, Timeframe.D1, now_ms) for one in candles]

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        """Return what changed since the last call; see the port."""
        return await self._live.updates(_codes(instruments))

    async def listing(self, segment: str) -> list[Listing]:
        """Return every market that is paid in a currency, most traded (24 hours) first.

        Markets under a warning of the venue are among them. Upbit tells no market value.
        """
        if segment not in SEGMENTS:
            raise SourceError(f"upbit has no market '{segment}', only {', '.join(SEGMENTS)}")
        names = await self._rest.markets()
        tickers = await self._rest.all_tickers(segment)
        ranked = sorted(tickers, key=lambda ticker: ticker.value_24h, reverse=True)
        return [
            Listing(
                Instrument(Venue.UPBIT, one.code, names[one.code], segment, Kind.COIN),
                price=one.price,
                volume=one.volume_24h,
                value=one.value_24h,
                change=one.change,
            )
            for one in ranked
            if one.code in names
        ]

    def listen(self, hear: Hear) -> None:
        """Tell prices of the markets that are followed as they come."""
        self._live.listen(hear)

    def live(self) -> frozenset[InstrumentId]:
        """Return the markets that the websocket tells of right now."""
        return self._live.live()

    async def close(self) -> None:
        """End the websocket; may be called twice."""
        await self._live.close()


def _codes(instruments: Sequence[InstrumentId]) -> dict[str, InstrumentId]:
    return {match[1]: match[0] for match in map(_ID.fullmatch, instruments) if match}


def _code(instrument: InstrumentId) -> str:
    match = _ID.fullmatch(instrument)
    if match is None:
        raise SourceError(f"upbit knows its own markets only, not {instrument}")
    return match[1]


def _bar(candle: Candle, instrument: InstrumentId, timeframe: Timeframe, now_ms: int) -> Bar:
    end_ms = candle.start_ms + timeframe.length // timedelta(milliseconds=1)
    return candle.bar(instrument, timeframe, is_complete=end_ms + SETTLE_MS <= now_ms)
