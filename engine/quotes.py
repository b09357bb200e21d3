"""The newest price of every instrument, and a fresh one when somebody is about to act on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from market.errors import SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from crawlers.source import Source
    from market.clock import Clock
    from market.types import InstrumentId, Tick


PATIENCE_SECONDS = 8.0
"""A person who taps waits no longer than this for a price, however slow the source is."""


class Quotes:
    """Keeps the newest tick of each instrument; ages are measured on the market clock."""

    def __init__(
        self, source: Source, clock: Clock, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._source = source
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._newest: dict[InstrumentId, Tick] = {}
        self._asking: dict[InstrumentId, asyncio.Lock] = {}

    def note(self, ticks: Iterable[Tick]) -> None:
        """Take ticks that somebody else has crawled; older ones than the kept change nothing."""
        for tick in ticks:
            kept = self._newest.get(tick.instrument)
            if kept is None or (tick.seen_at, tick.at) >= (kept.seen_at, kept.at):
                self._newest[tick.instrument] = tick

    def last(self, instrument: InstrumentId) -> Tick | None:
        """Return the newest tick, however old; None if there never was one."""
        return self._newest.get(instrument)

    async def fresh(self, instrument: InstrumentId, max_age: timedelta) -> Tick:
        """Return a tick seen within `max_age`, asking the source if need be.

        Several callers at once ask once. Raises SourceError where the source gives no price.
        """
        async with self._asking.setdefault(instrument, asyncio.Lock()):
            kept = self._newest.get(instrument)
            if kept is not None and self._clock.now() - kept.seen_at <= max_age:
                return kept
            ticks = await self._ask(instrument)
            self.note(ticks)
            for tick in ticks:
                if tick.instrument == instrument:
                    return tick
            raise SourceUnavailable(f"the source shows no price of {instrument}")

    async def _ask(self, instrument: InstrumentId) -> list[Tick]:
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._source.ticks([instrument])
        except TimeoutError as error:
            raise SourceUnavailable(
                f"no price of {instrument} within {self._patience_seconds:g} s"
            ) from error
