"""A bot that runs by itself: jobs on the scheduler, chat and outbox beside them."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.app_brokers import broker_news
from bot.jobs import Jobs
from bot.messenger import MessengerError
from bot.reload import LOOK_SECONDS
from bot.schedule import BeforeOpen, EachMinute, InSession
from market.errors import StoreError
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime
    from typing import Any

    from bot.app import App
    from bot.market_time import MarketTime

logger = logging.getLogger(__name__)

DAYS_LEAD = timedelta(hours=1)
"""How long before a session daily bars are asked for: thousands take a quarter of an hour."""
LAPSE_SECONDS = 1.0
RECONCILE_SECONDS = 60.0
COMPARE_OFFSET = 35
BETWEEN_SWEEPS = EachMinute(45)
"""When it is looked whether a day is over: its bars are mended, its universes computed."""
OUTBOX_SECONDS = 1.0
"""How long a message that is on its way may take at the end; cut off, it would be sent twice."""
TELL_AGAIN = timedelta(minutes=10)
"""How often the owner hears that the disk is full."""


class Runner:
    """Holds every task of a running bot; either side may be down without stopping the other."""

    def __init__(self, app: App, time: MarketTime) -> None:
        self._app = app
        self._stopping = asyncio.Event()
        self._told_at: datetime | None = None
        self._planned: dict[Venue, InSession] = {}
        self._is_watching = False
        self.jobs = Jobs(time, self._store_failed)

    @property
    def is_watching(self) -> bool:
        """Return whether the history is there and sweeps are planned."""
        return self._is_watching

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; an error that no retry can mend ends the run and is raised."""
        self.jobs.start()
        waiting = asyncio.create_task(stop.wait(), name="stop")
        outbox = _task("outbox", self._app.outbox.run(self._stopping))
        tasks = [_task("market", self._market()), _task("chat", self._chat()), outbox]
        try:
            await _watch(waiting, tasks)
        finally:
            await self.jobs.stop()
            self._stopping.set()
            await asyncio.wait({outbox}, timeout=OUTBOX_SECONDS)
            await _end([waiting, *tasks])

    async def _market(self) -> None:
        """Fill the history, then let the jobs run."""
        await self._app.start_market()
        self._plan_crawl()
        self._is_watching = True
        self.jobs.every("lapse", LAPSE_SECONDS, self._app.desk.lapse)
        self.jobs.whenever("touched", self._app.desk.guard.touched, self._touched)
        for news in broker_news(self._app.desk.brokers):
            self.jobs.whenever(f"news of {news.name}", news.heard, self._settle)
        self.jobs.every("reconcile", RECONCILE_SECONDS, self._app.desk.reconcile)
        self.jobs.often_in_market_time("repair", BETWEEN_SWEEPS, self._app.repairs.step)
        self.jobs.every("reload", LOOK_SECONDS, self._reload)
        logger.info("watching %d conditions", len(self._app.services.pipeline.conditions))
        try:
            await self._app.universes.start()  # may take long; everything else goes on meanwhile
        except StoreError as error:
            await self._store_failed(error)
        self._plan_crawl()
        self.jobs.often_in_market_time("universes", BETWEEN_SWEEPS, self._universes)

    def _plan_crawl(self) -> None:
        """Sweep each venue while it is in session; learn the day before in time for it."""
        venues = {venue: self._sweeps(venue) for venue in self._watched_venues()}
        if venues == self._planned:
            return
        for venue in self._planned:
            if venue not in venues:
                self.jobs.remove(f"crawl {venue}")
        self._planned = venues
        for venue, sweeps in venues.items():
            # a sweep of coins waits until the venue's minute is over, which lasts some seconds
            is_coin = venue is not Venue.KRX
            plan = self.jobs.often_in_market_time if is_coin else self.jobs.in_market_time
            plan(f"crawl {venue}", sweeps, partial(self._crawl, venue))
            self._plan_comparison(venue)
        calendars = [self._app.services.calendars[venue] for venue in venues]
        before_open = BeforeOpen(DAYS_LEAD, calendars)
        self.jobs.in_market_time("days", before_open, self._app.pipeline.prepare)

    def _plan_comparison(self, venue: Venue) -> None:
        """Compare two sources once a minute, half-way between two closings of bars."""
        if venue is Venue.KRX and self._app.services.config.settings.crawl.second:
            schedule = InSession(60, COMPARE_OFFSET, [self._app.services.calendars[venue]])
            compare = partial(self._app.pipeline.compare, venue)
            self.jobs.in_market_time(f"compare {venue}", schedule, compare)

    def _sweeps(self, venue: Venue) -> InSession:
        calendar = self._app.services.calendars[venue]
        crawl = self._app.services.config.settings.crawl
        is_coin = venue is not Venue.KRX
        every = crawl.coins_every_seconds if is_coin else crawl.every_seconds
        lengths = [one.timeframe.length for one in self._app.pipeline.series if one.venue is venue]
        bars = None if is_coin else min(lengths, default=None)
        return InSession(every, crawl.offset_seconds, [calendar], bars)

    async def _universes(self) -> None:
        if await self._app.universes.step():
            self._plan_crawl()
            self._app.outbox.poke()

    async def _reload(self) -> None:
        if await self._app.reloader.look():
            self._plan_crawl()
            self._app.outbox.poke()

    async def _chat(self) -> None:
        await self._app.start_chat()
        logger.info("answering as @%s", self._app.dispatcher.bot_name)
        await self._app.telegram.serve()

    def _watched_venues(self) -> list[Venue]:
        """Return the venues of all that is known: what nobody watches may be bought all the same.

        A sweep of a venue of which nothing is watched, held or on order asks nothing.
        """
        known = {instrument.venue for instrument in self._app.services.directory}
        known |= set(self._app.pipeline.venues())
        return [venue for venue in self._app.services.calendars if venue in known]

    async def _crawl(self, venue: Venue) -> None:
        await self._app.pipeline.crawl(venue)
        self._app.outbox.poke()

    async def _touched(self) -> None:
        """Do at once what a price asks for that has touched a level of something protected."""
        await self._app.desk.guard.look_at_once()
        self._app.outbox.poke()

    async def _settle(self) -> None:
        await self._app.desk.settle()
        self._app.outbox.poke()

    async def _store_failed(self, error: StoreError) -> None:
        """Tell the owner directly: what cannot be stored cannot go through the outbox."""
        now = self._app.services.wall_clock.now()
        if self._told_at is not None and now - self._told_at < TELL_AGAIN:
            return
        try:
            owner = await self._app.store.read(lambda tx: tx.people.owner())
            if owner is None:
                return
            text = self._app.services.texts.get("store.failed", owner.language, error=str(error))
            # Claimed before the first message leaves: several jobs fail at the same time.
            self._told_at = now
            await self._app.outbox.messenger.send_text(owner.id, text, (), False)
        except StoreError as failure:
            logger.warning("the owner could not be told: %s", failure)
        except MessengerError as failure:
            self._told_at = None
            logger.warning("the owner could not be told: %s", failure)


def _task(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def _watch(waiting: asyncio.Task[Any], tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the end; raises what a task has failed with."""
    pending: set[asyncio.Task[Any]] = {waiting, *tasks}
    while not waiting.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Break off what still runs and wait for it; a failure at the end is logged."""
    unfinished = [task for task in tasks if not task.done()]
    for task in unfinished:
        task.cancel()
    for task, result in zip(
        unfinished, await asyncio.gather(*unfinished, return_exceptions=True), strict=True
    ):
        if isinstance(result, Exception):
            logger.error("'%s' failed at the end: %s", task.get_name(), result)
