"""A pretend Naver Finance over HTTP: batch polling, minute and daily chart of the pretend market.

Its lists, flows and figures are in `naver_front`, its older pages in `naver_pages`. The answers
have the shapes that were recorded from the real ones in 2026-09, quirks included: numbers as text
with and without commas, the same names again in nested objects, a chart whose
`accumulatedTradingVolume` counts one minute and whose end is inclusive, a daily chart with rows of
zeros for days without a trade.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from market.sessions import KST
from market.types import Kind
from sandbox.naver_faults import Fault, Faults
from sandbox.naver_front import front_routes
from sandbox.naver_pages import page_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from market.clock import Clock
    from sandbox.market import Minute, Quote, Simulator
    from sandbox.market_days import Day

__all__ = ["Fault", "Faults", "naver_routes"]

_INTERVALS = {"OPEN": 7000}
_CLOSED_INTERVAL = 70000
_KOREAN = {"KOSPI": "코스피", "KOSDAQ": "코스닥"}


def naver_routes(simulator: Simulator, clock: Clock, faults: Faults) -> list[Route]:
    """Return the routes of all of Naver's servers, for one address."""
    pages = _Pages(simulator, clock, faults)
    return [
        Route("/api/realtime/domestic/stock/{codes}", pages.polling),
        Route("/chart/domestic/item/{code}/minute", pages.minutes),
        Route("/chart/domestic/item/{code}/day", pages.days),
        *front_routes(simulator, clock, faults),
        *page_routes(simulator, clock, faults),
    ]


