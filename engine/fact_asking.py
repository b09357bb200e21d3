"""Asks sources what is known of a day that is over; every answer is stored at once.

What a day was told already is not asked again, so a run that was broken off goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from crawlers.source import FlowSource, FundamentalSource, ListingSource
from engine.exact import CONCURRENCY
from engine.flow_sums import figures_of, flow_facts, is_of_day
from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.fact_groups import FactGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from crawlers.source import Source
    from market.facts import DailyFacts, Listing
    from market.store import Store, Transaction
    from market.types import InstrumentId

logger = logging.getLogger(__name__)

FLOW_DAYS = 21
"""Twenty are summed; the newest may be of a day whose facts are not final yet."""
BATCH = 50
"""Instruments whose figures are asked for and stored together."""
LAGGING = 8
"""So many answers without the day, and none with it: the source has not told it yet."""
TOLERATED = 0.02
"""The part of the instruments of which a source may tell nothing."""


@dataclass(frozen=True, slots=True)
class Tellers:
    """Who tells what of a venue, None where nobody does."""

    listing: ListingSource | None = None
    flows: FlowSource | None = None
    figures: FundamentalSource | None = None

    @classmethod
    def of(cls, sources: Iterable[Source]) -> Tellers:
        """Return the first of the sources for each kind of question."""
        known = list(sources)
        return cls(
            next((one for one in known if isinstance(one, ListingSource)), None),
            next((one for one in known if isinstance(one, FlowSource)), None),
            next((one for one in known if isinstance(one, FundamentalSource)), None),
        )


@dataclass(slots=True)
class _Run:
    """How a round of questions goes; `is_day_told` once some answer knew the day."""

    is_day_told: bool = False
    answered: int = 0
    lagging: int = 0
    failed: dict[InstrumentId, SourceError] = field(default_factory=dict)
    refused_in_a_row: int = 0

    @property
    def is_hopeless(self) -> bool:
        return self.refused_in_a_row >= CONCURRENCY or (
            self.lagging >= LAGGING and not self.is_day_told
        )


class FactAsking:
    """Asks about one day; `note` hears how many of how many questions are answered."""

    def __init__(
        self, store: Store, tellers: Tellers, day: date, note: Callable[[int, int], None]
    ) -> None:
        self._store = store
        self._tellers = tellers
        self._day = day
        self._note = note

    async def listing(self, segments: Iterable[str]) -> None:
        """Learn what markets list, those that the day has not told yet; raises SourceError."""
        for segment in segments:
            if not await self._is_listed(segment):
                if self._tellers.listing is None:
                    raise SourceUnavailable(f"no source tells what {segment} lists")
                lines = await self._tellers.listing.listing(segment)
                logger.info("%s lists %d instruments", segment, len(lines))
                await self._store.write(partial(_put_listing, lines, self._day))

    async def untold(self, names: Iterable[InstrumentId], group: FactGroup) -> list[InstrumentId]:
        """Return those of the instruments that the day was not told of by these questions."""
        told = await self._store.read(lambda tx: tx.facts.told(self._day))
        return [name for name in names if not told.get(name, FactGroup.NONE) & group]

    async def figures(
        self, names: Sequence[InstrumentId], prices: Mapping[InstrumentId, float]
    ) -> None:
        """Learn the figures of companies, batch by batch; raises SourceError."""
        teller = self._tellers.figures
        if teller is None:
            return
        for first in range(0, len(names), BATCH):
            batch = names[first : first + BATCH]
            found = {one.instrument: one for one in await teller.fundamentals(batch)}
            facts = [
                figures_of(name, self._day, found.get(name), prices.get(name)) for name in batch
            ]
            await self._store.write(partial(_put_facts, facts, FactGroup.FIGURES))

    async def flows(self, names: Sequence[InstrumentId]) -> None:
        """Learn who bought, one question an instrument; raises SourceError.

        A few may fail or have no such day: they stay unknown. SourceUnavailable where the source
        has not told the day at all yet, or tells too little.
        """
        teller = self._tellers.flows
        if teller is None or not names:
            return
        told = await self._store.read(lambda tx: tx.facts.told(self._day))
        run = _Run(is_day_told=any(groups & FactGroup.FLOWS for groups in told.values()))
        gate = asyncio.Semaphore(CONCURRENCY)

        async def one(name: InstrumentId) -> None:
            async with gate:
                if not run.is_hopeless:
                    await self._flow(teller, name, run)
                    run.answered += 1
                    self._note(run.answered, len(names))

        await asyncio.gather(*map(one, names))
        self._judge(run, len(names))

    async def _flow(self, teller: FlowSource, name: InstrumentId, run: _Run) -> None:
        try:
            found = await teller.flows(name, FLOW_DAYS)
        except SourceError as error:
            logger.warning("nobody tells who bought %s: %s", name, error)
            run.failed[name] = error
            run.refused_in_a_row += 1
            return
        run.refused_in_a_row = 0
        if is_of_day(found, self._day):
            run.is_day_told = True
        else:
            run.lagging += 1
            if not run.is_day_told:  # perhaps nobody's day is told yet
                return
        facts = flow_facts(name, self._day, found)
        await self._store.write(partial(_put_facts, [facts], FactGroup.FLOWS))

    async def _is_listed(self, segment: str) -> bool:
        known = await self._store.read(lambda tx: tx.facts.listing_day(segment))
        return known is not None and known >= self._day

    def _judge(self, run: _Run, asked: int) -> None:
        changed = [one for one in run.failed.values() if isinstance(one, SourceChanged)]
        if len(run.failed) > max(1, TOLERATED * asked) or run.refused_in_a_row >= CONCURRENCY:
            first = next(iter(changed or run.failed.values()))
            message = f"who bought is not told of {len(run.failed)} of {asked}: {first}"
            raise SourceChanged(message) if changed else SourceUnavailable(message)
        if run.lagging and not run.is_day_told:
            raise SourceUnavailable(f"who bought on {self._day} is not told yet")


def _put_listing(lines: Sequence[Listing], day: date, tx: Transaction) -> None:
    tx.facts.put_listing(lines, day)


def _put_facts(facts: Sequence[DailyFacts], group: FactGroup, tx: Transaction) -> None:
    tx.facts.put(facts, group)
