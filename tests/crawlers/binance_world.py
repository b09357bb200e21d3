"""The Binance source in front of the pretend Binance, in memory."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from config.settings import Settings
from config.settings_sources import BinanceSettings
from crawlers.binance import BinanceSource
from market.clock import ManualClock
from market.sessions import AlwaysOpen
from market.types import Venue
from sandbox.binance import PretendBinance
from sandbox.binance_faults import Fault
from sandbox.binance_routes import BinanceWires, binance_routes
from sandbox.coin_market import CoinMarket
from sandbox.coin_trades import Coin
from sandbox.memory_socket import connect_in_memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from crawlers.source import Update
    from market.clock import Clock
    from market.types import Bar

NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=UTC)
CALENDARS = {Venue.BINANCE: AlwaysOpen()}
COINS = (
    Coin("BTCUSDT", 61_000, 0.1, trades_per_minute=60, step=0.001),
    Coin("ETHUSDT", 2_400, 0.01, trades_per_minute=20, step=0.001),
    Coin("DOGEUSDT", 0.11, 0.00001, trades_per_minute=0.4, step=1),
)
BTC, BTC_PERPETUAL = "BINANCE:BTCUSDT", "BINANCE:BTCUSDT.P"
DOGE, DOGE_PERPETUAL = "BINANCE:DOGEUSDT", "BINANCE:DOGEUSDT.P"


def binance_settings(**changes: Any) -> Settings:
    # the pace is above what the settings allow towards the real hosts
    binance = BinanceSettings(
        spot_url="https://venue.example",
        futures_url="https://venue.example",
        spot_socket_url="wss://venue.example/spot",
        futures_socket_url="wss://venue.example/futures/market",
    ).model_copy(update={"requests_per_second": 10_000} | changes)
    return Settings(binance=binance)


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend Binance; it can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_cut:
            raise httpx.ConnectError("no route")
        return await self._inner.handle_async_request(request)


@dataclass
class BinanceWorld:
    """A source, its pretend venue, and the time of both."""

    source: BinanceSource
    clock: Clock
    wires: BinanceWires
    wire: Wire
    spot: PretendBinance
    futures: PretendBinance

    def fail(self, fault: str) -> None:
        self.wire.is_cut = fault == "unreachable"
        self.wires.faults.fault = None if fault in {"", "unreachable"} else Fault(fault)

    @property
    def manual(self) -> ManualClock:
        """Return the clock that only moves when it is told to."""
        assert isinstance(self.clock, ManualClock)
        return self.clock

    async def ask(self, seconds: float, instruments: Sequence[str]) -> list[Update]:
        """Let virtual time pass, and ask then."""
        await asyncio.sleep(seconds)
        return await self.source.updates(instruments)

    async def truth(self, instrument: str, start: datetime, end: datetime) -> list[Bar]:
        """Return what the venue's own klines say, past every fault."""
        self.fail("")
        return await self.source.bars(instrument, start, end)


@asynccontextmanager
async def binance_world(
    coins: Sequence[Coin] = COINS,
    clock: Clock | None = None,
    push_seconds: float = 0.25,
    **changes: Any,
) -> AsyncIterator[BinanceWorld]:
    clock = clock or ManualClock(NOW)
    market = CoinMarket(coins, seed=3)
    spot, futures = PretendBinance(market), PretendBinance(market, is_futures=True)
    wires = BinanceWires(clock, push_seconds=push_seconds)
    app = Starlette(routes=binance_routes(spot, futures, wires))
    wire = Wire(app)
    async with httpx.AsyncClient(transport=wire) as http:
        source = BinanceSource(
            http, binance_settings(**changes), clock, CALENDARS, connect=connect_in_memory(app)
        )
        try:
            yield BinanceWorld(source, clock, wires, wire, spot, futures)
        finally:
            await source.close()
