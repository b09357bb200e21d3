"""The scheduler: jobs declared in market time, run by APScheduler at the machine's time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from market.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from typing import Any

    from bot.market_time import MarketTime
    from bot.schedule import Schedule

logger = logging.getLogger(__name__)

GRACE_SECONDS = 300
"""A blocked loop may delay a job this long; APScheduler's own grace of 1 s would drop it."""


class MarketTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Maps a schedule in market time to the machine's time."""

    def __init__(self, schedule: Schedule, time: MarketTime) -> None:
        self._schedule = schedule
        self._time = time
        self._points: dict[datetime, datetime] = {}

    def __str__(self) -> str:
        return "market time"

    def get_next_fire_time(self, previous: datetime | None, _now: datetime) -> datetime | None:
        """Return the machine's time of the point of the schedule that follows `previous`.

        The scheduler asks more than once for what follows the same run, so asking changes nothing.
        """
        present = self._time.now()
        before = present if previous is None else self._points.get(previous, present)
        point = self._schedule.after(max(present, before))
        at = self._time.real_time_of(point)
        kept = {} if previous is None else {previous: before}
        self._points = {**kept, at: point}
        return at


class Jobs:
    """Runs jobs until stopped; a job that fails is logged and runs again at its next time."""

    def __init__(
        self, time: MarketTime, on_store_error: Callable[[StoreError], Awaitable[None]]
    ) -> None:
        self._time = time
        self._on_store_error = on_store_error
        self._triggers: dict[str, MarketTrigger] = {}
        self._running: dict[asyncio.Task[Any] | None, asyncio.Task[None]] = {}
        self._lasting: list[asyncio.Task[None]] = []
        self._troubles: dict[str, str] = {}
        self._scheduler = AsyncIOScheduler(
            executors={"default": AsyncIOExecutor()},
            job_defaults={
                "misfire_grace_time": GRACE_SECONDS,
                "coalesce": True,
                "max_instances": 1,
            },
            timezone="UTC",
        )

    def in_market_time(
        self, name: str, schedule: Schedule, work: Callable[[], Awaitable[object]]
    ) -> None:
        """Add a job whose schedule is in market time, in place of one of that name."""
        self._plan(name, schedule, work, most=1)

    def often_in_market_time(
        self, name: str, schedule: Schedule, work: Callable[[], Awaitable[object]]
    ) -> None:
        """Add such a job that often lasts longer: it skips a time without a word."""
        self._plan(name, schedule, _unless_running(work), most=2)

    @property
    def planned(self) -> set[str]:
        """Return the names of the jobs in market time."""
        return set(self._triggers)

    def remove(self, name: str) -> None:
        """Run a job in market time no more."""
        del self._triggers[name]
        self._scheduler.remove_job(name)

    def every(self, name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Add a job on the machine's clock; one that lasts longer skips a time without a word."""
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        guarded = self._guarded(name, _unless_running(work))
        self._scheduler.add_job(guarded, trigger, id=name, name=name, max_instances=2)

    def whenever(
        self, name: str, wait: Callable[[], Awaitable[None]], work: Callable[[], Awaitable[object]]
    ) -> None:
        """Run work each time that what is waited for has come, from now on."""

        async def go_on() -> None:
            while True:
                await wait()
                await self._try(name, work)

        self._lasting.append(asyncio.create_task(go_on(), name=name))

    def start(self) -> None:
        """Start running jobs."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Start no more jobs, break off those that run and wait until they have ended."""
        if self._scheduler.running:
            self._scheduler.pause()
        for task in (*self._running.values(), *self._lasting):
            task.cancel()
        await asyncio.gather(*filter(None, self._running))
        await asyncio.gather(*self._lasting, return_exceptions=True)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def pace_changed(self) -> None:
        """Plan market-time jobs again after the pace of market time has changed."""
        for name, trigger in self._triggers.items():
            self._scheduler.reschedule_job(name, trigger=trigger)

    def _plan(
        self, name: str, schedule: Schedule, work: Callable[[], Awaitable[object]], most: int
    ) -> None:
        trigger = MarketTrigger(schedule, self._time)
        self._triggers[name] = trigger
        self._scheduler.add_job(
            self._guarded(name, work),
            trigger,
            id=name,
            name=name,
            replace_existing=True,
            max_instances=most,
        )

    def _guarded(
        self, name: str, work: Callable[[], Awaitable[object]]
    ) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            # A task in the scheduler's task: broken off itself, that would be told as a failure.
            outer, task = asyncio.current_task(), asyncio.create_task(self._try(name, work))
            self._running[outer] = task
            try:
                await asyncio.wait({task})
            finally:
                del self._running[outer]

        return run

    async def _try(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except StoreError as error:
            if self._troubles.get(name) != str(error):
                self._troubles[name] = str(error)
                logger.error("job '%s': %s", name, error)  # noqa: TRY400  # the text says it all
            await self._on_store_error(error)
        except Exception:
            logger.exception("job '%s' failed; it runs again at its next time", name)
        else:
            self._troubles.pop(name, None)


def _unless_running(work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """Return work that does nothing while it is being done already."""
    is_running = False

    async def once() -> None:
        nonlocal is_running
        if is_running:
            return
        is_running = True
        try:
            await work()
        finally:
            is_running = False

    return once
