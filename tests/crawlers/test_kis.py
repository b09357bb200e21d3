"""The KIS source in front of the pretend KIS, and the requests it makes."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from crawlers.source import SOURCES, DailySource, FlowSource, Follower
from market.errors import SourceError, SourceUnavailable
from market.types import Timeframe, Venue
from sandbox.kis import net_buying
from sandbox.kis_faults import Fault
from tests.contracts.source_contract import SourceContract, World
from tests.crawlers.kis_world import APP_KEY, CALENDARS, NOW, KisWorld, kis_world, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from market.types import Bar

Found = TypeVar("Found")

SAMSUNG = "KRX:005930"
CALENDAR = CALENDARS[Venue.KRX]
OPEN = NOW.replace(hour=9, minute=0, second=0)
MINUTE = timedelta(minutes=1)


class TestKisSource(SourceContract):
    """The contract of sources, for KIS."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with kis_world(self.folder) as world:

            def fail(fault: str) -> None:
                world.wire.is_cut = fault == "unreachable"
                if not world.wire.is_cut:
                    world.faults.fail(Fault(fault))

            yield World(
                source=world.source,
                clock=world.clock,
                instruments=tuple(f"KRX:{code}" for code in world.simulator.codes),
                start=OPEN,
                end=NOW.replace(minute=30, second=0),
                fail=fail,
            )

    def unknown(self) -> str:
        return "KRX:999999"


def run(folder: Path, job: Callable[[KisWorld], Awaitable[Found]], **world: Any) -> Found:
    async def scenario() -> Found:
        async with kis_world(folder, **world) as opened:
            return await job(opened)

    return asyncio.run(scenario())


def truth(world: KisWorld, code: str, start: datetime, end: datetime) -> list[tuple[object, ...]]:
    """Return the exchange's own minutes with the start of the slot they belong to."""
    minutes = world.simulator.minutes(code, start, end, world.clock.now())
    slots = ((CALENDAR.slot(one.start, Timeframe.M1), one) for one in minutes)
    return [
        (slot, one.open, one.high, one.low, one.close, one.volume, one.value)
        for slot, one in slots
        if slot is not None
    ]


def figures(bars: list[Bar]) -> list[tuple[object, ...]]:
    return [
        (bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value) for bar in bars
    ]


