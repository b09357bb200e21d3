"""A desk in processes that get killed: each line on stdin is a life, made by a fork and cheap.

Arguments: database, address of the pretend Upbit. A line is `NUMBER SEED` for a life that trades
until it is killed, or `settle` for one that only looks what became of everything, minutes later,
and ends by itself. Each line is answered by the life's process id, and by `over` at its end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import httpx

from brokers.broker import BrokerParts
from brokers.upbit import UpbitBroker
from config.settings import Settings
from engine.brokers import only
from engine.desk import Desk
from engine.quotes import Quotes
from engine.ticket import Ticket
from market.clock import SystemClock
from market.errors import SourceUnavailable
from market.orders import OrderState, Side
from market.sessions import AlwaysOpen
from market.store import Store
from market.types import Instrument, Kind, Tick, Venue
from tests.simulation.chat import PEOPLE, TRADER, PlainCards
from tests.simulation.life import NoEvents
from tests.simulation.venues.upbit import ACCESS_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from market.store import Transaction
    from market.types import Bar, InstrumentId
    from venues.live_socket import Socket

COIN = Instrument(Venue.UPBIT, "KRW-ZETA", "Zeta", "KRW", Kind.COIN)
PRICE = Decimal(70_000)
LATER = timedelta(minutes=5)
CALENDARS = {Venue.UPBIT: AlwaysOpen()}


class LaterClock:
    """The machine's clock, some time ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self._clock = SystemClock()

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.now() + self._ahead


class OnePrice:
    """A source that always shows the same price."""

    def __init__(self, clock: LaterClock) -> None:
        self._clock = clock

    async def ticks(self, instruments: Sequence[InstrumentId]) -> list[Tick]:
        """Return a tick of each."""
        now = self._clock.now()
        return [Tick(one, now, now, float(PRICE), day_volume=1.0) for one in instruments]

    async def bars(self, instrument: InstrumentId, start: datetime, end: datetime) -> list[Bar]:
        """Return nothing."""
        raise SourceUnavailable(f"no bars of {instrument} from {start} to {end}")


class NoSocket:
    """A connection that cannot be had: polling is the truth."""

    async def __aenter__(self) -> Socket:
        raise SourceUnavailable("no websocket here")

    async def __aexit__(self, *_: object) -> None: ...


def no_socket(url: str, *, headers: Mapping[str, str] | None = None) -> NoSocket:
    """Refuse a connection."""
    return NoSocket()


def settings(url: str) -> Settings:
    """Return settings for a pretend Upbit."""
    return Settings.model_validate(
        {
            "upbit": {
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
                "rest_url": url,
                "account_requests_per_second": 1000,
                "orders_per_second": 1000,
                "timeout_seconds": 5,
            },
            "risk": {"max_orders_per_minute": 1000, "duplicate_seconds": 0, "max_day": 10**12},
        }
    )


class Life:
    """One process's desk."""

    def __init__(self, path: str, url: str, ahead: timedelta) -> None:
        self._clock = LaterClock(ahead)
        self.store = Store.open(path)
        self._http = httpx.AsyncClient()
        parts = BrokerParts(
            self.store, self._http, settings(url), self._clock, self._clock, CALENDARS
        )
        self._broker = UpbitBroker(parts, no_socket)
        self.desk = Desk(
            store=self.store,
            brokers=only(self._broker),
            quotes=Quotes(OnePrice(self._clock), self._clock),
            calendars=CALENDARS,
            settings=parts.settings,
            market_clock=self._clock,
            wall_clock=self._clock,
            cards=PlainCards(),
            events=NoEvents(),
        )

    async def trade(self, number: int, random: Random) -> None:
        """Propose, confirm, cancel and settle until somebody kills us."""
        await self.store.write(self._let_in)
        await self.desk.recover()
        settling = asyncio.create_task(self._settle())
        for count in range(10**6):
            await self._order(f"update:{number}-{count}", random)
        await settling

    async def settle(self) -> None:
        """Learn what became of everything."""
        await self.desk.recover()
        for _ in range(3):
            await self.desk.settle()
        await self.desk.lapse()
        await self._broker.close()
        await self._http.aclose()
        self.store.close()

    async def _settle(self) -> None:
        while True:
            await self.desk.settle()

    async def _order(self, key: str, random: Random) -> None:
        side = Side.SELL if random.random() < 0.4 else Side.BUY
        price = PRICE + 50 * random.randint(-3, 3) if random.random() < 0.7 else None
        ticket = Ticket(
            key=key,
            instrument=COIN,
            side=side,
            quantity=Decimal(random.randint(10, 200)) / 100,
            size=None,
            price=price,
            price_rule=None,
            user_id=TRADER.id,
            origin="command",
            within=timedelta(seconds=60),
            max_drift=Decimal("0.01"),
        )
        order = await self.desk.propose(ticket)
        message = await self.store.write(self._deliver)
        if order.state is OrderState.PROPOSED:
            taps = [self.desk.confirm(order.id, 1, TRADER.id, message) for _ in range(2)]
            await asyncio.gather(*taps)
            if random.random() < 0.3:
                await self.desk.cancel(order.id, TRADER.id)

    def _deliver(self, tx: Transaction) -> int:
        """Let what waits arrive; return the number of the last message."""
        now, last = self._clock.now(), 0
        while pending := tx.outbox.pending(now):
            for outgoing in pending:
                tx.outbox.claim(outgoing.id, now)
                tx.outbox.sent(outgoing.id, 100 + outgoing.id, is_photo=False, at=now)
                last = 100 + outgoing.id
        return last

    def _let_in(self, tx: Transaction) -> None:
        tx.outbox.recover(self._clock.now())
        for person in PEOPLE:
            tx.people.put(person, self._clock.now())


def live(path: str, url: str, line: str) -> None:
    """Be one life."""
    if line == "settle":
        asyncio.run(Life(path, url, LATER).settle())
    else:
        number, seed = map(int, line.split())
        asyncio.run(Life(path, url, timedelta(0)).trade(number, Random(seed)))  # noqa: S311


def main(path: str, url: str) -> None:
    """Make a life for each line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            with suppress(KeyboardInterrupt):
                live(path, url, line.strip())
            os._exit(0)
        say(str(child))
        _, status = os.waitpid(child, 0)
        say(f"over {status}")


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
