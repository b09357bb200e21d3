"""The Upbit source in front of the pretend Upbit: both contracts, and what is Upbit's own."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
from starlette.applications import Starlette

from config.settings import Settings, UpbitSettings
from crawlers.source import SOURCES
from crawlers.upbit import UpbitSource
from market.clock import ManualClock, SystemClock
from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.sessions import AlwaysOpen
from market.types import Instrument, Kind, Venue
from sandbox.coin_market import CoinMarket
from sandbox.coin_trades import Coin
from sandbox.memory_socket import connect_in_memory
from sandbox.server import serve
from sandbox.upbit import Allowance, Upbit
from sandbox.upbit_faults import Fault, Faults
from sandbox.upbit_routes import upbit_routes
from tests.contracts.live_contract import MINUTE, Diary, LiveContract, LiveWorld, follow
from tests.contracts.source_contract import SourceContract, World
from tests.virtual_time import VirtualClock, run_virtual
from venues.upbit_limits import rest_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from crawlers.source import Update
    from market.clock import Clock
    from market.facts import Listing
    from market.types import Bar, Tick
    from sandbox.coin_market import CoinCandle

T = TypeVar("T")

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
MARKET = CoinMarket(COINS, seed=5)


def settings(**changes: Any) -> Settings:
    upbit = UpbitSettings(rest_url=REST, socket_url=SOCKET).model_copy(update=changes)
    return Settings(upbit=upbit)


class Wire(httpx.AsyncBaseTransport):
    """The network between us and the pretend Upbit; it can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)
        self.is_cut = False
        self.requests: list[httpx.Request] = []
        self.statuses: Counter[int] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.is_cut:
            raise httpx.ConnectError("no route")
        answer = await self._inner.handle_async_request(request)
        self.statuses[answer.status_code] += 1
        return answer


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
    faults = Faults()
    venue = Upbit(MARKET, clock)
    app = Starlette(routes=upbit_routes(venue, faults, Allowance()))
    wire = Wire(app)
    ours = Ahead(clock, ahead)
    async with httpx.AsyncClient(transport=wire) as http:
        source = UpbitSource(http, settings(**changes), ours, CALENDARS, connect_in_memory(app))
        yield Stage(source, ours, MARKET, faults, wire)
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


def at_now(
    scenario: Callable[[Stage], Coroutine[Any, Any, T]],
    ahead: timedelta = timedelta(),
    **changes: Any,
) -> T:
    """Run in virtual time, in front of the pretend Upbit."""

    async def opened() -> T:
        async with stage(VirtualClock(NOW), ahead, **changes) as one:
            return await scenario(one)

    return run_virtual(opened())


@pytest.mark.parametrize(("code", "pages"), [("KRW-BTC", 3), ("KRW-ZETA", 2)])
def test_bars_are_paged_and_are_the_markets_own(code: str, pages: int) -> None:
    async def scenario(one: Stage) -> tuple[list[Bar], list[CoinCandle], int]:
        start, end = NOW - timedelta(hours=9), NOW - timedelta(seconds=7)
        bars = await one.source.bars(f"UPBIT:{code}", start, end)
        return bars, one.market.candles(code, start, end, NOW), len(one.wire.requests)

    bars, candles, requests = at_now(scenario)
    assert [bar.start for bar in bars] == [candle.start for candle in candles]
    for bar, candle in zip(bars, candles, strict=True):
        assert (bar.open, bar.high, bar.low) == (candle.open, candle.high, candle.low)
        assert (bar.close, bar.volume, bar.value) == (candle.close, candle.volume, candle.value)
        assert bar.is_complete == (bar.start < NOW.replace(second=0))
    assert requests == pages  # minutes without a trade are none of its 200


def test_a_bar_is_complete_a_moment_after_its_end() -> None:
    async def scenario(one: Stage) -> list[bool]:
        found = []
        for seconds in (31, 1.5):  # 05:05:01, 05:05:02.5
            await asyncio.sleep(seconds)  # virtual
            bars = await one.source.bars(IDS[0], NOW.replace(second=0), NOW + timedelta(seconds=9))
            found.append(bars[0].is_complete)
        return found

    assert at_now(scenario) == [False, True]


