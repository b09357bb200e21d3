"""The port of market sources, and the registry they enter by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

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


SourceFactory: TypeAlias = (
    "Callable[[httpx.AsyncClient, Settings, Clock, Mapping[Venue, Calendar]], Source]"
)

SOURCES: Registry[SourceFactory] = Registry("source")
"""Factories by name: `(http client, settings, market clock, calendars) -> Source`."""
