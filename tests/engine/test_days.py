"""Daily bars: fetched once they are over, kept, unknown until told, the same after a restart."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.look import live_looks, replayed_look, stored_look
from market.errors import SourceChanged, SourceUnavailable
from market.sessions import KST
from market.types import Bar, Timeframe, to_ms
from tests.engine.pipeline_world import World, condition, quiet_morning
from tests.engine.traded_market import CALENDAR, DAY, HYNIX, SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from pathlib import Path

    from market.clock import ManualClock
    from market.panel import Panel
    from market.types import InstrumentId

NEXT = date(2026, 1, 7)
DOWN = SourceUnavailable("no daily chart")


class DailyMarket(TradedMarket):
    """A market with a daily chart: `closes` by day; today's bar is there too, as it stands."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.closes: dict[date, float] = {}
        self.days_error: Exception | None = None
        self.asked_days: list[tuple[InstrumentId, date]] = []
        for back in range(1, 40):
            self.closes[DAY - timedelta(days=back)] = 100.0 + back

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        self.asked_days.append((instrument, start.astimezone(KST).date()))
        if self.days_error is not None:
            raise self.days_error
        slots = CALENDAR.slots(start, end, Timeframe.D1)
        now = self.clock.now()
        return [
            Bar(
                instrument,
                Timeframe.D1,
                slot,
                *(self.closes[day],) * 4,
                10.0,
                10.0,
                CALENDAR.slot_end(slot, Timeframe.D1) <= now,
            )
            for slot in slots
            if (day := slot.astimezone(KST).date()) in self.closes
        ]


class Days(World):
    """A world whose market has a daily chart."""

    market: DailyMarket

    def __init__(self, path: Path, when: str, start: str = "08:30") -> None:
        super().__init__(path / "ticktalk.sqlite", condition(when), start=kst(start))
        self.market = DailyMarket(self.clock)
        self.depth = 20

    def daily(self) -> Panel:
        return self.pipeline.series[0].larger[Timeframe.D1]

    def closes(self) -> list[float]:
        row = self.daily().close[0]
        return [float(close) for close in row[~np.isnan(row)]]


@pytest.fixture
def days(tmp_path: Path) -> Days:
    return Days(tmp_path, "close > d1.close")


def test_a_start_fetches_the_days_that_are_over(days: Days) -> None:
    async def scenario() -> None:
        await days.boot()
        assert days.closes()[-3:] == [107.0, 104.0, 101.0]  # 12-30, Friday and Monday
        assert len(days.closes()) == 20
        assert not days.daily().missing.any()
        days.close()

    asyncio.run(scenario())


def test_a_restart_asks_only_for_what_is_new(days: Days) -> None:
    async def scenario() -> None:
        await days.boot()
        await days.boot()
        assert len(days.market.asked_days) == 2
        days.market.closes[DAY] = 99.0
        days.clock.move_to(kst("08:30", NEXT))
        await days.boot()
        last = DAY - timedelta(days=1)
        assert days.market.asked_days[2:] == [(SAMSUNG.id, last), (HYNIX.id, last)]
        assert days.closes()[-2:] == [101.0, 99.0]
        assert len(days.closes()) == 20
        days.close()

    asyncio.run(scenario())


def test_what_was_adjusted_since_is_fetched_anew(days: Days) -> None:
    async def scenario() -> None:
        await days.boot()
        days.market.closes = {day: close / 5 for day, close in days.market.closes.items()}
        days.market.closes[DAY] = 20.0
        days.clock.move_to(kst("08:30", NEXT))
        await days.boot()
        assert days.closes()[-4:] == [107.0 / 5, 104.0 / 5, 101.0 / 5, 20.0]
        days.close()

    asyncio.run(scenario())


def test_it_fires_on_the_day_before_and_a_new_day_is_told_by_the_first_sweep(days: Days) -> None:
    async def scenario() -> None:
        quiet_morning(days)
        days.market.trade(kst("10:04:45"), 102.0)
        days.market.closes[DAY] = 90.0
        for minute in range(5):
            days.market.trade(kst(f"09:0{minute}:10", NEXT), 95.0)
        await days.boot()
        await days.sweeps("09:00:02", "10:10:02")
        assert await days.fired() == ["005930 10:00"]
        await days.sweeps("15:15:02", "15:31:12")
        assert days.closes()[-1] == 101.0
        await days.sweeps("09:00:02", "09:05:12", NEXT)
        assert days.closes()[-1] == 90.0
        assert await days.fired() == ["005930 10:00", "005930 09:00"]
        days.close()

    asyncio.run(scenario())


def test_what_is_not_told_is_unknown_and_asked_again(days: Days) -> None:
    async def scenario() -> None:
        quiet_morning(days)
        days.market.trade(kst("09:09:45"), 102.0)
        days.market.trade(kst("09:19:45"), 103.0)
        days.market.days_error = DOWN
        await days.boot()
        await days.sweeps("09:00:02", "09:10:12")
        assert await days.fired() == []
        assert days.daily().missing.all()
        days.market.days_error = None
        await days.sweeps("09:10:22", "09:20:12")
        assert await days.fired() == ["005930 09:15"]
        days.close()

    asyncio.run(scenario())


