"""The Binance broker on a store of its own, in front of both pretend markets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
from pydantic import SecretStr

from brokers.binance import BinanceBroker
from brokers.broker import BrokerParts
from config.settings import BinanceSettings, Settings
from market.clock import ManualClock
from market.errors import OrderRejected
from market.orders import PositionSide, Side
from market.store import Store
from sandbox.binance import PretendBinance
from sandbox.binance_accounts import FuturesAccount, SpotAccount
from sandbox.binance_keys import BinanceKeys
from sandbox.binance_order_routes import BinanceExchange
from sandbox.binance_order_types import Wish
from sandbox.binance_orders import OrderVenue
from sandbox.binance_routes import BinanceWires, binance_routes
from sandbox.binance_rules import Rules
from sandbox.coin_market import CoinMarket, CoinTrade
from sandbox.coin_trades import Coin
from sandbox.memory_socket import connect_in_memory
from sandbox.order_faults import FaultPlan
from sandbox.site import site
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from market.orders import Order

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEY = "kEyThatNobodyMaySee0123456789"
SECRET = "sEcReTtHaTnObOdYmAySeE9876543210"
SPOT_ID = "BINANCE:BTCUSDT"
FUTURES_ID = "BINANCE:BTCUSDT.P"
CASH = Decimal(1_000_000)


@dataclass
class MadePrices:
    """Trades that a test makes."""

    made: dict[str, list[CoinTrade]] = field(default_factory=dict)

    def add(self, symbol: str, at: datetime, price: float, volume: float = 1e6) -> None:
        trades = self.made.setdefault(symbol, [])
        trades.append(CoinTrade(len(trades) + 1, at, price, volume, is_buy=True))

    def last(self, symbol: str, at: datetime) -> CoinTrade | None:
        shown = [trade for trade in self.made.get(symbol, []) if trade.at <= at]
        return shown[-1] if shown else None

    def shown(self, symbol: str, after: datetime, until: datetime) -> list[CoinTrade]:
        return [trade for trade in self.made.get(symbol, []) if after < trade.at <= until]


class Skewed:
    """The venue's clock, which may go apart from ours."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return self._clock.now() + self.ahead


