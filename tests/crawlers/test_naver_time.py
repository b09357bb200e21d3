"""The older pages of one instrument as a source, before the pretend Naver."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest

from crawlers.naver_time import NaverTimeSource
from crawlers.source import SOURCES
from market.clock import ManualClock
from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.sessions import KST
from market.types import Instrument, Venue
from sandbox.naver_faults import Fault
from sandbox.naver_html import change, label, number, page, table
from tests.contracts.source_contract import SourceContract, World
from tests.crawlers.pretend_naver import CALENDARS, EVENING, NOW, Naver, naver, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")
KNOWN = [Instrument(Venue.KRX, code, code, "KOSPI") for code in ("005930", "000660", "0195S0")]
ID = "KRX:005930"
OPEN = NOW.replace(hour=9, minute=0, second=0)


class TestNaverTimeSource(SourceContract):
    """The contract of sources, for the older pages."""

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with naver(KNOWN, at=NOW) as pretend:

            def fail(fault: str) -> None:
                pretend.wire.is_cut = fault == "unreachable"
                if not pretend.wire.is_cut:
                    pretend.faults.fail(Fault(fault))

            yield World(
                source=pretend.times,
                clock=pretend.clock,
                instruments=tuple(one.id for one in KNOWN),
                start=OPEN,
                end=NOW.replace(minute=30, second=0),
                fail=fail,
            )

    def unknown(self) -> str:
        return "KRX:999999"


def run(scenario: Callable[[Naver], Awaitable[T]], at: datetime = EVENING) -> T:
    async def whole() -> T:
        async with naver(KNOWN, at=at) as world:
            return await scenario(world)

    return asyncio.run(whole())


def test_it_is_registered_by_its_name() -> None:
    assert "naver-time" in SOURCES


def test_bars_of_a_whole_day_are_flat_at_the_last_price_and_count_exactly() -> None:
    async def scenario(world: Naver) -> None:
        exact = await world.source.bars(ID, OPEN, EVENING)
        flat = await world.times.bars(ID, OPEN, EVENING)
        assert [bar.start for bar in flat] == [bar.start for bar in exact]
        assert len(flat) > 350
        assert flat[-1].start == OPEN.replace(hour=15, minute=29)
        for bar, true in zip(flat, exact, strict=True):
            assert bar.open == bar.high == bar.low == bar.close == true.close
            assert (bar.volume, bar.is_complete) == (true.volume, true.is_complete)

    run(scenario)


def test_bars_stop_asking_where_the_stretch_begins() -> None:
    async def scenario(world: Naver) -> tuple[int, int]:
        end = OPEN + timedelta(hours=6)
        bars = await world.times.bars(ID, end - timedelta(minutes=15), end)
        return len(bars), len(world.wire.asked)

    bars, asked = run(scenario)
    assert bars == 15
    assert asked <= 3


def test_bars_reach_over_days_and_leave_out_the_night() -> None:
    async def scenario(world: Naver) -> set[int]:
        start = OPEN - timedelta(days=4)
        return {bar.start.astimezone(KST).day for bar in await world.times.bars(ID, start, EVENING)}

    assert run(scenario) == {7, 8, 9}


def test_thistime_is_always_sent() -> None:
    async def scenario(world: Naver) -> list[str]:
        await world.times.ticks([ID])
        await world.times.bars(ID, NOW - timedelta(minutes=5), NOW)
        return [url.params["thistime"] for url in world.wire.asked]

    assert run(scenario, at=NOW) == ["20260909103015", "20260909103015"]


def test_the_minute_that_goes_on_is_not_complete() -> None:
    async def scenario(world: Naver) -> list[bool]:
        bars = await world.times.bars(ID, NOW - timedelta(minutes=30), NOW)
        return [bar.is_complete for bar in bars[-2:]]

    assert run(scenario, at=NOW.replace(second=59)) == [True, False]


def test_ticks_agree_with_the_batch_polling() -> None:
    async def scenario(world: Naver) -> None:
        ids = [one.id for one in KNOWN]
        mine, batch = await world.times.ticks(ids), await world.source.ticks(ids)
        for tick, true in zip(mine, batch, strict=True):
            assert (tick.instrument, tick.price) == (true.instrument, true.price)
            assert (tick.day_volume, tick.previous_close) == (true.day_volume, true.previous_close)
            assert timedelta() <= true.at - tick.at < timedelta(minutes=1)

    run(scenario, at=NOW)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (NOW.replace(hour=8), 8),
        (NOW.replace(hour=20), 9),
        (datetime(2026, 9, 12, 12, tzinfo=KST), 11),
        (datetime(2026, 9, 14, 7, tzinfo=KST), 11),
    ],
)
def test_ticks_outside_the_session_are_of_the_last_one(at: datetime, day: int) -> None:
    async def scenario(world: Naver) -> datetime:
        (tick,) = await world.times.ticks([ID])
        return tick.at.astimezone(KST)

    assert run(scenario, at=at) == datetime(2026, 9, day, 15, 30, tzinfo=KST)


def test_ticks_before_the_first_trade_are_of_the_session_before() -> None:
    async def scenario(world: Naver) -> tuple[datetime, list[str]]:
        (tick,) = await world.times.ticks([ID])
        asked = [url.params["thistime"] for url in world.wire.asked]
        return tick.at.astimezone(KST), asked

    at, asked = run(scenario, at=OPEN)
    assert at == datetime(2026, 9, 8, 15, 30, tzinfo=KST)
    assert asked == ["20260909090000", "20260908180000"]


def test_days_agree_with_the_daily_chart() -> None:
    async def scenario(world: Naver) -> None:
        start = EVENING - timedelta(days=60)
        mine = await world.times.days(ID, start, EVENING)
        assert mine == await world.source.days(ID, start, EVENING)
        assert len(mine) > 35

    run(scenario)


def test_days_before_the_first_page_are_none_and_end() -> None:
    async def scenario(world: Naver) -> tuple[int, int]:
        bars = await world.times.days(ID, EVENING - timedelta(days=4000), EVENING)
        return len(bars), len(world.wire.asked)

    assert run(scenario) == (300, 30)


def test_a_day_that_never_ends_is_a_change() -> None:
    def endless(request: httpx.Request) -> httpx.Response:
        at = EVENING - timedelta(minutes=int(request.url.params["page"]))
        cells = [label(f"{at:%H:%M}"), number("100"), change(0), *[number("1")] * 4]
        heads = ["체결시각", "체결가", "전일비", "매도", "매수", "거래량", "변동량"]
        return httpx.Response(200, content=bytes(page(table("type2", heads, [cells], 7)).body))

    async def scenario() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(endless)) as http:
            source = NaverTimeSource(http, settings(), ManualClock(EVENING), CALENDARS)
            await source.bars(ID, OPEN, EVENING)

    with pytest.raises(SourceChanged, match="more than 60 pages"):
        asyncio.run(scenario())


@pytest.mark.parametrize("ask", ["bars", "days"])
def test_another_venue_is_an_error(ask: str) -> None:
    with pytest.raises(SourceError, match="KRX instruments only"):
        run(lambda world: getattr(world.times, ask)("UPBIT:KRW-BTC", OPEN, EVENING))


def test_the_budget_of_the_day_holds_for_it_too() -> None:
    async def whole() -> None:
        async with naver(KNOWN, requests_per_day=2) as world:
            await world.times.ticks([one.id for one in KNOWN])

    with pytest.raises(SourceUnavailable, match="all 2 requests of 2026-09-09 are used up"):
        asyncio.run(whole())