@pytest.mark.parametrize("instrument", ["KRX:005930", "BINANCE:BTCUSDT", "UPBIT:BTC", ""])
def test_bars_of_what_upbit_cannot_know_are_refused(instrument: str) -> None:
    async def scenario(one: Stage) -> None:
        await one.source.bars(instrument, NOW - timedelta(hours=1), NOW)

    with pytest.raises(SourceError, match="own markets only"):
        at_now(scenario)


def test_bars_of_a_market_that_is_not_there_are_an_error_but_no_change() -> None:
    async def scenario(one: Stage) -> None:
        await one.source.bars("UPBIT:KRW-NOWHERE", NOW - timedelta(hours=1), NOW)

    with pytest.raises(SourceError, match="does not know KRW-NOWHERE") as raised:
        at_now(scenario)
    assert not isinstance(raised.value, SourceChanged)


def test_a_market_that_is_not_there_costs_two_requests_every_ten_minutes() -> None:
    async def scenario(one: Stage) -> list[list[str]]:
        found = []
        for _ in range(3):
            before = len(one.wire.requests)
            ticks = await one.source.ticks([*IDS, "UPBIT:KRW-NOWHERE", "KRX:005930"])
            assert [tick.instrument for tick in ticks] == list(IDS)
            found.append([request.url.path for request in one.wire.requests[before:]])
            await asyncio.sleep(320)  # virtual
        return found

    asked = ["/v1/ticker", "/v1/market/all", "/v1/ticker"]
    assert at_now(scenario) == [asked, ["/v1/ticker"], asked]


def test_nothing_but_unknown_markets_is_nothing() -> None:
    async def scenario(one: Stage) -> list[Tick]:
        return await one.source.ticks(["UPBIT:KRW-NOWHERE"])

    assert at_now(scenario) == []


def test_the_listing_is_the_whole_market_most_traded_first() -> None:
    async def scenario(one: Stage) -> list[Listing]:
        return await one.source.listing("KRW")

    found = at_now(scenario)
    assert {one.instrument.id for one in found} == set(IDS)
    bitcoin = next(one for one in found if one.instrument.code == "KRW-BTC")
    assert bitcoin.instrument == Instrument(Venue.UPBIT, "KRW-BTC", "비트코인", "KRW", Kind.COIN)
    values = [one.value for one in found if one.value is not None]
    assert values == sorted(values, reverse=True)
    assert len(values) == len(IDS)
    assert all(one.price and one.volume and one.change is not None for one in found)
    assert all(one.market_cap is None for one in found)


def test_a_market_that_is_no_market_is_refused() -> None:
    async def scenario(one: Stage) -> list[Listing]:
        return await one.source.listing("KOSPI")

    with pytest.raises(SourceError, match="KOSPI"):
        at_now(scenario)


def test_who_is_shut_out_asks_no_more_until_the_time_is_up() -> None:
    async def scenario(one: Stage) -> tuple[int, int]:
        one.faults.fault = Fault.TEAPOT
        for _ in range(3):
            with pytest.raises(SourceUnavailable):
                await one.source.ticks(IDS)
        asked = len(one.wire.requests)
        one.faults.fault = None
        await asyncio.sleep(31)  # virtual; the answer said 30 seconds
        return asked, len(await one.source.ticks(IDS))

    assert at_now(scenario) == (1, len(IDS))


def test_the_pace_stays_below_what_upbit_allows() -> None:
    async def scenario(one: Stage) -> tuple[Counter[int], float]:
        asks = [one.source.bars(IDS[0], NOW - timedelta(hours=50), NOW) for _ in range(4)]
        await asyncio.gather(*asks)
        return one.wire.statuses, asyncio.get_running_loop().time()

    statuses, seconds = at_now(scenario)
    assert statuses == {200: 64}  # 3,001 candles in pages of 200, four times, not one refused
    assert seconds == pytest.approx(64 / 8, abs=0.5)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (httpx.Response(200, headers={"Remaining-Req": "group=candles; min=600; sec=9"}), None),
        (httpx.Response(200, headers={"Remaining-Req": "group=candles; min=600; sec=0"}), 1),
        (httpx.Response(200), None),
        (httpx.Response(200, headers={"Remaining-Req": "nonsense"}), None),
        (httpx.Response(429, text="Too many API requests."), 1),
        (httpx.Response(418, text="Blocked for 47 seconds."), 47),
        (httpx.Response(418, text="1.5초 후에 다시 시도해주세요."), 1.5),
        (httpx.Response(418), 60),
        (httpx.Response(500), None),
    ],
)
def test_what_upbit_says_about_rest_is_heard(answer: httpx.Response, seconds: float | None) -> None:
    assert rest_seconds(answer) == seconds


