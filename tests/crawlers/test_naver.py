"""The Naver source in front of the pretend Naver, and the requests it makes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from starlette.applications import Starlette

from config.settings import NaverSettings, Settings
from crawlers.naver import NaverSource
from crawlers.source import SOURCES
from market.clock import ManualClock
from market.errors import SourceError
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Venue
from sandbox.market import Simulator
from sandbox.naver import Fault, Faults, naver_routes
from tests.contracts.source_contract import SourceContract, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

POLLING = "https://polling.example"
CHART = "https://chart.example"
NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
CALENDARS = {Venue.KRX: KrxCalendar({})}


def settings(**changes: Any) -> Settings:
    # the demo's pace is above what the settings allow towards the real hosts
    naver = NaverSettings(polling_url=POLLING, chart_url=CHART).model_copy(
        update={"requests_per_second": 10_000} | changes
    )
    return Settings(naver=naver)


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend Naver; it can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_cut:
            raise httpx.ConnectError("no route")
        return await self._inner.handle_async_request(request)


class TestNaverSource(SourceContract):
    """The contract of sources, for Naver."""

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        instruments = [
            Instrument(Venue.KRX, code, code, "KOSPI") for code in ("005930", "000660", "0195S0")
        ]
        clock, faults = ManualClock(NOW), Faults()
        simulator = Simulator(instruments, CALENDARS[Venue.KRX], seed=3)
        wire = Wire(Starlette(routes=naver_routes(simulator, clock, faults)))

        def fail(fault: str) -> None:
            wire.is_cut = fault == "unreachable"
            if not wire.is_cut:
                faults.fail(Fault(fault))

        async with httpx.AsyncClient(transport=wire) as http:
            yield World(
                source=SOURCES.get("naver")(http, settings(), clock, CALENDARS),
                clock=clock,
                instruments=tuple(instrument.id for instrument in instruments),
                start=NOW.replace(hour=9, minute=0, second=0),
                end=NOW.replace(minute=30, second=0),
                fail=fail,
            )

    def unknown(self) -> str:
        return "KRX:999999"


def answered(codes: str) -> httpx.Response:
    rows = [
        {
            "itemCode": code,
            "closePriceRaw": "100",
            "accumulatedTradingVolumeRaw": "5",
            "marketStatus": "OPEN",
        }
        for code in codes.split(",")
    ]
    return httpx.Response(200, json={"datas": rows, "time": "20260909103015"})


def test_ticks_are_asked_in_parts_of_the_setting() -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        async with respx.mock() as mock, httpx.AsyncClient() as http:
            route = mock.get(url__regex=rf"{POLLING}/api/realtime/domestic/stock/(?P<codes>.+)")
            route.mock(side_effect=lambda request, codes: answered(codes))
            source = NaverSource(http, settings(codes_per_request=2), ManualClock(NOW), CALENDARS)
            ticks = await source.ticks([f"KRX:{code:06}" for code in (3, 1, 2)] + ["UPBIT:KRW-BTC"])
            paths = [call.request.url.path.rpartition("/")[2] for call in route.calls]
            return sorted(paths), [tick.instrument for tick in ticks]

    paths, instruments = asyncio.run(scenario())
    assert paths == ["000001,000002", "000003"]
    assert instruments == ["KRX:000003", "KRX:000001", "KRX:000002"]


def test_ticks_of_one_sweep_were_seen_before_it_asked() -> None:
    async def scenario() -> set[datetime]:
        clock = ManualClock(NOW)

        def answer(request: httpx.Request, codes: str) -> httpx.Response:
            clock.advance(timedelta(seconds=1))
            return answered(codes)

        async with respx.mock() as mock, httpx.AsyncClient() as http:
            mock.get(url__regex=rf"{POLLING}/.+/(?P<codes>[^/]+)").mock(side_effect=answer)
            source = NaverSource(http, settings(codes_per_request=1), clock, CALENDARS)
            return {tick.seen_at for tick in await source.ticks(["KRX:000001", "KRX:000002"])}

    assert asyncio.run(scenario()) == {NOW}


def test_bars_ask_the_chart_in_korean_time_beyond_the_end() -> None:
    async def scenario() -> dict[str, str]:
        async with respx.mock() as mock, httpx.AsyncClient() as http:
            route = mock.get(f"{CHART}/chart/domestic/item/0195S0/minute").respond(json=[])
            source = NaverSource(http, settings(), ManualClock(NOW), CALENDARS)
            start = NOW.replace(hour=15, minute=25, second=0)
            await source.bars("KRX:0195S0", start, start + timedelta(minutes=5))
            return dict(route.calls.last.request.url.params)

    expected = {"startDateTime": "202609091525", "endDateTime": "202609091532"}
    assert asyncio.run(scenario()) == expected


def test_days_ask_the_daily_chart_in_korean_time() -> None:
    async def scenario() -> dict[str, str]:
        async with respx.mock() as mock, httpx.AsyncClient() as http:
            route = mock.get(f"{CHART}/chart/domestic/item/0195S0/day").respond(json=[])
            source = NaverSource(http, settings(), ManualClock(NOW), CALENDARS)
            assert await source.days("KRX:0195S0", NOW - timedelta(days=3), NOW) == []
            return dict(route.calls.last.request.url.params)

    expected = {"startDateTime": "202609061030", "endDateTime": "202609091030"}
    assert asyncio.run(scenario()) == expected


def test_bars_of_another_venue_are_an_error() -> None:
    async def scenario() -> None:
        async with httpx.AsyncClient() as http:
            source = NaverSource(http, settings(), ManualClock(NOW), CALENDARS)
            await source.bars("UPBIT:KRW-BTC", NOW, NOW)

    with pytest.raises(SourceError, match="KRX instruments only"):
        asyncio.run(scenario())
