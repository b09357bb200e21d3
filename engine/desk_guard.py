"""Who looks after positions: a panic or protection, every second and as soon as a price asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from market.money import to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.desk_panic import PanicDesk
    from engine.desk_protect import Protector
    from engine.desk_stops import StopDesk
    from engine.protect_watch import PriceWatch
    from engine.quotes import Quotes
    from market.types import Tick


class Guard:
    """Goes on with a panic, else looks after what is protected: never both."""

    def __init__(
        self, quotes: Quotes, panic: PanicDesk, protector: Protector, stops: StopDesk
    ) -> None:
        self._quotes = quotes
        self._panic = panic
        self._protector = protector
        self._stops = stops
        self._touched = asyncio.Event()

    @property
    def watched(self) -> PriceWatch:
        """Return what every price is judged by."""
        return self._protector.watch

    def hear(self, ticks: Iterable[Tick]) -> None:
        """Take prices as they come, between sweeps; nothing is stored, asked or waited for."""
        for tick in ticks:
            if tick.price <= 0:  # no price, and no reason to sell
                continue
            self._quotes.note((tick,))
            if tick.instrument not in self.watched:
                continue
            price = to_decimal(tick.price)
            if self.watched.on_price(tick.instrument, price, tick.seen_at):
                self._touched.set()

    async def touched(self) -> None:
        """Return once a price has touched a level since this was last waited for."""
        await self._touched.wait()
        self._touched.clear()

    async def look(self) -> None:
        """Look now, unless somebody is at it."""
        if not await self._panic.look():
            await self._protector.look()
            await self._stops.look()

    async def look_at_once(self) -> None:
        """Look as soon as who is at it has finished: it may have begun before the price came."""
        if not await self._panic.look():
            await self._protector.look_in_turn()
