"""Naver's JSON of lists, investor flows, figures of companies and rankings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlers.naver_front_parsers import (
    parse_investor_ranking,
    parse_market_value,
    parse_service_items,
    parse_trend,
)
from crawlers.naver_json import odd
from crawlers.naver_parsers import even_parts
from market.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.settings import NaverSettings
    from crawlers.naver_front_parsers import ListingPage
    from market.facts import Flow, Fundamentals, Listing, Ranking
    from market.types import InstrumentId
    from venues.polite_http import PoliteHttp

LINES_PER_PAGE = 100
"""More are answered with something that is not JSON."""
DAYS_PER_PAGE = 60
"""More are refused with 400; `page` is ignored, older days are asked for by their date."""
FIGURES_PER_REQUEST = 50
"""What public programs ask for at once; the limit is not known."""
RANKS_PER_REQUEST = 20
_READINGS = 2
_INVESTORS = {"foreigners": "FOREIGNER", "institutions": "ORGANIZATION"}


class NaverFront:
    """The first way: JSON that the newer pages are made of (public, no contract)."""

    def __init__(self, http: PoliteHttp, settings: NaverSettings) -> None:
        self._http = http
        self._settings = settings

    async def listing(self, segment: str) -> list[Listing]:
        """Return every line of a segment's list, in the order of the pages.

        Prices move while the pages are read, and a line may slip from a page to one that was read
        already: where lines are missing all pages are read once more. Raises SourceUnavailable if
        some are missing even then.
        """
        found: dict[InstrumentId, Listing] = {}
        for _ in range(_READINGS):
            number, total = 0, 1
            while number * LINES_PER_PAGE < total:
                number += 1
                page = await self._page(segment, number)
                total = page.total
                found |= {line.instrument.id: line for line in page.lines}
            if len(found) >= total:
                return list(found.values())
        raise SourceUnavailable(
            f"naver: the list of {segment} moved while it was read: "
            f"{len(found):,} of {total:,} lines"
        )

    async def flows(self, code: str, days: int) -> list[Flow]:
        """Return so many days if there are, newest first; the newest may not be over."""
        url = f"{self._settings.front_url}/api/stock/{code}/trend"
        found: list[Flow] = []
        while len(found) < days:
            # one more than needed: for a day that is not told yet, or the one that is seen twice
            size = min(DAYS_PER_PAGE, days - len(found) + 1)
            asked = {"pageSize": str(size)}
            if found:
                asked["bizdate"] = f"{found[-1].day:%Y%m%d}"
            flows = parse_trend(await self._http.get(url, asked), code)
            older = older_than(found, flows)
            if found and flows[0].day > found[-1].day:
                odd("flows", f"days up to {asked['bizdate']}", str(flows[0].day))
            found += older
            if not older or len(flows) < size - 1:
                break
        return found[:days]

    async def fundamentals(self, asked: Mapping[str, InstrumentId]) -> list[Fundamentals]:
        """Return the figures of each code that Naver knows."""
        parts = even_parts(list(asked), FIGURES_PER_REQUEST)
        found: list[Fundamentals] = []
        for part in parts:
            # commas and colon as they are: the query is not what a form would send
            url = f"{self._settings.polling_url}/api/realtime?query=SERVICE_ITEM:{','.join(part)}"
            body = await self._http.get(url)
            found += parse_service_items(body, {code: asked[code] for code in part})
        return found

    async def ranking(self, segment: str, investor: str, side: str) -> list[Ranking]:
        """Return the newest day's ranking of net buying."""
        url = f"{self._settings.rank_url}/api/domestic/market/trend/trendForeignOrg"
        asked = {
            "investorType": _INVESTORS[investor],
            "tradeType": "KRX",
            "marketType": segment,
            "startIdx": "0",
            "pageSize": str(RANKS_PER_REQUEST),
            "periodType": "DAY",
        }
        return newest_day(parse_investor_ranking(await self._http.get(url, asked), side))

    async def _page(self, segment: str, number: int) -> ListingPage:
        url = f"{self._settings.front_url}/api/stocks/marketValue/{segment}"
        asked = {"page": str(number), "pageSize": str(LINES_PER_PAGE)}
        return parse_market_value(await self._http.get(url, asked), segment)


def older_than(found: Sequence[Flow], flows: Iterable[Flow]) -> list[Flow]:
    """Return the days before all that were found, newest first: pages may overlap or repeat."""
    older = {flow.day: flow for flow in flows if not found or flow.day < found[-1].day}
    return [older[day] for day in sorted(older, reverse=True)]


def newest_day(lines: Iterable[Ranking]) -> list[Ranking]:
    """Return the lines of the newest day in them (some were seen to stay behind by a day)."""
    kept = list(lines)
    newest = max(line.day for line in kept)
    return [line for line in kept if line.day == newest]
