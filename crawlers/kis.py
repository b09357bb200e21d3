"""Korea Investment & Securities: prices of KRX by requests and, for a few names, by websocket."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from crawlers.kis_look import look
from crawlers.kis_minutes import MINUTE, minute_bars, newest_label, parse_minutes
from crawlers.kis_parsers import oldest_day, parse_days, parse_flows, parse_prices
from crawlers.kis_trades import KisTrades
from crawlers.naver_parsers import even_parts
from crawlers.source import SOURCES
from market.errors import SourceError
from market.sessions import KST
from market.types import Venue
from venues.kis_http import KisHttp
from venues.kis_session import connect_without_pings, session_of
from venues.kis_token import KisAccess

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    import httpx

    from config.settings import Settings
    from crawlers.kis_minutes import MinuteRow
    from crawlers.source import Hear
    from market.clock import Clock
    from market.facts import Flow
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick
    from venues.live_socket import Connect

CODES_PER_REQUEST = 30
_ID = re.compile(r"KRX:([0-9A-Z]{6})")
_DAY = timedelta(days=1)
_KRX = {"FID_COND_MRKT_DIV_CODE": "J"}
"""The exchange itself, without what trades at NXT."""


@SOURCES.register("kis")
class KisSource:
    """KRX instruments as KIS shows them to the owner of an app key.

    Multi-price answers tell no time of a trade: a tick that counts more than the one before is
    taken to have traded half-way between the two looks. Bars, asked for, are exact. Followed
    instruments (40 at most) are heard by websocket; `ticks` answers from it what was heard within
    two seconds and asks for the rest.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],
        *,
        connect: Connect = connect_without_pings,
    ) -> None:
        self._clock = clock
        self._calendar = calendars[Venue.KRX]
        access = KisAccess(http, settings.kis, clock)
        self._http = KisHttp(http, settings.kis, access)
        session = session_of(http, settings.kis, access, clock, connect)
        self._trades = KisTrades(session, access, clock, self._calendar)
        self._shown: dict[str, datetime] = {}

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest tick of each KRX instrument that KIS knows, one sweep.

        A sweep is whole or an error; ids of other venues are left out.
        """
        known = {match[1]: match[0] for match in map(_ID.fullmatch, instruments) if match}
        seen_at = self._clock.now()
        heard = self._trades.fresh(seen_at)
        asked = [code for code, instrument in known.items() if instrument not in heard]
        parts = even_parts(asked, CODES_PER_REQUEST)
        sweep = [self._prices({code: known[code] for code in part}, seen_at) for part in parts]
        found = {one: heard[one] for one in known.values() if one in heard}
        for answer in await asyncio.gather(*sweep, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            found |= {tick.instrument: self._trades.further(tick) for tick in answer}
        return [found[one] for one in known.values() if one in found]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the minute charts' bars with start <= bar.start < end, oldest first.

        The charts reach about a year back; the server of virtual accounts has today's only, which
        is a SourceError. So is an instrument of another venue.
        """
        code, seen_at = _code(instrument), self._clock.now()
        bars: list[Bar] = []
        day = start.astimezone(KST).date()
        while day <= min(end, seen_at).astimezone(KST).date():
            found = await self._minutes(code, day, start, end, seen_at)
            bars += minute_bars(found, instrument, self._calendar, seen_at)
            day += _DAY
        return [bar for bar in bars if start <= bar.start < end]

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily chart's bars with start <= bar.start < end, oldest first."""
        code, seen_at = _code(instrument), self._clock.now()
        first, last = (at.astimezone(KST).date() for at in (start, min(end, seen_at)))
        bars: dict[datetime, Bar] = {}
        while first <= last:
            answer = await self._http.get(
                "inquire-daily-itemchartprice",
                "FHKST03010100",
                _KRX
                | {
                    "FID_INPUT_ISCD": code,
                    "FID_INPUT_DATE_1": f"{first:%Y%m%d}",
                    "FID_INPUT_DATE_2": f"{last:%Y%m%d}",
                    "FID_PERIOD_DIV_CODE": "D",
                    "FID_ORG_ADJ_PRC": "0",
                },
            )
            found = parse_days(answer, instrument, self._calendar, seen_at)
            bars |= {bar.start: bar for bar in found}
            oldest = oldest_day(answer)
            if oldest is None or oldest > last:
                break
            last = oldest - _DAY
        return [bars[at] for at in sorted(bars) if start <= at < end]

    async def flows(self, instrument: InstrumentId, days: int) -> list[Flow]:
        """Return the newest days that are over, at most so many and 30, oldest first."""
        seen_at = self._clock.now()
        params = _KRX | {"FID_INPUT_ISCD": _code(instrument)}
        answer = await self._http.get("inquire-investor", "FHKST01010900", params)
        return parse_flows(answer, self._calendar, seen_at)[-days:] if days > 0 else []

    def follow(self, instruments: Iterable[InstrumentId]) -> None:
        """Follow these KRX instruments and no others, the first 40 of them."""
        self._trades.follow(match[1] for match in map(_ID.fullmatch, instruments) if match)

    def listen(self, hear: Hear) -> None:
        """Tell followed prices as they come."""
        self._trades.listen(hear)

    def live(self) -> frozenset[InstrumentId]:
        """Return the followed instruments that the websocket tells of right now."""
        return self._trades.live()

    async def close(self) -> None:
        """End the websocket session; may be called twice."""
        await self._trades.close()

    async def _prices(self, asked: Mapping[str, InstrumentId], seen_at: datetime) -> list[Tick]:
        params: dict[str, str] = {}
        # only as many places as there are codes: KIS refuses empty ones
        for place, code in enumerate(asked, start=1):
            params[f"FID_COND_MRKT_DIV_CODE_{place}"] = "J"
            params[f"FID_INPUT_ISCD_{place}"] = code
        answer = await self._http.get("intstock-multprice", "FHKST11300006", params)
        shown_at = self._clock.now()
        times = [self._shown[code] for code in asked if code in self._shown]
        last_shown_at = min(times) if len(times) == len(asked) else None
        now = look(self._calendar, seen_at, shown_at, last_shown_at)
        self._shown |= dict.fromkeys(asked, shown_at)
        return parse_prices(answer, asked, now)

    async def _minutes(
        self, code: str, day: date, start: datetime, end: datetime, seen_at: datetime
    ) -> list[MinuteRow]:
        """Return the rows of one session that bars from `start` on need, oldest first.

        Answers go backwards from a time; they are asked for until there is a row before the
        first one that is needed, whose value is told by the difference.
        """
        window = self._calendar.window(day)
        found: dict[datetime, MinuteRow] = {}
        if window is None or end <= window.open or start >= window.close:
            return []
        newest = newest_label(window, end, seen_at)
        first = max(start, window.open)
        while newest >= window.open:
            is_today = day == seen_at.astimezone(KST).date()
            answer = await (self._today if is_today else self._past)(code, newest)
            page = parse_minutes(answer, day, newest)
            if not page:
                break
            found |= {row.at: row for row in page}
            oldest = min(row.at for row in page)
            if oldest < first:
                break
            newest = oldest - MINUTE
        return [found[at] for at in sorted(found)]

    async def _today(self, code: str, newest: datetime) -> dict[str, object]:
        params = {
            "FID_INPUT_ISCD": code,
            "FID_INPUT_HOUR_1": f"{newest.astimezone(KST):%H%M%S}",
            "FID_PW_DATA_INCU_YN": "Y",
            "FID_ETC_CLS_CODE": "",
        }
        return await self._http.get("inquire-time-itemchartprice", "FHKST03010200", _KRX | params)

    async def _past(self, code: str, newest: datetime) -> dict[str, object]:
        params = {
            "FID_INPUT_ISCD": code,
            "FID_INPUT_DATE_1": f"{newest.astimezone(KST):%Y%m%d}",
            "FID_INPUT_HOUR_1": f"{newest.astimezone(KST):%H%M%S}",
            "FID_PW_DATA_INCU_YN": "N",
            "FID_FAKE_TICK_INCU_YN": "N",
        }
        return await self._http.get("inquire-time-dailychartprice", "FHKST03010230", _KRX | params)


def _code(instrument: InstrumentId) -> str:
    match = _ID.fullmatch(instrument)
    if match is None:
        raise SourceError(f"kis knows KRX instruments only, not {instrument}")
    return match[1]
