"""The port of brokers, and the registry they enter by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from config.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    import httpx

    from config.settings import Settings
    from market.clock import Clock
    from market.grid import Grid
    from market.orders import Account, Fill, Order, OrderState, Position, Side
    from market.phases import Phase
    from market.sessions import Calendar
    from market.store import Store, Transaction
    from market.types import InstrumentId, Tick, Venue


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """What the broker knows about an order of ours."""

    broker_order_id: str
    state: OrderState
    filled_quantity: Decimal
    average_price: Decimal


class Broker(Protocol):
    """Port. Promises one attempt per call: it never sends an order or a cancel twice.

    It trades at its `venues` and nowhere else.
    """

    @property
    def venues(self) -> frozenset[Venue]:
        """Return the venues at which it trades."""
        ...

    async def place(self, order: Order) -> str:
        """Send once; return the broker's order id; raise OrderRejected or OutcomeUnknown."""
        ...

    async def cancel(self, order: Order) -> None:
        """Ask once to cancel what is left; raise OrderRejected or OutcomeUnknown."""
        ...

    async def find(self, order: Order) -> BrokerOrder | None:
        """Return the broker's view; None means that it surely does not have the order."""
        ...

    async def fills(self, after: str) -> list[Fill]:
        """Return fills with an id greater than `after` ("" for all), oldest first."""
        ...

    async def accounts(self) -> tuple[Account, ...]:
        """Return cash and buying power, each currency and purse once; OutcomeUnknown if not now."""
        ...


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that rests at the broker, ours or made elsewhere, such as in the broker's own app.

    `client_order_id` is "" where the broker keeps none; ours begin with `tt-`. `price` None means
    a market order, `quantity` then may be 0 where the broker counts money instead.
    """

    broker_order_id: str
    client_order_id: str
    instrument: InstrumentId
    side: Side
    quantity: Decimal
    price: Decimal | None
    filled_quantity: Decimal
    at: datetime


@runtime_checkable
class OpenOrders(Protocol):
    """Port. A broker that lists all that rests in the account; OutcomeUnknown if it cannot now."""

    async def open_orders(self) -> list[OpenOrder]:
        """Return everything that may still trade, oldest first."""
        ...


@runtime_checkable
class Holdings(Protocol):
    """Port. A broker that tells what the account holds; OutcomeUnknown if it cannot now."""

    async def positions(self) -> list[Position]:
        """Return what is held, whoever bought it; never rows of nothing."""
        ...


@runtime_checkable
class Ticks(Protocol):
    """Port. A broker whose venue tells its own tick sizes."""

    async def tick_size(self, instrument: InstrumentId, price: Decimal) -> Decimal:
        """Return the step of prices near `price`; the known table's where it cannot be asked."""
        ...


@runtime_checkable
class Grids(Protocol):
    """Port. A broker whose venue has steps of its own for each instrument."""

    async def grid(self, instrument: InstrumentId) -> Grid:
        """Return them; OrderError where there is no such instrument, or they cannot be had now."""
        ...


@runtime_checkable
class Live(Protocol):
    """Port. A broker that hears of trades as they happen; `fills` stays the truth."""

    async def news(self) -> None:
        """Return as soon as it is worth while to ask for fills, or for the account, again."""
        ...


@runtime_checkable
class Protective(Protocol):
    """Port. A broker at whose venue a stop of ours can rest, also while we are not there.

    A stop is an order of ours like any other: it is sent once, `cancel` and `find` know it by its
    id, and what trades once its trigger is reached are its fills. Until then it is ACCEPTED.
    """

    def takes_stops(self, instrument: InstrumentId) -> bool:
        """Tell whether stops of an instrument can rest at the venue."""
        ...

    async def place_stop(self, order: Order, trigger: Decimal) -> str:
        """Send `order` once, to trade from `trigger` on (rounded away from the price); as `place`.

        A sale waits for the price to fall to it, a purchase for it to rise.
        """
        ...


@runtime_checkable
class Sessions(Protocol):
    """Port. A broker that takes orders for more than the regular session."""

    @property
    def phases(self) -> frozenset[Phase]:
        """Return all phases of its venues in which it takes orders."""
        ...


@runtime_checkable
class Possible(Protocol):
    """Port. A broker whose venue tells how much of an order it would take."""

    async def possible(self, order: Order) -> Decimal | None:
        """Return the most of it that can be ordered now; None where only the money bounds it.

        OutcomeUnknown if it cannot be told now.
        """
        ...


@runtime_checkable
class Doubtful(Protocol):
    """Port. A broker whose venue keeps no id of ours: a person may have to tell orders apart.

    `find` raises OutcomeUnknown("ambiguous") for such an order, and goes on so until it is settled.
    """

    async def candidates(self, order: Order) -> list[OpenOrder]:
        """Return the orders at the venue that may be this one, oldest first."""
        ...

    async def settle(self, order: Order, broker_order_id: str | None) -> None:
        """Take a person's word for which one it is, None for none of them; OrderRejected if not.

        Nothing is sent to the venue, so after OutcomeUnknown it may be said again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Adoption:
    """An order made elsewhere as its broker takes it for ours.

    `traded` is what had traded before; no fill of ours is made of it. `keep` writes the broker's
    own notes within the transaction that keeps the order, so that neither is ever without the
    other; it raises OrderRejected where the order has become ours otherwise.
    """

    traded: Decimal
    keep: Callable[[Transaction], None]


@runtime_checkable
class ForeignOrders(Protocol):
    """Port. A broker that can take an order made elsewhere for ours, or cancel it."""

    async def adopt(self, found: OpenOrder, order: Order) -> Adoption:
        """Return what makes it `order`, by one look; nothing is sent, and nothing kept yet.

        OrderRejected("closed") where it rests no more, OutcomeUnknown if the venue cannot be asked.
        """
        ...

    async def cancel_foreign(self, found: OpenOrder) -> None:
        """Ask once to cancel what is left; raise OrderRejected or OutcomeUnknown."""
        ...


@runtime_checkable
class Closing(Protocol):
    """Port. A broker that holds connections or tasks of its own."""

    async def close(self) -> None:
        """Let go of them; may be called twice."""
        ...


@runtime_checkable
class MarketFed(Protocol):
    """Port. A broker that trades against the ticks we crawl (paper)."""

    async def observe(self, ticks: Sequence[Tick]) -> None:
        """Let resting orders meet the newest ticks."""
        ...


@dataclass(frozen=True, slots=True)
class BrokerParts:
    """What a broker is made of; everything outside the process comes in here.

    Signatures and ids go by the wall clock, sessions and paper trades by the market clock.
    """

    store: Store
    http: httpx.AsyncClient
    settings: Settings
    market_clock: Clock
    wall_clock: Clock
    calendars: Mapping[Venue, Calendar]


@dataclass(frozen=True, slots=True)
class BrokerKind:
    """How a broker is made, and where one of its kind can trade; known before there are keys."""

    venues: frozenset[Venue]
    make: Callable[[BrokerParts], Broker]

    def __call__(self, parts: BrokerParts) -> Broker:
        """Return a broker; raises ConfigError where its settings do not do."""
        return self.make(parts)


def trades_at(*venues: Venue) -> Callable[[Callable[[BrokerParts], Broker]], BrokerKind]:
    """Return a decorator that says at which venues the brokers of a factory trade."""
    return lambda make: BrokerKind(frozenset(venues), make)


BROKERS: Registry[BrokerKind] = Registry("broker")
"""Kinds of brokers by name; calling one makes it: `parts -> Broker`."""