def test_an_answer_of_another_shape_is_asked_for_less_often(days: Days) -> None:
    async def scenario() -> None:
        quiet_morning(days)
        days.market.days_error = SourceChanged("a page")
        await days.boot()
        await days.sweeps("09:00:02", "09:04:52")
        assert len(days.market.asked_days) == 4
        days.close()

    asyncio.run(scenario())


def test_a_chart_without_a_day_on_which_we_saw_trades_is_not_believed(days: Days) -> None:
    async def scenario() -> None:
        quiet_morning(days)
        days.market.trade(kst("09:00:01", NEXT), 105.0)
        await days.boot()
        await days.sweeps("09:00:02", "09:10:12")
        await days.sweeps("09:00:02", "09:00:12", NEXT)
        assert days.daily().missing.all()
        days.market.closes[DAY] = 100.0
        await days.sweeps("09:00:22", "09:01:02", NEXT)
        assert not days.daily().missing.any()
        days.close()

    asyncio.run(scenario())


def test_a_source_without_a_daily_chart_leaves_it_unknown(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path / "ticktalk.sqlite", condition("close > d1.close"))
        quiet_morning(world)
        await world.boot()
        await world.sweeps("09:00:02", "09:10:12")
        assert world.pipeline.series[0].larger[Timeframe.D1].missing.all()
        assert await world.fired() == []
        world.close()

    asyncio.run(scenario())


def test_days_are_prepared_before_the_session(days: Days) -> None:
    async def scenario() -> None:
        await days.boot()
        days.market.closes[DAY] = 99.0
        days.clock.move_to(kst("08:00", NEXT))
        await days.pipeline.prepare()
        assert days.closes()[-1] == 99.0
        asked = len(days.market.asked_days)
        days.market.trade(kst("09:00:01", NEXT), 105.0)
        await days.sweep("09:00:02", NEXT)
        assert len(days.market.asked_days) == asked
        days.close()

    asyncio.run(scenario())


def test_every_look_sees_the_same_days(days: Days) -> None:
    async def scenario() -> None:
        quiet_morning(days)
        await days.boot()
        await days.sweeps("09:00:02", "09:30:12")
        (live,) = live_looks(days.pipeline.series, "high", SAMSUNG.id)
        made, universe = days.conditions[0], (SAMSUNG.id, HYNIX.id)
        now = days.clock.now()
        stored = await days.store.read(
            lambda tx: stored_look(tx, made, universe, CALENDAR, 20, instrument=SAMSUNG.id)
        )
        replayed = await days.store.read(
            lambda tx: replayed_look(
                tx, made, universe, CALENDAR, 20, instrument=SAMSUNG.id, at=now
            )
        )
        told = [look.why(SAMSUNG.id, now, 0).when.operands[1] for look in (live, stored, replayed)]
        assert [(one.text, one.value) for one in told] == [("d1.close", 101.0)] * 3
        days.close()

    asyncio.run(scenario())


def test_an_exchange_of_conditions_brings_days_along(days: Days) -> None:
    async def scenario() -> None:
        quiet_morning(days)
        days.conditions = (condition("close > 110"),)
        await days.boot()
        await days.sweeps("09:00:02", "09:06:02")
        assert not days.pipeline.series[0].larger
        await days.exchange(condition("close < d1.sma(close, 3)", name="low"))
        assert days.daily().missing.all()
        await days.sweeps("09:06:12", "09:10:12")
        assert not days.daily().missing.any()
        assert sorted(await days.fired()) == ["000660 09:05", "005930 09:05"]
        days.close()

    asyncio.run(scenario())


def test_hours_are_made_of_own_bars_and_survive_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = Days(tmp_path, "close > h1.high", start="08:30")
        quiet_morning(world)
        world.market.trade(kst("10:58:00"), 105.0)
        world.market.trade(kst("11:09:45"), 106.0)
        await world.boot()
        await world.sweeps("09:00:02", "10:30:02")
        hours = world.pipeline.series[0].larger[Timeframe.H1]
        assert hours.starts[0, -2:].tolist() == [to_ms(kst("09:00")), to_ms(kst("10:00"))]
        kept = await world.store.read(lambda tx: tx.bars.last(SAMSUNG.id, Timeframe.H1, 9))
        assert [bar.start for bar in kept] == [kst("09:00")]
        await world.boot()
        await world.sweeps("10:30:12", "11:10:12")
        assert await world.fired() == ["005930 11:05"]
        hours = world.pipeline.series[0].larger[Timeframe.H1]
        assert hours.high[0, -2] == 105.0
        world.close()

    asyncio.run(scenario())
