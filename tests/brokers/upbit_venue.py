"""The Upbit broker in front of its pretend venue, in memory, with a clock that the test moves."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from brokers.broker import BrokerParts
from brokers.upbit import UpbitBroker
from config.settings import Settings, UpbitSettings
from market.clock import ManualClock
from market.orders import Side
from market.sessions import AlwaysOpen
from market.store import Store
from market.types import Venue
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import FaultPlan
from sandbox.upbit_keys import UpbitKeys
from sandbox.upbit_order_routes import UpbitExchange
from sandbox.upbit_orders import UpbitOrders
from tests.contracts.broker_contract import CASH, order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from market.orders import Order
    from sandbox.upbit import Allowance

ACCESS_KEY = "pretend-access-key-0123456789abcdefghijkl"
SECRET_KEY = "pretend-secret-key-0123456789abcdefghijkl"
MARKET = "KRW-ZETA"
COIN = f"UPBIT:{MARKET}"
START = datetime(2026, 11, 20, 5, 4, 30, tzinfo=UTC)


def coin_order(name: str = "one", **changes: Any) -> Order:
    """Return a confirmed limit buy of 10 coins at 70,000."""
    return order(name, **({"instrument": COIN} | changes))


class UpbitVenue:
    """The broker and its venue; see `RealVenue`."""

    def __init__(
        self,
        path: Path,
        plan: FaultPlan | None = None,
        allowances: dict[str, Allowance] | None = None,
        market_orders: str = "market",
        **of_orders: Any,
    ) -> None:
        self.path = path
        self.clock = ManualClock(START)
        self.plan = plan or FaultPlan()
        self.keys = UpbitKeys(ACCESS_KEY, SECRET_KEY)
        self.orders = UpbitOrders(self.clock, CASH, **of_orders)
        self.exchange = UpbitExchange(self.orders, self.keys, self.plan, allowances)
        self.app = Starlette(routes=self.exchange.routes())
        self.secrets = (ACCESS_KEY, SECRET_KEY)
        self.settings = Settings(
            upbit=UpbitSettings.model_validate(
                {
                    "access_key": ACCESS_KEY,
                    "secret_key": SECRET_KEY,
                    "rest_url": "https://upbit.example",
                    "account_requests_per_second": 1000,
                    "orders_per_second": 1000,
                    "market_orders": market_orders,
                    "private_socket_url": "wss://upbit.example/websocket/v1/private",
                }
            )
        )

    @property
    def orders_sent(self) -> int:
        return self.exchange.asked.count("POST /v1/orders")

    def open(self) -> None:
        self.store = Store.open(self.path)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app))
        parts = BrokerParts(
            store=self.store,
            http=self.http,
            settings=self.settings,
            market_clock=self.clock,
            wall_clock=self.clock,
            calendars={Venue.UPBIT: AlwaysOpen()},
        )
        self.broker = UpbitBroker(parts, connect_in_memory(self.app))

    async def close(self) -> None:
        await self.broker.close()
        await self.http.aclose()
        self.store.close()

    async def restart(self) -> None:
        await self.close()
        self.open()

    async def trade(self, price: Decimal | int, volume: Decimal | None = None) -> None:
        await self.wait(1)
        self.orders.trade(MARKET, Decimal(price), volume)

    async def trade_some(self, price: Decimal, quantity: Decimal) -> None:
        await self.trade(price, quantity)

    def by_hand(self, order: Order) -> str:
        fields = {
            "market": order.instrument.removeprefix("UPBIT:"),
            "side": "bid" if order.side is Side.BUY else "ask",
            "volume": str(order.quantity),
            "price": str(order.price),
            "ord_type": "limit",
        }
        return str(self.orders.create(fields)["uuid"])

    async def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.exchange.arrive()

    def written(self) -> bytes:
        return b"".join(one.read_bytes() for one in self.path.parent.iterdir() if one.is_file())


@asynccontextmanager
async def upbit_venue(path: Path, **parts: Any) -> AsyncIterator[UpbitVenue]:
    """Open a broker in front of a fresh venue."""
    venue = UpbitVenue(path / "upbit.sqlite", **parts)
    venue.open()
    try:
        yield venue
    finally:
        await venue.close()
