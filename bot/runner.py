"""A bot that runs by itself: jobs on the scheduler, chat and outbox beside them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.jobs import Jobs
from bot.messenger import MessengerError
from bot.schedule import InSession
from market.errors import StoreError, TicktalkError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from bot.app import App
    from bot.market_time import MarketTime

logger = logging.getLogger(__name__)

LAPSE_SECONDS = 1.0


class Runner:
    """Holds every task of a running bot; either side may be down without stopping the other."""

    def __init__(self, app: App, time: MarketTime) -> None:
        self._app = app
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._is_disk_told = False
        self.jobs = Jobs(time, self._store_failed)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; an error that no retry can mend ends the run and is raised."""
        waiting = asyncio.create_task(stop.wait(), name="stop")
        self._tasks = [
            self._task("market", self._market()),
            self._task("chat", self._app.start_chat()),
            self._task("outbox", self._app.outbox.run(self._stopping)),
        ]
        try:
            await self._watch(waiting)
        finally:
            await self._end(waiting)

    async def _watch(self, waiting: asyncio.Task[bool]) -> None:
        pending: set[asyncio.Task[Any]] = {waiting, *self._tasks}
        while not waiting.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _end(self, waiting: asyncio.Task[bool]) -> None:
        self.jobs.stop()
        self._stopping.set()
        for task in (waiting, *self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError, TicktalkError):
                await task

    def _task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=name)

    async def _market(self) -> None:
        """Fill the history, then let the jobs run."""
        await self._app.start_market()
        services = self._app.services
        crawl = services.config.settings.crawl
        schedule = InSession(crawl.every_seconds, crawl.offset_seconds, self._watched_calendars())
        self.jobs.in_market_time("crawl", schedule, self._crawl)
        self.jobs.every("lapse", LAPSE_SECONDS, self._app.desk.lapse)
        self.jobs.start()
        logger.info("watching %d conditions", len(services.pipeline.conditions))

    def _watched_calendars(self) -> list[Any]:
        venues = {
            instrument.split(":", 1)[0]
            for series in self._app.pipeline.series
            for instrument in series.panel.instruments
        }
        return [
            calendar for venue, calendar in self._app.services.calendars.items() if venue in venues
        ]

    async def _crawl(self) -> None:
        await self._app.pipeline.crawl()
        self._is_disk_told = False
        self._app.outbox.poke()

    async def _store_failed(self, error: StoreError) -> None:
        """Tell the owner directly, once: what cannot be stored cannot go through the outbox."""
        if self._is_disk_told:
            return
        try:
            owner = await self._app.store.read(lambda tx: tx.people.owner())
            if owner is None:
                return
            text = self._app.services.texts.get("store.failed", owner.language, error=str(error))
            await self._app.outbox.messenger.send_text(owner.id, text, (), False)
        except (StoreError, MessengerError) as failure:
            logger.warning("the owner could not be told: %s", failure)
        else:
            self._is_disk_told = True