def test_it_is_registered_and_offers_its_ports(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> bool:
        chosen, calendars = settings(tmp_path), CALENDARS
        source = SOURCES.get("kis")(world.http, chosen, world.clock, calendars)
        ports = (DailySource, Follower, FlowSource)
        return all(isinstance(source, port) for port in ports)

    assert run(tmp_path, job)


def test_ticks_are_asked_thirty_at_a_time_in_places_that_are_all_taken(tmp_path: Path) -> None:
    codes = tuple(f"{number:06}" for number in range(1, 62))

    async def job(world: KisWorld) -> tuple[list[str], Counter[str]]:
        ticks = await world.source.ticks([*(f"KRX:{code}" for code in codes), "UPBIT:KRW-BTC"])
        return [tick.instrument for tick in ticks], Counter(world.faults.asked)

    instruments, asked = run(tmp_path, job, codes=codes)
    assert instruments == [f"KRX:{code}" for code in codes]
    assert asked == {"tokenP": 1, "intstock-multprice": 3}


def test_ticks_tell_what_the_exchange_counts(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        (quote,) = world.simulator.snapshot(["005930"], NOW)
        (tick,) = await world.source.ticks([SAMSUNG])
        assert (tick.price, tick.day_volume, tick.day_value) == (
            quote.price,
            quote.volume,
            quote.value,
        )
        assert (tick.day_open, tick.day_high, tick.day_low) == (quote.open, quote.high, quote.low)
        assert tick.previous_close == quote.previous_close
        assert not tick.halted

    run(tmp_path, job)


def test_a_halted_instrument_is_told_by_its_empty_order_book(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> list[bool]:
        during = await world.source.ticks(["KRX:000660", SAMSUNG])
        world.clock.move_to(NOW.replace(hour=20))
        after = await world.source.ticks(["KRX:000660", SAMSUNG])
        return [tick.halted for tick in (*during, *after)]

    assert run(tmp_path, job, halted="000660") == [True, False, False, False]


def test_growth_between_two_looks_is_taken_to_be_half_way(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> list[datetime]:
        times = []
        for second in (52, 62, 72):
            world.clock.move_to(NOW.replace(second=0) + timedelta(seconds=second))
            (tick,) = await world.source.ticks([SAMSUNG])
            times.append(tick.at)
        return times

    start = NOW.replace(second=0)
    assert run(tmp_path, job) == [start + timedelta(seconds=after) for after in (52, 57, 67)]


def test_without_keys_the_error_names_the_variables(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.ticks([SAMSUNG])

    with pytest.raises(SourceError, match="TICKTALK_KIS_APP_KEY and TICKTALK_KIS_APP_SECRET"):
        run(tmp_path, job, app_key=None, app_secret=None)
    with pytest.raises(SourceError, match=r"set TICKTALK_KIS_APP_SECRET in \.env"):
        run(tmp_path, job, app_secret=None)


def test_bars_of_today_equal_the_exchange_with_their_value(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        bars = await world.source.bars(SAMSUNG, OPEN, NOW)
        assert figures(bars) == truth(world, "005930", OPEN, NOW)
        assert [bar.is_complete for bar in bars[-2:]] == [True, False]
        assert world.faults.asked.count("inquire-time-itemchartprice") == 3

    run(tmp_path, job)


def test_a_few_bars_take_one_request(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        start, end = NOW.replace(minute=25, second=0), NOW.replace(minute=30, second=0)
        assert figures(await world.source.bars(SAMSUNG, start, end)) == truth(
            world, "005930", start, end
        )
        assert world.faults.asked.count("inquire-time-itemchartprice") == 1

    run(tmp_path, job)


def test_a_minute_in_which_nothing_has_traded_yet_has_no_bar(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        code, at = "0195S0", NOW.replace(second=20)
        for minute in range(60):
            world.clock.move_to(at + minute * MINUTE)
            start = world.clock.now() - 20 * MINUTE
            bars = await world.source.bars(f"KRX:{code}", start, world.clock.now() + MINUTE)
            assert figures(bars) == truth(world, code, start, world.clock.now() + MINUTE)

    run(tmp_path, job, illiquid="0195S0")


def test_bars_of_past_days_come_from_the_chart_of_the_past(tmp_path: Path) -> None:
    start, end = datetime(2026, 9, 4, tzinfo=UTC), datetime(2026, 9, 9, tzinfo=UTC)

    async def job(world: KisWorld) -> None:
        bars = await world.source.bars(SAMSUNG, start, end)
        assert figures(bars) == truth(world, "005930", start, end)
        assert {bar.is_complete for bar in bars} == {True}
        assert len({bar.start.date() for bar in bars}) == 3
        assert set(world.faults.asked) == {"tokenP", "inquire-time-dailychartprice"}

    run(tmp_path, job)


def test_the_closing_auction_is_the_last_bar_and_after_hours_are_none(tmp_path: Path) -> None:
    now = NOW.replace(hour=16)

    async def job(world: KisWorld) -> None:
        start = NOW.replace(hour=15, minute=10, second=0)
        bars = await world.source.bars(SAMSUNG, start, now)
        assert figures(bars) == truth(world, "005930", start, now)
        assert bars[-1].start == NOW.replace(hour=15, minute=29, second=0)
        assert world.faults.asked.count("inquire-time-itemchartprice") == 1

    run(tmp_path, job, now=now)


def test_bars_before_the_first_trade_of_the_day_are_none(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> list[Bar]:
        return await world.source.bars(SAMSUNG, OPEN, NOW)

    assert run(tmp_path, job, now=OPEN.replace(hour=8, minute=50)) == []


def test_past_bars_at_the_server_of_virtual_accounts_are_an_error(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.bars(SAMSUNG, NOW - timedelta(days=1), NOW)

    with pytest.raises(SourceError, match=r"OPSQ0002.*virtual accounts"):
        run(tmp_path, job, is_virtual=True)


def test_days_are_asked_a_hundred_at_a_time(tmp_path: Path) -> None:
    start = NOW - timedelta(days=400)

    async def job(world: KisWorld) -> None:
        bars = await world.source.days(SAMSUNG, start, NOW)
        days = world.simulator.days("005930", start.date(), NOW.date(), NOW)
        noons = [datetime.combine(day.day, time(12), NOW.tzinfo) for day in days]
        expected = [
            (CALENDAR.slot(noon, Timeframe.D1), day.open, day.close, day.volume, day.value)
            for noon, day in zip(noons, days, strict=True)
        ]
        found = [(bar.start, bar.open, bar.close, bar.volume, bar.value) for bar in bars]
        assert found == [row for row in expected if row[0] is not None and start <= row[0]]
        assert world.faults.asked.count("inquire-daily-itemchartprice") == 3

    run(tmp_path, job)


def test_flows_are_of_days_that_are_over(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        during = await world.source.flows(SAMSUNG, 5)
        assert [flow.day.day for flow in during] == [2, 3, 4, 7, 8]
        world.clock.move_to(NOW.replace(hour=16))
        (last,) = await world.source.flows(SAMSUNG, 1)
        (day,) = world.simulator.days("005930", last.day, last.day, world.clock.now())
        individuals, foreigners, institutions = net_buying("005930", day.day, day.volume)
        assert last.day == NOW.date()
        assert (last.individuals, last.foreigners, last.institutions) == (
            individuals,
            foreigners,
            institutions,
        )
        assert last.close == day.close
        assert await world.source.flows(SAMSUNG, 0) == []

    run(tmp_path, job)


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BUSY_WITH_200, Fault.COMPANY_BUSY])
def test_a_pace_limit_is_known_by_its_code_and_asked_again(tmp_path: Path, fault: Fault) -> None:
    async def job(world: KisWorld) -> tuple[int, int]:
        world.faults.fail(fault, times=2)
        ticks = await world.source.ticks([SAMSUNG])
        return len(ticks), world.faults.asked.count("intstock-multprice")

    assert run(tmp_path, job) == (1, 3)


def test_a_pace_limit_that_stays_is_unavailable_with_its_code(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        world.faults.fail(Fault.BUSY_WITH_200)
        await world.source.ticks([SAMSUNG])

    with pytest.raises(SourceUnavailable, match="EGW00201 초당 거래건수"):
        run(tmp_path, job)


def test_a_lapsed_token_is_asked_for_anew_once(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> Counter[str]:
        await world.source.ticks([SAMSUNG])
        world.keys.lapse()
        world.clock.advance(timedelta(minutes=2))
        await world.source.ticks([SAMSUNG])
        return Counter(world.faults.asked)

    assert run(tmp_path, job) == {"tokenP": 2, "intstock-multprice": 3}


def test_tokens_that_are_always_refused_are_not_asked_for_again_and_again(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> Counter[str]:
        await world.source.ticks([SAMSUNG])
        for _ in range(5):
            world.keys.lapse()
            world.clock.advance(timedelta(minutes=1, seconds=30))
            try:
                await world.source.ticks([SAMSUNG])
            except SourceUnavailable:
                continue
        return Counter(world.faults.asked)

    assert run(tmp_path, job)["tokenP"] == 2


def test_a_wrong_secret_names_the_variables_and_shows_none(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.ticks([SAMSUNG])

    wrong = settings(tmp_path).kis.app_key
    with pytest.raises(SourceError, match=r"EGW00105.*check TICKTALK_KIS_APP_KEY") as raised:
        run(tmp_path, job, app_secret=wrong)
    assert APP_KEY not in str(raised.value)


def test_another_venue_is_an_error(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.bars("UPBIT:KRW-BTC", NOW, NOW)

    with pytest.raises(SourceError, match="KRX instruments only"):
        run(tmp_path, job)
