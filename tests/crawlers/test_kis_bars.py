"""Bars of KIS equal the exchange's own, to the value of each minute."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from market.bars import BarBuilder
from market.errors import SourceError
from market.types import Timeframe, Venue
from tests.crawlers.kis_world import CALENDARS, NOW, KisWorld, run

if TYPE_CHECKING:
    from pathlib import Path

    from market.types import Bar

SAMSUNG = "KRX:005930"
CALENDAR = CALENDARS[Venue.KRX]
OPEN = NOW.replace(hour=9, minute=0, second=0)
MINUTE = timedelta(minutes=1)


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


def test_bars_built_from_sweeps_add_up_to_what_the_exchange_counts(tmp_path: Path) -> None:
    """From before the open, with yesterday's count still shown, until after the last print."""
    codes = ("005930", "0195S0", "000660")
    last_slot = NOW.replace(hour=15, minute=29, second=0)

    async def job(world: KisWorld) -> None:
        builder = BarBuilder(Timeframe.M1, CALENDARS)
        bars: dict[tuple[str, datetime], Bar] = {}
        for begin, end in (("08:20", "09:30"), ("15:00", "15:50")):
            at, until = (
                datetime.fromisoformat(f"{NOW:%Y-%m-%d}T{text}:02+09:00") for text in (begin, end)
            )
            while at < until:
                world.clock.move_to(at)
                for tick in await world.source.ticks([f"KRX:{code}" for code in codes]):
                    builder.add(tick)
                closed = builder.close(at)
                bars |= {(bar.instrument, bar.start): bar for bar in (*closed.new, *closed.revised)}
                at += timedelta(seconds=10)
        for code in codes:
            early = [bar for (one, start), bar in bars.items() if one[4:] == code and start < NOW]
            exact = truth(world, code, OPEN, OPEN + 30 * MINUTE)
            assert sum(bar.volume for bar in early) == pytest.approx(
                sum(float(str(row[5])) for row in exact), rel=0.02
            )
            auction = truth(world, code, last_slot, world.clock.now())[-1]
            built = bars[f"KRX:{code}", last_slot.astimezone(UTC)]
            assert (built.close, built.volume) == (auction[4], auction[5])

    run(tmp_path, job, codes=codes, illiquid="0195S0", now=NOW.replace(hour=8, minute=0))
