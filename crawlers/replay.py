"""Recorded days, or bars from files, as a source: what had been seen by now, by the given clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crawlers.replay_bars import BarFolder
from crawlers.replay_tape import Tape, error_of, venue_of
from crawlers.source import SOURCES, Update
from market.errors import SourceUnavailable
from market.record_days import days_in
from market.record_events import Failure, Sweep
from market.sessions import KST
from market.types import Tick, Timeframe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import httpx

    from config.settings import Settings
    from crawlers.replay_tape import Shown
    from crawlers.source import Source
    from market.clock import Clock
    from market.record_events import Candle
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Venue


class RecordedSource:
    """Sweeps and charts as they were recorded, from the clock's day on.

    With `only` the sweeps are those of one of the recorded sources.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],
        only: str | None = None,
    ) -> None:
        self.tape = Tape(folder, clock, only)
        self._clock = clock
        self._calendars = calendars

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return those of the venue's newest sweep, or what the newest candles show.

        Raises what was raised where a sweep could not be had.
        """
        found: dict[InstrumentId, Tick] = {}
        for venue in dict.fromkeys(venue_of(name) for name in instruments):
            found |= _prices(self.tape.shown(venue), venue)
        return [found[name] for name in instruments if name in found]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the minutes that the venue had told by now, or would have.

        Raises SourceUnavailable where nobody asked the venue about some of them.
        """
        found = self.tape.find(instrument, Timeframe.M1, (start, end))
        for hole in found.untold:
            self._check(instrument, *hole)
        return found.bars

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the days that the venue had told by now, or would have."""
        return self.tape.find(instrument, Timeframe.D1, (start, end)).bars

    def _check(self, instrument: InstrumentId, start: datetime, end: datetime) -> None:
        """Raise where trades of the recorded time may lie in a stretch that nobody told."""
        calendar = self._calendars[venue_of(instrument)]
        first = max(start, self.tape.began)
        minutes = calendar.slots(first, min(end, self._clock.now()), Timeframe.M1)
        over = [one for one in minutes if calendar.slot_end(one, Timeframe.M1) <= self._clock.now()]
        if over:
            last = over[-1] + Timeframe.M1.length
            raise SourceUnavailable(
                f"the record does not tell the minutes of {instrument} from {_clock(over[0])} to"
                f" {_clock(last)}: the venue was not asked about them"
            )


class RecordedLiveSource(RecordedSource):
    """The same for venues whose candles were recorded as they formed."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        calendars: Mapping[Venue, Calendar],
        only: str | None = None,
    ) -> None:
        super().__init__(folder, clock, calendars, only)
        self._known: set[InstrumentId] = set()

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        """Return the candles that changed since the last call, as they are now."""
        shown = {venue: self.tape.shown(venue) for venue in map(venue_of, instruments)}
        for one in shown.values():
            if isinstance(one.newest, Failure):
                raise error_of(one.newest)
        found: list[Candle] = []
        for name in instruments:
            one = shown[venue_of(name)]
            news = one.changed.pop(name, {})
            if name not in self._known:
                self._known.add(name)
                news = one.candles.get(name, {})
            found += [news[start] for start in sorted(news)]
        return [Update(one.bar, one.at, one.seen_at) for one in found]


def recorded_sources(
    folder: Path, clock: Clock, calendars: Mapping[Venue, Calendar], venue: Venue
) -> dict[str, Source]:
    """Return the sources that told a venue's prices on the clock's day, each by itself."""
    told = Tape(folder, clock).sources(venue)
    return {
        name: (RecordedLiveSource if is_live else RecordedSource)(folder, clock, calendars, name)
        for name, is_live in told.items()
    }


def open_replay(
    folder: Path, clock: Clock, calendars: Mapping[Venue, Calendar], *, is_live: bool
) -> Source:
    """Return the source that plays a folder: recorded days where it has some, else files of bars.

    `is_live` is for venues whose candles are followed as they form.
    """
    if not days_in(folder) and BarFolder.has_files(folder):
        return BarFolder(folder, clock, calendars)
    return (RecordedLiveSource if is_live else RecordedSource)(folder, clock, calendars)


@SOURCES.register("replay")
def replay(
    _http: httpx.AsyncClient,
    settings: Settings,
    clock: Clock,
    calendars: Mapping[Venue, Calendar],
) -> Source:
    """Return the source that plays `replay.path` for venues that are swept."""
    return open_replay(Path(settings.replay.path), clock, calendars, is_live=False)


@SOURCES.register("replay-live")
def replay_live(
    _http: httpx.AsyncClient,
    settings: Settings,
    clock: Clock,
    calendars: Mapping[Venue, Calendar],
) -> Source:
    """Return the source that plays `replay.path` for venues whose candles are followed."""
    return open_replay(Path(settings.replay.path), clock, calendars, is_live=True)


def _prices(shown: Shown, venue: Venue) -> dict[InstrumentId, Tick]:
    newest = shown.newest
    if isinstance(newest, Failure):
        raise error_of(newest)
    if isinstance(newest, Sweep):
        return {tick.instrument: tick for tick in newest.ticks}
    if not shown.candles:
        raise SourceUnavailable(f"nothing of {venue} was recorded until now")
    candles = {name: held[max(held)] for name, held in shown.candles.items()}
    return {
        name: Tick(name, one.at, one.seen_at, one.bar.close, volume=0.0)
        for name, one in candles.items()
    }


def _clock(at: datetime) -> str:
    return f"{at.astimezone(KST):%H:%M}"
