"""The KIS source in front of the pretend KIS, in memory."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette

from config.settings import KisSettings, Settings
from crawlers.kis import KisSource
from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Venue
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator
from sandbox.memory_socket import connect_in_memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from venues.live_socket import Connect, Socket


REST = "https://kis.example:9443"
APP_KEY = "PSplantedplantedplantedplantedkey036"
APP_SECRET = "planted/secret+" * 12
NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
CODES = ("005930", "000660", "0195S0")
CALENDARS = {Venue.KRX: KrxCalendar({})}
DEADLINE_SECONDS = 10

Found = TypeVar("Found")


def settings(folder: Path, **changes: Any) -> Settings:
    """Return settings for the pretend KIS; its pace is above what is allowed towards the real."""
    kis = KisSettings(
        rest_url=REST,
        socket_url="ws://kis.example:21000",
        app_key=SecretStr(APP_KEY),
        app_secret=SecretStr(APP_SECRET),
        token_path=str(folder / "kis_token.json"),
    )
    return Settings(kis=kis.model_copy(update={"requests_per_second": 10_000} | changes))


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend KIS; it can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on, or fail as a refused connection does."""
        if self.is_cut:
            raise httpx.ConnectError("All connection attempts failed")
        return await self._inner.handle_async_request(request)


class Line:
    """What goes over the websockets, and a way to wait for it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._news = asyncio.Event()
        self.sent: list[str] = []
        self.heard: list[str] = []
        self.tried = 0

    @asynccontextmanager
    async def connect(self, url: str) -> AsyncIterator[Socket]:
        """Open one and listen in."""
        self.tried += 1
        self.tell()
        try:
            async with self._connect(url) as socket:
                yield _Tapped(self, socket)
        finally:
            self.tell()

    def tell(self) -> None:
        """Say that something has happened."""
        self._news.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so; TimeoutError where it never is."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not is_so():
                self._news.clear()
                await self._news.wait()


class _Tapped:
    """A socket whose messages are noted; one is heard through when the next is asked for."""

    def __init__(self, line: Line, inner: Socket) -> None:
        self._line = line
        self._inner = inner
        self._last: str | None = None

    async def recv(self) -> str | bytes:
        if self._last is not None:
            self._line.heard.append(self._last)
            self._last = None
        self._line.tell()
        message = await self._inner.recv()
        self._last = str(message)
        return message

    async def send(self, message: str) -> None:
        await self._inner.send(message)
        self._line.sent.append(message)
        self._line.tell()

    async def close(self) -> None:
        await self._inner.close()


@dataclass
class KisWorld:
    """Everything about one pretend KIS and the source before it."""

    source: KisSource
    http: httpx.AsyncClient
    settings: Settings
    clock: ManualClock
    keys: KisKeys
    faults: Faults
    simulator: Simulator
    wire: Wire
    line: Line


@asynccontextmanager
async def kis_world(
    folder: Path,
    *,
    codes: tuple[str, ...] = CODES,
    now: datetime = NOW,
    is_virtual: bool = False,
    illiquid: str = "",
    halted: str = "",
    **changes: Any,
) -> AsyncIterator[KisWorld]:
    """Open a source whose venue is at a moment."""
    instruments = [Instrument(Venue.KRX, code, code, "KOSPI") for code in codes]
    calendar = CALENDARS[Venue.KRX]
    simulator = Simulator(instruments, calendar, seed=3, illiquid=illiquid, halted=halted)
    clock, faults = ManualClock(now), Faults()
    keys = KisKeys(clock, APP_KEY, APP_SECRET)
    venue = Kis(simulator, clock, keys, is_virtual=is_virtual)
    app = Starlette(routes=kis_routes(venue, faults, requests_a_second=100_000))
    wire, line, chosen = Wire(app), Line(connect_in_memory(app)), settings(folder, **changes)
    async with httpx.AsyncClient(transport=wire) as http:
        source = KisSource(http, chosen, clock, CALENDARS, connect=line.connect)
        try:
            yield KisWorld(source, http, chosen, clock, keys, faults, simulator, wire, line)
        finally:
            await source.close()


def run(folder: Path, job: Callable[[KisWorld], Awaitable[Found]], **world: Any) -> Found:
    """Return what a job brings in a world of its own."""

    async def scenario() -> Found:
        async with kis_world(folder, **world) as opened:
            return await job(opened)

    return asyncio.run(scenario())
