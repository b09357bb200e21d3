"""All sources behind one port: by venue, with those that stand in, and written into the record."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlers.source import Closing, DailySource, Follower, LiveSource, Pushing
from engine.chain import CHART, DAYS, SWEEP, Chain, Named
from engine.exact import venue_of
from engine.ports import NoRecord
from market.errors import SourceError, SourceUnavailable
from market.types import Tick, Venue

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from datetime import datetime

    from crawlers.source import Hear, Source, Update
    from engine.ports import Recorder
    from market.clock import Clock
    from market.types import Bar, InstrumentId


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one look at a venue has shown; everything that happened before `asked_at` is in it.

    `updates` are those of a live source, whose `ticks` are their newest prices. `failures` are what
    sources said that were asked before the one that answered.
    """

    venue: Venue
    by: Named
    asked: tuple[InstrumentId, ...]
    asked_at: datetime
    ticks: tuple[Tick, ...]
    updates: tuple[Update, ...] = ()
    is_live: bool = False
    failures: tuple[SourceError, ...] = ()


class Sources:
    """Source and DailySource over all venues; a venue without one raises SourceUnavailable.

    Sweeps and what charts told go into the record; a quote for somebody's tap does not. `beside`
    are sources that are not asked, but follow the prices of a few instruments.
    """

    def __init__(
        self,
        chains: Mapping[Venue, Chain],
        clock: Clock,
        recorder: Recorder | None = None,
        beside: Sequence[Named] = (),
    ) -> None:
        self.beside = tuple(beside)
        self._chains = dict(chains)
        self._clock = clock
        self._recorder = NoRecord() if recorder is None else recorder
        self._names = {id(one.source): one.name for one in self._members()}
        self._counted: dict[InstrumentId, tuple[datetime, float]] = {}

    @classmethod
    def of(cls, source: Source, clock: Clock, name: str = "source") -> Sources:
        """Return one source for every venue."""
        return cls({venue: Chain([Named(name, source)]) for venue in Venue}, clock)

    def chain(self, venue: Venue) -> Chain:
        """Return the sources of a venue; raises SourceUnavailable where it has none."""
        chain = self._chains.get(venue)
        if chain is None:
            raise SourceUnavailable(f"no source is set for {venue}")
        return chain

    async def sweep(self, venue: Venue, instruments: Sequence[InstrumentId]) -> Sweep:
        """Look at these instruments of a venue once; raises SourceError."""
        asked_at = self._clock.now()

        async def ask(source: Source) -> tuple[list[Tick], list[Update], bool]:
            name = self._names[id(source)]
            if isinstance(source, LiveSource):
                async with self._noting(name, "updates", venue):
                    updates = await source.updates(instruments)
                self._recorder.updates(name, updates)
                return self._newest(updates), updates, True
            async with self._noting(name, "ticks", venue):
                ticks = await source.ticks(instruments)
            self._recorder.ticks(name, ticks)
            return ticks, [], False

        answer = await self.chain(venue).ask(SWEEP, ask, asked_at)
        ticks, updates, is_live = answer.value
        asked = tuple(instruments)
        return Sweep(
            venue,
            answer.by,
            asked,
            asked_at,
            tuple(ticks),
            tuple(updates),
            is_live,
            answer.failures,
        )

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest tick of each instrument that its venue's source knows."""
        found: list[Tick] = []
        for venue, names in _by_venue(instruments):
            answer = await self.chain(venue).ask(SWEEP, _ticks_of(names), self._clock.now())
            found += answer.value
        return found

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the venue's own exact 1-minute bars with start <= bar.start < end."""

        async def ask(source: Source) -> list[Bar]:
            name = self._names[id(source)]
            async with self._noting(name, "bars", instrument):
                bars = await source.bars(instrument, start, end)
            self._recorder.bars(name, instrument, start, end, bars)
            return bars

        chain = self.chain(venue_of(instrument))
        return (await chain.ask(CHART, ask, self._clock.now())).value

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the venue's daily bars with start <= bar.start < end."""

        async def ask(source: Source) -> list[Bar]:
            if not isinstance(source, DailySource):
                raise SourceUnavailable("the source has no daily chart")
            name = self._names[id(source)]
            async with self._noting(name, "days", instrument):
                bars = await source.days(instrument, start, end)
            self._recorder.days(name, instrument, start, end, bars)
            return bars

        chain = self.chain(venue_of(instrument))
        return (await chain.ask(DAYS, ask, self._clock.now())).value

    def has_days(self, venue: Venue) -> bool:
        """Tell whether some source of a venue has a daily chart."""
        chain = self._chains.get(venue)
        members = () if chain is None else chain.members
        return any(isinstance(one.source, DailySource) for one in members)

    def follow(self, instruments: Iterable[InstrumentId]) -> None:
        """Let sources that can keep fresh prices of these do so, the first ones first."""
        names = list(dict.fromkeys(instruments))
        for source in self._sources():
            if isinstance(source, Follower):
                source.follow(names)

    def listen(self, hear: Hear) -> None:
        """Let sources that can tell prices as they come do so from now on."""
        for source in self._sources():
            if isinstance(source, Pushing):
                source.listen(hear)

    def live(self) -> frozenset[InstrumentId]:
        """Return the instruments whose prices are told as they come right now."""
        pushing = (one.live() for one in self._sources() if isinstance(one, Pushing))
        return frozenset().union(*pushing)

    async def close(self) -> None:
        """Give back what sources hold."""
        for source in self._sources():
            if isinstance(source, Closing):
                await source.close()

    @asynccontextmanager
    async def _noting(self, name: str, call: str, about: str) -> AsyncIterator[None]:
        """Record a failure of what is awaited within."""
        try:
            yield
        except SourceError as error:
            self._recorder.failed(name, call, error, about)
            raise

    def _newest(self, updates: Sequence[Update]) -> list[Tick]:
        """Return the newest price of each instrument, with what has traded since the last call."""
        newest = {one.bar.instrument: one for one in updates}
        traded = dict.fromkeys(newest, 0.0)
        for one in updates:
            traded[one.bar.instrument] += self._grown(one.bar)
        return [
            Tick(name, one.at, one.seen_at, one.bar.close, volume=traded[name])
            for name, one in newest.items()
        ]

    def _grown(self, bar: Bar) -> float:
        """Count a candle; return by how much it has grown, 0 for an instrument's first one."""
        start, volume = self._counted.get(bar.instrument, (bar.start, bar.volume))
        if bar.start < start:
            return 0.0  # a minute that is over was corrected
        self._counted[bar.instrument] = bar.start, bar.volume
        return bar.volume if bar.start > start else max(0.0, bar.volume - volume)

    def _members(self) -> Iterator[Named]:
        for chain in self._chains.values():
            yield from chain.members
        yield from self.beside

    def _sources(self) -> Iterable[Source]:
        """Return each source once."""
        return {id(one.source): one.source for one in self._members()}.values()


def _ticks_of(names: Sequence[InstrumentId]) -> Callable[[Source], Awaitable[list[Tick]]]:
    async def ask(source: Source) -> list[Tick]:
        return await source.ticks(names)

    return ask


def _by_venue(
    instruments: Sequence[InstrumentId],
) -> Iterator[tuple[Venue, list[InstrumentId]]]:
    for venue in dict.fromkeys(venue_of(name) for name in instruments):
        yield venue, [name for name in instruments if venue_of(name) is venue]
