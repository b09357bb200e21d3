"""The KIS broker in front of the pretend KIS, in memory, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import stamina
from pydantic import SecretStr
from starlette.applications import Starlette

from brokers.broker import BrokerParts
from brokers.kis import KisBroker
from config.settings import KisSettings, Settings
from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.store import Store
from market.types import Instrument, Kind, Venue
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_order_pages import KisOrderPages
from sandbox.kis_order_routes import kis_order_routes
from sandbox.kis_order_rows import Owner
from sandbox.kis_orders import KisOrders
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import FaultPlan
from tests.contracts.broker_contract import CASH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from market.orders import Order
    from venues.live_socket import Connect, Socket

REST = "https://kis.example:9443"
APP_KEY = "PSplantedplantedplantedplantedkey036"
APP_SECRET = "planted/secret+" * 12
ACCOUNT = "9182736401"
HTS_ID = "planted-login"
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=KST)
INSTRUMENTS = [
    Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI"),
    Instrument(Venue.KRX, "000660", "SK하이닉스", "KOSPI"),
    Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF),
]
CALENDAR = KrxCalendar({})
DEADLINE_SECONDS = 10


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend KIS; it counts, keeps, and can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.requests: list[httpx.Request] = []
        self.is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Hand on, or fail as a refused connection does."""
        self.requests.append(request)
        if self.is_cut:
            raise httpx.ConnectError("All connection attempts failed")
        return await self._inner.handle_async_request(request)

    def count(self, name: str) -> int:
        """Return how many requests for a service have left us."""
        return sum(request.url.path.endswith(name) for request in self.requests)


class Tap:
    """What was heard over the websocket, and a way to wait for it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._news = asyncio.Event()
        self.heard: list[str] = []

    @asynccontextmanager
    async def connect(self, url: str) -> AsyncIterator[Socket]:
        """Open a socket and listen in."""
        async with self._connect(url) as socket:
            yield _Tapped(self, socket)

    def tell(self, message: str) -> None:
        """Note a message that was dealt with."""
        self.heard.append(message)
        self._news.set()

    async def until(self, text: str, count: int = 1) -> None:
        """Wait until so many messages with a text were dealt with."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while sum(text in one for one in self.heard) < count:
                self._news.clear()
                await self._news.wait()


class _Tapped:
    """A socket whose messages are noted; one is dealt with when the next is asked for."""

    def __init__(self, tap: Tap, inner: Socket) -> None:
        self._tap = tap
        self._inner = inner
        self._last: str | None = None

    async def recv(self) -> str | bytes:
        if self._last is not None:
            self._tap.tell(self._last)
        message = await self._inner.recv()
        self._last = str(message)
        return message

    async def send(self, message: str) -> None:
        await self._inner.send(message)

    async def close(self) -> None:
        await self._inner.close()


class KisVenue:
    """One pretend KIS, and our side of it on a store of its own."""

    secrets = (APP_KEY, APP_SECRET, ACCOUNT, ACCOUNT[:8], HTS_ID)

    def __init__(
        self,
        folder: Path,
        *,
        now: datetime = NOON,
        is_virtual: bool = False,
        cash: Decimal = CASH,
        plan: FaultPlan | None = None,
        pace: int | None = 100_000,
        **changes: Any,
    ) -> None:
        self.folder = folder
        self.clock = ManualClock(now)
        self.plan = FaultPlan() if plan is None else plan
        self.faults = Faults()
        keys = KisKeys(self.clock, APP_KEY, APP_SECRET)
        simulator = Simulator(INSTRUMENTS, CALENDAR, seed=3)
        self.account = KisOrders(
            INSTRUMENTS,
            CALENDAR,
            self.clock,
            Owner(account=ACCOUNT, hts_id=HTS_ID, cash=cash),
            bases={one.code: Decimal(70_000) for one in INSTRUMENTS},
            is_virtual=is_virtual,
            plan=self.plan,
        )
        self.pages = KisOrderPages(self.account)
        kis = Kis(simulator, self.clock, keys, is_virtual=is_virtual, account=self.account)
        self.keys = keys
        self.app = Starlette(
            routes=[
                *kis_routes(kis, self.faults, requests_a_second=pace),
                *kis_order_routes(kis, self.pages, self.plan),
            ]
        )
        self.wire = Wire(self.app)
        self.tap = Tap(connect_in_memory(self.app))
        kis_settings = KisSettings(
            rest_url=REST,
            socket_url="ws://kis.example:21000",
            app_key=SecretStr(APP_KEY),
            app_secret=SecretStr(APP_SECRET),
            account=SecretStr(f"{ACCOUNT[:8]}-{ACCOUNT[8:]}"),
            token_path=str(folder / "kis_token.json"),
            is_virtual=is_virtual,
        )
        faster = {"requests_per_second": 100_000, **changes}
        self.settings = Settings(kis=kis_settings.model_copy(update=faster))
        self.open()

    def open(self) -> None:
        """Start our side."""
        self.store = Store.open(self.folder / "kis.sqlite")
        self.http = httpx.AsyncClient(transport=self.wire)
        parts = BrokerParts(
            self.store, self.http, self.settings, self.clock, self.clock, {Venue.KRX: CALENDAR}
        )
        self.broker = KisBroker(parts, self.tap.connect, self.wait)

    async def shut(self) -> None:
        """End our side."""
        await self.broker.close()
        await self.http.aclose()
        self.store.close()

    async def restart(self) -> None:
        """Kill our side and start it again."""
        await self.shut()
        self.open()

    async def trade(self, price: Decimal | int, most: int | None = None) -> None:
        """Let Samsung Electronics trade, a second later."""
        await self.wait(1)
        self.account.trade("005930", Decimal(price), most)

    async def trade_some(self, price: Decimal, quantity: Decimal) -> None:
        """Let Samsung Electronics trade, no more than this."""
        await self.trade(price, int(quantity))

    async def wait(self, seconds: float) -> None:
        """Let time go on."""
        self.clock.advance(timedelta(seconds=seconds))

    @property
    def orders_sent(self) -> int:
        """Return how many orders have left us."""
        return self.wire.count("order-cash")

    def written(self) -> bytes:
        """Return all that our side has written, but for the tokens in their own file."""
        files = [path for path in self.folder.iterdir() if not path.name.startswith("kis_token")]
        return b"".join(path.read_bytes() for path in files)

    def by_hand(self, order: Order) -> str:
        """Place the same order in KIS's own app."""
        body = {
            "PDNO": order.instrument.removeprefix("KRX:"),
            "ORD_DVSN": "00",
            "ORD_QTY": str(order.quantity),
            "ORD_UNPR": str(order.price),
            "EXCG_ID_DVSN_CD": "KRX",
        }
        return str(self.account.place(order.side, body)["ODNO"])


@asynccontextmanager
async def kis_venue(folder: Path, **changes: Any) -> AsyncIterator[KisVenue]:
    """Open the broker; nobody really waits."""
    venue = KisVenue(folder, **changes)
    with stamina.set_testing(True, attempts=3):
        try:
            yield venue
        finally:
            await venue.shut()


def run(folder: Path, job: Callable[[KisVenue], Awaitable[None]], **changes: Any) -> None:
    """Run a scenario in front of a venue of its own."""

    async def scenario() -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), kis_venue(folder, **changes) as venue:
            await job(venue)

    asyncio.run(scenario())
