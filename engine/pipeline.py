"""The way of a tick: crawl, build, store, judge, alert, propose; one sweep at a time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.days import Days
from engine.exact import ExactBars
from engine.exchange import plan_exchange, read_standings
from engine.feed import Feed
from engine.history import History
from engine.judge import Judge
from market.errors import SourceError
from market.orders import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from brokers.broker import MarketFed
    from conditions.compile import Condition
    from crawlers.source import Source
    from engine.desk import Desk
    from engine.exchange import Renewed
    from engine.fire import Fire
    from engine.health import Health
    from engine.ports import Events
    from engine.quotes import Quotes
    from engine.series import Members, Series, Slot
    from engine.watched import Watched
    from market.clock import Clock
    from market.errors import SourceChanged
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import InstrumentId, Tick, Venue

logger = logging.getLogger(__name__)

LATE = timedelta(minutes=2)
"""A bar judged this long after its end makes a late alert and no order."""


BATCHES_AT_START = 10
"""So often daily bars are asked for before sweeps begin, which ask for the rest of thousands."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of; everything outside the process comes in here.

    `series` are those of the `watched` conditions at the start.
    """

    source: Source
    store: Store
    watched: Watched
    series: Sequence[Series]
    calendars: Mapping[Venue, Calendar]
    clock: Clock
    quotes: Quotes
    desk: Desk
    fire: Fire
    events: Events
    health: Health
    paper: MarketFed | None = None
    depth: int = 400


class Pipeline:
    """Runs sweeps; a sweep never overlaps another."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._exact = ExactBars(parts.source, parts.calendars)
        self._judge = Judge(self._exact)
        self._feeds = [Feed(one, self._exact) for one in parts.series]
        self._days = Days(parts.store, parts.source, parts.calendars, parts.depth)
        self._sweeping = asyncio.Lock()

    @property
    def series(self) -> Sequence[Series]:
        """Return the series that are watched, one a timeframe and venue."""
        return tuple(feed.series for feed in self._feeds)

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions in force, in the order of their files."""
        return tuple(self._parts.watched.values())

    @property
    def health(self) -> Health:
        """Return how the source has answered."""
        return self._parts.health

    async def start(self) -> None:
        """Back-fill every series, judge what was missed, propose what a kill left unproposed."""
        parts = self._parts
        now = parts.clock.now()
        history = History(parts.store, self._exact, parts.depth)
        async with self._sweeping:
            for feed in self._feeds:
                feed.series.pending.extend(await history.load(feed.series, now))
                feed.start(now)
            await self._days.load(self.series, now)
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
        async with self._sweeping:
            now = parts.clock.now()
            stored = await parts.store.read(lambda tx: read_standings(tx, conditions))
            plan = await asyncio.to_thread(
                plan_exchange, self.series, members, stored, parts.calendars, parts.depth, now
            )
            await self._days.load([one.series for one in plan.renewed], now)
            await parts.store.write(plan.record)
            present = {feed.series.key: feed for feed in self._feeds}
            self._feeds = [self._renewed(present, one, now) for one in plan.renewed]
            parts.watched.exchange(conditions)

    async def prepare(self) -> None:
        """Ask for the days that are over, so that no sweep of the next session has to.

        Sweeps may go on between two requests.
        """
        asked = 1
        while asked:
            async with self._sweeping:
                asked = await self._days.step(self.series, self._parts.clock.now())

    def _renewed(self, present: Mapping[str, Feed], renewed: Renewed, now: datetime) -> Feed:
        series = renewed.series
        feed = present.get(series.key)
        if feed is None:
            feed = Feed(series, self._exact)
            feed.start(now)
        feed.renew(series, renewed.joined, now)
        return feed

    async def crawl(self) -> int:
        """Make one sweep; return the number of ticks. A source that fails leaves all as it was."""
        async with self._sweeping:
            now = self._parts.clock.now()
            instruments = await self._watched()
            try:
                ticks = await self._parts.source.ticks(instruments)
            except SourceError as error:
                await self._parts.fire.tell(self._parts.health.failed(error, now))
                return 0
            await self._parts.fire.tell(self._parts.health.answered(now))
            if ticks:
                await self._take(ticks)
            return len(ticks)

    async def _watched(self) -> list[InstrumentId]:
        """Return the instruments of all series, with what is held or on order."""

        def held(tx: Transaction) -> list[InstrumentId]:
            orders = [order.instrument for order in tx.orders.in_states(OPEN)]
            return orders + [one.instrument for one in tx.orders.positions() if one.quantity]

        names = [name for series in self.series for name in series.panel.instruments]
        return list(dict.fromkeys(names + await self._parts.store.read(held)))

    async def _take(self, ticks: Sequence[Tick]) -> None:
        """Take a sweep to every series before anything of it is judged.

        A step that fails (a full disk) leaves the rest to the next sweep.
        """
        parts = self._parts
        seen_at = max(tick.seen_at for tick in ticks)
        parts.quotes.note(ticks)
        await parts.store.write(lambda tx: tx.bars.put_ticks(ticks))
        errors = await asyncio.to_thread(self._feed, ticks)
        parts.events.emit("ticks", count=len(ticks), seen_at=seen_at)
        self._days.roll(self.series, parts.clock.now())
        for feed in self._feeds:
            slots, changed = await feed.close(seen_at)
            feed.series.pending.extend(slots)
            feed.series.unsaved.extend(changed)
        await self._tell_contradictions(errors, seen_at)
        for feed in self._feeds:
            await self._save(feed.series)
            await self._close_slots(feed)
        if parts.paper is not None:
            await parts.paper.observe(ticks)
        await parts.desk.settle()
        await parts.fire.propose(parts.clock.now())
        await self._days.step(self.series, parts.clock.now())

    def _feed(self, ticks: Sequence[Tick]) -> dict[InstrumentId, SourceChanged]:
        errors: dict[InstrumentId, SourceChanged] = {}
        for feed in self._feeds:
            errors |= feed.add(ticks)
        return errors

    async def _tell_contradictions(
        self, errors: Mapping[InstrumentId, SourceChanged], seen_at: datetime
    ) -> None:
        for instrument, error in errors.items():
            logger.warning("%s", error)
            self._parts.events.emit("error", code="contradiction", instrument=instrument)
        await self._parts.fire.tell(self._parts.health.contradicted(errors, seen_at))

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
