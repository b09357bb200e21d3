"""The way of a tick: crawl, build, store, judge, alert, propose; one sweep at a time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.days import Days
from engine.exact import ExactBars, venue_of
from engine.exchange import plan_exchange, read_standings
from engine.facts import Facts
from engine.feed import Feed
from engine.forming import Forming
from engine.history import History
from engine.holdings import Holdings, in_use
from engine.judge import Judge
from engine.lookout import Lookout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from engine.exchange import Renewed
    from engine.health import Health
    from engine.parts import Parts
    from engine.series import Members, Series, Slot
    from engine.sources import Sweep
    from market.errors import SourceChanged
    from market.types import InstrumentId, Venue

logger = logging.getLogger(__name__)

LATE = timedelta(minutes=2)
"""A bar judged this long after its end makes a late alert and no order."""

LIVE_LAG = timedelta(seconds=1)
"""A live source may tell of a minute's last trade so long after its end."""

BATCHES_AT_START = 10
"""So often daily bars are asked for before sweeps begin, which ask for the rest of thousands."""


class Pipeline:
    """Runs sweeps; a venue's never overlap, and one venue never waits for another's."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._exact = ExactBars(parts.sources, parts.calendars)
        self._judge = Judge(self._exact)
        self._forming = Forming(parts.fire)
        self._feeds = [Feed(one, self._exact) for one in parts.series]
        self._facts = Facts(parts.store)
        self._holdings = Holdings(parts.store, parts.clock)
        self._days = Days(parts.store, parts.sources, parts.calendars, parts.depth)
        self._lookout = Lookout(
            parts.sources, parts.calendars, parts.clock, parts.fire, parts.events
        )
        self._sweeping = {venue: asyncio.Lock() for venue in parts.calendars}
        self._acting = asyncio.Lock()

    @property
    def series(self) -> Sequence[Series]:
        """Return the series that are watched, one a timeframe and venue."""
        return tuple(feed.series for feed in self._feeds)

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions in force, in the order of their files."""
        return tuple(self._parts.watched.values())

    def health(self, venue: Venue) -> Health:
        """Return how the sources of a venue have answered."""
        return self._lookout.health(venue)

    def venues(self) -> list[Venue]:
        """Return the venues that conditions watch."""
        return list(dict.fromkeys(feed.series.venue for feed in self._feeds))

    async def start(self) -> None:
        """Back-fill every series, judge what was missed, propose what a kill left unproposed."""
        parts = self._parts
        now = parts.clock.now()
        history = History(parts.store, self._exact, parts.depth)
        async with self._quiet():
            is_alone = len(self.venues()) == 1
            for feed in self._feeds:
                missed = await history.load(feed.series, now, is_needed=is_alone)
                feed.series.pending.extend(missed)
                feed.start(now)
            await self._days.load(self.series, now)
            await self._facts.load(self.series, now)
            await self._holdings.load(self.series)
            for _ in range(BATCHES_AT_START):
                await self._days.step(self.series, now)
            for feed in self._feeds:
                await self._close_slots(feed)
            await parts.fire.resume(parts.clock.now())

    async def exchange(self, members: Sequence[Members]) -> None:
        """Watch these conditions instead; what is watched already goes on where it stands.

        Raises StoreError, with all as it was.
        """
        parts = self._parts
        conditions = [condition for condition, _ in members]
        async with self._quiet():
            now = parts.clock.now()
            stored = await parts.store.read(lambda tx: read_standings(tx, conditions))
            plan = await asyncio.to_thread(
                plan_exchange, self.series, members, stored, parts.calendars, parts.depth, now
            )
            renewed = [one.series for one in plan.renewed]
            await self._days.load(renewed, now)
            await self._facts.load(renewed, now)
            await self._holdings.load(renewed)
            await parts.store.write(plan.record)
            present = {feed.series.key: feed for feed in self._feeds}
            self._feeds = [self._renewed(present, one, now) for one in plan.renewed]
            parts.watched.exchange(conditions)

    async def facts_changed(self) -> None:
        """Take the facts of another day from the store."""
        async with self._quiet():
            await self._facts.load(self.series, self._parts.clock.now())

    async def prepare(self) -> None:
        """Ask for the days that are over, so that no sweep of the next session has to.

        Sweeps may go on between two requests.
        """
        asked = 1
        while asked:
            async with self._quiet():
                asked = await self._days.step(self.series, self._parts.clock.now())

    def _renewed(self, present: Mapping[str, Feed], renewed: Renewed, now: datetime) -> Feed:
        series = renewed.series
        feed = present.get(series.key)
        if feed is None:
            feed = Feed(series, self._exact)
            feed.start(now)
        feed.renew(series, renewed.joined, now)
        return feed

    async def crawl(self, venue: Venue | None = None) -> int:
        """Make one sweep of a venue, or of all; return the number of prices.

        Sources that fail leave all as it was.
        """
        if venue is None:
            return sum([await self.crawl(one) for one in await self._asked_venues()])
        async with self._sweeping[venue]:
            names = await self._watched(venue)
            sweep = await self._lookout.sweep(venue, names) if names else None
            if sweep is None:
                return 0
            if sweep.ticks or sweep.is_live:
                await self._take(sweep)
            return len(sweep.ticks)

    async def compare(self, venue: Venue) -> None:
        """Look whether two sources agree; the chart decides about what they do not agree on."""
        names = await self._lookout.compare(venue)
        if not names:
            return
        async with self.still(venue):
            for feed in self._feeds_of(venue):
                feed.doubt(names, self._parts.clock.now())

    async def _asked_venues(self) -> list[Venue]:
        held = await self._parts.store.read(in_use)
        return list(dict.fromkeys([*self.venues(), *(venue_of(name) for name in held)]))

    async def _watched(self, venue: Venue) -> list[InstrumentId]:
        """Return a venue's instruments of all series, with what is held or on order."""
        held = await self._parts.store.read(in_use)
        self._parts.sources.follow(held)
        names = [name for series in self.series for name in series.panel.instruments]
        return [name for name in dict.fromkeys(names + held) if venue_of(name) is venue]

    async def _take(self, sweep: Sweep) -> None:
        """Take a sweep to every series before anything of it is judged.

        A step that fails (a full disk) leaves the rest to the next sweep.
        """
        parts, ticks = self._parts, sweep.ticks
        feeds = self._feeds_of(sweep.venue)
        series = [feed.series for feed in feeds]
        seen_at = sweep.asked_at - LIVE_LAG
        if not sweep.is_live:
            seen_at = max(tick.seen_at for tick in ticks) - parts.settle
        parts.quotes.note(ticks)
        errors = await asyncio.to_thread(_feed, feeds, sweep)
        parts.events.emit("ticks", count=len(ticks), seen_at=sweep.asked_at)
        self._days.roll(series, parts.clock.now())
        for feed in feeds:
            slots, changed = await feed.close(seen_at)
            feed.series.pending.extend(slots)
            feed.series.unsaved.extend(changed)
        await self._lookout.contradicted(sweep.venue, errors, seen_at)
        await self._holdings.load(series)
        for feed in feeds:
            await self._save(feed.series)
            await self._close_slots(feed)
            await self._forming.judge(feed.series, parts.clock.now())
        async with self._acting:
            if parts.paper is not None:
                await parts.paper.observe(ticks)
            await parts.desk.settle()
            await self._holdings.load(series)
            await parts.fire.propose(parts.clock.now())
        await self._days.step(series, parts.clock.now())
        waiting = sum(len(one.wants) for one in series)
        await self._lookout.behind(sweep.venue, waiting)

    def _feeds_of(self, venue: Venue) -> list[Feed]:
        return [feed for feed in self._feeds if feed.series.venue is venue]

    def still(self, venue: Venue) -> asyncio.Lock:
        """Return what keeps a venue's sweeps out while it is held."""
        return self._sweeping[venue]

    @asynccontextmanager
    async def _quiet(self) -> AsyncIterator[None]:
        """Keep every venue's sweeps out while it is entered."""
        async with AsyncExitStack() as stack:
            for lock in self._sweeping.values():
                await stack.enter_async_context(lock)
            yield

    async def _save(self, series: Series) -> None:
        """Keep bars that changed after they were judged, or that came too late to be."""
        if series.unsaved:
            bars = tuple(series.unsaved)
            await asyncio.to_thread(series.take, bars)
            await self._parts.store.write(lambda tx: tx.bars.put(bars))
            series.unsaved.clear()
        if series.lengthened:
            longer = tuple(series.lengthened)
            await self._parts.store.write(lambda tx: tx.bars.put(longer))
            series.lengthened.clear()

    async def _close_slots(self, feed: Feed) -> None:
        """Judge slots in order; one that could not be stored (a full disk) stays first in line."""
        while feed.series.pending:
            await self._close_slot(feed, feed.series.pending[0])
            feed.series.pending.popleft()

    async def _close_slot(self, feed: Feed, slot: Slot) -> None:
        """Append, judge and store one slot: bars, states, signals and messages in one write."""
        series = feed.series
        bars = series.usable(slot)
        if not bars:
            return
        await asyncio.to_thread(series.append, bars)
        now = self._parts.clock.now()
        is_late = now - series.calendar.slot_end(slot.start, series.timeframe) > LATE
        judgement = await self._judge.judge(series, slot, bars, now, is_late=is_late)
        feed.verified(slot.start, judgement)
        await self._parts.fire.commit(series, bars, judgement, now)


def _feed(feeds: Sequence[Feed], sweep: Sweep) -> dict[InstrumentId, SourceChanged]:
    errors: dict[InstrumentId, SourceChanged] = {}
    for feed in feeds:
        if sweep.is_live:
            feed.add_updates(sweep.updates, sweep.asked, sweep.asked_at)
        else:
            errors |= feed.add(sweep.ticks, sweep.by.name)
    return errors
