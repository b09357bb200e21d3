from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.jobs import GRACE_SECONDS, Jobs, MarketTrigger
from bot.market_time import ScaledTime, UnscaledTime
from market.clock import ManualClock, SystemClock
from market.errors import StoreError, StoreFull

if TYPE_CHECKING:
    import pytest

WALL = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MARKET = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DEADLINE_SECONDS = 5


@dataclass
class EachMinute:
    """Every full minute of the market."""

    def after(self, at: datetime) -> datetime:
        return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


@dataclass
class Soon:
    """A hundredth of a second from now, again and again."""

    def after(self, at: datetime) -> datetime:
        return at + timedelta(milliseconds=10)


@dataclass
class Told:
    errors: list[StoreError] = field(default_factory=list)

    async def __call__(self, error: StoreError) -> None:
        self.errors.append(error)


def test_a_market_minute_is_a_second_at_sixty_times_the_speed() -> None:
    wall = ManualClock(WALL)
    trigger = MarketTrigger(EachMinute(), ScaledTime(wall, MARKET, 60))
    assert trigger.get_next_fire_time(None, WALL) == WALL + timedelta(seconds=1)


def test_a_point_of_the_schedule_is_planned_once() -> None:
    wall = ManualClock(WALL)
    trigger = MarketTrigger(EachMinute(), ScaledTime(wall, MARKET, 60))
    first = trigger.get_next_fire_time(None, WALL)
    assert trigger.get_next_fire_time(first, WALL) == WALL + timedelta(seconds=2)


def test_asking_twice_for_what_follows_a_run_skips_nothing() -> None:
    wall = ManualClock(WALL)
    trigger = MarketTrigger(EachMinute(), ScaledTime(wall, MARKET, 60))
    run = trigger.get_next_fire_time(None, WALL)
    for second in range(2, 6):
        wall.advance(timedelta(seconds=1))
        following = [trigger.get_next_fire_time(run, WALL) for _ in range(3)]
        assert following == [WALL + timedelta(seconds=second)] * 3
        run = following[0]


def test_a_run_that_comes_a_little_early_is_not_repeated() -> None:
    wall = ManualClock(WALL)
    trigger = MarketTrigger(EachMinute(), ScaledTime(wall, MARKET, 60))
    run = trigger.get_next_fire_time(None, WALL)
    wall.advance(timedelta(seconds=0.999))
    assert trigger.get_next_fire_time(run, WALL) == WALL + timedelta(seconds=2)


def test_points_that_were_slept_through_are_not_made_up_for() -> None:
    wall = ManualClock(WALL)
    trigger = MarketTrigger(EachMinute(), ScaledTime(wall, MARKET, 60))
    run = trigger.get_next_fire_time(None, WALL)
    wall.advance(timedelta(hours=1, seconds=0.5))
    assert trigger.get_next_fire_time(run, WALL) == WALL + timedelta(hours=1, seconds=1)


