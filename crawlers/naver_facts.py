"""What Naver knows of KRX by the day: lists, investor flows, figures of companies, rankings."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from crawlers.naver_codes import code_of, codes_of
from crawlers.naver_parsers import NOON
from crawlers.two_ways import either_way
from market.errors import SourceError
from market.sessions import KST
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from crawlers.naver_front import NaverFront
    from crawlers.naver_pages import NaverPages
    from market.clock import Clock
    from market.facts import Flow, Fundamentals, Listing, Ranking
    from market.sessions import Calendar
    from market.types import InstrumentId

SEGMENTS = ("KOSPI", "KOSDAQ")
INVESTORS = ("foreigners", "institutions")
SIDES = ("buy", "sell")


class NaverFacts:
    """Facts of the day from Naver's JSON or, where that has changed, from its older pages."""

    def __init__(
        self, front: NaverFront, pages: NaverPages, calendar: Calendar, clock: Clock
    ) -> None:
        self._front = front
        self._pages = pages
        self._calendar = calendar
        self._clock = clock

    async def listing(self, segment: str) -> list[Listing]:
        """Return everything that trades in KOSPI or KOSDAQ, greatest market value first.

        The older pages tell listed shares too, in thousands.
        """
        _check("segment", segment, SEGMENTS)
        ways = (partial(way.listing, segment) for way in (self._front, self._pages))
        lines = await either_way(f"list of {segment}", *ways)
        return sorted(lines, key=lambda line: -(line.market_cap or 0))

    async def flows(self, instrument: InstrumentId, days: int) -> list[Flow]:
        """Return the newest days that are over, at most so many, oldest first.

        Those of today are told in the evening. The older page does not tell of individuals.
        """
        code, now = code_of(instrument), self._clock.now()
        # one more: the newest may be of the session that goes on
        ways = (partial(way.flows, code, days + 1) for way in (self._front, self._pages))
        found = await either_way(f"flows of {instrument}", *ways)
        over = [flow for flow in found if self._is_over(flow.day, now)]
        return over[:days][::-1]

    async def fundamentals(self, instruments: Sequence[InstrumentId]) -> list[Fundamentals]:
        """Return the figures of each KRX instrument that Naver knows."""
        return await self._front.fundamentals(codes_of(instruments))

    async def ranking(self, segment: str, investor: str, side: str) -> list[Ranking]:
        """Return the twenty of KOSPI or KOSDAQ that were bought or sold most on the newest day.

        Raises SourceUnavailable from the open to the evening, while the figures are an estimate.
        """
        _check("segment", segment, SEGMENTS)
        _check("investor", investor, INVESTORS)
        _check("side", side, SIDES)
        ways = (partial(way.ranking, segment, investor, side) for way in (self._front, self._pages))
        return await either_way(f"what {investor} {side} most in {segment}", *ways)

    def _is_over(self, day: date, now: datetime) -> bool:
        start = self._calendar.slot(datetime.combine(day, NOON, KST), Timeframe.D1)
        if start is None:
            return day < now.astimezone(KST).date()
        return self._calendar.slot_end(start, Timeframe.D1) <= now


def _check(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise SourceError(f"naver knows no {what} '{given}', only {' and '.join(known)}")
