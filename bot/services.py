"""What the commands may use, put together once by bot/app.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.access import Access
    from bot.texts import Texts
    from conditions.compile import Condition
    from config.load import Config
    from engine.desk import Desk
    from engine.look import Look
    from engine.ports import Events
    from engine.quotes import Quotes
    from market.clock import Clock
    from market.directory import Directory
    from market.sessions import Calendar
    from market.store import Store
    from market.types import InstrumentId, Venue


class Watch(Protocol):
    """Port. Promises what the pipeline tells about itself, at any time."""

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions that are being watched."""
        ...

    def health(self) -> Mapping[str, object]:
        """Return `state` of the source and `crawled_at`, market time of the last good sweep."""
        ...

    async def looks(self, condition: str, instrument: InstrumentId | None = None) -> Sequence[Look]:
        """Return copies of a condition's bars and states, one a venue it watches.

        With `instrument` only of that one; nothing for what is not watched.
        """
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a command can reach; commands get nothing else from the outside."""

    config: Config
    store: Store
    desk: Desk
    quotes: Quotes
    directory: Directory
    calendars: Mapping[Venue, Calendar]
    market_clock: Clock
    wall_clock: Clock
    texts: Texts
    pipeline: Watch
    access: Access
    events: Events
