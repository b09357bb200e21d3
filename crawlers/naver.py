"""Naver Finance: batch polling, minute and daily charts, lists, flows and figures. KRX only."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from crawlers.naver_codes import code_of, codes_of
from crawlers.naver_facts import NaverFacts
from crawlers.naver_front import NaverFront
from crawlers.naver_pages import HEADERS as PAGE_HEADERS
from crawlers.naver_pages import NaverPages
from crawlers.naver_parsers import (
    even_parts,
    parse_days,
    parse_minutes,
    parse_polling,
    parse_sise_days,
)
from crawlers.source import SOURCES
from crawlers.two_ways import either_way
from market.sessions import KST
from market.types import Timeframe, Venue
from venues.daily_budget import DailyBudget
from venues.polite_http import Pace, PoliteHttp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from config.settings import Settings
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick

HEADERS = {"Accept": "application/json", "Referer": "https://m.stock.naver.com/"}
_CHART_TIME = "%Y%m%d%H%M"


@SOURCES.register("naver")
class NaverSource(NaverFacts):
    """KRX instruments as Naver shows them (public JSON, no contract).

    A tick's `seen_at` is the moment before the sweep asked: everything that traded until then is
    in the answers, so a bar that ended before it is whole.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],
    ) -> None:
        self._settings = settings.naver
        pace = Pace(self._settings.requests_per_second, self._settings.timeout_seconds)
        budget = DailyBudget(clock, self._settings.requests_per_day)
        self._http = PoliteHttp(http, pace, HEADERS, budget)
        front = NaverFront(self._http, self._settings)
        pages = NaverPages(PoliteHttp(http, pace, PAGE_HEADERS, budget), self._settings)
        super().__init__(front, pages, calendars[Venue.KRX], clock)

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest tick of each KRX instrument that Naver knows, one sweep.

        A sweep is whole or an error; ids of other venues are left out.
        """
        known = codes_of(instruments)
        parts = even_parts(list(known), self._settings.codes_per_request)
        seen_at = self._clock.now()
        sweep = [self._poll({code: known[code] for code in part}, seen_at) for part in parts]
        answers = await asyncio.gather(*sweep, return_exceptions=True)
        ticks: list[Tick] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            ticks += answer
        return ticks

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the minute chart's bars with start <= bar.start < end, oldest first.

        The chart reaches about six days back; an instrument of another venue is a SourceError.
        """
        url = self._chart_url(instrument, "minute")
        # Two minutes more: the auction print of the last slot is labelled one minute after the
        # slot, and whether the chart's end is meant inclusive is not sure.
        last = end + timedelta(minutes=2)
        span = {"startDateTime": _chart_time(start), "endDateTime": _chart_time(last)}
        seen_at = self._clock.now()
        body = await self._http.get(url, span)
        # The calendar learns its days here, on the loop's thread; it is only read in the other.
        self._calendar.slots(start, last, Timeframe.D1)
        # A week of minutes takes 20 ms to read: too long for the event loop.
        bars = await asyncio.to_thread(parse_minutes, body, instrument, self._calendar, seen_at)
        return [bar for bar in bars if start <= bar.start < end]

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily chart's bars with start <= bar.start < end, oldest first."""
        bars = await either_way(
            f"daily chart of {instrument}",
            partial(self._newer_days, instrument, start, end),
            partial(self._older_days, instrument, start, end),
        )
        return [bar for bar in bars if start <= bar.start < end]

    async def _newer_days(
        self, instrument: InstrumentId, start: datetime, end: datetime
    ) -> list[Bar]:
        span = {"startDateTime": _chart_time(start), "endDateTime": _chart_time(end)}
        seen_at = self._clock.now()
        body = await self._http.get(self._chart_url(instrument, "day"), span)
        return parse_days(body, instrument, self._calendar, seen_at)

    async def _older_days(
        self, instrument: InstrumentId, start: datetime, end: datetime
    ) -> list[Bar]:
        asked = {
            "symbol": code_of(instrument),
            "requestType": "1",
            "startTime": _chart_time(start)[:8],
            "endTime": _chart_time(end)[:8],
            "timeframe": "day",
        }
        seen_at = self._clock.now()
        body = await self._http.get(f"{self._settings.sise_url}/siseJson.naver", asked)
        return parse_sise_days(body, instrument, self._calendar, seen_at)

    def _chart_url(self, instrument: InstrumentId, chart: str) -> str:
        return f"{self._settings.chart_url}/chart/domestic/item/{code_of(instrument)}/{chart}"

    async def _poll(self, asked: Mapping[str, InstrumentId], seen_at: datetime) -> list[Tick]:
        url = f"{self._settings.polling_url}/api/realtime/domestic/stock/{','.join(asked)}"
        return parse_polling(await self._http.get(url), asked, seen_at)


def _chart_time(at: datetime) -> str:
    return at.astimezone(KST).strftime(_CHART_TIME)
