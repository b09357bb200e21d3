"""The Naver sources in front of the pretend Naver, in memory."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from config.settings import NaverSettings, Settings
from crawlers.naver import NaverSource
from crawlers.naver_time import NaverTimeSource
from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.market import Simulator
from sandbox.naver import Faults, naver_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
EVENING = NOW.replace(hour=18, minute=30)
CALENDARS = {Venue.KRX: KrxCalendar({})}
SERVERS = ("polling_url", "chart_url", "front_url", "pages_url", "rank_url", "sise_url")


def settings(**changes: Any) -> Settings:
    """Return settings with every server at one address, and a pace for tests."""
    update = dict.fromkeys(SERVERS, "https://naver.example") | {"requests_per_second": 10_000}
    return Settings(naver=NaverSettings().model_copy(update=update | changes))


def instruments(count: int = 40) -> list[Instrument]:
    """Return so many KOSPI instruments, every tenth an ETF with a letter in its code."""
    return [
        Instrument(Venue.KRX, f"{at:04}K0", f"ETF {at}", "KOSPI", Kind.ETF)
        if at % 10 == 9
        else Instrument(Venue.KRX, f"{100 + at:06}", f"회사 {at}", "KOSPI")
        for at in range(count)
    ]


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend Naver: it remembers, and it can be cut.

    At once (`is_cut`), or after so many requests (`lasts`).
    """

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_cut = False
        self.lasts: int | None = None
        self.asked: list[httpx.URL] = []

    def paths(self) -> list[str]:
        return [url.path for url in self.asked]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if self.is_cut or (self.lasts is not None and len(self.asked) > self.lasts):
            raise httpx.ConnectError("no route")
        return await self._inner.handle_async_request(request)


@dataclass(frozen=True)
class Naver:
    """What a test holds."""

    source: NaverSource
    times: NaverTimeSource
    simulator: Simulator
    clock: ManualClock
    faults: Faults
    wire: Wire


@asynccontextmanager
async def naver(
    known: Sequence[Instrument] | None = None,
    *,
    at: datetime = EVENING,
    **changes: Any,
) -> AsyncIterator[Naver]:
    """Open both sources; the pretend market is quiet, and nothing in it is halted."""
    clock, faults = ManualClock(at), Faults()
    calendar = CALENDARS[Venue.KRX]
    listed = instruments() if known is None else known
    simulator = Simulator(listed, calendar, seed=3, bursts=False, halted="", illiquid="")
    wire = Wire(Starlette(routes=naver_routes(simulator, clock, faults)))
    async with httpx.AsyncClient(transport=wire) as http:
        made = (http, settings(**changes), clock, CALENDARS)
        yield Naver(NaverSource(*made), NaverTimeSource(*made), simulator, clock, faults, wire)
