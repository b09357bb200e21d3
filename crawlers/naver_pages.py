"""Naver's older HTML pages of lists, investor flows and rankings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from crawlers.naver_front import older_than
from crawlers.naver_pages_parsers import (
    parse_deal_rank,
    parse_flow_page,
    parse_funds,
    parse_market_sum,
)
from market.errors import SourceUnavailable

if TYPE_CHECKING:
    from config.settings import NaverSettings
    from crawlers.naver_pages_parsers import ListPage
    from market.facts import Flow, Listing, Ranking
    from venues.polite_http import PoliteHttp

HEADERS = {"Accept": "text/html", "Referer": "https://finance.naver.com/"}
DAYS_PER_PAGE = 20
_LIST_MARKETS = {"KOSPI": "0", "KOSDAQ": "1"}
_RANK_MARKETS = {"KOSPI": "01", "KOSDAQ": "02"}
_INVESTORS = {"foreigners": "9000", "institutions": "1000"}


class NaverPages:
    """The second way: pages for eyes, in EUC-KR (they are being taken down one by one)."""

    def __init__(self, http: PoliteHttp, settings: NaverSettings) -> None:
        self._http = http
        self._pages = settings.pages_url

    async def listing(self, segment: str) -> list[Listing]:
        """Return every line of a segment's list; which ones are ETFs is asked beside it.

        Raises SourceUnavailable where the order changed so much that a line was seen twice.
        """
        funds = parse_funds(await self._http.get(f"{self._pages}/api/sise/etfItemList.nhn"))
        page = await self._list_page(segment, 1, funds)
        lines = list(page.lines)
        for number in range(2, page.last + 1):
            page = await self._list_page(segment, number, funds)
            lines += page.lines
        if len({line.instrument.id for line in lines}) < len(lines):
            raise SourceUnavailable(f"naver: the list of {segment} moved while it was read")
        return lines

    async def flows(self, code: str, days: int) -> list[Flow]:
        """Return so many days if there are, newest first; the newest may not be over."""
        found: list[Flow] = []
        number = 1
        while len(found) < days:
            asked = {"code": code, "page": str(number)}
            body = await self._http.get(f"{self._pages}/item/frgn.naver", asked)
            flows = await asyncio.to_thread(parse_flow_page, body)
            older = older_than(found, flows)
            found += older
            if not older or len(flows) < DAYS_PER_PAGE:
                break  # past the end the last page comes again
            number += 1
        return found[:days]

    async def ranking(self, segment: str, investor: str, side: str) -> list[Ranking]:
        """Return the newest day's ranking of net buying."""
        asked = {
            "sosok": _RANK_MARKETS[segment],
            "investor_gubun": _INVESTORS[investor],
            "type": side,
        }
        body = await self._http.get(f"{self._pages}/sise/sise_deal_rank_iframe.naver", asked)
        return await asyncio.to_thread(parse_deal_rank, body, side)

    async def _list_page(self, segment: str, number: int, funds: frozenset[str]) -> ListPage:
        asked = {"sosok": _LIST_MARKETS[segment], "page": str(number)}
        body = await self._http.get(f"{self._pages}/sise/sise_market_sum.naver", asked)
        return await asyncio.to_thread(parse_market_sum, body, segment, funds)
