"""The port of market sources, and the registry they enter by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    import httpx

    from config.settings import Settings
    from market.clock import Clock
    from market.facts import Flow, Fundamentals, Listing, Ranking
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick, Venue


Hear: TypeAlias = "Callable[[Sequence[Tick]], None]"


class Source(Protocol):
    """Port. Promises what the venue shows, or an error: never "nothing" for "could not read".

    Raises SourceUnavailable (try later) or SourceChanged (tell the operator).
    """

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return the newest tick of each instrument that the source knows, one sweep."""
        ...

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the venue's own exact 1-minute bars with start <= bar.start < end, oldest first.

        Minutes without a trade have no bar.
        """
        ...


@runtime_checkable
class DailySource(Protocol):
    """Port. Promises, beside what a source does, the venue's own daily bars, or an error.

    A source without it leaves what asks for daily bars unknown.
    """

    async def days(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return the daily bars with start <= bar.start < end, oldest first.

        Days without a trade have no bar; one whose session was not over is not complete. Prices
        are adjusted for splits as of now, so that those of an earlier answer may differ.
        """
        ...


@dataclass(frozen=True, slots=True)
class Update:
    """The venue's own 1-minute candle as it stands: `bar.is_complete` once its minute is over.

    `at` is when it last changed by the venue's clock, `seen_at` when that was shown to us.
    """

    bar: Bar
    at: datetime
    seen_at: datetime


@runtime_checkable
class LiveSource(Protocol):
    """Port. Promises, beside what a source does, every minute candle as it forms.

    What is behind it (a socket that broke, was silent or was opened again) is the source's affair:
    it asks for what it missed before it answers.
    """

    async def updates(self, instruments: Sequence[InstrumentId]) -> list[Update]:
        """Return what changed since the last call, oldest minute first per instrument.

        A candle that changed more than once is told once, as it is now. An instrument that was not
        asked for before begins with the minute before the present one. There is never a hole:
        where it cannot be excluded this raises SourceUnavailable, and the next call that works
        makes up for it. Raises SourceChanged.
        """
        ...


@runtime_checkable
class Follower(Protocol):
    """Port. Promises fresh prices of a few instruments by socket: `ticks` of them is then at once.

    What cannot be followed (too many of them) is asked for like the others.
    """

    def follow(self, instruments: Iterable[InstrumentId]) -> None:
        """Follow these and no others, the first ones first where there is a limit.

        Instruments of other venues are left out.
        """
        ...


@runtime_checkable
class Pushing(Protocol):
    """Port. Promises to tell prices as it hears them, between its answers too."""

    def listen(self, hear: Hear) -> None:
        """Call `hear`, which returns at once and never raises, with all that comes from now on."""
        ...

    def live(self) -> frozenset[InstrumentId]:
        """Return the instruments whose prices would be heard right now."""
        ...


@runtime_checkable
class Closing(Protocol):
    """Port. Promises to give back sockets and files."""

    async def close(self) -> None:
        """End everything that was begun; may be called twice."""
        ...


@runtime_checkable
class ListingSource(Protocol):
    """Port. Promises the whole list of what a market trades, or an error."""

    async def listing(self, segment: str) -> list[Listing]:
        """Return everything that trades in a segment (KOSPI, KOSDAQ, KRW, USDT, USDT-M).

        Greatest market value (or traded value) first.
        """
        ...


@runtime_checkable
class FlowSource(Protocol):
    """Port. Promises who bought and sold an instrument day by day, or an error."""

    async def flows(self, instrument: InstrumentId, days: int) -> list[Flow]:
        """Return the newest days that are over, at most so many, oldest first."""
        ...


@runtime_checkable
class FundamentalSource(Protocol):
    """Port. Promises the figures of companies, or an error."""

    async def fundamentals(self, instruments: Sequence[InstrumentId]) -> list[Fundamentals]:
        """Return the figures of each instrument that the source knows."""
        ...


@runtime_checkable
class RankingSource(Protocol):
    """Port. Promises who is bought and sold most, or an error."""

    async def ranking(self, segment: str, investor: str, side: str) -> list[Ranking]:
        """Return the newest day's ranking of net buying, the first first.

        `investor` is foreigners or institutions, `side` buy or sell.
        """
        ...


SourceFactory: TypeAlias = (
    "Callable[[httpx.AsyncClient, Settings, Clock, Mapping[Venue, Calendar]], Source]"
)

SOURCES: Registry[SourceFactory] = Registry("source")
"""Factories by name: `(http client, settings, market clock, calendars) -> Source`."""
