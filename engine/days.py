"""Daily bars for conditions that look at them: kept in the store, told by the venue's own chart.

A day is asked for once it is over at the venue: after midnight there, when its counts move no more.
Until the chart has told, what asks for daily bars is unknown. A few instruments are asked a sweep,
and again after a pause; what is stored is not asked again.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from conditions.openings import DAY_MS, KRX_OFFSET_MS
from engine.days_told import Told, days_key
from engine.exact import CONCURRENCY, venue_of
from engine.wanted import ASKED_A_SWEEP, LONG_PAUSE, PAUSE
from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.types import EPOCH, Timeframe, Venue, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from engine.series import Series
    from engine.sources import Sources
    from market.panel import Panel
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import Bar, InstrumentId

logger = logging.getLogger(__name__)

_REST = timedelta(days=40)
"""No venue is closed for longer than this."""


class Days:
    """Keeps the daily panels of all series; what fails stays unknown and is asked again."""

    def __init__(
        self, store: Store, sources: Sources, calendars: Mapping[Venue, Calendar], depth: int
    ) -> None:
        self._store = store
        self._sources = sources
        self._calendars = calendars
        self._depth = depth
        self._told: dict[Venue, Told] = {}
        self._ask_at: dict[InstrumentId, datetime] = {}

    async def load(self, series: Sequence[Series], now: datetime) -> None:
        """Fill daily panels that are empty from the store; what is not told is missing."""
        lacking = _lacking(series)
        if not lacking:
            return
        for venue in {venue_of(name) for name in lacking}:
            if not self._sources.has_days(venue):
                logger.warning("no source of %s has a daily chart: daily bars are unknown", venue)

        def read(tx: Transaction) -> dict[InstrumentId, list[Bar]]:
            for venue in {venue_of(name) for name in lacking}:
                self._told.setdefault(venue, Told.read(tx, venue, self._depth))
            return {
                name: tx.bars.last(name, Timeframe.D1, self._depth)
                for name in lacking
                if name in self._told[venue_of(name)].whole
            }

        stored = await self._store.read(read)
        for panel in _panels(series):
            bars = (one for name in panel.instruments for one in stored.get(name, ()))
            await asyncio.to_thread(panel.append, bars)
            told = self._told[venue_of(panel.instruments[0])].names
            panel.mark_missing(
                row for row, name in enumerate(panel.instruments) if name not in told
            )
        self.roll(series, now)

    def roll(self, series: Sequence[Series], now: datetime) -> None:
        """Note where another day is over: nobody is told about it yet."""
        for venue, told in self._told.items():
            until = self._over(venue, now)
            if until > told.until:
                told.until, told.names = until, set()
                for panel in _panels(series):
                    if panel.instruments and venue_of(panel.instruments[0]) is venue:
                        panel.mark_missing(range(len(panel.instruments)))

    async def step(self, series: Sequence[Series], now: datetime, most: int = ASKED_A_SWEEP) -> int:
        """Ask for days that are over and not told, of a few instruments; return how many."""
        self.roll(series, now)
        due = self._due(series, now)[:most]
        if not due:
            return 0
        answers = await self._fetch(series, due, now)
        told = {name: bars for name, bars in answers.items() if bars is not None}
        if told:
            await self._store.write(lambda tx: self._record(tx, told))
            await asyncio.to_thread(self._take, series, told)
        return len(due)

    def _over(self, venue: Venue, now: datetime) -> datetime:
        """Return the start of the newest day that is over at the venue."""
        offset = KRX_OFFSET_MS if venue is Venue.KRX else 0
        midnight = from_ms((to_ms(now) + offset) // DAY_MS * DAY_MS - offset)
        return self._calendars[venue].slots(midnight - _REST, midnight, Timeframe.D1)[-1]

    def _due(self, series: Sequence[Series], now: datetime) -> list[InstrumentId]:
        panels = (one for one in _panels(series) if one.instruments and self._is_told(one))
        names = dict.fromkeys(name for panel in panels for name in panel.instruments)
        due = [
            name
            for name in names
            if name not in self._told[venue_of(name)].names and self._ask_at.get(name, EPOCH) <= now
        ]
        return sorted(due, key=lambda name: self._ask_at.get(name, EPOCH))

    def _is_told(self, panel: Panel) -> bool:
        return self._sources.has_days(venue_of(panel.instruments[0]))

    async def _fetch(
        self, series: Sequence[Series], due: Sequence[InstrumentId], now: datetime
    ) -> dict[InstrumentId, list[Bar] | None]:
        """Return the bars that each is told by, None after putting it off.

        Where the source does not answer at all the rest is put off unasked.
        """
        gate = asyncio.Semaphore(CONCURRENCY)
        refusals: list[SourceUnavailable] = []

        async def one(name: InstrumentId) -> list[Bar] | None:
            async with gate:
                pause = PAUSE
                try:
                    bars = None if len(refusals) >= CONCURRENCY else await self._ask(series, name)
                except SourceError as error:
                    logger.warning("no daily bars of %s: %s", name, error)
                    if isinstance(error, SourceUnavailable):
                        refusals.append(error)
                    pause = LONG_PAUSE if isinstance(error, SourceChanged) else PAUSE
                    bars = None
            if bars is None:
                self._ask_at[name] = now + pause
            return bars

        return dict(zip(due, await asyncio.gather(*map(one, due)), strict=True))

    async def _ask(self, series: Sequence[Series], name: InstrumentId) -> list[Bar] | None:
        """Return the bars from the newest held one on; all of them where that has changed.

        None where the chart cannot be up to date: it lacks a day on which we saw trades.
        """
        told = self._told[venue_of(name)]
        held = next(_newest(series, name), None) if name in told.whole else None
        bars = await self._days(name, told.until, None if held is None else held[0])
        if held is not None and [(one.start, one.close) for one in bars[:1]] != [held]:
            bars = await self._days(name, told.until, None)  # adjusted for a split since
        if not bars or (bars[-1].start < told.until and _has_traded(series, name, told.until)):
            logger.warning("the daily chart of %s is not up to date", name)
            return None
        return bars

    async def _days(self, name: InstrumentId, until: datetime, start: datetime | None) -> list[Bar]:
        if start is None:
            calendar = self._calendars[venue_of(name)]
            back = timedelta(days=2 * self._depth) + _REST
            start = calendar.slots(until - back, until, Timeframe.D1)[-self._depth :][0]
        bars = await self._sources.days(name, start, until + timedelta(milliseconds=1))
        return [bar for bar in bars if bar.is_complete]

    def _record(self, tx: Transaction, told: Mapping[InstrumentId, list[Bar]]) -> None:
        tx.bars.put(bar for bars in told.values() for bar in bars)
        for venue, known in self._told.items():
            more = [name for name in told if venue_of(name) is venue]
            if more:
                tx.documents.put(days_key(venue), known.document(self._depth, more))

    def _take(self, series: Sequence[Series], told: Mapping[InstrumentId, Sequence[Bar]]) -> None:
        """Put what is stored into the panels, and note that it is told."""
        for panel in _panels(series):
            for name, bars in told.items():
                if panel.has(name):
                    panel.missing[panel.row(name)] = False
                    panel.append([bar for bar in bars if not panel.revise(bar)])
        for name in told:
            known = self._told[venue_of(name)]
            known.names.add(name)
            known.whole.add(name)
            self._ask_at.pop(name, None)


def _panels(series: Sequence[Series]) -> Iterator[Panel]:
    """Yield the daily panels of series of shorter bars."""
    for one in series:
        panel = one.panel.larger.get(Timeframe.D1)
        if panel is not None:
            yield panel


def _lacking(series: Sequence[Series]) -> list[InstrumentId]:
    found = (
        name
        for panel in _panels(series)
        for name in panel.instruments
        if not panel.counts[panel.row(name)]
    )
    return list(dict.fromkeys(found))


def _newest(series: Sequence[Series], name: InstrumentId) -> Iterator[tuple[datetime, float]]:
    """Yield start and close of the newest daily bar that a panel holds of an instrument."""
    for panel in _panels(series):
        if panel.has(name) and panel.counts[panel.row(name)]:
            row = panel.row(name)
            yield from_ms(int(panel.starts[row, -1])), float(panel.close[row, -1])


def _has_traded(series: Sequence[Series], name: InstrumentId, day: datetime) -> bool:
    """Tell whether a bar of our own lies in that day."""
    first, last = to_ms(day), to_ms(day) + DAY_MS
    for one in series:
        if one.panel.has(name):
            starts = one.panel.starts[one.panel.row(name)]
            if ((starts >= first) & (starts < last)).any():
                return True
    return False
