"""What a pipeline is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from brokers.broker import MarketFed
    from engine.desk import Desk
    from engine.fire import Fire
    from engine.ports import Events
    from engine.quotes import Quotes
    from engine.series import Series
    from engine.sources import Sources
    from engine.watched import Watched
    from market.clock import Clock
    from market.sessions import Calendar
    from market.store import Store
    from market.types import Venue


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline is made of; everything outside the process comes in here.

    `series` are those of the `watched` conditions at the start. A polled bar is closed once a sweep
    was made so long after its end: prices are shown a moment after they traded.
    """

    sources: Sources
    store: Store
    watched: Watched
    series: Sequence[Series]
    calendars: Mapping[Venue, Calendar]
    clock: Clock
    quotes: Quotes
    desk: Desk
    fire: Fire
    events: Events
    paper: MarketFed | None = None
    depth: int = 400
    settle: timedelta = timedelta(0)
