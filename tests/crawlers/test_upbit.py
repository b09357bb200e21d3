"""The Upbit source in front of the pretend Upbit: both contracts, and what is Upbit's own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from config.settings import Settings, UpbitSettings
from crawlers.source import SOURCES
from crawlers.upbit import UpbitSource
from market.clock import Clock, ManualClock
from market.sessions import AlwaysOpen
from market.types import Venue
from sandbox.coin_market import CoinMarket
from sandbox.coin_trades import Coin
from sandbox.memory_socket import connect_in_memory
from sandbox.upbit import Allowance, Upbit
from sandbox.upbit_faults import Fault, Faults
from sandbox.upbit_routes import upbit_routes
from tests.contracts.live_contract import LiveContract, LiveWorld
from tests.contracts.source_contract import SourceContract, World
from tests.virtual_time import VirtualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REST = "https://upbit.example"
SOCKET = "wss://upbit.example/websocket/v1"
NOW = datetime(2026, 11, 20, 5, 4, 30, tzinfo=UTC)
CALENDARS = {Venue.UPBIT: AlwaysOpen()}
COINS = (
    Coin("KRW-BTC", 145_000_000, 1000, trades_per_minute=40, name="비트코인"),
    Coin("KRW-XRP", 3_200, 1, trades_per_minute=8, name="리플"),
    Coin("KRW-ZETA", 101, 0.1, trades_per_minute=0.7, name="제타체인"),
    Coin("KRW-ETH", 4_800_000, 1000, trades_per_minute=20, name="이더리움"),
    Coin("KRW-IQ", 4.1, 0.01, trades_per_minute=0.3, name="아이큐"),
)
IDS = tuple(f"UPBIT:{coin.symbol}" for coin in COINS)


def settings(**changes: Any) -> Settings:
    upbit = UpbitSettings(rest_url=REST, socket_url=SOCKET).model_copy(update=changes)
    return Settings(upbit=upbit)


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend Upbit; it can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_cut = False
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.is_cut:
            raise httpx.ConnectError("no route")
        return await self._inner.handle_async_request(request)


@dataclass
class Stage:
    """A source, and everything pretended behind it."""

    source: UpbitSource
    clock: Clock
    market: CoinMarket
    faults: Faults
    wire: Wire


@asynccontextmanager
async def stage(
    clock: Clock, ahead: timedelta = timedelta(), **changes: Any
) -> AsyncIterator[Stage]:
    market, faults = CoinMarket(COINS, seed=5), Faults()
    venue = Upbit(market, clock)
    app = Starlette(routes=upbit_routes(venue, faults, Allowance()))
    wire = Wire(app)
    ours = Ahead(clock, ahead)
    async with httpx.AsyncClient(transport=wire) as http:
        source = UpbitSource(http, settings(**changes), ours, CALENDARS, connect_in_memory(app))
        yield Stage(source, ours, market, faults, wire)
        await source.close()


@dataclass
class Ahead:
    """Our clock, which may be ahead of the venue's."""

    clock: Clock
    by: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.by


class TestUpbitSource(SourceContract):
    """The contract of sources, for Upbit."""

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with stage(ManualClock(NOW), requests_per_second=10_000) as one:

            def fail(fault: str) -> None:
                one.wire.is_cut = fault == "unreachable"
                one.faults.fault = None if one.wire.is_cut else Fault(fault)

            yield World(
                source=one.source,
                clock=one.clock,
                instruments=IDS,
                start=NOW - timedelta(hours=7),
                end=NOW.replace(second=0),
                fail=fail,
            )

    def unknown(self) -> str:
        return "UPBIT:KRW-NOWHERE"


class TestUpbitLive(LiveContract):
    """The contract of live sources, for Upbit."""

    @asynccontextmanager
    async def live_world(self) -> AsyncIterator[LiveWorld]:
        async with stage(VirtualClock(NOW)) as one:
            yield live_world(one)


def live_world(one: Stage) -> LiveWorld:
    faults = one.faults

    def refuse(is_so: bool) -> None:
        faults.is_refusing = is_so

    def stall(is_so: bool) -> None:
        faults.is_stalled = is_so

    def lose(instrument: str, is_so: bool) -> None:
        faults.lost = {instrument.partition(":")[2]} if is_so else set()

    def fail(is_so: bool) -> None:
        faults.fault = Fault.BROKEN if is_so else None

    return LiveWorld(
        source=one.source,
        clock=one.clock,
        instruments=IDS[:3],
        others=IDS[3:],
        drop=faults.drop,
        refuse=refuse,
        stall=stall,
        lose=lose,
        odd=lambda: faults.odd.append('{"type":"candle.2m"}'),
        fail=fail,
        opened=lambda: faults.opened,
    )


def test_it_is_registered() -> None:
    assert SOURCES.get("upbit") is UpbitSource
