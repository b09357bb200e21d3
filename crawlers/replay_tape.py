"""Recorded days as a tape that runs as far as the clock says."""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from crawlers.replay_told import ToldBars
from market.errors import SourceChanged, SourceUnavailable
from market.record_days import RecordedDay, days_in
from market.record_events import Candles, Failure, Sweep, Told
from market.record_files import day_of
from market.types import Timeframe, Venue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from crawlers.replay_told import Found, Span
    from market.clock import Clock
    from market.record_code import Head
    from market.record_days import Loss
    from market.record_events import Candle, Event
    from market.types import InstrumentId

LATEST: Final = datetime.max.replace(tzinfo=UTC)
REACH = timedelta(days=14)
"""What charts told on so many days before the one that is played is known too."""
_MOST_NAMED = 5


@dataclass(slots=True)
class Shown:
    """What a venue showed last: a sweep, or why there was none; and its candles.

    `candles` are each instrument's two newest minutes, `changed` those that nobody has taken yet.
    """

    newest: Sweep | Failure | None = None
    candles: dict[InstrumentId, dict[datetime, Candle]] = field(default_factory=dict)
    changed: dict[InstrumentId, dict[datetime, Candle]] = field(default_factory=dict)


class Tape:
    """What was recorded, from the clock's day on; opened when it is asked for the first time.

    With `only` no other source's prices are shown. Everything raises SourceUnavailable where that
    day was not recorded, SourceChanged where nothing of it can be read.
    """

    def __init__(self, folder: Path, clock: Clock, only: str | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._only = only
        self._shown = {venue: Shown() for venue in Venue}
        self._told = ToldBars()
        self._steps: dict[str, list[datetime]] = {}
        self._venues: dict[str, set[Venue]] = {}
        self._live: set[str] = set()
        self._events: Iterator[Event] | None = None
        self._next: Event | None = None
        self._began = LATEST
        self._days_at: datetime | None = None
        self._losses: list[Loss] = []

    @property
    def began(self) -> datetime:
        """Return when the recording of the clock's day begins."""
        self._open()
        return self._began

    @property
    def losses(self) -> list[Loss]:
        """Return the places that could not be read."""
        self._open()
        return self._losses

    @property
    def asked_days_at(self) -> datetime | None:
        """Return when a daily chart was asked for the first time."""
        self._open()
        return self._days_at

    def shown(self, venue: Venue) -> Shown:
        """Return what a venue has shown by now."""
        self._run()
        return self._shown[venue]

    def sources(self, venue: Venue) -> dict[str, bool]:
        """Return who told prices of a venue, the first one first, and whether as candles."""
        self._open()
        known = [one for one in self._steps if venue in self._venues.get(one, ())]
        known.sort(key=lambda one: self._steps[one][0])
        return {one: one in self._live for one in known}

    def steps(self, venue: Venue) -> list[datetime]:
        """Return when prices of a venue were recorded, or could not be had, oldest first."""
        self._open()
        known = [one for one in self._steps if venue in self._venues.get(one, ())]
        return sorted({at for source in known for at in self._steps[source]})

    def find(self, instrument: InstrumentId, timeframe: Timeframe, asked: Span) -> Found:
        """Return what a chart had told by now, or would have; raises what asking it raised.

        What was told before prices were asked for again belongs to now.
        """
        self._run()
        now = self._clock.now()
        since, until = self._step(venue_of(instrument), now)
        failure = self._told.failure(instrument, timeframe, since, until)
        if failure is not None:
            raise error_of(failure)
        return self._told.find(instrument, timeframe, asked, now, until)

    def _step(self, venue: Venue, now: datetime) -> tuple[datetime, datetime]:
        """Return when the venue's prices were recorded last, and when they will be next."""
        since, until = self._began, LATEST
        for source, steps in self._steps.items():
            if venue in self._venues.get(source, ()):
                place = bisect_right(steps, now)
                since = max(since, steps[place - 1]) if place else since
                until = min(until, steps[place]) if place < len(steps) else until
        return since, until

    def _open(self) -> None:
        if self._events is not None:
            return
        first = day_of(self._clock.now())
        days = days_in(self._folder)
        if first not in days:
            raise SourceUnavailable(_not_recorded(self._folder, first, days))
        played = [RecordedDay(self._folder, day) for day in days if day >= first]
        for day in days:
            if first - REACH <= day < first:
                for event in RecordedDay(self._folder, day).events(_is_told):
                    self._take_told(event)
        for one in played:
            self._learn(one)
            self._losses += one.losses
        if self._began == LATEST:
            reason = next(map(str, self._losses), "the day is empty")
            raise SourceChanged(f"no raw record can be read ({reason}); play another day")
        self._events = (event for one in played for event in one.events(self._is_shown))
        self._next = next(self._events, None)

    def _is_shown(self, head: Head) -> bool:
        return self._only in {None, head.source}

    def _learn(self, day: RecordedDay) -> None:
        """Note when prices come and what charts told; each sweep is read when its time has come."""

        def is_wanted(head: Head) -> bool:
            self._began = min(self._began, head.at)
            if head.kind in {Sweep, Candles}:
                insort(self._steps.setdefault(head.source, []), head.at)
                if head.kind is Candles:
                    self._live.add(head.source)
                return head.source not in self._venues
            return _is_told(head)

        for event in day.events(is_wanted):
            self._take_told(event)
            self._note_venues(event)
            if isinstance(event, Told) and event.timeframe is Timeframe.D1 and not self._days_at:
                self._days_at = event.at
            if isinstance(event, Failure) and not _is_of_chart(event):
                insort(self._steps.setdefault(event.source, []), event.at)

    def _take_told(self, event: Event) -> None:
        if isinstance(event, Told) or (isinstance(event, Failure) and _is_of_chart(event)):
            self._told.add(event)

    def _note_venues(self, event: Event) -> None:
        venues = _venues_of(event)
        if venues:
            self._venues.setdefault(event.source, set()).update(venues)

    def _run(self) -> None:
        """Take in everything that was recorded until now."""
        self._open()
        now = self._clock.now()
        while self._events is not None and self._next is not None and self._next.at <= now:
            self._take(self._next)
            self._next = next(self._events, None)

    def _take(self, event: Event) -> None:
        if isinstance(event, Sweep):
            for venue in self._venues.get(event.source, ()):
                self._shown[venue].newest = event
        elif isinstance(event, Candles):
            self._take_candles(event)
        elif isinstance(event, Failure) and not _is_of_chart(event):
            self._shown[venue_of(event.about)].newest = event

    def _take_candles(self, event: Candles) -> None:
        for candle in event.candles:
            name, start = candle.bar.instrument, candle.bar.start
            shown = self._shown[venue_of(name)]
            shown.newest = None
            shown.changed.setdefault(name, {})[start] = candle
            held = shown.candles.setdefault(name, {})
            held[start] = candle
            for old in sorted(held)[:-2]:
                del held[old]


def venue_of(name: str) -> Venue:
    """Return the venue that an instrument id begins with."""
    return Venue(name.partition(":")[0])


def error_of(failure: Failure) -> SourceUnavailable | SourceChanged:
    """Return the error that was recorded."""
    return SourceChanged(failure.text) if failure.is_changed else SourceUnavailable(failure.text)


def _is_told(head: Head) -> bool:
    return head.kind in {Told, Failure}


def _is_of_chart(failure: Failure) -> bool:
    return failure.call in {"bars", "days"}


def _venues_of(event: Event) -> set[Venue]:
    if isinstance(event, Sweep):
        return {venue_of(tick.instrument) for tick in event.ticks}
    if isinstance(event, Candles):
        return {venue_of(candle.bar.instrument) for candle in event.candles}
    if isinstance(event, Told):
        return {venue_of(event.instrument)}
    return {venue_of(event.about)} if isinstance(event, Failure) else set()


def _not_recorded(folder: Path, day: date, days: list[date]) -> str:
    """Say that a day is not there, and what is."""
    if not folder.is_dir():
        return (
            f"nothing was recorded yet: there is no folder {folder}. `ticktalk run` writes it; if"
            " it did so elsewhere, set record.path to that place"
        )
    if not days:
        return f"{folder} holds no recorded day: `ticktalk run` writes one folder a day there"
    near = sorted(days, key=lambda one: abs(one - day))[:_MOST_NAMED]
    named = ", ".join(one.isoformat() for one in sorted(near))
    return f"{folder} has no {day}; days that were recorded: {named}"
