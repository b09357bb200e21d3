"""Naver's pretend older pages: lists, flows, rankings, times and days of one name, in EUC-KR.

With the quirks that are known of the real ones: a page past the end repeats the last one, changes
have no sign, institutions stand before foreigners in the last of several like tables, a ranking has
two days with the older one first, and without `thistime` there are no times at all.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response
from starlette.routing import Route

from market.sessions import KST
from market.types import Kind
from sandbox.market_facts import bought, figures, is_over, market_cap, sessions
from sandbox.naver_faults import Fault
from sandbox.naver_html import number, page, pager, table
from sandbox.naver_page_rows import day_row, flow_row, list_row, rank_row, sise_row, time_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from starlette.requests import Request

    from market.clock import Clock
    from sandbox.market import Minute, Quote, Simulator
    from sandbox.market_days import Day
    from sandbox.naver_faults import Faults

LAST_TIME = time(15, 30)
_TIMES = "체결시각 체결가 전일비 매도 매수 거래량 변동량"
_DAYS = "날짜 종가 전일비 시가 고가 저가 거래량"
_FLOWS = "날짜 종가 전일비 등락률 거래량 기관 외국인 순매매량 순매매량 보유주수 보유율"
_LINES = "N 종목명 현재가 전일비 등락률 액면가 시가총액 상장주식수 외국인비율 거래량 PER ROE 토론실"
_RANKS = "종목명 수량 금액 당일거래량"
_SISE = ["날짜", "시가", "고가", "저가", "종가", "거래량", "외국인소진율"]
_CAPTION = "외국인 기관 순매매 거래량"
_INVESTORS = {"9000": "foreigners", "1000": "institutions"}
_LIST_MARKETS = {"0": "KOSPI", "1": "KOSDAQ"}
_RANK_MARKETS = {"01": "KOSPI", "02": "KOSDAQ"}
_PAGES_OF_DAYS = 30


def page_routes(simulator: Simulator, clock: Clock, faults: Faults) -> list[Route]:
    """Return the routes of the older pages."""
    pages = _Pages(simulator, clock)
    return [
        Route("/item/sise_time.naver", faults.endpoint(pages.times)),
        Route("/item/sise_day.naver", faults.endpoint(pages.days)),
        Route("/item/frgn.naver", faults.endpoint(pages.flows)),
        Route("/sise/sise_market_sum.naver", faults.endpoint(pages.listing)),
        Route("/sise/sise_deal_rank_iframe.naver", faults.endpoint(pages.ranking)),
        Route("/api/sise/etfItemList.nhn", faults.endpoint(pages.funds)),
        Route("/siseJson.naver", faults.endpoint(pages.sise)),
    ]


class _Pages:
    def __init__(self, simulator: Simulator, clock: Clock) -> None:
        self._simulator = simulator
        self._clock = clock

    def times(self, request: Request, fault: Fault | None) -> Response:
        """Answer ten minutes of a day at or before `thistime`, newest first."""
        until = _moment(request.query_params.get("thistime", ""))
        rows = [] if until is None else self._time_rows(_code(request), until)
        shown, at, last = _sheet(rows, request, 10)
        found = [] if fault is Fault.EMPTY else shown
        heads = _heads(_TIMES, fault)
        return page(
            '<h4 class="tlline2"><strong>시간별</strong>시세</h4>\n',
            table("type2", heads, found, 7),
            pager(f"/item/sise_time.naver?code={_code(request)}", at, last),
        )

    def days(self, request: Request, fault: Fault | None) -> Response:
        """Answer ten days, newest first."""
        days = self._sessions(_code(request), 10 * _PAGES_OF_DAYS + 1)
        rows = [day_row(day, before) for day, before in pairwise(days)]
        shown, at, last = _sheet(rows, request, 10)
        found = [] if fault is Fault.EMPTY else shown
        return page(
            table("type2", _heads(_DAYS, fault), found, 7),
            pager(f"/item/sise_day.naver?code={_code(request)}", at, last),
        )

    def flows(self, request: Request, fault: Fault | None) -> Response:
        """Answer twenty days of net buying, newest first: those that are over."""
        now, code = self._clock.now(), _code(request)
        days = self._sessions(code, 20 * _PAGES_OF_DAYS // 5 + 2)
        over = [day for day in days if is_over(self._simulator, day.day, now)]
        quotes = self._simulator.snapshot([code], now)
        flows = [bought(quotes[0].instrument, day) for day in over]
        listed = figures(quotes[0]).listed if quotes else 0
        rows = [flow_row(*two, listed) for two in pairwise(flows)]
        shown, at, last = _sheet(rows, request, 20)
        found = [] if fault is Fault.EMPTY else shown
        brokers = [[f'<td class="title">미래에셋증권</td>{number("1,646,968")}']]
        return page(
            table("type2", ["회원사", "거래량"], brokers, 2, "거래원정보"),
            table("type2", _heads(_FLOWS, fault), found, 9, _CAPTION),
            pager(f"/item/frgn.naver?code={code}", at, last),
        )

    def listing(self, request: Request, fault: Fault | None) -> Response:
        """Answer fifty lines of a segment by market value."""
        market = request.query_params.get("sosok", "0")
        quotes = self._quotes(_LIST_MARKETS.get(market, "KOSPI"))
        lines = sorted(quotes, key=market_cap, reverse=True)
        rows = [list_row(at, quote) for at, quote in enumerate(lines, start=1)]
        shown, at, last = _sheet(rows, request, 50)
        found = [] if fault is Fault.EMPTY else shown
        return page(
            table("type_2", _heads(_LINES, fault), found, 13),
            pager(f"/sise/sise_market_sum.naver?sosok={market}", at, last),
        )

    def ranking(self, request: Request, fault: Fault | None) -> Response:
        """Answer twenty lines of the last two days that are over, the older one first."""
        asked, now = request.query_params, self._clock.now()
        investor = _INVESTORS.get(asked.get("investor_gubun", ""), "foreigners")
        quotes = self._quotes(_RANK_MARKETS.get(asked.get("sosok", ""), "KOSPI"))
        three = sessions(self._simulator, self._simulator.codes[0], 3, _today(now), now)
        days = [one.day for one in three if is_over(self._simulator, one.day, now)][:2]
        boxes = [
            self._box(day, quotes, investor, asked.get("type", "buy"), fault) for day in days[::-1]
        ]
        return page(f'<div style="text-align:left;">\n{"".join(boxes)}</div>\n')

    def funds(self, _: Request, fault: Fault | None) -> Response:
        """Answer the list of ETFs."""
        quotes = self._simulator.snapshot(self._simulator.codes, self._clock.now())
        funds = [one.instrument for one in quotes if one.instrument.kind is Kind.ETF]
        name = "code" if fault is Fault.RENAMED else "itemcode"
        rows = [{name: fund.code, "itemname": fund.name} for fund in funds]
        answer = {"result": {"etfItemList": [] if fault is Fault.EMPTY else rows}}
        body = orjson.dumps({"resultCode": "success", **answer}).decode()
        encoded = body.encode("cp949", errors="replace")
        return Response(encoded, headers={"Content-Type": "application/json;charset=EUC-KR"})

    def sise(self, request: Request, fault: Fault | None) -> Response:
        """Answer the days from startTime to endTime as a list in the writing of Python."""
        asked, now = request.query_params, self._clock.now()
        start, end = (_moment(f"{asked.get(name, '')}000000") for name in ("startTime", "endTime"))
        code = asked.get("symbol", "")
        days = (
            self._simulator.days(code, start.date(), end.date(), now)
            if start is not None and end is not None and code in self._simulator.codes
            else []
        )
        rows = [] if fault is Fault.EMPTY else [sise_row(day) for day in days]
        heads = ", ".join(f"'{one}'" for one in _heads(" ".join(_SISE), fault))
        text = f" [[{heads}],\n" + "".join(f"\n\t\t\n{row}," for row in rows)
        body = text.rstrip(",") + "\n\n]\n"
        return Response(f"\n{body}", headers={"Content-Type": "text/plain;charset=UTF-8"})

    def _time_rows(self, code: str, until: datetime) -> list[list[str]]:
        now = self._clock.now()
        midnight = datetime.combine(until.date(), time(), KST)
        if code not in self._simulator.codes:
            return []
        after = until.replace(second=0) + timedelta(minutes=1)
        minutes = self._simulator.minutes(code, midnight, after, now)
        counts = accumulate(minute.volume for minute in minutes)
        before = sessions(self._simulator, code, 2, until.date(), now)
        close = before[-1].close
        rows = [time_row(*one, close) for one in zip(minutes, counts, strict=True)]
        return [row for row, minute in zip(rows, minutes, strict=True) if _is_shown(minute)][::-1]

    def _box(
        self, day: date, quotes: Sequence[Quote], investor: str, side: str, fault: Fault | None
    ) -> str:
        lines = []
        for quote in quotes:
            days = self._simulator.days(quote.instrument.code, day, day, self._clock.now())
            lines += [(quote, bought(quote.instrument, one)) for one in days if one.volume]
        sign = 1 if side == "buy" else -1
        lines = [line for line in lines if sign * line[1].of(investor) > 0]
        lines.sort(key=lambda line: -sign * line[1].of(investor) * line[1].day.close)
        rows = [] if fault is Fault.EMPTY else [rank_row(*line, investor) for line in lines[:20]]
        shown = table("type_1", _heads(_RANKS, fault), rows, 4)
        dated = f'<div class="sise_guide_date">{day:%y.%m.%d}</div>'
        return f'<div class="box_type_ms" style=" margin-top:0">\n{dated}\n{shown}</div>\n'

    def _sessions(self, code: str, count: int) -> list[Day]:
        now = self._clock.now()
        if code not in self._simulator.codes:
            return []
        days = sessions(self._simulator, code, count, _today(now), now)
        return [day for day in days if day.close]

    def _quotes(self, segment: str) -> list[Quote]:
        quotes = self._simulator.snapshot(self._simulator.codes, self._clock.now())
        return [one for one in quotes if one.instrument.segment == segment]


def _sheet(rows: list[list[str]], request: Request, size: int) -> tuple[list[list[str]], int, int]:
    """Return the rows of the page that is asked for, its number and the last one's."""
    last = max(1, -(-len(rows) // size))
    text = request.query_params.get("page", "")
    at = min(max(1, int(text)) if text.isascii() and text.isdigit() else 1, last)
    return rows[(at - 1) * size : at * size], at, last


def _heads(names: str, fault: Fault | None) -> list[str]:
    heads = names.split()
    return [f"새 {head}" for head in heads] if fault is Fault.RENAMED else heads


def _code(request: Request) -> str:
    return request.query_params.get("code", "")


def _today(now: datetime) -> date:
    return now.astimezone(KST).date()


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError:
        return None


def _is_shown(minute: Minute) -> bool:
    return minute.start.astimezone(KST).time() <= LAST_TIME
