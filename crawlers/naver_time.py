"""Naver's older pages of one instrument: the minutes of `sise_time`, the days of `sise_day`."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from itertools import count
from typing import TYPE_CHECKING

from crawlers.naver_codes import code_of, codes_of
from crawlers.naver_pages import HEADERS
from crawlers.naver_pages_parsers import parse_day_rows, parse_times
from crawlers.naver_parsers import daily_bars
from crawlers.source import SOURCES
from market.errors import SourceChanged
from market.sessions import KST
from market.types import Bar, Tick, Timeframe, Venue
from venues.daily_budget import DailyBudget
from venues.polite_http import Pace, PoliteHttp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import httpx

    from config.settings import Settings
    from crawlers.naver_json import Row
    from crawlers.naver_pages_parsers import TimeRow
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import InstrumentId

MOST_PAGES_OF_A_DAY = 60
"""A whole session has about 40 of ten minutes each."""
EVENING = time(18)


@SOURCES.register("naver-time")
class NaverTimeSource:
    """KRX instruments one by one, as Naver's older HTML pages show them: for a handful only.

    The page tells one price a minute, its last: open, high, low and close of a 1-minute bar are
    all that price, so that what happened within the minute is lost, and the bars are not the
    venue's exact ones. Volumes are. It reaches about five sessions back. A tick is as old as its
    minute, and costs a request of its own.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],
    ) -> None:
        self._pages = settings.naver.pages_url
        self._clock = clock
        self._calendar = calendars[Venue.KRX]
        pace = Pace(settings.naver.requests_per_second, settings.naver.timeout_seconds)
        budget = DailyBudget(clock, settings.naver.requests_per_day)
        self._http = PoliteHttp(http, pace, HEADERS, budget)

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest minute of each KRX instrument as a tick, one request each.

        What has not traded in the session yet is told as of the one before. Pages without any
        minutes are those of unknown instruments; where all are like that it is SourceChanged.
        """
        asked = codes_of(instruments).values()
        found = [tick for one in asked if (tick := await self._tick(one)) is not None]
        if asked and not found:
            raise SourceChanged(f"naver times: no minutes of any of {len(asked)} instruments")
        return found

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return 1-minute bars that are flat (see above) with start <= bar.start < end."""
        seen_at = self._clock.now()
        # the auction print of the last slot is labelled a minute after the slot
        until = min(end + timedelta(minutes=2), seen_at)
        bars: dict[datetime, Bar] = {}
        day = start.astimezone(KST).date()
        while day <= until.astimezone(KST).date():
            if self._calendar.window(day) is not None:
                for row in await self._minutes(instrument, day, start, until):
                    bar = self._bar(instrument, day, row, seen_at)
                    if bar is not None and start <= bar.start < end:
                        bars[bar.start] = bar
            day += timedelta(days=1)
        return [bars[start] for start in sorted(bars)]

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily bars with start <= bar.start < end, oldest first, ten a request."""
        seen_at = self._clock.now()
        first = f"{start.astimezone(KST):%Y%m%d}"
        rows: dict[str, Row] = {}
        for number in count(1):
            asked = {"code": code_of(instrument), "page": str(number)}
            body = await self._http.get(f"{self._pages}/item/sise_day.naver", asked)
            page, last = await asyncio.to_thread(parse_day_rows, body)
            days = {row["localDate"]: row for row in page}
            is_new = not days.keys() <= rows.keys()
            rows |= days
            if number >= last or min(days) < first or not is_new:
                break
        bars = daily_bars(rows.values(), instrument, self._calendar, seen_at)
        return [bar for bar in bars if start <= bar.start < end]

    async def _tick(self, instrument: InstrumentId) -> Tick | None:
        seen_at = self._clock.now()
        for day in self._shown(seen_at):
            until = min(seen_at, datetime.combine(day, EVENING, KST))
            rows = await self._page(instrument, until, 1)
            if rows:
                return Tick(
                    instrument=instrument,
                    at=min(datetime.combine(day, rows[0].at, KST), seen_at),
                    seen_at=seen_at,
                    price=rows[0].price,
                    day_volume=rows[0].day_volume,
                    previous_close=rows[0].price - rows[0].change,
                )
        return None

    def _shown(self, now: datetime) -> list[date]:
        """Return the last two sessions that have begun at a moment, newest first."""
        today = self._calendar.session_day(now)
        midnight = datetime.combine(today, time(), KST)
        before = self._calendar.session_day(midnight - timedelta(minutes=1))
        window = self._calendar.window(today)
        return [before] if window is None or now < window.open else [today, before]

    async def _minutes(
        self, instrument: InstrumentId, day: date, start: datetime, until: datetime
    ) -> list[TimeRow]:
        """Return the minutes of a day, newest first, at least those from `start` to `until`."""
        until = min(until, datetime.combine(day, EVENING, KST))
        found: list[TimeRow] = []
        for number in range(1, MOST_PAGES_OF_A_DAY + 1):
            rows = await self._page(instrument, until, number)
            older = [row for row in rows if not found or row.at < found[-1].at]
            found += older
            if not older or datetime.combine(day, older[-1].at, KST) <= start:
                return found  # past its end the page repeats the last one
        raise SourceChanged(f"naver times: more than {MOST_PAGES_OF_A_DAY} pages of {day}")

    async def _page(self, instrument: InstrumentId, until: datetime, number: int) -> list[TimeRow]:
        asked = {
            "code": code_of(instrument),
            "thistime": f"{until.astimezone(KST):%Y%m%d%H%M%S}",
            "page": str(number),
        }
        body = await self._http.get(f"{self._pages}/item/sise_time.naver", asked)
        return await asyncio.to_thread(parse_times, body)

    def _bar(
        self, instrument: InstrumentId, day: date, row: TimeRow, seen_at: datetime
    ) -> Bar | None:
        start = self._calendar.slot(datetime.combine(day, row.at, KST), Timeframe.M1)
        if start is None or not row.volume:
            return None
        return Bar(
            instrument=instrument,
            timeframe=Timeframe.M1,
            start=start,
            open=row.price,
            high=row.price,
            low=row.price,
            close=row.price,
            volume=row.volume,
            value=row.price * row.volume,
            is_complete=self._calendar.slot_end(start, Timeframe.M1) <= seen_at,
        )
