"""Naver Finance: batch polling, minute and daily charts, lists, flows and figures. KRX only."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from crawlers.daily_budget import DailyBudget
from crawlers.naver_front import NaverFront
from crawlers.naver_pages import HEADERS as PAGE_HEADERS
from crawlers.naver_pages import NaverPages
from crawlers.naver_parsers import (
    NOON,
    even_parts,
    parse_days,
    parse_minutes,
    parse_polling,
    parse_sise_days,
)
from crawlers.polite_http import Pace, PoliteHttp
from crawlers.source import SOURCES
from crawlers.two_ways import either_way
from market.errors import SourceError
from market.sessions import KST
from market.types import Timeframe, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import httpx

    from config.settings import Settings
    from market.clock import Clock
    from market.facts import Flow, Fundamentals, Listing, Ranking
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick

SEGMENTS = ("KOSPI", "KOSDAQ")
INVESTORS = ("foreigners", "institutions")
SIDES = ("buy", "sell")
HEADERS = {"Accept": "application/json", "Referer": "https://m.stock.naver.com/"}
_ID = re.compile(r"KRX:([0-9A-Z]{6})")
_CHART_TIME = "%Y%m%d%H%M"


@SOURCES.register("naver")
class NaverSource:
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
        self._clock = clock
        self._calendar = calendars[Venue.KRX]
        pace = Pace(self._settings.requests_per_second, self._settings.timeout_seconds)
        budget = DailyBudget(clock, self._settings.requests_per_day)
        self._http = PoliteHttp(http, pace, HEADERS, budget)
        self._front = NaverFront(self._http, self._settings)
        self._pages = NaverPages(PoliteHttp(http, pace, PAGE_HEADERS, budget), self._settings)

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest tick of each KRX instrument that Naver knows, one sweep.

        A sweep is whole or an error; ids of other venues are left out.
        """
        known = _codes(instruments)
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

    async def listing(self, segment: str) -> list[Listing]:
        """Return everything that trades in KOSPI or KOSDAQ, greatest market value first."""
        _check("segment", segment, SEGMENTS)
        ways = (partial(way.listing, segment) for way in (self._front, self._pages))
        lines = await either_way(f"list of {segment}", *ways)
        return sorted(lines, key=lambda line: -(line.market_cap or 0))

    async def flows(self, instrument: InstrumentId, days: int) -> list[Flow]:
        """Return the newest days that are over, at most so many, oldest first.

        Those of today are told in the evening. The older page does not tell of individuals.
        """
        code, now = _code(instrument), self._clock.now()
        # one more: the newest may be of the session that goes on
        ways = (partial(way.flows, code, days + 1) for way in (self._front, self._pages))
        found = await either_way(f"flows of {instrument}", *ways)
        over = [flow for flow in found if self._is_over(flow.day, now)]
        return over[:days][::-1]

    async def fundamentals(self, instruments: Sequence[InstrumentId]) -> list[Fundamentals]:
        """Return the figures of each KRX instrument that Naver knows."""
        return await self._front.fundamentals(_codes(instruments))

    async def ranking(self, segment: str, investor: str, side: str) -> list[Ranking]:
        """Return the newest day's twenty of KOSPI or KOSDAQ that were bought or sold most."""
        _check("segment", segment, SEGMENTS)
        _check("investor", investor, INVESTORS)
        _check("side", side, SIDES)
        ways = (partial(way.ranking, segment, investor, side) for way in (self._front, self._pages))
        return await either_way(f"what {investor} {side} most in {segment}", *ways)

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
            "symbol": _code(instrument),
            "requestType": "1",
            "startTime": _chart_time(start)[:8],
            "endTime": _chart_time(end)[:8],
            "timeframe": "day",
        }
        seen_at = self._clock.now()
        body = await self._http.get(f"{self._settings.sise_url}/siseJson.naver", asked)
        return parse_sise_days(body, instrument, self._calendar, seen_at)

    def _is_over(self, day: date, now: datetime) -> bool:
        start = self._calendar.slot(datetime.combine(day, NOON, KST), Timeframe.D1)
        if start is None:
            return day < now.astimezone(KST).date()
        return self._calendar.slot_end(start, Timeframe.D1) <= now

    def _chart_url(self, instrument: InstrumentId, chart: str) -> str:
        return f"{self._settings.chart_url}/chart/domestic/item/{_code(instrument)}/{chart}"

    async def _poll(self, asked: Mapping[str, InstrumentId], seen_at: datetime) -> list[Tick]:
        url = f"{self._settings.polling_url}/api/realtime/domestic/stock/{','.join(asked)}"
        return parse_polling(await self._http.get(url), asked, seen_at)


def _code(instrument: InstrumentId) -> str:
    match = _ID.fullmatch(instrument)
    if match is None:
        raise SourceError(f"naver knows KRX instruments only, not {instrument}")
    return match[1]


def _codes(instruments: Sequence[InstrumentId]) -> dict[str, InstrumentId]:
    """Return the ids of KRX by their codes; those of other venues are left out."""
    return {match[1]: match[0] for match in map(_ID.fullmatch, instruments) if match}


def _check(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise SourceError(f"naver knows no {what} '{given}', only {' and '.join(known)}")


def _chart_time(at: datetime) -> str:
    return at.astimezone(KST).strftime(_CHART_TIME)
