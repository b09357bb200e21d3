"""What a replay plays: the sources, and the moments at which it looks at them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from bot.schedule import InSession
from crawlers.replay import RecordedSource, recorded_sources
from crawlers.replay_bars import BarFolder
from crawlers.replay_tape import venue_of
from engine.chain import Chain, Named
from engine.sources import Sources
from market.errors import SourceError, TicktalkError
from market.sessions import KST
from market.types import Venue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from config.load import Config
    from market.clock import ManualClock
    from market.record_days import Loss

EVERY_SECONDS = 60
"""Bars of files are looked at once a minute,"""
AFTER_SECONDS = 2
"""so long after it has ended."""
_DAY = timedelta(days=1)
_LAST = timedelta(seconds=90)
"""The closing auction's bar ends half a minute after its minute."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sources by venue, and when to look at which venue, oldest first.

    `has_days` tells that daily charts were asked before the first sweep, as the bot does an hour
    before the open. `losses` are places of the record that could not be read.
    """

    sources: Sources
    began: datetime
    steps: list[tuple[datetime, Venue]]
    has_days: bool = True
    losses: list[Loss] = field(default_factory=list)


def recorded_plan(config: Config, folder: Path, clock: ManualClock) -> Plan:
    """Return how the recorded day of the clock is played; raises TicktalkError."""
    try:
        tape = RecordedSource(folder, clock, config.calendars).tape
        told = {venue: recorded_sources(folder, clock, config.calendars, venue) for venue in Venue}
        steps = sorted((at, venue) for venue in Venue for at in tape.steps(venue))
    except SourceError as error:
        raise TicktalkError(str(error)) from error
    chains = {
        venue: Chain([Named(name, sources[name]) for name in _in_order(config, sources)])
        for venue, sources in told.items()
        if sources
    }
    if not steps:
        raise TicktalkError(f"{folder}: no prices were recorded on that day; play another")
    end = datetime.combine(clock.now().astimezone(KST).date() + _DAY, time(), KST)
    days_at = tape.asked_days_at
    return Plan(
        Sources(chains, clock),
        tape.began,
        [step for step in steps if step[0] < end],
        has_days=days_at is not None and days_at < steps[0][0],
        losses=tape.losses,
    )


async def bars_plan(config: Config, folder: Path, day: date | None, clock: ManualClock) -> Plan:
    """Return how files of bars are played, all of them or one day; raises TicktalkError."""
    source = BarFolder(folder, clock, config.calendars)
    try:
        first, last = await source.first_start(), await source.last_end()
        names = await source.instruments()
    except SourceError as error:
        raise TicktalkError(str(error)) from error
    if day is not None:
        first = datetime.combine(day, time(), KST)
        last = min(last, first + _DAY - timedelta(seconds=1))
    venues = list(dict.fromkeys(venue_of(name) for name in names))
    steps = sorted(
        (at, venue)
        for venue in venues
        for at in _moments(
            InSession(EVERY_SECONDS, AFTER_SECONDS, [config.calendars[venue]]), first, last
        )
    )
    if not steps:
        raise TicktalkError(f"{folder} holds no bars in a session of that time")
    sources = Sources({venue: Chain([Named("bars", source)]) for venue in venues}, clock)
    return Plan(sources, first, steps)


def _in_order(config: Config, sources: Iterable[str]) -> list[str]:
    """Return sources as the settings want them, others behind in the order they came."""
    crawl = config.settings.crawl
    wanted = [name for name in (crawl.source, crawl.second) if name in sources]
    return list(dict.fromkeys([*wanted, *sources]))


def _moments(schedule: InSession, first: datetime, last: datetime) -> Iterator[datetime]:
    at = schedule.after(first)
    while at <= last + _LAST:
        yield at
        at = schedule.after(at)
