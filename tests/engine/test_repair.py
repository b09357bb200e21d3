"""The day's repair: every kept bar is compared with the venue's chart and mended."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.day_report import DayReport, newest_day, read_report, reports_of
from engine.repair import AT_ONCE, GIVE_UP, SETTLING, Repairs
from market.errors import SourceUnavailable
from market.types import Instrument, Timeframe, Venue, to_ms
from tests.engine.pipeline_world import World, condition
from tests.engine.traded_market import CALENDARS, DAY, HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from conditions.compile import Condition
    from market.store import Transaction
    from market.types import Bar

KEY = "series/KRX/5m"
AFTER = kst("15:30") + SETTLING
DOWN = SourceUnavailable("no answer")


class Day(World):
    """A day of one trade every five minutes, of both instruments."""

    def __init__(self, path: Path, *conditions: Condition) -> None:
        super().__init__(path, *conditions, start=kst("08:30"))
        for minute in range(0, 60, 5):
            at = kst("09:00:30") + timedelta(minutes=minute)
            self.market.trade(at, 100.0)
            self.market.trade(at, 90.0, of=HYNIX)

    async def live(self, until: str = "10:05:02") -> None:
        await self.boot()
        await self.sweeps("09:00:02", until)

    def repairs(self) -> Repairs:
        return Repairs(self.store, self.sources(), CALENDARS, self.clock, self.pipeline, self.fire)

    async def mend(self) -> DayReport:
        """Repair after the close and return the report."""
        self.clock.move_to(AFTER)
        await self.repairs().step()
        report = await self.store.read(lambda tx: read_report(tx, KEY, DAY))
        assert report is not None
        return report


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path / "day.sqlite")


def run(world: Day, scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        asyncio.run(scenario())
    finally:
        world.close()


def test_a_day_that_was_watched_well_is_all_equal(day: Day) -> None:
    async def scenario() -> None:
        await day.live()
        report = await day.mend()
        assert (report.bars, report.equal, report.share_equal) == (24, 24, 1.0)
        assert report.is_over
        assert report.is_flawless
        assert not [text for text in await day.texts() if "report" in text]

    run(day, scenario)


def test_a_day_before_the_very_first_start_is_not_compared(day: Day) -> None:
    """Its bars came from the chart: to find them equal would prove nothing."""

    async def scenario() -> None:
        await day.live()
        day.clock.move_to(AFTER)
        await day.repairs().begin()
        assert not await day.repairs().step()
        assert await day.store.read(lambda tx: read_report(tx, KEY, DAY)) is None

    run(day, scenario)


def test_a_later_start_is_not_the_first(day: Day) -> None:
    async def scenario() -> None:
        await day.boot()
        await day.repairs().begin()
        await day.sweeps("09:00:02", "10:05:02")
        day.clock.move_to(AFTER)
        await day.repairs().begin()
        assert await day.repairs().step()

    run(day, scenario)


def test_a_bar_that_was_not_the_venues_is_named_and_mended(day: Day) -> None:
    async def scenario() -> None:
        await day.live()
        day.market.chart_prices[SAMSUNG.id, kst("09:20")] = 104.0
        report = await day.mend()
        assert (report.bars, report.equal, report.close) == (24, 23, 23)
        worst = report.worst[0]
        assert (worst.instrument, worst.start, worst.live, worst.exact) == (
            SAMSUNG.id,
            kst("09:20"),
            100.0,
            104.0,
        )
        assert worst.share == pytest.approx(4 / 104)
        assert ("09:20", 104.0, 10.0) in await day.bars()
        panel = day.pipeline.series[0].panel
        row = panel.row(SAMSUNG.id)
        column = panel.starts[row].tolist().index(to_ms(kst("09:20")))
        assert panel.close[row, column] == 104.0

    run(day, scenario)


def test_what_held_on_the_venues_bar_only_is_told(day: Day) -> None:
    """The polled price hid that `close > 110`: nobody was alerted, so the owner must know."""

    async def scenario() -> None:
        await day.live()
        day.market.chart_prices[SAMSUNG.id, kst("09:20")] = 111.0
        report = await day.mend()
        assert report.hidden_count == 1
        (hidden,) = report.hidden
        assert (hidden.condition, hidden.instrument, hidden.start) == (
            "high",
            SAMSUNG.id,
            kst("09:20"),
        )
        assert (await day.texts()).count("notice report.flaws") == 1

    run(day, scenario)


def test_alerts_are_compared_with_the_bar_they_stood_on(day: Day) -> None:
    async def scenario() -> None:
        day.market.trade(kst("09:22:00"), 120.0)
        await day.live()
        assert await day.fired() == ["005930 09:20"]
        report = await day.mend()
        assert (report.fired, report.fired_equal) == (1, 1)

    run(day, scenario)


def test_an_alert_whose_bar_the_venue_changed_later_is_a_flaw(day: Day) -> None:
    async def scenario() -> None:
        day.market.trade(kst("09:22:00"), 120.0)
        await day.live()
        day.market.chart_prices[SAMSUNG.id, kst("09:22")] = 119.0
        report = await day.mend()
        assert (report.fired, report.fired_equal) == (1, 0)
        assert not report.is_flawless

    run(day, scenario)


def test_an_alert_of_a_forming_bar_is_counted_and_not_compared(tmp_path: Path) -> None:
    day = Day(tmp_path / "early.sqlite", condition("close > 110", "intrabar: true"))

    async def scenario() -> None:
        day.market.trade(kst("09:22:00"), 120.0)
        day.market.trade(kst("09:23:00"), 121.0)
        await day.live()
        (signal,) = await day.signals()
        assert (signal.is_intrabar, signal.price, signal.has_held) == (True, 120.0, True)
        report = await day.mend()
        assert (report.fired, report.fired_equal, report.early) == (0, 0, 1)
        assert report.is_flawless

    run(day, scenario)


def test_bars_that_were_missed_are_put_into_the_store(day: Day) -> None:
    async def scenario() -> None:
        await day.live("09:31:02")
        day.clock.move_to(AFTER)
        report = await day.mend()
        assert report.lacking == 2 * 6
        assert len(await day.bars()) == 12
        assert len(await day.store.read(_kept)) == 12

    def _kept(tx: Transaction) -> list[Bar]:
        return tx.bars.between(HYNIX.id, Timeframe.M5, kst("09:00"), kst("15:30"))

    run(day, scenario)


def test_the_day_is_mended_once_and_not_before_it_is_over(day: Day) -> None:
    async def scenario() -> None:
        await day.live()
        day.clock.move_to(AFTER - timedelta(seconds=1))
        repairs = day.repairs()
        assert not await repairs.step()
        day.clock.move_to(AFTER)
        assert await repairs.step()
        asked = len(day.market.asked)
        assert not await repairs.step()
        assert not await day.repairs().step(), "a restart knows that it is done"
        assert len(day.market.asked) == asked
        found = await day.store.read(lambda tx: reports_of(tx, DAY))
        assert list(found) == [KEY]
        newest = await day.store.read(lambda tx: newest_day(tx, Venue.KRX))
        assert newest == DAY.isoformat()

    run(day, scenario)


def test_a_first_start_has_nothing_to_compare(tmp_path: Path) -> None:
    world = Day(tmp_path / "new.sqlite")

    async def scenario() -> None:
        world.market.trades.clear()
        world.clock.move_to(AFTER)
        await world.boot()
        assert not await world.repairs().step()

    run(world, scenario)


def trade(world: Day, names: Sequence[Instrument]) -> None:
    """Let everybody trade once a minute: a market that stands still is not believed."""
    for one in names:
        for minute in range(5):
            world.market.trade(kst("09:00:30") + timedelta(minutes=minute), 100.0, of=one)


def many(count: int) -> list[Instrument]:
    return [Instrument(Venue.KRX, f"{number:06}", f"Company {number}") for number in range(count)]


def test_a_kill_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    names = many(AT_ONCE + 6)
    listed = "[" + ", ".join(one.id for one in names) + "]"
    world = Day(tmp_path / "many.sqlite", condition(universe=listed))

    async def scenario() -> None:
        trade(world, names)
        await world.live("09:05:12")
        world.clock.move_to(AFTER)
        world.store.is_full = lambda number: number == second
        second = world.store.writes + 1
        with pytest.raises(Exception, match="full"):
            await world.repairs().step()
        half = await world.store.read(lambda tx: read_report(tx, KEY, DAY))
        assert half is not None
        assert (len(half.done), half.is_over) == (AT_ONCE, False)
        world.market.asked.clear()
        world.store.is_full = lambda number: False
        await world.repairs().step()
        assert len(world.market.asked) == 6
        whole = await world.store.read(lambda tx: read_report(tx, KEY, DAY))
        assert whole is not None
        assert (whole.bars, whole.equal, whole.is_over) == (30, 30, True)

    run(world, scenario)


def test_a_chart_that_is_silent_is_asked_another_time(tmp_path: Path) -> None:
    names = many(AT_ONCE * (GIVE_UP + 2))
    listed = "[" + ", ".join(one.id for one in names) + "]"
    world = Day(tmp_path / "silent.sqlite", condition(universe=listed))

    async def scenario() -> None:
        trade(world, names)
        await world.live("09:05:12")
        world.clock.move_to(AFTER)
        world.market.chart_errors = {one.id: DOWN for one in names}
        repairs = world.repairs()
        assert await repairs.step()
        world.market.chart_errors = {}
        assert await repairs.step()
        report = await world.store.read(lambda tx: read_report(tx, KEY, DAY))
        assert report is not None
        assert (report.is_over, report.unread) == (True, ())

    run(world, scenario)


def test_what_could_not_be_read_is_named(day: Day) -> None:
    async def scenario() -> None:
        await day.live()
        day.market.chart_errors = {HYNIX.id: DOWN}
        report = await day.mend()
        assert report.unread == (HYNIX.id,)
        assert (await day.texts()).count("notice report.flaws") == 1

    run(day, scenario)