class BinanceHouse:
    """A broker, its venue, and everything a test wants to see or spoil."""

    secrets = (KEY, SECRET)

    def __init__(
        self, path: Path, *, orders: str = "spot", is_live: bool = False, leverage: int = 1
    ) -> None:
        self.path = path
        self.clock = ManualClock(NOON)
        self.venue_clock = Skewed(self.clock)
        self.plan = FaultPlan(late_by=timedelta(seconds=3))
        self.prices = MadePrices()
        self.keys = BinanceKeys(KEY, SECRET)
        self.is_live = is_live
        self.settings = Settings(
            binance=BinanceSettings(
                spot_url="http://binance.test",
                futures_url="http://binance.test",
                spot_private_socket_url="ws://binance.test/ws-api/v3",
                futures_private_socket_url="ws://binance.test/futures/private",
                api_key=SecretStr(KEY),
                api_secret=SecretStr(SECRET),
                orders=orders,
                leverage=leverage,
                requests_per_second=1000,
            )
        )
        self.rules = {"BTCUSDT": Rules(), "ETHUSDT": Rules(tick=Decimal("0.01"))}
        is_both = orders == "both"
        cash = CASH / 2 if is_both else CASH
        self.spot_account = SpotAccount(cash if orders != "futures" else Decimal(0))
        self.futures_account = FuturesAccount(cash if orders != "spot" else Decimal(0), self._last)
        self.spot = self._venue(self.spot_account)
        self.futures = self._venue(self.futures_account)
        self.exchange = BinanceExchange(
            self.spot, self.futures, self.keys, self.plan, self.venue_clock
        )
        self.wires = BinanceWires(self.venue_clock)
        self.app = site(self.exchange.routes(), self._market_data())
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.path)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app))
        parts = BrokerParts(
            store=self.store,
            http=self.http,
            settings=self.settings,
            market_clock=self.clock,
            wall_clock=self.clock,
            calendars={},
        )
        connect = connect_in_memory(self.app) if self.is_live else None
        self.broker = BinanceBroker(parts, connect=connect)

    async def restart(self) -> None:
        await self.close()
        self.open()

    async def close(self) -> None:
        await self.broker.close()
        await self.http.aclose()
        self.store.close()

    async def trade(self, price: Decimal, volume: float = 1e6, symbol: str = "BTCUSDT") -> None:
        self.clock.advance(timedelta(seconds=1))
        self.prices.add(symbol, self.venue_clock.now(), float(price), volume)
        self.exchange.arrive()

    async def trade_some(self, price: Decimal, quantity: Decimal) -> None:
        await self.trade(price, float(quantity))

    def by_hand(self, order: Order) -> str:
        venue = self.futures if order.instrument.endswith(".P") else self.spot
        wish = Wish("BTCUSDT", order.side.upper(), order.quantity, order.price, "web_1")
        return str(venue.place(wish).id)

    async def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.exchange.arrive()

    def written(self) -> bytes:
        files = self.path.parent.glob(f"{self.path.name}*")
        return b"".join(file.read_bytes() for file in files)

    def asked(self, start: str) -> list[str]:
        return [one for one in self.exchange.asked if one.startswith(start)]

    def klines(self) -> list[str]:
        return [one for one in self.wires.faults.asked if "/klines" in one]

    @property
    def orders_sent(self) -> int:
        paths = ("POST /api/v3/order?", "POST /fapi/v1/order?")
        return sum(one.startswith(paths) for one in self.exchange.asked)

    def _last(self, symbol: str) -> Decimal:
        trade = self.prices.last(symbol, self.venue_clock.now())
        return Decimal(0) if trade is None else Decimal(str(trade.price))

    def _venue(self, account: Any) -> OrderVenue:
        is_futures = isinstance(account, FuturesAccount)
        fees = (Decimal("0.0002"), Decimal("0.0005")) if is_futures else (Decimal(0), Decimal(0))
        return OrderVenue(
            account=account,
            prices=self.prices,
            clock=self.venue_clock,
            rules=self.rules,
            is_futures=is_futures,
            maker_fee=fees[0],
            taker_fee=fees[1],
        )

    def _market_data(self) -> Any:
        coins = [Coin("BNBUSDT", 600.0, 0.1, step=0.001)]
        market = CoinMarket(coins, seed=1)
        futures = PretendBinance(market, is_futures=True)
        return binance_routes(PretendBinance(market), futures, self.wires)


class Run(Protocol):
    """Runs a scenario in a house of its own."""

    def __call__(
        self,
        scenario: Callable[[BinanceHouse], Awaitable[None]],
        orders: str = "spot",
        *,
        is_live: bool = False,
        leverage: int = 1,
    ) -> None: ...


def runner(folder: Path) -> Run:
    """Return what runs scenarios in a folder."""

    def run(
        scenario: Callable[[BinanceHouse], Awaitable[None]],
        orders: str = "spot",
        *,
        is_live: bool = False,
        leverage: int = 1,
    ) -> None:
        async def body() -> None:
            path = folder / "binance.sqlite"
            house = BinanceHouse(path, orders=orders, is_live=is_live, leverage=leverage)
            try:
                await scenario(house)
            finally:
                await house.close()

        asyncio.run(body())

    return run


def spot(name: str = "one", **changes: Any) -> Order:
    return order(name, **({"instrument": SPOT_ID} | changes))


def futures(name: str = "one", **changes: Any) -> Order:
    return order(name, **({"instrument": FUTURES_ID} | changes))


def short(name: str = "short", **changes: Any) -> Order:
    """Return the entry of a short position."""
    return futures(name, **({"side": Side.SELL, "position": PositionSide.SHORT} | changes))


def cover(name: str = "cover", **changes: Any) -> Order:
    """Return the exit of a short position."""
    return futures(name, **({"side": Side.BUY, "position": PositionSide.SHORT} | changes))


async def refusal(asked: Awaitable[object]) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(OrderRejected) as caught:
        await asked
    return caught.value.code
