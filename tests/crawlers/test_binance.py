"""The Binance source in front of the pretend Binance, and the requests it makes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from crawlers.source import SOURCES, Closing, DailySource, ListingSource, LiveSource
from market.clock import ManualClock
from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.types import Kind, Timeframe
from sandbox.coin_trades import Coin
from tests.contracts.live_contract import LiveContract, LiveWorld
from tests.contracts.source_contract import SourceContract, World
from tests.crawlers.binance_world import (
    BTC,
    BTC_PERPETUAL,
    CALENDARS,
    COINS,
    DOGE_PERPETUAL,
    NOW,
    BinanceWorld,
    binance_settings,
    binance_world,
)
from tests.virtual_time import VirtualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

LIVELY = (
    *COINS[:2],
    Coin("XRPUSDT", 0.5, 0.0001, trades_per_minute=3, step=1),
    Coin("SUIUSDT", 3, 0.001, trades_per_minute=6, step=1),
)


def run(scenario: Callable[[BinanceWorld], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with binance_world() as world:
            await scenario(world)

    asyncio.run(whole())


class BinanceContract(SourceContract):
    """The contract of sources, for one market of Binance."""

    code_end = ""

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with binance_world() as world:
            names = [f"{symbol}{self.code_end}" for symbol in world.spot.market.symbols]
            yield World(
                source=world.source,
                clock=world.clock,
                instruments=tuple(f"BINANCE:{name}" for name in names),
                start=NOW - timedelta(hours=3),
                end=NOW.replace(second=0),
                fail=world.fail,
            )

    def unknown(self) -> str:
        return f"BINANCE:NOSUCHUSDT{self.code_end}"


class BinanceLiveContract(LiveContract):
    """The contract of sources of live candles, for one market of Binance."""

    code_end = ""

    @asynccontextmanager
    async def live_world(self) -> AsyncIterator[LiveWorld]:
        async with binance_world(LIVELY, VirtualClock(NOW), push_seconds=1) as world:
            yield self.live_switches(world)

    def live_switches(self, world: BinanceWorld) -> LiveWorld:
        faults = world.wires.faults

        def refuse(is_so: bool) -> None:
            faults.is_refusing = is_so

        def stall(is_so: bool) -> None:
            faults.is_stalled = is_so

        def lose(instrument: str, is_so: bool) -> None:
            symbol = instrument.partition(":")[2].removesuffix(".P")
            faults.lost = {symbol} if is_so else set()

        names = [f"BINANCE:{coin.symbol}{self.code_end}" for coin in LIVELY]
        return LiveWorld(
            source=world.source,
            clock=world.clock,
            instruments=tuple(names[:3]),
            others=tuple(names[3:]),
            drop=world.wires.drop,
            refuse=refuse,
            stall=stall,
            lose=lose,
            odd=lambda: faults.odd.append('{"stream":"x","data":{"e":"kline"}}'),
            fail=lambda is_so: world.fail("broken" if is_so else ""),
            opened=lambda: len(faults.opened),
        )


class TestSpot(BinanceContract, BinanceLiveContract):
    """Spot."""


class TestFutures(BinanceContract, BinanceLiveContract):
    """USDT-M futures."""

    code_end = ".P"


def test_it_is_registered_and_does_all_that_it_can() -> None:
    async def scenario() -> None:
        async with httpx.AsyncClient() as http:
            source = SOURCES.get("binance")(http, binance_settings(), ManualClock(NOW), CALENDARS)
            for port in (DailySource, LiveSource, ListingSource, Closing):
                assert isinstance(source, port)

    asyncio.run(scenario())


def test_one_sweep_holds_both_markets_in_the_order_asked() -> None:
    async def scenario(world: BinanceWorld) -> None:
        asked = (BTC_PERPETUAL, "UPBIT:KRW-BTC", BTC, BTC)
        ticks = await world.source.ticks(asked)
        assert [tick.instrument for tick in ticks] == [BTC_PERPETUAL, BTC]
        for tick in ticks:
            last = world.spot.market.last("BTCUSDT", NOW)
            assert last is not None
            assert (tick.price, tick.volume) == (last.price, last.volume)
            assert tick.day_volume is None

    run(scenario)


def test_a_few_quotes_are_asked_one_by_one_and_many_at_once() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.ticks([BTC])
        await world.source.ticks([f"BINANCE:NONE{number}USDT" for number in range(5)] + [BTC])
        assert world.wires.faults.asked == [
            "/api/v3/ticker/24hr?symbol=BTCUSDT",
            "/api/v3/ticker/24hr?",
        ]

    run(scenario)


def test_bars_come_page_by_page_and_are_one_chart() -> None:
    async def scenario(world: BinanceWorld) -> None:
        start = NOW - timedelta(hours=20)
        bars = await world.source.bars(BTC_PERPETUAL, start, NOW)
        asked = [path for path in world.wires.faults.asked if "klines" in path]
        assert len(asked) == 3
        assert all("limit=499" in path for path in asked[:2])
        market = world.futures.market.candles("BTCUSDT", start, NOW, NOW)
        assert [bar.start for bar in bars] == [candle.start for candle in market]
        assert [bar.volume for bar in bars] == [candle.volume for candle in market]
        assert [bar.value for bar in bars] == [candle.value for candle in market]

    run(scenario)


def test_minutes_without_a_trade_are_no_bars() -> None:
    async def scenario(world: BinanceWorld) -> None:
        start = NOW - timedelta(hours=2)
        bars = await world.source.bars(DOGE_PERPETUAL, start, NOW)
        traded = world.futures.market.candles("DOGEUSDT", start, NOW, NOW)
        assert 0 < len(bars) < 120
        assert [bar.start for bar in bars] == [candle.start for candle in traded]

    run(scenario)


def test_a_bar_is_complete_when_it_has_been_over_for_a_moment() -> None:
    async def scenario(world: BinanceWorld) -> None:
        minute = NOW.replace(second=0)
        start = minute - timedelta(minutes=2)
        for second, whole in ((59.9, 2), (61.0, 2), (61.5, 3)):
            world.manual.move_to(minute + timedelta(seconds=second))
            bars = await world.source.bars(BTC, start, minute + timedelta(minutes=1))
            assert [bar.is_complete for bar in bars] == [True] * whole + [False] * (3 - whole)

    run(scenario)


def test_days_are_those_of_utc() -> None:
    async def scenario(world: BinanceWorld) -> None:
        days = await world.source.days(BTC, NOW - timedelta(days=4), NOW)
        assert [(day.start.hour, day.timeframe) for day in days] == [(0, Timeframe.D1)] * 4
        assert [day.is_complete for day in days] == [True, True, True, False]

    run(scenario)


@pytest.mark.parametrize(("segment", "end"), [("USDT", ""), ("USDT-M", ".P")])
def test_a_listing_has_what_trades_most_value_first(segment: str, end: str) -> None:
    async def scenario(world: BinanceWorld) -> None:
        listings = await world.source.listing(segment)
        codes = [listing.instrument.code for listing in listings]
        assert sorted(codes) == [f"{name}USDT{end}" for name in ("BTC", "DOGE", "ETH")]
        values = [listing.value or 0 for listing in listings]
        assert values == sorted(values, reverse=True)
        first = listings[0].instrument
        assert (first.segment, first.kind) == (segment, Kind.COIN)
        assert first.name.startswith("BTC/USDT")

    run(scenario)


def test_a_listing_of_another_market_is_an_error() -> None:
    async def scenario(world: BinanceWorld) -> None:
        with pytest.raises(SourceError, match="USDT and USDT-M, not KRW"):
            await world.source.listing("KRW")

    run(scenario)


@pytest.mark.parametrize("fault", ["renamed", "empty", "page"])
def test_a_listing_of_another_shape_is_a_change(fault: str) -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.fail(fault)
        with pytest.raises(SourceChanged):
            await world.source.listing("USDT")

    run(scenario)


def test_bars_of_what_does_not_exist_are_an_error() -> None:
    async def scenario(world: BinanceWorld) -> None:
        with pytest.raises(SourceChanged, match="does not know NOSUCHUSDT"):
            await world.source.bars("BINANCE:NOSUCHUSDT", NOW - timedelta(hours=1), NOW)
        with pytest.raises(SourceError, match="BINANCE instruments only"):
            await world.source.bars("KRX:005930", NOW - timedelta(hours=1), NOW)

    run(scenario)


def test_a_minute_in_which_the_weight_is_nearly_used_up_is_left_alone() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.weights[False].limit = 6000
        world.wires.weights[False].spend(5500, NOW)
        await world.source.ticks([BTC])
        with pytest.raises(SourceUnavailable, match="left alone"):
            await world.source.ticks([BTC])
        assert len(world.wires.faults.asked) == 1
        assert len(await world.source.ticks([BTC_PERPETUAL])) == 1

    run(scenario)


def test_a_ban_is_kept_for_as_long_as_it_lasts() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.weights[True].ban(NOW)
        with pytest.raises(SourceUnavailable, match="answered 418"):
            await world.source.ticks([BTC_PERPETUAL])
        with pytest.raises(SourceUnavailable, match="left alone for 120 more seconds"):
            await world.source.ticks([BTC_PERPETUAL])
        assert len(world.wires.faults.asked) == 1

    run(scenario)


def test_the_firewall_is_a_passing_trouble() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.fail("firewall")
        with pytest.raises(SourceUnavailable, match="403"):
            await world.source.ticks([BTC])

    run(scenario)
