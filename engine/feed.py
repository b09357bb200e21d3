"""Crawled ticks to closed bars of one series; what was not watched comes from the chart, or not.

An instrument whose bars cannot be trusted (not watched from the start of the slot, an outage, a
count that fell, a bar that could not be verified) is *wanted* from the venue's minute chart. Until
the chart has told, its crawled bars are held back, so that its slots are judged in order; the
other instruments go on. The chart is asked a few instruments a sweep, and again after a pause.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.series import Slot, Want
from engine.wanted import ask
from market.bars import Closed
from market.errors import SourceChanged
from market.types import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from crawlers.source import Update
    from engine.exact import ExactBars
    from engine.judge import Judgement
    from engine.series import Series
    from market.types import Bar, InstrumentId, Tick

OUTAGE = timedelta(seconds=60)
"""An instrument not seen for longer than this, over the end of a slot: the chart must tell."""


SWITCH = timedelta(seconds=60)
"""So long after another source has stepped in its counts may lag behind the former one's."""


class Feed:
    """Keeps one series fed with bars that may be judged."""

    def __init__(self, series: Series, exact: ExactBars) -> None:
        self.series = series
        self._exact = exact
        self._started_at: datetime | None = None
        self._seen_at: dict[InstrumentId, datetime] = {}
        self._closed_at: datetime | None = None
        self._crawled: list[Bar] = []
        self._changed: list[Bar] = []
        self._source = ""
        self._switched_at = EPOCH

    def start(self, at: datetime) -> None:
        """Note that the history reaches up to `at`; what follows is still to be seen."""
        self._started_at = self._closed_at = at

    def renew(self, series: Series, joined: Iterable[InstrumentId], at: datetime) -> None:
        """Go on with a series of other instruments; what has joined is in sight from `at` on."""
        for name in self.series.panel.instruments:
            if not series.panel.has(name):
                series.builder.forget(name)
                series.candles.forget(name)
                self._seen_at.pop(name, None)
        self.series = series
        self._seen_at |= dict.fromkeys(joined, at)
        self._crawled = [bar for bar in self._crawled if series.panel.has(bar.instrument)]
        self._changed = [bar for bar in self._changed if series.panel.has(bar.instrument)]

    def unseen(self, before: datetime, seen_at: datetime) -> list[datetime]:
        """Return the slots that the chart must tell when nothing was seen between.

        It matters where a slot has ended meanwhile.
        """
        slots = self._doubtful(before, seen_at)
        return slots if slots and self.series.end(slots[0]) <= seen_at else []

    def want(
        self,
        instrument: InstrumentId,
        since: datetime,
        until: datetime | None = None,
        expected: datetime | None = None,
    ) -> None:
        """Hold an instrument back until the chart has told its bars from `since` to `until`."""
        start = since - self.series.timeframe.length
        new = Want(start, since, since if until is None else until, expected)
        old = self.series.wants.get(instrument)
        self.series.wants[instrument] = new if old is None else old.joined(new)

    def add(self, ticks: Iterable[Tick], source: str = "") -> dict[InstrumentId, SourceChanged]:
        """Take a sweep; return contradictions (a count that fell), whose slots are then wanted.

        Just after another source has stepped in, a lower count is one that lags: it waits.
        """
        errors = {}
        absences: dict[datetime | None, list[datetime]] = {}
        for tick in ticks:
            if not self.series.panel.has(tick.instrument):
                continue
            self._note_absence(tick.instrument, tick.seen_at, absences)
            if source != self._source:
                self._source, self._switched_at = source, tick.seen_at
            try:
                self.series.builder.add(tick)
            except SourceChanged as error:
                if tick.seen_at - self._switched_at < SWITCH:
                    continue
                errors[tick.instrument] = error
                slot = self.series.calendar.slot(tick.seen_at, self.series.timeframe)
                if slot is not None:
                    self.want(tick.instrument, slot)
        return errors

    def doubt(self, instruments: Iterable[InstrumentId], at: datetime) -> None:
        """Hold instruments back until the chart has told of the slot that goes on at `at`."""
        slot = self.series.calendar.slot(at, self.series.timeframe)
        for name in instruments:
            if slot is not None and self.series.panel.has(name):
                self.want(name, slot)
                self.series.panel.mark_missing([self.series.panel.row(name)])

    def add_updates(
        self, updates: Iterable[Update], instruments: Iterable[InstrumentId], asked_at: datetime
    ) -> None:
        """Take what a live source told of these instruments: since its last word it missed nothing.

        Only what happened before its first word is still to be told by the chart.
        """
        absences: dict[datetime | None, list[datetime]] = {}
        for name in instruments:
            if not self.series.panel.has(name):
                continue
            if name in self._seen_at:
                self._seen_at[name] = asked_at
            else:
                self._note_absence(name, asked_at, absences)
        for update in updates:
            if self.series.panel.has(update.bar.instrument):
                self.series.candles.add(update.bar)

    def verified(self, slot: datetime, judgement: Judgement) -> None:
        """Note what the venue said of bars that fired; what it did not say is asked again."""
        for bar in judgement.revised:
            self.series.exact_until[bar.instrument] = slot
        for instrument in judgement.unknown:
            self.want(instrument, slot, expected=slot)
            self.series.panel.mark_missing([self.series.panel.row(instrument)])

    async def close(self, seen_at: datetime) -> tuple[list[Slot], list[Bar]]:
        """Return the slots that have closed by `seen_at` in order, and bars that only changed."""
        closed = await asyncio.to_thread(self._built, seen_at)
        self._want_absent(seen_at)
        self._doubt(closed)
        held = set(self.series.wants)
        self._crawled += [bar for bar in closed.new if bar.instrument not in held]
        self._changed += [bar for bar in closed.revised if self._is_news(bar, held)]
        exact, earlier = await ask(self.series, self._exact, seen_at)
        crawled, self._crawled = self._crawled, []
        changed, self._changed = self._changed, []
        return _by_slot(crawled, exact), earlier + changed

    def _built(self, seen_at: datetime) -> Closed:
        """Return what has closed of either sort: bars made of ticks, and of the venue's candles."""
        of_ticks = self.series.builder.close(seen_at)
        of_candles = self.series.candles.close(seen_at)
        return Closed(of_ticks.new + of_candles.new, of_ticks.revised + of_candles.revised)

    def _note_absence(
        self,
        instrument: InstrumentId,
        seen_at: datetime,
        known: dict[datetime | None, list[datetime]],
    ) -> None:
        """Want what an instrument did since it was seen last; `known` serves one sweep."""
        before = self._seen_at.get(instrument)
        self._seen_at[instrument] = seen_at
        if before not in known:
            known[before] = self._missed(before, seen_at)
        slots = known[before]
        if slots:
            self.want(instrument, slots[0], slots[-1])

    def _missed(self, before: datetime | None, seen_at: datetime) -> list[datetime]:
        if before is None:
            started_at = self._started_at
            return [] if started_at is None else self._doubtful(started_at, seen_at)
        return self.unseen(before, seen_at) if seen_at - before > OUTAGE else []

    def _doubtful(self, since: datetime, seen_at: datetime) -> list[datetime]:
        """Return the slots of an unwatched stretch that the counts cannot tell.

        They can tell the session's first one while it lasts, because they begin at zero.
        """
        calendar, timeframe = self.series.calendar, self.series.timeframe
        slots = calendar.slots(calendar.slot(since, timeframe) or since, seen_at, timeframe)
        if slots and self.series.end(slots[-1]) > seen_at and self._is_first(slots[-1]):
            slots.pop()
        return slots

    def _is_first(self, slot: datetime) -> bool:
        calendar = self.series.calendar
        window = calendar.window(calendar.session_day(slot))
        return window is not None and slot == calendar.slot(window.open, self.series.timeframe)

    def _want_absent(self, seen_at: datetime) -> None:
        """Want the slots that have just ended of what was out of sight well before their end."""
        before, self._closed_at = self._closed_at, seen_at
        if before is None:
            return
        calendar, timeframe = self.series.calendar, self.series.timeframe
        slots = calendar.slots(before - 2 * timeframe.length, seen_at, timeframe)
        ended = [slot for slot in slots if before < self.series.end(slot) <= seen_at]
        if not ended:
            return
        latest = self.series.end(ended[-1]) - OUTAGE
        for name in self.series.panel.instruments:
            last = self._seen_at.get(name)
            if last is None or last < latest:
                self.want(name, ended[0], ended[-1])

    def _doubt(self, closed: Closed) -> None:
        """Want what the builder did not watch wholly, and the trades of what is held back."""
        for bar in closed.new:
            if not bar.is_complete or bar.instrument in self.series.wants:
                self.want(bar.instrument, bar.start, expected=bar.start)
        for bar in closed.revised:
            if not bar.is_complete:  # judged when it seemed whole; what followed it was not seen
                self.want(bar.instrument, bar.start + self.series.timeframe.length)

    def _is_news(self, bar: Bar, held: set[InstrumentId]) -> bool:
        """Tell whether a late tick's revision is better than what is known."""
        exact_until = self.series.exact_until.get(bar.instrument)
        is_exact = exact_until is not None and bar.start <= exact_until
        return bar.is_complete and not is_exact and bar.instrument not in held


def _by_slot(crawled: Sequence[Bar], exact: Sequence[Bar]) -> list[Slot]:
    bars: dict[datetime, list[Bar]] = {}
    names: dict[datetime, set[InstrumentId]] = {}
    for bar in (*crawled, *exact):
        bars.setdefault(bar.start, []).append(bar)
    for bar in exact:
        names.setdefault(bar.start, set()).add(bar.instrument)
    return [
        Slot(start, tuple(held), frozenset(names.get(start, ())))
        for start, held in sorted(bars.items())
    ]