def test_a_whole_stream_costs_little_more_than_a_look_a_minute() -> None:
    async def scenario(one: Stage) -> Counter[str]:
        diary, world = Diary(), live_world(one)
        await follow(world, IDS, 3 * MINUTE, diary)
        before = len(one.wire.requests)
        await follow(world, IDS, 10 * MINUTE, diary)
        assert diary.failures == 0
        return Counter(request.url.path for request in one.wire.requests[before:])

    asked = at_now(scenario)
    assert asked["/v1/ticker"] <= 12
    assert asked["/v1/candles/minutes/1"] <= 15


@pytest.mark.parametrize("seconds", [-5, 4])
def test_bars_are_whole_although_our_clock_is_wrong(seconds: int) -> None:
    async def scenario(one: Stage) -> None:
        diary, world = Diary(), live_world(one)
        began = one.clock.now()
        await follow(world, IDS, 10 * MINUTE, diary)
        await TestUpbitLive().check_no_hole(world, diary, IDS, began + 2 * MINUTE)

    at_now(scenario, timedelta(seconds=seconds))


class GrowingLead:
    """Knows a little better each time how far our clock is ahead."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def note(self, sent_ms: int, seen_ms: int) -> None:
        return

    @property
    def ahead_ms(self) -> int:
        self._ahead_ms += 10
        return self._ahead_ms


def test_who_waited_for_the_end_of_a_minute_is_told_it() -> None:
    async def scenario(one: Stage) -> list[Update]:
        await one.source.updates(IDS[:1])
        one.source._live._venue_time = GrowingLead()  # type: ignore[assignment]  # pretended
        await asyncio.sleep(31)  # virtual: a second after the minute
        return list(await one.source.updates(IDS[:1]))

    present = NOW.replace(second=0)
    assert [one.bar.start for one in at_now(scenario) if one.bar.is_complete] == [present]


def test_a_stream_that_cannot_be_read_at_all_is_a_change() -> None:
    async def scenario(one: Stage) -> None:
        world = live_world(one)
        await follow(world, IDS[2:3], MINUTE, Diary())
        one.faults.odd += ['{"type":"candle.2m"}'] * 20
        await asyncio.sleep(1)  # virtual
        await follow(world, IDS[2:3], MINUTE, Diary())

    with pytest.raises(SourceChanged, match="could not be read"):
        at_now(scenario)


def test_a_market_that_is_not_there_does_not_hold_up_the_others() -> None:
    async def scenario(one: Stage) -> tuple[set[str], int]:
        diary, world = Diary(), live_world(one)
        await follow(world, (*IDS, "UPBIT:KRW-NOWHERE", "KRX:005930"), 5 * MINUTE, diary)
        await TestUpbitLive().check_no_hole(world, diary, IDS, NOW)
        return {update.bar.instrument for update in diary.updates}, diary.failures

    assert at_now(scenario) == (set(IDS), 0)


def test_it_works_over_real_sockets() -> None:
    async def scenario() -> tuple[list[Update], int]:
        clock, faults = SystemClock(), Faults()
        serving = await serve(Starlette(routes=upbit_routes(Upbit(MARKET, clock), faults)))
        socket_url = serving.url.replace("http", "ws") + "/websocket/v1"
        async with httpx.AsyncClient() as http:
            changes = {"rest_url": serving.url, "socket_url": socket_url}
            source = UpbitSource(http, settings(**changes), clock, CALENDARS)
            found: list[Update] = []
            async with asyncio.timeout(30):
                while len([one for one in found if not one.bar.is_complete]) < 3:
                    found += await source.updates(IDS[:1])
                    await asyncio.sleep(0.2)  # as a sweep would
            await source.close()
        await serving.stop()
        return found, faults.opened

    found, opened = asyncio.run(scenario())
    assert opened == 1
    assert {one.bar.instrument for one in found} == {IDS[0]}
