"""Naver's pretend JSON of lists, flows, figures and rankings.

With the quirks that are known of the real one: at most 100 lines a page (more is answered with no
JSON), at most 60 days of flows (more is refused) that are paged by date and not by page, dashes for
a day that is not over, figures in EUC-KR with decimal literals and unsigned changes, a ranking that
is an estimate without amounts until the evening.
"""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from market.sessions import KST
from market.types import Kind
from sandbox.market_facts import bought, figures, is_over, market_cap, sessions
from sandbox.naver_faults import Fault

if TYPE_CHECKING:
    from datetime import date

    from starlette.requests import Request

    from market.clock import Clock
    from sandbox.market import Quote, Simulator
    from sandbox.market_facts import Bought
    from sandbox.naver_faults import Faults

MOST_LINES, MOST_DAYS = 100, 60
FINAL_FROM = time(18)
"""When the amounts of the day's ranking are told."""
_INVESTORS = {"FOREIGNER": "foreigners", "ORGANIZATION": "institutions"}


def front_routes(simulator: Simulator, clock: Clock, faults: Faults) -> list[Route]:
    """Return the routes of the lists, flows, figures and rankings."""
    front = _Front(simulator, clock)
    return [
        Route("/api/stocks/marketValue/{segment}", faults.endpoint(front.listing)),
        Route("/api/stock/{code}/trend", faults.endpoint(front.trend)),
        Route("/api/realtime", faults.endpoint(front.figures)),
        Route("/api/domestic/market/trend/trendForeignOrg", faults.endpoint(front.ranking)),
    ]


class _Front:
    def __init__(self, simulator: Simulator, clock: Clock) -> None:
        self._simulator = simulator
        self._clock = clock

    def listing(self, request: Request, fault: Fault | None) -> Response:
        """Answer one page of a segment by market value."""
        page, size = (_whole(request, name, 1) for name in ("page", "pageSize"))
        if size > MOST_LINES:
            return HTMLResponse("<!doctype html><title>페이지를 찾을 수 없습니다</title>")
        quotes = self._quotes(request.path_params["segment"])
        lines = sorted(quotes, key=market_cap, reverse=True)
        shown = [] if fault is Fault.EMPTY else lines[(page - 1) * size : page * size]
        rows = [_renamed(_listed(quote), fault) for quote in shown]
        return _json({"stocks": rows, "totalCount": len(lines), "page": page, "pageSize": size})

    def trend(self, request: Request, fault: Fault | None) -> Response:
        """Answer the newest days of an instrument's flows, or those up to `bizdate`."""
        now, code = self._clock.now(), request.path_params["code"]
        count, last = _whole(request, "pageSize", 10), _day(request, now)
        if count > MOST_DAYS or last is None:
            return _json({"code": "BadRequest", "message": "pageSize, bizdate"}, 400)
        if code not in self._simulator.codes:
            return _json({"code": "StockConflict", "message": code}, 409)
        (quote,) = self._simulator.snapshot([code], now)
        days = sessions(self._simulator, code, count + 1, last, now)
        flows = [bought(quote.instrument, day) for day in days]
        rows = [_trend_row(quote, flows[at], flows[at + 1]) for at in range(len(flows) - 1)]
        if rows and not is_over(self._simulator, days[0].day, now):
            rows[0] |= {name: "-" for name in rows[0] if name.endswith("PureBuyQuant")}
        return _json([] if fault is Fault.EMPTY else [_renamed(row, fault) for row in rows])

    def figures(self, request: Request, fault: Fault | None) -> Response:
        """Answer the figures of SERVICE_ITEM:CODE,CODE; unknown codes are left out."""
        service, _, asked = request.query_params.get("query", "").partition(":")
        now = self._clock.now()
        codes = [] if fault is Fault.EMPTY else dict.fromkeys(asked.split(","))
        quotes = self._simulator.snapshot(codes, now) if service == "SERVICE_ITEM" else []
        rows = [_renamed(_figures_row(quote), fault) for quote in quotes]
        result = {
            "pollingInterval": 7000,
            "areas": [{"name": service, "datas": rows}],
            "time": int(now.timestamp() * 1000),
        }
        text = orjson.dumps({"resultCode": "success", "result": result}).decode()
        body = re.sub(r'"#([0-9.]+)"', r"\1", text).encode("cp949", errors="replace")
        return Response(body, headers={"Content-Type": "text/plain;charset=EUC-KR"})

    def ranking(self, request: Request, fault: Fault | None) -> Response:
        """Answer what foreigners or institutions bought and sold most on the newest day."""
        asked = request.query_params
        investor = _INVESTORS.get(asked.get("investorType", ""))
        if investor is None:
            return _json({"code": "BadRequest", "message": "investorType"}, 400)
        now, size = self._clock.now(), _whole(request, "pageSize", 20)
        quotes = [] if fault is Fault.EMPTY else self._quotes(asked.get("marketType", "ALL"))
        lines = ranked(self._simulator, quotes, investor, now)
        local = now.astimezone(KST)
        newest = lines[0][1].day.day if lines else local.date()
        is_estimate = newest == local.date() and local.time() < FINAL_FROM
        rows = [_rank_row(*line, investor, is_estimate=is_estimate) for line in lines]
        sections = {
            "buyRankList": [row for row in rows if row["accTradeVolume"][0] != "-"][:size],
            "sellRankList": [row for row in rows[::-1] if row["accTradeVolume"][0] == "-"][:size],
        }
        if fault is Fault.RENAMED:
            sections = {f"{name}s": lines for name, lines in sections.items()}
        return _json({"sections": sections})

    def _quotes(self, segment: str) -> list[Quote]:
        quotes = self._simulator.snapshot(self._simulator.codes, self._clock.now())
        return [one for one in quotes if segment in {"ALL", one.instrument.segment}]


