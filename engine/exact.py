"""The venue's own bars for many instruments at once: to back-fill, to repair, to verify."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from market.bars import aggregate
from market.errors import SourceError
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from crawlers.source import Source
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Timeframe

logger = logging.getLogger(__name__)

CONCURRENCY = 8


def venue_of(instrument: InstrumentId) -> Venue:
    """Return the venue that an instrument id names."""
    return Venue(instrument.split(":", 1)[0])


class ExactBars:
    """Asks the source's minute chart and aggregates it; a failure of one is not one of all."""

    def __init__(self, source: Source, calendars: Mapping[Venue, Calendar]) -> None:
        self._source = source
        self._calendars = calendars

    async def fetch(
        self,
        instruments: Iterable[InstrumentId],
        timeframe: Timeframe,
        start: datetime,
        end: datetime,
    ) -> dict[InstrumentId, list[Bar] | SourceError]:
        """Return each instrument's bars with start <= bar.start < end, or why there are none."""
        gate = asyncio.Semaphore(CONCURRENCY)
        wanted = list(dict.fromkeys(instruments))

        async def one(instrument: InstrumentId) -> list[Bar] | SourceError:
            async with gate:
                try:
                    minutes = await self._source.bars(instrument, start, end)
                except SourceError as error:
                    logger.warning("no exact bars of %s: %s", instrument, error)
                    return error
            return aggregate(minutes, timeframe, self._calendars[venue_of(instrument)])

        results = await asyncio.gather(*(one(instrument) for instrument in wanted))
        return dict(zip(wanted, results, strict=True))
