"""What the commands may use, put together once by bot/app.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.access import Access
    from bot.second_factor import SecondFactor
    from bot.texts import Texts
    from conditions.compile import Condition
    from config.load import Config
    from engine.desk import Desk
    from engine.health import SourceState, Trouble
    from engine.look import Look
    from engine.ports import Events
    from engine.quotes import Quotes
    from market.clock import Clock
    from market.directory import Directory
    from market.sessions import Calendar
    from market.store import Store
    from market.types import InstrumentId, Venue


@dataclass(frozen=True, slots=True)
class VenueHealth:
    """How a venue's prices come in.

    `source` is the one that answered last, at market time `crawled_at`. Of the instruments that are
    `watched`, the newest slot of so many is `missing`, and so many are `waiting` for their chart.
    """

    venue: Venue
    state: SourceState
    source: str
    crawled_at: datetime | None
    last_error: str
    watched: int
    missing: int
    waiting: int
    troubles: Sequence[Trouble]


class Watch(Protocol):
    """Port. Promises what the pipeline tells about itself, at any time."""

    @property
    def conditions(self) -> Sequence[Condition]:
        """Return the conditions that are being watched."""
        ...

    def health(self) -> Sequence[VenueHealth]:
        """Return how each watched venue's prices come in."""
        ...

    async def looks(self, condition: str, instrument: InstrumentId | None = None) -> Sequence[Look]:
        """Return copies of a condition's bars and states, one a venue it watches.

        With `instrument` only of that one; nothing for what is not watched.
        """
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a command can reach; commands get nothing else from the outside.

    `in_force` tells the configuration as it was read last: files are edited while the bot runs.
    `live_prices` tells of which instruments prices come by websocket at present.
    `record_trouble` tells why nothing is recorded at present, None where all is well.
    """

    in_force: Callable[[], Config]
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
    second_factor: SecondFactor
    events: Events
    record_trouble: Callable[[], str | None] = lambda: None
    live_prices: Callable[[], frozenset[InstrumentId]] = frozenset

    @property
    def config(self) -> Config:
        """Return the configuration in force."""
        return self.in_force()
