"""The job that computes universes once a day is over, and has the pipeline watch the new members.

It looks once a minute whether anything is due: a day is over, a file was edited, a first start, or
something that failed is to be tried again. What is stored already costs no question.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.universe_members import digest, learn, read_universes, tasks
from engine.health import Notice
from market.errors import SourceError
from market.types import EPOCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date, datetime

    from bot.reload import Reloader
    from bot.universe_members import KnownMembers
    from engine.universes import Change, Progress, Task, Universes
    from market.clock import Clock
    from market.store import Store
    from market.types import Venue

logger = logging.getLogger(__name__)

RETRY = timedelta(minutes=30)
"""When a source that failed is asked again."""


class UniverseJob:
    """Keeps the universes of the conditions in force up to date; `tell` reaches the owner.

    `on_facts` is called when facts of another day are stored.
    """

    def __init__(
        self,
        *,
        store: Store,
        universes: Universes,
        known: KnownMembers,
        reloader: Reloader,
        clock: Clock,
        tell: Callable[[Notice | None], Awaitable[None]],
        on_facts: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._universes = universes
        self._known = known
        self._reloader = reloader
        self._clock = clock
        self._tell = tell
        self._on_facts = on_facts
        self._done: dict[Venue, tuple[date, str]] = {}
        self._retry_at: dict[Venue, datetime] = {}
        self._failing: set[Venue] = set()
        self._empty: set[str] = set()

    @property
    def progress(self) -> Progress | None:
        """Return how far the run that goes on has come, None where there is none."""
        return self._universes.progress

    async def start(self) -> None:
        """Take what is stored, and compute what never was, before anything is watched.

        A source that fails is told and asked again by `step`.
        """
        await self._take_stored()
        missing = [task for task in self._tasks() if self._lacks(task)]
        for task in missing:
            names = ", ".join(wish.spec.name for wish in task.wishes)
            logger.info("computing universes for the first time: %s", names)
            await self._refresh(task)

    async def step(self) -> bool:
        """Compute what is due; return whether there was anything. Raises StoreError."""
        due = [task for task in self._tasks() if self._is_due(task)]
        for task in due:
            await self._refresh(task)
        return bool(due)

    def _tasks(self) -> list[Task]:
        return tasks(self._known.resolve(self._reloader.config), self._reloader.conditions)

    def _lacks(self, task: Task) -> bool:
        return any(not self._known.has(wish.spec.name) for wish in task.wishes)

    def _is_due(self, task: Task) -> bool:
        now = self._clock.now()
        if now < self._retry_at.get(task.venue, EPOCH):
            return False
        day = self._universes.day_over(task.venue, now)
        return self._done.get(task.venue) != (day, digest(task))

    async def _refresh(self, task: Task) -> None:
        """Compute a venue's universes and have the new members watched; a failure is told once."""
        now = self._clock.now()
        day = self._universes.day_over(task.venue, now)
        try:
            changes = await self._universes.refresh(task, now)
        except SourceError as error:
            await self._failed(task.venue, error)
            changes = ()
        else:
            self._done[task.venue] = (day, digest(task))
            self._retry_at.pop(task.venue, None)
            self._failing.discard(task.venue)
        await self._take_stored()
        await self._on_facts()
        for change in changes:
            await self._told(change)

    async def _take_stored(self) -> None:
        """Have in force what the store says; the pipeline hears of it where members changed."""
        config = self._reloader.config
        told, listed = await self._store.read(lambda tx: read_universes(tx, config))
        await asyncio.to_thread(learn, config.directory, listed)
        self._known.take(told)
        await self._reloader.renew()

    async def _failed(self, venue: Venue, error: SourceError) -> None:
        logger.warning("universes of %s stay as they are: %s", venue, error)
        self._retry_at[venue] = self._clock.now() + RETRY
        if venue not in self._failing:
            self._failing.add(venue)
            facts = {"venue": venue.value, "error": str(error)}
            await self._tell(Notice("universe.failed", facts))

    async def _told(self, change: Change) -> None:
        logger.info(
            "universe %s: %d members, %d joined, %d left",
            change.name,
            change.members,
            len(change.joined),
            len(change.left),
        )
        code = self._news(change)
        if code:
            facts = {
                "universe": change.name,
                "count": str(change.members),
                "joined": str(len(change.joined)),
                "left": str(len(change.left)),
            }
            await self._tell(Notice(code, facts))

    def _news(self, change: Change) -> str:
        """Return what the owner is to hear of a universe; that it is empty is told once."""
        if not change.members:
            is_known = change.name in self._empty
            self._empty.add(change.name)
            return "" if is_known else "universe.empty"
        self._empty.discard(change.name)
        if len(change.joined) == change.members and not change.left:
            return "universe.first"
        return "universe.changed" if change.joined or change.left else ""
