"""Asks the sources of each venue, looks at what they show, and tells the owner what is wrong."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine.chain import SWEEP
from engine.comparison import Comparison
from engine.health import Health
from engine.sentinel import Sentinel
from market.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from engine.fire import Fire
    from engine.health import Notice
    from engine.ports import Events
    from engine.sources import Sources, Sweep
    from market.clock import Clock
    from market.errors import SourceChanged
    from market.sessions import Calendar
    from market.types import InstrumentId, Venue

logger = logging.getLogger(__name__)


class Lookout:
    """Health and sentinel of every venue; what is not believed is not handed on."""

    def __init__(
        self,
        sources: Sources,
        calendars: Mapping[Venue, Calendar],
        clock: Clock,
        fire: Fire,
        events: Events,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._fire = fire
        self._events = events
        self._healths = {venue: Health(venue) for venue in calendars}
        self._sentinels = {venue: Sentinel(one) for venue, one in calendars.items()}
        self._comparisons = {venue: Comparison(clock) for venue in calendars}
        self._newest: dict[Venue, Sweep] = {}

    def health(self, venue: Venue) -> Health:
        """Return how the sources of a venue have answered."""
        return self._healths[venue]

    async def sweep(self, venue: Venue, names: Sequence[InstrumentId]) -> Sweep | None:
        """Return what a sweep has shown; None where no source could be had or believed."""
        health = self._healths[venue]
        try:
            sweep = await self._sources.sweep(venue, names)
            await self._look(sweep)
        except SourceError as error:
            await self._tell(health.failed(error, self._clock.now()))
            return None
        await self._tell(health.answered(self._clock.now(), sweep.by.name))
        self._newest[venue] = sweep
        return sweep

    async def compare(self, venue: Venue) -> tuple[InstrumentId, ...]:
        """Compare the newest prices with another source's; return what newly disagrees."""
        sweep = self._newest.get(venue)
        if sweep is None or sweep.is_live:
            return ()
        chain, comparison = self._sources.chain(venue), self._comparisons[venue]
        found = await comparison.step(chain, sweep)
        await self._note(venue, "alone", comparison.alone(chain, sweep))
        if found is None:
            return ()
        await self._note(venue, "disagrees", comparison.facts(chain))
        return found

    async def behind(self, venue: Venue, count: int) -> None:
        """Take how many instruments wait for their chart."""
        await self._note(venue, "behind", {"count": str(count)} if count else None)

    async def contradicted(
        self, venue: Venue, errors: Mapping[InstrumentId, SourceChanged], seen_at: datetime
    ) -> None:
        """Take instruments whose counts contradict what was shown before."""
        for instrument, error in errors.items():
            logger.warning("%s", error)
            self._events.emit("error", code="contradiction", instrument=instrument)
        await self._tell(self._healths[venue].contradicted(errors, seen_at))

    async def _look(self, sweep: Sweep) -> None:
        """Tell of what is odd about a sweep; raises SourceUnavailable where it is not believed."""
        health, now = self._healths[sweep.venue], sweep.asked_at
        findings = self._sentinels[sweep.venue].look(sweep)
        troubles = {**findings.troubles, "stands_in": self._stands_in(sweep, health)}
        for code, facts in troubles.items():
            await self._tell(health.note(code, facts, now))
        if findings.refused is not None:
            self._sources.chain(sweep.venue).distrust(SWEEP, sweep.by, now)
            raise findings.refused

    def _stands_in(self, sweep: Sweep, health: Health) -> Mapping[str, str] | None:
        wanted = self._sources.chain(sweep.venue).members[0].name
        if sweep.by.name == wanted:
            return None
        said = "; ".join(str(error) for error in sweep.failures)
        known = next((one for one in health.troubles if one.code == "stands_in"), None)
        if not said and known is not None:
            said = known.facts["error"]
        return {"source": sweep.by.name, "wanted": wanted, "error": said or health.last_error}

    async def _note(self, venue: Venue, code: str, facts: Mapping[str, str] | None) -> None:
        await self._tell(self._healths[venue].note(code, facts, self._clock.now()))

    async def _tell(self, notice: Notice | None) -> None:
        await self._fire.tell(notice)
