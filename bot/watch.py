"""What the pipeline tells the chat about itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.services import VenueHealth
from engine.health import SourceState
from engine.look import live_looks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conditions.compile import Condition
    from engine.look import Look
    from engine.pipeline import Pipeline
    from engine.series import Series
    from market.types import InstrumentId, Venue


class PipelineWatch:
    """The pipeline as /status and /conditions see it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions that are being watched."""
        return self._pipeline.conditions

    def health(self) -> Sequence[VenueHealth]:
        """Return how each watched venue's prices come in; without conditions none."""
        return [self._venue(venue) for venue in self._pipeline.venues()]

    def _venue(self, venue: Venue) -> VenueHealth:
        health = self._pipeline.health(venue)
        series = [one for one in self._pipeline.series if one.venue is venue]
        return VenueHealth(
            venue=venue,
            state=health.state,
            source=health.source,
            crawled_at=health.last_success,
            last_error=health.last_error if health.state is not SourceState.OK else "",
            watched=len({name for one in series for name in one.panel.instruments}),
            missing=len({name for one in series for name in _missing(one)}),
            waiting=len({name for one in series for name in one.wants}),
            troubles=health.troubles,
        )

    async def looks(self, condition: str, instrument: InstrumentId | None = None) -> Sequence[Look]:
        """Return copies of a condition's bars and states, one a venue it watches."""
        return await asyncio.to_thread(live_looks, self._pipeline.series, condition, instrument)


def _missing(series: Series) -> Iterator[InstrumentId]:
    """Yield the instruments of which the newest slot is not known."""
    for row in series.panel.missing.nonzero()[0].tolist():
        yield series.panel.instruments[row]
