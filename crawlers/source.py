"""The port of market sources, and the registry they enter by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import httpx

    from config.settings import Settings
    from market.clock import Clock
    from market.sessions import Calendar
    from market.types import Bar, InstrumentId, Tick, Venue


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


SourceFactory: TypeAlias = (
    "Callable[[httpx.AsyncClient, Settings, Clock, Mapping[Venue, Calendar]], Source]"
)

SOURCES: Registry[SourceFactory] = Registry("source")
"""Factories by name: `(http client, settings, market clock, calendars) -> Source`."""
