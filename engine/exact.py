"""The venue's own bars for many instruments at once: to back-fill, to repair, to verify."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from market.bars import aggregate
from market.errors import SourceError, SourceUnavailable
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from crawlers.source import Source
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Timeframe

logger = logging.getLogger(__name__)

CONCURRENCY = 8
"""Instruments asked for at once; after as many failures and no answer the rest is not asked."""


def venue_of(instrument: InstrumentId) -> Venue:
    """Return the venue that an instrument id names."""
    return Venue(instrument.split(":", 1)[0])


class ExactBars:
    """Asks the source's minute chart and aggregates it; a failure of one is not one of all."""

    def __init__(self, source: Source, calendars: Mapping[Venue, Calendar]) -> None:
        self._source = source
        self._calendars = calendars

    async def fetch(
        self, starts: Mapping[InstrumentId, datetime], timeframe: Timeframe, end: datetime
    ) -> dict[InstrumentId, list[Bar] | SourceError]:
        """Return each instrument's bars from its own start until `end`, or why there are none.

        A start within a slot stands for the slot's, so that no bar lacks its first minutes.

        A source that does not answer at all is given up after a few instruments: waiting for
        every one of thousands to time out would keep the sweeps waiting too.
        """
        gate = asyncio.Semaphore(CONCURRENCY)
        refusals: list[SourceUnavailable] = []
        answered: list[InstrumentId] = []

        async def one(instrument: InstrumentId, start: datetime) -> list[Bar] | SourceError:
            calendar = self._calendars[venue_of(instrument)]
            slot = calendar.slot(start, timeframe)
            first = start if slot is None else min(start, slot)
            async with gate:
                if len(refusals) >= CONCURRENCY and not answered:
                    return refusals[-1]
                try:
                    minutes = await self._source.bars(instrument, first, end)
                except SourceError as error:
                    logger.warning("no exact bars of %s: %s", instrument, error)
                    if isinstance(error, SourceUnavailable):
                        refusals.append(error)
                    return error
                answered.append(instrument)
            return await asyncio.to_thread(aggregate, minutes, timeframe, calendar)

        results = await asyncio.gather(*(one(*wanted) for wanted in starts.items()))
        return dict(zip(starts, results, strict=True))