class _Pages:
    def __init__(self, simulator: Simulator, clock: Clock, faults: Faults) -> None:
        self._simulator = simulator
        self._clock = clock
        self._faults = faults

    async def polling(self, request: Request) -> Response:
        """Answer a comma list of codes; unknown ones are left out."""
        fault = await self._faults.next(request.url.path)
        if fault is not None and fault.response is not None:
            return fault.response
        now = self._clock.now()
        codes = [] if fault is Fault.EMPTY else request.path_params["codes"].split(",")
        quotes = self._simulator.snapshot(dict.fromkeys(codes), now)
        rows = [_renamed(row) if fault is Fault.RENAMED else row for row in map(_row, quotes)]
        status = quotes[0].status if quotes else ""
        interval = _INTERVALS.get(status, _CLOSED_INTERVAL)
        time = now.astimezone(KST).strftime("%Y%m%d%H%M%S")
        return _json({"pollingInterval": interval, "datas": rows, "time": time})

    async def minutes(self, request: Request) -> Response:
        """Answer the minutes from startDateTime to endDateTime (YYYYMMDDHHMM, inclusive)."""

        def found(code: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
            after = end + timedelta(minutes=1)
            minutes = self._simulator.minutes(code, start, after, self._clock.now())
            return [_chart_row(minute) for minute in minutes]

        return await self._chart(request, found)

    async def days(self, request: Request) -> Response:
        """Answer the days from startDateTime to endDateTime (their time of day does not count)."""

        def found(code: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
            days = self._simulator.days(code, start.date(), end.date(), self._clock.now())
            return [_day_row(day) for day in days]

        return await self._chart(request, found)

    async def _chart(
        self,
        request: Request,
        found: Callable[[str, datetime, datetime], list[dict[str, Any]]],
    ) -> Response:
        fault = await self._faults.next(request.url.path)
        if fault is not None and fault.response is not None:
            return fault.response
        code = request.path_params["code"]
        start = _moment(request.query_params.get("startDateTime", ""))
        end = _moment(request.query_params.get("endDateTime", ""))
        if start is None or end is None:
            return _json({"code": "BadRequest", "message": "startDateTime, endDateTime"}, 400)
        if code not in self._simulator.codes:
            return _json({"code": "StockConflict", "message": code}, 409)
        # years of pretend days take a while to make up, and the bot may live on the same loop
        whole = await asyncio.to_thread(found, code, start, end)
        rows = [] if fault is Fault.EMPTY else whole
        return _json([_renamed(row) if fault is Fault.RENAMED else row for row in rows])


def _json(content: Any, status: int = 200) -> Response:
    body = orjson.dumps(content)
    return Response(body, status, media_type="application/json;charset=UTF-8")


def _moment(text: str) -> datetime | None:
    if re.fullmatch(r"\d{8}(\d{4}(\d{2})?)?", text) is None:
        return None
    try:
        return datetime.strptime(text[:12].ljust(12, "0"), "%Y%m%d%H%M").replace(tzinfo=KST)
    except ValueError:
        return None


def _row(quote: Quote) -> dict[str, Any]:
    change = quote.price - quote.previous_close
    ratio = 100 * change / quote.previous_close
    numbers = {
        "closePrice": quote.price,
        "compareToPreviousClosePrice": change,
        "openPrice": quote.open,
        "highPrice": quote.high,
        "lowPrice": quote.low,
        "accumulatedTradingVolume": quote.volume,
    }
    return {
        "itemCode": quote.instrument.code,
        "stockName": quote.instrument.name,
        **{name: f"{number:,.0f}" for name, number in numbers.items()},
        "compareToPreviousPrice": _direction(change),
        "fluctuationsRatio": f"{ratio:.2f}",
        "accumulatedTradingValue": _in_words(quote.value),
        "marketStatus": quote.status,
        "localTradedAt": quote.traded_at.astimezone(KST).isoformat(),
        "stockExchangeType": _exchange(quote.instrument.segment),
        "tradeStopType": _stop(quote.is_halted),
        **{f"{name}Raw": f"{number:.0f}" for name, number in numbers.items()},
        "fluctuationsRatioRaw": f"{ratio:.2f}",
        "accumulatedTradingValueRaw": f"{quote.value:.3f}",
        "overMarketPriceInfo": _over_market(quote),
    }


def _over_market(quote: Quote) -> dict[str, Any] | None:
    """Return the second venue's prices: the same names, other numbers (ETFs are not traded)."""
    if quote.instrument.kind is Kind.ETF:
        return None
    volume = quote.volume // 2
    return {
        "tradingSessionType": "REGULAR_MARKET",
        "overMarketStatus": quote.status,
        "overPrice": f"{quote.price:,.0f}",
        "closePriceRaw": f"{quote.previous_close:.0f}",
        "tradeStopType": _stop(is_halted=False),
        "accumulatedTradingVolume": f"{volume:,}",
        "accumulatedTradingVolumeRaw": str(volume),
        "accumulatedTradingValueRaw": f"{quote.value / 2:.0f}",
    }


def _chart_row(minute: Minute) -> dict[str, Any]:
    return {
        "localDateTime": minute.start.astimezone(KST).strftime("%Y%m%d%H%M%S"),
        "currentPrice": minute.close,
        "openPrice": minute.open,
        "highPrice": minute.high,
        "lowPrice": minute.low,
        "accumulatedTradingVolume": minute.volume,
    }


def _day_row(day: Day) -> dict[str, Any]:
    return {
        "localDate": day.day.strftime("%Y%m%d"),
        "closePrice": day.close,
        "openPrice": day.open,
        "highPrice": day.high,
        "lowPrice": day.low,
        "accumulatedTradingVolume": day.volume,
        "foreignRetentionRate": 0.0,
    }


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as after a redesign: prices under other names."""
    return {re.sub(r"^(close|current)Price", "tradePrice", name): row[name] for name in row}


def _direction(change: float) -> dict[str, str]:
    if change > 0:
        return {"code": "2", "text": "상승", "name": "RISING"}
    if change < 0:
        return {"code": "5", "text": "하락", "name": "FALLING"}
    return {"code": "3", "text": "보합", "name": "UNCHANGED"}


def _stop(is_halted: bool) -> dict[str, str]:
    if is_halted:
        return {"code": "2", "text": "중단.Halted", "name": "HALTED"}
    return {"code": "1", "text": "운영.Trading", "name": "TRADING"}


def _exchange(segment: str) -> dict[str, Any]:
    return {
        "code": "KQ" if segment == "KOSDAQ" else "KS",
        "zoneId": "Asia/Seoul",
        "nationType": "KOR",
        "delayTime": 0,
        "startTime": "0900",
        "endTime": "1530",
        "closePriceSendTime": "1630",
        "nameKor": _KOREAN.get(segment, segment),
        "nameEng": segment,
        "nationCode": "KOR",
        "nationName": "대한민국",
        "stockType": "domestic",
        "name": segment,
    }


def _in_words(value: float) -> str:
    """Return an amount as people write it: `1조 6,424억`."""
    trillions, rest = divmod(int(value), 10**12)
    hundred_millions = rest // 10**8
    if trillions:
        return f"{trillions:,}조 {hundred_millions:,}억"
    return f"{hundred_millions:,}억" if hundred_millions else f"{rest // 10**4:,}만"
