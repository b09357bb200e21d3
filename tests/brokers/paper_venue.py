"""The paper broker on a store file of its own, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from brokers.paper import PaperBroker
from config.settings import BrokerSettings, Settings
from market.clock import ManualClock
from market.known import remember
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.store import Store
from market.types import Instrument, Tick, Venue
from tests.contracts.broker_contract import CASH, INSTRUMENT, order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from decimal import Decimal
    from pathlib import Path

    from market.orders import Fill, OrderState
    from market.sessions import Calendar

DAY = date(2026, 11, 24)
ENOUGH = 1_000_000.0
"""Trades of which our share fills every order."""
SPECIAL = {date(2026, 11, 26): (time(10), time(16, 30))}


def kst(hour: int, minute: int = 0, second: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute, second), KST)


class PaperVenue:
    """The paper broker on a store file of its own, with a clock that the test moves."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.path = path
        self.settings = Settings(broker=BrokerSettings(cash=CASH, **changes))
        self.clock = ManualClock(kst(10))
        self.traded = 0.0
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.path)
        calendars: dict[Venue, Calendar] = {
            Venue.KRX: KrxCalendar(SPECIAL),
            Venue.UPBIT: AlwaysOpen(),
            Venue.BINANCE: AlwaysOpen(),
        }
        self.broker = PaperBroker(self.store, self.settings, self.clock, calendars)

    async def restart(self) -> None:
        self.store.close()
        self.open()

    async def trade(self, price: Decimal | int) -> None:
        self.clock.advance(timedelta(seconds=1))
        await self.see(float(price))

    async def see(self, price: float, instrument: str = INSTRUMENT, **changes: Any) -> None:
        now = self.clock.now()
        seen = Tick(instrument, now, now, price, volume=ENOUGH)
        await self.broker.observe([replace(seen, **changes)])

    async def count(self, price: float, traded: float) -> None:
        """A second later the day's count has grown by what traded."""
        self.clock.advance(timedelta(seconds=1))
        self.traded += traded
        await self.see(price, volume=None, day_volume=self.traded)

    async def know(self, instrument: Instrument) -> None:
        await self.store.write(lambda tx: remember(tx, instrument))

    async def fill(self) -> Fill:
        (found,) = await self.broker.fills("")
        return found

    async def fill_count(self) -> int:
        return len(await self.broker.fills(""))

    async def state(self, name: str = "one") -> OrderState | None:
        found = await self.broker.find(order(name))
        return None if found is None else found.state


def run(path: Path, scenario: Callable[[PaperVenue], Awaitable[None]], **changes: Any) -> None:
    venue = PaperVenue(path / "paper.sqlite", **changes)
    try:
        asyncio.run(_coroutine(scenario, venue))
    finally:
        venue.store.close()


async def _coroutine(scenario: Callable[[PaperVenue], Awaitable[None]], venue: PaperVenue) -> None:
    await scenario(venue)


def run_from(
    path: Path, scenario: Callable[[PaperVenue], Awaitable[None]], start: datetime
) -> None:
    async def moved(venue: PaperVenue) -> None:
        venue.clock = ManualClock(start)
        await venue.restart()
        await scenario(venue)

    run(path, moved)
