"""Asking Upbit's quotation API: candles, tickers and the list of markets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawlers.upbit_parsers import parse_candles, parse_markets, parse_tickers
from market.errors import SourceError
from market.types import EPOCH, from_ms
from venues.polite_http import Pace, PoliteHttp, Refused, burst_within
from venues.upbit_limits import rest_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from config.settings import UpbitSettings
    from crawlers.upbit_parsers import Candle, Ticker
    from market.clock import Clock

MOST_CANDLES = 200
MARKETS_A_REQUEST = 100
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MARKETS_KEPT = timedelta(minutes=10)
"""A market that is not known is looked for again after so long."""


ALLOWED = 10
"""Requests a second, of each group (docs.upbit.com, "Rate Limits", 2026-09)."""


class UpbitRest:
    """Reads the quotation API at a pace below its ten requests a second."""

    def __init__(self, client: httpx.AsyncClient, settings: UpbitSettings, clock: Clock) -> None:
        self._url = settings.rest_url
        self._clock = clock
        burst = burst_within(ALLOWED, settings.requests_per_second)
        pace = Pace(settings.requests_per_second, settings.timeout_seconds, burst=burst)
        headers = {"Accept": "application/json"}
        self._http = PoliteHttp(client, pace, headers, watch=rest_seconds)
        self._known: frozenset[str] | None = None
        self._known_at: datetime | None = None

    async def minutes(self, code: str, start: datetime, end: datetime) -> list[Candle]:
        """Return the minute candles with start <= candle < end, oldest first."""
        return await self._candles("minutes/1", code, start, end, MINUTE)

    async def days(self, code: str, start: datetime, end: datetime) -> list[Candle]:
        """Return the daily candles (from midnight UTC) with start <= candle < end, oldest first."""
        return await self._candles("days", code, start, end, DAY)

    async def tickers(self, codes: Sequence[str]) -> list[Ticker]:
        """Return the tickers of those markets that Upbit knows, in their order."""
        codes = self._asked(codes)
        try:
            return await self._tickers(codes)
        except Refused as error:
            if error.status != 404:
                raise
        # one market that it does not know, and it answers none
        await self.markets()
        codes = self._asked(codes)
        return await self._tickers(codes)

    async def all_tickers(self, quote: str) -> list[Ticker]:
        """Return the tickers of everything that is paid in a currency."""
        url = f"{self._url}/v1/ticker/all"
        return parse_tickers(await self._http.get(url, {"quote_currencies": quote}))

    async def markets(self) -> dict[str, str]:
        """Return the Korean names of all markets by code."""
        url = f"{self._url}/v1/market/all"
        markets = parse_markets(await self._http.get(url, {"is_details": "true"}))
        self._known, self._known_at = frozenset(markets), self._clock.now()
        return markets

    def _asked(self, codes: Sequence[str]) -> list[str]:
        """Return the codes without those that a fresh list of markets lacks."""
        known, at = self._known, self._known_at
        if known is None or at is None or self._clock.now() - at >= MARKETS_KEPT:
            return list(codes)
        return [code for code in codes if code in known]

    async def _tickers(self, codes: Sequence[str]) -> list[Ticker]:
        found: list[Ticker] = []
        for first in range(0, len(codes), MARKETS_A_REQUEST):
            part = codes[first : first + MARKETS_A_REQUEST]
            body = await self._http.get(f"{self._url}/v1/ticker", {"markets": ",".join(part)})
            rows = {ticker.code: ticker for ticker in parse_tickers(body)}
            found += [rows[code] for code in part if code in rows]
        return found

    async def _candles(
        self, chart: str, code: str, start: datetime, end: datetime, length: timedelta
    ) -> list[Candle]:
        """Page backwards: `to` is exclusive, and what did not trade has no candle."""
        before = EPOCH - (EPOCH - end) // length * length  # rounded up to where a candle may start
        found: list[Candle] = []
        while start < before:
            count = min(MOST_CANDLES, -((start - before) // length))
            page = await self._page(chart, code, before, count)
            found = page + found
            if len(page) < count:
                break
            before = from_ms(page[0].start_ms)
        return [candle for candle in found if from_ms(candle.start_ms) >= start]

    async def _page(self, chart: str, code: str, end: datetime, count: int) -> list[Candle]:
        to = f"{end:%Y-%m-%dT%H:%M:%SZ}"
        query = {"market": code, "to": to, "count": str(count)}
        try:
            body = await self._http.get(f"{self._url}/v1/candles/{chart}", query)
        except Refused as error:
            if error.status == 404:
                raise SourceError(f"upbit does not know {code}") from error
            raise
        # an answer that repeats itself must not be asked for for ever
        return [one for one in parse_candles(body, code) if from_ms(one.start_ms) < end]
