"""Who trades what: each broker under its name, at the venues that are its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from engine.exact import venue_of
from market.currency import currency_of, purse_of
from market.orders import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from brokers.broker import Broker
    from market.orders import Order, Position
    from market.types import InstrumentId, Venue

T = TypeVar("T")

PAPER = "paper"

PATIENCE_SECONDS = 3.0
"""How long the other brokers wait for one that does not answer."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A broker under its name, and the venues at which it trades for us.

    Orders of one that `is_live` cost real money.
    """

    name: str
    broker: Broker
    venues: frozenset[Venue]
    is_live: bool


class Brokers:
    """All brokers in use; at one venue there is one at most."""

    def __init__(self, seats: Iterable[Seat]) -> None:
        self.seats = tuple(seats)
        self._at = {venue: seat for seat in self.seats for venue in seat.venues}
        self._late: dict[tuple[str, str], asyncio.Task[Any]] = {}

    @property
    def venues(self) -> frozenset[Venue]:
        """Return the venues at which somebody trades for us."""
        return frozenset(self._at)

    @property
    def is_live(self) -> bool:
        """Tell whether any order costs real money."""
        return any(seat.is_live for seat in self.seats)

    def at(self, venue: Venue) -> Seat | None:
        """Return who trades at a venue, None where nobody does."""
        return self._at.get(venue)

    def of(self, instrument: InstrumentId) -> Seat:
        """Return who trades an instrument; LookupError where nobody does."""
        seat = self.at(venue_of(instrument))
        if seat is None:
            raise LookupError(f"no broker trades {instrument}")
        return seat

    def is_live_for(self, instrument: InstrumentId) -> bool:
        """Tell whether an order of an instrument costs real money."""
        seat = self.at(venue_of(instrument))
        return seat is not None and seat.is_live

    async def each(self, what: str, does: Callable[[Seat], Coroutine[Any, Any, T]]) -> dict[str, T]:
        """Do something with each broker, with all at the same time; return the answers by name.

        Of several, one that takes longer than `PATIENCE_SECONDS` holds up nobody: it goes on by
        itself, has no answer now, and is left out of the next times until it is done. Raises what
        one raises, of a late one the next time.
        """
        if len(self.seats) == 1:
            return {self.seats[0].name: await does(self.seats[0])}
        tasks: dict[str, asyncio.Task[T]] = {}
        for seat in self.seats:
            late = self._late.pop((seat.name, what), None)
            if late is not None and not late.done():
                self._late[seat.name, what] = late
                continue
            if late is not None:
                late.result()
            tasks[seat.name] = asyncio.create_task(does(seat), name=f"{what} {seat.name}")
        if tasks:
            await self._wait(what, tasks)
        return {name: task.result() for name, task in tasks.items() if task.done()}

    async def close(self) -> None:
        """Break off what still goes on by itself."""
        late = list(self._late.values())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _wait(self, what: str, tasks: Mapping[str, asyncio.Task[Any]]) -> None:
        try:
            await asyncio.wait(tasks.values(), timeout=PATIENCE_SECONDS)
        finally:  # also where we are cancelled: no task is left without a holder
            self._late.update({(name, what): one for name, one in tasks.items() if not one.done()})


def only(broker: Broker, name: str = PAPER, *, is_live: bool = False) -> Brokers:
    """Return a broker as the only one, at all of its venues."""
    return Brokers((Seat(name, broker, broker.venues, is_live),))


def orders_of(seat: Seat, orders: Iterable[Order]) -> list[Order]:
    """Return those of the orders that are a broker's."""
    return [order for order in orders if venue_of(order.instrument) in seat.venues]


def paid_by(
    seat: Seat, accounts: Sequence[Account], account: Account, positions: Iterable[Position]
) -> list[Position]:
    """Return the positions that one of a broker's accounts has paid for."""
    return [
        one
        for one in positions
        if venue_of(one.instrument) in seat.venues and paying(accounts, one.instrument) is account
    ]


def paying(accounts: Sequence[Account], instrument: InstrumentId) -> Account:
    """Return the account that pays for an instrument; an empty one where there is none."""
    currency, purse = currency_of(instrument), purse_of(instrument)
    for one in accounts:
        if one.currency == currency and one.purse in {"", purse}:
            return one
    return Account(Decimal(0), Decimal(0), currency, purse)