def ranked(
    simulator: Simulator, quotes: list[Quote], investor: str, at: datetime
) -> list[tuple[Quote, Bought]]:
    """Return what was bought in the newest day that has begun, most won first, most sold last."""
    found = []
    for quote in quotes:
        days = sessions(simulator, quote.instrument.code, 1, at.astimezone(KST).date(), at)
        found += [(quote, bought(quote.instrument, day)) for day in days if day.volume]
    return sorted(found, key=lambda line: -line[1].of(investor) * line[1].day.close)


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json;charset=UTF-8")


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return max(1, int(text)) if re.fullmatch(r"[0-9]{1,6}", text) else default


def _day(request: Request, now: datetime) -> date | None:
    text = request.query_params.get("bizdate") or f"{now.astimezone(KST):%Y%m%d}"
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=KST).date()
    except ValueError:
        return None


def _renamed(row: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
    """Return a row as after a redesign: prices, figures and flows under other names."""
    if fault is not Fault.RENAMED:
        return row
    return {re.sub(r"^(close|organ|eps)", "new", name): row[name] for name in row}


def _listed(quote: Quote) -> dict[str, Any]:
    change = quote.price - quote.previous_close
    cap = market_cap(quote)
    return {
        "itemCode": quote.instrument.code,
        "stockName": quote.instrument.name,
        "stockEndType": "etf" if quote.instrument.kind is Kind.ETF else "stock",
        "closePrice": f"{quote.price:,.0f}",
        "closePriceRaw": f"{quote.price:.0f}",
        "compareToPreviousPrice": {"code": _direction(change)},
        "fluctuationsRatio": f"{100 * change / quote.previous_close:.2f}",
        "accumulatedTradingVolumeRaw": str(quote.volume),
        "accumulatedTradingValueRaw": f"{quote.value:.0f}",
        "marketValue": f"{cap // 10**8:,}",
        "marketValueRaw": str(cap),
    }


def _direction(change: float) -> str:
    return "3" if not change else "2" if change > 0 else "5"


def _trend_row(quote: Quote, flow: Bought, before: Bought) -> dict[str, Any]:
    close = flow.day.close or quote.previous_close
    change = close - (before.day.close or quote.previous_close)
    return {
        "itemCode": quote.instrument.code,
        "bizdate": f"{flow.day.day:%Y%m%d}",
        "foreignerPureBuyQuant": f"{flow.foreigners:+,}",
        "foreignerHoldRatio": f"{flow.held_ratio:.2%}",
        "organPureBuyQuant": f"{flow.institutions:+,}",
        "individualPureBuyQuant": f"{flow.individuals:+,}",
        "closePrice": f"{close:,.0f}",
        "compareToPreviousClosePrice": f"{change:,.0f}",
        "compareToPreviousPrice": {"code": _direction(change)},
        "accumulatedTradingVolume": f"{flow.day.volume:,}",
    }


def _figures_row(quote: Quote) -> dict[str, Any]:
    found = figures(quote)
    change = quote.price - quote.previous_close
    return {
        "cd": quote.instrument.code,
        "nm": quote.instrument.name,
        "sv": int(quote.previous_close),
        "nv": int(quote.price),
        "cv": abs(int(change)),
        "cr": round(abs(100 * change / quote.previous_close), 2),
        "rf": _direction(change),
        "mt": "2" if quote.instrument.segment == "KOSDAQ" else "1",
        "ms": quote.status,
        "tyn": "Y" if quote.is_halted else "N",
        "pcv": int(quote.previous_close),
        "ov": int(quote.open),
        "hv": int(quote.high),
        "lv": int(quote.low),
        "aq": quote.volume,
        "aa": f"#{quote.value:.3f}",
        "nav": None,
        "eps": found.eps,
        "bps": found.bps,
        "countOfListedStock": found.listed,
        "highPriceOf52Weeks": found.high_52w,
        "lowPriceOf52Weeks": found.low_52w,
        "adjustedHighPriceOf52Weeks": None,
        "adjustedLowPriceOf52Weeks": None,
    }


def _rank_row(quote: Quote, flow: Bought, investor: str, *, is_estimate: bool) -> dict[str, Any]:
    shares, day = flow.of(investor), f"{flow.day.day:%Y%m%d}"
    return {
        "itemcode": quote.instrument.code,
        "itemname": quote.instrument.name,
        "type": "EF" if quote.instrument.kind is Kind.ETF else "ST",
        "bizdateFrom": day,
        "bizdateTo": day,
        "accTradeVolume": str(shares),
        "accTradeAmount": "0" if is_estimate else f"{shares * flow.day.close:.0f}",
        "dailyTradeVolume": str(flow.day.volume),
        "nowPrice": f"{quote.price:.0f}",
        "estimated": is_estimate,
    }
