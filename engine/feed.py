"""Crawled ticks to closed bars of one series; what was not watched is repaired or missing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.exact import ExactBars, venue_of
from market.errors import SourceChanged, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from engine.series import Series
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick, Venue

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """The bars of one closed slot; `are_exact` where they all come from the venue's own chart."""

    start: datetime
    bars: tuple[Bar, ...]
    are_exact: bool


class Feed:
    """Keeps one series fed; after an outage the whole stretch is taken from the venue's chart."""

    def __init__(
        self, series: Series, exact: ExactBars, calendars: Mapping[Venue, Calendar]
    ) -> None:
        self._series = series
        self._exact = exact
        self._calendars = calendars
        self._unseen_since: datetime | None = None

    def outage(self, since: datetime) -> None:
        """Remember that nothing was seen from `since` on: those slots must be repaired."""
        if self._unseen_since is None:
            self._unseen_since = since

    def add(self, ticks: Iterable[Tick]) -> list[SourceChanged]:
        """Take a sweep; return the ticks' contradictions (a count that fell) instead of raising."""
        errors = []
        for tick in ticks:
            if not self._series.panel.has(tick.instrument):
                continue
            try:
                self._series.builder.add(tick)
            except SourceChanged as error:
                errors.append(error)
        return errors

    async def close(self, seen_at: datetime) -> tuple[list[Slot], tuple[Bar, ...]]:
        """Return the slots that have closed by `seen_at` in order, and revised older bars."""
        closed = self._series.builder.close(seen_at)
        bars = {(bar.start, bar.instrument): bar for bar in closed.new if bar.is_complete}
        repaired = await self._repair(closed.new, seen_at)
        bars.update({(bar.start, bar.instrument): bar for bar in repaired})
        exact = {id(bar) for bar in repaired}
        by_start: dict[datetime, list[Bar]] = {}
        for (start, _), bar in bars.items():
            by_start.setdefault(start, []).append(bar)
        slots = [
            Slot(start, tuple(held), all(id(bar) in exact for bar in held))
            for start, held in sorted(by_start.items())
        ]
        return slots, closed.revised

    async def _repair(self, new: Sequence[Bar], seen_at: datetime) -> list[Bar]:
        """Fetch what was not wholly watched; what cannot be had is marked missing, not guessed."""
        ragged = [bar for bar in new if not bar.is_complete]
        since, self._unseen_since = self._unseen_since, None
        if not ragged and since is None:
            return []
        everyone = self._series.panel.instruments
        names = everyone if since is not None else tuple(bar.instrument for bar in ragged)
        start = min([bar.start for bar in ragged] + ([since] if since is not None else []))
        return await self._fetch(names, self._slot_start(names[0], start), seen_at)

    def _slot_start(self, instrument: InstrumentId, at: datetime) -> datetime:
        calendar = self._calendars[venue_of(instrument)]
        return calendar.slot(at, self._series.timeframe) or at

    async def _fetch(
        self, names: Sequence[InstrumentId], start: datetime, seen_at: datetime
    ) -> list[Bar]:
        timeframe = self._series.timeframe
        answers = await self._exact.fetch(names, timeframe, start, seen_at)
        bars: list[Bar] = []
        failed: list[InstrumentId] = []
        for name, answer in answers.items():
            if isinstance(answer, SourceError):
                failed.append(name)
                continue
            calendar = self._calendars[venue_of(name)]
            bars += [bar for bar in answer if calendar.slot_end(bar.start, timeframe) <= seen_at]
        self._series.panel.mark_missing(self._series.panel.row(name) for name in failed)
        if failed:
            logger.warning("%d instruments could not be repaired and are unknown", len(failed))
            self.outage(start)
        return bars
