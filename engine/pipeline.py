"""The way of a tick: crawl, build, store, judge, alert, propose; one sweep at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.exact import ExactBars, venue_of
from engine.feed import Feed, Slot
from engine.history import History
from engine.judge import Judge
from market.errors import SourceError
from market.orders import OPEN
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from brokers.broker import MarketFed
    from crawlers.source import Source
    from engine.desk import Desk
    from engine.fire import Fire
    from engine.health import Health
    from engine.ports import Events
    from engine.quotes import Quotes
    from engine.series import Series
    from market.clock import Clock
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import Bar, InstrumentId, Tick, Venue

logger = logging.getLogger(__name__)

OUTAGE = timedelta(seconds=60)
"""Nothing seen for longer than this, in session, and the stretch is taken from the minute chart."""

LATE = timedelta(minutes=2)
"""A bar judged this long after its end makes a late alert and no order."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of; everything outside the process comes in here."""

    source: Source
    store: Store
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
        self._feeds = [Feed(one, self._exact, parts.calendars) for one in parts.series]
        self._pending: list[deque[Slot]] = [deque() for _ in parts.series]
        self._sweeping = asyncio.Lock()
        self._seen_at: datetime | None = None

    @property
    def series(self) -> Sequence[Series]:
        """Return the series that are watched, one a timeframe."""
        return self._parts.series

    @property
    def health(self) -> Health:
        """Return how the source has answered."""
        return self._parts.health

    async def start(self) -> None:
        """Back-fill every series, judge what was missed, propose what a kill left unproposed."""
        now = self._parts.clock.now()
        history = History(self._parts.store, self._exact, self._parts.calendars, self._parts.depth)
        async with self._sweeping:
            for series, pending in zip(self._parts.series, self._pending, strict=True):
                pending.extend(await history.load(series, now))
                await self._parts.store.write(_keep_judged(series))
                await self._close_slots(series, pending, now)
            await self._parts.fire.resume(now)
            self._seen_at = now

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
            await self._take(ticks)
            return len(ticks)

    async def _watched(self) -> list[InstrumentId]:
        """Return the instruments of all series, with what is held or on order."""

        def held(tx: Transaction) -> list[InstrumentId]:
            orders = [order.instrument for order in tx.orders.in_states(OPEN)]
            return orders + [one.instrument for one in tx.orders.positions() if one.quantity]

        names = [name for series in self._parts.series for name in series.panel.instruments]
        return list(dict.fromkeys(names + await self._parts.store.read(held)))

    async def _take(self, ticks: Sequence[Tick]) -> None:
        if not ticks:
            return
        parts = self._parts
        seen_at = max(tick.seen_at for tick in ticks)
        parts.quotes.note(ticks)
        await parts.store.write(lambda tx: tx.bars.put_ticks(ticks))
        self._note_outage(seen_at)
        parts.events.emit("ticks", count=len(ticks), at=seen_at)
        if parts.paper is not None:
            await parts.paper.observe(ticks)
        await parts.desk.settle()
        for series, feed, pending in zip(parts.series, self._feeds, self._pending, strict=True):
            for error in feed.add(ticks):
                await parts.fire.tell(parts.health.failed(error, seen_at))
            slots, revised = await feed.close(seen_at)
            pending.extend(slots)
            await self._close_slots(series, pending, seen_at)
            await self._revise(series, revised)

    def _note_outage(self, seen_at: datetime) -> None:
        before, self._seen_at = self._seen_at, seen_at
        if before is None or seen_at - before <= OUTAGE:
            return
        for feed, series in zip(self._feeds, self._parts.series, strict=True):
            calendar = self._parts.calendars[venue_of(series.panel.instruments[0])]
            if calendar.slots(before, seen_at, series.timeframe) or calendar.is_open(before):
                feed.outage(before)

    async def _revise(self, series: Series, revised: Sequence[Bar]) -> None:
        if revised:
            for bar in revised:
                series.panel.revise(bar)
            await self._parts.store.write(lambda tx: tx.bars.put(revised))

    async def _close_slots(self, series: Series, pending: deque[Slot], now: datetime) -> None:
        """Judge slots in order; one that could not be stored (a full disk) stays first in line."""
        while pending:
            await self._close_slot(series, pending[0], now)
            pending.popleft()

    async def _close_slot(self, series: Series, slot: Slot, now: datetime) -> None:
        """Append, judge and store one slot: bars, states, signals and messages in one write."""
        if to_ms(slot.start) <= series.judged_ms:
            await self._revise(series, slot.bars)
            return
        series.panel.append(slot.bars)
        calendar = self._parts.calendars[venue_of(slot.bars[0].instrument)]
        is_late = now - calendar.slot_end(slot.start, series.timeframe) > LATE
        judgement = await self._judge.judge(
            series, slot.start, now, is_late=is_late, are_exact=slot.are_exact
        )
        await self._parts.fire.commit(series, slot.bars, judgement, now)


def _keep_judged(series: Series) -> Callable[[Transaction], None]:
    def write(tx: Transaction) -> None:
        tx.documents.put(series.key, {"judged_ms": series.judged_ms})

    return write