def test_every_point_of_the_schedule_is_run() -> None:
    async def scenario() -> list[datetime]:
        clock, points = SystemClock(), []
        enough = asyncio.Event()

        @dataclass
        class Fifths:
            """A fifth of a second apart."""

            def after(self, at: datetime) -> datetime:
                step = at.microsecond // 200_000 + 1
                return at.replace(microsecond=0) + timedelta(milliseconds=200 * step)

        async def work() -> None:
            at = clock.now()
            points.append(at.replace(microsecond=at.microsecond // 200_000 * 200_000))
            if len(points) == 5:
                enough.set()

        jobs = Jobs(UnscaledTime(clock), Told())
        jobs.in_market_time("crawl", Fifths(), work)
        jobs.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await enough.wait()
        await jobs.stop()
        return points

    points = asyncio.run(scenario())
    gaps = [later - earlier for earlier, later in pairwise(points)]
    assert min(gaps) == timedelta(milliseconds=200)


def test_a_changed_pace_plans_the_point_again() -> None:
    wall = ManualClock(WALL)
    time = ScaledTime(wall, MARKET, 60)
    trigger = MarketTrigger(EachMinute(), time)
    trigger.get_next_fire_time(None, WALL)
    time.set_speed(1)
    assert trigger.get_next_fire_time(None, WALL) == WALL + timedelta(minutes=1)


def test_a_job_that_fails_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> int:
        runs = 0
        twice = asyncio.Event()

        async def work() -> None:
            nonlocal runs
            runs += 1
            if runs > 1:
                twice.set()
            raise RuntimeError("a fault of ours")

        jobs = Jobs(UnscaledTime(SystemClock()), Told())
        jobs.in_market_time("crawl", Soon(), work)
        jobs.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await twice.wait()
        await jobs.stop()
        return runs

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(scenario()) >= 2
    assert "job 'crawl' failed" in caplog.text


def test_a_full_disk_is_told_instead_of_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> list[StoreError]:
        told = Told()
        ran = asyncio.Event()

        async def work() -> None:
            ran.set()
            raise StoreFull("the disk is full")

        jobs = Jobs(UnscaledTime(SystemClock()), told)
        jobs.every("lapse", 0.01, work)
        jobs.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await ran.wait()
        await jobs.stop()
        return told.errors

    assert isinstance(asyncio.run(scenario())[0], StoreFull)
    assert "Traceback" not in caplog.text


def test_a_trouble_of_the_store_is_logged_once_until_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        left = ["full", "full", "full", "locked"]
        over = asyncio.Event()

        async def work() -> None:
            if not left:
                over.set()
                return
            raise StoreError(left.pop(0))

        jobs = Jobs(UnscaledTime(SystemClock()), Told())
        jobs.every("lapse", 0.01, work)
        jobs.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await over.wait()
        await jobs.stop()

    asyncio.run(scenario())
    assert [record.message for record in caplog.records] == [
        "job 'lapse': full",
        "job 'lapse': locked",
    ]


def test_a_job_that_runs_is_broken_off_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> list[str]:
        seen: list[str] = []
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("ended")

        jobs = Jobs(UnscaledTime(SystemClock()), Told())
        jobs.every("crawl", 0.01, work)
        jobs.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await begun.wait()
            await jobs.stop()
        return seen

    assert asyncio.run(scenario()) == ["ended"]
    assert caplog.text == ""


def test_jobs_that_never_began_can_be_stopped() -> None:
    asyncio.run(Jobs(UnscaledTime(SystemClock()), Told()).stop())


def test_a_blocked_loop_does_not_drop_jobs() -> None:
    jobs = Jobs(UnscaledTime(SystemClock()), Told())
    defaults = jobs._scheduler._job_defaults
    assert defaults == {
        "misfire_grace_time": GRACE_SECONDS,
        "coalesce": True,
        "max_instances": 1,
    }


def test_a_job_that_lasts_skips_a_time_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    runs = {"lasting": 0, "of a market": 0, "brief": 0}

    async def scenario() -> None:
        is_enough = asyncio.Event()

        async def last() -> None:
            runs["lasting"] += 1
            await asyncio.Event().wait()

        async def sweep() -> None:
            runs["of a market"] += 1
            await asyncio.Event().wait()

        async def count() -> None:
            runs["brief"] += 1
            if runs["brief"] == 5:
                is_enough.set()

        jobs = Jobs(UnscaledTime(SystemClock()), Told())
        jobs.every("lasting", 0.01, last)
        jobs.often_in_market_time("of a market", Soon(), sweep)
        jobs.every("brief", 0.02, count)
        jobs.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await is_enough.wait()
        await jobs.stop()

    asyncio.run(scenario())
    assert runs["lasting"] == runs["of a market"] == 1
    assert "maximum number" not in caplog.text


def test_work_is_done_whenever_something_comes_and_a_failure_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> int:
        runs = 0
        come, done = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            await come.wait()
            come.clear()

        async def work() -> None:
            nonlocal runs
            runs += 1
            done.set()
            raise RuntimeError("a fault of ours")

        begun = asyncio.all_tasks()
        jobs = Jobs(UnscaledTime(SystemClock()), Told())
        jobs.whenever("touched", wait, work)
        async with asyncio.timeout(DEADLINE_SECONDS):
            for _ in range(3):
                come.set()
                await done.wait()
                done.clear()
        await jobs.stop()
        assert asyncio.all_tasks() == begun
        return runs

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(scenario()) == 3
    assert "job 'touched' failed" in caplog.text
